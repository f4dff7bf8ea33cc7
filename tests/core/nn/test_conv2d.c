/* Convolutions against their definition, written as plain loops. */
#include "core/nn/conv2d.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

/* ---- the definition ---- */

/* Each product of the sum, once: weight k of all, value x[from] of the image, output y[to]. */
typedef void (*visitor)(void *context, size_t weight, size_t from, size_t to);

static void walk(const struct conv2d *c, visitor visit, void *context)
{
    for (uint32_t f = 0; f < c->filters; f++) {
        for (uint32_t i = 0; i < c->out_height; i++) {
            for (uint32_t j = 0; j < c->out_width; j++) {
                for (uint32_t d = 0; d < c->channels; d++) {
                    for (uint32_t u = 0; u < c->kernel[0]; u++) {
                        for (uint32_t v = 0; v < c->kernel[1]; v++) {
                            int64_t row = (int64_t)i * c->stride[0] + u - c->padding[0];
                            int64_t column = (int64_t)j * c->stride[1] + v - c->padding[1];

                            if (row >= 0 && row < c->height && column >= 0 && column < c->width) {
                                visit(context, ((f * c->channels + d) * c->kernel[0] + u) * c->kernel[1] + v,
                                      (size_t)((d * c->height + row) * c->width + column),
                                      (f * c->out_height + i) * c->out_width + j);
                            }
                        }
                    }
                }
            }
        }
    }
}

struct arrays {
    size_t inputs, outputs, weights, filters;
    double *x, *y, *w, *b, *dx, *dw, *db; /* y: what is given as dy, too */
};

static void add_output(void *context, size_t weight, size_t from, size_t to)
{
    struct arrays *a = context;

    a->y[to] += a->w[weight] * a->x[from];
}

static void add_gradients(void *context, size_t weight, size_t from, size_t to)
{
    struct arrays *a = context;

    a->dw[weight] += a->y[to] * a->x[from];
    a->dx[from] += a->y[to] * a->w[weight];
}

static double *numbers(size_t n, uint64_t seed)
{
    double *values = calloc(n, sizeof *values);

    assert_non_null(values);
    for (size_t i = 0; i < n && seed > 0; i++) {
        values[i] = (double)(float)rng_normal_f64(seed, RNG_GENERATOR, 0, i);
    }
    return values;
}

static void arrays_init(struct arrays *a, const struct conv2d *c)
{
    size_t plane = (size_t)c->out_height * c->out_width;

    *a = (struct arrays){.inputs = (size_t)c->channels * c->height * c->width,
                         .outputs = c->filters * plane,
                         .weights = c->filters * conv2d_filter_size(c),
                         .filters = c->filters};
    a->x = numbers(a->inputs, 1);
    a->w = numbers(a->weights, 2);
    a->b = numbers(a->filters, 3);
    a->y = numbers(a->outputs, 0);
    a->dx = numbers(a->inputs, 0);
    a->dw = numbers(a->weights, 0);
    a->db = numbers(a->filters, 0);
    for (size_t i = 0; i < a->outputs; i++) {
        a->y[i] = a->b[i / plane];
    }
    walk(c, add_output, a);
}

/* From now on y is a gradient that was given. */
static void arrays_backward(struct arrays *a, const struct conv2d *c)
{
    size_t plane = (size_t)c->out_height * c->out_width;

    for (size_t i = 0; i < a->outputs; i++) {
        a->y[i] = (double)(float)rng_normal_f64(4, RNG_GENERATOR, 0, i);
        a->db[i / plane] += a->y[i];
    }
    walk(c, add_gradients, a);
}

static void arrays_release(struct arrays *a)
{
    free(a->x);
    free(a->y);
    free(a->w);
    free(a->b);
    free(a->dx);
    free(a->dw);
    free(a->db);
}

/* ---- cases ---- */

/* Sizes that divide nothing, kernels that are no squares, each padding with each stride; a large one of several bands. */
static const struct conv2d CASES[] = {
    {.channels = 1, .height = 1, .width = 1, .filters = 1, .kernel = {1, 1}, .stride = {1, 1}},
    {.channels = 3, .height = 5, .width = 7, .filters = 4, .kernel = {1, 1}, .stride = {1, 1}},
    {.channels = 1, .height = 8, .width = 8, .filters = 2, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}},
    {.channels = 2, .height = 9, .width = 7, .filters = 5, .kernel = {3, 3}, .stride = {1, 1}},
    {.channels = 5, .height = 7, .width = 11, .filters = 3, .kernel = {3, 3}, .stride = {2, 2}},
    {.channels = 4, .height = 11, .width = 6, .filters = 3, .kernel = {5, 3}, .stride = {2, 1}, .padding = {2, 1}},
    {.channels = 2, .height = 6, .width = 13, .filters = 3, .kernel = {2, 4}, .stride = {1, 3}, .padding = {1, 3}},
    {.channels = 3, .height = 4, .width = 4, .filters = 2, .kernel = {4, 4}, .stride = {1, 1}},
    {.channels = 2, .height = 3, .width = 2, .filters = 3, .kernel = {7, 5}, .stride = {1, 1}, .padding = {3, 2}},
    {.channels = 2, .height = 1, .width = 9, .filters = 2, .kernel = {5, 3}, .stride = {1, 1}, .padding = {2, 1}},
    {.channels = 1, .height = 3, .width = 3, .filters = 2, .kernel = {2, 2}, .stride = {3, 3}, .padding = {1, 1}},
    {.channels = 2, .height = 5, .width = 4, .filters = 2, .kernel = {3, 3}, .stride = {1, 1}, .padding = {0, 1}},
    {.channels = 24, .height = 37, .width = 41, .filters = 3, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}},
    {.channels = 24, .height = 75, .width = 80, .filters = 2, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}},
};
#define CASE_COUNT (sizeof CASES / sizeof *CASES)

