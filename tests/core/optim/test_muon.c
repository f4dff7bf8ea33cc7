/* Muon against numbers made elsewhere, what its polynomial does to singular values, and twins that are known to be wrong. */
#include "core/optim/muon.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

#define GOLDEN "tests/golden/muon_steps.txt"
#define MOST   (160 * 200)

/* ---- one layer's updates on its plain matrix [outputs][inputs], as a network does them on its pieces ---- */

/* How a layer is stepped; known-wrong ways go through the same comparison. */
enum way { RIGHT, WITHOUT_FACTOR, FACTOR_UPSIDE_DOWN, UPHILL, MOMENTUM_FOR_NESTEROV, ONE_ITERATION_LESS, WAY_COUNT };

struct layer {
    uint32_t outputs, inputs;
    double weights[MOST], gradient[MOST], momentum[MOST], direction[MOST];
    double x[MOST], y[MOST], a[MOST], b[MOST];
};

static uint32_t smaller(const struct layer *layer)
{
    return layer->outputs < layer->inputs ? layer->outputs : layer->inputs;
}

/* Between the matrix and the form without more rows than columns. */
static void copy_across(const struct layer *layer, const double *from, double *to, int back)
{
    int tall = layer->outputs > layer->inputs;
    size_t rows = tall != back ? layer->inputs : layer->outputs, columns = tall != back ? layer->outputs : layer->inputs;

    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            to[r * columns + c] = tall ? from[c * rows + r] : from[r * columns + c];
        }
    }
}

static void update(struct layer *layer, const struct optimizer_spec *spec, uint64_t t, struct pool *pool, enum way way)
{
    struct muon_work_f64 work = {layer->x, layer->y, layer->a, layer->b};
    struct optimizer_spec changed = *spec;
    struct update_sums sums = {.measure = 1};
    struct update_step step;
    size_t n = (size_t)layer->outputs * layer->inputs;
    uint32_t m = smaller(layer);
    double square, factor = muon_factor(layer->outputs, layer->inputs);

    changed.muon_nesterov = way == MOMENTUM_FOR_NESTEROV ? !spec->muon_nesterov : spec->muon_nesterov;
    changed.ns_steps = way == ONE_ITERATION_LESS ? spec->ns_steps - 1 : spec->ns_steps;
    factor = way == WITHOUT_FACTOR ? 1 : way == FACTOR_UPSIDE_DOWN ? muon_factor(layer->inputs, layer->outputs) : factor;
    optimizer_step(&changed, changed.learning_rate, t, 1, &step);
    square =
        muon_momentum_f64(&changed, &step, 0, n, layer->weights, layer->gradient, layer->momentum, layer->direction, &sums);
    copy_across(layer, layer->direction, layer->x, 0);
    copy_across(layer, muon_orthogonalize_f64(&work, m, (uint32_t)(n / m), sqrt(square), changed.ns_steps, pool),
                layer->direction, 1);
    muon_step_f64(&changed, &step, way == UPHILL ? -factor : factor, n, layer->weights, layer->direction, &sums);
    assert_false(sums.nonfinite);
}

static void start(struct layer *layer)
{
    *layer = (struct layer){.outputs = layer->outputs, .inputs = layer->inputs};
    for (size_t i = 0; i < (size_t)layer->outputs * layer->inputs; i++) {
        layer->weights[i] = ((double)(i % 5) - 2) / 4;
    }
}

static void set_gradient(struct layer *layer, uint64_t k)
{
    for (size_t i = 0; i < (size_t)layer->outputs * layer->inputs; i++) {
        layer->gradient[i] = ((double)((7 * i + 5 * k + 3) % 13) - 6) / 8 + (i % 3 == 0 ? 0.25 : 0);
    }
}

