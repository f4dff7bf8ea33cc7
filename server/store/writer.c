/*
 * The writer thread.
 *
 * A failing disk under a commit leaves it open what is durable; so the first such failure makes the store read-only until
 * a restart lets SQLite recover from what really is there. A full disk is different: nothing was acknowledged, the
 * transaction is rolled back, and the next one may succeed.
 */
#include "server/store/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server/clock.h"
#include "server/failpoint.h"
#include "server/log.h"
#include "server/monitor.h"
#include "server/store/data_dir.h"
#include "server/store/database.h"
#include "server/store/objects.h"
#include "server/store/schema.h"

#define GROUP_MAX          256  /* operations in a transaction: bounds how long the first one waits */
#define CHECKPOINT_PAGES   1024 /* 4 MiB of WAL */
#define WAL_LARGE_PAGES    65536
#define IDLE_CHECKPOINT_MS 1000
#define WATCH_MS           10000 /* how often an idle writer looks whether its file is still there */

struct writer {
    struct connection connection;
    pthread_t thread;
    pthread_mutex_t lock; /* guards first, last, stopping; a leaf */
    pthread_cond_t wake;
    struct store_op *first, *last;
    int stopping;
    atomic_int read_only;
    atomic_uint_fast64_t generation; /* odd: a commit is under way */
    store_changed *changed;
    void *changed_context;
    /* the thread's alone: pages in the WAL, those not yet in the database, and how many call for a checkpoint */
    int wal_pages, pages_left, checkpoint_at;
};

/* ---- the group ---- */

static enum status run(struct writer *writer, const char *sql, struct error *error)
{
    struct statement query;
    statement_begin(&query, &writer->connection, sql);
    return statement_finish(&query, error);
}

/*
 * Applies one operation behind a savepoint. Its own failure is its own. What is returned is the transaction's fate: once
 * that has failed, the whole group has.
 */
static enum status apply(struct writer *writer, struct store_op *op, struct error *error)
{
    enum status status = run(writer, "SAVEPOINT operation", error);
    if (status != STATUS_OK) {
        return status;
    }
    op->status = op->apply(op, &writer->connection, &op->error);
    if (writer->connection.failure != STATUS_OK) {
        *error = op->error;
        return writer->connection.failure;
    }
    if (op->status != STATUS_OK) {
        status = run(writer, "ROLLBACK TO operation", error);
    }
    return status == STATUS_OK ? run(writer, "RELEASE operation", error) : status;
}

/* A transaction that failed and could not be rolled back for want of memory is rolled back before the next one. */
static enum status begin(struct writer *writer, struct error *error)
{
    sqlite3 *handle = writer->connection.handle;
    int code = sqlite3_get_autocommit(handle) ? SQLITE_OK : sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    return code == SQLITE_OK ? run(writer, "BEGIN IMMEDIATE", error) : connection_fail(&writer->connection, code, error);
}

/* All or nothing of the group, whose operations get their statuses. */
static void commit_group(struct writer *writer, struct store_op *group)
{
    struct connection *connection = &writer->connection;
    struct error error = {.status = STATUS_OK};
    int64_t began = clock_monotonic_ns();
    uint64_t operations = 0;
    connection->failure = STATUS_OK;
    enum status status = begin(writer, &error);
    for (struct store_op *op = group; op != NULL && status == STATUS_OK; op = op->next, operations++) {
        status = apply(writer, op, &error);
    }
    if (status == STATUS_OK) {
        FAILPOINT(COMMIT_BEFORE);
        atomic_fetch_add(&writer->generation, 1);
        status = run(writer, "COMMIT", &error);
        atomic_fetch_add(&writer->generation, 1);
        FAILPOINT(COMMIT_AFTER);
    }
    if (status == STATUS_OK) {
        monitor_observe(MONITOR_STORE_COMMIT_SECONDS, clock_monotonic_ns() - began);
        monitor_add(MONITOR_STORE_OPERATIONS, operations);
    } else {
        monitor_add(MONITOR_STORE_FAILURES, 1);
        if (!sqlite3_get_autocommit(connection->handle)) {
            sqlite3_exec(connection->handle, "ROLLBACK", NULL, NULL, NULL);
        }
        for (struct store_op *op = group; op != NULL; op = op->next) {
            op->status = status;
            op->error = error;
        }
    }
    objects_sweep(connection);
    if (connection->disk_failed && !atomic_exchange(&writer->read_only, 1)) {
        log_error(NULL, "the store is read-only from now on: %s", error.message);
    }
}

static void refuse_group(struct store_op *group)
{
    for (struct store_op *op = group; op != NULL; op = op->next) {
        op->status = error_set(&op->error, STATUS_READ_ONLY, "the disk failed under the database: restart the server");
    }
}

/* Tells the outcome. An operation is its owner's again at its callback, so `next` is read before. */
static void tell_group(struct writer *writer, struct store_op *group)
{
    while (group != NULL) {
        struct store_op *op = group;
        group = op->next;
        if (op->status == STATUS_OK && op->job[0] != '\0' && writer->changed != NULL) {
            writer->changed(writer->changed_context, op->job, op->version, op->entered);
        }
        if (op->done != NULL) {
            op->done(op->context, op->status, &op->error);
        }
    }
}

/* ---- checkpoints ---- */

