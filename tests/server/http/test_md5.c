#include "server/http/md5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 1321, A.5 */
static void the_vectors_of_rfc_1321_come_out(void **state)
{
    static const struct {
        const char *text;
        unsigned char digest[MD5_BYTES];
    } rows[] = {
        {"", {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e}},
        {"abc", {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72}},
        {"message digest", {0xf9, 0x6b, 0x69, 0x7d, 0x7c, 0xb7, 0x93, 0x8d, 0x52, 0x5a, 0x2f, 0x31, 0xaa, 0xf1, 0x61, 0xd0}},
    };
    struct md5 *md5;

    (void)state;
    assert_int_equal(md5_new(&md5, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char digest[MD5_BYTES];

        for (size_t at = 0; at < strlen(rows[i].text); at++) {
            assert_int_equal(md5_update(md5, rows[i].text + at, 1, NULL), STATUS_OK);
        }
        md5_final(md5, digest); /* the next one begins anew */
        assert_memory_equal(digest, rows[i].digest, MD5_BYTES);
    }
    md5_free(md5);
    md5_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_1321_come_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
