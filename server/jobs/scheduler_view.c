/* What is shown of the scheduler: figures, jobs, when queued ones will start. */
#include <stdlib.h>
#include <string.h>

#include "server/jobs/estimate.h"
#include "server/jobs/scheduler_internal.h"

/* It has a runner, but not its memory yet: to clients it is queued like all that wait. */
static int waits(const struct runner *runner)
{
    return !runner->admitted && !runner->finished && works(runner);
}

/* It has its memory. A runner that was called off before (paused, cancelled) never got any. */
static int runs(const struct runner *runner)
{
    return runner->admitted && !runner->finished && runner->bytes > 0;
}

static uint32_t count(const struct scheduler *scheduler, int (*condition)(const struct runner *runner))
{
    uint32_t found = 0;

    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        found += condition(runner) ? 1 : 0;
    }
    return found;
}

/* Under the lock. */
static struct scheduler_figures figures_of(const struct scheduler *scheduler)
{
    return (struct scheduler_figures){.threads = scheduler->setup.threads,
                                      .busy_threads = turns_held(scheduler),
                                      .memory_bytes = scheduler->setup.memory_bytes,
                                      .used_bytes = scheduler->setup.memory_bytes - scheduler->free_bytes,
                                      .queued = scheduler->queue.count + count(scheduler, waits),
                                      .running = count(scheduler, runs)};
}

void scheduler_figures(struct scheduler *scheduler, struct scheduler_figures *figures)
{
    pthread_mutex_lock(&scheduler->lock);
    *figures = figures_of(scheduler);
    pthread_mutex_unlock(&scheduler->lock);
}

static void show_running(const struct runner *runner, struct scheduler_running *shown)
{
    *shown = (struct scheduler_running){
        .priority = runner->job.priority, .threads = runner->held, .wanted = runner->wanted, .bytes = runner->bytes};
    memcpy(shown->id, runner->job.id, sizeof shown->id);
}

static int compare_tickets(const void *left, const void *right)
{
    return ticket_goes_before(right, left) - ticket_goes_before(left, right);
}

/* Under the lock; running is [RUNNERS_MAX], queue [RUNNERS_MAX + limit]: all that have a runner, the next `limit` ones. */
static void fill_view(const struct scheduler *scheduler, size_t limit, struct scheduler_view *view)
{
    view->figures = figures_of(scheduler);
    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (runs(runner)) {
            show_running(runner, &view->running[view->running_count++]);
        } else if (waits(runner)) {
            view->queue[view->queue_count++] = runner->job;
        }
    }
    for (const struct ticket *ticket = scheduler->queue.head; ticket != NULL && limit > 0; ticket = ticket->next, limit--) {
        view->queue[view->queue_count++] = ticket->job;
    }
}

enum status scheduler_look(struct scheduler *scheduler, size_t limit, struct scheduler_view *view, struct error *error)
{
    *view = (struct scheduler_view){.running = calloc(RUNNERS_MAX, sizeof *view->running),
                                    .queue = calloc(RUNNERS_MAX + limit, sizeof *view->queue)};
    if (view->running == NULL || view->queue == NULL) {
        scheduler_view_release(view);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to show the queue");
    }
    pthread_mutex_lock(&scheduler->lock);
    fill_view(scheduler, limit, view);
    pthread_mutex_unlock(&scheduler->lock);
    qsort(view->queue, view->queue_count, sizeof *view->queue, compare_tickets);
    view->queue_count = view->queue_count < limit ? view->queue_count : limit;
    return STATUS_OK;
}

void scheduler_view_release(struct scheduler_view *view)
{
    free(view->running);
    free(view->queue);
    view->running = NULL;
    view->queue = NULL;
}

enum status scheduler_estimate(const struct scheduler_view *view, const double *remaining, double *starts,
                               struct error *error)
{
    size_t room = view->running_count + view->queue_count + 1;
    struct estimate estimate = {.free_bytes = view->figures.memory_bytes - view->figures.used_bytes,
                                .at_once = view->figures.threads + 1,
                                .most = RUNNERS_MAX,
                                .slice = SLICE_MS * 1e-3,
                                .running = calloc(room, sizeof *estimate.running),
                                .running_count = view->running_count};
    uint64_t *bytes = calloc(room, sizeof *bytes);
    enum status status = STATUS_OK;

    if (estimate.running == NULL || bytes == NULL) {
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory to estimate when jobs start");
    } else {
        for (size_t i = 0; i < view->running_count; i++) {
            estimate.running[i] = (struct estimate_running){view->running[i].bytes, remaining[i]};
        }
        for (size_t i = 0; i < view->queue_count; i++) {
            bytes[i] = view->queue[i].memory_bytes;
        }
        estimate_starts(&estimate, bytes, view->queue_count, starts);
    }
    free(estimate.running);
    free(bytes);
    return status;
}
