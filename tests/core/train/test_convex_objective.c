#include "core/train/convex_objective.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mathx.h"
#include "core/base/rng.h"
#include "tests/assert_close.h"

/* ---- problems ---- */

struct form {
    uint32_t features, classes;
    uint64_t rows;
    int soft, bytes;
    double smoothing, l2;
    int weighted;
    int reversed; /* the rows are a list, last first, without every third */
};

static const struct form FORMS[] = {
    {.features = 4, .classes = 3, .rows = 30, .l2 = 0.1},
    {.features = 1, .classes = 2, .rows = 7},
    {.features = 5, .classes = 3, .rows = 40, .bytes = 1, .l2 = 0.01, .smoothing = 0.1},
    {.features = 6, .classes = 4, .rows = 33, .weighted = 1, .l2 = 0.3},
    {.features = 3, .classes = 4, .rows = 50, .weighted = 1, .smoothing = 0.2, .l2 = 0.05, .reversed = 1},
    {.features = 7, .classes = 3, .rows = 45, .soft = 1, .l2 = 0.02},
    {.features = 2, .classes = 5, .rows = 20, .soft = 1, .smoothing = 0.1, .weighted = 1, .reversed = 1},
    {.features = 14, .classes = 13, .rows = 300, .l2 = 0.01}, /* more than a tile of both; several pieces */
    {.features = 20000, .classes = 2, .rows = 3, .l2 = 0.5},  /* a block of one row */
};
#define FORM_COUNT (sizeof FORMS / sizeof *FORMS)

struct problem {
    struct form form;
    struct dataset dataset;
    float *x, *soft;
    uint8_t *bytes;
    int32_t *labels;
    uint32_t *rows;
    double *shift, *factor, *theta, weights[16];
    size_t n;
    struct pool *pool;
    struct convex_setup setup;
    struct convex_objective *objective;
    struct objective f;
};

static double draw(uint32_t what, uint64_t i)
{
    return 2 * rng_uniform_f64(17, RNG_GENERATOR, what, i) - 1;
}

static void make_features(struct problem *p)
{
    for (uint64_t i = 0; i < p->form.rows * p->form.features; i++) {
        p->x[i] = (float)draw(1, i);
        p->bytes[i] = (uint8_t)(128 + 127 * draw(1, i));
    }
    for (uint32_t j = 0; j < p->form.features; j++) {
        p->shift[j] = p->form.bytes ? 100 + j : 0.25 * draw(2, j);
        p->factor[j] = p->form.bytes ? 1 / 60.0 : 1 + 0.5 * draw(3, j);
    }
}

static void make_targets(struct problem *p)
{
    const uint32_t classes = p->form.classes;

    for (uint64_t i = 0; i < p->form.rows; i++) {
        double sum = 0;

        p->labels[i] = (int32_t)((draw(4, i) + 1) / 2 * classes);
        for (uint32_t c = 0; c < classes; c++) {
            p->soft[i * classes + c] = (float)(1 + draw(5, i * classes + c));
            sum += (double)p->soft[i * classes + c];
        }
        for (uint32_t c = 0; c < classes; c++) {
            p->soft[i * classes + c] = (float)((double)p->soft[i * classes + c] / sum);
        }
    }
    for (uint32_t c = 0; c < classes; c++) {
        p->weights[c] = 0.5 + 0.4 * c;
    }
}

