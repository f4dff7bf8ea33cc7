/* Puts store, scheduler and models together, and finds the handler of a request. */
#include "app.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "api/routes.h"
#include "core/base/kernel_tier.h"
#include "server/clock.h"
#include "server/config.h"
#include "server/failpoint.h"
#include "server/handlers/event_pages.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job_answers.h"
#include "server/housekeeping.h"
#include "server/http/waiters.h"
#include "server/jobs/checkpoint_writer.h"
#include "server/jobs/scheduler.h"
#include "server/last_death.h"
#include "server/log.h"
#include "server/models/model_cache.h"
#include "server/models/model_load.h"
#include "server/monitor.h"
#include "server/store/jobs.h"

/* Routes with a streamed body have none: their bodies go to `uploads`. */
static handler *const HANDLERS[ROUTE_COUNT] = {
    [ROUTE_HEALTH] = get_health,
    [ROUTE_READY] = get_ready,
    [ROUTE_MONITORING] = get_monitoring,
    [ROUTE_INFO] = get_info,
    [ROUTE_ALGORITHMS] = list_algorithms,
    [ROUTE_OPENAPI] = get_openapi,
    [ROUTE_LIST_DATASETS] = list_datasets,
    [ROUTE_GET_DATASET] = get_dataset,
    [ROUTE_DELETE_DATASET] = delete_dataset,
    [ROUTE_DATASET_ROWS] = list_dataset_rows,
    [ROUTE_CREATE_JOB] = create_job,
    [ROUTE_CREATE_RACE] = create_race,
    [ROUTE_LIST_JOBS] = list_jobs,
    [ROUTE_GET_JOB] = get_job,
    [ROUTE_PAUSE_JOB] = pause_job,
    [ROUTE_RESUME_JOB] = resume_job,
    [ROUTE_STOP_JOB] = stop_job,
    [ROUTE_PATCH_JOB] = patch_job,
    [ROUTE_RERUN_JOB] = rerun_job,
    [ROUTE_CANCEL_JOB] = cancel_job,
    [ROUTE_DELETE_JOB] = delete_job,
    [ROUTE_GET_SPEC] = get_job_spec,
    [ROUTE_LIST_EVENTS] = list_job_events,
    [ROUTE_GET_METRICS] = get_job_metrics,
    [ROUTE_COMPARE] = compare_jobs,
    [ROUTE_GET_RESULTS] = get_job_results,
    [ROUTE_GET_PROFILE] = get_job_profile,
    [ROUTE_LIST_CHECKPOINTS] = list_checkpoints,
    [ROUTE_PREDICT_JOB] = predict_job,
    [ROUTE_SCHEDULER] = get_scheduler,
    [ROUTE_LIST_MODELS] = list_models,
    [ROUTE_GET_MODEL] = get_model,
    [ROUTE_DELETE_MODEL] = delete_model,
    [ROUTE_GET_HARDEST] = get_job_hardest,
    [ROUTE_PREDICT] = predict,
    [ROUTE_EVALUATE] = evaluate,
    [ROUTE_CHECK_GRADIENT] = check_gradient,
    [ROUTE_EXPORT] = export_model,
    [ROUTE_LIST_LANDSCAPES] = list_landscapes,
    [ROUTE_GET_LANDSCAPE] = get_landscape,
    [ROUTE_LANDSCAPE_POINT] = get_landscape_point,
    [ROUTE_LANDSCAPE_GRID] = get_landscape_grid,
    [ROUTE_DESCEND_LANDSCAPE] = descend_landscape,
    [ROUTE_DESCEND_FORMULA] = descend_formula,
    [ROUTE_CROSS_ENTROPY] = measure_cross_entropy,
};

static uint64_t machine_memory(void)
{
    struct sysinfo info;

    return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : (uint64_t)1 << 30;
}

static void job_changed(void *context, const char *job, uint64_t version, enum job_status entered)
{
    struct app *app = context;

    (void)version;                                             /* who waits looks for itself */
    if (entered != JOB_STATUS_KEEP && entered != JOB_FAILED) { /* the runner tells of a failure, with its reason */
        log_info(job, "%s", job_status_name(entered));
    }
    if (entered != JOB_STATUS_KEEP && job_status_is_terminal(entered)) {
        monitor_job_finished(entered);
    }
    waiters_wake(app->waiters, job);
}

static enum status set_kernel_tier(const char *name, struct error *error)
{
    if (name == NULL) {
        return kernel_tier_set(kernel_tier_detect(), error);
    }
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (strcmp(instruction_set_name((enum instruction_set)isa), name) == 0) {
            return kernel_tier_set((enum instruction_set)isa, error);
        }
    }
    return error_set(error, STATUS_CONFIG_INVALID, "--kernel-tier %.32s is not known: reference, baseline, avx2 or avx512",
                     name);
}

