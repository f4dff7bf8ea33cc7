/* Jobs that were paused for want of room go on by themselves, others do not; old ones go. The scheduler is a stand-in. */
#include "server/housekeeping.h"

#include <pthread.h>
#include <time.h>

#include "server/jobs/scheduler.h"
#include "tests/server/store/temporary_store.h"

#define PATIENCE_MS 60000

static struct {
    pthread_mutex_t lock; /* guards told */
    char told[8][ID_TEXT];
    unsigned count;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

void scheduler_tell(struct scheduler *scheduler, const struct job_view *job)
{
    (void)scheduler;
    pthread_mutex_lock(&world.lock);
    if (world.count < 8 && job->status == JOB_QUEUED) {
        memcpy(world.told[world.count++], job->id, ID_TEXT);
    }
    pthread_mutex_unlock(&world.lock);
}

static int set_up(void **state)
{
    world.count = 0;
    return open_fixture(state);
}

/* A job that is paused for this reason. */
static void add_paused(struct store *store, const char *reason, char id[ID_TEXT])
{
    struct error error = {.status = STATUS_OK};
    struct jobs_change run = {.id = id, .from = JOB_SET(JOB_QUEUED), .to = JOB_RUNNING};
    struct jobs_change pause = {.id = id, .from = JOB_SET(JOB_RUNNING), .to = JOB_PAUSED, .pause_reason = reason};

    add_job(store, "", "{}", 0, id);
    assert_ok(store_wait(store, jobs_change(&run), &error));
    assert_ok(store_wait(store, jobs_change(&pause), &error));
}

static struct job_view read_job(struct store *store, const char *id)
{
    struct error error = {.status = STATUS_OK};
    struct job_view job;

    assert_ok(jobs_get(store, id, 0, &job, &error));
    job_view_release(&(struct job_view){.metadata = job.metadata, .error = job.error});
    return job; /* its plain members */
}

static void wait_for_status(struct store *store, const char *id, enum job_status wanted)
{
    for (int ms = 0; read_job(store, id).status != wanted; ms += 20) {
        struct timespec pause = {.tv_nsec = 20000000};

        assert_true(ms < PATIENCE_MS);
        nanosleep(&pause, NULL);
    }
}

static struct housekeeping *start(struct fixture *fixture, uint64_t keep_days)
{
    struct retention limits = {.keep_days = keep_days};
    struct housekeeping *housekeeping;
    struct error error = {.status = STATUS_OK};

    assert_ok(housekeeping_new(&housekeeping, fixture->store, NULL, &limits, &error));
    return housekeeping;
}

static void what_waits_for_room_goes_on_when_there_is_some(void **state)
{
    struct fixture *fixture = *state;
    char first[ID_TEXT], second[ID_TEXT], users[ID_TEXT];

    add_paused(fixture->store, "storage_full", first);
    add_paused(fixture->store, "user", users);
    add_paused(fixture->store, "storage_full", second);
    struct housekeeping *housekeeping = start(fixture, 0);
    wait_for_status(fixture->store, first, JOB_QUEUED);
    wait_for_status(fixture->store, second, JOB_QUEUED);
    housekeeping_free(housekeeping);
    assert_int_equal(read_job(fixture->store, users).status, JOB_PAUSED);
    assert_int_equal(world.count, 2); /* the scheduler knows of both */
}

static void one_that_pauses_again_is_tried_again_later(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    struct error error = {.status = STATUS_OK};

    add_paused(fixture->store, "storage_full", id);
    struct housekeeping *housekeeping = start(fixture, 0);
    for (int i = 0; i < 2; i++) {
        struct jobs_change run = {.id = id, .from = JOB_SET(JOB_QUEUED), .to = JOB_RUNNING};
        struct jobs_change pause = {
            .id = id, .from = JOB_SET(JOB_RUNNING), .to = JOB_PAUSED, .pause_reason = "storage_full"};

        wait_for_status(fixture->store, id, JOB_QUEUED);
        assert_ok(store_wait(fixture->store, jobs_change(&run), &error));
        assert_ok(store_wait(fixture->store, jobs_change(&pause), &error));
    }
    wait_for_status(fixture->store, id, JOB_QUEUED);
    housekeeping_free(housekeeping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_waits_for_room_goes_on_when_there_is_some, set_up, close_fixture),
        cmocka_unit_test_setup_teardown(one_that_pauses_again_is_tried_again_later, set_up, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
