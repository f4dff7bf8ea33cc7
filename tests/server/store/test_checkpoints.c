/* Checkpoints in the store: which are kept, when their files go. */
#include "tests/server/jobs/full_disk.h"
#include "tests/server/store/stored_job.h"

#define LARGE 100000 /* has a file */

static void start_job(struct store *store, char id[ID_TEXT])
{
    add_job(store, "", "{}", 0, id);
    set_status(store, id, JOB_RUNNING);
}

/* The job has checkpoints of exactly these steps, newest first, each with its object. */
static void check_steps(struct store *store, const char *id, const uint64_t *steps, size_t count)
{
    struct error error;
    struct checkpoint_list list;
    assert_ok(checkpoints_list(store, id, &list, &error));
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++) {
        struct object_map map;
        char data[64];
        assert_int_equal(list.items[i].step, steps[i]);
        snprintf(data, sizeof(data), "{\"step\":%llu}", (unsigned long long)steps[i]);
        assert_string_equal(list.items[i].data, data);
        assert_true(list.items[i].created_at > 1600000000000);
        assert_ok(object_map(&map, store, list.items[i].object, &error));
        assert_int_equal(map.size, list.items[i].bytes);
        object_unmap(store, &map);
    }
    checkpoint_list_release(&list);
}
#define STEPS(...) (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)

static void the_last_ones_are_kept_and_the_files_of_older_ones_go(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], other[ID_TEXT], objects[4][SHA256_TEXT], others[SHA256_TEXT];
    start_job(fixture->store, id);
    start_job(fixture->store, other);
    add_checkpoint(fixture->store, other, 1, 1, LARGE, 1, others); /* the same bytes: shared with the first */
    for (unsigned i = 0; i < 4; i++) {
        add_checkpoint(fixture->store, id, 10 * (i + 1), 2, LARGE, i + 1, objects[i]);
    }
    check_steps(fixture->store, id, STEPS(40, 30));
    check_steps(fixture->store, other, STEPS(1));
    assert_true(file_exists(fixture, "objects", objects[0]));
    assert_false(file_exists(fixture, "objects", objects[1]));
    assert_int_equal(count_files(fixture, "objects"), 3);
    reopen(fixture);
    check_steps(fixture->store, id, STEPS(40, 30));
    add_checkpoint(fixture->store, other, 2, 1, 100, 9, others);
    assert_false(file_exists(fixture, "objects", objects[0]));
    char *events = all_events(fixture->store, id);
    assert_non_null(strstr(events, "checkpoint {\"step\":10}\ncheckpoint {\"step\":20}\n"));
    free(events);
}

static void a_checkpoint_of_the_same_step_takes_the_place_of_the_one_before(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], first[SHA256_TEXT], second[SHA256_TEXT];
    start_job(fixture->store, id);
    add_checkpoint(fixture->store, id, 10, 2, LARGE, 1, first);
    add_checkpoint(fixture->store, id, 10, 2, LARGE, 2, second);
    check_steps(fixture->store, id, STEPS(10));
    assert_false(file_exists(fixture, "objects", first));
    add_checkpoint(fixture->store, id, 10, 2, LARGE, 2, second); /* and its like changes nothing */
    check_steps(fixture->store, id, STEPS(10));
    char *events = all_events(fixture->store, id);
    assert_string_equal(events, "state {\"status\":\"queued\"}\n"
                                "state {\"status\":\"running\"}\n"
                                "checkpoint {\"step\":10}\n"); /* told once */
    free(events);
}

static void training_that_went_back_drops_what_lies_ahead(void **state)
{
    struct fixture *fixture = *state;
    char id[ID_TEXT], object[SHA256_TEXT];
    start_job(fixture->store, id);
    add_checkpoint(fixture->store, id, 10, 2, LARGE, 1, object);
    add_checkpoint(fixture->store, id, 20, 2, LARGE, 2, object);
    add_checkpoint(fixture->store, id, 15, 2, LARGE, 3, object);
    check_steps(fixture->store, id, STEPS(15, 10));
    assert_int_equal(count_files(fixture, "objects"), 2);
}

