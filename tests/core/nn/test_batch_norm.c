/* Batch normalisation's kernels against their definition; the derivative as plain sums over the whole minibatch. */
#include "core/nn/batch_norm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

#define SAMPLES  7
#define CHANNELS 5
#define MOST     (SAMPLES * CHANNELS * 30)
#define EPSILON  1e-5

static const size_t POSITIONS[] = {1, 3, 8, 9, 30};
#define CASE_COUNT (sizeof POSITIONS / sizeof *POSITIONS)

struct arrays {
    size_t positions;
    double x[MOST], dy[MOST], scale[CHANNELS], shift[CHANNELS];
    double mean[CHANNELS], square[CHANNELS], inverse[CHANNELS]; /* of the definition, as is what follows */
    double y[MOST], dx[MOST], dscale[CHANNELS], dshift[CHANNELS];
};

static size_t at(const struct arrays *a, uint32_t sample, uint32_t channel, size_t position)
{
    return (sample * CHANNELS + channel) * a->positions + position;
}

#define FOR_VALUES(a, channel, i)                                                                                           \
    for (uint32_t s_ = 0; s_ < SAMPLES; s_++)                                                                               \
        for (size_t p_ = 0, i = at(a, s_, channel, 0); p_ < (a)->positions; p_++, i++)

/* Gradients as the chain rule gives them: through x itself, through the mean, through the variance. */
static void differentiate(struct arrays *a, uint32_t c, double n)
{
    double through_mean = 0, through_variance = 0;

    FOR_VALUES(a, c, i)
    {
        double normal = (a->x[i] - a->mean[c]) * a->inverse[c];

        a->dscale[c] += a->dy[i] * normal;
        a->dshift[c] += a->dy[i];
        through_mean -= a->dy[i] * a->scale[c] * a->inverse[c];
        through_variance -= a->dy[i] * a->scale[c] * (a->x[i] - a->mean[c]) * pow(a->inverse[c], 3) / 2;
    }
    FOR_VALUES(a, c, i)
    {
        a->dx[i] =
            a->dy[i] * a->scale[c] * a->inverse[c] + through_mean / n + through_variance * 2 * (a->x[i] - a->mean[c]) / n;
    }
}

static void arrays_init(struct arrays *a, size_t positions)
{
    const double n = SAMPLES * (double)positions;

    memset(a, 0, sizeof *a);
    a->positions = positions;
    for (size_t i = 0; i < SAMPLES * CHANNELS * positions; i++) {
        a->x[i] = 3 + 2 * rng_normal_f64(1, RNG_GENERATOR, 0, i);
        a->dy[i] = rng_normal_f64(2, RNG_GENERATOR, 0, i);
    }
    for (uint32_t c = 0; c < CHANNELS; c++) {
        a->scale[c] = rng_normal_f64(3, RNG_GENERATOR, 0, c);
        a->shift[c] = rng_normal_f64(4, RNG_GENERATOR, 0, c);
        FOR_VALUES(a, c, i)
        {
            a->mean[c] += a->x[i] / n;
        }
        FOR_VALUES(a, c, i)
        {
            a->square[c] += pow(a->x[i] - a->mean[c], 2);
        }
        a->inverse[c] = 1 / sqrt(a->square[c] / n + EPSILON);
        FOR_VALUES(a, c, i)
        {
            a->y[i] = (a->x[i] - a->mean[c]) * a->inverse[c] * a->scale[c] + a->shift[c];
        }
        differentiate(a, c, n);
    }
}

/* Moments of samples [first, end). */
static void moments(const struct arrays *a, uint32_t first, uint32_t end, struct batch_norm_moments *m)
{
    memset(m->mean, 0, CHANNELS * sizeof *m->mean);
    memset(m->square, 0, CHANNELS * sizeof *m->square);
    m->count = (end - first) * (double)a->positions;
    for (uint32_t s = first; s < end; s++) {
        batch_norm_add_f64(CHANNELS, a->positions, a->x + at(a, s, 0, 0), m->mean);
    }
    for (uint32_t c = 0; c < CHANNELS && end > first; c++) {
        m->mean[c] /= m->count;
    }
    for (uint32_t s = first; s < end; s++) {
        batch_norm_add_squares_f64(CHANNELS, a->positions, a->x + at(a, s, 0, 0), m->mean, m->square);
    }
}

static void joined_moments_are_those_of_all_values(void **state)
{
    static const uint32_t CUTS[][3] = {{0, 0, 7}, {1, 3, 7}, {2, 2, 7}, {7, 7, 7}, {3, 6, 7}};
    static struct arrays a;

    (void)state;
    for (size_t k = 0; k < CASE_COUNT; k++) {
        arrays_init(&a, POSITIONS[k]);
        for (size_t cut = 0; cut < sizeof CUTS / sizeof *CUTS; cut++) {
            double mean[CHANNELS] = {0}, square[CHANNELS] = {0}, part_mean[CHANNELS], part_square[CHANNELS];
            struct batch_norm_moments all = {0, mean, square}, part = {0, part_mean, part_square};
            uint32_t first = 0;

            for (int i = 0; i < 3; first = CUTS[cut][i++]) {
                moments(&a, first, CUTS[cut][i], &part);
                batch_norm_join(CHANNELS, &all, &part);
            }
            assert_true(all.count == SAMPLES * (double)a.positions);
            assert_all_close(mean, a.mean, CHANNELS, 1e-13, 0);
            assert_all_close(square, a.square, CHANNELS, 1e-12, 0);
        }
    }
}

