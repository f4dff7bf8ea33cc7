/* Pools against their definition, written as plain loops. */
#include "core/nn/pool2d.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

#define MOST 4000

static const struct pool2d CASES[] = {
    {.channels = 1, .height = 1, .width = 1, .size = {1, 1}, .stride = {1, 1}},
    {.channels = 3, .height = 8, .width = 8, .size = {2, 2}, .stride = {2, 2}},
    {.channels = 2, .height = 11, .width = 7, .size = {2, 2}, .stride = {2, 2}}, /* the last row and column go nowhere */
    {.channels = 5, .height = 9, .width = 13, .size = {3, 3}, .stride = {2, 2}}, /* windows overlap */
    {.channels = 2, .height = 7, .width = 10, .size = {3, 2}, .stride = {1, 3}}, /* gaps between windows */
    {.channels = 4, .height = 28, .width = 34, .size = {2, 4}, .stride = {3, 1}},
    {.channels = 2, .height = 5, .width = 6, .size = {5, 6}, .stride = {7, 7}}, /* one window */
};
#define CASE_COUNT (sizeof CASES / sizeof *CASES)

struct arrays {
    struct pool2d p;
    size_t inputs, outputs, plane, windows;
    double x[MOST], max[MOST], avg[MOST], dy[MOST], dmax[MOST], davg[MOST];
    uint32_t choices[MOST];
};

/* One window: the largest value, the first of equals, and the mean. */
static void window(struct arrays *a, uint32_t c, uint32_t i, uint32_t j)
{
    const struct pool2d *p = &a->p;
    size_t out = c * a->windows + i * p->out_width + j, base = c * a->plane;
    uint32_t best = i * p->stride[0] * p->width + j * p->stride[1];
    double sum = 0, size = p->size[0] * p->size[1];

    for (uint32_t u = 0; u < p->size[0]; u++) {
        for (uint32_t v = 0; v < p->size[1]; v++) {
            uint32_t at = (i * p->stride[0] + u) * p->width + j * p->stride[1] + v;

            sum += a->x[base + at];
            best = a->x[base + at] > a->x[base + best] ? at : best;
            a->davg[base + at] += a->dy[out] / size;
        }
    }
    a->max[out] = a->x[base + best];
    a->choices[out] = best;
    a->avg[out] = sum / size;
    a->dmax[base + best] += a->dy[out];
}

/* Values of a few levels only, so that many are equal. */
static void arrays_init(struct arrays *a, const struct pool2d *p)
{
    memset(a, 0, sizeof *a);
    a->p = *p;
    a->p.out_height = (p->height - p->size[0]) / p->stride[0] + 1;
    a->p.out_width = (p->width - p->size[1]) / p->stride[1] + 1;
    a->plane = (size_t)p->height * p->width;
    a->windows = (size_t)a->p.out_height * a->p.out_width;
    a->inputs = p->channels * a->plane;
    a->outputs = p->channels * a->windows;
    assert_true(a->inputs <= MOST && a->outputs <= MOST);
    for (size_t i = 0; i < a->inputs; i++) {
        a->x[i] = floor(2 * rng_normal_f64(1, RNG_GENERATOR, 0, i)) / 4;
    }
    for (size_t i = 0; i < a->outputs; i++) {
        a->dy[i] = floor(100 * rng_normal_f64(2, RNG_GENERATOR, 0, i)) / 64;
    }
    for (uint32_t c = 0; c < p->channels; c++) {
        for (uint32_t i = 0; i < a->p.out_height; i++) {
            for (uint32_t j = 0; j < a->p.out_width; j++) {
                window(a, c, i, j);
            }
        }
    }
}

static void pools_are_what_defines_them(void **state)
{
    static struct arrays a;
    static double y[MOST], dx[MOST];
    static uint32_t choices[MOST];

    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        arrays_init(&a, &CASES[i]);
        max_pool2d_forward_f64(&a.p, a.x, y, choices);
        assert_memory_equal(y, a.max, a.outputs * sizeof *y);
        assert_memory_equal(choices, a.choices, a.outputs * sizeof *choices);
        memset(y, 0xff, sizeof y);
        max_pool2d_forward_f64(&a.p, a.x, y, NULL);
        assert_memory_equal(y, a.max, a.outputs * sizeof *y);
        memset(dx, 0xff, sizeof dx);
        max_pool2d_backward_f64(&a.p, a.dy, choices, dx);
        assert_all_close(dx, a.dmax, a.inputs, 1e-14, 1e-14);
        avg_pool2d_forward_f64(&a.p, a.x, y);
        assert_all_close(y, a.avg, a.outputs, 1e-14, 1e-14);
        memset(dx, 0xff, sizeof dx);
        avg_pool2d_backward_f64(&a.p, a.dy, dx);
        assert_all_close(dx, a.davg, a.inputs, 1e-13, 1e-14);
    }
}

static void float32_does_the_same(void **state)
{
    static struct arrays a;
    static float x[MOST], y[MOST], dy[MOST], dx[MOST];
    static uint32_t choices[MOST];

    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        arrays_init(&a, &CASES[i]);
        for (size_t k = 0; k < a.inputs; k++) {
            x[k] = (float)a.x[k];
        }
        for (size_t k = 0; k < a.outputs; k++) {
            dy[k] = (float)a.dy[k];
        }
        max_pool2d_forward_f32(&a.p, x, y, choices);
        assert_memory_equal(choices, a.choices, a.outputs * sizeof *choices);
        for (size_t k = 0; k < a.outputs; k++) {
            assert_true((double)y[k] == a.max[k]);
        }
        max_pool2d_forward_f32(&a.p, x, y, NULL);
        for (size_t k = 0; k < a.outputs; k++) {
            assert_true((double)y[k] == a.max[k]);
        }
        max_pool2d_backward_f32(&a.p, dy, choices, dx);
        for (size_t k = 0; k < a.inputs; k++) {
            assert_close((double)dx[k], a.dmax[k], 1e-6, 1e-6);
        }
        avg_pool2d_forward_f32(&a.p, x, y);
        for (size_t k = 0; k < a.outputs; k++) {
            assert_close((double)y[k], a.avg[k], 1e-6, 1e-6);
        }
        avg_pool2d_backward_f32(&a.p, dy, dx);
        for (size_t k = 0; k < a.inputs; k++) {
            assert_close((double)dx[k], a.davg[k], 1e-6, 1e-6);
        }
    }
}

static void nan_is_larger_than_anything_wherever_it_stands(void **state)
{
    struct pool2d p = {1, 2, 34, {2, 2}, {2, 2}, 1, 17};

    (void)state;
    for (uint32_t at = 0; at < 68; at++) {
        float x[68], y[17], only[17];
        uint32_t choices[17], window = at % 34 / 2;

        for (int i = 0; i < 68; i++) {
            x[i] = INFINITY;
        }
        x[at] = NAN;
        max_pool2d_forward_f32(&p, x, y, choices);
        max_pool2d_forward_f32(&p, x, only, NULL);
        for (uint32_t j = 0; j < 17; j++) {
            assert_int_equal(isnan(y[j]) != 0, j == window);
            assert_int_equal(isnan(only[j]) != 0, j == window);
        }
        assert_int_equal(choices[window], at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_are_what_defines_them),
        cmocka_unit_test(float32_does_the_same),
        cmocka_unit_test(nan_is_larger_than_anything_wherever_it_stands),
    };

    return cmocka_run_group_tests_name("pool2d", tests, NULL, NULL);
}
