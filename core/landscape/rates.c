#include "core/landscape/rates.h"

#include <float.h>
#include <math.h>

#include "core/base/mathx.h"

#define FEWEST_UPDATES 8
#define NEWTON_STEPS   60
#define BISECTIONS     200
#define QUADRATIC      0.1 /* curvatures may differ by so much of the largest */
#define EXPLAINED      0.9
#define ROUND          1e-6   /* a deviation from the line, by row, that is nothing to explain */
#define NOTHING        1e-290 /* where float64 runs out of exponents */

/* ---- theory ---- */

/*
 * v' = beta v - alpha lambda (theta + c v), theta' = theta + v': largest modulus of the eigenvalues of that iteration, the
 * roots of z^2 - trace z + determinant, with h = alpha lambda.
 */
static double radius(double h, double beta, double ahead)
{
    double determinant = beta - h * ahead, trace = 1 + determinant - h;
    double half = 0.5 * trace, discriminant = half * half - determinant;

    if (discriminant < 0) {
        return sqrt(determinant);
    }
    return fabs(half) + sqrt(discriminant);
}

static double worst_radius(double alpha, double beta, double ahead, const double eigenvalues[2])
{
    return fmax(radius(alpha * eigenvalues[0], beta, ahead), radius(alpha * eigenvalues[1], beta, ahead));
}

/* The r in (0, 1) with kappa = (1 + r)(2 r^2 - r + 1) / ((1 - r)^2 (1 + 2 r)): a rising function of r. */
static double lecture_rate(double kappa)
{
    double low = 0, high = 1;

    for (int i = 0; i < BISECTIONS; i++) {
        double r = 0.5 * (low + high);
        double value = (1 + r) * (2 * r * r - r + 1) / ((1 - r) * (1 - r) * (1 + 2 * r));

        if (value < kappa) {
            low = r;
        } else {
            high = r;
        }
    }
    return low;
}

static void find_best(const struct optimizer_spec *optimizer, double ahead, const double eigenvalues[2],
                      struct rate_theory *theory)
{
    double small = eigenvalues[0], large = eigenvalues[1], kappa = large / small;
    struct rate_best *best = &theory->best;

    if (optimizer->nesterov == NESTEROV_LECTURE) {
        best->rate = lecture_rate(kappa);
        best->learning_rate = (1 - best->rate) * (1 - best->rate) / small;
        best->momentum = best->rate * best->rate + (1 - best->rate) * (1 - best->rate);
    } else if (optimizer->momentum == 0) {
        best->learning_rate = 2 / (large + small);
        best->momentum = 0;
        best->rate = (kappa - 1) / (kappa + 1);
    } else if (ahead == 0) {
        double roots = sqrt(large) + sqrt(small);

        best->learning_rate = 4 / (roots * roots);
        best->rate = (sqrt(kappa) - 1) / (sqrt(kappa) + 1);
        best->momentum = best->rate * best->rate;
    } else {
        double root = sqrt(3 * kappa + 1);

        best->learning_rate = 4 / (3 * large + small);
        best->momentum = (root - 2) / (root + 2);
        best->rate = 1 - 2 / root;
    }
    /* the lecture's form has another optimum where kappa is small: nothing is told that does not hold */
    double at_best = worst_radius(best->learning_rate, best->momentum,
                                  optimizer->nesterov == NESTEROV_LOOKAHEAD ? best->momentum : ahead, eigenvalues);
    theory->has_best = fabs(at_best - best->rate) <= 1e-6;
}

int rate_theory(const struct optimizer_spec *optimizer, const double eigenvalues[2], struct rate_theory *theory)
{
    double ahead = optimizer_look_ahead(optimizer), alpha = optimizer->learning_rate, beta = optimizer->momentum;

    if (optimizer->type != OPTIMIZER_SGD || optimizer->weight_decay != 0 || !(eigenvalues[0] > 0)) {
        return 0;
    }
    *theory = (struct rate_theory){.rate = worst_radius(alpha, beta, ahead, eigenvalues),
                                   .largest_learning_rate = 2 * (1 + beta) / ((1 + 2 * ahead) * eigenvalues[1]),
                                   .condition_number = eigenvalues[1] / eigenvalues[0]};
    find_best(optimizer, ahead, eigenvalues, theory);
    return 1;
}

/* ---- measured ---- */

/* Newton's method for gradient = 0 from the path's end: the same point whatever the optimizer, to the last digits. */
static int find_limit(const struct formula *formula, const struct descent_row *end, struct jet *jet,
                      struct critical_point *limit)
{
    double x = end->x, y = end->y, last = HUGE_VAL;

    for (int i = 0; i < NEWTON_STEPS; i++) {
        formula_jet(formula, x, y, jet);
        double determinant = jet->hxx * jet->hyy - jet->hxy * jet->hxy;
        double dx = (jet->hxy * jet->gy - jet->hyy * jet->gx) / determinant;
        double dy = (jet->hxy * jet->gx - jet->hxx * jet->gy) / determinant;
        double moved = vector_length(dx, dy);

        if (!isfinite(moved)) {
            return 0;
        }
        if (moved <= 64 * DBL_EPSILON * vector_length(x, y) && moved >= last) {
            break; /* no nearer any more */
        }
        x += dx;
        y += dy;
        last = moved;
        if (moved == 0) {
            break;
        }
    }
    formula_jet(formula, x, y, jet);
    *limit = (struct critical_point){.x = x, .y = y, .f = jet->f};
    limit->type = critical_classify(jet, limit->eigenvalues);
    return last <= 64 * DBL_EPSILON * vector_length(x, y) || last <= NOTHING;
}

