/*
 * The Host headers that this server answers to.
 *
 * A page of a foreign site can let its own name point at 127.0.0.1 and then talk to this server as if it were its own
 * (DNS rebinding); its requests carry that name, and so are refused. An address as Host cannot be rebound: the loopback
 * ones, the one listened on, and the one by which the connection came in are all fine.
 */
#ifndef DESCENT_SERVER_HTTP_HOSTS_H
#define DESCENT_SERVER_HTTP_HOSTS_H

#include "server/settings.h"

/*
 * Whether `host`, the value of a Host header ("Name", "name:8080", "[::1]:8080"), is one of loopback's names, one of
 * `allowed`, or `local`: the connection's own address without brackets and port. Names are compared without case.
 */
int hosts_allow(const struct setting_list *allowed, const char *local, const char *host);

#endif
