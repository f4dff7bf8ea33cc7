/*
 * One lock guards everything below; it is a leaf (the store is never called under it). The thread starts runners, deals
 * out threads, and reaps runners that are done.
 *
 * The head of the queue is started at once while there are no more young runners (that have not used a slice yet) than
 * threads, beyond that one each time slice: many small jobs run one after the other and do not all sit in memory, and none
 * waits for long ones. A
 * runner waits in scheduler_admit until its memory fits. Jobs behind it may pass it for a minute; from then on they wait
 * with it, so that a large job is never starved by small ones.
 *
 * A thread changes hands in two moves: the new number is published, and the runner that has to give gives at its next step
 * boundary; only then it is another's to take. So never more threads work than there are.
 */
#include "scheduler.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/clock.h"
#include "server/jobs/allocation.h"
#include "server/jobs/estimate.h"
#include "server/jobs/queue.h"
#include "server/jobs/runner.h"
#include "server/log.h"

#define SLICE_MS    100
#define RETRY_MS    1000  /* when the system had no thread */
#define PATIENCE_MS 5000  /* how long a job of a lower priority waits for a thread before it gets one for a slice */
#define TURN_MS     500   /* how long one waits for its turn while younger ones of its priority come and go */
#define PASS_MS     60000 /* how long others may pass a runner that waits for its memory */
#define RUNNERS_MAX 256

struct scheduler {
    struct scheduler_setup setup;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below */
    struct queue queue;
    uint32_t reserved;
    struct runner *runners;
    uint32_t runner_count;
    uint64_t arrivals;
    int64_t started_at; /* the last runner, ms */
    uint64_t free_bytes;
    int draining, closing;
};

static enum runner_order order_of(const struct runner *runner)
{
    return (enum runner_order)atomic_load(&runner->control.order);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

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
    pthread_cond_broadcast(&scheduler->changed);
}

/* ---- threads: who has how many ---- */

/* Does it train, or take its last step? */
static int works(const struct runner *runner)
{
    enum runner_order order = order_of(runner);

    return order == RUNNER_GO_ON || order == RUNNER_STOP;
}

/* Takes part in the dealing out of threads. */
static int takes_part(const struct runner *runner)
{
    return runner->admitted && !runner->resting && !runner->leaving && !runner->finished && works(runner);
}

static uint32_t held_threads(const struct scheduler *scheduler)
{
    uint32_t held = 0;

    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        held += runner->held;
    }
    return held;
}

static void charge(struct runner *runner, int64_t now)
{
    double seconds = runner->held * (double)(now - runner->charged_at) * 1e-3;

    runner->used += seconds;
    runner->spent += seconds;
    runner->charged_at = now;
}

/*
 * What counts as used for one that comes among those of its priority, or comes back: it goes before them by one slice,
 * without credit for the time when it was not there.
 */
static double newcomers_use(const struct scheduler *scheduler, const struct runner *newcomer)
{
    double least = HUGE_VAL, slice = SLICE_MS * 1e-3;

    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (runner != newcomer && takes_part(runner) && runner->job.priority == newcomer->job.priority) {
            least = fmin(least, runner->used);
        }
    }
    return isfinite(least) && least > slice ? least - slice : 0;
}

/* Gives back what the runner is to do without, but what it works with: that is its own to give (scheduler_take_turn). */
static void give_back(struct runner *runner, uint32_t works_with, int64_t now)
{
    uint32_t keeps = runner->target > works_with ? runner->target : works_with;

    if (runner->held > keeps) {
        charge(runner, now);
        runner->held = keeps;
        runner->waits_since = keeps == 0 ? now : runner->waits_since;
    }
}

static int64_t waited_ms(const struct runner *runner, int64_t now)
{
    return runner->waits_since > 0 ? now - runner->waits_since : 0;
}

/* Has it waited so long, or has it just got what it waited for? */
static int is_favoured(const struct runner *runner, enum favour favour, int64_t patience, int64_t now)
{
    return (now < runner->favoured_until && runner->favour >= favour) || waited_ms(runner, now) >= patience;
}

/* Who has waited long enough for its turn counts as one that has used nothing. */
static uint64_t slices_used(const struct runner *runner, int64_t now)
{
    return is_favoured(runner, FAVOUR_TURN, TURN_MS, now) ? 0 : (uint64_t)(runner->used * 1e3 / SLICE_MS);
}

/* It gets a thread: after a long wait it keeps it for a slice, whoever comes. */
static void note_turn(struct runner *runner, int64_t now)
{
    int64_t waited = waited_ms(runner, now);

    if (waited >= TURN_MS) {
        runner->favour = waited >= PATIENCE_MS ? FAVOUR_STARVED : FAVOUR_TURN;
        runner->favoured_until = now + SLICE_MS;
    }
    runner->waits_since = 0;
}

