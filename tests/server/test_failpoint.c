/* Each setting runs in a child, which says at the end what it came to: a failpoint is read once in a process, and kills. */
#include "server/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#undef FAILPOINT

static char folder[64], log_path[96], file_path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/descentd-test-failpoint-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(log_path, sizeof(log_path), "%s/log", folder);
    snprintf(file_path, sizeof(file_path), "%s/file", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(log_path);
    unlink(file_path);
    return rmdir(folder);
}

/* How a child ended that ran `work` under `setting`: its exit status, or the signal, negative. */
static int run(const char *setting, int (*work)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        setenv("DESCENTD_FAILPOINT", setting, 1);
        setenv("DESCENTD_FAILPOINT_LOG", log_path, 1);
        signal(SIGABRT, SIG_DFL); /* neither cmocka's handlers nor a sanitizer's */
        signal(SIGSEGV, SIG_DFL);
        int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(quiet, STDERR_FILENO);
        _exit(work());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void read_back(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, room - 1, file);
    text[size] = '\0';
    fclose(file);
}

/* ---- what children do ---- */

static int pass_three_times(void)
{
    for (int i = 0; i < 3; i++) {
        errno = 5;
        failpoint_pass(FAILPOINT_JOB_STEP);
        if (errno != 5) {
            return 99;
        }
    }
    return 42;
}

/* Which of four tries failed, as bits; 100: not with the error that was asked for. */
static int fail_four_times(void)
{
    int failed = 0;
    for (int i = 0; i < 4; i++) {
        errno = 0;
        if (failpoint_fails(FAILPOINT_UPLOAD_FSYNCED)) {
            if (errno != ENOSPC) {
                return 100;
            }
            failed |= 1 << i;
        }
    }
    return failed;
}

static int write_ten_bytes_twice(void)
{
    int fd = open(file_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    for (int i = 0; i < 2; i++) {
        if (failpoint_writes(FAILPOINT_MODEL_MID, fd, "0123456789", 10) || write(fd, "0123456789", 10) != 10) {
            return 1;
        }
    }
    return 0;
}

/* ---- tests ---- */

static void a_process_dies_as_told_at_the_hit_that_was_named(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        int end;
    } rows[] = {
        {"", 42},
        {"job.step:3:kill", -SIGKILL},
        {"job.step:4:kill", 42},
        {"job.step:1:exit", 1},
        {"job.step:2:abort", -SIGABRT},
        {"job.step:2:segv", -SIGSEGV},
        {"job.picked:1:kill", 42},
        {"job.picked:1:kill,job.step:2:exit", 1},
        {"job.step:1+:sleep:1", 42},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int end = run(rows[i].setting, pass_three_times);
        if (end != rows[i].end) {
            fail_msg("%s: %d, not %d", rows[i].setting, end, rows[i].end);
        }
    }
}

static void what_is_not_understood_is_not_passed_over(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "job.stop:1:kill",     "job.step",          "job.step:1",           "job.step:x:kill",
        "job.step:-1:kill",    "job.step:1:die",    "job.step:1:kill:3",    "job.step:1:sleep",
        "job.step:1:error:EI", "job.step:1+2:kill", "job.step:1:sleep:1ms", "job.step::kill"};
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        int end = run(settings[i], pass_three_times);
        if (end != FAILPOINT_MISUSED) {
            fail_msg("%s: %d", settings[i], end);
        }
    }
}

static void a_place_refuses_an_action_that_it_cannot_take(void **state)
{
    (void)state;
    assert_int_equal(run("job.step:1:error:EIO", pass_three_times), FAILPOINT_MISUSED);
    assert_int_equal(run("upload.fsynced:1:torn:1", fail_four_times), FAILPOINT_MISUSED);
}

static void a_call_fails_once_or_from_then_on(void **state)
{
    (void)state;
    assert_int_equal(run("upload.fsynced:2:error:ENOSPC", fail_four_times), 0x2);
    assert_int_equal(run("upload.fsynced:2+:error:ENOSPC", fail_four_times), 0xE);
    assert_int_equal(run("upload.fsynced:5:error:ENOSPC", fail_four_times), 0);
}

static void a_torn_write_leaves_its_first_bytes(void **state)
{
    (void)state;
    char text[64];
    assert_int_equal(run("model.mid:2:torn:3", write_ten_bytes_twice), -SIGKILL);
    read_back(file_path, text, sizeof(text));
    assert_string_equal(text, "0123456789012");
    assert_int_equal(run("model.mid:1:error:EIO", write_ten_bytes_twice), 1);
}

static void every_hit_is_logged_and_which_one_fired(void **state)
{
    (void)state;
    char text[256];
    assert_int_equal(run("job.step:2:kill", pass_three_times), -SIGKILL);
    assert_int_equal(run("", write_ten_bytes_twice), 0);
    read_back(log_path, text, sizeof(text));
    assert_string_equal(text, "job.step\njob.step fired\nmodel.mid\nmodel.mid\n");
}

#define THREADS 4
#define PASSES  1000

static void *pass_often(void *unused)
{
    for (int i = 0; i < PASSES; i++) {
        failpoint_pass(FAILPOINT_JOB_STEP);
    }
    return unused;
}

/* All hits but the last one pass; the next would not. */
static int pass_in_threads(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, pass_often, NULL) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    return 42;
}

static void hits_of_all_threads_are_counted(void **state)
{
    (void)state;
    assert_int_equal(run("job.step:4001:kill", pass_in_threads), 42);
    assert_int_equal(run("job.step:4000:kill", pass_in_threads), -SIGKILL);
}

static void an_objects_stage_is_named_after_what_the_thread_is_at_work_on(void **state)
{
    (void)state;
    assert_int_equal(failpoint_of(FAILPOINT_MID), FAILPOINT_UPLOAD_MID);
    enum failpoint_object before = failpoint_object(FAILPOINT_CHECKPOINT);
    assert_int_equal(failpoint_of(FAILPOINT_DIR_FSYNCED), FAILPOINT_CHECKPOINT_DIR_FSYNCED);
    (void)failpoint_object(FAILPOINT_MODEL);
    assert_int_equal(failpoint_of(FAILPOINT_CREATED), FAILPOINT_MODEL_CREATED);
    failpoint_object_back(&before);
    assert_int_equal(failpoint_of(FAILPOINT_CREATED), FAILPOINT_UPLOAD_CREATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_process_dies_as_told_at_the_hit_that_was_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_understood_is_not_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_refuses_an_action_that_it_cannot_take, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_fails_once_or_from_then_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_write_leaves_its_first_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_hit_is_logged_and_which_one_fired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hits_of_all_threads_are_counted, set_up, tear_down),
        cmocka_unit_test(an_objects_stage_is_named_after_what_the_thread_is_at_work_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
