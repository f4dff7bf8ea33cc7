/*
 * Two buffers: one filling, one with the store. The first change also moves the job from queued to running and goes out
 * after a few milliseconds, so that a small job costs one commit between its submission and its first row. A change that
 * found the disk full stays as it is, in front of all later ones, until it is stored.
 */
#include "recorder.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/failpoint.h"

#define ROWS_MAX       1024
#define FIRST_INTERVAL 0.002 /* seconds */
#define INTERVAL       0.2

struct recorder {
    struct store *store;
    const char *id;
    struct metric_list stored; /* rows of an earlier run */
    size_t replayed;
    double offset; /* from this run's time to the job's, as of the last row that was replayed */

    struct metric_row filling[ROWS_MAX];
    size_t filled;
    struct job_progress progress;
    int has_progress;
    uint32_t threads;
    double next; /* time of the next change; 0: not set yet */
    int started; /* the job is running in the store, or a change that makes it so is under way */

    struct jobs_change change; /* the one with the store, with what it points to */
    struct metric_row sent[ROWS_MAX];
    struct job_progress sent_progress;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    int busy;
    enum status status; /* of the last change */
    struct error error;
};

enum status recorder_new(struct recorder **out, struct store *store, const char *id, struct error *error)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    enum status status;

    *out = NULL;
    if (recorder == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the job's curves");
    }
    recorder->store = store;
    recorder->id = id;
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_cond_init(&recorder->done, NULL);
    status = metrics_list(store, id, -1, &recorder->stored, error);
    if (status != STATUS_OK) {
        recorder_free(recorder);
        return status;
    }
    *out = recorder;
    return STATUS_OK;
}

static void wait_for_store(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    while (recorder->busy) {
        pthread_cond_wait(&recorder->done, &recorder->lock);
    }
    pthread_mutex_unlock(&recorder->lock);
}

void recorder_free(struct recorder *recorder)
{
    if (recorder == NULL) {
        return;
    }
    wait_for_store(recorder);
    metric_list_release(&recorder->stored);
    pthread_cond_destroy(&recorder->done);
    pthread_mutex_destroy(&recorder->lock);
    free(recorder);
}

void recorder_set_threads(struct recorder *recorder, uint32_t threads)
{
    recorder->threads = threads;
}

void recorder_set_progress(struct recorder *recorder, const struct job_progress *progress)
{
    recorder->progress = *progress;
    recorder->has_progress = 1;
}

double recorder_clock(const struct recorder *recorder, double elapsed)
{
    const struct metric_list *stored = &recorder->stored;

    if (recorder->replayed < stored->count) {
        return recorder->replayed > 0 ? stored->rows[recorder->replayed - 1].seconds : 0;
    }
    return elapsed + recorder->offset;
}

/* ---- handing over ---- */

static void stored(void *context, enum status status, const struct error *error)
{
    struct recorder *recorder = context;

    pthread_mutex_lock(&recorder->lock);
    recorder->busy = 0;
    recorder->status = status;
    recorder->error = *error;
    pthread_cond_broadcast(&recorder->done);
    pthread_mutex_unlock(&recorder->lock);
}

static void fill_change(struct recorder *recorder)
{
    struct jobs_change *change = &recorder->change;

    memcpy(recorder->sent, recorder->filling, recorder->filled * sizeof *recorder->sent);
    recorder->sent_progress = recorder->progress;
    *change = (struct jobs_change){.id = recorder->id,
                                   .from = recorder->started ? JOB_SET(JOB_RUNNING) | JOB_SET(JOB_CANCELLING)
                                                             : JOB_SET(JOB_QUEUED),
                                   .to = recorder->started ? JOB_STATUS_KEEP : JOB_RUNNING,
                                   .threads = recorder->threads,
                                   .progress = recorder->has_progress ? &recorder->sent_progress : NULL,
                                   .rows = recorder->sent,
                                   .row_count = recorder->filled};
    recorder->started = 1;
    recorder->filled = 0;
}

/* How the last change ended; STATUS_OK while it is under way. */
static enum status last_status(struct recorder *recorder, int *busy, struct error *error)
{
    enum status status;

    pthread_mutex_lock(&recorder->lock);
    *busy = recorder->busy;
    status = recorder->busy ? STATUS_OK : recorder->status;
    if (status != STATUS_OK) {
        *error = recorder->error;
    }
    pthread_mutex_unlock(&recorder->lock);
    return status;
}

/* Nothing is with the store. */
static void hand_over(struct recorder *recorder)
{
    if (recorder->status != STATUS_INSUFFICIENT_STORAGE) {
        fill_change(recorder);
    }
    recorder->busy = 1;
    store_submit(recorder->store, jobs_change(&recorder->change), stored, recorder);
}

