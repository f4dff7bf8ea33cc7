/*
 * Jobs in the store. A job's version grows by one with each operation that touches it; times never run backwards
 * within a job, whatever the clock does.
 */
#ifndef DESCENT_SERVER_STORE_JOBS_H
#define DESCENT_SERVER_STORE_JOBS_H

#include "api/job_states.h"
#include "server/store/checkpoints.h"
#include "server/store/datasets.h"
#include "server/store/events.h"
#include "server/store/facts.h"
#include "server/store/idempotency.h"
#include "server/store/metrics.h"
#include "server/store/models.h"
#include "server/store/store.h"

/*
 * Stores a queued job and its first event, with the data sets that came inline in the request.
 *   job            in: everything that a client gave (id optional); out: id, status, version, created_at
 *   dataset, test  NULL, or inline data sets: their ids (new or existing) go into job->dataset and job->test_dataset
 *   key            NULL, or what the answer is kept under: the first answer's body is that of encode_job
 * job->extended_from: its last checkpoint and its curves up to there become the new job's, too, and job->progress says so.
 * STATUS_DATASET_NOT_FOUND, STATUS_DATASET_NOT_READY when a data set that the job names is not there (any more), or
 * still awaits its labels. STATUS_MODEL_NOT_FOUND: job->initial_model is not there. STATUS_NOT_EXTENDABLE: extended_from
 * has no checkpoint (any more); STATUS_NOT_FOUND, STATUS_DELETED: it is not there itself. STATUS_IDEMPOTENCY_KEY_REUSED: the
 * key is there already (with whatever request).
 */
struct jobs_insert {
    struct store_op op;
    struct job_view *job;
    struct datasets_insert *dataset, *test;
    const struct idempotency_key *key;
};
struct store_op *jobs_insert(struct jobs_insert *insert);

/* How a job ended, beside its status. Everything is optional and borrowed. */
struct job_outcome {
    enum stop_reason stop_reason;
    const char *error;              /* JSON object text */
    const char *results;            /* JSON object text */
    const struct model_view *model; /* its digest and step become the job's; id is given */
    struct object *object;          /* the model's file */
};

#define JOB_SET(status) (1u << (status))
#define JOB_SET_ACTIVE  (JOB_SET(JOB_SUCCEEDED) - 1) /* all that are not terminal */
#define JOB_STATUS_KEEP JOB_STATUS_COUNT

/*
 * One change of a job: its status, its progress, rows of its curves, a checkpoint, events, its end; all or nothing, one
 * new version. Guarded by `from`: a job in another status is left alone, STATUS_STATE_CONFLICT, and `current` says what it
 * is in. A change of status that is not in api/job_states.def is a mistake of ours: STATUS_INTERNAL.
 * Events come in this order: "running"; those of rows; the checkpoint's; the state event of any other status; `events`; the
 * done event of the end. A paused job's state event has its pause_reason as "reason". Entering running sets started_at (the
 * first time), a terminal status sets finished_at; any status but paused clears pause_reason. STATUS_NOT_FOUND,
 * STATUS_DELETED.
 */
struct jobs_change {
    struct store_op op;
    const char *id;
    unsigned from;                       /* JOB_SET(...) | ... */
    uint64_t if_version;                 /* a job that has changed since is left alone, likewise; 0: whatever it is */
    enum job_status to;                  /* JOB_STATUS_KEEP: no change */
    int64_t began_at;                    /* ms since 1970; 0: now. Becomes started_at with the first change to running */
    const char *reason;                  /* NULL, or one word: "reason" in the state event */
    const char *pause_reason;            /* NULL: as it was; "": none */
    const char *kernel_tier;             /* NULL: as it was */
    uint32_t threads;                    /* 0: as it was */
    const struct job_progress *progress; /* NULL: as it was */
    const struct metric_row *rows;       /* [row_count], steps ascending; a step that is stored already is skipped */
    size_t row_count;
    const struct checkpoint_new *checkpoint; /* NULL: none. Also clears `crashes` and `suspect`: the job has proved itself */
    int drop_checkpoints;                    /* all that there are, before `checkpoint` */
    const struct event_new *events;          /* [event_count] */
    size_t event_count;
    const struct job_outcome *outcome; /* only with a terminal `to`; NULL: nothing to add */
    enum job_status current;           /* out: after the change, or what stood in its way */
};
struct store_op *jobs_change(struct jobs_change *change);

