/*
 * Addresses to listen on and to compare with: numeric IPv4 and IPv6, and the name localhost. Never a name that has to be
 * looked up: that would be an outbound connection, and an answer that can change.
 */
#ifndef DESCENT_SERVER_HTTP_ADDRESS_H
#define DESCENT_SERVER_HTTP_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#include "core/base/status.h"

#define ADDRESS_TEXT 64

struct address {
    struct sockaddr_storage storage;
    socklen_t size;
};

/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080", port 0 for any free one. STATUS_CONFIG_INVALID. */
MUST_CHECK enum status address_parse(const char *text, struct address *address, struct error *error);

int address_is_loopback(const struct address *address);

/* 0.0.0.0 or [::] */
int address_is_any(const struct address *address);

/* The host alone ("127.0.0.1", "::1", no brackets), and host and port as address_parse reads them. */
void address_host(const struct address *address, char text[ADDRESS_TEXT]);
void address_format(const struct address *address, char text[ADDRESS_TEXT]);

#endif
