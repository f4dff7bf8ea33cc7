/*
 * One lock guards everything below; it is a leaf (the store is never called under it). Whoever changes something decides
 * what follows from it (scheduler_decide): which runners start, who has which threads. The thread does so for what only
 * time changes. So the way of a small job from the queue to its threads is that of one thread, which need not wait for
 * another's being woken.
 *
 * The head of the queue is started at once while there are no more young runners (that have not used a slice yet) than
 * threads, beyond that one each time slice: many small jobs run one after the other and do not all sit in memory, and none
 * waits for long ones. One that only waits for its end to be durable is not counted: so small jobs end in common commits. A
 * runner waits in scheduler_admit until its memory fits. Jobs behind it may pass it for a minute; from then on they wait
 * with it, so that a large job is never starved by small ones.
 */
#include "scheduler.h"

#include <stdlib.h>
#include <string.h>

#include "server/clock.h"
#include "server/jobs/scheduler_internal.h"
#include "server/log.h"

#define RETRY_MS 1000  /* when the system had no thread */
#define PASS_MS  60000 /* how long others may pass a runner that waits for its memory */

/* ---- the queue ---- */

static enum status load_queue(struct scheduler *scheduler, struct error *error)
{
    struct job_ticket *tickets = NULL;
    size_t count = 0;
    enum status status = jobs_queue(scheduler->setup.store, &tickets, &count, error);

    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        if (!queue_insert(&scheduler->queue, &tickets[i])) {
            status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu queued jobs", count);
        }
    }
    free(tickets);
    return status;
}

/* Under the lock. */
static void insert(struct scheduler *scheduler, const struct job_ticket *job)
{
    if (!queue_insert(&scheduler->queue, job)) {
        log_error(job->id, "no memory to queue this job; it will be taken up at the next start");
    }
}

/* ---- memory: who is admitted ---- */

/* A suspect runs alone: beside nobody, and nobody beside it. */
static int may_run_beside(const struct scheduler *scheduler, const struct runner *runner)
{
    for (const struct runner *other = scheduler->runners; other != NULL; other = other->next) {
        if (other != runner && other->admitted && !other->finished && (other->job.suspect || runner->job.suspect)) {
            return 0;
        }
    }
    return 1;
}

static int has_room(const struct scheduler *scheduler, const struct runner *runner)
{
    return runner->bytes <= scheduler->free_bytes && may_run_beside(scheduler, runner);
}

/* Has it waited for its memory for so long that nobody may pass it any more? */
static int may_be_passed(const struct runner *runner, int64_t now)
{
    return runner->asked && now - runner->asked_at < PASS_MS;
}

/* Is a job of at least this priority still being loaded, or waiting for its memory and not to be passed? One that rests
 * meanwhile (it cannot be read, its end cannot be stored) is in nobody's way. */
static int someone_is_in_front(const struct scheduler *scheduler, int32_t priority, int64_t now)
{
    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (!runner->admitted && !runner->finished && !runner->resting && runner->job.priority >= priority &&
            !may_be_passed(runner, now)) {
            return 1;
        }
    }
    return 0;
}

static int goes_before(const struct runner *a, const struct runner *b)
{
    return ticket_goes_before(&a->job, &b->job) || (!ticket_goes_before(&b->job, &a->job) && a->number < b->number);
}

/* Must `runner` leave what is free to `other`, which was there first or ranks higher? */
static int must_wait_for(const struct scheduler *scheduler, const struct runner *runner, const struct runner *other,
                         int64_t now)
{
    if (other->admitted || other->finished || other->resting || !works(other) || !goes_before(other, runner)) {
        return 0;
    }
    return other->asked ? has_room(scheduler, other) || !may_be_passed(other, now)
                        : other->job.priority > runner->job.priority;
}

/* Can the runner be admitted: is there room for it, and nobody that goes before it and waits for the same? */
static int fits(const struct scheduler *scheduler, const struct runner *runner)
{
    const struct ticket *head = scheduler->queue.head;
    int64_t now = clock_monotonic_ms();

    if (!has_room(scheduler, runner) || (head != NULL && head->job.priority > runner->job.priority)) {
        return 0;
    }
    for (const struct runner *other = scheduler->runners; other != NULL; other = other->next) {
        if (must_wait_for(scheduler, runner, other, now)) {
            return 0;
        }
    }
    return 1;
}

