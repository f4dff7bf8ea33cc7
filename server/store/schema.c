/*
 * The tables of the database.
 *
 * Each table of things has a `number` that orders by creation and is never used again: lists are cut by it, and rows of
 * others refer to it. What every update of a running job rewrites (jobs) is kept apart from the large texts that never
 * change (job_documents). Metric events have no data of their own: they point to their rows of the curves by the step.
 */
#include "server/store/schema.h"

#include <stdio.h>
#include <string.h>

#include "server/store/tables.h"

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

/* Jobs that survive: checkpoints, pauses, what is known of crashes; requests as they were sent, and their keys. */
static const char *const version_2 =
    "ALTER TABLE jobs ADD COLUMN extended_from TEXT NOT NULL DEFAULT '';" /* the job whose training this one goes on with */
    "ALTER TABLE jobs ADD COLUMN initial_model TEXT NOT NULL DEFAULT '';" /* the model whose weights it begins with */
    "ALTER TABLE jobs ADD COLUMN kernel_tier TEXT NOT NULL DEFAULT '';"   /* '': that of the spec */
    "ALTER TABLE jobs ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;" /* deaths of the server while it ran alone */
    "ALTER TABLE jobs ADD COLUMN suspect INTEGER NOT NULL DEFAULT 0;" /* 1: runs alone until it has proved itself */
    "ALTER TABLE job_documents ADD COLUMN request TEXT;"              /* as it was sent, data set by id; NULL: unknown */
    "CREATE TABLE checkpoints("
    "  job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, step INTEGER NOT NULL,"
    "  created_at INTEGER NOT NULL, bytes INTEGER NOT NULL, object TEXT NOT NULL REFERENCES objects(sha256),"
    "  data TEXT NOT NULL," /* what its event says: JSON object text */
    "  PRIMARY KEY(job, step)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX checkpoints_by_object ON checkpoints(object);"
    "CREATE TABLE idempotency_keys("
    "  token TEXT NOT NULL, key TEXT NOT NULL, created_at INTEGER NOT NULL, fingerprint TEXT NOT NULL,"
    "  job TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY(token, key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX idempotency_keys_by_age ON idempotency_keys(created_at);"
    "CREATE TABLE facts(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* What was fitted for the probabilities of models (JSON object text, or none); what a row of the curves may hold besides:
 * diagnostics, and the smoothed loss of a range test. */
static const char *const version_3 = "ALTER TABLE models ADD COLUMN calibration TEXT;"
                                     "ALTER TABLE metrics ADD COLUMN sharpness REAL;"
                                     "ALTER TABLE metrics ADD COLUMN sharpness_limit REAL;"
                                     "ALTER TABLE metrics ADD COLUMN full_gradient_norm REAL;"
                                     "ALTER TABLE metrics ADD COLUMN noise_scale REAL;"
                                     "ALTER TABLE metrics ADD COLUMN gradient_variance REAL;"
                                     "ALTER TABLE metrics ADD COLUMN gradient_square REAL;"
                                     "ALTER TABLE metrics ADD COLUMN smoothed_loss REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_0 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_1 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_2 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_3 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_4 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_5 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_6 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_7 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_8 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_9 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_10 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_11 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_12 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_13 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_14 REAL;"
                                     "ALTER TABLE metrics ADD COLUMN update_ratio_15 REAL;";

/* Rows of the curves in blocks (metric_block.h), with their events: one row for all that came together. */
static const char *const version_4 =
    "CREATE TABLE curves("
    "  job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, step INTEGER NOT NULL, last_step INTEGER NOT NULL,"
    "  count INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY(job, step)"
    ") STRICT, WITHOUT ROWID;"
    "ALTER TABLE events ADD COLUMN count INTEGER NOT NULL DEFAULT 1;"; /* of metric events, from this id on */

/* migrations[v] leads from version v to v + 1. Never change one that was released. */
static const struct {
    const char *sql;
    enum status (*convert)(struct connection *connection, struct error *error); /* afterwards; or NULL */
} migrations[] = {{version_1, NULL}, {version_2, NULL}, {version_3, NULL}, {version_4, metrics_migrate}};
#define NEWEST ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

static enum status read_one(struct connection *connection, const char *sql, int64_t *number, char *text, size_t size,
                            struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, connection, sql);
    enum status status = statement_step(&query, &row, error);
    if (status == STATUS_OK && row) {
        *number = statement_i64(&query, 0);
        status = statement_text(&query, 0, text, size, error);
    }
    statement_end(&query);
    return status;
}

/* The first thing that is wrong with the file, if any. */
static enum status check(struct connection *connection, struct error *error)
{
    int64_t unused = 0;
    char text[200] = "";
    enum status status = read_one(connection, "PRAGMA quick_check(1)", &unused, text, sizeof(text), error);
    if (status == STATUS_OK && strcmp(text, "ok") != 0) {
        return error_set(error, STATUS_STORAGE_ERROR, "database: damaged: %s", text);
    }
    return status;
}

int64_t schema_newest(void)
{
    return NEWEST;
}

enum status schema_version(struct connection *connection, int64_t *version, struct error *error)
{
    char text[32];
    *version = 0;
    return read_one(connection, "PRAGMA user_version", version, text, sizeof(text), error);
}

enum status schema_prepare(struct connection *connection, struct error *error)
{
    int64_t version;
    enum status status = schema_version(connection, &version, error);
    if (status == STATUS_OK && (version < 0 || version > NEWEST)) {
        return error_set(error, STATUS_SCHEMA_TOO_NEW, "database: schema %lld, this program knows up to %lld",
                         (long long)version, (long long)NEWEST);
    }
    if (status == STATUS_OK) {
        status = check(connection, error);
    }
    if (status != STATUS_OK || version == NEWEST) {
        return status;
    }
    status = connection_run(connection, "BEGIN IMMEDIATE", error);
    for (; status == STATUS_OK && version < NEWEST; version++) {
        status = connection_run(connection, migrations[version].sql, error);
        if (status == STATUS_OK && migrations[version].convert != NULL) {
            status = migrations[version].convert(connection, error);
        }
    }
    if (status == STATUS_OK) {
        char set_version[48];
        snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%lld; COMMIT", (long long)NEWEST);
        status = connection_run(connection, set_version, error);
    }
    return status; /* on failure the connection is closed, which rolls back */
}
