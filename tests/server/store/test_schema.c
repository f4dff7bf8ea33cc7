/* Databases of older programs: brought up to date with everything in them, once, whatever comes between. */
#include "tests/server/store/stored_job.h"

#include "server/store/check.h"
#include "tests/server/store/run_sql.h"

/* The tables as descentd 0.1 made them. */
static const char *const version_1 =
    "CREATE TABLE objects("
    "  sha256 TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL,"
    "  bytes BLOB" /* NULL: in a file */
    ") STRICT;"

    "CREATE TABLE datasets("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, status TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL, rows INTEGER NOT NULL, features INTEGER NOT NULL, channels INTEGER NOT NULL,"
    "  height INTEGER NOT NULL, width INTEGER NOT NULL, is_image INTEGER NOT NULL, is_soft INTEGER NOT NULL,"
    "  format TEXT NOT NULL, feature_type TEXT NOT NULL, bytes INTEGER NOT NULL,"
    "  sha256 TEXT NOT NULL REFERENCES objects(sha256), minimum REAL, maximum REAL, mean REAL, deviation REAL"
    ") STRICT;"
    "CREATE INDEX datasets_by_content ON datasets(sha256);"
    "CREATE TABLE dataset_classes("
    "  dataset INTEGER NOT NULL REFERENCES datasets(number) ON DELETE CASCADE, position INTEGER NOT NULL,"
    "  name TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY(dataset, position)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE dataset_features("
    "  dataset INTEGER NOT NULL REFERENCES datasets(number) ON DELETE CASCADE, position INTEGER NOT NULL,"
    "  name TEXT, minimum REAL, maximum REAL, mean REAL, deviation REAL, PRIMARY KEY(dataset, position)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE jobs("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
    "  status TEXT NOT NULL CHECK(status IN ('queued', 'running', 'pausing', 'paused', 'stopping', 'cancelling',"
    "    'succeeded', 'failed', 'cancelled')),"
    "  pause_reason TEXT NOT NULL, version INTEGER NOT NULL, last_event INTEGER NOT NULL,"
    "  created_at INTEGER NOT NULL, touched_at INTEGER NOT NULL, started_at INTEGER NOT NULL,"
    "  finished_at INTEGER NOT NULL, seed INTEGER NOT NULL, threads INTEGER NOT NULL, priority INTEGER NOT NULL,"
    "  restarts INTEGER NOT NULL, stop_reason TEXT NOT NULL, model TEXT NOT NULL, digest TEXT NOT NULL,"
    "  digest_step INTEGER NOT NULL, error TEXT, dataset TEXT NOT NULL, test_dataset TEXT NOT NULL,"
    "  dataset_sha256 TEXT NOT NULL,"
    "  fraction REAL, epoch REAL, step INTEGER NOT NULL, total_steps INTEGER NOT NULL, samples_seen INTEGER NOT NULL,"
    "  samples_per_second REAL, eta_seconds REAL, train_loss REAL, train_accuracy REAL, validation_loss REAL,"
    "  validation_accuracy REAL, learning_rate REAL, gradient_norm REAL, best_value REAL, best_step INTEGER NOT NULL,"
    "  best_metric TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX jobs_by_status ON jobs(status, number);"
    "CREATE TABLE job_documents("
    "  job INTEGER PRIMARY KEY REFERENCES jobs(number) ON DELETE CASCADE, spec TEXT NOT NULL, metadata TEXT NOT NULL,"
    "  results TEXT"
    ") STRICT;"
    "CREATE TABLE metrics("
    "  job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, step INTEGER NOT NULL, epoch REAL, seconds REAL,"
    "  batch_loss REAL, train_loss REAL, train_accuracy REAL, validation_loss REAL, validation_accuracy REAL,"
    "  learning_rate REAL, gradient_norm REAL, step_size REAL, PRIMARY KEY(job, step)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE events("
    "  job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, id INTEGER NOT NULL, type TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL, data TEXT,"
    "  step INTEGER," /* a metric event: its row of metrics */
    "  PRIMARY KEY(job, id), CHECK((data IS NULL) <> (step IS NULL))"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE models("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, job TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL, bytes INTEGER NOT NULL, parameters INTEGER NOT NULL, step INTEGER NOT NULL,"
    "  digest TEXT NOT NULL, object TEXT NOT NULL REFERENCES objects(sha256), kernel_tier TEXT NOT NULL,"
    "  spec TEXT NOT NULL, classes TEXT NOT NULL, scores TEXT"
    ") STRICT;"
    "CREATE INDEX models_by_object ON models(object);"

    /* what was deleted: later reads are told so, and list cursors stay good */
    "CREATE TABLE tombstones("
    "  id TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL, deleted_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;";

/* What version 2 of the schema added. */
static const char *const version_2 =
    "ALTER TABLE jobs ADD COLUMN extended_from TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE jobs ADD COLUMN initial_model TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE jobs ADD COLUMN kernel_tier TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE jobs ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN suspect INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job_documents ADD COLUMN request TEXT;"
    "CREATE TABLE checkpoints("
    "  job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, step INTEGER NOT NULL,"
    "  created_at INTEGER NOT NULL, bytes INTEGER NOT NULL, object TEXT NOT NULL REFERENCES objects(sha256),"
    "  data TEXT NOT NULL,"
    "  PRIMARY KEY(job, step)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX checkpoints_by_object ON checkpoints(object);"
    "CREATE TABLE idempotency_keys("
    "  token TEXT NOT NULL, key TEXT NOT NULL, created_at INTEGER NOT NULL, fingerprint TEXT NOT NULL,"
    "  job TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY(token, key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX idempotency_keys_by_age ON idempotency_keys(created_at);"
    "CREATE TABLE facts(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

#define OBJECT "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" /* SHA-256 of "test" */

/* A finished job with its model and curve, one that ran, one that waits, one that was deleted; on one data set. */
static const char *const content =
    "INSERT INTO objects VALUES('" OBJECT "', 4, x'74657374');"
    "INSERT INTO datasets VALUES(1, 'ds_00000000000000000001', 'trees', 'ready', 1000, 4, 1, 1, 1, 1, 0, 0, 'csv', 'f32', 4,"
    "  '" OBJECT "', 0, 1, 0.5, 0.25);"
    "INSERT INTO dataset_classes VALUES(1, 0, 'oak', 4);"
    "INSERT INTO dataset_features VALUES(1, 0, 'width', 0, 1, 0.5, 0.25);"
    "INSERT INTO jobs(number, id, name, status, pause_reason, version, last_event, created_at, touched_at, started_at,"
    "  finished_at, seed, threads, priority, restarts, stop_reason, model, digest, digest_step, error, dataset, "
    "test_dataset,"
    "  dataset_sha256, step, total_steps, samples_seen, best_step, best_metric) VALUES"
    "  (1, 'job_00000000000000000001', 'done', 'succeeded', '', 5, 4, 1000, 2000, 1500, 2000, 7, 2, 0, 1, 'early',"
    "   'mdl_00000000000000000001', 'd', 3, NULL, 'ds_00000000000000000001', '', '" OBJECT "', 3, 3, 12, 3, 'train_loss'),"
    "  (2, 'job_00000000000000000002', 'ran', 'running', '', 2, 2, 1001, 1002, 1002, 0, 8, 1, 5, 0, '', '', '', 0, NULL,"
    "   'ds_00000000000000000001', '', '" OBJECT "', 0, 3, 0, 0, 'train_loss'),"
    "  (4, 'job_00000000000000000004', 'waits', 'queued', '', 1, 1, 1002, 1002, 0, 0, 9, 0, 0, 0, '', '', '', 0, NULL,"
    "   '', '', '', 0, 3, 0, 0, 'train_loss');"
    "INSERT INTO job_documents VALUES(1, '{\"seed\":7}', '{\"a\":\"b\"}', '{\"r\":1}'), (2, '{}', '{}', NULL),"
    "  (4, '{}', '{}', NULL);"
    "INSERT INTO metrics(job, step, epoch, seconds, batch_loss) VALUES(1, 1, 0.5, 0.1, 2.5), (1, 3, 1, 0.2, 1.5);"
    "INSERT INTO events VALUES(1, 1, 'state', 1000, '{\"status\":\"queued\"}', NULL), (1, 2, 'metric', 1500, NULL, 1),"
    "  (1, 3, 'metric', 1501, NULL, 3), (1, 4, 'done', 2000, '{\"status\":\"succeeded\"}', NULL),"
    "  (2, 1, 'state', 1001, '{\"status\":\"queued\"}', NULL), (2, 2, 'state', 1002, '{\"status\":\"running\"}', NULL),"
    "  (4, 1, 'state', 1002, '{\"status\":\"queued\"}', NULL);"
    "INSERT INTO models VALUES(1, 'mdl_00000000000000000001', 'its name', 'job_00000000000000000001', 2000, 4, 42, 3, 'd',"
    "  '" OBJECT "', 'avx2/n1', '{}', '[\"oak\"]', NULL);"
    "INSERT INTO tombstones VALUES('job_00000000000000000003', 3, 1500);"
    "PRAGMA user_version = 1;";

/* The folder of the fixture becomes one of version 1 or 2. */
static void make_version(struct fixture *fixture, int version)
{
    char path[160];
    store_close(fixture->store);
    fixture->store = NULL;
    snprintf(path, sizeof(path), "%s/descentd.db", fixture->data);
    assert_int_equal(remove(path), 0);
    run_sql(fixture, "PRAGMA journal_mode=WAL");
    run_sql(fixture, version_1);
    run_sql(fixture, content);
    if (version == 2) {
        run_sql(fixture, version_2);
        run_sql(fixture, "PRAGMA user_version = 2");
    }
}

/* The number that a query finds. The fixture's store is closed. */
static int ask(const struct fixture *fixture, const char *query)
{
    char path[160];
    sqlite3 *database;
    sqlite3_stmt *statement;
    snprintf(path, sizeof(path), "%s/descentd.db", fixture->data);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    return number;
}

static void check_jobs(struct store *store)
{
    struct error error;
    struct job_view job;
    struct metric_list metrics;
    get_job(store, "job_00000000000000000001", JOB_SPEC | JOB_RESULTS | JOB_REQUEST, &job);
    assert_int_equal(job.status, JOB_SUCCEEDED);
    assert_int_equal(job.version, 5);
    assert_int_equal(job.stop_reason, STOP_EARLY);
    assert_string_equal(job.spec, "{\"seed\":7}");
    assert_string_equal(job.results, "{\"r\":1}");
    assert_null(job.request);
    assert_string_equal(job.extended_from, "");
    assert_int_equal(job.crashes + job.memory_bytes, 0);
    job_view_release(&job);
    assert_ok(metrics_list(store, "job_00000000000000000001", -1, &metrics, &error));
    assert_int_equal(metrics.count, 2);
    assert_true(metrics.rows[1].point.batch_loss == 1.5);
    struct train_point point = metrics.rows[1].point;
    point.batch_loss = (double)NAN; /* no other value was measured, those least that the version did not know */
#define UNKNOWN(NAME, name, place) assert_true(isnan(point.place));
    TRAIN_POINT_VALUES(UNKNOWN)
#undef UNKNOWN
    metric_list_release(&metrics);
    char *events = all_events(store, "job_00000000000000000001");
    assert_non_null(strstr(events, "metric {\"step\":3,"));
    free(events);
    assert_status(STATUS_DELETED, jobs_get(store, "job_00000000000000000003", 0, &job, &error));
}

static void check_the_rest(struct store *store)
{
    struct error error;
    struct model_view model;
    struct dataset_view dataset;
    struct object_map map;
    struct checkpoint_list checkpoints;
    assert_ok(models_get(store, "mdl_00000000000000000001", &model, &error));
    assert_string_equal(model.classes, "[\"oak\"]");
    assert_null(model.calibration);
    model_view_release(&model);
    assert_ok(datasets_get(store, "ds_00000000000000000001", &dataset, &error));
    assert_string_equal(dataset.class_list[0].name, "oak");
    assert_ok(object_map(&map, store, dataset.sha256, &error));
    assert_memory_equal(map.bytes, "test", 4);
    object_unmap(store, &map);
    dataset_view_release(&dataset);
    assert_ok(checkpoints_list(store, "job_00000000000000000001", &checkpoints, &error));
    assert_int_equal(checkpoints.count, 0);
}

static void brought_up_to_date(struct fixture *fixture, int version)
{
    struct error error;
    char next[ID_TEXT], object[SHA256_TEXT];
    make_version(fixture, version);
    assert_ok(store_open(&fixture->store, fixture->data, &error));
    for (int again = 0; again < 2; again++) {
        check_jobs(fixture->store);
        check_the_rest(fixture->store);
        reopen(fixture);
    }
    struct jobs_recover recovery = {.requeued = 0};
    assert_ok(store_wait(fixture->store, jobs_recover(&recovery), &error));
    assert_int_equal(recovery.requeued, 1);
    struct job_ticket *tickets;
    size_t count;
    assert_ok(jobs_queue(fixture->store, &tickets, &count, &error));
    assert_int_equal(count, 2);
    assert_string_equal(tickets[0].id, "job_00000000000000000002");
    free(tickets);
    set_status(fixture->store, "job_00000000000000000002", JOB_RUNNING); /* and goes on as any other */
    add_checkpoint(fixture->store, "job_00000000000000000002", 1, 2, 100, 1, object);
    add_job(fixture->store, "ds_00000000000000000001", "{}", 0, next);
    check_jobs(fixture->store);
}

static void a_folder_of_version_1_is_brought_up_to_date_with_all_that_is_in_it(void **state)
{
    brought_up_to_date(*state, 1);
}

static void a_folder_of_version_2_is_brought_up_to_date_with_all_that_is_in_it(void **state)
{
    brought_up_to_date(*state, 2);
}

/* A table in the way stands in for the kill: the transaction does not come to its end. */
static void a_migration_that_was_interrupted_leaves_the_folder_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    make_version(fixture, 1);
    run_sql(fixture, "CREATE TABLE facts(in_the_way INTEGER)"); /* the last thing that version 2 adds */
    assert_status(STATUS_INTERNAL, store_open(&fixture->store, fixture->data, &error));
    fixture->store = NULL;
    run_sql(fixture, "DROP TABLE facts; CREATE TABLE checkpoints(nor_is_this_there INTEGER); DROP TABLE checkpoints;");
    assert_ok(store_open(&fixture->store, fixture->data, &error));
    check_jobs(fixture->store);
    check_the_rest(fixture->store);
}

