/*
 * The handlers: one function a route, named after the route's operation. app.c has the table from route to function.
 *
 * A handler decodes what is left to decode, asks the store or the scheduler, and answers (request.h tells the rules). What
 * several of them need stands in reply.h.
 */
#ifndef DESCENT_SERVER_HANDLERS_HANDLERS_H
#define DESCENT_SERVER_HANDLERS_HANDLERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "server/config.h"
#include "server/handlers/idempotency.h"
#include "server/http/request.h"
#include "server/store/store.h"

struct checkpoint_writer;
struct housekeeping;
struct scheduler;
struct model_cache;
struct event_pages;
struct job_answers;

/* Where the server stands; health checks read it on a polling thread. */
enum app_phase { APP_STARTING, APP_READY, APP_DRAINING };

/* What handlers work with. All but `phase` and `claims` is fixed after app_start. */
struct app {
    const struct config *config;
    struct waiters *waiters;
    struct store *store;
    struct checkpoint_writer *checkpoints;
    struct scheduler *scheduler;
    struct housekeeping *housekeeping;
    struct model_cache *models;
    struct idempotency_claims claims;
    struct event_pages *event_pages;
    struct job_answers *job_answers;
    uint32_t cores, threads;   /* of the machine; for training */
    uint64_t memory_bytes;     /* budget for training */
    int64_t started_at;        /* ms since 1970 */
    int64_t started_monotonic; /* ms */
    atomic_int phase;          /* enum app_phase */
};

typedef void handler(struct app *app, struct request *request);

/* handlers/info.c */
handler get_health, get_ready, get_info, list_algorithms, get_openapi;
/* handlers/monitoring.c */
handler get_monitoring;
/* handlers/datasets.c */
handler list_datasets, get_dataset, delete_dataset, list_dataset_rows;
/* handlers/uploads.c: POST /v1/datasets and PUT .../labels, streamed */
extern const struct upload_ops uploads;
/* handlers/submit.c */
handler create_job, rerun_job;
/* handlers/races.c */
handler create_race;
/* handlers/patch.c */
handler patch_job;
/* handlers/jobs.c */
handler list_jobs, get_job, delete_job, get_job_spec, get_job_results;
/* get_job from memory and on a polling thread, where that is possible */
handler get_job_at_once;
/* handlers/job_actions.c */
handler pause_job, resume_job, stop_job, cancel_job;
/* handlers/job_checkpoints.c */
handler list_checkpoints, predict_job;
/* handlers/job_profile.c */
handler get_job_profile;
/* handlers/job_hardest.c */
handler get_job_hardest;
/* handlers/scheduler.c */
handler get_scheduler;
/* handlers/events.c: as pages and as a stream */
handler list_job_events;
/* handlers/curves.c */
handler get_job_metrics;
/* handlers/comparisons.c */
handler compare_jobs;
/* handlers/models.c */
handler list_models, get_model, delete_model, predict, evaluate, export_model;
/* handlers/landscapes.c */
handler list_landscapes, get_landscape, get_landscape_point, get_landscape_grid;
/* handlers/descents.c */
handler descend_landscape, descend_formula;
/* handlers/calculators.c */
handler measure_cross_entropy;
/* handlers/model_gradient_check.c */
handler check_gradient;

#endif