/* Where every runner should stand now. */
static void set_targets(struct scheduler *scheduler, int64_t now)
{
    struct share shares[RUNNERS_MAX];
    size_t count = 0;

    for (struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        charge(runner, now);
        if (takes_part(runner)) {
            shares[count++] = (struct share){.priority = runner->job.priority,
                                             .wanted = runner->wanted,
                                             .exact = runner->exact,
                                             .used = slices_used(runner, now),
                                             .starves = is_favoured(runner, FAVOUR_STARVED, PATIENCE_MS, now),
                                             .waits_since = runner->waits_since,
                                             .number = runner->number,
                                             .owner = runner};
        }
    }
    allocation_make(shares, count, scheduler->setup.threads);
    for (size_t i = 0; i < count; i++) {
        struct runner *runner = shares[i].owner;

        runner->target = shares[i].threads;
        give_back(runner, runner->taken, now);
    }
}

static void publish(struct scheduler *scheduler, struct runner *runner)
{
    uint32_t use = smaller(runner->target, runner->held);

    if (runner->exact && use > 0) { /* who asked for more threads than there are holds all, and uses what it asked for */
        use = runner->wanted;
    }
    if (atomic_exchange(&runner->control.threads, use) != use) {
        pthread_cond_broadcast(&scheduler->changed);
    }
}

/* Moves every runner towards its target as far as that is possible now. */
static void deal_threads(struct scheduler *scheduler, int64_t now)
{
    uint32_t free_threads;

    set_targets(scheduler, now);
    free_threads = scheduler->setup.threads - held_threads(scheduler);
    for (struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        uint32_t missing = runner->target > runner->held ? runner->target - runner->held : 0;

        if (!takes_part(runner)) {
            continue;
        }
        if (missing > 0 && free_threads > 0 && (!runner->exact || missing <= free_threads)) {
            uint32_t more = smaller(missing, free_threads);

            note_turn(runner, now);
            runner->held += more;
            free_threads -= more;
        }
        publish(scheduler, runner);
    }
}

/* Is there a runner that would use more threads than it has? Then their turns must be looked at again and again. */
static int someone_waits(const struct scheduler *scheduler)
{
    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (takes_part(runner) && runner->held < smaller(runner->wanted, scheduler->setup.threads)) {
            return 1;
        }
    }
    return 0;
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

