/* What is known of the last process's death: the mark of a fatal signal, and kills for want of memory. */
#include "server/last_death.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/thread_tag.h"
#include "server/fatal_signal.h"
#include "tests/server/store/temporary_store.h"

static struct last_death find(struct fixture *fixture)
{
    struct last_death death;
    struct error error = {.status = STATUS_OK};

    assert_ok(last_death_find(&death, fixture->store, fixture->data, &error));
    assert_true(death.fd >= 0);
    return death;
}

/* The evidence is judged: what it was goes into the store. */
static void count(struct fixture *fixture, const struct last_death *death)
{
    struct jobs_recover recovery = {.facts = death->facts, .fact_count = LAST_DEATH_FACTS};
    struct error error = {.status = STATUS_OK};

    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));
}

static void nobody_is_accused_of_nothing(void **state)
{
    struct last_death death = find(*state);

    assert_string_equal(death.accused, "");
    assert_false(death.oom_kill);
    close(death.fd);
}

/* A child that dies of `number` in a thread of this job, with the mark in place. */
static void die(const struct last_death *death, const char *job, int number)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        close(STDERR_FILENO);
        signal(number, SIG_DFL); /* neither cmocka's handler nor a sanitizer's */
        fatal_signal_log(LOG_FORMAT_TEXT);
        last_death_watch(death);
        thread_tag = job;
        raise(number);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == number);
}

static void a_fatal_signal_accuses_the_job_of_its_thread_once(void **state)
{
    static const char job[] = "job_0123456789abcdefghij";
    struct last_death before = find(*state);

    die(&before, job, SIGABRT);
    close(before.fd);
    struct last_death death = find(*state);
    assert_string_equal(death.accused, job);
    close(death.fd);
    death = find(*state); /* that start was killed before it could judge */
    assert_string_equal(death.accused, job);
    count(*state, &death);
    close(death.fd);
    death = find(*state);
    assert_string_equal(death.accused, "");
    die(&death, job, SIGSEGV);
    close(death.fd);
    death = find(*state); /* the next death counts again */
    assert_string_equal(death.accused, job);
    close(death.fd);
}

static void a_signal_in_a_thread_that_works_for_no_job_accuses_nobody(void **state)
{
    struct last_death before = find(*state);

    die(&before, NULL, SIGBUS);
    close(before.fd);
    struct last_death death = find(*state);
    assert_string_equal(death.accused, "");
    close(death.fd);
}

static void rubbish_in_the_mark_accuses_nobody(void **state)
{
    static const char *const texts[] = {"rubbish", "12", "-", "99999999999999999999999999 ", "\n\n", "5\njob_x"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct last_death death = find(*state);

        assert_int_equal(ftruncate(death.fd, 0), 0);
        assert_int_equal(pwrite(death.fd, texts[i], strlen(texts[i]), 0), strlen(texts[i]));
        close(death.fd);
        death = find(*state);
        assert_string_equal(death.accused, "");
        close(death.fd);
    }
}

static void the_count_of_kills_is_found_in_its_text(void **state)
{
    (void)state;
    assert_int_equal(last_death_oom_kills("low 0\nhigh 0\nmax 12\noom 3\noom_kill 7\noom_group_kill 1\n"), 7);
    assert_int_equal(last_death_oom_kills("oom_kill 0\n"), 0);
    assert_int_equal(last_death_oom_kills("oom 3\n"), -1);
    assert_int_equal(last_death_oom_kills(""), -1);
    assert_int_equal(last_death_oom_kills("oom_kill \n"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_is_accused_of_nothing, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_fatal_signal_accuses_the_job_of_its_thread_once, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_signal_in_a_thread_that_works_for_no_job_accuses_nobody, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(rubbish_in_the_mark_accuses_nobody, open_fixture, close_fixture),
        cmocka_unit_test(the_count_of_kills_is_found_in_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
