/* Jobs made under a key: once, with the first answer kept, for a day. */
#include "tests/server/store/stored_job.h"

#include "api/encode_job.h"
#include "api/json_writer.h"
#include "tests/server/store/run_sql.h"

static enum status submit(struct store *store, const char *token, const char *key, struct job_view *job)
{
    struct idempotency_key used = {.token = token, .key = key};
    snprintf(used.fingerprint, sizeof(used.fingerprint), "%064d", 7);
    static char spec[] = "{}", metadata[] = "{\"a\":\"b\"}";
    *job = (struct job_view){.progress = no_progress(), .spec = spec, .metadata = metadata};
    struct jobs_insert insert = {.job = job, .key = &used};
    return store_wait(store, jobs_insert(&insert), NULL);
}

static size_t count_jobs(struct store *store)
{
    struct error error;
    uint64_t counts[JOB_STATUS_COUNT];
    assert_ok(jobs_count(store, counts, &error));
    return counts[JOB_QUEUED];
}

static void a_key_makes_one_job_and_keeps_its_first_answer(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct job_view first, second, other;
    assert_int_equal(submit(fixture->store, "alice", "k1", &first), STATUS_OK);
    struct json_writer writer = {.depth = 0};
    char *answer;
    size_t size;
    encode_job(&first, &writer);
    assert_ok(json_writer_take(&writer, &answer, &size, &error));
    assert_non_null(strstr(answer, first.id));
    assert_non_null(strstr(answer, "\"version\":1"));
    for (int restarted = 0; restarted < 2; restarted++) {
        struct idempotency_record record;
        int found;
        assert_int_equal(submit(fixture->store, "alice", "k1", &second), STATUS_IDEMPOTENCY_KEY_REUSED);
        assert_int_equal(count_jobs(fixture->store), 1);
        assert_ok(idempotency_find(fixture->store, "alice", "k1", &record, &found, &error));
        assert_true(found);
        assert_string_equal(record.job, first.id);
        assert_string_equal(record.answer, answer);
        assert_int_equal(strspn(record.fingerprint, "0"), 63);
        free(record.answer);
        assert_ok(idempotency_find(fixture->store, "bob", "k1", &record, &found, &error));
        assert_false(found);
        assert_null(record.answer);
        reopen(fixture);
    }
    assert_int_equal(submit(fixture->store, "bob", "k1", &other), STATUS_OK); /* keys belong to their token */
    assert_int_equal(submit(fixture->store, "", "k1", &other), STATUS_OK);
    assert_int_equal(submit(fixture->store, "alice", "k2", &other), STATUS_OK);
    assert_int_equal(count_jobs(fixture->store), 4);
    free(answer);
}

static void a_job_that_was_not_made_leaves_no_key(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct idempotency_key key = {.token = "", .key = "k"};
    struct job_view job = {.progress = no_progress(), .spec = (char[]){"{}"}, .metadata = (char[]){"{}"}};
    snprintf(job.initial_model, sizeof(job.initial_model), "mdl_00000000000000000000");
    struct jobs_insert insert = {.job = &job, .key = &key};
    assert_status(STATUS_MODEL_NOT_FOUND, store_wait(fixture->store, jobs_insert(&insert), &error));
    struct idempotency_record record;
    int found;
    assert_ok(idempotency_find(fixture->store, "", "k", &record, &found, &error));
    assert_false(found);
}

/* Makes every key older by so many hours. */
static void age(struct fixture *fixture, int hours)
{
    struct error error;
    char sql[128];
    store_close(fixture->store);
    snprintf(sql, sizeof(sql), "UPDATE idempotency_keys SET created_at = created_at - %d * 3600000", hours);
    run_sql(fixture, sql);
    assert_ok(store_open(&fixture->store, fixture->data, &error));
}

static int has_key(struct store *store, const char *key)
{
    struct error error;
    struct idempotency_record record;
    int found;
    assert_ok(idempotency_find(store, "", key, &record, &found, &error));
    free(record.answer);
    return found;
}

static int count_keys(const struct fixture *fixture)
{
    char path[160];
    sqlite3 *database;
    sqlite3_stmt *query;
    snprintf(path, sizeof(path), "%s/descentd.db", fixture->data);
    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, "SELECT count(*) FROM idempotency_keys", -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    int count = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(database);
    return count;
}

static void a_key_is_good_for_a_day_and_then_goes(void **state)
{
    struct fixture *fixture = *state;
    struct job_view job;
    char key[16];
    for (int i = 0; i < 150; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(submit(fixture->store, "", key, &job), STATUS_OK);
    }
    age(fixture, IDEMPOTENCY_HOURS - 1);
    assert_true(has_key(fixture->store, "k0"));
    age(fixture, 2);
    assert_false(has_key(fixture->store, "k0"));
    assert_int_equal(count_keys(fixture), 150);
    assert_int_equal(submit(fixture->store, "", "k0", &job), STATUS_OK); /* it can be used again */
    assert_true(has_key(fixture->store, "k0"));
    assert_in_range(count_keys(fixture), 1, 51);
    assert_int_equal(submit(fixture->store, "", "new", &job), STATUS_OK);
    assert_int_equal(count_keys(fixture), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_key_makes_one_job_and_keeps_its_first_answer),
        TEST(a_job_that_was_not_made_leaves_no_key),
        TEST(a_key_is_good_for_a_day_and_then_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
