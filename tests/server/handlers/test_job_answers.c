#include "server/handlers/job_answers.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/server/store/temporary_store.h"

static struct job_answers *answers;
static char job[ID_TEXT];

static int set_up(void **state)
{
    struct error error;

    open_fixture(state);
    add_job(((struct fixture *)*state)->store, "", "{\"team\":\"blue\"}", 0, job);
    assert_ok(job_answers_new(&answers, ((struct fixture *)*state)->store, &error));
    return 0;
}

static int tear_down(void **state)
{
    job_answers_free(answers);
    return close_fixture(state);
}

static void release(const struct job_answer *answer)
{
    job_answer_release((void *)(uintptr_t)answer);
}

static const struct job_answer *get(const char *id)
{
    const struct job_answer *answer;
    struct error error;

    assert_ok(job_answers_get(answers, id, &answer, &error));
    return answer;
}

/* What is in memory, of which there is nothing more than a look. */
static int is_known(const char *id)
{
    const struct job_answer *answer = job_answers_find(answers, id);

    release(answer);
    return answer != NULL;
}

static void an_answer_is_the_job_as_it_is_sent(void **state)
{
    (void)state;
    const struct job_answer *answer = get(job);
    char begin[80];

    snprintf(begin, sizeof begin, "{\"object\":\"job\",\"id\":\"%s\"", job);
    assert_memory_equal(answer->text, begin, strlen(begin));
    assert_non_null(strstr(answer->text, "\"status\":\"queued\",\"pause_reason\":null,\"version\":1,"));
    assert_non_null(strstr(answer->text, "\"metadata\":{\"team\":\"blue\"}"));
    assert_int_equal(answer->size, strlen(answer->text));
    assert_int_equal(answer->version, 1);
    assert_int_equal(answer->status, JOB_QUEUED);
    release(answer);
}

static void a_job_that_was_asked_for_is_found_in_memory(void **state)
{
    (void)state;
    assert_null(job_answers_find(answers, job));
    const struct job_answer *first = get(job), *second = get(job), *found = job_answers_find(answers, job);

    assert_ptr_equal(second, first);
    assert_ptr_equal(found, first);
    release(first);
    release(second);
    assert_int_equal(found->version, 1);
    release(found);
}

static void after_a_change_the_job_is_read_again(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    const struct job_answer *before = get(job), *after;

    set_status(store, job, JOB_RUNNING);
    assert_false(is_known(job));
    after = get(job);
    assert_int_equal(before->version, 1);
    assert_int_equal(after->version, 2);
    assert_int_equal(after->status, JOB_RUNNING);
    assert_true(is_known(job));
    release(before);
    release(after);
}

static void a_deleted_job_is_known_no_longer(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    const struct job_answer *answer;
    struct error error;

    assert_status(STATUS_NOT_FOUND, job_answers_get(answers, "job_00000000000000000000", &answer, &error));
    assert_null(answer);
    set_status(store, job, JOB_CANCELLED);
    release(get(job));
    struct jobs_delete deletion = {.id = job};
    assert_ok(store_wait(store, jobs_delete(&deletion), &error));
    assert_false(is_known(job));
    assert_status(STATUS_DELETED, job_answers_get(answers, job, &answer, &error));
}

static void answers_about_other_jobs_are_not_confused(void **state)
{
    enum { COUNT = 200 }; /* more than there are places */
    char ids[COUNT][ID_TEXT];

    for (size_t i = 0; i < COUNT; i++) {
        add_job(((struct fixture *)*state)->store, "", "{}", 0, ids[i]);
    }
    for (size_t i = 0; i < 2 * COUNT; i++) {
        const struct job_answer *answer = get(ids[i % COUNT]);

        assert_non_null(strstr(answer->text, ids[i % COUNT]));
        release(answer);
        answer = job_answers_find(answers, ids[i % COUNT]);
        assert_non_null(answer);
        assert_non_null(strstr(answer->text, ids[i % COUNT]));
        release(answer);
    }
}

/* ---- while it changes ---- */

#define CHANGES 300

struct race {
    struct store *store;
    atomic_uint_fast64_t told; /* the version that the writer was last told of */
    atomic_int failures, over;
};

static void *change_often(void *argument)
{
    struct race *race = argument;

    for (int i = 0; i < CHANGES; i++) {
        struct jobs_change change = {.id = job, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP};

        if (store_wait(race->store, jobs_change(&change), NULL) != STATUS_OK) {
            atomic_fetch_add(&race->failures, 1);
        }
        atomic_store(&race->told, change.op.version);
    }
    atomic_store(&race->over, 1);
    return NULL;
}

/* 1: nothing that was known before the answer is missing in it, and it is of one piece. */
static int is_fair(const struct job_answer *answer, uint64_t known)
{
    char version[48];

    snprintf(version, sizeof version, "\"version\":%llu,", (unsigned long long)answer->version);
    return answer->version >= known && strstr(answer->text, version) != NULL;
}

/* What a client knows: what its last change was answered with, and what it has read elsewhere: here from the store. */
static void *ask_often(void *argument)
{
    struct race *race = argument;

    while (!atomic_load(&race->over)) {
        struct job_view view;
        const struct job_answer *got, *found;
        uint64_t told = atomic_load(&race->told);

        if (jobs_get(race->store, job, 0, &view, NULL) != STATUS_OK ||
            job_answers_get(answers, job, &got, &(struct error){0}) != STATUS_OK) {
            atomic_fetch_add(&race->failures, 1);
            return NULL;
        }
        uint64_t known = view.version > told ? view.version : told;
        found = job_answers_find(answers, job);
        if (!is_fair(got, known) || (found != NULL && !is_fair(found, got->version))) {
            atomic_fetch_add(&race->failures, 1);
        }
        job_view_release(&view);
        release(got);
        release(found);
    }
    return NULL;
}

static void nobody_is_told_less_than_was_known_before(void **state)
{
    struct race race = {.store = ((struct fixture *)*state)->store};
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, i == 0 ? change_often : ask_often, &race), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&race.failures), 0);
    const struct job_answer *answer = get(job);
    assert_int_equal(answer->version, 1 + CHANGES);
    release(answer);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_STORE(an_answer_is_the_job_as_it_is_sent),        WITH_STORE(a_job_that_was_asked_for_is_found_in_memory),
        WITH_STORE(after_a_change_the_job_is_read_again),      WITH_STORE(a_deleted_job_is_known_no_longer),
        WITH_STORE(answers_about_other_jobs_are_not_confused), WITH_STORE(nobody_is_told_less_than_was_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