static void a_checkpoint_clears_the_suspicion_against_its_job(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], object[SHA256_TEXT];
    start_job(fixture->store, id);
    struct jobs_recover recovery = {.oom_kill = 1};
    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));
    struct job_view job;
    get_job(fixture->store, id, 0, &job);
    assert_int_equal(job.suspect, 1);
    assert_int_equal(job.crashes, 1);
    job_view_release(&job);
    set_status(fixture->store, id, JOB_RUNNING);
    append_rows(fixture->store, id, 1, 3, 0.5); /* rows prove nothing */
    get_job(fixture->store, id, 0, &job);
    assert_int_equal(job.crashes, 1);
    job_view_release(&job);
    add_checkpoint(fixture->store, id, 3, 2, 100, 1, object);
    get_job(fixture->store, id, 0, &job);
    assert_int_equal(job.suspect, 0);
    assert_int_equal(job.crashes, 0);
    job_view_release(&job);
}

static void all_checkpoints_of_a_job_can_be_dropped_with_or_before_a_new_one(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], object[SHA256_TEXT];
    start_job(fixture->store, id);
    add_checkpoint(fixture->store, id, 10, 2, LARGE, 1, object);
    add_checkpoint(fixture->store, id, 20, 2, 100, 2, object);
    struct object fresh;
    make_object(fixture->store, &fresh, LARGE, 1); /* the bytes of the first, which goes in the same transaction */
    const struct checkpoint_new checkpoint = {.step = 5, .object = &fresh, .data = "{\"step\":5}", .keep = 2};
    struct jobs_change change = {
        .id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .checkpoint = &checkpoint, .drop_checkpoints = 1};
    assert_ok(store_wait(fixture->store, jobs_change(&change), &error));
    object_release(&fresh);
    check_steps(fixture->store, id, STEPS(5));
    change = (struct jobs_change){.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .drop_checkpoints = 1};
    assert_ok(store_wait(fixture->store, jobs_change(&change), &error));
    check_steps(fixture->store, id, NULL, 0);
    assert_int_equal(count_files(fixture, "objects"), 0);
}

static void a_deleted_job_takes_its_checkpoints_along(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    char id[ID_TEXT], object[SHA256_TEXT];
    start_job(fixture->store, id);
    add_checkpoint(fixture->store, id, 10, 2, LARGE, 1, object);
    add_checkpoint(fixture->store, id, 20, 2, LARGE, 2, object);
    set_status(fixture->store, id, JOB_FAILED);
    check_steps(fixture->store, id, STEPS(20, 10));
    struct jobs_delete deletion = {.id = id};
    assert_ok(store_wait(fixture->store, jobs_delete(&deletion), &error));
    assert_int_equal(count_files(fixture, "objects"), 0);
    struct checkpoint_list list;
    assert_status(STATUS_DELETED, checkpoints_list(fixture->store, id, &list, &error));
    assert_status(STATUS_NOT_FOUND, checkpoints_list(fixture->store, "job_00000000000000000000", &list, &error));
}

static void what_found_no_room_can_be_stored_later_with_the_same_object(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct object object;
    char id[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, id);
    make_object(fixture->store, &object, 100000, 1); /* a file */
    const struct checkpoint_new checkpoint = {.step = 5, .object = &object, .data = "{}", .keep = 3};
    struct jobs_change change = {.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .checkpoint = &checkpoint};
    disk_is_full(4096);
    for (int tries = 0; tries < 3; tries++) {
        assert_status(STATUS_INSUFFICIENT_STORAGE, store_wait(fixture->store, jobs_change(&change), &error));
        assert_false(file_exists(fixture, "objects", object.sha256));
    }
    disk_has_room();
    assert_ok(store_wait(fixture->store, jobs_change(&change), &error));
    assert_true(file_exists(fixture, "objects", object.sha256));
    object_release(&object);
    assert_int_equal(count_files(fixture, "tmp"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(what_found_no_room_can_be_stored_later_with_the_same_object),
        TEST(the_last_ones_are_kept_and_the_files_of_older_ones_go),
        TEST(a_checkpoint_of_the_same_step_takes_the_place_of_the_one_before),
        TEST(training_that_went_back_drops_what_lies_ahead),
        TEST(a_checkpoint_clears_the_suspicion_against_its_job),
        TEST(all_checkpoints_of_a_job_can_be_dropped_with_or_before_a_new_one),
        TEST(a_deleted_job_takes_its_checkpoints_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
