/* What the tables do for one another within an operation. Private to server/store/. */
#ifndef DESCENT_SERVER_STORE_TABLES_H
#define DESCENT_SERVER_STORE_TABLES_H

#include "server/store/checkpoints.h"
#include "server/store/database.h"
#include "server/store/datasets.h"
#include "server/store/events.h"
#include "server/store/facts.h"
#include "server/store/idempotency.h"
#include "server/store/object.h"

/* The row of a data set whose object is stored, with its classes and features. */
MUST_CHECK enum status datasets_add(struct connection *connection, const struct dataset_view *dataset, struct error *error);
MUST_CHECK enum status datasets_update(struct connection *connection, int64_t number, const struct dataset_view *dataset,
                                       struct error *error);
/* The oldest ready data set with this content, but not `except`. *found: 0 none. */
MUST_CHECK enum status datasets_find_content(struct connection *connection, const char *sha256, const char *except,
                                             char id[ID_TEXT], int *found, struct error *error);
/* datasets.h, datasets_insert, within another operation. */
MUST_CHECK enum status datasets_insert_row(struct connection *connection, struct datasets_insert *insert,
                                           struct error *error);

/* The model with its file; model->id is given, created_at is `now`, object and bytes are the object's. */
MUST_CHECK enum status models_insert_row(struct connection *connection, const struct model_view *model, const char *job,
                                         int64_t now, struct object *object, struct error *error);

/*
 * A job's new checkpoint, its file, and the end of those that are too many then (checkpoints.h). *replaced: there was one of
 * this step.
 */
MUST_CHECK enum status checkpoints_insert_row(struct connection *connection, int64_t job, int64_t now,
                                              const struct checkpoint_new *checkpoint, int *replaced, struct error *error);
/* Removes all that a job has. */
MUST_CHECK enum status checkpoints_drop(struct connection *connection, int64_t job, struct error *error);
/* The newest checkpoint of the job `from` becomes one of the job `to`, too. *found: 0 there is none. */
MUST_CHECK enum status checkpoints_copy_last(struct connection *connection, int64_t from, int64_t to, uint64_t *step,
                                             int *found, struct error *error);

/* STATUS_IDEMPOTENCY_KEY_REUSED: it was used already, and not too long ago. */
MUST_CHECK enum status idempotency_check(struct connection *connection, const struct idempotency_key *key,
                                         struct error *error);
/* Keeps the answer under the key, and removes a few of those whose time is over. */
MUST_CHECK enum status idempotency_add(struct connection *connection, const struct idempotency_key *key, const char *job,
                                       const char *answer, struct error *error);

MUST_CHECK enum status facts_write(struct connection *connection, const struct fact *fact, struct error *error);

struct event_sequence;
/* Rows [count], steps ascending, with their events. Those up to the last row that is there are there already, and stay. */
MUST_CHECK enum status metrics_insert_rows(struct connection *connection, struct event_sequence *events,
                                           const struct metric_row *rows, size_t count, struct error *error);

/* The rows of the job `from` up to a step become those of the job `to`, too. */
MUST_CHECK enum status metrics_copy(struct connection *connection, int64_t from, int64_t to, uint64_t last_step,
                                    struct error *error);

/*
 * Rows of one block: *first points to the first of [count] into rows [METRIC_BLOCK_ROWS]. STATUS_STORAGE_ERROR when there
 * are no such rows. Any connection.
 */
MUST_CHECK enum status metrics_read_run(struct connection *connection, int64_t job, uint64_t step, size_t count,
                                        struct metric_row *rows, const struct metric_row **first, struct error *error);

/* The rows of a folder of version 3, which was a table with a row each, become blocks. */
MUST_CHECK enum status metrics_migrate(struct connection *connection, struct error *error);

/* A job's number and version. STATUS_NOT_FOUND, STATUS_DELETED. Any connection. */
MUST_CHECK enum status jobs_find(struct connection *connection, const char *id, int64_t *number, uint64_t *version,
                                 struct error *error);

/* jobs.h, jobs_insert, within another operation: all but the key. */
struct jobs_insert;
MUST_CHECK enum status jobs_insert_row(struct connection *connection, struct jobs_insert *insert, struct error *error);

/* A new job's row with its documents, and its number. */
MUST_CHECK enum status jobs_add(struct connection *connection, const struct job_view *job, int64_t *number,
                                struct error *error);
MUST_CHECK enum status jobs_get_progress(struct connection *connection, int64_t number, struct job_progress *progress,
                                         struct error *error);
MUST_CHECK enum status jobs_set_progress(struct connection *connection, int64_t number, const struct job_progress *progress,
                                         struct error *error);

/* STATUS_IN_USE when jobs that have not ended name the data set or the model `id`. */
MUST_CHECK enum status jobs_check_unused(struct connection *connection, const char *id, struct job_users *users,
                                         struct error *error);

/*
 * The job's next events; *last is the id of its last one. Metric events have a step instead of data, and one row of the
 * table stands for all that come together: `count` events from its id on, of as many rows of the curves from its step on.
 */
struct event_sequence {
    int64_t job; /* its number */
    uint64_t last;
    int64_t now;
};
MUST_CHECK enum status events_insert_row(struct connection *connection, struct event_sequence *sequence,
                                         enum event_type type, const char *data, struct error *error);
MUST_CHECK enum status events_insert_metrics(struct connection *connection, struct event_sequence *sequence, uint64_t step,
                                             uint32_t count, struct error *error);

#endif
