/*
 * Two buffers: one filling, one with the store. The first change also moves the job from queued to running and goes out
 * after a few milliseconds, so that a small job costs one commit between its submission and its first row; that of a job
 * which will have ended soon waits for its end, so that there is one commit for all that became of it. A change that found
 * the disk full stays as it is, in front of all later ones, until it is stored.
 */
#include "recorder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/clock.h"
#include "server/failpoint.h"
#include "server/log.h"
#include "server/monitor.h"

#define ROWS_MAX       1024
#define REMARKS_MAX    8
#define ROWS_FIRST     64    /* room to begin with */
#define FIRST_INTERVAL 0.002 /* seconds */
#define SHORT_INTERVAL 0.020 /* the same of a job that will have ended soon: about as long as a commit or two */
#define INTERVAL       0.2

/* What belongs to one change. */
struct batch {
    struct metric_row *rows; /* [row_room], owned; [row_count] are there */
    size_t row_count, row_room;
    struct job_progress progress;
    int has_progress;
    struct event_new remarks[REMARKS_MAX]; /* their data owned */
    size_t remark_count;
    int has_checkpoint;
    struct checkpoint_new checkpoint; /* its data owned */
    struct object object;             /* the checkpoint's */
};

struct recorder {
    struct store *store;
    const char *id;
    struct metric_list stored; /* rows of earlier runs */
    size_t replayed;
    double offset;            /* from this run's time to the job's, as of the last row that was replayed */
    uint64_t shown_step;      /* of the progress that is stored */
    const char *changed_tier; /* NULL: it runs where it ran before */
    int compares;             /* all that is stored was made on this tier */
    uint32_t threads;
    double first_interval;
    double next; /* time of the next change; 0: not set yet */
    int64_t began_at;
    int started;      /* the job is running in the store, or a change that makes it so is under way */
    uint64_t version; /* of the job after its last change */
    int dropped;      /* the old tier's checkpoints are gone, or a change that drops them is under way */

    struct batch filling, sent;
    struct jobs_change change; /* the one with the store; points into `sent` */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    int busy;
    enum status status; /* of the last change */
    struct error error;
    unsigned checkpoints; /* stored */
};

static void batch_release(struct batch *batch)
{
    for (size_t i = 0; i < batch->remark_count; i++) {
        free((char *)(uintptr_t)batch->remarks[i].data);
    }
    if (batch->has_checkpoint) {
        free((char *)(uintptr_t)batch->checkpoint.data);
        object_release(&batch->object);
    }
    batch->row_count = batch->remark_count = 0;
    batch->has_checkpoint = batch->has_progress = 0;
}

/* Of a job that never ran, and goes on from no other, nothing can be there. */
static int has_rows(const struct job_view *job)
{
    return job->started_at > 0 || job->extended_from[0] != '\0';
}

enum status recorder_new(struct recorder **out, struct store *store, const struct job_view *job, struct error *error)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    enum status status;

    *out = NULL;
    if (recorder == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the job's curves");
    }
    recorder->store = store;
    recorder->id = job->id;
    recorder->shown_step = job->progress.step;
    recorder->started = job->status != JOB_QUEUED;
    recorder->compares = job->kernel_tier[0] == '\0'; /* else it has changed before, and rows of both may be there */
    recorder->began_at = clock_realtime_ms();
    recorder->first_interval = FIRST_INTERVAL;
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_cond_init(&recorder->done, NULL);
    status = has_rows(job) ? metrics_list(store, job->id, -1, &recorder->stored, error) : STATUS_OK;
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
    batch_release(&recorder->filling);
    batch_release(&recorder->sent);
    free(recorder->filling.rows);
    free(recorder->sent.rows);
    metric_list_release(&recorder->stored);
    pthread_cond_destroy(&recorder->done);
    pthread_mutex_destroy(&recorder->lock);
    free(recorder);
}

/* ---- where the run stands against what was shown ---- */

void recorder_resume(struct recorder *recorder, uint64_t step)
{
    const struct metric_list *stored = &recorder->stored;

    while (recorder->replayed < stored->count && stored->rows[recorder->replayed].point.step <= step) {
        recorder->replayed++;
    }
}

void recorder_change_tier(struct recorder *recorder, const char *tier)
{
    recorder->changed_tier = tier;
    recorder->compares = 0;
}

int recorder_is_replaying(const struct recorder *recorder)
{
    return recorder->replayed < recorder->stored.count;
}

double recorder_clock(const struct recorder *recorder, double elapsed)
{
    if (recorder_is_replaying(recorder)) {
        return recorder->replayed > 0 ? recorder->stored.rows[recorder->replayed - 1].seconds : 0;
    }
    return elapsed + recorder->offset;
}