static void problem_init(struct problem *p, const struct form *form, uint32_t threads)
{
    uint64_t count = form->rows;

    *p = (struct problem){.form = *form, .n = (size_t)(form->features + 1) * form->classes};
    p->x = test_calloc(form->rows * form->features, sizeof *p->x);
    p->bytes = test_calloc(form->rows * form->features, sizeof *p->bytes);
    p->soft = test_calloc(form->rows * form->classes, sizeof *p->soft);
    p->labels = test_calloc(form->rows, sizeof *p->labels);
    p->rows = test_calloc(form->rows, sizeof *p->rows);
    p->shift = test_calloc(form->features, sizeof *p->shift);
    p->factor = test_calloc(form->features, sizeof *p->factor);
    p->theta = test_calloc(p->n, sizeof *p->theta);
    make_features(p);
    make_targets(p);
    for (size_t i = 0; i < p->n; i++) {
        p->theta[i] = draw(6, i) * (form->features > 100 ? 0.01 : 1);
    }
    if (form->reversed) {
        count = 0;
        for (uint64_t i = form->rows; i-- > 0;) {
            p->rows[count] = (uint32_t)i;
            count += i % 3 > 0;
        }
    }
    p->dataset = (struct dataset){.rows = form->rows,
                                  .features = form->features,
                                  .feature_type = form->bytes ? FEATURE_U8 : FEATURE_F32,
                                  .label_type = form->soft ? LABEL_SOFT : LABEL_CLASS,
                                  .classes = form->classes,
                                  .x = form->bytes ? (const void *)p->bytes : p->x,
                                  .labels = form->soft ? NULL : p->labels,
                                  .soft_labels = form->soft ? p->soft : NULL};
    assert_int_equal(pool_new(&p->pool, threads, NULL), STATUS_OK);
    p->setup =
        (struct convex_setup){.rows = {.dataset = &p->dataset, .rows = form->reversed ? p->rows : NULL, .count = count},
                              .features = form->features,
                              .shift = p->shift,
                              .factor = p->factor,
                              .loss = {.classes = form->classes,
                                       .label_smoothing = form->smoothing,
                                       .class_weights = form->weighted ? p->weights : NULL},
                              .normaliser = 0.75 * (double)count,
                              .l2 = form->l2,
                              .second_order = 1,
                              .threads = threads,
                              .pool = p->pool};
    assert_int_equal(convex_objective_new(&p->objective, &p->setup, NULL), STATUS_OK);
    p->f = convex_objective_interface(p->objective);
    assert_int_equal(p->f.n, p->n);
}

static void problem_release(struct problem *p)
{
    convex_objective_free(p->objective);
    pool_free(p->pool);
    test_free(p->x);
    test_free(p->bytes);
    test_free(p->soft);
    test_free(p->labels);
    test_free(p->rows);
    test_free(p->shift);
    test_free(p->factor);
    test_free(p->theta);
}

/* ---- the formulas, as they stand in the header ---- */

/* The scaled value of feature j of the i-th row; 1 behind the last. */
static double feature(const struct problem *p, uint64_t i, size_t j)
{
    uint64_t row = p->form.reversed ? p->rows[i] : i, at = row * p->form.features + j;

    return j == p->form.features ? 1
                                 : ((p->form.bytes ? (double)p->bytes[at] : (double)p->x[at]) - p->shift[j]) * p->factor[j];
}

static double parameter(const struct problem *p, const double *theta, uint32_t c, size_t j)
{
    return theta[j == p->form.features ? (size_t)p->form.classes * p->form.features + c : c * (size_t)p->form.features + j];
}

/* Smoothed, weighted targets of the i-th row, and the plain ones. */
static void targets(const struct problem *p, uint64_t i, double *t, double *u)
{
    uint64_t row = p->form.reversed ? p->rows[i] : i;

    for (uint32_t c = 0; c < p->form.classes; c++) {
        u[c] = p->form.soft ? (double)p->soft[row * p->form.classes + c] : (uint32_t)p->labels[row] == c;
        t[c] =
            (p->form.weighted ? p->weights[c] : 1) * ((1 - p->form.smoothing) * u[c] + p->form.smoothing / p->form.classes);
    }
}

struct reference {
    double value, loss, plain, correct;
};

static struct reference plainly(const struct problem *p, const double *theta)
{
    struct reference r = {0};

