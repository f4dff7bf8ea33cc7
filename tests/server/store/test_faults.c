/*
 * The Nth call on a file fails, for each N, once or for ever, for want of room or with a broken disk: what was told to be
 * stored is there, what was told to have failed is there whole or not at all, and the next start works.
 */
#include "tests/server/store/fault_shim.h"

/* A data set of 100,000 bytes; its id, or "". */
static enum status upload(struct store *store, unsigned seed, char id[ID_TEXT])
{
    struct object_writer *writer;
    struct object object = {.size = 0};
    struct dataset_view dataset = describe_dataset("faults", DATASET_READY);
    unsigned char *bytes = pattern(100000, seed);
    enum status status = object_writer_new(&writer, store, 0, NULL);
    if (status == STATUS_OK) {
        struct sink sink = object_writer_sink(writer);
        status = sink.write(sink.context, bytes, 100000, NULL);
        enum status finished = object_writer_finish(writer, &object, NULL);
        assert_true(status == STATUS_OK || finished == status); /* a failure is not forgotten */
        status = finished;
        object_writer_free(writer);
    }
    if (status == STATUS_OK) {
        struct datasets_insert insert = {.dataset = &dataset, .object = &object};
        status = store_wait(store, datasets_insert(&insert), NULL);
    }
    memcpy(id, dataset.id, ID_TEXT);
    object_release(&object);
    dataset_view_release(&dataset);
    free(bytes);
    return status;
}

static enum status start_job(struct store *store, const char *id)
{
    const struct metric_row rows[] = {{.point = {.step = 1}}, {.point = {.step = 2}}};
    struct jobs_change change = {.id = id, .from = JOB_SET(JOB_QUEUED), .to = JOB_RUNNING, .rows = rows, .row_count = 2};
    return store_wait(store, jobs_change(&change), NULL);
}

static void check_upload(struct store *store, const char *id, enum status told)
{
    struct error error;
    struct dataset_view dataset;
    enum status status = datasets_get(store, id[0] == '\0' ? "ds_none" : id, &dataset, &error);
    if (told == STATUS_OK || status == STATUS_OK) {
        struct object_map map;
        assert_int_equal(status, STATUS_OK);
        assert_ok(object_map(&map, store, dataset.sha256, &error)); /* a row has its file, whole */
        object_unmap(store, &map);
    } else {
        assert_int_equal(status, STATUS_NOT_FOUND);
    }
    dataset_view_release(&dataset);
}

static void check_job(struct store *store, const char *id, enum status told)
{
    struct error error;
    struct job_view job;
    struct metric_list metrics;
    struct event_list events;
    assert_ok(jobs_get(store, id, 0, &job, &error));
    assert_ok(metrics_list(store, id, -1, &metrics, &error));
    assert_ok(events_list(store, id, 0, 100, 0, &events, &error));
    int changed = job.status == JOB_RUNNING;
    assert_true(changed || (told != STATUS_OK && job.status == JOB_QUEUED));
    assert_int_equal(job.version, changed ? 2 : 1);
    assert_int_equal(metrics.count, changed ? 2 : 0);
    assert_int_equal(events.count, changed ? 4 : 1);
    job_view_release(&job);
    metric_list_release(&metrics);
    event_list_release(&events);
}

/* One round with the fault at call `at`; 0 when there are no so many calls. */
static int try_fault(struct fixture *fixture, int at, int sticky, int system_error)
{
    static unsigned seed = 1;
    char job[ID_TEXT], dataset[ID_TEXT];
    int files = count_files(fixture, "objects");
    add_job(fixture->store, "", "{}", 0, job);
    arm(FAULT_FILE, at, sticky, system_error);
    enum status uploaded = upload(fixture->store, seed++, dataset);
    enum status started = start_job(fixture->store, job);
    disarm();
    int tripped = atomic_load(&fault.tripped);
    if (tripped && sticky) {
        assert_int_not_equal(started, STATUS_OK);
    }
    if (system_error != EIO) {
        assert_false(store_is_read_only(fixture->store));
        assert_true(uploaded == STATUS_OK || uploaded == STATUS_INSUFFICIENT_STORAGE);
        assert_true(started == STATUS_OK || started == STATUS_INSUFFICIENT_STORAGE);
        assert_int_equal(start_job(fixture->store, job), started == STATUS_OK ? STATUS_STATE_CONFLICT : STATUS_OK);
        started = STATUS_OK;
        assert_int_equal(count_files(fixture, "objects"), files + (uploaded == STATUS_OK)); /* room comes back at once */
        assert_int_equal(count_files(fixture, "tmp"), 0);
    }
    reopen(fixture);
    check_upload(fixture->store, dataset, uploaded);
    check_job(fixture->store, job, started);
    char next[ID_TEXT];
    assert_int_equal(upload(fixture->store, seed++, next), STATUS_OK);
    check_upload(fixture->store, next, STATUS_OK);
    return tripped;
}

static void every_failing_call_leaves_a_whole_state(struct fixture *fixture, int sticky, int system_error)
{
    int at = 1;
    while (try_fault(fixture, at, sticky, system_error)) {
        at++;
    }
    assert_in_range(at, 5, 200); /* writes, syncs and renames were met at all */
}

