/*
 * Everything that outlives the process: a folder with an SQLite database and immutable object files.
 *
 *     DATA/descentd.db     data sets, jobs, events, metrics, models; WAL, synchronous=FULL
 *     DATA/objects/<sha>   data sets and models above 64 KiB (smaller ones live in the database)
 *     DATA/tmp/            files being written; purged at start
 *     DATA/lock            held while a server has the folder open
 *
 * Reading: the functions of datasets.h, jobs.h, events.h, metrics.h, models.h; any thread, they block for the disk only.
 * Writing: an operation is a caller-owned struct that begins with a store_op. One writer thread applies operations in
 * the order of submission, many to a transaction, and reports each when it is durable. Nothing is copied and nothing
 * allocated: the operation, and all that it points to, must stay in place until it is done. So submitting cannot fail.
 *
 *     struct jobs_delete deletion = {.id = id};
 *     status = store_wait(store, jobs_delete(&deletion), &error);       a thread that may block
 *     store_submit(store, jobs_delete(&deletion), done, context);       one that may not
 *
 * An operation has all of its effects or none, whatever happens to others of its transaction.
 */
#ifndef DESCENT_SERVER_STORE_STORE_H
#define DESCENT_SERVER_STORE_STORE_H

#include "api/views.h"
#include "core/base/status.h"

struct store;
struct connection;

/* Called on the writer thread after the commit (or the failure): must not block. The operation is the caller's again. */
typedef void store_done(void *context, enum status status, const struct error *error);

/* The head of every operation. Zero-initialise it; all of it belongs to the store. */
struct store_op {
    enum status (*apply)(struct store_op *op, struct connection *connection, struct error *error);
    store_done *done;
    void *context;
    struct store_op *next;
    enum status status;
    struct error error;
    char job[ID_TEXT]; /* the job that was touched, "": none, and its version after that */
    uint64_t version;
    enum job_status entered; /* by the change; JOB_STATUS_KEEP: none */
};

/*
 * Opens DATA, making it where it is missing, and starts the writer. One process at a time:
 * STATUS_DATA_DIR_LOCKED; a folder that cannot be used: STATUS_DATA_DIR_INVALID; one of a newer program:
 * STATUS_SCHEMA_TOO_NEW; a damaged database: STATUS_STORAGE_ERROR.
 */
MUST_CHECK enum status store_open(struct store **store, const char *path, struct error *error);
/* Completes what was submitted, checkpoints, closes. All mappings must have been given back. NULL: nothing. */
void store_close(struct store *store);

void store_submit(struct store *store, struct store_op *op, store_done *done, void *context);
/* Submits and waits for the end. Never from the writer thread (a store_done callback). */
MUST_CHECK enum status store_wait(struct store *store, struct store_op *op, struct error *error);

/*
 * Tells who waits for jobs: called on the writer thread after each durable change of a job, with its new version and
 * the status that it entered (JOB_STATUS_KEEP: none), before the operation's own callback. Must not block. A deleted job is
 * told like a change. Set it before the first operation.
 */
typedef void store_changed(void *context, const char *job, uint64_t version, enum job_status entered);
void store_on_commit(struct store *store, store_changed *changed, void *context);

/*
 * Which generation of the database readers see; odd: they may see one or the other, for a commit is under way. What is read
 * after this was an even number is what stands there for as long as it is still that number. Never the same again. Any
 * thread, without a lock.
 */
uint64_t store_generation(const struct store *store);
/* 1 after the disk failed under the database: every operation gets STATUS_READ_ONLY until a restart. Any thread. */
int store_is_read_only(const struct store *store);
/* Sizes in bytes; UINT64_MAX where the system does not tell. Any thread; a few calls of the system, no lock, no query. */
struct store_sizes {
    uint64_t database, wal;
    uint64_t disk, disk_free; /* of the file system; what is free for this process */
};
struct store_sizes store_sizes(const struct store *store);
/* STATUS_INSUFFICIENT_STORAGE unless `bytes` more leave the reserve (256 MiB, or 5 % of a smaller disk) free. */
MUST_CHECK enum status store_check_room(const struct store *store, uint64_t bytes, struct error *error);

/* Jobs that have not ended and still need what somebody wants to delete: the first of them. */
#define JOB_USERS_MAX 20
struct job_users {
    char ids[JOB_USERS_MAX][ID_TEXT];
    uint32_t count;
};

/*
 * A page of a list, in the order of creation. `after`: the last id of the page before, "" for the first page; still
 * good when that row has been deleted meanwhile; STATUS_QUERY_INVALID when there never was such a row.
 */
struct page_query {
    const char *after; /* NULL or "": from the start */
    uint32_t limit;    /* rows, at least 1 */
    int descending;
};

#endif