int scheduler_admit(struct scheduler *scheduler, struct runner *runner, uint64_t bytes, uint32_t threads, int exact)
{
    int admitted;

    pthread_mutex_lock(&scheduler->lock);
    runner->bytes = bytes < scheduler->setup.memory_bytes ? bytes : scheduler->setup.memory_bytes;
    runner->wanted = threads;
    runner->exact = exact;
    runner->asked = 1;
    runner->asked_at = clock_monotonic_ms();
    pthread_cond_broadcast(&scheduler->changed);
    if (!fits(scheduler, runner)) {
        scheduler_decide(scheduler); /* others may pass it */
    }
    while (works(runner) && !fits(scheduler, runner)) {
        pthread_cond_wait(&scheduler->changed, &scheduler->lock);
    }
    admitted = works(runner);
    if (admitted) {
        scheduler->free_bytes -= runner->bytes;
        runner->used = turns_newcomers_use(scheduler, runner);
        runner->charged_at = runner->waits_since = clock_monotonic_ms();
    } else {
        runner->bytes = 0;
    }
    runner->admitted = 1;
    pthread_cond_broadcast(&scheduler->changed);
    scheduler_decide(scheduler);
    pthread_mutex_unlock(&scheduler->lock);
    return admitted;
}

void scheduler_clear_suspect(struct scheduler *scheduler, struct runner *runner)
{
    pthread_mutex_lock(&scheduler->lock);
    runner->job.suspect = 0;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
}

/* ---- runners ---- */

static void run(void *context)
{
    runner_run(context);
}

/* Under the lock; its thread takes up the next job if there is one. */
static void run_is_done(void *context)
{
    struct runner *runner = context;
    struct scheduler *scheduler = runner->scheduler;

    scheduler->free_bytes += runner->bytes;
    runner->held = 0;
    runner->finished = 1;
    pthread_cond_broadcast(&scheduler->changed);
    scheduler_decide(scheduler);
}

/* Starts a runner for the head of the queue; 0: there is no thread or no memory for it now. */
static int start_head(struct scheduler *scheduler)
{
    struct runner *runner = calloc(1, sizeof *runner), **link = &scheduler->runners;

    scheduler->refused_until = clock_monotonic_ms() + RETRY_MS;
    if (runner == NULL) {
        return 0;
    }
    runner->job = scheduler->queue.head->job;
    runner->told = runner->job.version;
    runner->store = scheduler->setup.store;
    runner->checkpoints = scheduler->setup.checkpoints;
    runner->scheduler = scheduler;
    runner->number = ++scheduler->arrivals;
    if (!crew_begin(scheduler->crew, runner)) {
        log_warning(runner->job.id, "no thread for this job now; it stays queued");
        free(runner);
        return 0;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = runner;
    scheduler->runner_count++;
    scheduler->started_at = clock_monotonic_ms();
    scheduler->refused_until = 0;
    (void)queue_take(&scheduler->queue);
    return 1;
}

/* Forgets runners that are done. A job that was queued again meanwhile is queued now: it never has two runners. */
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
        if (runner->again && !scheduler->draining) {
            insert(scheduler, &runner->job);
        }
        free(runner);
        pthread_cond_broadcast(&scheduler->changed); /* for who waits until all are gone */
    }
}

static struct runner *find_runner(struct scheduler *scheduler, const char *id)
{
    for (struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (strcmp(runner->job.id, id) == 0) {
            return runner;
        }
    }
    return NULL;
}

int scheduler_profile(struct scheduler *scheduler, const char *id, struct profile_counts *counts)
{
    const struct runner *runner;
    int found;

    pthread_mutex_lock(&scheduler->lock);
    runner = find_runner(scheduler, id);
    found = runner != NULL && runner->profile.steps > 0;
    if (found) {
        *counts = runner->profile;
    }
    pthread_mutex_unlock(&scheduler->lock);
    return found;
}

void scheduler_show_profile(struct scheduler *scheduler, struct runner *runner, const struct profile_counts *counts)
{
    pthread_mutex_lock(&scheduler->lock);
    runner->profile = *counts;
    pthread_mutex_unlock(&scheduler->lock);
}

/* Runners that have not used up a slice, those that are still loading included, those that are at their end not. */
static uint32_t count_young(const struct scheduler *scheduler)
{
    uint32_t young = 0;

    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        young += !runner->ending && (!runner->admitted || runner->spent < SLICE_MS * 1e-3);
    }
    return young;
}

