/*
 * The thread that writes checkpoints. A runner copies its trainer's state and goes on; this thread makes an object of the
 * copy (hash, write, fsync), one after the other for all jobs. The object is the runner's again when it is done: it hands it
 * to the store together with the rows of the curves up to it (recorder.h).
 */
#ifndef DESCENT_SERVER_JOBS_CHECKPOINT_WRITER_H
#define DESCENT_SERVER_JOBS_CHECKPOINT_WRITER_H

#include "core/train/checkpoint.h"
#include "server/store/object.h"

struct checkpoint_writer;

/* One checkpoint to be written. All of it must stay in place until it is done. */
struct checkpoint_task {
    struct checkpoint_copy *copy;         /* borrowed: not to be taken again until then */
    const struct checkpoint_owner *owner; /* borrowed */
    struct object object;                 /* out: the caller's to release, also after a failure */
    enum status status;                   /* out */
    struct error error;                   /* out */
    struct checkpoint_task *next;         /* the writer's */
    int done;                             /* the writer's, under its lock */
};

/* STATUS_SYSTEM_ERROR, STATUS_OUT_OF_MEMORY. Borrows the store. */
MUST_CHECK enum status checkpoint_writer_new(struct checkpoint_writer **writer, struct store *store, struct error *error);
/* Completes what was submitted. NULL is fine. */
void checkpoint_writer_free(struct checkpoint_writer *writer);

void checkpoint_writer_submit(struct checkpoint_writer *writer, struct checkpoint_task *task);
int checkpoint_writer_is_done(struct checkpoint_writer *writer, const struct checkpoint_task *task);
void checkpoint_writer_wait(struct checkpoint_writer *writer, const struct checkpoint_task *task);

#endif
