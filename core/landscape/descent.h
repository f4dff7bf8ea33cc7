/*
 * Descents: an optimizer's way over a function of two variables, in float64, by the very update rules of training
 * (core/optim/update_rules.inc).
 *
 * Everything about a step that clients see (place, value, gradient, length) is told of the served point; the gradient that
 * the rule gets is taken where the rule asks for it (optimizer.h), and may be disturbed by noise.
 */
#ifndef DESCENT_CORE_LANDSCAPE_DESCENT_H
#define DESCENT_CORE_LANDSCAPE_DESCENT_H

#include <stdint.h>

#include "core/landscape/critical_points.h"
#include "core/landscape/formula.h"
#include "core/optim/optimizer.h"
#include "core/optim/schedule.h"

#define DESCENT_MAX_DISTANCE 1e150 /* a coordinate beyond it counts as diverged: its square is no number any more */

enum noise_type { NOISE_UNIFORM, NOISE_NORMAL, NOISE_TYPE_COUNT };
const char *noise_type_name(enum noise_type type); /* "uniform", "normal" */

/* What is added to each coordinate of every gradient: uniform in [-scale, scale], or normal of standard deviation scale. */
struct descent_noise {
    enum noise_type type;
    double scale; /* 0: none */
};

struct descent_task {
    const struct formula *formula;
    struct optimizer_spec optimizer;
    struct schedule_spec schedule; /* an update counts as an epoch */
    double start[2];
    uint64_t steps;
    double gradient_norm; /* ends where the gradient (without noise) is at most so long; negative: goes on */
    struct descent_noise noise;
    uint64_t seed;
    uint32_t stream; /* descents of one seed with the same stream see the same noise at the same step */
};

/* After k updates, at the served point. */
struct descent_row {
    double x, y, f, gradient_norm;
    double step_size; /* the distance to the row before; 0 in row 0 */
};

enum descent_stop { DESCENT_STEPS, DESCENT_GRADIENT_NORM, DESCENT_DIVERGED, DESCENT_STOP_COUNT };
const char *descent_stop_name(enum descent_stop stop); /* "steps", "gradient_norm", "diverged" */

/*
 * Writes rows 0 ... *taken; rows has room for steps + 1. diverged: the update after the last row left the finite numbers, by
 * its place, its value or its gradient; only row 0 may then itself have a value or gradient that is not finite.
 * Pure: the same task gives the same bits, whoever else descends.
 */
enum descent_stop descent_run(const struct descent_task *task, struct descent_row *rows, uint64_t *taken);

/* How much work an update is, in operations of a formula: to be kept in bounds before a task is taken on. */
uint64_t descent_cost(const struct formula *formula);

/* Where a descent has come to. */
struct descent_end {
    struct jet jet;
    double eigenvalues[2];
    int is_critical; /* the gradient is as good as 0: at most 1e-6 of the largest curvature */
    enum critical_type type;
};
void descent_end(const struct formula *formula, const struct descent_row *row, struct descent_end *end);

/* Start `index` of a seed's random starts: uniform in the box [[x0, x1], [y0, y1]]. */
void descent_random_start(uint64_t seed, const double box[2][2], uint32_t index, double start[2]);

#endif