static void a_disk_without_room_for_one_call_is_survived(void **state)
{
    every_failing_call_leaves_a_whole_state(*state, 0, ENOSPC);
}

static void a_disk_that_stays_full_is_survived(void **state)
{
    every_failing_call_leaves_a_whole_state(*state, 1, ENOSPC);
}

static void a_quota_that_is_used_up_is_survived(void **state)
{
    every_failing_call_leaves_a_whole_state(*state, 1, EDQUOT);
}

static void a_disk_that_breaks_for_one_call_is_survived(void **state)
{
    every_failing_call_leaves_a_whole_state(*state, 0, EIO);
}

static void a_disk_that_stays_broken_is_survived(void **state)
{
    every_failing_call_leaves_a_whole_state(*state, 1, EIO);
}

static void after_a_failed_commit_on_a_broken_disk_the_store_is_read_only(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char job[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, job);
    arm(FAULT_FILE, 1, 0, EIO);
    assert_int_equal(start_job(fixture->store, job), STATUS_STORAGE_ERROR);
    disarm();
    assert_true(store_is_read_only(fixture->store));
    assert_int_equal(start_job(fixture->store, job), STATUS_READ_ONLY);
    struct job_view view; /* what is there can be read */
    assert_ok(jobs_get(fixture->store, job, 0, &view, &error));
    job_view_release(&view);
    reopen(fixture);
    assert_false(store_is_read_only(fixture->store));
}

static void a_folder_that_cannot_be_synced_is_a_broken_disk(void **state)
{
    struct fixture *fixture = *state;
    char lost[ID_TEXT], job[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, job);
    atomic_store(&fault.folders, 1);
    arm(FAULT_FILE, 1, 0, EIO);
    assert_int_equal(upload(fixture->store, 777, lost), STATUS_STORAGE_ERROR);
    disarm();
    atomic_store(&fault.folders, 0);
    assert_int_equal(start_job(fixture->store, job), STATUS_READ_ONLY); /* what it says next is worth nothing */
    reopen(fixture);
    check_upload(fixture->store, lost, STATUS_STORAGE_ERROR);
    assert_int_equal(count_files(fixture, "objects"), 0);
}

static int was_synced(const char *path)
{
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    for (int i = 0; i < SYNCED_MAX; i++) {
        if (atomic_load(&fault.synced[i]) == file.st_ino) {
            return 1;
        }
    }
    return 0;
}

static void a_new_folder_is_made_known_to_its_parent(void **state)
{
    const struct fixture *fixture = *state;
    struct error error;
    struct store *store;
    char path[128];
    snprintf(path, sizeof(path), "%s/new", fixture->folder);
    for (int i = 0; i < SYNCED_MAX; i++) {
        atomic_store(&fault.synced[i], 0);
    }
    assert_false(was_synced(fixture->folder));
    assert_ok(store_open(&store, path, &error));
    assert_true(was_synced(path));
    assert_true(was_synced(fixture->folder));
    store_close(store);
}

static void an_object_that_went_to_a_failed_operation_cannot_be_used_again(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct object object;
    struct dataset_view dataset = describe_dataset("again", DATASET_READY);
    make_object(fixture->store, &object, 100000, 4711);
    struct datasets_insert insert = {.dataset = &dataset, .object = &object};
    for (int at = 1; object.temporary[0] != '\0'; at++) { /* until it fails after the file was moved */
        arm(FAULT_FILE, at, 1, ENOSPC);
        assert_status(STATUS_INSUFFICIENT_STORAGE, store_wait(fixture->store, datasets_insert(&insert), &error));
        disarm();
    }
    assert_status(STATUS_INTERNAL, store_wait(fixture->store, datasets_insert(&insert), &error));
    assert_int_equal(count_files(fixture, "objects"), 0);
    object_release(&object);
    dataset_view_release(&dataset);
}

static void interrupted_and_short_writes_lose_nothing(void **state)
{
    struct fixture *fixture = *state;
    char dataset[ID_TEXT], job[ID_TEXT];
    atomic_store(&fault.calls, 0);
    atomic_store(&fault.short_writes, 1);
    assert_int_equal(upload(fixture->store, 12345, dataset), STATUS_OK);
    add_job(fixture->store, dataset, "{}", 0, job);
    assert_int_equal(start_job(fixture->store, job), STATUS_OK);
    disarm();
    assert_true(atomic_load(&fault.calls) > 40);
    reopen(fixture);
    check_upload(fixture->store, dataset, STATUS_OK);
    check_job(fixture->store, job, STATUS_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_disk_without_room_for_one_call_is_survived),
        TEST(a_disk_that_stays_full_is_survived),
        TEST(a_quota_that_is_used_up_is_survived),
        TEST(a_disk_that_breaks_for_one_call_is_survived),
        TEST(a_disk_that_stays_broken_is_survived),
        TEST(after_a_failed_commit_on_a_broken_disk_the_store_is_read_only),
        TEST(a_folder_that_cannot_be_synced_is_a_broken_disk),
        TEST(a_new_folder_is_made_known_to_its_parent),
        TEST(an_object_that_went_to_a_failed_operation_cannot_be_used_again),
        TEST(interrupted_and_short_writes_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
