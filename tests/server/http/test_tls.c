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
    struct tls tls;
    struct error error = {.status = STATUS_OK};
    assert_int_equal(tls_load(cert, key, &tls, &error), STATUS_CONFIG_INVALID);
    if (strstr(error.message, says) == NULL)
        fail_msg("\"%s\" is not in: %s", says, error.message);
    assert_null(tls.cert);
    assert_null(tls.key);
}

static void a_pair_is_read(void **state)
{
    (void)state;
    struct tls tls;
    struct error error = {.status = STATUS_OK};
    assert_int_equal(tls_load(cert_path, key_path, &tls, &error), STATUS_OK);
    assert_non_null(strstr(tls.cert, "BEGIN CERTIFICATE"));
    assert_non_null(strstr(tls.key, "PRIVATE KEY"));
    tls_release(&tls);
    assert_null(tls.key);
}

static void without_files_there_is_no_tls(void **state)
{
    (void)state;
    struct tls tls;
    assert_int_equal(tls_load(NULL, NULL, &tls, NULL), STATUS_OK);
    assert_null(tls.cert);
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
        WITH_FILES(a_pair_is_read),
        WITH_FILES(without_files_there_is_no_tls),
        WITH_FILES(a_key_of_another_certificate_is_refused),
        WITH_FILES(a_key_that_everybody_may_read_is_refused),
        WITH_FILES(an_expired_certificate_is_refused),
        WITH_FILES(what_is_no_certificate_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