void recorder_start(struct recorder *recorder)
{
    if (!recorder->started) {
        hand_over(recorder);
    }
}

enum status recorder_poll(struct recorder *recorder, double now, struct error *error)
{
    struct error reason = {0};
    int busy;
    enum status status = last_status(recorder, &busy, &reason);

    if (status != STATUS_OK && status != STATUS_INSUFFICIENT_STORAGE) {
        *error = reason;
        return status;
    }
    if (recorder->next == 0) {
        recorder->next = now + FIRST_INTERVAL;
    }
    if (now >= recorder->next && !busy) {
        hand_over(recorder);
        recorder->next = now + INTERVAL;
    }
    return STATUS_OK;
}

/* ---- rows ---- */

static int same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static int same_point(const struct train_point *a, const struct train_point *b)
{
    return a->step == b->step && same_value(a->epoch, b->epoch) && same_value(a->batch_loss, b->batch_loss) &&
           same_value(a->train_loss, b->train_loss) && same_value(a->train_accuracy, b->train_accuracy) &&
           same_value(a->validation_loss, b->validation_loss) &&
           same_value(a->validation_accuracy, b->validation_accuracy) && same_value(a->learning_rate, b->learning_rate) &&
           same_value(a->gradient_norm, b->gradient_norm) && same_value(a->step_size, b->step_size);
}

/* Compares a point with the stored row that it repeats. */
static enum status replay(struct recorder *recorder, const struct train_point *point, double elapsed, struct error *error)
{
    const struct metric_row *before = &recorder->stored.rows[recorder->replayed++];

    if (!same_point(&before->point, point)) {
        return error_set(error, STATUS_REPLAY_MISMATCH, "step %llu came out otherwise than before the restart",
                         (unsigned long long)point->step);
    }
    recorder->offset = before->seconds - elapsed;
    return STATUS_OK;
}

enum status recorder_add(struct recorder *recorder, const struct train_point *point, double elapsed, struct error *error)
{
    int busy;

    if (recorder->replayed < recorder->stored.count) {
        return replay(recorder, point, elapsed, error);
    }
    if (recorder->filled == ROWS_MAX) {
        enum status status;

        wait_for_store(recorder);
        status = last_status(recorder, &busy, error);
        if (status != STATUS_OK) {
            return status;
        }
        hand_over(recorder);
    }
    recorder->filling[recorder->filled++] = (struct metric_row){*point, recorder_clock(recorder, elapsed)};
    return STATUS_OK;
}

/* What must hold before the last change: nothing is left over from an earlier one, nothing that was shown is missing. */
static enum status settle(struct recorder *recorder, enum job_status to, struct error *error)
{
    struct error last = {0};
    int busy;
    enum status status;

    wait_for_store(recorder);
    if (recorder->status == STATUS_INSUFFICIENT_STORAGE) {
        hand_over(recorder);
        wait_for_store(recorder);
    }
    status = last_status(recorder, &busy, &last);
    if (status == STATUS_INSUFFICIENT_STORAGE || (status != STATUS_OK && to == JOB_SUCCEEDED)) {
        *error = last;
        return status;
    }
    if (to == JOB_SUCCEEDED && recorder->replayed < recorder->stored.count) {
        return error_set(error, STATUS_REPLAY_MISMATCH, "the job ended at an earlier step than before the restart");
    }
    return STATUS_OK;
}

enum status recorder_end(struct recorder *recorder, unsigned from, enum job_status to, const char *reason,
                         const struct job_outcome *outcome, struct error *error)
{
    struct jobs_change change;
    struct error ended = {0};
    int busy;
    enum status status = settle(recorder, to, error);

    if (status != STATUS_OK) {
        return status;
    }
    recorder_start(recorder); /* if it has not: in front of the last change and in the same commit */
    change = (struct jobs_change){.id = recorder->id,
                                  .from = from,
                                  .to = to,
                                  .reason = reason,
                                  .threads = recorder->threads,
                                  .progress = recorder->has_progress ? &recorder->progress : NULL,
                                  .rows = recorder->filling,
                                  .row_count = recorder->filled,
                                  .outcome = outcome};
    FAILPOINT(FINISH_BEFORE_COMMIT);
    status = store_wait(recorder->store, jobs_change(&change), &ended);
    FAILPOINT(FINISH_AFTER_COMMIT);
    if (status == STATUS_STATE_CONFLICT && last_status(recorder, &busy, error) == STATUS_INSUFFICIENT_STORAGE) {
        return STATUS_INSUFFICIENT_STORAGE; /* the change in front of it was not made */
    }
    if (status != STATUS_OK) {
        *error = ended;
    }
    return status;
}