/* The largest deviation of each golden case. */
static size_t deviations(enum way way, double worst[16])
{
    static struct layer layer;
    FILE *file = fopen(GOLDEN, "r");
    struct pool *pool;
    char line[512];
    size_t cases = 0, row = 0;

    assert_non_null(file);
    assert_int_equal(pool_new(&pool, 2, NULL), STATUS_OK);
    while (fgets(line, sizeof line, file) != NULL) {
        struct optimizer_spec spec = {.type = OPTIMIZER_MUON, .adamw_learning_rate = 1, .beta1 = 0.9, .beta2 = 0.999};
        unsigned updates;
        char *at = line, *end;

        if (sscanf(line, "case %u %u %lf %lf %d %u %lf %u", &layer.outputs, &layer.inputs, &spec.learning_rate,
                   &spec.momentum, &spec.muon_nesterov, &spec.ns_steps, &spec.weight_decay, &updates) == 8) {
            start(&layer);
            for (uint64_t k = 1; k <= updates; k++) {
                set_gradient(&layer, k);
                update(&layer, &spec, k, pool, way);
            }
            assert_true(cases < 16);
            worst[cases++] = 0;
            row = 0;
        } else if (line[0] != '#') {
            for (size_t c = 0; c < layer.inputs; c++, at = end) {
                double error = fabs(layer.weights[row * layer.inputs + c] - strtod(at, &end));

                assert_ptr_not_equal(at, end);
                worst[cases - 1] = error <= worst[cases - 1] ? worst[cases - 1] : error; /* NaN counts */
            }
            row++;
        }
    }
    fclose(file);
    pool_free(pool);
    return cases;
}

static void updates_are_those_made_elsewhere(void **state)
{
    double worst[16];
    size_t cases = deviations(RIGHT, worst);

    (void)state;
    assert_int_equal(cases, 5);
    for (size_t i = 0; i < cases; i++) {
        assert_close(worst[i], 0, 0, 1e-14);
    }
}

static void known_wrong_updates_are_rejected(void **state)
{
    double worst[16];

    (void)state;
    for (enum way way = RIGHT + 1; way < WAY_COUNT; way++) {
        size_t cases = deviations(way, worst), rejected = 0;

        for (size_t i = 0; i < cases; i++) {
            rejected += worst[i] < 1e-4 ? 0u : 1u;
        }
        /* a factor of 1 either way is right for a square matrix; without it for a wide one, too */
        assert_true(rejected >= (way == WITHOUT_FACTOR ? 2 : way == FACTOR_UPSIDE_DOWN ? 4 : 5));
    }
}

static void the_factor_is_of_outputs_by_inputs(void **state)
{
    (void)state;
    assert_close(muon_factor(512, 128), 2, 0, 0);
    assert_close(muon_factor(128, 512), 1, 0, 0);
    assert_close(muon_factor(7, 7), 1, 0, 0);
}

static void operations_are_counted(void **state)
{
    (void)state;
    assert_int_equal(muon_flops(512, 784, 5), 20LL * 512 * 512 * 784 + 10LL * 512 * 512 * 512);
    assert_int_equal(muon_flops(65536, 65536, 20) / 120, 65536LL * 65536 * 65536);
}

/* ---- singular values ---- */

/* Of the rows of x [m][n]: eigenvalues of x x^T by Jacobi's rotations, then their roots. */
static void singular_values(const double *x, size_t m, size_t n, double *out)
{
    static double s[64][64];

    assert_true(m <= 64);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < m; j++) {
            s[i][j] = 0;
            for (size_t k = 0; k < n; k++) {
                s[i][j] += x[i * n + k] * x[j * n + k];
            }
        }
    }
    for (int sweep = 0; sweep < 30; sweep++) {
        for (size_t p = 0; p < m; p++) {
            for (size_t q = p + 1; q < m; q++) {
                double angle = 0.5 * atan2(2 * s[p][q], s[q][q] - s[p][p]), c = cos(angle), d = sin(angle);

                for (size_t k = 0; k < m; k++) {
                    double a = s[p][k], b = s[q][k];
                    s[p][k] = c * a - d * b;
                    s[q][k] = d * a + c * b;
                }
                for (size_t k = 0; k < m; k++) {
                    double a = s[k][p], b = s[k][q];
                    s[k][p] = c * a - d * b;
                    s[k][q] = d * a + c * b;
                }
            }
        }
    }
    for (size_t i = 0; i < m; i++) {
        out[i] = sqrt(s[i][i]);
    }
}

