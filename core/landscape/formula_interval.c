/* The rules of formula.c, with intervals for numbers. */
#include "core/landscape/formula_interval.h"

#include <assert.h>
#include <math.h>

#include "core/landscape/formula_program.h"

static const struct interval ZERO = {.lo = 0, .hi = 0};

static struct interval number(double x)
{
    return interval_of(x, x);
}

static struct interval twice(struct interval a)
{
    return interval_of(2 * a.lo, 2 * a.hi);
}

static struct interval product(struct interval a, struct interval b)
{
    return interval_multiply(a, b);
}

static struct interval sum(struct interval a, struct interval b)
{
    return interval_add(a, b);
}

static struct interval_jet multiply(const struct interval_jet *a, const struct interval_jet *b, enum interval_order order)
{
    struct interval_jet u = {.f = product(a->f, b->f)};

    for (int i = 0; i < 2; i++) {
        u.g[i] = sum(product(a->g[i], b->f), product(a->f, b->g[i]));
    }
    if (order == INTERVAL_HESSIAN) {
        u.h[0] = twice(product(a->g[0], b->g[0]));
        u.h[1] = sum(product(a->g[0], b->g[1]), product(a->g[1], b->g[0]));
        u.h[2] = twice(product(a->g[1], b->g[1]));
        for (int i = 0; i < 3; i++) {
            u.h[i] = sum(u.h[i], sum(product(a->h[i], b->f), product(a->f, b->h[i])));
        }
    }
    return u;
}

static struct interval_jet chain(const struct interval_jet *a, struct interval value, struct interval first,
                                 struct interval second, enum interval_order order)
{
    struct interval_jet u = {.f = value};

    for (int i = 0; i < 2; i++) {
        u.g[i] = product(first, a->g[i]);
    }
    if (order == INTERVAL_HESSIAN) {
        u.h[0] = product(second, interval_square(a->g[0]));
        u.h[1] = product(second, product(a->g[0], a->g[1]));
        u.h[2] = product(second, interval_square(a->g[1]));
        for (int i = 0; i < 3; i++) {
            u.h[i] = sum(u.h[i], product(first, a->h[i]));
        }
    }
    return u;
}

static struct interval_jet add(const struct interval_jet *a, const struct interval_jet *b)
{
    struct interval_jet u = {.f = sum(a->f, b->f)};

    for (int i = 0; i < 2; i++) {
        u.g[i] = sum(a->g[i], b->g[i]);
    }
    for (int i = 0; i < 3; i++) {
        u.h[i] = sum(a->h[i], b->h[i]);
    }
    return u;
}

static struct interval_jet negate(const struct interval_jet *a)
{
    struct interval_jet u = {.f = interval_negate(a->f)};

    for (int i = 0; i < 2; i++) {
        u.g[i] = interval_negate(a->g[i]);
    }
    for (int i = 0; i < 3; i++) {
        u.h[i] = interval_negate(a->h[i]);
    }
    return u;
}

static struct interval_jet power_whole(const struct interval_jet *a, int32_t n, enum interval_order order)
{
    double first = n, second = first * (first - 1);

    return chain(a, interval_power_whole(a->f, n),
                 product(number(first), first == 0 ? ZERO : interval_power_whole(a->f, n - 1)),
                 product(number(second), second == 0 ? ZERO : interval_power_whole(a->f, n - 2)), order);
}

static struct interval_jet power_real(const struct interval_jet *a, double c, enum interval_order order)
{
    struct interval second = product(product(number(c), sum(number(c), number(-1))), interval_power_real(a->f, c - 2));

    if (a->f.lo < 0) { /* a part of the box has no value */
        second = interval_whole();
    }
    return chain(a, interval_power_real(a->f, c), product(number(c), interval_power_real(a->f, c - 1)), second, order);
}

