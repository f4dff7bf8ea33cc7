#include "server/handlers/digest_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* SHA-256 of "abc" (FIPS 180-4), its base64 by coreutils. */
#define HEX    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define BASE64 "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="

static void digest_of_abc(unsigned char digest[SHA256_BYTES])
{
    struct sha256 hash;

    sha256_init(&hash);
    sha256_update(&hash, "abc", 3);
    sha256_final(&hash, digest);
}

static void a_digest_is_written_as_rfc_9530_has_it(void **state)
{
    unsigned char digest[SHA256_BYTES];
    char text[DIGEST_FIELD_TEXT];

    (void)state;
    digest_of_abc(digest);
    digest_field_format(digest, text);
    assert_string_equal(text, "sha-256=:" BASE64 ":");
}

static void every_spelling_of_a_digest_is_read(void **state)
{
    static const struct {
        const char *content_digest, *x_content_sha256;
    } rows[] = {
        {NULL, HEX},
        {NULL, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
        {"sha-256=:" BASE64 ":", NULL},
        {"sha-512=:AAAA:, sha-256=:" BASE64 ":", NULL},
        {" sha-256=:" BASE64 ": ,md5=:AAAA:", NULL},
        {"sha-256=:" BASE64 ":", HEX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char wanted[SHA256_BYTES], digest[SHA256_BYTES];
        int given;

        digest_of_abc(wanted);
        assert_int_equal(digest_field_expected(rows[i].content_digest, rows[i].x_content_sha256, digest, &given, NULL),
                         STATUS_OK);
        assert_true(given);
        assert_memory_equal(digest, wanted, sizeof wanted);
    }
}

static void without_a_sha256_nothing_is_given(void **state)
{
    unsigned char digest[SHA256_BYTES];
    int given = 1;

    (void)state;
    assert_int_equal(digest_field_expected(NULL, NULL, digest, &given, NULL), STATUS_OK);
    assert_false(given);
    assert_int_equal(digest_field_expected("sha-512=:AAAA:", NULL, digest, &given, NULL), STATUS_OK);
    assert_false(given);
}

static void what_is_no_digest_is_refused(void **state)
{
    static const struct {
        const char *content_digest, *x_content_sha256;
    } rows[] = {
        {NULL, ""},
        {NULL, "ba78"},
        {NULL, HEX "00"},
        {NULL, "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"sha-256=" BASE64, NULL},
        {"sha-256=:AAAA:", NULL},
        {"sha-256=:", NULL},
        {"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=:", NULL}, /* bits behind the end are set */
        {"sha-256=:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=:", NULL}, /* the other alphabet */
        {"sha-256=:" BASE64 ":", "0000000000000000000000000000000000000000000000000000000000000000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char digest[SHA256_BYTES];
        int given;

        assert_int_equal(digest_field_expected(rows[i].content_digest, rows[i].x_content_sha256, digest, &given, NULL),
                         STATUS_CHECKSUM_MISMATCH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_is_written_as_rfc_9530_has_it),
        cmocka_unit_test(every_spelling_of_a_digest_is_read),
        cmocka_unit_test(without_a_sha256_nothing_is_given),
        cmocka_unit_test(what_is_no_digest_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