/*
 * What a client asks of a job: api/job_states.def says where that leads. STATUS_STATE_CONFLICT where it leads nowhere:
 * `current` is the status that stands in the way; else it is the new one.
 */
struct jobs_act {
    struct store_op op;
    const char *id;
    enum job_trigger trigger;
    enum job_status current; /* out */
};
struct store_op *jobs_act(struct jobs_act *asked);

/* PATCH: what is not NULL becomes the job's. Any status. STATUS_NOT_FOUND, STATUS_DELETED, STATUS_PRECONDITION_FAILED. */
struct jobs_patch {
    struct store_op op;
    const char *id;
    const char *name;        /* NULL: as it was */
    const char *metadata;    /* JSON object text; NULL: as it was */
    const int32_t *priority; /* NULL: as it was */
    uint64_t if_version;     /* 0: whatever it is */
};
struct store_op *jobs_patch(struct jobs_patch *patch);

/* Terminal jobs only (STATUS_STATE_CONFLICT, `current`). Events, curves and results go, models stay; later reads say
 * STATUS_DELETED. */
struct jobs_delete {
    struct store_op op;
    const char *id;
    enum job_status current;
};
struct store_op *jobs_delete(struct jobs_delete *deletion);

/*
 * Once, before the scheduler starts, what the last process left: jobs that were running go back to the queue (restarts + 1,
 * an event with reason "restart"), pausing ones are paused (reason "user"), cancelling ones cancelled, stopping ones stay
 * for a runner to end; paused ones with the reason storage_full go back to the queue.
 *
 * accused: jobs that the last process's death is evidence against, by a fatal signal in one of their threads; ids of jobs
 * that are not there, or have ended, are passed over. oom_kill: the kernel killed it for its memory, which is evidence
 * against every job that was under way: running, pausing, stopping, cancelling, and those accused, which may have died
 * before they were running in the store. Each of them becomes a suspect, which runs alone until its next checkpoint; the
 * only one under way also gets crashes + 1, and with CRASHES_MAX ends as failed, its error
 * {"code":"crash_loop","message":…}.
 */
#define CRASHES_MAX 3
struct jobs_recover {
    struct store_op op;
    char (*accused)[ID_TEXT]; /* [accused_count], only read */
    size_t accused_count;
    int oom_kill;
    const struct fact *facts; /* [fact_count]: kept with it, so that no evidence counts twice */
    size_t fact_count;
    uint32_t requeued, paused, cancelled, failed; /* out */
};
struct store_op *jobs_recover(struct jobs_recover *recovery);

/* Which large parts to read, beside what the job object shows. */
enum job_part { JOB_SPEC = 1, JOB_RESULTS = 2, JOB_REQUEST = 4 };

/* STATUS_NOT_FOUND, STATUS_DELETED. Parts not asked for are NULL. Release with job_view_release. */
MUST_CHECK enum status jobs_get(struct store *store, const char *id, unsigned parts, struct job_view *job,
                                struct error *error);

struct job_label {
    const char *key, *value;
};
struct job_filter {
    unsigned statuses;              /* JOB_SET(...) | ..., 0: all */
    const struct job_label *labels; /* [label_count]: metadata members that must have these values */
    size_t label_count;             /* at most JOB_LABELS_MAX */
};
#define JOB_LABELS_MAX 16

struct job_list {
    struct job_view *items; /* [count], owned; without spec and results */
    size_t count;
    int has_more;
};
MUST_CHECK enum status jobs_list(struct store *store, const struct page_query *query, const struct job_filter *filter,
                                 struct job_list *list, struct error *error);
void job_list_release(struct job_list *list);

/*
 * The queue: queued jobs, and stopping ones, which a runner must end if none has them in hand, by priority (highest first),
 * then age. *tickets [*count] is the caller's to free.
 */
struct job_ticket {
    char id[ID_TEXT];
    int64_t number; /* in order of submission: its age */
    int32_t priority;
    uint64_t version; /* of the job, when it was looked at; 0: not known */
    uint64_t memory_bytes;
    int suspect;
};
struct job_ticket job_ticket_of(const struct job_view *job);
MUST_CHECK enum status jobs_queue(struct store *store, struct job_ticket **tickets, size_t *count, struct error *error);
/* Jobs in each status. */
MUST_CHECK enum status jobs_count(struct store *store, uint64_t counts[JOB_STATUS_COUNT], struct error *error);

#endif
