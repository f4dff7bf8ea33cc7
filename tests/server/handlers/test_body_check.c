/* Bodies that are what was announced, and others. */
#include "server/handlers/body_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* of "abc": FIPS 180-4, RFC 1321 */
#define SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MD5 "kAFQmDzST7DWlj99KOF/cg=="

static enum status check_of(const struct digest_fields *fields, const char *body, struct error *error)
{
    struct body_check check = {.md5 = NULL};

    enum status status = body_check_begin(&check, fields, error);
    for (size_t i = 0; status == STATUS_OK && body[i] != '\0'; i++) {
        status = body_check_update(&check, body + i, 1, error);
    }
    if (status == STATUS_OK) {
        status = body_check_end(&check, error);
    }
    body_check_release(&check);
    return status;
}

static void a_body_is_compared_with_every_checksum_that_was_sent(void **state)
{
    static const struct {
        struct digest_fields fields;
        const char *body, *says; /* says NULL: it is right */
    } rows[] = {
        {{NULL, NULL, NULL, NULL}, "anything", NULL},
        {{.x_content_sha256 = SHA}, "abc", NULL},
        {{.content_md5 = MD5}, "abc", NULL},
        {{.x_content_sha256 = SHA, .content_md5 = MD5}, "abc", NULL},
        {{.x_content_sha256 = SHA}, "abd", "SHA-256 a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"},
        {{.content_md5 = MD5}, "abd", "MD5 4911e516e5aa21d327512e0c8b197616"},
        {{.x_content_sha256 = SHA, .content_md5 = "AAAAAAAAAAAAAAAAAAAAAA=="},
         "abc",
         "MD5 900150983cd24fb0d6963f7d28e17f72"},
        {{.content_md5 = MD5}, "", "MD5 d41d8cd98f00b204e9800998ecf8427e"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {.status = STATUS_OK};
        enum status status = check_of(&rows[i].fields, rows[i].body, &error);

        assert_int_equal(status, rows[i].says == NULL ? STATUS_OK : STATUS_CHECKSUM_MISMATCH);
        if (rows[i].says != NULL) {
            assert_non_null(strstr(error.message, rows[i].says));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_compared_with_every_checksum_that_was_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
