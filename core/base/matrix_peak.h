/*
 * How fast matrix products can be here: what shares of the machine's limit are shares of. No result depends on it.
 */
#ifndef DESCENT_CORE_BASE_MATRIX_PEAK_H
#define DESCENT_CORE_BASE_MATRIX_PEAK_H

#include "core/base/precision.h"

/*
 * Floating point operations a second of the products of this precision in this kernel tier, which has to have them
 * (kernel_tier_of), on the calling thread: the shortest of some dozens of runs, so that other work on the machine does not
 * matter. Takes some 20 ms, in the "reference" tier up to 100. seconds: a clock that never goes back. 0: there was no memory
 * for it, or the clock stood still.
 */
double matrix_peak(enum precision precision, double (*seconds)(void));

#endif