static struct conv2d case_of(size_t i)
{
    struct conv2d c = CASES[i];

    c.out_height = (c.height + 2 * c.padding[0] - c.kernel[0]) / c.stride[0] + 1;
    c.out_width = (c.width + 2 * c.padding[1] - c.kernel[1]) / c.stride[1] + 1;
    return c;
}

static void convolution_is_the_sum_that_defines_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct conv2d c = case_of(i);
        struct arrays a;

        arrays_init(&a, &c);
        double *columns = numbers(conv2d_columns(&c), 9), *y = numbers(a.outputs, 8);

        conv2d_forward_f64(&c, a.x, a.w, a.b, columns, y);
        assert_all_close(y, a.y, a.outputs, 1e-11, 1e-12);
        free(columns);
        free(y);
        arrays_release(&a);
    }
}

static void gradients_are_those_of_the_sum(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct conv2d c = case_of(i);
        struct arrays a;

        arrays_init(&a, &c);
        arrays_backward(&a, &c);
        double *columns = numbers(conv2d_columns(&c), 9), *dx = numbers(a.inputs, 8);
        double *dw = numbers(a.weights, 7), *db = numbers(a.filters, 6);

        conv2d_gradients_f64(&c, a.x, a.y, 0, columns, dw, db); /* what stood there does not matter */
        assert_all_close(dw, a.dw, a.weights, 1e-10, 1e-11);
        assert_all_close(db, a.db, a.filters, 1e-10, 1e-11);
        conv2d_gradients_f64(&c, a.x, a.y, 1, columns, dw, db);
        for (size_t k = 0; k < a.weights; k++) {
            assert_close(dw[k], 2 * a.dw[k], 1e-10, 1e-11);
        }
        for (size_t k = 0; k < a.filters; k++) {
            assert_close(db[k], 2 * a.db[k], 1e-10, 1e-11);
        }
        conv2d_backward_f64(&c, a.w, a.y, columns, dx);
        assert_all_close(dx, a.dx, a.inputs, 1e-10, 1e-11);
        free(columns);
        free(dx);
        free(dw);
        free(db);
        arrays_release(&a);
    }
}

static float *narrow(const double *values, size_t n)
{
    float *out = calloc(n, sizeof *out);

    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)values[i];
    }
    return out;
}

/* Sums of `terms` products of standard normal numbers in float32. */
static void assert_near(const float *got, const double *want, size_t n, double terms)
{
    for (size_t i = 0; i < n; i++) {
        assert_close((double)got[i], want[i], 1e-5, 1e-6 * terms);
    }
}

static void float32_agrees_with_float64(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct conv2d c = case_of(i);
        struct arrays a;

        arrays_init(&a, &c);
        float *x = narrow(a.x, a.inputs), *w = narrow(a.w, a.weights), *b = narrow(a.b, a.filters);
        float *columns = calloc(conv2d_columns(&c), sizeof *columns), *y = calloc(a.outputs, sizeof *y);
        double positions = (double)c.out_height * c.out_width;

        conv2d_forward_f32(&c, x, w, b, columns, y);
        assert_near(y, a.y, a.outputs, (double)conv2d_filter_size(&c));
        arrays_backward(&a, &c);
        free(y);
        y = narrow(a.y, a.outputs);
        conv2d_backward_f32(&c, w, y, columns, x); /* x has served */
        assert_near(x, a.dx, a.inputs, (double)c.filters * c.kernel[0] * c.kernel[1]);
        free(x);
        x = narrow(a.x, a.inputs);
        conv2d_gradients_f32(&c, x, y, 0, columns, w, b);
        assert_near(w, a.dw, a.weights, positions);
        assert_near(b, a.db, a.filters, positions);
        free(x);
        free(w);
        free(b);
        free(y);
        free(columns);
        arrays_release(&a);
    }
}

static void nan_in_the_image_reaches_every_output_that_sees_it_and_no_other(void **state)
{
    struct conv2d c = {.channels = 1,
                       .height = 5,
                       .width = 5,
                       .filters = 2,
                       .kernel = {3, 3},
                       .stride = {1, 1},
                       .padding = {1, 1},
                       .out_height = 5,
                       .out_width = 5};
    float x[25] = {0}, w[18] = {0}, b[2] = {0}, columns[9 * 25], y[50];

    (void)state;
    x[0] = (float)__builtin_nan("");
    conv2d_forward_f32(&c, x, w, b, columns, y);
    for (int i = 0; i < 50; i++) {
        int sees = i % 25 / 5 <= 1 && i % 5 <= 1;

        assert_int_equal(y[i] != y[i], sees);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_is_the_sum_that_defines_it),
        cmocka_unit_test(gradients_are_those_of_the_sum),
        cmocka_unit_test(float32_agrees_with_float64),
        cmocka_unit_test(nan_in_the_image_reaches_every_output_that_sees_it_and_no_other),
    };

    return cmocka_run_group_tests_name("conv2d", tests, NULL, NULL);
}