static double draw(struct layer *layer, uint32_t stream)
{
    double square = 0;

    for (size_t i = 0; i < (size_t)layer->outputs * layer->inputs; i++) {
        layer->x[i] = rng_normal_f64(5, 50, stream, i);
        square += layer->x[i] * layer->x[i];
    }
    return sqrt(square);
}

static void five_steps_bring_singular_values_near_one(void **state)
{
    static const uint32_t SHAPES[][2] = {{6, 10}, {5, 60}, {40, 70}, {64, 130}, {1, 9}};
    static struct layer layer;
    struct muon_work_f64 work = {layer.x, layer.y, layer.a, layer.b};
    struct pool *pool;
    double values[64];

    (void)state;
    assert_int_equal(pool_new(&pool, 1, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        uint32_t m = SHAPES[i][0], n = SHAPES[i][1];

        layer.outputs = m;
        layer.inputs = n;
        double norm = draw(&layer, (uint32_t)i);
        singular_values(layer.x, m, n, values);
        for (uint32_t k = 0; k < m; k++) {
            assert_true(values[k] > 0.005 * norm); /* what the promise needs */
        }
        singular_values(muon_orthogonalize_f64(&work, m, n, norm, 5, pool), m, n, values);
        for (uint32_t k = 0; k < m; k++) {
            assert_true(values[k] >= 0.68 && values[k] <= 1.16);
        }
    }
    pool_free(pool);
}

/* On a diagonal matrix the iteration is its polynomial, on each value alone. */
static void each_singular_value_goes_its_own_way(void **state)
{
    static const double VALUES[4] = {1, 0.3, 0.02, 0.005};
    static struct layer layer;
    struct muon_work_f64 work = {layer.x, layer.y, layer.a, layer.b};
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_new(&pool, 1, NULL), STATUS_OK);
    for (uint32_t steps = 1; steps <= 6; steps++) {
        double *result;

        memset(layer.x, 0, sizeof layer.x);
        for (size_t i = 0; i < 4; i++) {
            layer.x[i * 6 + i] = VALUES[i];
        }
        result = muon_orthogonalize_f64(&work, 4, 6, 1 - 1e-7, steps, pool);
        for (size_t i = 0; i < 24; i++) {
            double want = i % 6 == i / 6 ? VALUES[i / 6] : 0;

            for (uint32_t k = 0; k < steps; k++) {
                want = want * (3.4445 + want * want * (-4.7750 + 2.0315 * want * want));
            }
            assert_close(result[i], want, 1e-12, 0);
        }
    }
    pool_free(pool);
}

static void a_gradient_of_zeros_moves_nothing(void **state)
{
    static struct layer layer = {.outputs = 3, .inputs = 4};
    struct optimizer_spec spec = {.learning_rate = 0.02};
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_new(&pool, 1, NULL), STATUS_OK);
    optimizer_defaults(&spec, OPTIMIZER_MUON);
    start(&layer);
    update(&layer, &spec, 1, pool, RIGHT);
    for (size_t i = 0; i < 12; i++) {
        assert_close(layer.weights[i], ((double)(i % 5) - 2) / 4, 0, 0);
    }
    pool_free(pool);
}

/* ---- float32 ---- */

static struct {
    float x[MOST], y[MOST], a[MOST], b[MOST];
} narrow;

static float *orthogonalize_f32(const struct layer *layer, double norm, uint32_t threads)
{
    struct muon_work_f32 work = {narrow.x, narrow.y, narrow.a, narrow.b};
    struct pool *pool;
    float *result;

    for (size_t i = 0; i < (size_t)layer->outputs * layer->inputs; i++) {
        narrow.x[i] = (float)layer->x[i];
    }
    assert_int_equal(pool_new(&pool, threads, NULL), STATUS_OK);
    result = muon_orthogonalize_f32(&work, layer->outputs, layer->inputs, norm, 5, pool);
    pool_free(pool);
    return result;
}

