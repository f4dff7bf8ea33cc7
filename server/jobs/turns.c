/*
 * Who has how many threads, and when it is whose turn: the scheduler's part of allocation.h.
 *
 * A thread changes hands in two moves: the new number is published, and the runner that has to give gives at its next step
 * boundary; only then it is another's to take. So never more threads work than there are.
 */
#include <math.h>

#include "server/clock.h"
#include "server/jobs/allocation.h"
#include "server/jobs/scheduler_internal.h"

#define PATIENCE_MS 5000 /* how long a job of a lower priority waits for a thread before it gets one for a slice */
#define TURN_MS     500  /* how long one waits for its turn while younger ones of its priority come and go */

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Takes part in the dealing out of threads. */
static int takes_part(const struct runner *runner)
{
    return runner->admitted && !runner->resting && !runner->leaving && !runner->finished && works(runner);
}

uint32_t turns_held(const struct scheduler *scheduler)
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

double turns_newcomers_use(const struct scheduler *scheduler, const struct runner *newcomer)
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

void turns_deal(struct scheduler *scheduler, int64_t now)
{
    uint32_t free_threads;

    set_targets(scheduler, now);
    free_threads = scheduler->setup.threads - turns_held(scheduler);
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

int turns_someone_waits(const struct scheduler *scheduler)
{
    for (const struct runner *runner = scheduler->runners; runner != NULL; runner = runner->next) {
        if (takes_part(runner) && runner->held < smaller(runner->wanted, scheduler->setup.threads)) {
            return 1;
        }
    }
    return 0;
}

uint32_t scheduler_take_turn(struct scheduler *scheduler, struct runner *runner)
{
    uint32_t threads;

    pthread_mutex_lock(&scheduler->lock);
    for (;;) {
        threads = atomic_load(&runner->control.threads);
        if (runner->held > runner->target) {
            give_back(runner, 0, clock_monotonic_ms());
            scheduler_decide(scheduler);
            threads = atomic_load(&runner->control.threads);
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

/* Gives back all threads; scheduler_take_turn brings others. */
static void rest(struct scheduler *scheduler, struct runner *runner)
{
    charge(runner, clock_monotonic_ms());
    runner->held = runner->taken = 0;
    runner->resting = 1;
    atomic_store(&runner->control.threads, 0);
    pthread_cond_broadcast(&scheduler->changed); /* who waits behind it to be admitted */
    scheduler_decide(scheduler);
}

void scheduler_let_go(struct scheduler *scheduler, struct runner *runner)
{
    pthread_mutex_lock(&scheduler->lock);
    runner->ending = 1;
    rest(scheduler, runner);
    pthread_mutex_unlock(&scheduler->lock);
}

int scheduler_pause(struct scheduler *scheduler, struct runner *runner, int64_t ms)
{
    struct timespec until = clock_at_ms(clock_monotonic_ms() + ms);
    enum runner_order order = order_of(runner);
    int timed_out = 0, draining;

    pthread_mutex_lock(&scheduler->lock);
    runner->ending = 0; /* should it have been: its end could not be stored */
    rest(scheduler, runner);
    while (!scheduler->draining && !timed_out && order_of(runner) == order) {
        timed_out = pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until) != 0;
    }
    runner->resting = 0;
    runner->used = fmax(runner->used, turns_newcomers_use(scheduler, runner));
    runner->waits_since = clock_monotonic_ms();
    scheduler_decide(scheduler);
    draining = scheduler->draining;
    pthread_mutex_unlock(&scheduler->lock);
    return !draining;
}
