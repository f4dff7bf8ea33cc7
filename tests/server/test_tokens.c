#include "server/tokens.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/routes.h"
#include "core/base/sha256.h"

#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of "abc", FIPS 180-4 */

static char path[64];

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/descentd-test-tokens-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

/* Opens the file, which must be refused with words that hold `says`. */
static void refuses(const char *says)
{
    struct tokens *tokens = NULL;
    struct error error = {.status = STATUS_OK};
    assert_int_equal(tokens_open(path, &tokens, &error), STATUS_CONFIG_INVALID);
    if (strstr(error.message, says) == NULL || strstr(error.message, path) == NULL)
        fail_msg("\"%s\" and the path are not in: %s", says, error.message);
}

static struct tokens *open_tokens(void)
{
    struct tokens *tokens = NULL;
    struct error error = {.status = STATUS_OK};
    if (tokens_open(path, &tokens, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return tokens;
}

static void a_file_gives_its_tokens_their_scopes(void **state)
{
    (void)state;
    unsigned scopes = 0;
    char id[TOKEN_ID_TEXT];
    write_file("# who may do what\n\nabc-1:read,write:" HASH "\r\n");
    struct tokens *tokens = open_tokens();
    assert_int_equal(tokens_check(tokens, "abc", 3, 1, &scopes, id), STATUS_OK);
    assert_string_equal(id, "abc-1");
    assert_int_equal(scopes, SCOPE_READ | SCOPE_WRITE);
    assert_int_equal(tokens_check(tokens, "abd", 3, 1, &scopes, id), STATUS_INVALID_TOKEN);
    assert_int_equal(tokens_check(tokens, "abc\0", 4, 1, &scopes, id), STATUS_INVALID_TOKEN);
    assert_int_equal(tokens_check(tokens, "", 0, 1, &scopes, id), STATUS_INVALID_TOKEN);
    assert_int_equal(tokens_check(tokens, HASH, 64, 1, &scopes, id), STATUS_INVALID_TOKEN);
    tokens_free(tokens);
}

static void admin_implies_all_and_write_implies_read(void **state)
{
    (void)state;
    assert_int_equal(tokens_scopes("read", 4), SCOPE_READ);
    assert_int_equal(tokens_scopes("write", 5), SCOPE_READ | SCOPE_WRITE);
    assert_int_equal(tokens_scopes("admin", 5), SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN);
    assert_int_equal(tokens_scopes("read,write", 10), SCOPE_READ | SCOPE_WRITE);
    static const char *const wrong[] = {"", "root", "read,", ",read", "read, write", "READ", "none", "readwrite"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(tokens_scopes(wrong[i], strlen(wrong[i])), 0);
}

static void a_token_expires_at_its_second(void **state)
{
    (void)state;
    unsigned scopes;
    char id[TOKEN_ID_TEXT];
    static const char *const forms[] = {"a:read:" HASH ":1000000000\n", "a:read:" HASH ":2001-09-09T01:46:40Z\n"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        write_file(forms[i]);
        struct tokens *tokens = open_tokens();
        assert_int_equal(tokens_check(tokens, "abc", 3, 999999999, &scopes, id), STATUS_OK);
        assert_int_equal(tokens_check(tokens, "abc", 3, 1000000000, &scopes, id), STATUS_TOKEN_EXPIRED);
        tokens_free(tokens);
    }
}

static void a_bad_line_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"a:read:" HASH "\nb:read\n", "line 2"},
        {"a b:read:" HASH "\n", "line 1"},
        {":read:" HASH "\n", "id"},
        {"a:root:" HASH "\n", "scopes"},
        {"a:read:abc\n", "hash"},
        {"a:read:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n", "hash"},
        {"a:read:" HASH ":soon\n", "expiry"},
        {"a:read:" HASH ":0\n", "expiry"},
        {"a:read:" HASH "\na:write:" HASH "\n", "twice"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_file(rows[i].text);
        refuses(rows[i].says);
    }
}

static void an_open_empty_or_missing_file_is_refused(void **state)
{
    (void)state;
    write_file("a:read:" HASH "\n");
    chmod(path, 0604);
    refuses("open to everybody");
    write_file("# nobody\n");
    refuses("no token");
    write_file("");
    refuses("no token");
    unlink(path);
    refuses("no such file");
    mkdir(path, 0700);
    refuses("regular");
    rmdir(path);
}

static void a_new_token_is_random_works_and_is_kept_as_a_hash(void **state)
{
    (void)state;
    unsigned scopes = 0;
    char first[TOKEN_TEXT], second[TOKEN_TEXT], id[TOKEN_ID_TEXT], text[1024] = "";
    struct error error = {.status = STATUS_OK};
    struct stat info;
    unlink(path);
    assert_int_equal(tokens_add(path, "ci", SCOPE_READ | SCOPE_WRITE, 0, first, &error), STATUS_OK);
    assert_int_equal(tokens_add(path, NULL, SCOPE_READ, 2000000000, second, &error), STATUS_OK);
    assert_int_equal(strlen(first), 4 + 43);
    assert_memory_equal(first, "dct_", 4);
    assert_string_not_equal(first, second);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    FILE *file = fopen(path, "r");
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 128);
    fclose(file);
    assert_null(strstr(text, first + 4));
    struct tokens *tokens = open_tokens();
    assert_int_equal(tokens_check(tokens, first, strlen(first), 1, &scopes, id), STATUS_OK);
    assert_string_equal(id, "ci");
    assert_int_equal(scopes, SCOPE_READ | SCOPE_WRITE);
    assert_int_equal(tokens_check(tokens, second, strlen(second), 2000000000, &scopes, id), STATUS_TOKEN_EXPIRED);
    assert_int_equal(tokens_check(tokens, second, strlen(second), 1999999999, &scopes, id), STATUS_OK);
    assert_int_equal(scopes, SCOPE_READ);
    tokens_free(tokens);
}