static void float32_follows_float64_on_any_number_of_threads(void **state)
{
    static const uint32_t SHAPES[][2] = {{3, 5}, {64, 64}, {65, 130}, {160, 200}};
    static float one[MOST];
    static struct layer layer;
    struct muon_work_f64 work = {layer.x, layer.y, layer.a, layer.b};
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_new(&pool, 1, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        layer.outputs = SHAPES[i][0];
        layer.inputs = SHAPES[i][1];
        size_t n = (size_t)layer.outputs * layer.inputs;
        double norm = draw(&layer, (uint32_t)i);

        memcpy(one, orthogonalize_f32(&layer, norm, 1), n * sizeof *one);
        for (uint32_t threads = 2; threads <= 5; threads++) {
            assert_memory_equal(orthogonalize_f32(&layer, norm, threads), one, n * sizeof *one);
        }
        double *exact = muon_orthogonalize_f64(&work, layer.outputs, layer.inputs, norm, 5, pool);

        for (size_t k = 0; k < n; k++) {
            assert_close((double)one[k], exact[k], 0, 3e-5);
        }
    }
    pool_free(pool);
}

static void every_non_finite_value_is_noticed(void **state)
{
    static const float BAD[] = {NAN, HUGE_VALF, -HUGE_VALF};
    struct optimizer_spec spec = {.learning_rate = 0.02};
    struct update_step step;

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_MUON);
    optimizer_step(&spec, 0.02, 1, 1, &step);
    for (size_t i = 0; i < 3; i++) {
        struct update_sums sums = {0};

        memset(&narrow, 0, sizeof narrow);
        narrow.x[700] = BAD[i];
        (void)muon_momentum_f32(&spec, &step, 0, 1000, narrow.a, narrow.x, narrow.y, narrow.b, &sums);
        assert_true(sums.nonfinite);
        sums.nonfinite = 0;
        muon_step_f32(&spec, &step, 1, 1000, narrow.a, narrow.x, &sums);
        assert_true(sums.nonfinite);
    }
}

static void sums_are_of_what_happened(void **state)
{
    enum { N = 1237 };
    static double weights[N], before[N], gradient[N], momentum[N], direction[N];
    struct optimizer_spec spec = {.learning_rate = 0.02};
    struct update_sums sums = {.measure = 1};
    struct update_step step;
    double gradient_square = 0, direction_square = 0, move_square = 0, found;

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_MUON);
    spec.weight_decay = 0.1;
    optimizer_step(&spec, 0.02, 1, 0.5, &step);
    for (size_t i = 0; i < N; i++) {
        before[i] = weights[i] = rng_normal_f64(1, 50, 0, i);
        gradient[i] = rng_normal_f64(2, 50, 0, i);
        gradient_square += (gradient[i] + 0.3 * weights[i]) * (gradient[i] + 0.3 * weights[i]);
    }
    found = muon_momentum_f64(&spec, &step, 0.3, N, weights, gradient, momentum, direction, &sums);
    muon_step_f64(&spec, &step, 1.5, N, weights, direction, &sums);
    for (size_t i = 0; i < N; i++) {
        double g = 0.5 * (gradient[i] + 0.3 * before[i]), u = 0.05 * g + 0.95 * (0.05 * g); /* clipped by half */

        assert_close(direction[i], u, 1e-14, 0);
        assert_close(weights[i], before[i] * (1 - 0.02 * 0.1) - 0.02 * 1.5 * u, 1e-14, 1e-16);
        direction_square += u * u;
        move_square += (weights[i] - before[i]) * (weights[i] - before[i]);
    }
    assert_close(found, direction_square, 1e-13, 0);
    assert_close(sums.gradient_square, gradient_square, 1e-13, 0);
    assert_close(sums.move_square, move_square, 1e-13, 0);
    assert_false(sums.nonfinite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_those_made_elsewhere),
        cmocka_unit_test(known_wrong_updates_are_rejected),
        cmocka_unit_test(the_factor_is_of_outputs_by_inputs),
        cmocka_unit_test(operations_are_counted),
        cmocka_unit_test(five_steps_bring_singular_values_near_one),
        cmocka_unit_test(each_singular_value_goes_its_own_way),
        cmocka_unit_test(a_gradient_of_zeros_moves_nothing),
        cmocka_unit_test(float32_follows_float64_on_any_number_of_threads),
        cmocka_unit_test(every_non_finite_value_is_noticed),
        cmocka_unit_test(sums_are_of_what_happened),
    };
    return cmocka_run_group_tests_name("muon", tests, NULL, NULL);
}
