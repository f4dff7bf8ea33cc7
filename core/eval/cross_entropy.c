#include "core/eval/cross_entropy.h"

#include <math.h>

#include "core/base/exact_sum.h"
#include "core/base/mathx.h"

enum status probabilities_check(const char *name, const double *p, size_t n, double tolerance, struct error *error)
{
    struct exact_sum sum = {0, 0};
    double total;

    for (size_t t = 0; t < n; t++) {
        if (!(p[t] >= 0)) {
            return error_set(error, STATUS_OUT_OF_RANGE, "%s[%zu] is %g, a probability is at least 0", name, t, p[t]);
        }
        exact_sum_add(&sum, p[t]);
    }
    total = exact_sum_value(&sum);
    if (!(fabs(total - 1) <= tolerance)) {
        return error_set(error, STATUS_OUT_OF_RANGE, "%s sums to %.17g, probabilities sum to 1 within %g", name, total,
                         tolerance);
    }
    return STATUS_OK;
}

/* Adds up u_t against ln v_t. */
struct comparison {
    struct exact_sum cross_entropy, entropy, kl;
};

static void compare(struct comparison *sums, double u, double log_v)
{
    double log_u;

    if (u > 0) {
        log_u = mathx_log_f64(u);
        exact_sum_add(&sums->cross_entropy, -u * log_v);
        exact_sum_add(&sums->entropy, -u * log_u);
        exact_sum_add(&sums->kl, u * (log_u - log_v));
    }
}

static void finish(const struct comparison *sums, struct cross_entropy *out)
{
    out->cross_entropy = exact_sum_value(&sums->cross_entropy) + 0.0; /* never -0 */
    out->entropy = exact_sum_value(&sums->entropy) + 0.0;
    out->kl = exact_sum_value(&sums->kl) + 0.0;
}

void cross_entropy_of(const double *u, const double *v, size_t n, struct cross_entropy *out)
{
    struct comparison sums = {.kl = {0, 0}};

    for (size_t t = 0; t < n; t++) {
        compare(&sums, u[t], mathx_log_f64(v[t]));
    }
    finish(&sums, out);
}

void cross_entropy_of_logits(const double *u, const double *z, size_t n, struct cross_entropy *out)
{
    struct comparison sums = {.kl = {0, 0}};
    struct exact_sum others = {0, 0};
    size_t winner = 0;
    double log_sum; /* lse - max */

    for (size_t t = 1; t < n; t++) {
        winner = z[t] > z[winner] ? t : winner;
    }
    for (size_t t = 0; t < n; t++) {
        if (t != winner) {
            exact_sum_add(&others, mathx_exp_f64(z[t] - z[winner]));
        }
    }
    log_sum = mathx_log1p_f64(exact_sum_value(&others));
    for (size_t t = 0; t < n; t++) {
        compare(&sums, u[t], (z[t] - z[winner]) - log_sum);
    }
    finish(&sums, out);
}