/* Is a job of at least this priority still being loaded, or waiting for its memory and not to be passed? */
static int someone_is_in_front(const struct scheduler *scheduler, int32_t priority, int64_t now)
{
    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (!runner->admitted && !runner->finished && runner->job.priority >= priority && !may_be_passed(runner, now)) {
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
    if (other->admitted || other->finished || !works(other) || !goes_before(other, runner)) {
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
    while (works(runner) && !fits(scheduler, runner)) {
        pthread_cond_wait(&scheduler->changed, &scheduler->lock);
    }
    admitted = works(runner);
    if (admitted) {
        scheduler->free_bytes -= runner->bytes;
        runner->used = newcomers_use(scheduler, runner);
        runner->charged_at = runner->waits_since = clock_monotonic_ms();
    } else {
        runner->bytes = 0;
    }
    runner->admitted = 1;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
    return admitted;
}

uint32_t scheduler_take_turn(struct scheduler *scheduler, struct runner *runner)
{
    uint32_t threads;

    pthread_mutex_lock(&scheduler->lock);
    for (;;) {
        threads = atomic_load(&runner->control.threads);
        if (runner->held > runner->target) {
            give_back(runner, 0, clock_monotonic_ms());
            pthread_cond_broadcast(&scheduler->changed);
        }
        runner->taken = threads > 0 ? runner->held : 0;
        if (threads > 0 || !works(runner)) {
            break;
        }
        pthread_cond_wait(&scheduler->changed, &scheduler->lock);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return works(runner) ? threads : 0;
}

void scheduler_clear_suspect(struct scheduler *scheduler, struct runner *runner)
{
    pthread_mutex_lock(&scheduler->lock);
    runner->job.suspect = 0;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
}

/* ---- runners ---- */

static void *runner_main(void *argument)
{
    struct runner *runner = argument;
    struct scheduler *scheduler = runner->scheduler;

    pthread_setname_np(pthread_self(), "runner");
    runner_run(runner);
    pthread_mutex_lock(&scheduler->lock);
    scheduler->free_bytes += runner->bytes;
    runner->held = 0;
    runner->finished = 1;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* Starts a runner for the head of the queue; 0 when the system has no thread for it now. */
static int start_head(struct scheduler *scheduler)
{
    struct runner *runner = calloc(1, sizeof *runner), **link = &scheduler->runners;

    if (runner == NULL) {
        return 0;
    }
    runner->job = scheduler->queue.head->job;
    runner->store = scheduler->setup.store;
    runner->checkpoints = scheduler->setup.checkpoints;
    runner->scheduler = scheduler;
    runner->number = ++scheduler->arrivals;
    if (pthread_create(&runner->thread, NULL, runner_main, runner) != 0) {
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
    (void)queue_take(&scheduler->queue);
    return 1;
}

/* Joins runners that are done. A job that was queued again meanwhile is queued now: it never has two runners. */
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

/* Runners that have not used up a slice, those that are still loading included. */
static uint32_t count_young(const struct scheduler *scheduler)
{
    uint32_t young = 0;

    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        young += !runner->admitted || runner->spent < SLICE_MS * 1e-3;
    }
    return young;
}

/* Is it time for the head of the queue? */
static int head_may_start(const struct scheduler *scheduler, int64_t now)
{
    const struct ticket *head = scheduler->queue.head;
    int few = count_young(scheduler) <= scheduler->setup.threads; /* one more than threads: it loads while they train */

    return !scheduler->draining && head != NULL && scheduler->runner_count < RUNNERS_MAX &&
           (few || now - scheduler->started_at >= SLICE_MS) && !someone_is_in_front(scheduler, head->job.priority, now);
}

static void wait_for_change(struct scheduler *scheduler, int64_t now, int refused)
{
    int soon = someone_waits(scheduler) || scheduler->queue.head != NULL;
    struct timespec until = clock_at_ms(now + (refused ? RETRY_MS : SLICE_MS));

    if (refused || soon) {
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
        int64_t now = clock_monotonic_ms();

        reap(scheduler);
        if (scheduler->closing && scheduler->runners == NULL) {
            break;
        }
        deal_threads(scheduler, now);
        if (head_may_start(scheduler, now)) {
            refused = !start_head(scheduler);
        }
        wait_for_change(scheduler, now, refused);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* ---- life ---- */

uint32_t scheduler_threads(const struct scheduler *scheduler)
{
    return scheduler->setup.threads;
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
        queue_release(&scheduler->queue);
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
    queue_release(&scheduler->queue);
    pthread_cond_destroy(&scheduler->changed);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler);
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

enum status scheduler_reserve(struct scheduler *scheduler, struct error *error)
{
    enum status status = STATUS_OK;

    pthread_mutex_lock(&scheduler->lock);
    if (scheduler->queue.count + scheduler->reserved >= scheduler->setup.max_queued_jobs) {
        status = error_set(error, STATUS_QUEUE_FULL, "%u jobs are waiting, that is all there is room for",
                           scheduler->queue.count);
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

void scheduler_enqueue(struct scheduler *scheduler, const struct job_ticket *job)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->reserved--;
    insert(scheduler, job);
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
        queued->version = job->version;
        if (!job_status_needs_runner(job->status)) {
            (void)queue_remove(&scheduler->queue, job->id, &ticket);
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
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_leave(struct scheduler *scheduler, struct runner *runner)
{
    pthread_mutex_lock(&scheduler->lock);
    runner->leaving = 1;
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_set_priority(struct scheduler *scheduler, const char *id, int32_t priority)
{
    struct job_ticket ticket;
    struct runner *runner;

    pthread_mutex_lock(&scheduler->lock);
    if (queue_remove(&scheduler->queue, id, &ticket)) {
        ticket.priority = priority;
        insert(scheduler, &ticket);
    }
    runner = find_runner(scheduler, id);
    if (runner != NULL) {
        runner->job.priority = priority;
        runner->used = newcomers_use(scheduler, runner);
        pthread_cond_broadcast(&scheduler->changed);
    }
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

/* Gives back all threads; scheduler_take_turn brings others. */
static void rest(struct scheduler *scheduler, struct runner *runner)
{
    charge(runner, clock_monotonic_ms());
    runner->held = runner->taken = 0;
    runner->resting = 1;
    atomic_store(&runner->control.threads, 0);
    pthread_cond_broadcast(&scheduler->changed);
}

int scheduler_pause(struct scheduler *scheduler, struct runner *runner, int64_t ms)
{
    struct timespec until = clock_at_ms(clock_monotonic_ms() + ms);
    enum runner_order order = order_of(runner);
    int timed_out = 0, draining;

    pthread_mutex_lock(&scheduler->lock);
    rest(scheduler, runner);
    while (!scheduler->draining && !timed_out && order_of(runner) == order) {
        timed_out = pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until) != 0;
    }
    runner->resting = 0;
    runner->used = fmax(runner->used, newcomers_use(scheduler, runner));
    runner->waits_since = clock_monotonic_ms();
    pthread_cond_broadcast(&scheduler->changed);
    draining = scheduler->draining;
    pthread_mutex_unlock(&scheduler->lock);
    return !draining;
}

/* ---- looking ---- */

/* Jobs that have a runner, but not their memory yet: to clients they are queued like all that wait. Under the lock. */
static uint32_t count_waiting(const struct scheduler *scheduler)
{
    uint32_t waiting = 0;

    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        waiting += !runner->admitted;
    }
    return waiting;
}

/* Under the lock. */
static struct scheduler_figures figures_of(const struct scheduler *scheduler)
{
    uint32_t waiting = count_waiting(scheduler);

    return (struct scheduler_figures){.threads = scheduler->setup.threads,
                                      .busy_threads = held_threads(scheduler),
                                      .memory_bytes = scheduler->setup.memory_bytes,
                                      .used_bytes = scheduler->setup.memory_bytes - scheduler->free_bytes,
                                      .queued = scheduler->queue.count + waiting,
                                      .running = scheduler->runner_count - waiting};
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
        if (runner->admitted && !runner->finished) {
            show_running(runner, &view->running[view->running_count++]);
        } else if (!runner->admitted) {
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
