/* Opening, closing and the writer's promises: what is told is durable, in order, and nobody spoils another's operation. */
#include "tests/server/store/temporary_store.h"

#include "server/store/schema.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

#include "tests/assert_close.h"
#include "tests/server/monitored.h"
#include "tests/server/store/run_sql.h"

static void a_store_makes_its_folder_private(void **state)
{
    struct fixture *fixture = *state;
    const char *const names[] = {"", "objects", "tmp", "lock", "descentd.db"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[160];
        struct stat file;
        snprintf(path, sizeof(path), "%s/%s", fixture->data, names[i]);
        assert_int_equal(stat(path, &file), 0);
        assert_int_equal(file.st_mode & 077, 0);
    }
}

static void a_second_store_on_the_same_folder_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct store *second = NULL;
    assert_status(STATUS_DATA_DIR_LOCKED, store_open(&second, fixture->data, &error));
    assert_null(second);
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id); /* the first one is unaffected */
}

static void a_folder_that_cannot_be_used_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct store *other = NULL;
    char path[160], link_path[160];
    snprintf(path, sizeof(path), "%s/no/such/parent", fixture->folder);
    assert_status(STATUS_DATA_DIR_INVALID, store_open(&other, path, &error));
    assert_non_null(strstr(error.message, "no/such/parent"));
    snprintf(path, sizeof(path), "%s/file", fixture->folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_status(STATUS_DATA_DIR_INVALID, store_open(&other, path, &error));
    snprintf(link_path, sizeof(link_path), "%s/link", fixture->folder);
    assert_int_equal(symlink(fixture->folder, link_path), 0);
    assert_status(STATUS_DATA_DIR_INVALID, store_open(&other, link_path, &error));
}

static void a_folder_of_a_newer_program_is_refused_and_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    store_close(fixture->store);
    fixture->store = NULL;
    run_sql(fixture, "PRAGMA user_version = 99");
    assert_status(STATUS_SCHEMA_TOO_NEW, store_open(&fixture->store, fixture->data, &error));
    assert_non_null(strstr(error.message, "99"));
    char as_before[48];
    snprintf(as_before, sizeof(as_before), "PRAGMA user_version = %lld", (long long)schema_newest());
    run_sql(fixture, as_before);
    assert_ok(store_open(&fixture->store, fixture->data, &error));
}

static void a_damaged_database_is_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], path[160];
    for (int i = 0; i < 50; i++) {
        add_job(fixture->store, "", "{}", 0, id);
    }
    store_close(fixture->store);
    fixture->store = NULL;
    snprintf(path, sizeof(path), "%s/descentd.db", fixture->data);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (long page = 1; page < 12; page++) {
        assert_int_equal(fseek(file, page * 4096 + 3, SEEK_SET), 0);
        assert_int_equal(fputs("\xff\xff\xff\xff\xff\xff", file) < 0, 0);
    }
    assert_int_equal(fclose(file), 0);
    assert_status(STATUS_STORAGE_ERROR, store_open(&fixture->store, fixture->data, &error));
    assert_non_null(strstr(error.message, "descentd.db"));
}

static void a_closed_store_leaves_no_write_ahead_log(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    struct error error;
    struct job_view job;
    assert_ok(jobs_get(fixture->store, id, 0, &job, &error)); /* a reader was open, too */
    job_view_release(&job);
    assert_true(file_exists(fixture, ".", "descentd.db-wal"));
    store_close(fixture->store);
    fixture->store = NULL;
    assert_false(file_exists(fixture, ".", "descentd.db-wal"));
    assert_ok(store_open(&fixture->store, fixture->data, &error));
}

static void temporary_files_of_an_earlier_process_are_purged(void **state)
{
    struct fixture *fixture = *state;
    char path[160];
    snprintf(path, sizeof(path), "%s/tmp/old-1.part", fixture->data);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    reopen(fixture);
    assert_false(file_exists(fixture, "tmp", "old-1.part"));
}

/* ---- the writer ---- */

#define MANY 500

struct counted {
    struct jobs_change change;
    int number;
    struct told *told;
};
struct told {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int count, in_order, failed;
    uint64_t changed_calls, last_version;
    int entered[JOB_STATUS_COUNT + 1]; /* the last: changes that entered none */
    int versions_grow;
};

static void count_done(void *context, enum status status, const struct error *error)
{
    (void)error;
    struct counted *counted = context;
    struct told *told = counted->told;
    pthread_mutex_lock(&told->lock);
    told->in_order &= counted->number == told->count;
    told->count++;
    told->failed += status != STATUS_OK;
    pthread_cond_signal(&told->wake);
    pthread_mutex_unlock(&told->lock);
}

