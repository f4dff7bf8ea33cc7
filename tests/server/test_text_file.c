#include "server/text_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/descentd-test-text-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/file", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void refuses(enum text_file_kind kind, const char *says)
{
    char *text = NULL;
    struct error error = {.status = STATUS_OK};
    assert_int_equal(text_file_read(path, "the key", kind, &text, &error), STATUS_CONFIG_INVALID);
    assert_null(text);
    if (strstr(error.message, says) == NULL || strstr(error.message, path) == NULL ||
        strncmp(error.message, "the key", 7) != 0)
        fail_msg("\"%s\" is not in: %s", says, error.message);
}

static void a_file_is_read_whole(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a", "two\nlines\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *text = NULL;
        struct error error = {.status = STATUS_OK};
        write_file(texts[i], 0640);
        assert_int_equal(text_file_read(path, "the key", TEXT_FILE_SECRET, &text, &error), STATUS_OK);
        assert_string_equal(text, texts[i]);
        text_file_free_secret(text);
    }
    text_file_free_secret(NULL);
}

static void only_a_secret_must_not_be_open_to_everybody(void **state)
{
    (void)state;
    char *text = NULL;
    struct error error = {.status = STATUS_OK};
    static const mode_t modes[] = {0604, 0602, 0601};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        write_file("secret", modes[i]);
        refuses(TEXT_FILE_SECRET, "open to everybody");
    }
    assert_int_equal(text_file_read(path, "the certificate", TEXT_FILE_PUBLIC, &text, &error), STATUS_OK);
    free(text);
}

static void what_is_no_small_file_is_refused(void **state)
{
    (void)state;
    refuses(TEXT_FILE_PUBLIC, "there is no such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    refuses(TEXT_FILE_PUBLIC, "not a regular file");
    unlink(path);
    write_file("", 0600);
    assert_int_equal(truncate(path, TEXT_FILE_BYTES_MAX + 1), 0);
    refuses(TEXT_FILE_PUBLIC, "larger than 1 MiB");
}

static void an_open_file_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    char *text = NULL;
    struct error error = {.status = STATUS_OK};
    write_file("text", 0600);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(text_file_read_open(fd, path, "the key", TEXT_FILE_SECRET, &text, &error), STATUS_CONFIG_INVALID);
    close(fd);
    assert_null(text);
    assert_non_null(strstr(error.message, "cannot be read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_a_secret_must_not_be_open_to_everybody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_small_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_file_that_cannot_be_read_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
