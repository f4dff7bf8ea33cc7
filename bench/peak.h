/* What the measurements of bench/peak share: a thread's part of a question. */
#ifndef DESCENT_BENCH_PEAK_H
#define DESCENT_BENCH_PEAK_H

#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stddef.h>

#define PEAK_RATES 3 /* that a question has, at most */

struct peak_thread {
    const long *sizes; /* of the question */
    pthread_barrier_t *start;
    double rates[PEAK_RATES]; /* written */
};

void peak_check(dnnl_status_t status);
/* Positive values around 1, 64-byte aligned; malloc'ed. */
float *peak_values(size_t count);
/* Calls work once, waits for the other threads, then calls it for a while. 1e9 units a second, of which a call does `each`.
 */
double peak_rate(struct peak_thread *self, double each, void (*work)(void *), void *context);

/* sizes: n c f height width kernel padding; GFLOP/s forward, backward to the data, backward to the weights. */
void peak_convolution(struct peak_thread *self);

#endif