/* The same at the very end, from either version: nothing of what came before is there. */
static void a_migration_that_was_interrupted_in_its_last_version_leaves_the_folder_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    for (int version = 1; version <= 2; version++) {
        make_version(fixture, version);
        run_sql(fixture, "ALTER TABLE metrics ADD COLUMN update_ratio_15 REAL"); /* the last thing that version 3 adds */
        assert_status(STATUS_INTERNAL, store_open(&fixture->store, fixture->data, &error));
        fixture->store = NULL;
        assert_int_equal(ask(fixture, "PRAGMA user_version"), version);
        assert_int_equal(ask(fixture, "SELECT count(*) FROM pragma_table_info('models') WHERE name='calibration'"), 0);
        assert_int_equal(ask(fixture, "SELECT count(*) FROM pragma_table_info('metrics') WHERE name='sharpness'"), 0);
        assert_int_equal(ask(fixture, "SELECT count(*) FROM sqlite_master WHERE name='facts'"), version - 1);
        run_sql(fixture, "ALTER TABLE metrics DROP COLUMN update_ratio_15");
        assert_ok(store_open(&fixture->store, fixture->data, &error));
        check_jobs(fixture->store);
        check_the_rest(fixture->store);
    }
}

#define TEXT_BYTES 4000
static void keep_text(void *context, enum check_level level, const char *text)
{
    char *all = context;
    (void)level;
    size_t used = strlen(all);
    snprintf(all + used, TEXT_BYTES - used, "%s\n", text);
}

static void a_folder_of_version_1_is_checked_as_what_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct check_summary summary;
    char text[TEXT_BYTES] = "";
    make_version(fixture, 1);
    assert_ok(store_check(fixture->data, keep_text, text, &summary, &error));
    assert_non_null(strstr(text, "descentd.db: schema 1, the next start brings it to"));
    assert_null(strstr(text, "no such table"));
    assert_int_equal(summary.jobs, 3);
    assert_int_equal(summary.objects, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_folder_of_version_1_is_brought_up_to_date_with_all_that_is_in_it),
        TEST(a_folder_of_version_2_is_brought_up_to_date_with_all_that_is_in_it),
        TEST(a_migration_that_was_interrupted_in_its_last_version_leaves_the_folder_as_it_was),
        TEST(a_folder_of_version_1_is_checked_as_what_it_is),
        TEST(a_migration_that_was_interrupted_leaves_the_folder_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
