/*
 * One lock guards everything below; it is a leaf (the store is never called under it). The thread starts runners, gives
 * free threads to running jobs that can use them, and reaps runners that are done.
 *
 * The head of the queue is started as soon as a thread is free and no other runner is still loading; it then waits in
 * scheduler_admit until its memory (and, for a given number of threads, those) fit. Jobs behind it wait for it, so that
 * a large job is never starved by small ones; but one of a higher priority that comes meanwhile is started, too, and
 * goes first.
 */
#include "scheduler.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/jobs/runner.h"
#include "server/log.h"
#include "server/store/jobs.h"

#define RETRY_MS 1000 /* when the system had no thread */

struct ticket {
    struct ticket *next;
    char id[ID_TEXT];
    int32_t priority;
};

struct scheduler {
    struct scheduler_setup setup;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below */
    struct ticket *queue;   /* by priority, then age */
    uint32_t queued, reserved;
    struct runner *runners;
    uint32_t runner_count;
    uint32_t free_threads; /* a job that asked for more than there are takes, and gives back, all */
    uint64_t free_bytes;
    int draining, closing;
};

/* ---- the queue ---- */

static void insert_ticket(struct scheduler *scheduler, struct ticket *ticket)
{
    struct ticket **link = &scheduler->queue;

    while (*link != NULL && (*link)->priority >= ticket->priority) {
        link = &(*link)->next;
    }
    ticket->next = *link;
    *link = ticket;
    scheduler->queued++;
}

static struct ticket *take_ticket(struct scheduler *scheduler, struct ticket **link)
{
    struct ticket *ticket = *link;

    *link = ticket->next;
    scheduler->queued--;
    return ticket;
}

static enum status load_queue(struct scheduler *scheduler, struct error *error)
{
    struct job_ticket *tickets = NULL;
    size_t count = 0;
    enum status status = jobs_queue(scheduler->setup.store, &tickets, &count, error);

    for (size_t i = count; status == STATUS_OK && i-- > 0;) { /* from the end: each goes to the front */
        struct ticket *ticket = calloc(1, sizeof *ticket);

        if (ticket == NULL) {
            status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu queued jobs", count);
            break;
        }
        memcpy(ticket->id, tickets[i].id, sizeof ticket->id);
        ticket->priority = tickets[i].priority;
        ticket->next = scheduler->queue;
        scheduler->queue = ticket;
        scheduler->queued++;
    }
    free(tickets);
    return status;
}

/* ---- threads and memory ---- */

static uint32_t counted_threads(const struct scheduler *scheduler, uint32_t threads)
{
    return threads < scheduler->setup.threads ? threads : scheduler->setup.threads;
}

/* Hands free threads to running jobs that can use more, one after the other in the order in which they were started. */
static void share_free_threads(struct scheduler *scheduler)
{
    for (struct runner *runner = scheduler->runners; runner != NULL && scheduler->free_threads > 0; runner = runner->next) {
        if (runner->admitted && !runner->finished && !runner->exact && runner->threads < runner->wanted) {
            uint32_t missing = runner->wanted - runner->threads;
            uint32_t more = missing < scheduler->free_threads ? missing : scheduler->free_threads;

            runner->threads += more;
            scheduler->free_threads -= more;
            atomic_store(&runner->control.threads, runner->threads);
        }
    }
}

/* Has some runner with at least this priority been started, but not been admitted yet? */
static int someone_is_in_front(const struct scheduler *scheduler, int64_t priority)
{
    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (!runner->admitted && !runner->finished && runner->priority >= priority) {
            return 1;
        }
    }
    return 0;
}

/* Can the runner be admitted: is there room for it, and nobody of a higher priority that waits for the same? */
static int fits(const struct scheduler *scheduler, const struct runner *runner)
{
    uint32_t needed = runner->exact ? counted_threads(scheduler, runner->wanted) : 1;

    return runner->bytes <= scheduler->free_bytes && needed <= scheduler->free_threads &&
           (scheduler->queue == NULL || scheduler->queue->priority <= runner->priority) &&
           !someone_is_in_front(scheduler, (int64_t)runner->priority + 1);
}