    for (uint64_t i = 0; i < p->setup.rows.count; i++) {
        double z[16] = {0}, t[16], u[16], sum = 0;
        uint32_t best = 0, most = 0;

        targets(p, i, t, u);
        for (uint32_t c = 0; c < p->form.classes; c++) {
            for (size_t j = 0; j <= p->form.features; j++) {
                z[c] += parameter(p, theta, c, j) * feature(p, i, j);
            }
            sum += mathx_exp_f64(z[c]);
            best = z[c] > z[best] ? c : best;
            most = u[c] > u[most] ? c : most;
        }
        for (uint32_t c = 0; c < p->form.classes; c++) {
            r.loss += t[c] * (mathx_log_f64(sum) - z[c]) / p->setup.normaliser;
            r.plain += u[c] * (mathx_log_f64(sum) - z[c]) / (double)p->setup.rows.count;
        }
        r.correct += best == most;
    }
    r.value = r.loss;
    for (size_t k = 0; k < (size_t)p->form.features * p->form.classes; k++) {
        r.value += p->form.l2 / 2 * theta[k] * theta[k];
    }
    return r;
}

static void values_are_those_of_the_formula(void **state)
{
    (void)state;
    for (size_t k = 0; k < FORM_COUNT; k++) {
        struct problem p;
        struct objective_value value;

        problem_init(&p, &FORMS[k], 2);
        double *gradient = test_calloc(p.n, sizeof *gradient);
        struct reference r = plainly(&p, p.theta);

        p.f.evaluate(p.f.context, p.theta, &value, gradient);
        assert_close(value.value, r.value, 1e-13, 0);
        assert_close(value.notes[CONVEX_LOSS], r.loss, 1e-13, 0);
        assert_close(value.notes[CONVEX_CORRECT], r.correct, 0, 0);
        assert_close(convex_objective_loss(p.objective, &p.setup.rows, p.theta), r.plain, 1e-13, 0);
        test_free(gradient);
        problem_release(&p);
    }
}

static void at_zero_the_loss_is_ln_k(void **state)
{
    struct problem p;
    struct objective_value value;
    double zeros[64] = {0}, gradient[64];

    (void)state;
    problem_init(&p, &FORMS[0], 1);
    assert_close(convex_objective_loss(p.objective, &p.setup.rows, zeros), mathx_log_f64(3), 1e-15, 0);
    p.f.evaluate(p.f.context, zeros, &value, gradient);
    assert_close(value.value, mathx_log_f64(3) / 0.75, 1e-15, 0);
    problem_release(&p);
}

/* ---- derivatives ---- */

/* A direction that looks like nothing. */
static void directions(const struct problem *p, uint32_t which, double *direction)
{
    for (size_t i = 0; i < p->n; i++) {
        direction[i] = draw(10 + which, i) / sqrt((double)p->n);
    }
}

static void the_gradient_is_the_derivative_of_the_value(void **state)
{
    (void)state;
    for (size_t k = 0; k < FORM_COUNT; k++) {
        struct problem p;
        struct objective_value up, down;

        problem_init(&p, &FORMS[k], 2);
        double *gradient = test_calloc(p.n, sizeof *gradient), *other = test_calloc(p.n, sizeof *other);
        double *theta = test_calloc(p.n, sizeof *theta), scale;

        p.f.evaluate(p.f.context, p.theta, &up, gradient);
        scale = objective_norm(p.n, gradient);
        memcpy(theta, p.theta, p.n * sizeof *theta);
        for (size_t i = 0; i<p.n; i += p.n> 1000 ? 3001 : 1) {
            double h = 1e-5 * fmax(1, fabs(p.theta[i]));

            theta[i] = p.theta[i] + h;
            p.f.evaluate(p.f.context, theta, &up, other);
            theta[i] = p.theta[i] - h;
            p.f.evaluate(p.f.context, theta, &down, other);
            theta[i] = p.theta[i];
            assert_close(gradient[i], (up.value - down.value) / (2 * h), 1e-7, 1e-8 * scale);
        }
        test_free(gradient);
        test_free(other);
        test_free(theta);
        problem_release(&p);
    }
}