static double distance(const struct descent_row *row, const struct critical_point *limit)
{
    return vector_length(row->x - limit->x, row->y - limit->y);
}

static int is_quadratic_at(const struct formula *formula, const struct descent_row *row, const struct jet *limit,
                           double largest)
{
    struct jet jet;

    formula_jet(formula, row->x, row->y, &jet);
    double worst = fmax(fmax(fabs(jet.hxx - limit->hxx), fabs(jet.hxy - limit->hxy)), fabs(jet.hyy - limit->hyy));
    return worst <= QUADRATIC * largest; /* NaN is not */
}

/* The first row that rounding decides about: it does where the gradient's own error moves the weights as far. */
static uint64_t find_last(const struct descent_row *rows, uint64_t taken, const struct critical_point *limit,
                          const struct jet *jet, double smallest, double largest)
{
    double place = vector_length(limit->x, limit->y);
    double floor = 100 * (DBL_EPSILON * place * (largest / smallest) + vector_length(jet->gx, jet->gy) / smallest);
    uint64_t last = 0, quarter = taken / 4;
    double stuck = 0;

    for (uint64_t k = taken - quarter; k <= taken; k++) { /* what it no longer falls below is rounding, too */
        stuck = fmax(stuck, distance(&rows[k], limit));
    }
    if (quarter >= FEWEST_UPDATES && distance(&rows[taken], limit) > 0.5 * stuck &&
        stuck < 1e-10 * distance(&rows[0], limit)) {
        floor = fmax(floor, 1000 * stuck);
    }
    floor = fmax(floor, NOTHING);
    while (last <= taken && distance(&rows[last], limit) > floor) {
        last++;
    }
    return last > 0 ? last - 1 : 0;
}

/* Sums over rows first ... last for a fit of log distance by time t and by log k, all less their means. */
struct fit {
    double tt, tl, ll, ty, ly, yy;
};

static void add_up(const struct descent_row *rows, uint64_t first, uint64_t last, const struct critical_point *limit,
                   struct fit *fit)
{
    double count = (double)(last - first + 1), mean_l = 0, mean_y = 0;

    for (uint64_t k = first; k <= last; k++) {
        mean_l += mathx_log_f64((double)(k + 1)) / count;
        mean_y += mathx_log_f64(distance(&rows[k], limit)) / count;
    }
    *fit = (struct fit){0};
    for (uint64_t k = first; k <= last; k++) {
        double t = (double)(k - first) - 0.5 * (double)(last - first), l = mathx_log_f64((double)(k + 1)) - mean_l;
        double y = mathx_log_f64(distance(&rows[k], limit)) - mean_y;

        fit->tt += t * t;
        fit->tl += t * l;
        fit->ll += l * l;
        fit->ty += t * y;
        fit->ly += l * y;
        fit->yy += y * y;
    }
}

/*
 * The slope of the line through log distance, by least squares. Where two eigenvalues of the iteration fall together, as
 * with the best parameters, the distance goes as k^p rate^k: the power is fitted as well where that explains nine tenths of
 * what the line does not.
 */
static double slope(const struct descent_row *rows, uint64_t first, uint64_t last, const struct critical_point *limit)
{
    struct fit fit;

    add_up(rows, first, last, limit, &fit);
    double line = fit.ty / fit.tt, rest = fit.yy - fit.ty * line;
    double ll = fit.ll - fit.tl * fit.tl / fit.tt, ly = fit.ly - fit.tl * line; /* what of log k the line has not */

    if (rest > ROUND * ROUND * (double)(last - first) && ly * ly / ll > EXPLAINED * rest) {
        line -= ly / ll * fit.tl / fit.tt;
    }
    return line;
}

double rate_measured(const struct formula *formula, const struct descent_row *rows, uint64_t taken,
                     struct critical_point *limit)
{
    struct jet jet;

    *limit = (struct critical_point){.type = CRITICAL_NONSMOOTH};
    if (!isfinite(rows[taken].f) || !find_limit(formula, &rows[taken], &jet, limit)) {
        limit->type = CRITICAL_NONSMOOTH;
        return NAN;
    }
    if (limit->type == CRITICAL_DEGENERATE || limit->type == CRITICAL_NONSMOOTH || taken < FEWEST_UPDATES) {
        return NAN;
    }
    double one = fabs(limit->eigenvalues[0]), other = fabs(limit->eigenvalues[1]);
    double smallest = fmin(one, other), largest = fmax(one, other);
    uint64_t last = find_last(rows, taken, limit, &jet, smallest, largest), first = last / 2;

    while (last - first >= FEWEST_UPDATES && !is_quadratic_at(formula, &rows[first], &jet, largest)) {
        first += (last - first + 1) / 2;
    }
    if (last - first < FEWEST_UPDATES || !is_quadratic_at(formula, &rows[last], &jet, largest)) {
        return NAN;
    }
    return mathx_exp_f64(slope(rows, first, last, limit));
}
