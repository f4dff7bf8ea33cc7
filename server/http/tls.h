/* Certificate and key: read and checked before the server starts, so that a wrong file is told by name. */
#ifndef DESCENT_SERVER_HTTP_TLS_H
#define DESCENT_SERVER_HTTP_TLS_H

#include "core/base/status.h"

/* TLS 1.3 and 1.2 alone, with the server's order of ciphers. */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

/* PEM texts, owned; NULL: plain HTTP. */
struct tls {
    char *cert, *key;
};

/*
 * Reads both files; NULL paths leave *tls empty. STATUS_CONFIG_INVALID: not readable, no PEM, the key is open to
 * everybody or belongs to another certificate, the certificate has expired.
 */
MUST_CHECK enum status tls_load(const char *cert_path, const char *key_path, struct tls *tls, struct error *error);

void tls_release(struct tls *tls);

#endif