static void hessian_products_are_derivatives_of_the_gradient(void **state)
{
    (void)state;
    for (size_t k = 0; k < FORM_COUNT; k++) {
        struct problem p;
        struct objective_value value;

        problem_init(&p, &FORMS[k], 2);
        double *up = test_calloc(p.n, sizeof *up), *down = test_calloc(p.n, sizeof *down);
        double *theta = test_calloc(p.n, sizeof *theta), *direction = test_calloc(p.n, sizeof *direction);
        double *product = test_calloc(p.n, sizeof *product), h = 1e-5;

        p.f.hessian_at(p.f.context, p.theta, product);
        for (uint32_t d = 0; d < 3; d++) {
            directions(&p, d, direction);
            objective_along(p.n, p.theta, h, direction, theta);
            p.f.evaluate(p.f.context, theta, &value, up); /* evaluations elsewhere do not move the Hessian */
            objective_along(p.n, p.theta, -h, direction, theta);
            p.f.evaluate(p.f.context, theta, &value, down);
            p.f.hessian_product(p.f.context, direction, product);
            for (size_t i = 0; i < p.n; i++) {
                assert_close(product[i], (up[i] - down[i]) / (2 * h), 1e-6, 1e-8 * objective_norm(p.n, product));
            }
        }
        test_free(up);
        test_free(down);
        test_free(theta);
        test_free(direction);
        test_free(product);
        problem_release(&p);
    }
}

/* The diagonal is what products with unit vectors have there. */
static void the_diagonal_is_that_of_the_products(void **state)
{
    (void)state;
    for (size_t k = 0; k < FORM_COUNT; k++) {
        struct problem p;

        problem_init(&p, &FORMS[k], 2);
        double *diagonal = test_calloc(p.n, sizeof *diagonal), *unit = test_calloc(p.n, sizeof *unit);
        double *product = test_calloc(p.n, sizeof *product);

        p.f.hessian_at(p.f.context, p.theta, diagonal);
        for (size_t i = 0; i<p.n; i += p.n> 1000 ? 3001 : 1) {
            unit[i] = 1;
            p.f.hessian_product(p.f.context, unit, product);
            assert_close(diagonal[i], product[i], 1e-12, 1e-15);
            unit[i] = 0;
        }
        test_free(diagonal);
        test_free(unit);
        test_free(product);
        problem_release(&p);
    }
}

/* Adding a constant to all biases changes nothing: the gradient has no part in it, and the Hessian none of its curvature. */
static void a_shift_of_all_biases_is_a_null_direction(void **state)
{
    (void)state;
    for (size_t k = 0; k < FORM_COUNT; k++) {
        struct problem p;
        struct objective_value here, there;

        problem_init(&p, &FORMS[k], 1);
        double *gradient = test_calloc(p.n, sizeof *gradient), *shift = test_calloc(p.n, sizeof *shift);
        double *product = test_calloc(p.n, sizeof *product), *theta = test_calloc(p.n, sizeof *theta);

        for (size_t c = 0; c < p.form.classes; c++) {
            shift[p.n - 1 - c] = 1;
        }
        p.f.evaluate(p.f.context, p.theta, &here, gradient);
        assert_true(fabs(objective_dot(p.n, gradient, shift)) < 1e-14);
        objective_along(p.n, p.theta, 3, shift, theta);
        p.f.evaluate(p.f.context, theta, &there, gradient);
        assert_close(there.value, here.value, 1e-13, 0);
        p.f.hessian_at(p.f.context, p.theta, product);
        p.f.hessian_product(p.f.context, shift, product);
        assert_true(objective_norm(p.n, product) < 1e-14);
        test_free(gradient);
        test_free(shift);
        test_free(product);
        test_free(theta);
        problem_release(&p);
    }
}

/* ---- exactness ---- */