enum status app_new(const struct config *config, struct waiters *waiters, struct app **out, struct error *error)
{
    struct app *app = calloc(1, sizeof *app);
    enum status status;

    *out = NULL;
    if (app == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to start");
    }
    app->config = config;
    idempotency_claims_init(&app->claims);
    app->waiters = waiters;
    app->cores = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    app->threads = config->threads > 0 ? (uint32_t)config->threads : app->cores;
    app->memory_bytes = config->memory > 0 ? config->memory : machine_memory() / 4 * 3;
    app->started_at = clock_realtime_ms();
    app->started_monotonic = clock_monotonic_ms();
    atomic_init(&app->phase, APP_STARTING);
    status = set_kernel_tier(config->kernel_tier, error);
    if (status == STATUS_OK) {
        status = store_open(&app->store, config->data, error);
    }
    if (status != STATUS_OK) {
        idempotency_claims_destroy(&app->claims);
        free(app);
        return status;
    }
    store_on_commit(app->store, job_changed, app);
    *out = app;
    return STATUS_OK;
}

/* What the last process left, judged by what is known of its end. */
static enum status recover(struct app *app, struct jobs_recover *recovery, struct error *error)
{
    struct last_death death;
    enum status status = last_death_find(&death, app->store, app->config->data, error);

    if (status != STATUS_OK) {
        return status;
    }
    recovery->accused = &death.accused;
    recovery->accused_count = death.accused[0] != '\0';
    recovery->oom_kill = death.oom_kill;
    recovery->facts = death.facts;
    recovery->fact_count = LAST_DEATH_FACTS;
    status = store_wait(app->store, jobs_recover(recovery), error);
    recovery->accused = NULL; /* they end with `death` */
    recovery->facts = NULL;
    if (status == STATUS_OK) {
        last_death_watch(&death);
    }
    return status;
}

enum status app_start(struct app *app, struct error *error)
{
    struct scheduler_setup setup = {.store = app->store,
                                    .threads = app->threads,
                                    .memory_bytes = app->memory_bytes,
                                    .max_queued_jobs = (uint32_t)app->config->max_queued_jobs};
    struct jobs_recover recovery = {0};
    enum status status = recover(app, &recovery, error);

    FAILPOINT(BOOT_RECOVERED);
    if (status == STATUS_OK) {
        status = model_cache_new(&app->models, model_load, app->store, error);
    }
    if (status == STATUS_OK) {
        status = event_pages_new(&app->event_pages, error);
    }
    if (status == STATUS_OK) {
        status = job_answers_new(&app->job_answers, app->store, error);
    }
    if (status == STATUS_OK) {
        status = checkpoint_writer_new(&app->checkpoints, app->store, error);
    }
    if (status == STATUS_OK) {
        setup.checkpoints = app->checkpoints;
        status = scheduler_new(&app->scheduler, &setup, error);
    }
    if (status == STATUS_OK) {
        const struct retention limits = {.keep_days = app->config->keep_days, .keep_bytes = app->config->keep_bytes};

        status = housekeeping_new(&app->housekeeping, app->store, app->scheduler, &limits, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (recovery.requeued + recovery.paused + recovery.cancelled + recovery.failed > 0) {
        log_info(NULL, "after the last run: %u jobs queued again, %u paused, %u cancelled, %u failed as crash_loop",
                 recovery.requeued, recovery.paused, recovery.cancelled, recovery.failed);
    }
    FAILPOINT(BOOT_DONE);
    atomic_store(&app->phase, APP_READY);
    return STATUS_OK;
}

void app_handle(void *context, struct request *request)
{
    struct app *app = context;

    HANDLERS[request_route(request)->id](app, request);
}

void app_answer_at_once(void *context, struct request *request)
{
    if (request_route(request)->id == ROUTE_GET_JOB) { /* what clients poll, many times a second */
        get_job_at_once(context, request);
    }
}

const struct upload_ops *app_uploads(void)
{
    return &uploads;
}

int app_drain(struct app *app, int64_t wait_ms)
{
    int ended;

    atomic_store(&app->phase, APP_DRAINING);
    ended = scheduler_drain(app->scheduler, wait_ms);
    housekeeping_free(app->housekeeping); /* after a turn under way, which went on meanwhile */
    app->housekeeping = NULL;
    return ended;
}

void app_free(struct app *app)
{
    if (app == NULL) {
        return;
    }
    housekeeping_free(app->housekeeping);
    scheduler_free(app->scheduler);
    checkpoint_writer_free(app->checkpoints);
    model_cache_free(app->models);
    event_pages_free(app->event_pages);
    job_answers_free(app->job_answers);
    store_close(app->store);
    idempotency_claims_destroy(&app->claims);
    free(app);
}
