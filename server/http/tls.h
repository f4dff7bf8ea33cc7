/*
 * Certificate and key: read and checked before they are served, so that a wrong file is told by name, and read again
 * while the server runs. A process serves one certificate.
 */
#ifndef DESCENT_SERVER_HTTP_TLS_H
#define DESCENT_SERVER_HTTP_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "core/base/status.h"

/* TLS 1.3 and 1.2 alone, with the server's order of ciphers. */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

/*
 * Reads both files; every handshake from now on uses them. STATUS_CONFIG_INVALID: not readable, no PEM, the key is open
 * to everybody or belongs to another certificate, the certificate has expired. After an error the pair that was served
 * before still is.
 */
MUST_CHECK enum status tls_load(const char *cert_path, const char *key_path, struct error *error);

/* Nothing is served any more. */
void tls_unload(void);

/* Gives a handshake the chain and the key: gnutls_certificate_retrieve_function3. */
int tls_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *asked, gnutls_pcert_st **chain,
                    unsigned *chain_size, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_size, gnutls_privkey_t *key,
                    unsigned *flags);

#endif