static void the_number_of_threads_changes_no_bit(void **state)
{
    static const uint32_t THREADS[] = {2, 3, 7};
    struct form form = {.features = 14, .classes = 13, .rows = 5000, .l2 = 0.01, .weighted = 1, .smoothing = 0.1};
    struct problem one;
    struct objective_value a, b;

    (void)state;
    problem_init(&one, &form, 1);
    double *ga = test_calloc(one.n, sizeof *ga), *gb = test_calloc(one.n, sizeof *gb);
    double *ha = test_calloc(one.n, sizeof *ha), *hb = test_calloc(one.n, sizeof *hb);
    double plain = convex_objective_loss(one.objective, &one.setup.rows, one.theta);

    one.f.evaluate(one.f.context, one.theta, &a, ga);
    one.f.hessian_at(one.f.context, one.theta, ha);
    one.f.hessian_product(one.f.context, ga, ha);
    for (size_t t = 0; t < sizeof THREADS / sizeof *THREADS; t++) {
        struct problem many;

        problem_init(&many, &form, THREADS[t]);
        many.f.evaluate(many.f.context, many.theta, &b, gb);
        assert_memory_equal(&a, &b, sizeof a);
        assert_memory_equal(ga, gb, one.n * sizeof *ga);
        many.f.hessian_at(many.f.context, many.theta, hb);
        many.f.hessian_product(many.f.context, ga, hb);
        assert_memory_equal(ha, hb, one.n * sizeof *ha);
        assert_close(convex_objective_loss(many.objective, &many.setup.rows, many.theta), plain, 0, 0);
        problem_release(&many);
    }
    test_free(ga);
    test_free(gb);
    test_free(ha);
    test_free(hb);
    problem_release(&one);
}

/* Other rows than those to learn from: fewer, more, with labels in another numbering. */
static void losses_of_other_rows_are_theirs(void **state)
{
    struct form form = FORMS[0];
    struct problem p, other;
    int32_t *labels;

    (void)state;
    form.rows = 400;
    problem_init(&p, &FORMS[0], 2);
    problem_init(&other, &form, 1);
    labels = test_calloc(form.rows, sizeof *labels);
    for (uint64_t i = 0; i < form.rows; i++) {
        labels[i] = other.labels[i];
        other.labels[i] = 0;
    }
    memcpy(other.theta, p.theta, p.n * sizeof *p.theta);
    struct convex_rows rows = {.dataset = &other.dataset, .count = form.rows, .labels = labels};
    double got = convex_objective_loss(p.objective, &rows, p.theta);

    memcpy(other.labels, labels, form.rows * sizeof *labels);
    assert_close(got, plainly(&other, p.theta).plain, 1e-13, 0);
    test_free(labels);
    problem_release(&other);
    problem_release(&p);
}

static void memory_is_counted(void **state)
{
    struct convex_setup setup = {
        .rows = {.count = 60000}, .features = 784, .loss = {.classes = 10}, .second_order = 1, .threads = 2};
    uint64_t bytes = convex_objective_bytes(&setup);

    (void)state;
    assert_in_range(bytes, 60000 * 11 * 8, 32 << 20);
    setup.second_order = 0;
    assert_in_range(convex_objective_bytes(&setup), 1 << 20, bytes - 60000 * 11 * 8);
    setup.second_order = 1;
    setup.rows.count = UINT64_MAX / 4;
    setup.loss.classes = 4096;
    assert_int_equal(convex_objective_bytes(&setup), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_the_formula),
        cmocka_unit_test(at_zero_the_loss_is_ln_k),
        cmocka_unit_test(the_gradient_is_the_derivative_of_the_value),
        cmocka_unit_test(hessian_products_are_derivatives_of_the_gradient),
        cmocka_unit_test(the_diagonal_is_that_of_the_products),
        cmocka_unit_test(a_shift_of_all_biases_is_a_null_direction),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(losses_of_other_rows_are_theirs),
        cmocka_unit_test(memory_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