void recorder_set_threads(struct recorder *recorder, uint32_t threads)
{
    recorder->threads = threads;
}

void recorder_set_progress(struct recorder *recorder, const struct job_progress *progress)
{
    if (progress->step >= recorder->shown_step || progress->fraction >= 1) {
        recorder->filling.progress = *progress;
        recorder->filling.has_progress = 1;
    }
}

/* ---- checkpoints and remarks ---- */

void recorder_add_checkpoint(struct recorder *recorder, struct object *object, uint64_t step, uint32_t keep, char *data)
{
    struct batch *batch = &recorder->filling;

    if (batch->has_checkpoint) {
        free((char *)(uintptr_t)batch->checkpoint.data);
        object_release(&batch->object);
    }
    batch->object = *object;
    *object = (struct object){.size = 0};
    batch->checkpoint = (struct checkpoint_new){.step = step, .object = &batch->object, .data = data, .keep = keep};
    batch->has_checkpoint = 1;
}

void recorder_add_remark(struct recorder *recorder, char *data)
{
    struct batch *batch = &recorder->filling;

    if (data == NULL || batch->remark_count == REMARKS_MAX) {
        log_warning(recorder->id, "a remark was lost: %s", data != NULL ? data : "no memory");
        free(data);
        return;
    }
    batch->remarks[batch->remark_count++] = (struct event_new){.type = EVENT_LOG, .data = data};
}

unsigned recorder_checkpoints_stored(struct recorder *recorder)
{
    unsigned count;

    pthread_mutex_lock(&recorder->lock);
    count = recorder->checkpoints;
    pthread_mutex_unlock(&recorder->lock);
    return count;
}

/* ---- handing over ---- */

static void count_checkpoint(const struct batch *batch)
{
    FAILPOINT(CHECKPOINT_AFTER_DB);
    monitor_add(MONITOR_CHECKPOINTS, 1);
    monitor_add(MONITOR_CHECKPOINT_BYTES, batch->object.size);
}

static void stored(void *context, enum status status, const struct error *error)
{
    struct recorder *recorder = context;

    pthread_mutex_lock(&recorder->lock);
    recorder->busy = 0;
    recorder->status = status;
    recorder->error = *error;
    if (status == STATUS_OK && recorder->sent.has_checkpoint) {
        recorder->checkpoints++;
        count_checkpoint(&recorder->sent);
    }
    pthread_cond_broadcast(&recorder->done);
    pthread_mutex_unlock(&recorder->lock);
}

/* The change that stores a batch; which status it leads to is the caller's. */
static struct jobs_change change_of(struct recorder *recorder, struct batch *batch)
{
    return (struct jobs_change){.id = recorder->id,
                                .from = job_states_with(TRIGGER_SUCCEED), /* all in which a runner has it */
                                .to = JOB_STATUS_KEEP,
                                .kernel_tier = recorder->changed_tier,
                                .drop_checkpoints = recorder->changed_tier != NULL && !recorder->dropped,
                                .threads = recorder->threads,
                                .progress = batch->has_progress ? &batch->progress : NULL,
                                .rows = batch->rows,
                                .row_count = batch->row_count,
                                .checkpoint = batch->has_checkpoint ? &batch->checkpoint : NULL,
                                .events = batch->remarks,
                                .event_count = batch->remark_count};
}

/* Failures that pass, after which the same change is made again. */
static int is_passing(enum status status)
{
    return status == STATUS_INSUFFICIENT_STORAGE || status == STATUS_OUT_OF_MEMORY;
}

