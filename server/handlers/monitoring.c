/*
 * GET /metrics. Most figures were counted where they happened (server/monitor.h); those that only a look can tell are read
 * here, each by one short call, and none of them under a lock that training waits for. What cannot be read is left
 * out: the figures are wanted most when something is broken.
 */
#include "api/json_writer.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/jobs/scheduler.h"
#include "server/log.h"
#include "server/monitor.h"
#include "server/process_figures.h"
#include "server/store/jobs.h"

static void read_jobs(struct app *app)
{
    uint64_t counts[JOB_STATUS_COUNT];
    struct error error = {0};
    int known = jobs_count(app->store, counts, &error) == STATUS_OK;

    if (!known) {
        log_warning(NULL, "GET /metrics goes without the number of jobs: %s", error.message);
    }
    for (int status = 0; status < JOB_STATUS_COUNT; status++) {
        monitor_set_jobs((enum job_status)status, known ? counts[status] : MONITOR_UNKNOWN);
    }
}

static void read_scheduler(struct app *app)
{
    struct scheduler_figures figures;

    scheduler_figures(app->scheduler, &figures);
    monitor_set(MONITOR_QUEUE_LENGTH, figures.queued);
    monitor_set(MONITOR_RUNNING_JOBS, figures.running);
    monitor_set(MONITOR_TRAINING_THREADS, figures.threads);
    monitor_set(MONITOR_TRAINING_THREADS_BUSY, figures.busy_threads);
    monitor_set(MONITOR_TRAINING_MEMORY, figures.memory_bytes);
    monitor_set(MONITOR_TRAINING_MEMORY_USED, figures.used_bytes);
}

static void read_store(struct app *app)
{
    struct store_sizes sizes = store_sizes(app->store);

    monitor_set(MONITOR_STORE_READ_ONLY, store_is_read_only(app->store) ? 1 : 0);
    monitor_set(MONITOR_DATABASE_BYTES, sizes.database);
    monitor_set(MONITOR_WAL_BYTES, sizes.wal);
    monitor_set(MONITOR_DISK_BYTES, sizes.disk);
    monitor_set(MONITOR_DISK_FREE_BYTES, sizes.disk_free);
}

static void read_process(const struct app *app)
{
    struct process_figures figures = process_figures();

    monitor_set(MONITOR_PROCESS_MEMORY, figures.resident_bytes);
    monitor_set(MONITOR_PROCESS_FDS, figures.open_fds);
    monitor_set(MONITOR_PROCESS_CPU, figures.cpu_nanoseconds);
    monitor_set(MONITOR_PROCESS_START, (uint64_t)app->started_at * 1000000);
    monitor_set(MONITOR_BUILD, 1);
}

void get_monitoring(struct app *app, struct request *request)
{
    struct json_writer writer = {.depth = 0};

    read_jobs(app);
    read_scheduler(app);
    read_store(app);
    read_process(app);
    monitor_write(&writer.text);
    reply_text(request, 200, MEDIA_PROMETHEUS, &writer);
}
