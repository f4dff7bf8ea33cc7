#include "server/handlers/digest_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* SHA-256 of "abc" (FIPS 180-4) and its MD5 (RFC 1321), their base64 by coreutils. */
#define HEX    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define BASE64 "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define MD5    "kAFQmDzST7DWlj99KOF/cg=="
#define ZEROS  "0000000000000000000000000000000000000000000000000000000000000000"

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
        struct digest_fields fields;
        int sha256, md5;
    } rows[] = {
        {{.x_content_sha256 = HEX}, 1, 0},
        {{.x_content_sha256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}, 1, 0},
        {{.content_digest = "sha-256=:" BASE64 ":"}, 1, 0},
        {{.content_digest = "sha-512=:AAAA:, sha-256=:" BASE64 ":"}, 1, 0},
        {{.content_digest = " sha-256=:" BASE64 ": ,md5=:" MD5 ":"}, 1, 1},
        {{.content_digest = "sha-256=:" BASE64 ":", .x_content_sha256 = HEX}, 1, 0},
        {{.digest = "SHA-256=" BASE64}, 1, 0},
        {{.digest = "unixsum=30637, sha-256=" BASE64 ", MD5=" MD5}, 1, 1},
        {{.content_md5 = MD5}, 0, 1},
        {{.content_md5 = MD5, .digest = "md5=" MD5, .x_content_sha256 = HEX}, 1, 1},
    };
    static const unsigned char md5[16] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                          0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
    unsigned char sha256[SHA256_BYTES];

    (void)state;
    digest_of_abc(sha256);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct digests digests;

        assert_int_equal(digest_fields_read(&rows[i].fields, &digests, NULL), STATUS_OK);
        assert_int_equal(digests.given[DIGEST_SHA256], rows[i].sha256);
        assert_int_equal(digests.given[DIGEST_MD5], rows[i].md5);
        if (rows[i].sha256) {
            assert_memory_equal(digests.bytes[DIGEST_SHA256], sha256, sizeof sha256);
        }
        if (rows[i].md5) {
            assert_memory_equal(digests.bytes[DIGEST_MD5], md5, sizeof md5);
        }
    }
}

static void without_a_known_algorithm_nothing_is_given(void **state)
{
    static const struct digest_fields rows[] = {
        {NULL, NULL, NULL, NULL}, {.content_digest = "sha-512=:AAAA:"}, {.digest = "UNIXsum=1,, "}, {.digest = ""}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct digests digests;

        assert_int_equal(digest_fields_read(&rows[i], &digests, NULL), STATUS_OK);
        assert_false(digests.given[DIGEST_SHA256] || digests.given[DIGEST_MD5]);
    }
}

static void what_is_no_digest_is_refused(void **state)
{
    static const struct digest_fields rows[] = {
        {.x_content_sha256 = ""},
        {.x_content_sha256 = "ba78"},
        {.x_content_sha256 = HEX "00"},
        {.x_content_sha256 = "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {.content_digest = "sha-256=" BASE64},
        {.content_digest = "sha-256=:AAAA:"},
        {.content_digest = "sha-256=:"},
        {.content_digest = "sha-256="},
        {.content_digest = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=:"}, /* bits behind the end are set */
        {.content_digest = "sha-256=:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=:"}, /* the other alphabet */
        {.content_digest = "sha-256=:" MD5 ":"},
        {.content_digest = "sha-256=:" BASE64 ":", .x_content_sha256 = ZEROS},
        {.digest = "sha-256=:" BASE64 ":"},
        {.digest = "md5=" BASE64},
        {.content_md5 = ""},
        {.content_md5 = "kAFQmDzST7DWlj99KOF/cg="},
        {.content_md5 = "kAFQmDzST7DWlj99KOF/cgAA"},
        {.content_md5 = MD5, .digest = "md5=AAAAAAAAAAAAAAAAAAAAAA=="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {.status = STATUS_OK};
        struct digests digests;

        if (digest_fields_read(&rows[i], &digests, &error) != STATUS_CHECKSUM_MISMATCH || error.message[0] == '\0') {
            fail_msg("row %zu: %s", i, error.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_is_written_as_rfc_9530_has_it),
        cmocka_unit_test(every_spelling_of_a_digest_is_read),
        cmocka_unit_test(without_a_known_algorithm_nothing_is_given),
        cmocka_unit_test(what_is_no_digest_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