static void count_change(void *context, const char *job, uint64_t version, enum job_status entered)
{
    (void)job;
    struct told *told = context;
    pthread_mutex_lock(&told->lock);
    told->changed_calls++;
    told->entered[entered]++;
    told->versions_grow &= version == told->last_version + 1;
    told->last_version = version;
    pthread_mutex_unlock(&told->lock);
}

static void wait_for(struct told *told, int count)
{
    pthread_mutex_lock(&told->lock);
    while (told->count < count) {
        pthread_cond_wait(&told->wake, &told->lock);
    }
    pthread_mutex_unlock(&told->lock);
}

static void operations_are_told_in_order_and_one_that_fails_spoils_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct told told = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .in_order = 1, .versions_grow = 1};
    store_on_commit(fixture->store, count_change, &told);
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    static struct counted counted[MANY];
    memset(counted, 0, sizeof(counted));
    static const struct event_new event = {EVENT_LOG, "{\"message\":\"hello\"}"};
    for (int i = 0; i < MANY; i++) {
        /* every fifth asks for a status that the job is not in, every seventh for a job that is not there */
        counted[i].change = (struct jobs_change){.id = i % 7 == 3 ? "job_00000000000000000000" : id,
                                                 .from = i % 5 == 2 ? JOB_SET(JOB_PAUSED) : JOB_SET(JOB_QUEUED),
                                                 .to = JOB_STATUS_KEEP,
                                                 .events = &event,
                                                 .event_count = 1};
        counted[i].number = i;
        counted[i].told = &told;
        store_submit(fixture->store, jobs_change(&counted[i].change), count_done, &counted[i]);
    }
    wait_for(&told, MANY);
    int good = 0;
    for (int i = 0; i < MANY; i++) {
        enum status wanted = i % 7 == 3 ? STATUS_NOT_FOUND : i % 5 == 2 ? STATUS_STATE_CONFLICT : STATUS_OK;
        assert_string_equal(status_code(counted[i].change.op.status), status_code(wanted));
        good += wanted == STATUS_OK;
    }
    assert_true(told.in_order);
    assert_int_equal(told.failed, MANY - good);
    assert_int_equal(told.changed_calls, good + 1);
    assert_int_equal(told.entered[JOB_QUEUED], 1);
    assert_int_equal(told.entered[JOB_STATUS_KEEP], good);
    assert_true(told.versions_grow);
    struct job_view job;
    struct error error;
    assert_ok(jobs_get(fixture->store, id, 0, &job, &error));
    assert_int_equal(job.version, good + 1);
    job_view_release(&job);
    struct event_list events;
    assert_ok(events_list(fixture->store, id, 0, 1000, 0, &events, &error));
    assert_int_equal(events.count, good + 1);
    for (size_t i = 0; i < events.count; i++) {
        assert_int_equal(events.items[i].id, i + 1);
    }
    event_list_release(&events);
}

static void a_failed_operation_leaves_nothing_of_itself(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    set_status(fixture->store, id, JOB_RUNNING);
    /* The second event breaks a rule of the table, after rows and the first event were written. */
    const struct metric_row row = {.point = {.step = 1}};
    const struct event_new events[] = {{EVENT_LOG, "{}"}, {EVENT_LOG, NULL}};
    struct jobs_change change = {.id = id,
                                 .from = JOB_SET_ACTIVE,
                                 .to = JOB_FAILED,
                                 .rows = &row,
                                 .row_count = 1,
                                 .events = events,
                                 .event_count = 2};
    assert_status(STATUS_INTERNAL, store_wait(fixture->store, jobs_change(&change), &error));
    struct job_view job;
    assert_ok(jobs_get(fixture->store, id, 0, &job, &error));
    assert_int_equal(job.status, JOB_RUNNING);
    assert_int_equal(job.version, 2);
    job_view_release(&job);
    struct metric_list metrics;
    assert_ok(metrics_list(fixture->store, id, -1, &metrics, &error));
    assert_int_equal(metrics.count, 0);
    metric_list_release(&metrics);
    struct event_list list;
    assert_ok(events_list(fixture->store, id, 0, 100, 0, &list, &error));
    assert_int_equal(list.count, 2);
    event_list_release(&list);
}

static void everything_submitted_is_done_before_close_returns(void **state)
{
    struct fixture *fixture = *state;
    struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .in_order = 1};
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    static struct counted counted[MANY];
    memset(counted, 0, sizeof(counted));
    for (int i = 0; i < MANY; i++) {
        counted[i] = (struct counted){.number = i, .told = &told};
        counted[i].change = (struct jobs_change){.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP};
        store_submit(fixture->store, jobs_change(&counted[i].change), count_done, &counted[i]);
    }
    reopen(fixture);
    assert_int_equal(told.count, MANY);
    assert_int_equal(told.failed, 0);
    struct job_view job;
    struct error error;
    assert_ok(jobs_get(fixture->store, id, 0, &job, &error));
    assert_int_equal(job.version, MANY + 1);
    job_view_release(&job);
}

