/*
 * What clients are shown: jobs, events, curves, data sets, models, as plain structs between the store (which fills and
 * keeps them) and the encoders (which write them as JSON). Times are milliseconds since 1970 UTC, 0: none.
 */
#ifndef DESCENT_API_VIEWS_H
#define DESCENT_API_VIEWS_H

#include <stdint.h>

#include "core/base/status.h"
#include "core/train/trainer.h"

#define ID_TEXT     28 /* "job_" + 20 characters and a NUL, with room */
#define NAME_TEXT   65 /* [A-Za-z0-9][A-Za-z0-9 ._-]{0,63} */
#define SHA256_TEXT 65

enum job_status {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_PAUSING,
    JOB_PAUSED,
    JOB_STOPPING,
    JOB_CANCELLING,
    JOB_SUCCEEDED,
    JOB_FAILED,
    JOB_CANCELLED,
    JOB_STATUS_COUNT
};
const char *job_status_name(enum job_status status);
int job_status_is_terminal(enum job_status status);
/* -1 when `name` is no status. */
int job_status_parse(const char *name);

/* The live part of a job, as of its version. NaN: not known (null in JSON). */
struct job_progress {
    double fraction; /* 0 ... 1 */
    double epoch;
    uint64_t step, total_steps, samples_seen;
    double samples_per_second, eta_seconds;
    double train_loss, train_accuracy, validation_loss, validation_accuracy, learning_rate, gradient_norm; /* latest */
    double best_value;
    uint64_t best_step; /* 0: none */
    enum metric best_metric;
};

/* Nothing has happened yet: everything is 0 or not known. */
struct job_progress job_progress_none(void);

/* Strings are owned by whoever filled the struct; job_view_release frees them. */
struct job_view {
    int64_t number; /* 1, 2 ... in order of submission; 0: not stored yet */
    char id[ID_TEXT];
    char name[NAME_TEXT];
    enum job_status status;
    char pause_reason[16];
    uint64_t version;
    int64_t created_at, started_at, finished_at;
    struct job_progress progress;
    uint64_t seed;
    uint32_t threads; /* 0: not chosen yet */
    int32_t priority;
    uint32_t restarts;
    enum stop_reason stop_reason; /* STOP_NONE until the end */
    char model[ID_TEXT];          /* "": none */
    char digest[SHA256_TEXT];     /* "": none */
    uint64_t digest_step;
    char *spec;     /* resolved spec, JSON text */
    char *metadata; /* JSON object text, "{}" */
    char *error;    /* JSON object text or NULL */
    char *results;  /* JSON object text or NULL; never part of the job object */
    char *request;  /* the spec as it was sent, JSON text; NULL: resolved spec is all there is */
    char dataset[ID_TEXT], test_dataset[ID_TEXT]; /* "": generator */
    char dataset_sha256[SHA256_TEXT];
    char extended_from[ID_TEXT]; /* the job whose training this one goes on with, "": none */
    char initial_model[ID_TEXT]; /* the model whose weights it begins with, "": none */
    char kernel_tier[128];       /* that its training runs (or ran) on; "": that of the spec */
    uint64_t memory_bytes;       /* its plan's; 0: not known */
    uint32_t crashes;            /* deaths of the server while it ran alone, since its last checkpoint */
    int suspect;                 /* it runs alone until it has made a checkpoint */
};
void job_view_release(struct job_view *job);

/* One row of a job's curves. */
struct metric_row {
    struct train_point point;
    double seconds; /* training time without pauses and downtime */
};

enum event_type { EVENT_STATE, EVENT_METRIC, EVENT_CHECKPOINT, EVENT_LOG, EVENT_DONE, EVENT_TYPE_COUNT };
const char *event_type_name(enum event_type type);

struct event_view {
    uint64_t id; /* 1, 2, 3 ... per job */
    enum event_type type;
    int64_t created_at;
    char *data; /* JSON object text, owned */
};

struct class_view {
    char *name; /* owned */
    uint64_t count;
};

struct feature_view {
    char *name; /* owned; NULL: no name */
    struct feature_stats stats;
};

enum dataset_status { DATASET_READY, DATASET_AWAITING_LABELS };

struct dataset_view {
    char id[ID_TEXT];
    char name[NAME_TEXT];
    enum dataset_status status;
    int64_t created_at;
    uint64_t rows;
    uint32_t features, channels, height, width;
    int is_image, is_soft; /* is_soft: labels are probability rows */
    char format[16];       /* csv, idx, inline, generator */
    char feature_type[8];  /* u8, f32 */
    uint64_t bytes;
    char sha256[SHA256_TEXT];
    uint32_t class_count;
    struct class_view *class_list;     /* [class_count], owned */
    uint32_t feature_count;            /* tables up to 1,024 features list each; otherwise only `overall` */
    struct feature_view *feature_list; /* [feature_count], owned */
    struct feature_stats overall;      /* over all values */
};
void dataset_view_release(struct dataset_view *dataset);

struct model_view {
    char id[ID_TEXT];
    char name[NAME_TEXT];
    char job[ID_TEXT];
    int64_t created_at;
    uint64_t bytes, parameters;
    uint64_t step;
    char digest[SHA256_TEXT]; /* of the parameters */
    char object[SHA256_TEXT]; /* of the model file */
    char kernel_tier[128];
    char *spec;        /* {"type":…,"layers":[…],"preprocessing":…}, JSON text, owned */
    char *classes;     /* JSON array of class names, owned */
    char *scores;      /* {"validation":{"loss":…,"accuracy":…},…} or NULL, owned */
    char *calibration; /* {"method":"temperature","temperature":…,…} or NULL, owned */
};
void model_view_release(struct model_view *model);

#endif
