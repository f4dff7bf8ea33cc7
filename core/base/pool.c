/*
 * Fork and join, a few microseconds a phase: the caller publishes a new generation of work, everybody does a range of it,
 * always the same, whose data its cache has; then what others have left of theirs, because cores are seldom equally fast,
 * and some are busy elsewhere. Who comes too late for any task is not waited for. Waiting spins first, because the next
 * phase of a step is near, and then sleeps, because pure spinning with more threads than cores costs milliseconds a phase.
 *
 * Rejected: one barrier object for all (needs every serial piece of a step repeated or guarded in each thread), and one
 * counter of tasks for all (moves every task's data from cache to cache).
 */
#include "core/base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/matrix_library.h"
#include "core/base/thread_tag.h"

#define SPINS_ALONE   4000 /* about 50 us: more than a phase's imbalance, less than a time slice */
#define SPINS_CROWDED 50   /* more threads than cores: the one waited for may need this very core */

struct pool {
    /* the generation's work: written by the caller before it shares it out, read by whoever has taken a task of it */
    pool_task task;
    void *context;
    uint32_t tasks;
    enum phase phase;

    uint32_t threads;
    int spins;
    _Alignas(64) atomic_uint generation;
    _Alignas(64) atomic_uint undone; /* tasks */
    _Alignas(64) atomic_uint sleepers;
    atomic_bool closing;

    /* tasks that nobody has taken yet, the last ones of a range; above them the generation that they are of */
    struct share {
        _Alignas(64) atomic_ullong left;
    } shares[POOL_MAX_THREADS];

    struct phase_clock clocks[POOL_MAX_THREADS];
    uint64_t ticks[PHASE_COUNT]; /* of all threads; what the clocks count between a stop and a start is dropped */

    pthread_mutex_t lock; /* a leaf; guards nothing but the going to sleep */
    pthread_cond_t changed;
    pthread_t handles[POOL_MAX_THREADS];
    struct worker {
        struct pool *pool;
        uint32_t index;
        const char *tag; /* of whoever made the team */
    } workers[POOL_MAX_THREADS];
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    sched_yield();
#endif
}

/* Returns once *value differs from `old`. */
static unsigned wait_for_change(struct pool *pool, atomic_uint *value, unsigned old)
{
    unsigned now;

    for (int i = 0; i < pool->spins; i++) {
        now = atomic_load_explicit(value, memory_order_acquire);
        if (now != old) {
            return now;
        }
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while ((now = atomic_load(value)) == old) {
        pthread_cond_wait(&pool->changed, &pool->lock);
    }
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
    return now;
}

/* To be called after a waited-for value was changed. */
static void wake_sleepers(struct pool *pool)
{
    if (atomic_load(&pool->sleepers) > 0) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_broadcast(&pool->changed);
        pthread_mutex_unlock(&pool->lock);
    }
}

static uint32_t range_begin(const struct pool *pool, uint32_t share)
{
    return (uint32_t)((uint64_t)pool->tasks * share / pool->threads);
}

static void share_out(struct pool *pool, unsigned generation)
{
    for (uint32_t i = 0; i < pool->threads; i++) {
        const uint32_t left = range_begin(pool, i + 1) - range_begin(pool, i);

        atomic_store_explicit(&pool->shares[i].left, (unsigned long long)generation << 32 | left, memory_order_release);
    }
}

/* Takes a task of a share, of this generation only: which cannot end before the task is done. */
static int take_task(struct pool *pool, unsigned generation, uint32_t share, uint32_t *task)
{
    atomic_ullong *left = &pool->shares[share].left;
    unsigned long long seen = atomic_load_explicit(left, memory_order_relaxed);

    while (seen >> 32 == generation && (uint32_t)seen > 0) {
        if (atomic_compare_exchange_weak_explicit(left, &seen, seen - 1, memory_order_acquire, memory_order_relaxed)) {
            *task = range_begin(pool, share + 1) - (uint32_t)seen;
            return 1;
        }
    }
    return 0;
}

/* Tasks of the worker's own share, then of the others', beginning with its neighbour's. */
static void run_tasks(struct pool *pool, unsigned generation, uint32_t worker)
{
    uint32_t task, done = 0;

    for (uint32_t i = 0; i < pool->threads; i++) {
        while (take_task(pool, generation, (worker + i) % pool->threads, &task)) {
            if (done++ == 0) {
                phase_clock_switch(&pool->clocks[worker], pool->phase);
            }
            pool->task(pool->context, task, worker);
        }
    }
    if (done > 0) {
        phase_clock_switch(&pool->clocks[worker], PHASE_WAIT);
        if (atomic_fetch_sub(&pool->undone, done) == done) { /* from here on the caller may be on its way */
            wake_sleepers(pool);
        }
    }
}