static void what_was_told_survives_a_killed_process(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    store_close(fixture->store);
    fixture->store = NULL;
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* no asserts here: this process only writes and dies */
        struct store *store;
        if (store_open(&store, fixture->data, NULL) != STATUS_OK) {
            _exit(1);
        }
        for (;;) {
            struct job_view job = {.progress = no_progress(), .spec = (char[]){"{}"}, .metadata = (char[]){"{}"}};
            struct jobs_insert insert = {.job = &job};
            if (store_wait(store, jobs_insert(&insert), NULL) != STATUS_OK || write(told[1], job.id, ID_TEXT) != ID_TEXT) {
                _exit(1);
            }
        }
    }
    close(told[1]);
    char ids[40][ID_TEXT];
    for (int i = 0; i < 40; i++) {
        assert_int_equal(read(told[0], ids[i], ID_TEXT), ID_TEXT);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(told[0]);
    assert_ok(store_open(&fixture->store, fixture->data, &error));
    for (int i = 0; i < 40; i++) {
        struct job_view job;
        assert_ok(jobs_get(fixture->store, ids[i], 0, &job, &error));
        assert_int_equal(job.version, 1);
        job_view_release(&job);
    }
}

static void a_store_whose_database_is_removed_takes_no_more(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char path[160], id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    assert_false(store_is_read_only(fixture->store));
    snprintf(path, sizeof(path), "%s/descentd.db", fixture->data);
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < 300 && !store_is_read_only(fixture->store); i++) {
        usleep(100000); /* an idle writer looks every few seconds */
    }
    assert_true(store_is_read_only(fixture->store));
    struct jobs_delete deletion = {.id = id};
    assert_status(STATUS_READ_ONLY, store_wait(fixture->store, jobs_delete(&deletion), &error));
}

static void the_reserve_of_the_disk_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    assert_ok(store_check_room(fixture->store, 1, &error));
    assert_status(STATUS_INSUFFICIENT_STORAGE, store_check_room(fixture->store, UINT64_MAX / 2, &error));
}

static void the_store_tells_its_sizes(void **state)
{
    struct fixture *fixture = *state;
    char dataset[ID_TEXT];
    struct store_sizes before = store_sizes(fixture->store), after;
    add_dataset(fixture->store, 50000, 1, dataset); /* small enough for the database */
    after = store_sizes(fixture->store);
    assert_true(after.database > 0 && after.database + after.wal >= before.database + before.wal + 50000);
    assert_true(after.disk_free > 0 && after.disk_free <= after.disk && after.disk != UINT64_MAX);
    reopen(fixture);
    assert_true(store_sizes(fixture->store).database > 50000); /* the log has gone into it */
}

static void commits_are_counted_with_their_operations(void **state)
{
    static const char *const commits = "descentd_store_commit_duration_seconds_count", *const operations =
                                                                                           "descentd_store_operations_total";
    struct fixture *fixture = *state;
    struct error error;
    struct jobs_delete deletion = {.id = "job_00000000000000000000"};
    double before[2] = {monitored(commits), monitored(operations)};
    assert_status(STATUS_NOT_FOUND, store_wait(fixture->store, jobs_delete(&deletion), &error));
    assert_close(monitored(commits), before[0] + 1, 0, 0);
    assert_close(monitored(operations), before[1] + 1, 0, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_store_makes_its_folder_private),
        TEST(a_second_store_on_the_same_folder_is_refused),
        TEST(a_folder_that_cannot_be_used_is_named),
        TEST(a_folder_of_a_newer_program_is_refused_and_left_alone),
        TEST(a_damaged_database_is_refused_by_name),
        TEST(a_closed_store_leaves_no_write_ahead_log),
        TEST(temporary_files_of_an_earlier_process_are_purged),
        TEST(operations_are_told_in_order_and_one_that_fails_spoils_no_other),
        TEST(a_failed_operation_leaves_nothing_of_itself),
        TEST(everything_submitted_is_done_before_close_returns),
        TEST(what_was_told_survives_a_killed_process),
        TEST(a_store_whose_database_is_removed_takes_no_more),
        TEST(the_reserve_of_the_disk_is_kept),
        TEST(the_store_tells_its_sizes),
        TEST(commits_are_counted_with_their_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
