/*
 * Where a thread's time goes. Ticks are the processor's own: steady, of no fixed length; only their shares mean anything,
 * and no result depends on them.
 */
#ifndef DESCENT_CORE_BASE_PHASE_CLOCK_H
#define DESCENT_CORE_BASE_PHASE_CLOCK_H

#include <stdint.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

/* What the threads of a team do. X(name in C, name for users, meaning) */
#define PHASES(X)                                                                                                           \
    X(GATHER, "gather", "rows of the next minibatch, scaled and laid out")                                                  \
    X(FORWARD, "forward", "activations, and the loss with its gradient")                                                    \
    X(BACKWARD, "backward", "gradients")                                                                                    \
    X(UPDATE, "update", "the optimizer's rule")                                                                             \
    X(EVALUATE, "evaluate", "passes over whole splits, and diagnostics")                                                    \
    X(OTHER, "other", "what one thread does between the phases of a step")                                                  \
    X(WAIT, "wait", "for the other threads, and waking them")

enum phase {
#define PHASE(name, text, meaning) PHASE_##name,
    PHASES(PHASE)
#undef PHASE
        PHASE_COUNT
};

/* One thread's. Read and written by that thread, or by others while it waits. */
struct phase_clock {
    _Alignas(64) uint64_t since;
    enum phase phase;
    uint64_t ticks[PHASE_COUNT];
};

/* 0 on processors whose counter is not known here: nothing is measured then. */
static inline uint64_t phase_clock_ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;

    __asm__("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return 0;
#endif
}

/* Ends the phase that runs and begins another; returns the one that ended. */
static inline enum phase phase_clock_switch(struct phase_clock *clock, enum phase next)
{
    uint64_t now = phase_clock_ticks();
    enum phase before = clock->phase;

    clock->ticks[before] += now - clock->since;
    clock->since = now;
    clock->phase = next;
    return before;
}

#endif