static void *worker_main(void *argument)
{
    struct worker *self = argument;
    struct pool *pool = self->pool;
    unsigned generation = 0;

    thread_tag = self->tag;
    matrix_library_thread_init();
    for (;;) {
        generation = wait_for_change(pool, &pool->generation, generation);
        if (atomic_load(&pool->closing)) {
            return NULL;
        }
        run_tasks(pool, generation, self->index);
    }
}

/* Stops and joins all workers but the caller. */
static void stop_workers(struct pool *pool)
{
    atomic_store(&pool->closing, 1);
    atomic_fetch_add(&pool->generation, 1);
    wake_sleepers(pool);
    for (uint32_t i = 1; i < pool->threads; i++) {
        pthread_join(pool->handles[i], NULL);
    }
    atomic_store(&pool->closing, 0);
    atomic_store(&pool->generation, 0);
    pool->threads = 1;
}

/* Starts workers up to `threads`; returns how many threads there are then. */
static uint32_t start_workers(struct pool *pool, uint32_t threads)
{
    pool->spins = (long)threads <= sysconf(_SC_NPROCESSORS_ONLN) ? SPINS_ALONE : SPINS_CROWDED;
    for (uint32_t i = 1; i < threads; i++) {
        pool->workers[i] = (struct worker){pool, i, thread_tag};
        if (pthread_create(&pool->handles[i], NULL, worker_main, &pool->workers[i]) != 0) {
            break;
        }
        pthread_setname_np(pool->handles[i], "worker");
        pool->threads = i + 1;
    }
    return pool->threads;
}

enum status pool_new(struct pool **out, uint32_t threads, struct error *error)
{
    struct pool *pool;

    *out = NULL;
    if (threads < 1 || threads > POOL_MAX_THREADS) {
        return error_set(error, STATUS_OUT_OF_RANGE, "%u threads, 1 to %d are allowed", threads, POOL_MAX_THREADS);
    }
    pool = aligned_alloc(64, (sizeof *pool + 63) / 64 * 64);
    if (pool == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a team of %u threads", threads);
    }
    *pool = (struct pool){.threads = 1};
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    matrix_library_thread_init();
    if (start_workers(pool, threads) < threads) {
        uint32_t started = pool->threads;

        pool_free(pool);
        return error_set(error, STATUS_OUT_OF_MEMORY, "thread %u of %u could not be started", started + 1, threads);
    }
    *out = pool;
    return STATUS_OK;
}

void pool_resize(struct pool *pool, uint32_t threads)
{
    if (threads != pool->threads) {
        stop_workers(pool);
        start_workers(pool, threads);
    }
}

void pool_free(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    stop_workers(pool);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

uint32_t pool_threads(const struct pool *pool)
{
    return pool->threads;
}

void pool_run(struct pool *pool, uint32_t tasks, pool_task task, void *context)
{
    unsigned generation, left;

    pool->task = task;
    pool->context = context;
    pool->tasks = tasks;
    if (pool->threads == 1 || tasks == 1) {
        phase_clock_switch(&pool->clocks[0], pool->phase);
        for (uint32_t i = 0; i < tasks; i++) {
            task(context, i, 0);
        }
        phase_clock_switch(&pool->clocks[0], PHASE_OTHER);
        return;
    }
    phase_clock_switch(&pool->clocks[0], PHASE_WAIT); /* waking one of the others can cost the caller its core */
    generation = atomic_load_explicit(&pool->generation, memory_order_relaxed) + 1;
    atomic_store(&pool->undone, tasks);
    share_out(pool, generation);
    atomic_store(&pool->generation, generation);
    wake_sleepers(pool);
    run_tasks(pool, generation, 0);
    while ((left = atomic_load_explicit(&pool->undone, memory_order_acquire)) > 0) {
        wait_for_change(pool, &pool->undone, left);
    }
    phase_clock_switch(&pool->clocks[0], PHASE_OTHER);
}

void pool_clocks_start(struct pool *pool)
{
    uint64_t now = phase_clock_ticks();

    for (uint32_t i = 0; i < pool->threads; i++) {
        pool->clocks[i] = (struct phase_clock){.since = now, .phase = i == 0 ? PHASE_OTHER : PHASE_WAIT};
    }
}

void pool_clocks_stop(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->threads; i++) {
        phase_clock_switch(&pool->clocks[i], PHASE_WAIT);
        for (int p = 0; p < PHASE_COUNT; p++) {
            pool->ticks[p] += pool->clocks[i].ticks[p];
        }
    }
}

void pool_phase(struct pool *pool, enum phase phase)
{
    pool->phase = phase;
}

struct phase_clock *pool_clock(struct pool *pool, uint32_t worker)
{
    return &pool->clocks[worker];
}

void pool_ticks(const struct pool *pool, uint64_t ticks[PHASE_COUNT])
{
    memcpy(ticks, pool->ticks, sizeof pool->ticks);
}