/* Is it time for the head of the queue? */
static int head_may_start(const struct scheduler *scheduler, int64_t now)
{
    const struct ticket *head = scheduler->queue.head;
    int few = count_young(scheduler) <= scheduler->setup.threads; /* one more than threads: it loads while they train */

    return !scheduler->draining && head != NULL && scheduler->runner_count < RUNNERS_MAX &&
           now >= scheduler->refused_until && (few || now - scheduler->started_at >= SLICE_MS) &&
           !someone_is_in_front(scheduler, head->job.priority, now);
}

/* Is there anything that only time decides? */
static int watches_time(const struct scheduler *scheduler)
{
    return scheduler->queue.head != NULL || turns_someone_waits(scheduler);
}

void scheduler_decide(struct scheduler *scheduler)
{
    int64_t now = clock_monotonic_ms();

    reap(scheduler);
    turns_deal(scheduler, now);
    while (head_may_start(scheduler, now) && start_head(scheduler)) {
    }
    if (scheduler->closing || (scheduler->sleeps && watches_time(scheduler))) {
        scheduler->sleeps = 0;
        pthread_cond_signal(&scheduler->tick);
    }
}

static void wait_for_tick(struct scheduler *scheduler)
{
    struct timespec until = clock_at_ms(clock_monotonic_ms() + SLICE_MS);

    if (watches_time(scheduler)) {
        pthread_cond_timedwait(&scheduler->tick, &scheduler->lock, &until);
        return;
    }
    scheduler->sleeps = 1;
    while (scheduler->sleeps) {
        pthread_cond_wait(&scheduler->tick, &scheduler->lock);
    }
}