static void a_name_is_given_once_and_has_no_colon(void **state)
{
    (void)state;
    char text[TOKEN_TEXT];
    struct error error = {.status = STATUS_OK};
    assert_int_equal(tokens_add(path, "ci", SCOPE_READ, 0, text, &error), STATUS_OK);
    assert_int_equal(tokens_add(path, "ci", SCOPE_READ, 0, text, &error), STATUS_USAGE);
    assert_int_equal(tokens_add(path, "a:b", SCOPE_READ, 0, text, NULL), STATUS_USAGE);
    assert_int_equal(tokens_add(path, "", SCOPE_READ, 0, text, NULL), STATUS_USAGE);
}

static void a_line_without_its_end_is_completed_first(void **state)
{
    (void)state;
    char text[TOKEN_TEXT], id[TOKEN_ID_TEXT];
    unsigned scopes;
    write_file("abc:read:" HASH);
    assert_int_equal(tokens_add(path, "next", SCOPE_READ, 0, text, NULL), STATUS_OK);
    struct tokens *tokens = open_tokens();
    assert_int_equal(tokens_check(tokens, "abc", 3, 1, &scopes, id), STATUS_OK);
    assert_int_equal(tokens_check(tokens, text, strlen(text), 1, &scopes, id), STATUS_OK);
    tokens_free(tokens);
}

static void a_broken_file_changes_nothing_at_a_reload(void **state)
{
    (void)state;
    unsigned scopes;
    char id[TOKEN_ID_TEXT];
    struct error error = {.status = STATUS_OK};
    write_file("a:read:" HASH "\n");
    struct tokens *tokens = open_tokens();
    write_file("broken\n");
    assert_int_equal(tokens_reload(tokens, &error), STATUS_CONFIG_INVALID);
    assert_int_equal(tokens_check(tokens, "abc", 3, 1, &scopes, id), STATUS_OK);
    tokens_free(tokens);
}

static void tokens_are_blanked_in_texts(void **state)
{
    (void)state;
    char text[] = "a dct_abc-DEF_0/x and dct_ and dct_q";
    tokens_scrub(text);
    assert_string_equal(text, "a dct_*********/x and dct_ and dct_*");
}

int main(void)
{
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_file_gives_its_tokens_their_scopes),
        WITH_FILE(admin_implies_all_and_write_implies_read),
        WITH_FILE(a_token_expires_at_its_second),
        WITH_FILE(a_bad_line_is_named),
        WITH_FILE(an_open_empty_or_missing_file_is_refused),
        WITH_FILE(a_new_token_is_random_works_and_is_kept_as_a_hash),
        WITH_FILE(a_name_is_given_once_and_has_no_colon),
        WITH_FILE(a_line_without_its_end_is_completed_first),
        WITH_FILE(a_broken_file_changes_nothing_at_a_reload),
        WITH_FILE(tokens_are_blanked_in_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
