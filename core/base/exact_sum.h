/*
 * A sum that keeps what its additions round off (Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation
 * endlicher Summen"): the error does not grow with the number of terms. Zero-initialise.
 */
#ifndef DESCENT_CORE_BASE_EXACT_SUM_H
#define DESCENT_CORE_BASE_EXACT_SUM_H

#include <math.h>

struct exact_sum {
    double total, lost;
};

static inline void exact_sum_add(struct exact_sum *sum, double term)
{
    double total = sum->total + term;

    sum->lost += fabs(sum->total) >= fabs(term) ? (sum->total - total) + term : (term - total) + sum->total;
    sum->total = total;
}

/* Infinite terms make it infinite, NaN or infinities of both signs NaN. */
static inline double exact_sum_value(const struct exact_sum *sum)
{
    return isfinite(sum->total) ? sum->total + sum->lost : sum->total;
}

#endif