static void *scheduler_main(void *argument)
{
    struct scheduler *scheduler = argument;

    pthread_mutex_lock(&scheduler->lock);
    scheduler_decide(scheduler);
    while (!scheduler->closing || scheduler->runners != NULL) {
        wait_for_tick(scheduler);
        scheduler_decide(scheduler);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* ---- life ---- */

uint32_t scheduler_threads(const struct scheduler *scheduler)
{
    return scheduler->setup.threads;
}

static void release(struct scheduler *scheduler)
{
    crew_free(scheduler->crew);
    queue_release(&scheduler->queue);
    pthread_cond_destroy(&scheduler->tick);
    pthread_cond_destroy(&scheduler->changed);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler);
}

enum status scheduler_new(struct scheduler **out, const struct scheduler_setup *setup, struct error *error)
{
    struct scheduler *scheduler = calloc(1, sizeof *scheduler);
    enum status status;

    *out = NULL;
    if (scheduler == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the scheduler");
    }
    scheduler->setup = *setup;
    scheduler->free_bytes = setup->memory_bytes;
    pthread_mutex_init(&scheduler->lock, NULL);
    clock_condition_init(&scheduler->changed);
    clock_condition_init(&scheduler->tick);
    status = load_queue(scheduler, error);
    if (status == STATUS_OK) {
        const struct crew_setup crew = {.name = "runner", .lock = &scheduler->lock, .run = run, .done = run_is_done};

        status = crew_new(&scheduler->crew, &crew, error);
    }
    if (status == STATUS_OK && pthread_create(&scheduler->thread, NULL, scheduler_main, scheduler) != 0) {
        status = error_set(error, STATUS_SYSTEM_ERROR, "the scheduler's thread could not be started");
    }
    if (status != STATUS_OK) {
        release(scheduler);
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
    scheduler_decide(scheduler);
    pthread_mutex_unlock(&scheduler->lock);
    pthread_join(scheduler->thread, NULL);
    release(scheduler);
}

int scheduler_drain(struct scheduler *scheduler, int64_t wait_ms)
{
    struct timespec until = clock_at_ms(clock_monotonic_ms() + wait_ms);
    int go_on, timed_out = 0, ended;

    pthread_mutex_lock(&scheduler->lock);
    scheduler->draining = 1;
    for (struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        go_on = RUNNER_GO_ON; /* what a client has asked for goes first */
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

/* ---- jobs come and change ---- */

/* Jobs that wait: for a runner, or with one for their memory. Under the lock. */
static uint32_t count_waiting(const struct scheduler *scheduler)
{
    uint32_t waiting = scheduler->queue.count;

    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        waiting += runner->asked && !runner->admitted;
    }
    return waiting;
}

enum status scheduler_reserve(struct scheduler *scheduler, uint32_t jobs, struct error *error)
{
    enum status status = STATUS_OK;
    uint32_t waiting, taken, room;

    pthread_mutex_lock(&scheduler->lock);
    waiting = count_waiting(scheduler);
    taken = waiting + scheduler->reserved;
    room = taken < scheduler->setup.max_queued_jobs ? scheduler->setup.max_queued_jobs - taken : 0;
    if (room == 0) {
        status = error_set(error, STATUS_QUEUE_FULL, "%u jobs are waiting, that is all there is room for", waiting);
    } else if (jobs > room) {
        status = error_set(error, STATUS_QUEUE_FULL, "%u jobs are waiting, there is room for %u more, not for %u", waiting,
                           room, jobs);
    } else {
        scheduler->reserved += jobs;
    }
    pthread_mutex_unlock(&scheduler->lock);
    return status;
}

void scheduler_release(struct scheduler *scheduler, uint32_t jobs)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->reserved -= jobs;
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_enqueue(struct scheduler *scheduler, const struct job_ticket *job)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->reserved--;
    if (queue_find(&scheduler->queue, job->id) == NULL && find_runner(scheduler, job->id) == NULL) {
        insert(scheduler, job); /* else somebody has told of it since it was stored */
        scheduler_decide(scheduler);
    }
    pthread_mutex_unlock(&scheduler->lock);
}

/* What a runner is to do about a job in this status. */
static enum runner_order order_for(enum job_status status)
{
    static const enum runner_order orders[JOB_STATUS_COUNT] = {
        [JOB_PAUSING] = RUNNER_PAUSE,     [JOB_PAUSED] = RUNNER_PAUSE,     [JOB_STOPPING] = RUNNER_STOP,
        [JOB_CANCELLING] = RUNNER_CANCEL, [JOB_SUCCEEDED] = RUNNER_CANCEL, [JOB_FAILED] = RUNNER_CANCEL,
        [JOB_CANCELLED] = RUNNER_CANCEL};

    return orders[status];
}

/* Under the lock. */
static void tell_runner(struct scheduler *scheduler, struct runner *runner, const struct job_view *job)
{
    enum runner_order order = order_for(job->status);

    if (job->version < runner->told) {
        return;
    }
    runner->told = job->version;
    if (job->priority != runner->job.priority) {
        runner->job.priority = job->priority;
        runner->used = turns_newcomers_use(scheduler, runner);
    }
    if (runner->leaving || runner->finished) { /* it will not look again: the job needs another one, or none */
        runner->again = job_status_needs_runner(job->status);
        return;
    }
    atomic_store(&runner->control.order, (int)(order == RUNNER_GO_ON && scheduler->draining ? RUNNER_DRAIN : order));
}

/* Under the lock. */
static void tell_queue(struct scheduler *scheduler, const struct job_view *job)
{
    struct job_ticket ticket = job_ticket_of(job), *queued = queue_find(&scheduler->queue, job->id);

    if (queued == NULL) {
        if (job_status_needs_runner(job->status)) {
            insert(scheduler, &ticket);
        }
    } else if (job->version >= queued->version) {
        struct job_ticket old;

        (void)queue_remove(&scheduler->queue, job->id, &old);
        if (job_status_needs_runner(job->status)) {
            insert(scheduler, &ticket); /* its priority may be another one */
        }
    }
}

void scheduler_tell(struct scheduler *scheduler, const struct job_view *job)
{
    struct runner *runner;

    pthread_mutex_lock(&scheduler->lock);
    runner = find_runner(scheduler, job->id);
    if (runner != NULL) {
        tell_runner(scheduler, runner, job);
    } else {
        tell_queue(scheduler, job);
    }
    pthread_cond_broadcast(&scheduler->changed);
    scheduler_decide(scheduler);
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_leave(struct scheduler *scheduler, struct runner *runner, uint64_t ended_at)
{
    pthread_mutex_lock(&scheduler->lock);
    runner->leaving = 1;
    runner->told = ended_at > runner->told ? ended_at : runner->told;
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_want_checkpoint(struct scheduler *scheduler, const char *id)
{
    struct runner *runner;

    pthread_mutex_lock(&scheduler->lock);
    runner = find_runner(scheduler, id);
    if (runner != NULL) {
        atomic_store(&runner->control.checkpoint, 1);
    }
    pthread_mutex_unlock(&scheduler->lock);
}
