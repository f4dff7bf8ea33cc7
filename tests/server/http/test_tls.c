/* Certificates are made here, with the library that reads them; openssl clients are the business of tests/http. */
#include "server/http/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY 86400

static char folder[64], cert_path[96], key_path[96], other_key_path[96];

static void write_file(const char *path, const gnutls_datum_t *pem, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fwrite(pem->data, 1, pem->size, file);
    fclose(file);
    chmod(path, mode);
}

static gnutls_x509_privkey_t make_key(const char *path)
{
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem;
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_file(path, &pem, 0600);
    gnutls_free(pem.data);
    return key;
}

/* Signed by its own key, valid until `days` from now. */
static void make_certificate(gnutls_x509_privkey_t key, int days)
{
    gnutls_x509_crt_t certificate;
    gnutls_datum_t pem;
    time_t now = time(NULL);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_serial(certificate, "\1", 1);
    gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, "localhost", 9);
    gnutls_x509_crt_set_activation_time(certificate, now - 9 * DAY);
    gnutls_x509_crt_set_expiration_time(certificate, now + days * DAY);
    gnutls_x509_crt_set_key(certificate, key);
    assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_file(cert_path, &pem, 0644);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(certificate);
}

static void make_files(int days)
{
    gnutls_x509_privkey_t key = make_key(key_path);
    make_certificate(key, days);
    gnutls_x509_privkey_deinit(key);
    gnutls_x509_privkey_deinit(make_key(other_key_path));
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/descentd-test-tls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    snprintf(other_key_path, sizeof(other_key_path), "%s/other.pem", folder);
    make_files(9);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(cert_path);
    unlink(key_path);
    unlink(other_key_path);
    rmdir(folder);
    return 0;
}

static void refuses(const char *cert, const char *key, const char *says)
{
    struct error error = {.status = STATUS_OK};
    assert_int_equal(tls_load(cert, key, &error), STATUS_CONFIG_INVALID);
    if (strstr(error.message, says) == NULL)
        fail_msg("\"%s\" is not in: %s", says, error.message);
}

/* The SHA-256 of the certificate that a handshake gets now; 0: it gets none. */
static int served(unsigned char digest[32])
{
    gnutls_pcert_st *chain = NULL;
    gnutls_ocsp_data_st *ocsp = NULL;
    gnutls_privkey_t key = NULL;
    unsigned size = 0, ocsp_size = 1, flags = 0;
    size_t digest_size = 32;
    if (tls_certificate(NULL, NULL, &chain, &size, &ocsp, &ocsp_size, &key, &flags) != 0)
        return 0;
    assert_int_equal(size, 1);
    assert_int_equal(ocsp_size, 0);
    assert_int_equal(flags, GNUTLS_CERT_RETR_DEINIT_ALL);
    assert_int_equal(gnutls_fingerprint(GNUTLS_DIG_SHA256, &chain[0].cert, digest, &digest_size), 0);
    gnutls_pcert_deinit(&chain[0]);
    gnutls_free(chain);
    gnutls_privkey_deinit(key);
    return 1;
}

static void load(void)
{
    struct error error = {.status = STATUS_OK};
    if (tls_load(cert_path, key_path, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void a_pair_is_served_until_it_is_unloaded(void **state)
{
    (void)state;
    unsigned char digest[32];
    assert_false(served(digest));
    load();
    assert_true(served(digest));
    assert_true(served(digest));
    tls_unload();
    assert_false(served(digest));
}

static void a_pair_loaded_later_takes_its_place_and_a_wrong_one_does_not(void **state)
{
    (void)state;
    unsigned char first[32], second[32], third[32];
    load();
    assert_true(served(first));
    make_files(8);
    load();
    assert_true(served(second));
    assert_memory_not_equal(first, second, 32);
    refuses(cert_path, other_key_path, "other.pem");
    assert_true(served(third));
    assert_memory_equal(second, third, 32);
    tls_unload();
}

static void a_chain_that_a_handshake_cannot_send_is_refused(void **state)
{
    (void)state;
    char text[4096];
    FILE *file = fopen(cert_path, "r");
    size_t size = fread(text, 1, sizeof(text), file);
    fclose(file);
    file = fopen(cert_path, "a");
    for (int i = 0; i < 16; i++)
        fwrite(text, 1, size, file);
    fclose(file);
    refuses(cert_path, key_path, "cert.pem");
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    refuses(cert_path, other_key_path, "other.pem");
}

static void a_key_that_everybody_may_read_is_refused(void **state)
{
    (void)state;
    chmod(key_path, 0604);
    refuses(cert_path, key_path, "open to everybody");
}

static void an_expired_certificate_is_refused(void **state)
{
    (void)state;
    make_files(-1);
    refuses(cert_path, key_path, "expired");
}

static void what_is_no_certificate_is_named(void **state)
{
    (void)state;
    refuses(key_path, key_path, "the certificate");
    refuses(cert_path, cert_path, "open to everybody");
    chmod(cert_path, 0600);
    refuses(cert_path, cert_path, "cert.pem");
    refuses("/dev/null", key_path, "/dev/null");
    refuses(folder, key_path, "regular file");
    unlink(key_path);
    refuses(cert_path, key_path, "no such file");
}

int main(void)
{
#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_FILES(a_pair_is_served_until_it_is_unloaded),
        WITH_FILES(a_pair_loaded_later_takes_its_place_and_a_wrong_one_does_not),
        WITH_FILES(a_chain_that_a_handshake_cannot_send_is_refused),
        WITH_FILES(a_key_of_another_certificate_is_refused),
        WITH_FILES(a_key_that_everybody_may_read_is_refused),
        WITH_FILES(an_expired_certificate_is_refused),
        WITH_FILES(what_is_no_certificate_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
