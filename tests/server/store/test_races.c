/* Many jobs in one operation: all of them or none. */
#include "server/store/races.h"

#include "api/encode_race.h"
#include "api/json_writer.h"
#include "tests/server/store/stored_job.h"

enum { MANY = 64 };

/* Jobs on their way into the store. */
struct race {
    struct job_view jobs[MANY];
    struct jobs_insert items[MANY], *inserts[MANY];
    struct races_insert insert;
};

static struct races_insert *make_race(struct race *race, size_t count)
{
    static char spec[] = "{}", metadata[] = "{\"race\":\"race_x\"}";
    for (size_t i = 0; i < count; i++) {
        race->jobs[i] = (struct job_view){.progress = no_progress(), .spec = spec, .metadata = metadata, .priority = (int)i};
        race->items[i] = (struct jobs_insert){.job = &race->jobs[i]};
        race->inserts[i] = &race->items[i];
    }
    race->insert = (struct races_insert){.id = "race_x", .inserts = race->inserts, .count = count};
    return &race->insert;
}

static size_t count_jobs(struct store *store)
{
    struct error error;
    uint64_t counts[JOB_STATUS_COUNT];
    assert_ok(jobs_count(store, counts, &error));
    return counts[JOB_QUEUED];
}

static void all_jobs_are_stored_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    static struct race race;
    assert_ok(store_wait(fixture->store, races_insert(make_race(&race, MANY)), &error));
    reopen(fixture);
    assert_int_equal(count_jobs(fixture->store), MANY);
    for (size_t i = 0; i < MANY; i++) {
        struct job_view job;
        get_job(fixture->store, race.jobs[i].id, 0, &job);
        assert_int_equal(job.number, i + 1);
        assert_int_equal(job.priority, i);
        assert_int_equal(job.version, 1);
        assert_int_equal(job.status, JOB_QUEUED);
        job_view_release(&job);
        char *events = all_events(fixture->store, race.jobs[i].id);
        assert_string_equal(events, "state {\"status\":\"queued\"}\n");
        free(events);
    }
}

static void one_that_cannot_be_leaves_none(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    static struct race race;
    struct idempotency_key key = {.token = "", .key = "k"};
    struct idempotency_record record;
    int found;
    make_race(&race, 5)->key = &key;
    snprintf(race.jobs[4].dataset, sizeof(race.jobs[4].dataset), "ds_00000000000000000000");
    assert_status(STATUS_DATASET_NOT_FOUND, store_wait(fixture->store, races_insert(&race.insert), &error));
    assert_int_equal(count_jobs(fixture->store), 0);
    assert_ok(idempotency_find(fixture->store, "", "k", &record, &found, &error));
    assert_false(found);
}

static void jobs_share_a_data_set_that_is_stored_once(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    static struct race race;
    struct dataset_view dataset = describe_dataset("inline", DATASET_READY);
    struct object object;
    struct dataset_list list;
    const struct page_query all = {.limit = 10};
    make_object(fixture->store, &object, 100000, 7);
    struct datasets_insert shared = {.dataset = &dataset, .object = &object};
    make_race(&race, 3);
    for (size_t i = 0; i < 3; i++) {
        race.items[i].dataset = &shared;
    }
    race.items[1].test = &shared;
    assert_ok(store_wait(fixture->store, races_insert(&race.insert), &error));
    assert_ok(datasets_list(fixture->store, &all, &list, &error));
    assert_int_equal(list.count, 1);
    for (size_t i = 0; i < 3; i++) {
        struct job_view job;
        get_job(fixture->store, race.jobs[i].id, 0, &job);
        assert_string_equal(job.dataset, list.items[0].id);
        assert_string_equal(job.test_dataset, i == 1 ? list.items[0].id : "");
        assert_string_equal(job.dataset_sha256, object.sha256);
        job_view_release(&job);
    }
    dataset_list_release(&list);
    object_release(&object);
    dataset_view_release(&dataset);
}

static void a_key_makes_one_race_and_keeps_its_answer(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    static struct race first, second;
    struct idempotency_key key = {.token = "", .key = "k"};
    const struct job_view *jobs[3];
    struct json_writer writer = {.depth = 0};
    struct idempotency_record record;
    int found;
    make_race(&first, 3)->key = &key;
    make_race(&second, 2)->key = &key;
    assert_ok(store_wait(fixture->store, races_insert(&first.insert), &error));
    assert_status(STATUS_IDEMPOTENCY_KEY_REUSED, store_wait(fixture->store, races_insert(&second.insert), &error));
    assert_int_equal(count_jobs(fixture->store), 3);
    assert_ok(idempotency_find(fixture->store, "", "k", &record, &found, &error));
    assert_true(found);
    assert_string_equal(record.job, first.jobs[0].id);
    for (size_t i = 0; i < 3; i++) {
        jobs[i] = &first.jobs[i];
    }
    encode_race("race_x", jobs, 3, &writer);
    assert_string_equal(record.answer, writer.text.data);
    assert_non_null(strstr(record.answer, "\"links\":{\"compare\":\"/v1/compare?jobs=job_"));
    assert_non_null(strstr(record.answer, "\"jobs\":\"/v1/jobs?metadata.race=race_x\"}}"));
    free(record.answer);
    json_writer_release(&writer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(all_jobs_are_stored_in_their_order),
        TEST(one_that_cannot_be_leaves_none),
        TEST(jobs_share_a_data_set_that_is_stored_once),
        TEST(a_key_makes_one_race_and_keeps_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
