/* The writer under load: many threads read and write at once, the log is checkpointed, a burst shares its commits. */
#include "tests/server/store/temporary_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define WRITERS 4
#define READERS 4
#define CHANGES 60

struct load {
    struct store *store;
    char jobs[WRITERS][ID_TEXT];
    atomic_int running, failures;
};
struct part {
    struct load *load;
    int number;
    uint64_t reads;
};

static struct metric_row row_of(uint64_t step)
{
    return (struct metric_row){.point = {.step = step, .batch_loss = 1.0 / (double)step}};
}

static void *write_rows(void *context)
{
    struct part *part = context;
    for (uint64_t step = 1; step <= CHANGES; step++) {
        struct metric_row row = row_of(step);
        struct job_progress progress = no_progress();
        progress.step = step;
        struct jobs_change change = {.id = part->load->jobs[part->number],
                                     .from = JOB_SET(JOB_QUEUED),
                                     .to = JOB_STATUS_KEEP,
                                     .rows = &row,
                                     .row_count = 1,
                                     .progress = &progress};
        if (store_wait(part->load->store, jobs_change(&change), NULL) != STATUS_OK) {
            atomic_fetch_add(&part->load->failures, 1);
        }
        struct job_view job; /* what was told is seen by who reads next */
        if (jobs_get(part->load->store, change.id, 0, &job, NULL) != STATUS_OK || job.version != step + 1 ||
            job.progress.step != step) {
            atomic_fetch_add(&part->load->failures, 1);
        }
        job_view_release(&job);
    }
    atomic_fetch_sub(&part->load->running, 1);
    return NULL;
}

/* Curves, events and version that are read in one call belong together. */
static void *read_rows(void *context)
{
    struct part *part = context;
    do {
        const char *id = part->load->jobs[part->reads++ % WRITERS];
        struct metric_list metrics;
        struct event_list events;
        if (metrics_list(part->load->store, id, -1, &metrics, NULL) != STATUS_OK || metrics.version != metrics.count + 1 ||
            metrics.last_step != metrics.count || metrics.total != metrics.count) {
            atomic_fetch_add(&part->load->failures, 1);
        }
        if (events_list(part->load->store, id, 0, 1000, 0, &events, NULL) != STATUS_OK || events.count < metrics.count + 1) {
            atomic_fetch_add(&part->load->failures, 1);
        }
        metric_list_release(&metrics);
        event_list_release(&events);
    } while (atomic_load(&part->load->running) > 0);
    return NULL;
}

static void readers_see_whole_versions_while_others_write(void **state)
{
    struct fixture *fixture = *state;
    struct load load = {.store = fixture->store};
    struct part parts[WRITERS + READERS];
    pthread_t threads[WRITERS + READERS];
    atomic_store(&load.running, WRITERS);
    for (int i = 0; i < WRITERS; i++) {
        add_job(fixture->store, "", "{}", 0, load.jobs[i]);
    }
    for (int i = 0; i < WRITERS + READERS; i++) {
        parts[i] = (struct part){.load = &load, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, i < WRITERS ? write_rows : read_rows, &parts[i]), 0);
    }
    for (int i = 0; i < WRITERS + READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&load.failures), 0);
    for (int i = WRITERS; i < WRITERS + READERS; i++) {
        assert_true(parts[i].reads > 0);
    }
}

static long wal_bytes(const struct fixture *fixture)
{
    char path[160];
    struct stat file;
    snprintf(path, sizeof(path), "%s/descentd.db-wal", fixture->data);
    assert_int_equal(stat(path, &file), 0);
    return (long)file.st_size;
}

static void the_write_ahead_log_stays_small(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    char *data = malloc(30002);
    assert_non_null(data);
    memset(data, 'x', 30000);
    memcpy(data + 29999, "\"", 2);
    data[0] = '"';
    const struct event_new event = {EVENT_LOG, data};
    for (int i = 0; i < 400; i++) { /* 12 MB of events */
        struct jobs_change change = {
            .id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .events = &event, .event_count = 1};
        assert_ok(store_wait(fixture->store, jobs_change(&change), &error));
    }
    assert_in_range(wal_bytes(fixture), 1 << 20, 6 << 20);
    free(data);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#define BURST 2000

static void a_burst_of_operations_shares_its_commits(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct jobs_change *changes = calloc(BURST, sizeof(*changes));
    assert_non_null(changes);
    double alone = seconds_now();
    for (int i = 0; i < 20; i++) {
        changes[i] = (struct jobs_change){.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP};
        assert_ok(store_wait(fixture->store, jobs_change(&changes[i]), &error));
    }
    alone = (seconds_now() - alone) / 20;
    double together = seconds_now();
    for (int i = 0; i < BURST; i++) {
        changes[i] = (struct jobs_change){.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP};
        if (i + 1 < BURST) {
            store_submit(fixture->store, jobs_change(&changes[i]), NULL, NULL);
        }
    }
    assert_ok(store_wait(fixture->store, jobs_change(&changes[BURST - 1]), &error));
    together = (seconds_now() - together) / BURST;
    print_message("    %.0f us a commit, %.1f us an operation in a burst\n", alone * 1e6, together * 1e6);
    struct job_view job;
    assert_ok(jobs_get(fixture->store, id, 0, &job, &error));
    assert_int_equal(job.version, 1 + 20 + BURST);
    job_view_release(&job);
    free(changes);
}

static void the_generation_is_even_and_new_after_each_commit(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    uint64_t before = store_generation(fixture->store);
    assert_int_equal(before % 2, 0);
    for (int i = 0; i < 3; i++) {
        add_job(fixture->store, "", "{}", 0, id);
        uint64_t after = store_generation(fixture->store);
        assert_int_equal(after, before + 2);
        before = after;
    }
    struct job_view job;
    struct error error;
    assert_ok(jobs_get(fixture->store, id, 0, &job, &error));
    job_view_release(&job);
    assert_int_equal(store_generation(fixture->store), before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(readers_see_whole_versions_while_others_write),
        TEST(the_write_ahead_log_stays_small),
        TEST(a_burst_of_operations_shares_its_commits),
        TEST(the_generation_is_even_and_new_after_each_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
