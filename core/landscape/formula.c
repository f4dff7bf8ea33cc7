#include "core/landscape/formula.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/mathx.h"
#include "core/landscape/formula_program.h"

void formula_free(struct formula *formula)
{
    free(formula);
}

const char *formula_name(size_t i)
{
    static const char *const names[] = {
#define FORMULA_VARIABLE(NAME, name)  #name,
#define FORMULA_CONSTANT(name, value) #name,
#define FORMULA_FUNCTION(NAME, name)  #name,
#include "core/landscape/formula_names.def"
#undef FORMULA_VARIABLE
#undef FORMULA_CONSTANT
#undef FORMULA_FUNCTION
    };

    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

double formula_power_whole(double a, int32_t n)
{
    uint32_t left = n < 0 ? 0 - (uint32_t)n : (uint32_t)n;
    double product = isnan(a) ? a : 1; /* what has no value has none after any power */

    for (; left > 1; left >>= 1) {
        product = (left & 1) != 0 ? product * a : product;
        a *= a;
    }
    product = left != 0 ? product * a : product;
    return n < 0 ? 1 / product : product;
}

/* a^c for a >= 0; NaN below. */
static double power_real(double a, double c)
{
    if (a == 0) {
        return c > 0 ? 0 : c < 0 ? HUGE_VAL : 1;
    }
    return mathx_exp_f64(c * mathx_log_f64(a));
}

double formula_node_value(const struct formula_node *node, const double *values, double x, double y)
{
    double a = node->a >= 0 ? values[node->a] : 0, b = node->b >= 0 ? values[node->b] : 0;

    switch (node->operation) {
    case FORMULA_NUMBER:
        return node->number;
    case FORMULA_X:
        return x;
    case FORMULA_Y:
        return y;
    case FORMULA_EXP:
        return mathx_exp_f64(a);
    case FORMULA_LOG:
        return mathx_log_f64(a);
    case FORMULA_SIN:
        return mathx_sin_f64(a);
    case FORMULA_COS:
        return mathx_cos_f64(a);
    case FORMULA_SQRT:
        return sqrt(a);
    case FORMULA_ABS:
        return fabs(a);
    case FORMULA_TANH:
        return mathx_tanh_f64(a);
    case FORMULA_NEGATE:
        return -a;
    case FORMULA_ADD:
        return a + b;
    case FORMULA_SUBTRACT:
        return a - b;
    case FORMULA_MULTIPLY:
        return a * b;
    case FORMULA_DIVIDE:
        return a / b;
    case FORMULA_POWER_WHOLE:
        return formula_power_whole(a, node->n);
    case FORMULA_POWER_REAL:
        return power_real(a, node->number);
    }
    return (double)NAN;
}

double formula_value(const struct formula *formula, double x, double y)
{
    double values[FORMULA_MAX_NODES];

    assert(formula->count > 0);
    values[0] = 0;
    for (size_t i = 0; i < formula->count; i++) {
        values[i] = formula_node_value(&formula->nodes[i], values, x, y);
    }
    return values[formula->count - 1];
}

static struct jet multiply(const struct jet *a, const struct jet *b)
{
    return (struct jet){.f = a->f * b->f,
                        .gx = a->gx * b->f + a->f * b->gx,
                        .gy = a->gy * b->f + a->f * b->gy,
                        .hxx = a->hxx * b->f + 2 * (a->gx * b->gx) + a->f * b->hxx,
                        .hxy = a->hxy * b->f + (a->gx * b->gy + a->gy * b->gx) + a->f * b->hxy,
                        .hyy = a->hyy * b->f + 2 * (a->gy * b->gy) + a->f * b->hyy};
}

/* q = a / b from a = q b, differentiated. */
static struct jet divide(const struct jet *a, const struct jet *b)
{
    struct jet q = {.f = a->f / b->f};

    q.gx = (a->gx - q.f * b->gx) / b->f;
    q.gy = (a->gy - q.f * b->gy) / b->f;
    q.hxx = (a->hxx - 2 * (q.gx * b->gx) - q.f * b->hxx) / b->f;
    q.hxy = (a->hxy - (q.gx * b->gy + q.gy * b->gx) - q.f * b->hxy) / b->f;
    q.hyy = (a->hyy - 2 * (q.gy * b->gy) - q.f * b->hyy) / b->f;
    return q;
}

/* a and b weighed: linear, hence in every component alike. */
static struct jet combine(const struct jet *a, double weight, const struct jet *b)
{
    return (struct jet){.f = a->f + weight * b->f,
                        .gx = a->gx + weight * b->gx,
                        .gy = a->gy + weight * b->gy,
                        .hxx = a->hxx + weight * b->hxx,
                        .hxy = a->hxy + weight * b->hxy,
                        .hyy = a->hyy + weight * b->hyy};
}

static struct jet negate(const struct jet *a)
{
    return (struct jet){.f = -a->f, .gx = -a->gx, .gy = -a->gy, .hxx = -a->hxx, .hxy = -a->hxy, .hyy = -a->hyy};
}

/* The chain rule: u(a) with value u, first and second derivative at a. */
static struct jet chain(const struct jet *a, double u, double first, double second)
{
    return (struct jet){.f = u,
                        .gx = first * a->gx,
                        .gy = first * a->gy,
                        .hxx = second * (a->gx * a->gx) + first * a->hxx,
                        .hxy = second * (a->gx * a->gy) + first * a->hxy,
                        .hyy = second * (a->gy * a->gy) + first * a->hyy};
}

/* A factor of 0 ends a power's derivatives, also at 0, where a negative power would be infinite. */
static double power_derivative(double factor, double a, int32_t n)
{
    return factor == 0 ? 0 : factor * formula_power_whole(a, n);
}

static struct jet power_whole(const struct jet *a, int32_t n)
{
    double first = n, second = first * (first - 1);

    return chain(a, formula_power_whole(a->f, n), power_derivative(first, a->f, n - 1),
                 power_derivative(second, a->f, n - 2));
}

/* tanh' = 1 - tanh^2 = 4 q / (1 + q)^2 with q = e^(-2|a|), which keeps all digits where tanh is nearly 1. */
static struct jet hyperbolic_tangent(const struct jet *a)
{
    double t = mathx_tanh_f64(a->f), q = mathx_exp_f64(-2 * fabs(a->f)), slope = 4 * q / ((1 + q) * (1 + q));

    return chain(a, t, slope, -2 * t * slope);
}

static struct jet node_jet(const struct formula_node *node, const struct jet *jets, double x, double y)
{
    const struct jet *a = &jets[node->a >= 0 ? node->a : 0], *b = &jets[node->b >= 0 ? node->b : 0];
    double u, c = node->number;

    switch (node->operation) {
    case FORMULA_NUMBER:
        return (struct jet){.f = c};
    case FORMULA_X:
        return (struct jet){.f = x, .gx = 1};
    case FORMULA_Y:
        return (struct jet){.f = y, .gy = 1};
    case FORMULA_EXP:
        u = mathx_exp_f64(a->f);
        return chain(a, u, u, u);
    case FORMULA_LOG:
        u = a->f >= 0 ? 1 / a->f : (double)NAN;
        return chain(a, mathx_log_f64(a->f), u, -u * u);
    case FORMULA_SIN:
        u = mathx_sin_f64(a->f);
        return chain(a, u, mathx_cos_f64(a->f), -u);
    case FORMULA_COS:
        u = mathx_cos_f64(a->f);
        return chain(a, u, -mathx_sin_f64(a->f), -u);
    case FORMULA_SQRT:
        u = sqrt(a->f);
        return chain(a, u, 0.5 / u, -0.25 / (u * a->f));
    case FORMULA_ABS:
        return chain(a, fabs(a->f), (a->f > 0) - (a->f < 0), 0);
    case FORMULA_TANH:
        return hyperbolic_tangent(a);
    case FORMULA_NEGATE:
        return negate(a);
    case FORMULA_ADD:
        return combine(a, 1, b);
    case FORMULA_SUBTRACT:
        return combine(a, -1, b);
    case FORMULA_MULTIPLY:
        return multiply(a, b);
    case FORMULA_DIVIDE:
        return divide(a, b);
    case FORMULA_POWER_WHOLE:
        return power_whole(a, node->n);
    case FORMULA_POWER_REAL:
        return chain(a, power_real(a->f, c), c * power_real(a->f, c - 1), c * (c - 1) * power_real(a->f, c - 2));
    }
    return (struct jet){.f = (double)NAN};
}

size_t formula_operations(const struct formula *formula)
{
    return formula->count;
}

void formula_jet(const struct formula *formula, double x, double y, struct jet *jet)
{
    struct jet jets[FORMULA_MAX_NODES];

    assert(formula->count > 0);
    jets[0] = (struct jet){0}; /* what stands for operands that an operation has not got */
    for (size_t i = 0; i < formula->count; i++) {
        jets[i] = node_jet(&formula->nodes[i], jets, x, y);
    }
    *jet = jets[formula->count - 1];
}

double vector_length(double a, double b)
{
    double large = fmax(fabs(a), fabs(b)), small = fmin(fabs(a), fabs(b));

    if (isnan(a) || isnan(b) || (large < 1e140 && large > 1e-140) || large == 0 || isinf(large)) {
        return sqrt(a * a + b * b);
    }
    return large * sqrt(1 + small / large * (small / large));
}

double jet_gradient_norm(const struct jet *jet)
{
    return vector_length(jet->gx, jet->gy);
}
