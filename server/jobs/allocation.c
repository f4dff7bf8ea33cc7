#include "server/jobs/allocation.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const struct share *a = left, *b = right;

    if (a->starves != b->starves) {
        return a->starves ? -1 : 1;
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    if (a->used != b->used) {
        return a->used < b->used ? -1 : 1;
    }
    if (a->waits_since != b->waits_since) {
        return a->waits_since < b->waits_since ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Do both stand on the same step of the ladder? */
static int same_class(const struct share *a, const struct share *b)
{
    return a->starves == b->starves && a->priority == b->priority;
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* One class, [count] shares in order; returns what it leaves of `left`. */
static uint32_t serve(struct share *shares, size_t count, uint32_t left, uint32_t all)
{
    uint32_t dealt = left;

    for (size_t i = 0; i < count; i++) {
        uint32_t needed = shares[i].exact ? at_most(shares[i].wanted, all) : 1;

        shares[i].threads = needed <= left ? needed : 0;
        left -= shares[i].threads;
    }
    while (left > 0 && dealt > 0) {
        dealt = 0;
        for (size_t i = 0; i < count && left > 0; i++) {
            if (!shares[i].exact && shares[i].threads > 0 && shares[i].threads < shares[i].wanted) {
                shares[i].threads++;
                left--;
                dealt++;
            }
        }
    }
    return left;
}

void allocation_make(struct share *shares, size_t count, uint32_t threads)
{
    uint32_t left = threads;

    qsort(shares, count, sizeof *shares, compare);
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && same_class(&shares[begin], &shares[end]); end++) {
        }
        left = serve(shares + begin, end - begin, left, threads);
    }
}