/* What has gathered becomes what is sent; what was sent makes room. The latest progress stays. */
static void fill_change(struct recorder *recorder)
{
    struct batch *sent = &recorder->sent, *filling = &recorder->filling, empty;

    batch_release(sent);
    empty = *sent;
    *sent = *filling;
    sent->checkpoint.object = &sent->object;
    empty.progress = filling->progress;
    empty.has_progress = filling->has_progress;
    *filling = empty;
    recorder->change = change_of(recorder, sent);
    recorder->dropped = 1;
    if (!recorder->started) {
        recorder->change.from = job_states_with(TRIGGER_START);
        recorder->change.to = JOB_RUNNING;
        recorder->change.began_at = recorder->began_at;
        recorder->started = 1;
    }
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
    if (!is_passing(recorder->status)) {
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

void recorder_expect_end(struct recorder *recorder)
{
    recorder->first_interval = SHORT_INTERVAL;
}

enum status recorder_poll(struct recorder *recorder, double now, int at_once, struct error *error)
{
    struct error reason = {0};
    int busy;
    enum status status = last_status(recorder, &busy, &reason);

    if (status != STATUS_OK && !is_passing(status)) {
        *error = reason;
        return status;
    }
    if (recorder->next == 0) {
        recorder->next = now + recorder->first_interval;
    }
    if ((at_once || now >= recorder->next) && !busy) {
        hand_over(recorder);
        recorder->next = now + INTERVAL;
    }
    return STATUS_OK;
}

/* ---- rows ---- */

/* Compares a point with the stored row that it repeats. */
static enum status replay(struct recorder *recorder, const struct train_point *point, double elapsed, struct error *error)
{
    const struct metric_row *before = &recorder->stored.rows[recorder->replayed++];

    if (recorder->compares && !train_points_equal(&before->point, point)) {
        return error_set(error, STATUS_REPLAY_MISMATCH, "step %llu came out otherwise than before the restart",
                         (unsigned long long)point->step);
    }
    recorder->offset = before->seconds - elapsed;
    return STATUS_OK;
}

/* For twice as many rows. */
static int make_room(struct batch *batch)
{
    size_t room = batch->row_room > 0 ? 2 * batch->row_room : ROWS_FIRST;
    struct metric_row *rows = realloc(batch->rows, room * sizeof *rows);

    if (rows == NULL) {
        return 0;
    }
    batch->rows = rows;
    batch->row_room = room;
    return 1;
}

enum status recorder_add(struct recorder *recorder, const struct train_point *point, double elapsed, struct error *error)
{
    struct batch *batch = &recorder->filling;
    int busy;

    if (recorder_is_replaying(recorder)) {
        return replay(recorder, point, elapsed, error);
    }
    if (batch->row_count == ROWS_MAX) {
        enum status status;

        wait_for_store(recorder);
        status = last_status(recorder, &busy, error);
        if (status != STATUS_OK) {
            return status;
        }
        hand_over(recorder);
    }
    if (batch->row_count == batch->row_room && !make_room(batch)) {
        return error_set(error, STATUS_INSUFFICIENT_STORAGE, "no memory for %zu rows of the curves", batch->row_count);
    }
    batch->rows[batch->row_count++] = (struct metric_row){*point, recorder_clock(recorder, elapsed)};
    return STATUS_OK;
}

/* ---- the end ---- */

/* What must hold before the last change: nothing is left over from an earlier one, nothing that was shown is missing. */
static enum status settle(struct recorder *recorder, enum job_trigger trigger, struct error *error)
{
    struct error last = {0};
    int busy;
    enum status status;

    wait_for_store(recorder);
    if (is_passing(recorder->status)) {
        hand_over(recorder);
        wait_for_store(recorder);
    }
    status = last_status(recorder, &busy, &last);
    if (is_passing(status) || (status != STATUS_OK && trigger != TRIGGER_FAIL && trigger != TRIGGER_CANCELLED)) {
        *error = last;
        return status;
    }
    if (trigger == TRIGGER_SUCCEED && recorder_is_replaying(recorder) && recorder->compares) {
        return error_set(error, STATUS_REPLAY_MISMATCH, "the job ended at an earlier step than before the restart");
    }
    return STATUS_OK;
}

enum status recorder_end(struct recorder *recorder, const struct recorder_end *end, struct error *error)
{
    struct jobs_change change;
    struct error ended = {0};
    int busy;
    enum status status = settle(recorder, end->trigger, error);

    if (status != STATUS_OK) {
        return status;
    }
    recorder_start(recorder); /* if it has not: in front of the last change and in the same commit */
    change = change_of(recorder, &recorder->filling);
    change.from = end->from != 0 ? end->from : job_states_with(end->trigger);
    change.to = job_trigger_target(end->trigger);
    change.reason = end->reason;
    change.pause_reason = end->pause_reason;
    change.outcome = end->outcome;
    FAILPOINT(FINISH_BEFORE_COMMIT);
    status = store_wait(recorder->store, jobs_change(&change), &ended);
    FAILPOINT(FINISH_AFTER_COMMIT);
    if (status == STATUS_STATE_CONFLICT && is_passing(last_status(recorder, &busy, error))) {
        return error->status; /* the change in front of it was not made */
    }
    recorder->version = change.op.version;
    if (status != STATUS_OK) {
        *error = ended;
    } else if (recorder->filling.has_checkpoint) {
        count_checkpoint(&recorder->filling);
    }
    return status;
}

uint64_t recorder_version(const struct recorder *recorder)
{
    return recorder->version;
}