/* A channel far from 0 keeps its variance: sums of squares would lose it. */
static void moments_do_not_cancel(void **state)
{
    double x[4] = {1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4}, mean[2] = {0}, square[2] = {0};
    struct batch_norm_moments all = {0, mean, square};

    (void)state;
    for (int i = 0; i < 2; i++) {
        double part_mean[1] = {0}, part_square[1] = {0};
        struct batch_norm_moments part = {2, part_mean, part_square};

        batch_norm_add_f64(1, 2, x + 2 * i, part_mean);
        part_mean[0] /= 2;
        batch_norm_add_squares_f64(1, 2, x + 2 * i, part_mean, part_square);
        batch_norm_join(1, &all, &part);
    }
    assert_close(mean[0], 1e9 + 2.5, 1e-15, 0);
    assert_close(square[0], 5, 1e-12, 0);
}

static void a_minibatch_is_normalised(void **state)
{
    static struct arrays a;
    static double y[MOST];
    static float x32[MOST], y32[MOST];

    (void)state;
    for (size_t k = 0; k < CASE_COUNT; k++) {
        float scale[CHANNELS], shift[CHANNELS];
        size_t size;

        arrays_init(&a, POSITIONS[k]);
        size = CHANNELS * a.positions;
        for (size_t i = 0; i < SAMPLES * size; i++) {
            x32[i] = (float)a.x[i];
        }
        for (uint32_t c = 0; c < CHANNELS; c++) {
            scale[c] = (float)a.scale[c];
            shift[c] = (float)a.shift[c];
        }
        for (uint32_t s = 0; s < SAMPLES; s++) {
            batch_norm_forward_f64(CHANNELS, a.positions, a.x + s * size, a.mean, a.inverse, a.scale, a.shift, y + s * size);
            batch_norm_forward_f32(CHANNELS, a.positions, x32 + s * size, a.mean, a.inverse, scale, shift, y32 + s * size);
        }
        assert_all_close(y, a.y, SAMPLES * size, 1e-12, 1e-13);
        for (size_t i = 0; i < SAMPLES * size; i++) {
            assert_close((double)y32[i], a.y[i], 1e-5, 1e-5);
        }
    }
}

static void backward_goes_through_mean_and_variance(void **state)
{
    static struct arrays a;
    static double dx[MOST];
    static float x32[MOST], dy32[MOST], dx32[MOST];

    (void)state;
    for (size_t k = 0; k < CASE_COUNT; k++) {
        double sum[CHANNELS] = {0}, product[CHANNELS] = {0}, sum32[CHANNELS] = {0}, product32[CHANNELS] = {0};
        float scale[CHANNELS];
        size_t size;

        arrays_init(&a, POSITIONS[k]);
        size = CHANNELS * a.positions;
        for (size_t i = 0; i < SAMPLES * size; i++) {
            x32[i] = (float)a.x[i];
            dy32[i] = (float)a.dy[i];
        }
        for (uint32_t s = 0; s < SAMPLES; s++) {
            batch_norm_add_gradients_f64(CHANNELS, a.positions, a.x + s * size, a.dy + s * size, a.mean, a.inverse, sum,
                                         product);
            batch_norm_add_gradients_f32(CHANNELS, a.positions, x32 + s * size, dy32 + s * size, a.mean, a.inverse, sum32,
                                         product32);
        }
        assert_all_close(sum, a.dshift, CHANNELS, 1e-12, 1e-12);
        assert_all_close(product, a.dscale, CHANNELS, 1e-12, 1e-12);
        struct batch_norm_sums sums = {a.mean, a.inverse, sum, product, SAMPLES * (double)a.positions};

        for (uint32_t s = 0; s < SAMPLES; s++) {
            batch_norm_backward_f64(CHANNELS, a.positions, a.x + s * size, a.dy + s * size, &sums, a.scale, dx + s * size);
        }
        assert_all_close(dx, a.dx, SAMPLES * size, 1e-10, 1e-12);
        for (uint32_t c = 0; c < CHANNELS; c++) {
            scale[c] = (float)a.scale[c];
            assert_close(sum32[c], sum[c], 1e-5, 1e-5);
            assert_close(product32[c], product[c], 1e-5, 1e-5);
        }
        for (uint32_t s = 0; s < SAMPLES; s++) { /* in place */
            batch_norm_backward_f32(CHANNELS, a.positions, x32 + s * size, dy32 + s * size, &sums, scale, dy32 + s * size);
        }
        memcpy(dx32, dy32, sizeof dx32);
        for (size_t i = 0; i < SAMPLES * size; i++) {
            assert_close((double)dx32[i], a.dx[i], 1e-4, 1e-5);
        }
    }
}

static void given_statistics_are_constants(void **state)
{
    static struct arrays a;
    static double dx[MOST];

    (void)state;
    arrays_init(&a, 9);
    struct batch_norm_sums sums = {a.mean, a.inverse, a.dshift, a.dscale, INFINITY};

    batch_norm_backward_f64(CHANNELS, 9, a.x, a.dy, &sums, a.scale, dx);
    for (uint32_t c = 0; c < CHANNELS; c++) {
        for (size_t p = 0; p < 9; p++) {
            assert_close(dx[c * 9 + p], a.dy[c * 9 + p] * a.scale[c] * a.inverse[c], 1e-14, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined_moments_are_those_of_all_values),
        cmocka_unit_test(moments_do_not_cancel),
        cmocka_unit_test(a_minibatch_is_normalised),
        cmocka_unit_test(backward_goes_through_mean_and_variance),
        cmocka_unit_test(given_statistics_are_constants),
    };

    return cmocka_run_group_tests_name("batch_norm", tests, NULL, NULL);
}
