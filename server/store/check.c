#include "server/store/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/store/check_private.h"
#include "server/store/schema.h"

void check_say(struct check *check, enum check_level level, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    check->summary->problems += level == CHECK_PROBLEM;
    check->summary->notes += level == CHECK_NOTE;
    check->tell(check->context, level, text);
}

/* A part that could not go on is a finding, too. */
static void say_failure(struct check *check, enum status status, const struct error *error)
{
    if (status != STATUS_OK) {
        check_say(check, CHECK_PROBLEM, "%s", error->message);
    }
}

/* ---- the database's file ---- */

/* What SQLite itself finds: pages, indexes, constraints. */
static enum status check_integrity(struct check *check, struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, &check->database.connection, "PRAGMA integrity_check");
    enum status status = statement_step(&query, &row, error);
    while (status == STATUS_OK && row) {
        const char *text = (const char *)sqlite3_column_text(query.statement, 0);
        if (text != NULL && strcmp(text, "ok") != 0) {
            check_say(check, CHECK_PROBLEM, "descentd.db: %.400s", text);
        }
        status = statement_step(&query, &row, error);
    }
    statement_end(&query);
    return status;
}

static enum status check_references(struct check *check, struct error *error)
{
    struct statement query;
    int row;
    statement_begin(&query, &check->database.connection, "PRAGMA foreign_key_check");
    enum status status = statement_step(&query, &row, error);
    while (status == STATUS_OK && row) {
        const char *table = (const char *)sqlite3_column_text(query.statement, 0);
        const char *parent = (const char *)sqlite3_column_text(query.statement, 2);
        check_say(check, CHECK_PROBLEM, "descentd.db: row %lld of %.60s refers to nothing in %.60s",
                  (long long)statement_i64(&query, 1), table == NULL ? "?" : table, parent == NULL ? "?" : parent);
        status = statement_step(&query, &row, error);
    }
    statement_end(&query);
    return status;
}

static enum status check_version(struct check *check, struct error *error)
{
    enum status status = schema_version(&check->database.connection, &check->version, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (check->version > schema_newest()) {
        return error_set(error, STATUS_SCHEMA_TOO_NEW, "%s has schema %lld, this program knows up to %lld",
                         check->dir.database, (long long)check->version, (long long)schema_newest());
    }
    if (check->version < 1) {
        return error_set(error, STATUS_STORAGE_ERROR, "descentd.db: no tables of descentd are in it");
    }
    if (check->version < schema_newest()) {
        check_say(check, CHECK_NOTE, "descentd.db: schema %lld, the next start brings it to %lld", (long long)check->version,
                  (long long)schema_newest());
    }
    return STATUS_OK;
}

/* ---- the folder ---- */

static enum status say_temporary(void *context, const char *name, struct error *error)
{
    (void)error;
    check_say(context, CHECK_NOTE, "tmp/%.200s: left by a server that was killed, the next start removes it", name);
    return STATUS_OK;
}

/* One part after the other, each in its own right; a database that cannot even be read is one finding, not four. */
static enum status check_all(struct check *check, struct error *error)
{
    static enum status (*const parts[])(struct check * check, struct error * error) = {check_integrity, check_references,
                                                                                       check_rows, check_objects};
    enum status status = check_version(check, error);
    for (size_t i = 0; status == STATUS_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
        status = parts[i](check, error);
    }
    return status;
}

enum status store_check(const char *path, check_tell *tell, void *context, struct check_summary *summary,
                        struct error *error)
{
    struct check check = {.tell = tell, .context = context, .summary = summary};
    struct error failure = {.status = STATUS_OK};
    *summary = (struct check_summary){.problems = 0};
    enum status status = data_dir_look(&check.dir, path, 1, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = found_database_open(&check.database, &check.dir, 0, &failure);
    if (status == STATUS_OK) {
        status = check_all(&check, &failure);
        found_database_close(&check.database);
    }
    if (status == STATUS_SCHEMA_TOO_NEW || status == STATUS_OUT_OF_MEMORY) {
        data_dir_close(&check.dir);
        return error_set(error, status, "%s", failure.message);
    }
    say_failure(&check, status, &failure);
    failure = (struct error){.status = STATUS_OK};
    say_failure(&check, data_dir_each_name(check.dir.tmp_fd, say_temporary, &check, &failure), &failure);
    data_dir_close(&check.dir);
    return STATUS_OK;
}
