#include "server/data_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* root/{good.csv,link.csv,pipe,folder/{inner.csv,up}}, secret.csv; the current folder is the one around them. */
static char around[] = "/tmp/test_data_root_XXXXXX";

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int make_tree(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(around));
    assert_int_equal(chdir(around), 0);
    assert_int_equal(mkdir("root", 0700), 0);
    assert_int_equal(mkdir("root/folder", 0700), 0);
    write_file("secret.csv", "secret");
    write_file("root/good.csv", "good");
    write_file("root/folder/inner.csv", "inner");
    assert_int_equal(symlink("../secret.csv", "root/link.csv"), 0);
    assert_int_equal(symlink("good.csv", "root/inside.csv"), 0);
    assert_int_equal(symlink("../..", "root/folder/up"), 0);
    assert_int_equal(mkfifo("root/pipe", 0600), 0);
    return 0;
}

static int remove_tree(void **state)
{
    static const char *const files[] = {"root/pipe",  "root/folder/up", "root/inside.csv",       "root/link.csv",
                                        "secret.csv", "root/good.csv",  "root/folder/inner.csv", NULL};

    (void)state;
    for (size_t i = 0; files[i] != NULL; i++) {
        unlink(files[i]);
    }
    rmdir("root/folder");
    rmdir("root");
    return rmdir(around);
}

static void files_below_the_root_open(void **state)
{
    static const struct {
        const char *path, *content;
    } rows[] = {{"good.csv", "good"}, {"folder/inner.csv", "inner"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char content[16] = "";
        int fd;

        assert_int_equal(data_root_open("root", rows[i].path, "/path", &fd, NULL), STATUS_OK);
        assert_int_equal(read(fd, content, sizeof content - 1), (ssize_t)strlen(rows[i].content));
        assert_string_equal(content, rows[i].content);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        close(fd);
    }
}

static void nothing_else_opens(void **state)
{
    static const struct {
        const char *path;
        enum status status;
    } rows[] = {
        {"", STATUS_PATH_INVALID},
        {".", STATUS_PATH_INVALID},
        {"..", STATUS_PATH_INVALID},
        {"/etc/passwd", STATUS_PATH_INVALID},
        {"../secret.csv", STATUS_PATH_INVALID},
        {"folder/../good.csv", STATUS_PATH_INVALID},
        {"folder/../../secret.csv", STATUS_PATH_INVALID},
        {"folder//inner.csv", STATUS_PATH_INVALID},
        {"folder/./inner.csv", STATUS_PATH_INVALID},
        {"good.csv/", STATUS_PATH_INVALID},
        {"link.csv", STATUS_PATH_NOT_FOUND},
        {"inside.csv", STATUS_PATH_NOT_FOUND},
        {"folder/up/secret.csv", STATUS_PATH_NOT_FOUND},
        {"missing.csv", STATUS_PATH_NOT_FOUND},
        {"good.csv/inner.csv", STATUS_PATH_NOT_FOUND},
        {"folder", STATUS_PATH_NOT_FOUND},
        {"pipe", STATUS_PATH_NOT_FOUND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {STATUS_OK};
        int fd;

        assert_int_equal(data_root_open("root", rows[i].path, "/path", &fd, &error), rows[i].status);
        assert_string_equal(error.pointer, "/path");
    }
}

static void segments_that_are_too_long_are_refused(void **state)
{
    char path[300];
    int fd;

    (void)state;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(data_root_open("root", path, "/path", &fd, NULL), STATUS_PATH_INVALID);
}

static void without_a_root_no_path_is_allowed(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(data_root_open(NULL, "good.csv", "/path", &fd, NULL), STATUS_PATH_FORBIDDEN);
}

static void a_root_that_cannot_be_entered_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *root, *says; /* NULL: fine */
    } rows[] = {
        {"root", NULL}, {".", NULL}, {"missing", "no such folder"}, {"secret.csv", "no folder"}, {"root/pipe", "no folder"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error error = {.status = STATUS_OK};
        enum status status = data_root_check(rows[i].root, &error);
        assert_int_equal(status, rows[i].says == NULL ? STATUS_OK : STATUS_CONFIG_INVALID);
        if (rows[i].says != NULL &&
            (strstr(error.message, rows[i].says) == NULL || strstr(error.message, rows[i].root) == NULL)) {
            fail_msg("%s: %s", rows[i].root, error.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_below_the_root_open),
        cmocka_unit_test(nothing_else_opens),
        cmocka_unit_test(segments_that_are_too_long_are_refused),
        cmocka_unit_test(without_a_root_no_path_is_allowed),
        cmocka_unit_test(a_root_that_cannot_be_entered_is_told),
    };

    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