/* Where a may be 0 the second derivative is no number: the slope jumps. */
static struct interval_jet absolute(const struct interval_jet *a, enum interval_order order)
{
    if (interval_contains(a->f, 0)) {
        return chain(a, interval_abs(a->f), interval_of(-1, 1), interval_whole(), order);
    }
    return a->f.lo > 0 ? *a : negate(a);
}

static struct interval_jet function(const struct formula_node *node, const struct interval_jet *a, enum interval_order order)
{
    struct interval u, v;

    switch (node->operation) {
    case FORMULA_EXP:
        u = interval_exp(a->f);
        return chain(a, u, u, u, order);
    case FORMULA_LOG:
        v = interval_of(fmax(a->f.lo, 0), a->f.hi);
        return chain(a, interval_log(a->f), interval_power_whole(v, -1), interval_negate(interval_power_whole(v, -2)),
                     order);
    case FORMULA_SIN:
        u = interval_sin(a->f);
        return chain(a, u, interval_cos(a->f), interval_negate(u), order);
    case FORMULA_COS:
        u = interval_cos(a->f);
        return chain(a, u, interval_negate(interval_sin(a->f)), interval_negate(u), order);
    case FORMULA_SQRT:
        u = interval_sqrt(a->f);
        return chain(a, u, product(number(0.5), interval_power_whole(u, -1)),
                     product(number(-0.25), interval_power_whole(u, -3)), order);
    case FORMULA_TANH:
        u = interval_tanh(a->f);
        v = interval_tanh_slope(a->f);
        return chain(a, u, v, product(number(-2), product(u, v)), order);
    case FORMULA_POWER_WHOLE:
        return power_whole(a, node->n, order);
    case FORMULA_POWER_REAL:
        return power_real(a, node->number, order);
    default:
        return absolute(a, order);
    }
}

/* Whether the operation has a value for some number in a. */
static int is_defined(const struct formula_node *node, const struct interval *a)
{
    switch (node->operation) {
    case FORMULA_LOG:
    case FORMULA_SQRT:
    case FORMULA_POWER_REAL:
        return a->hi >= 0;
    case FORMULA_NUMBER:
        return !isnan(node->number);
    default:
        return 1;
    }
}

static struct interval_jet node_jet(const struct formula_node *node, const struct interval_jet *jets,
                                    const struct interval box[2], enum interval_order order)
{
    const struct interval_jet *a = &jets[node->a >= 0 ? node->a : 0], *b = &jets[node->b >= 0 ? node->b : 0];
    struct interval_jet u;

    switch (node->operation) {
    case FORMULA_NUMBER:
        return (struct interval_jet){.f = number(node->number)};
    case FORMULA_X:
        return (struct interval_jet){.f = box[0], .g = {{1, 1}, {0, 0}}};
    case FORMULA_Y:
        return (struct interval_jet){.f = box[1], .g = {{0, 0}, {1, 1}}};
    case FORMULA_NEGATE:
        return negate(a);
    case FORMULA_ADD:
        return add(a, b);
    case FORMULA_SUBTRACT:
        u = negate(b);
        return add(a, &u);
    case FORMULA_MULTIPLY:
        return a == b ? power_whole(a, 2, order) : multiply(a, b, order);
    case FORMULA_DIVIDE:
        u = power_whole(b, -1, order);
        return multiply(a, &u, order);
    default:
        return function(node, a, order);
    }
}

int formula_interval(const struct formula *formula, const struct interval box[2], enum interval_order order,
                     struct interval_jet *jet)
{
    struct interval_jet jets[FORMULA_MAX_NODES];

    assert(formula->count > 0);
    jets[0] = (struct interval_jet){0}; /* what stands for operands that an operation has not got */
    for (size_t i = 0; i < formula->count; i++) {
        const struct formula_node *node = &formula->nodes[i];

        if (!is_defined(node, &jets[node->a >= 0 ? node->a : 0].f)) {
            return 0;
        }
        jets[i] = node_jet(node, jets, box, order);
    }
    *jet = jets[formula->count - 1];
    return 1;
}
