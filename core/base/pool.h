/*
 * A job's team of threads. The caller is worker 0; the others wait for work, spinning briefly and then asleep.
 *
 * Work comes as a number of tasks fixed by the job, never by the team's size. Worker w of W always begins with the same
 * range of them, [n w / W, n (w + 1) / W), so that what a task owns stays in its worker's cache from step to step; who has
 * done its own takes what others have left.
 */
#ifndef DESCENT_CORE_BASE_POOL_H
#define DESCENT_CORE_BASE_POOL_H

#include <stdint.h>

#include "core/base/phase_clock.h"
#include "core/base/status.h"

#define POOL_MAX_THREADS 64

struct pool;

typedef void (*pool_task)(void *context, uint32_t task, uint32_t worker);

/* A team of `threads` (1 ... POOL_MAX_THREADS) with the caller; STATUS_OUT_OF_MEMORY when a thread cannot be made. */
MUST_CHECK enum status pool_new(struct pool **pool, uint32_t threads, struct error *error);
void pool_free(struct pool *pool);
uint32_t pool_threads(const struct pool *pool);

/* Lets the team grow or shrink; between two pool_run only. A thread that cannot be made is done without. */
void pool_resize(struct pool *pool, uint32_t threads);

/*
 * Where the team's time goes. Between pool_clocks_start and pool_clocks_stop each thread's time is counted for the phase it
 * is in: pool_phase names that of the work to come, a task may change its own worker's clock (phase_clock_switch) as long as
 * it sets it back; outside of pool_run the caller is in PHASE_OTHER, the others in PHASE_WAIT. Only by the thread that made
 * the pool.
 */
void pool_clocks_start(struct pool *pool);
void pool_clocks_stop(struct pool *pool);
void pool_phase(struct pool *pool, enum phase phase);
struct phase_clock *pool_clock(struct pool *pool, uint32_t worker);
/* Ticks of all threads together, since the pool was made. */
void pool_ticks(const struct pool *pool, uint64_t ticks[PHASE_COUNT]);

/* Runs task(context, i, worker) for i in [0, tasks) and returns when all are done. Only by the thread that made the pool. */
void pool_run(struct pool *pool, uint32_t tasks, pool_task task, void *context);

#endif