/* Moves what readers allow from the WAL into the database; the rest goes with the next one. */
static void checkpoint(struct writer *writer)
{
    int in_wal = 0, moved = 0;
    FAILPOINT(WAL_BEFORE_CHECKPOINT);
    int code = sqlite3_wal_checkpoint_v2(writer->connection.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
    FAILPOINT(WAL_AFTER_CHECKPOINT);
    if (code != SQLITE_OK) { /* harmless: all is in the WAL; a disk that is really broken shows at the next commit */
        log_warning(NULL, "checkpoint of the write-ahead log: %s", sqlite3_errmsg(writer->connection.handle));
    }
    if (in_wal >= WAL_LARGE_PAGES) {
        log_warning(NULL, "wal_large: the write-ahead log has %d pages, a reader keeps it from shrinking", in_wal);
    }
    writer->pages_left = code == SQLITE_OK ? in_wal - moved : writer->pages_left;
    writer->checkpoint_at = writer->connection.wal_pages + CHECKPOINT_PAGES;
}

static void after_commit(struct writer *writer)
{
    int pages = writer->connection.wal_pages;
    if (pages < writer->wal_pages) { /* the WAL began again from its start */
        writer->checkpoint_at = CHECKPOINT_PAGES;
    }
    writer->wal_pages = writer->pages_left = pages;
    /* Without room for more of the log: what is in it goes into the database, so that it can begin again from its start. */
    if (pages >= writer->checkpoint_at || (writer->connection.failure == STATUS_INSUFFICIENT_STORAGE && pages > 0)) {
        checkpoint(writer);
    }
}

/* Somebody who removes or replaces the database's file under us must not give us more data to lose. */
static void check_file(struct writer *writer)
{
    int moved = 0;
    int code = sqlite3_file_control(writer->connection.handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (code == SQLITE_OK && moved && !atomic_exchange(&writer->read_only, 1)) {
        log_error(NULL, "%s was removed or replaced: the store is read-only from now on", writer->connection.dir->database);
    }
}

static void when_idle(struct writer *writer)
{
    if (writer->pages_left > 0 && !atomic_load(&writer->read_only)) {
        checkpoint(writer);
        writer->pages_left = 0; /* what a reader kept back goes with the next commit's */
    }
}

/* ---- the thread ---- */

/* Up to GROUP_MAX operations from the queue. NULL: none came in time, or (*stopping) none will ever come. */
static struct store_op *take_group(struct writer *writer, int *stopping)
{
    pthread_mutex_lock(&writer->lock);
    struct timespec until = clock_at_ms(clock_monotonic_ms() + (writer->pages_left > 0 ? IDLE_CHECKPOINT_MS : WATCH_MS));
    int code = 0;
    while (writer->first == NULL && !writer->stopping && code == 0) {
        code = pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
    }
    struct store_op *group = writer->first, *last = group;
    for (int n = 1; n < GROUP_MAX && last != NULL && last->next != NULL; n++) {
        last = last->next;
    }
    if (last != NULL) {
        writer->first = last->next;
        last->next = NULL;
    }
    *stopping = group == NULL && writer->stopping;
    pthread_mutex_unlock(&writer->lock);
    return group;
}

static void *writer_main(void *argument)
{
    struct writer *writer = argument;
    pthread_setname_np(pthread_self(), "store-writer");
    for (;;) {
        int stopping;
        struct store_op *group = take_group(writer, &stopping);
        if (stopping) {
            return NULL;
        }
        check_file(writer); /* one stat: nothing beside a commit */
        if (group == NULL) {
            when_idle(writer);
        } else if (atomic_load(&writer->read_only)) {
            refuse_group(group);
            tell_group(writer, group);
        } else {
            commit_group(writer, group);
            tell_group(writer, group);
            after_commit(writer);
        }
    }
}

void writer_submit(struct writer *writer, struct store_op *op)
{
    op->next = NULL;
    op->status = STATUS_OK;
    op->error = (struct error){.status = STATUS_OK};
    op->job[0] = '\0';
    pthread_mutex_lock(&writer->lock);
    if (writer->first == NULL) {
        writer->first = op;
    } else {
        writer->last->next = op;
    }
    writer->last = op;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

void writer_on_commit(struct writer *writer, store_changed *changed, void *context)
{
    writer->changed = changed;
    writer->changed_context = context;
}

int writer_is_read_only(const struct writer *writer)
{
    return atomic_load(&writer->read_only);
}

uint64_t writer_generation(const struct writer *writer)
{
    return atomic_load(&writer->generation);
}

/* ---- life ---- */

static enum status start_thread(struct writer *writer, struct error *error)
{
    int code = pthread_mutex_init(&writer->lock, NULL);
    if (code != 0) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a lock");
    }
    clock_condition_init(&writer->wake);
    code = pthread_create(&writer->thread, NULL, writer_main, writer);
    if (code == 0) {
        return STATUS_OK;
    }
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    return error_set(error, STATUS_OUT_OF_MEMORY, "the store's thread cannot be started (error %d)", code);
}

enum status writer_new(struct writer **result, const struct data_dir *dir, struct error *error)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the store");
    }
    writer->checkpoint_at = CHECKPOINT_PAGES;
    enum status status = connection_open(&writer->connection, dir, CONNECTION_WRITER, error);
    if (status == STATUS_OK) {
        status = schema_prepare(&writer->connection, error);
    }
    if (status == STATUS_OK) {
        status = objects_collect(&writer->connection, error);
    }
    if (status == STATUS_OK) {
        status = start_thread(writer, error);
    }
    if (status != STATUS_OK) {
        connection_close(&writer->connection);
        free(writer);
        return status;
    }
    *result = writer;
    return STATUS_OK;
}

void writer_stop(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->stopping = 1;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
}

void writer_free(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    FAILPOINT(WAL_BEFORE_CHECKPOINT);
    if (!atomic_load(&writer->read_only) &&
        sqlite3_wal_checkpoint_v2(writer->connection.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK) {
        log_warning(NULL, "last checkpoint of the write-ahead log: %s", sqlite3_errmsg(writer->connection.handle));
    }
    FAILPOINT(WAL_AFTER_CHECKPOINT);
    connection_close(&writer->connection);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}