uint32_t scheduler_admit(struct scheduler *scheduler, struct runner *runner, uint64_t bytes, uint32_t threads, int exact)
{
    uint32_t granted = 0;

    pthread_mutex_lock(&scheduler->lock);
    runner->bytes = bytes < scheduler->setup.memory_bytes ? bytes : scheduler->setup.memory_bytes;
    runner->wanted = threads;
    runner->exact = exact;
    while (atomic_load(&runner->control.order) == RUNNER_GO_ON && !fits(scheduler, runner)) {
        pthread_cond_wait(&scheduler->changed, &scheduler->lock);
    }
    if (atomic_load(&runner->control.order) == RUNNER_GO_ON) {
        runner->threads = counted_threads(scheduler, threads);
        if (runner->threads > scheduler->free_threads) {
            runner->threads = scheduler->free_threads;
        }
        scheduler->free_threads -= runner->threads;
        scheduler->free_bytes -= runner->bytes;
        granted = exact ? threads : runner->threads;
    } else {
        runner->bytes = 0;
    }
    runner->admitted = 1;
    atomic_store(&runner->control.threads, granted);
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
    return granted;
}

/* ---- runners ---- */

static void *runner_main(void *argument)
{
    struct runner *runner = argument;
    struct scheduler *scheduler = runner->scheduler;

    pthread_setname_np(pthread_self(), "runner");
    runner_run(runner);
    pthread_mutex_lock(&scheduler->lock);
    scheduler->free_threads += runner->threads;
    scheduler->free_bytes += runner->bytes;
    runner->finished = 1;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* Starts a runner for the head of the queue; 0 when the system has no thread for it now. */
static int start_head(struct scheduler *scheduler)
{
    struct ticket *ticket = scheduler->queue;
    struct runner *runner = calloc(1, sizeof *runner), **link = &scheduler->runners;

    if (runner == NULL) {
        return 0;
    }
    memcpy(runner->id, ticket->id, sizeof runner->id);
    runner->priority = ticket->priority;
    runner->store = scheduler->setup.store;
    runner->scheduler = scheduler;
    if (pthread_create(&runner->thread, NULL, runner_main, runner) != 0) {
        free(runner);
        log_warning(ticket->id, "no thread for this job now; it stays queued");
        return 0;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = runner;
    scheduler->runner_count++;
    free(take_ticket(scheduler, &scheduler->queue));
    return 1;
}

static void reap(struct scheduler *scheduler)
{
    for (struct runner **link = &scheduler->runners; *link != NULL;) {
        struct runner *runner = *link;

        if (!runner->finished) {
            link = &runner->next;
            continue;
        }
        *link = runner->next;
        scheduler->runner_count--;
        pthread_join(runner->thread, NULL); /* it set `finished` with its last breath */
        free(runner);
        pthread_cond_broadcast(&scheduler->changed); /* for who waits until all are gone */
    }
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec when;

    clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_sec += ms / 1000;
    when.tv_nsec += ms % 1000 * 1000000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    return when;
}

static void wait_for_change(struct scheduler *scheduler, int retry_soon)
{
    struct timespec until = in_ms(RETRY_MS);

    if (retry_soon) {
        pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until);
    } else {
        pthread_cond_wait(&scheduler->changed, &scheduler->lock);
    }
}

static void *scheduler_main(void *argument)
{
    struct scheduler *scheduler = argument;

    pthread_mutex_lock(&scheduler->lock);
    for (;;) {
        int refused = 0;

        reap(scheduler);
        if (scheduler->closing && scheduler->runners == NULL) {
            break;
        }
        while (!scheduler->draining && scheduler->queue != NULL && scheduler->free_threads > 0 && !refused &&
               !someone_is_in_front(scheduler, scheduler->queue->priority)) {
            refused = !start_head(scheduler);
        }
        if (scheduler->queue == NULL && !someone_is_in_front(scheduler, INT32_MIN)) {
            share_free_threads(scheduler);
        }
        wait_for_change(scheduler, refused);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* ---- from outside ---- */

uint32_t scheduler_threads(const struct scheduler *scheduler)
{
    return scheduler->setup.threads;
}

void scheduler_figures(struct scheduler *scheduler, struct scheduler_figures *figures)
{
    const struct scheduler_setup *setup = &scheduler->setup;

    pthread_mutex_lock(&scheduler->lock);
    *figures = (struct scheduler_figures){.threads = setup->threads,
                                          .busy_threads = setup->threads - scheduler->free_threads,
                                          .memory_bytes = setup->memory_bytes,
                                          .used_bytes = setup->memory_bytes - scheduler->free_bytes,
                                          .queued = scheduler->queued,
                                          .running = scheduler->runner_count};
    pthread_mutex_unlock(&scheduler->lock);
}

enum status scheduler_new(struct scheduler **out, const struct scheduler_setup *setup, struct error *error)
{
    struct scheduler *scheduler = calloc(1, sizeof *scheduler);
    pthread_condattr_t attributes;
    enum status status;

    *out = NULL;
    if (scheduler == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the scheduler");
    }
    scheduler->setup = *setup;
    scheduler->free_threads = setup->threads;
    scheduler->free_bytes = setup->memory_bytes;
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&scheduler->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    status = load_queue(scheduler, error);
    if (status == STATUS_OK && pthread_create(&scheduler->thread, NULL, scheduler_main, scheduler) != 0) {
        status = error_set(error, STATUS_SYSTEM_ERROR, "the scheduler's thread could not be started");
    }
    if (status != STATUS_OK) {
        while (scheduler->queue != NULL) {
            free(take_ticket(scheduler, &scheduler->queue));
        }
        free(scheduler);
        return status;
    }
    pthread_setname_np(scheduler->thread, "scheduler");
    *out = scheduler;
    return STATUS_OK;
}

void scheduler_free(struct scheduler *scheduler)
{
    if (scheduler == NULL) {
        return;
    }
    (void)scheduler_drain(scheduler, 0); /* joined below */
    pthread_mutex_lock(&scheduler->lock);
    scheduler->closing = 1;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
    pthread_join(scheduler->thread, NULL);
    while (scheduler->queue != NULL) {
        free(take_ticket(scheduler, &scheduler->queue));
    }
    pthread_cond_destroy(&scheduler->changed);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler);
}

enum status scheduler_reserve(struct scheduler *scheduler, struct error *error)
{
    enum status status = STATUS_OK;

    pthread_mutex_lock(&scheduler->lock);
    if (scheduler->queued + scheduler->reserved >= scheduler->setup.max_queued_jobs) {
        status =
            error_set(error, STATUS_QUEUE_FULL, "%u jobs are waiting, that is all there is room for", scheduler->queued);
    } else {
        scheduler->reserved++;
    }
    pthread_mutex_unlock(&scheduler->lock);
    return status;
}

void scheduler_release(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->reserved--;
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_enqueue(struct scheduler *scheduler, const char *id, int32_t priority)
{
    struct ticket *ticket = calloc(1, sizeof *ticket);

    if (ticket != NULL) {
        memcpy(ticket->id, id, strnlen(id, sizeof ticket->id - 1));
        ticket->priority = priority;
    } else {
        log_error(id, "no memory to queue this job; it will be taken up at the next start");
    }
    pthread_mutex_lock(&scheduler->lock);
    scheduler->reserved--;
    if (ticket != NULL) {
        insert_ticket(scheduler, ticket);
        pthread_cond_broadcast(&scheduler->changed);
    }
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_cancel(struct scheduler *scheduler, const char *id)
{
    pthread_mutex_lock(&scheduler->lock);
    for (struct ticket **link = &scheduler->queue; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->id, id) == 0) {
            free(take_ticket(scheduler, link));
            break;
        }
    }
    for (struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (strcmp(runner->id, id) == 0) {
            atomic_store(&runner->control.order, RUNNER_CANCEL);
        }
    }
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
}

int scheduler_drain(struct scheduler *scheduler, int64_t wait_ms)
{
    struct timespec until = in_ms(wait_ms);
    int go_on, timed_out = 0, ended;

    pthread_mutex_lock(&scheduler->lock);
    scheduler->draining = 1;
    for (struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        go_on = RUNNER_GO_ON; /* a cancelled one stays cancelled */
        atomic_compare_exchange_strong(&runner->control.order, &go_on, RUNNER_DRAIN);
    }
    pthread_cond_broadcast(&scheduler->changed);
    while (scheduler->runners != NULL && !timed_out && wait_ms > 0) {
        timed_out = pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until) != 0;
    }
    ended = scheduler->runners == NULL;
    pthread_mutex_unlock(&scheduler->lock);
    return ended;
}

int scheduler_pause(struct scheduler *scheduler, const struct runner *runner, int64_t ms)
{
    struct timespec until = in_ms(ms);
    int order = atomic_load(&runner->control.order), timed_out = 0, draining;

    pthread_mutex_lock(&scheduler->lock);
    while (!scheduler->draining && !timed_out && atomic_load(&runner->control.order) == order) {
        timed_out = pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until) != 0;
    }
    draining = scheduler->draining;
    pthread_mutex_unlock(&scheduler->lock);
    return !draining;
}
