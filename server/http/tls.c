/*
 * One server a process: the library's callback has no place for a context, so what is served stands here. Each handshake
 * parses it anew (some 50 us of a millisecond) and gives it away; a certificate parsed once would have to be counted by
 * its users.
 */
#include "server/http/tls.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/text_file.h"

#define CHAIN_MAX 16

/* PEM texts, owned; NULL: none. */
struct pair {
    char *cert, *key;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `served`; a leaf */
static struct pair served;

static gnutls_datum_t datum(char *text)
{
    return (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)strlen(text)};
}

static enum status check_expiry(const char *path, const gnutls_datum_t *pem, struct error *error)
{
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&certificate) != 0)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the certificate");
    enum status status = STATUS_OK;
    int code = gnutls_x509_crt_import(certificate, pem, GNUTLS_X509_FMT_PEM);
    if (code != 0)
        status = error_set(error, STATUS_CONFIG_INVALID, "the certificate %.100s: %s", path, gnutls_strerror(code));
    else if (gnutls_x509_crt_get_expiration_time(certificate) < time(NULL))
        status = error_set(error, STATUS_CONFIG_INVALID, "the certificate %.150s has expired", path);
    gnutls_x509_crt_deinit(certificate);
    return status;
}

static void release_chain(gnutls_pcert_st *chain, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        gnutls_pcert_deinit(&chain[i]);
    gnutls_free(chain);
}

/* The chain, for release_chain, and its key. Nothing is left behind on an error. */
static int parse_pair(const struct pair *pair, gnutls_pcert_st **chain, unsigned *size, gnutls_privkey_t *key)
{
    gnutls_datum_t cert_pem = datum(pair->cert), key_pem = datum(pair->key);
    gnutls_pcert_st *certs = gnutls_calloc(CHAIN_MAX, sizeof(*certs));
    if (certs == NULL)
        return GNUTLS_E_MEMORY_ERROR;
    *size = CHAIN_MAX;
    int code = gnutls_pcert_list_import_x509_raw(certs, size, &cert_pem, GNUTLS_X509_FMT_PEM,
                                                 GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (code < 0) {
        gnutls_free(certs);
        return code;
    }
    code = gnutls_privkey_init(key);
    if (code == 0) {
        code = gnutls_privkey_import_x509_raw(*key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (code < 0)
            gnutls_privkey_deinit(*key);
    }
    if (code < 0)
        release_chain(certs, *size);
    else
        *chain = certs;
    return code;
}

static enum status check_pair(const char *cert_path, const char *key_path, const struct pair *pair, struct error *error)
{
    gnutls_datum_t cert = datum(pair->cert), key = datum(pair->key);
    enum status status = check_expiry(cert_path, &cert, error);
    if (status != STATUS_OK)
        return status;
    gnutls_certificate_credentials_t credentials;
    if (gnutls_certificate_allocate_credentials(&credentials) != 0)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the certificate");
    gnutls_pcert_st *chain;
    gnutls_privkey_t private;
    unsigned size;
    int code = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
    if (code >= 0 && (code = parse_pair(pair, &chain, &size, &private)) == 0) {
        release_chain(chain, size);
        gnutls_privkey_deinit(private);
    }
    if (code < 0)
        status = error_set(error, STATUS_CONFIG_INVALID, "the certificate %.60s with the key %.60s: %s", cert_path, key_path,
                           gnutls_strerror(code));
    gnutls_certificate_free_credentials(credentials);
    return status;
}

static void release(struct pair *pair)
{
    free(pair->cert);
    text_file_free_secret(pair->key);
    *pair = (struct pair){NULL, NULL};
}

/* From now on `pair` is served, and what was is released. */
static void serve(struct pair pair)
{
    pthread_mutex_lock(&lock);
    struct pair old = served;
    served = pair;
    pthread_mutex_unlock(&lock);
    release(&old);
}

enum status tls_load(const char *cert_path, const char *key_path, struct error *error)
{
    struct pair pair = {NULL, NULL};
    enum status status = text_file_read(cert_path, "the certificate", TEXT_FILE_PUBLIC, &pair.cert, error);
    if (status == STATUS_OK)
        status = text_file_read(key_path, "the key", TEXT_FILE_SECRET, &pair.key, error);
    if (status == STATUS_OK)
        status = check_pair(cert_path, key_path, &pair, error);
    if (status == STATUS_OK)
        serve(pair);
    else
        release(&pair);
    return status;
}

void tls_unload(void)
{
    serve((struct pair){NULL, NULL});
}

int tls_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *asked, gnutls_pcert_st **chain,
                    unsigned *chain_size, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_size, gnutls_privkey_t *key,
                    unsigned *flags)
{
    (void)session;
    (void)asked;
    *ocsp = NULL;
    *ocsp_size = 0;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    pthread_mutex_lock(&lock);
    int code = served.cert != NULL ? parse_pair(&served, chain, chain_size, key) : GNUTLS_E_NO_CERTIFICATE_FOUND;
    pthread_mutex_unlock(&lock);
    return code;
}
