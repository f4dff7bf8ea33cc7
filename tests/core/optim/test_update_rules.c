/* The update rules against published traces, closed forms, each other, and twins that are known to be wrong. */
#include "core/optim/optimizer.h"

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

#define TRACES "tests/golden/optimizer_traces.txt"

static void rosenbrock_gradient(const double theta[2], double gradient[2])
{
    double slope = theta[1] - theta[0] * theta[0];

    gradient[0] = -2 * (1 - theta[0]) - 400 * theta[0] * slope;
    gradient[1] = 200 * slope;
}

/* ---- traces ---- */

/* One update of theta, at gradient's point `weights`; what every rule under test looks like. */
typedef void rule(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                  double slots[2 * OPTIMIZER_MAX_SLOTS]);

static void real_rule(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                      double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    struct update_sums sums = {.measure = (int)(t % 2)};
    struct update_step step;

    optimizer_step(spec, spec->learning_rate, t, 1, &step);
    optimizer_update_f64(spec, &step, 0, 2, weights, gradient, slots, &sums);
}

static void parse_spec(struct optimizer_spec *spec, const char *type, char *settings)
{
    struct hyperparameter parameter;
    enum optimizer_type found = OPTIMIZER_SGD;
    char *place = NULL;

    while (strcmp(optimizer_name(found), type) != 0) {
        found++;
        assert_true(found < OPTIMIZER_COUNT);
    }
    optimizer_defaults(spec, found);
    spec->weight_decay = 0; /* PyTorch's adamw decays by itself, the traces say by how much */
    for (char *item = strtok_r(settings, " \n", &place); item != NULL; item = strtok_r(NULL, " \n", &place)) {
        char *value = strchr(item, '=');
        size_t i = 0;

        assert_non_null(value);
        *value++ = '\0';
        do {
            assert_true(optimizer_hyperparameter(found, i++, &parameter));
        } while (strcmp(parameter.name, item) != 0);
        hyperparameter_store(&parameter, strtod(value, NULL), spec);
    }
}

/*
 * The largest relative deviation from the traces whose name begins with `prefix`, and how many those are. Known-wrong
 * rules go through the same comparison.
 */
static double deviation_from_traces(const char *prefix, rule *update, int *traces)
{
    FILE *file = fopen(TRACES, "r");
    char line[256], name[64], type[32], point[16];
    struct optimizer_spec spec = {0};
    double weights[2] = {0}, slots[2 * OPTIMIZER_MAX_SLOTS] = {0}, worst = 0;
    int used = 0, settings = 0;
    uint64_t t = 0;

    assert_non_null(file);
    *traces = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        double want[2], got[2], gradient[2];
        unsigned k;

        if (sscanf(line, "trace %63s %31s %15s %n", name, type, point, &settings) == 3) {
            used = strncmp(name, prefix, strlen(prefix)) == 0;
            *traces += used;
            parse_spec(&spec, type, line + settings);
            weights[0] = -1.2;
            weights[1] = 1;
            for (uint32_t i = 0; i < 2 * optimizer_slots(&spec); i++) {
                slots[i] = optimizer_slot_start(&spec, i / 2);
            }
            t = 0;
        } else if (used && sscanf(line, "%u %lf %lf", &k, &want[0], &want[1]) == 3) {
            while (t < k) {
                rosenbrock_gradient(weights, gradient);
                update(&spec, ++t, weights, gradient, slots);
            }
            if (strcmp(point, "served") == 0) {
                optimizer_served_f64(&spec, 2, weights, slots, got);
            } else {
                memcpy(got, weights, sizeof(got));
            }
            for (int i = 0; i < 2; i++) {
                double error = fabs(got[i] - want[i]) / fabs(want[i]);
                worst = error <= worst ? worst : error; /* NaN counts */
            }
        }
    }
    fclose(file);
    return worst;
}

static void every_rule_follows_its_trace_for_200_steps(void **state)
{
    static const char *const prefixes[] = {"gd",      "momentum", "nesterov", "sgd",   "adagrad", "rmsprop",     "adam",
                                           "amsgrad", "adadelta", "nadam",    "radam", "lion",    "schedulefree"};
    int traces, all = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        double worst = deviation_from_traces(prefixes[i], real_rule, &traces);

        all += traces;
        if (!(worst < 1e-12)) {
            print_error("%s deviates by %.3g\n", prefixes[i], worst);
            fail();
        }
    }
    assert_int_equal(all, 26);
}

/* Adam that forgets the bias correction. */
static void adam_without_bias_correction(const struct optimizer_spec *spec, uint64_t t, double weights[2],
                                         const double gradient[2], double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    struct update_step step;
    struct update_sums sums = {0};

    optimizer_step(spec, spec->learning_rate, t, 1, &step);
    step.bias1 = step.bias2 = 1;
    optimizer_update_f64(spec, &step, 0, 2, weights, gradient, slots, &sums);
}

/* Epsilon under the root instead of behind it. */
static void rmsprop_with_epsilon_inside(const struct optimizer_spec *spec, uint64_t t, double weights[2],
                                        const double gradient[2], double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    (void)t;
    for (int i = 0; i < 2; i++) {
        slots[i] = spec->rho * slots[i] + (1 - spec->rho) * gradient[i] * gradient[i];
        weights[i] -= spec->learning_rate * gradient[i] / sqrt(slots[i] + spec->epsilon);
    }
}

/* Nesterov's momentum with the gradient at theta, which makes it plain momentum. */
static void nesterov_at_theta(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                              double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    double theta[2], there[2];

    (void)t;
    (void)gradient;
    optimizer_served_f64(spec, 2, weights, slots, theta);
    rosenbrock_gradient(theta, there);
    for (int i = 0; i < 2; i++) {
        slots[i] = spec->momentum * slots[i] - spec->learning_rate * there[i];
        weights[i] = theta[i] + slots[i] + optimizer_look_ahead(spec) * slots[i];
    }
}

static void uphill(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                   double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    const double flipped[2] = {-gradient[0], -gradient[1]};

    real_rule(spec, t, weights, flipped, slots);
}

/* The lecture's form where the textbook's is asked for, and the other way round: 1e-3 apart, and no more. */
static void other_nesterov(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                           double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    struct optimizer_spec other = *spec;

    other.nesterov = spec->nesterov == NESTEROV_LECTURE ? NESTEROV_LOOKAHEAD : NESTEROV_LECTURE;
    real_rule(&other, t, weights, gradient, slots);
}

/* The next momentum's product once more by the momentum before it, as in PyTorch 1.13. */
static void nadam_of_torch_1_13(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                                double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    struct update_step step;
    struct update_sums sums = {0};
    double product = 1, now = 1, next = 1;

    for (uint64_t k = 1; k <= t + 1; k++) {
        now = next;
        next = spec->beta1 * (1 - 0.5 * pow(0.96, (double)k * spec->momentum_decay));
        product *= next;
    }
    optimizer_step(spec, spec->learning_rate, t, 1, &step);
    step.share_m = next / (1 - product * now);
    optimizer_update_f64(spec, &step, 0, 2, weights, gradient, slots, &sums);
}

/* Adam from the first step on. */
static void radam_without_rectification(const struct optimizer_spec *spec, uint64_t t, double weights[2],
                                        const double gradient[2], double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    struct update_step step;
    struct update_sums sums = {0};

    optimizer_step(spec, spec->learning_rate, t, 1, &step);
    step.rectifier = 1;
    optimizer_update_f64(spec, &step, 0, 2, weights, gradient, slots, &sums);
}

static void betas_swapped(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                          double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    struct optimizer_spec swapped = *spec;

    swapped.beta1 = spec->beta2;
    swapped.beta2 = spec->beta1;
    real_rule(&swapped, t, weights, gradient, slots);
}

/* Schedule-free with the gradient at the served mean x. */
static void gradient_at_the_mean(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                                 double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    double served[2], there[2];

    (void)gradient;
    optimizer_served_f64(spec, 2, weights, slots, served);
    rosenbrock_gradient(served, there);
    real_rule(spec, t, weights, there, slots);
}

/* All steps of the warm-up count alike. */
static void plain_mean(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                       double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    struct update_step step;
    struct update_sums sums = {0};

    optimizer_step(spec, spec->learning_rate, t, 1, &step);
    step.average = 1 / (double)t;
    optimizer_update_f64(spec, &step, 0, 2, weights, gradient, slots, &sums);
}

/* Decay in the gradient where the rule has it outside, and the other way round. */
static void decay_the_other_way(const struct optimizer_spec *spec, uint64_t t, double weights[2], const double gradient[2],
                                double slots[2 * OPTIMIZER_MAX_SLOTS])
{
    struct optimizer_spec without = *spec;
    double coupled[2];

    for (int i = 0; i < 2; i++) {
        coupled[i] = gradient[i] + spec->weight_decay * weights[i];
    }
    without.weight_decay = 0;
    real_rule(&without, t, weights, coupled, slots);
}

static void known_wrong_rules_are_rejected(void **state)
{
    static const struct {
        const char *prefix;
        rule *wrong;
    } twins[] = {
        {"adam_torch", adam_without_bias_correction},
        {"amsgrad", adam_without_bias_correction},
        {"rmsprop_torch", rmsprop_with_epsilon_inside},
        {"nesterov_lookahead", nesterov_at_theta},
        {"nesterov_lecture", nesterov_at_theta},
        {"nesterov_lookahead", other_nesterov},
        {"nesterov_lecture", other_nesterov},
        {"gd", uphill},
        {"adagrad_torch", uphill},
        {"adadelta", uphill},
        {"nadam", uphill},
        {"nadam", adam_without_bias_correction},
        {"nadam", nadam_of_torch_1_13},
        {"radam", uphill},
        {"radam", radam_without_rectification},
        {"adamax", adam_without_bias_correction},
        {"lion", uphill},
        {"lion", betas_swapped},
        {"lion", decay_the_other_way},
        {"schedulefree_sgd", gradient_at_the_mean},
        {"schedulefree_adamw", gradient_at_the_mean},
        {"schedulefree_sgd", plain_mean},
        {"schedulefree_adamw", plain_mean},
        {"schedulefree_adamw", adam_without_bias_correction},
        {"schedulefree_adamw", decay_the_other_way},
    };
    int traces;

    (void)state;
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
        double worst = deviation_from_traces(twins[i].prefix, twins[i].wrong, &traces);

        assert_true(traces > 0);
        if (worst < 1e-6) {
            print_error("wrong rule %zu deviates from %s by %.3g only\n", i, twins[i].prefix, worst);
            fail();
        }
    }
}

static void the_three_forms_of_nesterov_are_where_they_are_known_to_be(void **state)
{
    static const struct {
        int steps;
        double lecture[2], lookahead[2], torch[2];
    } known[] = {
        {1, {-1.0922, 1.044}, {-1.0922, 1.044}, {-0.99518, 1.0836}},
        {10, {-0.992022247239, 0.992414472495}, {-0.991108809749, 0.991501406884}, {-0.983962263304, 0.984907952321}},
        {100, {-0.516009403978, 0.273557243439}, {-0.513789604460, 0.271238299208}, {-0.507345234288, 0.264531845073}},
    };

    (void)state;
    for (enum nesterov form = NESTEROV_LECTURE; form <= NESTEROV_LOOKAHEAD; form++) {
        struct optimizer_spec spec = {.type = OPTIMIZER_SGD, .learning_rate = 5e-4, .momentum = 0.9, .nesterov = form};
        double weights[2] = {-1.2, 1}, slots[2 * OPTIMIZER_MAX_SLOTS] = {0}, served[2], gradient[2];
        uint64_t t = 0;

        for (size_t i = 0; i < 3; i++) {
            while (t < (uint64_t)known[i].steps) {
                rosenbrock_gradient(weights, gradient);
                real_rule(&spec, ++t, weights, gradient, slots);
            }
            optimizer_served_f64(&spec, 2, weights, slots, served);
            assert_all_close(served, form == NESTEROV_LECTURE ? known[i].lecture : known[i].lookahead, 2, 0, 1e-12);
            if (form == NESTEROV_LOOKAHEAD) { /* PyTorch stores the look-ahead point */
                assert_all_close(weights, known[i].torch, 2, 0, 1e-12);
            }
        }
    }
}

/* ---- closed forms ---- */

static void momentum_reaches_its_terminal_speed(void **state)
{
    static const double known[][2] = {{1, 0.1}, {2, 0.19}, {5, 0.40951}, {10, 0.6513215599}, {50, 0.9948462247926799}};
    struct optimizer_spec spec = {.type = OPTIMIZER_SGD, .learning_rate = 0.1, .momentum = 0.9};
    struct update_sums sums = {.measure = 1};
    double weight = 0, slot = 0, gradient = 1;
    size_t next = 0;

    (void)state;
    for (uint64_t t = 1; t <= 50; t++) {
        struct update_step step;

        optimizer_step(&spec, 0.1, t, 1, &step);
        optimizer_update_f64(&spec, &step, 0, 1, &weight, &gradient, &slot, &sums);
        if ((double)t == known[next][0]) {
            assert_close(-slot, known[next][1], 1e-12, 0);
            assert_close(sqrt(sums.move_square), known[next][1], 1e-12, 0);
            next++;
        }
    }
    assert_int_equal(next, 5);
}

static double first_step(struct optimizer_spec *spec, double gradient)
{
    double weight = 0.5, slots[OPTIMIZER_MAX_SLOTS] = {0};
    struct update_sums sums = {0};
    struct update_step step;

    optimizer_step(spec, spec->learning_rate, 1, 1, &step);
    optimizer_update_f64(spec, &step, 0, 1, &weight, &gradient, slots, &sums);
    return weight - 0.5;
}

static void first_steps_have_their_known_sizes(void **state)
{
    static const double gradients[] = {3, -0.02, 1e4};
    struct optimizer_spec spec = {.learning_rate = 0.01};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const double sign = gradients[i] > 0 ? 1 : -1;

        for (enum optimizer_type type = OPTIMIZER_ADAM; type <= OPTIMIZER_ADAMW; type++) {
            optimizer_defaults(&spec, type);
            spec.weight_decay = 0;
            assert_close(first_step(&spec, gradients[i]), -0.01 * sign, 1e-6, 0); /* alpha sign g */
        }
        optimizer_defaults(&spec, OPTIMIZER_ADAGRAD);
        assert_close(first_step(&spec, gradients[i]), -0.01 * sign, 1e-6, 0);
        optimizer_defaults(&spec, OPTIMIZER_RMSPROP); /* alpha / sqrt(1 - rho) sign g: no bias correction */
        assert_close(first_step(&spec, gradients[i]), -0.1 * sign, 1e-5, 0);
        optimizer_defaults(&spec, OPTIMIZER_SGD);
        assert_close(first_step(&spec, gradients[i]), -0.01 * gradients[i], 1e-12, 0);
    }
    optimizer_defaults(&spec, OPTIMIZER_ADAM);
    assert_close(first_step(&spec, 0), 0, 0, 0);
}

static void the_lecture_looks_ahead_even_without_momentum(void **state)
{
    struct optimizer_spec spec = {.type = OPTIMIZER_SGD, .learning_rate = 0.1, .nesterov = NESTEROV_LECTURE};
    double theta = 1, before = 1, weight = 1, slot = 0, served;

    (void)state;
    assert_int_equal(optimizer_slots(&spec), 1);
    for (uint64_t t = 1; t <= 20; t++) { /* theta' = theta - alpha g(2 theta - theta before) with g(x) = 3 x */
        double gradient = 3 * weight, next = theta - 0.1 * 3 * (2 * theta - before);
        struct update_sums sums = {0};
        struct update_step step;

        before = theta;
        theta = next;
        optimizer_step(&spec, 0.1, t, 1, &step);
        optimizer_update_f64(&spec, &step, 0, 1, &weight, &gradient, &slot, &sums);
        optimizer_served_f64(&spec, 1, &weight, &slot, &served);
        assert_close(served, theta, 1e-13, 1e-16);
    }
}

static void centered_rmsprop_survives_a_constant_gradient(void **state)
{
    struct optimizer_spec spec = {.learning_rate = 1e-3};
    float weight = 0, gradient = 0.1f, slots[OPTIMIZER_MAX_SLOTS] = {0};
    struct update_sums sums = {0};
    struct update_step step;

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_RMSPROP);
    spec.centered = 1;
    for (uint64_t t = 1; t <= 5000; t++) {
        optimizer_step(&spec, 1e-3, t, 1, &step);
        optimizer_update_f32(&spec, &step, 0, 1, &weight, &gradient, slots, &sums);
        assert_false(sums.nonfinite);
    }
    assert_true(weight < 0);
}

static void amsgrad_never_forgets_the_largest_gradient(void **state)
{
    struct optimizer_spec spec = {.learning_rate = 0.01};
    double plain_slots[3] = {0}, slots[3] = {0}, plain = 0, weight = 0, largest = 0;

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_ADAM);
    for (uint64_t t = 1; t <= 3000; t++) {
        double gradient = t == 10 ? 100 : 0.1;

        spec.amsgrad = 0;
        struct update_sums sums = {0};
        struct update_step step;
        optimizer_step(&spec, 0.01, t, 1, &step);
        optimizer_update_f64(&spec, &step, 0, 1, &plain, &gradient, plain_slots, &sums);
        spec.amsgrad = 1;
        optimizer_update_f64(&spec, &step, 0, 1, &weight, &gradient, slots, &sums);
        assert_true(slots[2] >= largest && slots[2] >= slots[1]);
        largest = slots[2];
    }
    assert_true(-weight < -plain); /* smaller steps after the spike */
}

/* ---- gradients' way: l2, clipping, decay ---- */

static void l2_is_clipped_and_coupled_decay_is_not(void **state)
{
    const double w = 2, g = 0.7, l2 = 0.3, scale = 0.25, decay = 0.05, alpha = 0.1;
    struct optimizer_spec spec = {.type = OPTIMIZER_SGD, .learning_rate = alpha, .weight_decay = decay};
    struct update_sums sums = {.measure = 1};
    struct update_step step;
    double weight = w;

    (void)state;
    optimizer_step(&spec, alpha, 1, scale, &step);
    optimizer_update_f64(&spec, &step, l2, 1, &weight, &g, NULL, &sums);
    assert_close(weight, w - alpha * (scale * (g + l2 * w) + decay * w), 1e-15, 0);
    assert_close(sums.gradient_square, (g + l2 * w) * (g + l2 * w), 1e-15, 0);
    assert_close(sums.move_square, (weight - w) * (weight - w), 1e-14, 0);
}

static void adamw_shrinks_by_the_scheduled_rate(void **state)
{
    struct optimizer_spec spec = {.learning_rate = 1};
    double weight = 2, gradient = 0, slots[3] = {0};
    struct update_sums sums = {0};
    struct update_step step;

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_ADAMW);
    spec.weight_decay = 0.1;
    optimizer_step(&spec, 0.01, 1, 1, &step); /* scheduled down from 1 */
    optimizer_update_f64(&spec, &step, 0, 1, &weight, &gradient, slots, &sums);
    assert_close(weight, 2 * (1 - 0.01 * 0.1), 1e-15, 0);
}

static void adagrad_s_rate_decays_with_the_updates(void **state)
{
    struct optimizer_spec spec = {.type = OPTIMIZER_ADAGRAD, .lr_decay = 0.5};
    struct update_step step;

    (void)state;
    optimizer_step(&spec, 0.1, 1, 1, &step);
    assert_close(step.learning_rate, 0.1, 0, 0);
    optimizer_step(&spec, 0.1, 5, 1, &step);
    assert_close(step.learning_rate, 0.1 / 3, 1e-15, 0);
}

/* ---- properties of every rule ---- */

#define N 1237

/* Variants that together pass through every loop. */
static size_t variants(struct optimizer_spec *out)
{
    size_t count = 0;

    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        for (int variant = 0; variant < 4 && !optimizer_has(type, OPTIMIZER_CONVEX_SOLVER); variant++) {
            struct optimizer_spec spec = {.learning_rate = 0.01};

            optimizer_defaults(&spec, type);
            spec.momentum = type == OPTIMIZER_SGD || type == OPTIMIZER_RMSPROP ? (variant & 1) * 0.9 : 0;
            spec.nesterov = type == OPTIMIZER_SGD ? (enum nesterov)(variant >> 1 ? 1 + (variant & 1) : 0) : NESTEROV_NONE;
            spec.centered = type == OPTIMIZER_RMSPROP && variant >> 1;
            spec.amsgrad = (type == OPTIMIZER_ADAM || type == OPTIMIZER_ADAMW) && variant >> 1;
            out[count++] = spec;
        }
    }
    return count;
}

static struct {
    float weights[N], gradient[N], slots[OPTIMIZER_MAX_SLOTS * N];
    double weights64[N], gradient64[N], slots64[OPTIMIZER_MAX_SLOTS * N];
} a, b;

static void start(const struct optimizer_spec *spec)
{
    for (uint64_t i = 0; i < N; i++) {
        a.weights64[i] = (double)(a.weights[i] = (float)rng_normal_f64(3, 50, 0, i));
    }
    for (uint32_t s = 0; s < OPTIMIZER_MAX_SLOTS; s++) {
        for (size_t i = 0; i < N; i++) {
            a.slots64[s * N + i] = (double)(a.slots[s * N + i] = (float)optimizer_slot_start(spec, s));
        }
    }
    b = a;
}

static void draw_gradient(uint64_t t)
{
    for (uint64_t i = 0; i < N; i++) {
        a.gradient64[i] = (double)(a.gradient[i] = (float)rng_normal_f64(4, 50, (uint32_t)t, i));
    }
    memcpy(b.gradient, a.gradient, sizeof(b.gradient));
    memcpy(b.gradient64, a.gradient64, sizeof(b.gradient64));
}

static void float32_follows_float64(void **state)
{
    struct optimizer_spec specs[64];
    size_t count = variants(specs);
    struct update_sums sums = {0};
    struct update_step step;

    (void)state;
    for (size_t v = 0; v < count; v++) {
        start(&specs[v]);
        for (uint64_t t = 1; t <= 20; t++) {
            draw_gradient(t);
            optimizer_step(&specs[v], 0.01, t, 0.9, &step);
            optimizer_update_f32(&specs[v], &step, 1e-3, N, a.weights, a.gradient, a.slots, &sums);
            optimizer_update_f64(&specs[v], &step, 1e-3, N, a.weights64, a.gradient64, a.slots64, &sums);
        }
        for (size_t i = 0; i < N; i++) {
            b.weights64[i] = (double)a.weights[i];
        }
        assert_all_close(b.weights64, a.weights64, N, 1e-5, 2e-5);
    }
}

static void measuring_does_not_change_a_bit_and_sums_what_happened(void **state)
{
    struct optimizer_spec specs[64];
    size_t count = variants(specs);

    (void)state;
    for (size_t v = 0; v < count; v++) {
        start(&specs[v]);
        for (uint64_t t = 1; t <= 5; t++) {
            struct update_sums quiet = {0}, measured = {.measure = 1, .gradient_square = 77, .move_square = 77};
            double before[N], after[N], gradient_square = 0, move_square = 0;
            struct update_step step;

            draw_gradient(t);
            for (size_t i = 0; i < N; i++) {
                double g = a.gradient64[i] + 1e-2 * a.weights64[i];
                gradient_square += g * g;
            }
            optimizer_step(&specs[v], 0.01, t, 0.5, &step);
            optimizer_served_f64(&specs[v], N, a.weights64, a.slots64, before);
            optimizer_update_f64(&specs[v], &step, 1e-2, N, a.weights64, a.gradient64, a.slots64, &measured);
            optimizer_served_f64(&specs[v], N, a.weights64, a.slots64, after);
            for (size_t i = 0; i < N; i++) {
                move_square += (after[i] - before[i]) * (after[i] - before[i]);
            }
            assert_close(measured.gradient_square, gradient_square, 1e-12, 0);
            assert_close(measured.move_square, move_square, 1e-12, 0);

            optimizer_update_f64(&specs[v], &step, 1e-2, N, b.weights64, b.gradient64, b.slots64, &quiet);
            assert_memory_equal(a.weights64, b.weights64, sizeof(a.weights64));
            assert_memory_equal(a.slots64, b.slots64, sizeof(a.slots64));
            assert_true(quiet.gradient_square == 0 && quiet.move_square == 0);
            assert_false(quiet.nonfinite || measured.nonfinite);
        }
    }
}

static void an_element_depends_on_itself_alone(void **state)
{
    struct optimizer_spec specs[64];
    size_t count = variants(specs);
    struct update_sums sums = {0};

    (void)state;
    for (size_t v = 0; v < count; v++) {
        start(&specs[v]);
        for (uint64_t t = 1; t <= 3; t++) {
            struct update_step step;

            draw_gradient(t);
            optimizer_step(&specs[v], 0.01, t, 1, &step);
            optimizer_update_f32(&specs[v], &step, 0, N, a.weights, a.gradient, a.slots, &sums);
            for (size_t i = 0; i < N; i++) { /* one by one, slots gathered and scattered */
                float slots[OPTIMIZER_MAX_SLOTS];

                for (uint32_t s = 0; s < OPTIMIZER_MAX_SLOTS; s++) {
                    slots[s] = b.slots[s * N + i];
                }
                optimizer_update_f32(&specs[v], &step, 0, 1, &b.weights[i], &b.gradient[i], slots, &sums);
                for (uint32_t s = 0; s < OPTIMIZER_MAX_SLOTS; s++) {
                    b.slots[s * N + i] = slots[s];
                }
            }
        }
        assert_memory_equal(a.weights, b.weights, sizeof(a.weights));
        assert_memory_equal(a.slots, b.slots, sizeof(float) * N * optimizer_slots(&specs[v]));
    }
}

static int squares(enum optimizer_type type)
{
    return type != OPTIMIZER_SGD && type != OPTIMIZER_ADAMAX && type != OPTIMIZER_LION &&
           type != OPTIMIZER_SCHEDULE_FREE_SGD;
}

static void every_non_finite_value_is_noticed(void **state)
{
    static const float bad[] = {NAN, HUGE_VALF, -HUGE_VALF, 1e30f}; /* 1e30 squared overflows */
    struct optimizer_spec specs[64];
    size_t count = variants(specs);

    (void)state;
    for (size_t v = 0; v < count; v++) {
        for (size_t k = 0; k < 4; k++) {
            struct update_sums sums = {0};
            struct update_step step;

            if (k == 3 && !squares(specs[v].type)) {
                continue;
            }
            start(&specs[v]);
            draw_gradient(1);
            a.gradient[N - 2] = bad[k];
            optimizer_step(&specs[v], 0.01, 1, 1, &step);
            optimizer_update_f32(&specs[v], &step, 0, N, a.weights, a.gradient, a.slots, &sums);
            assert_true(sums.nonfinite);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_follows_its_trace_for_200_steps),
        cmocka_unit_test(known_wrong_rules_are_rejected),
        cmocka_unit_test(the_three_forms_of_nesterov_are_where_they_are_known_to_be),
        cmocka_unit_test(momentum_reaches_its_terminal_speed),
        cmocka_unit_test(first_steps_have_their_known_sizes),
        cmocka_unit_test(the_lecture_looks_ahead_even_without_momentum),
        cmocka_unit_test(centered_rmsprop_survives_a_constant_gradient),
        cmocka_unit_test(amsgrad_never_forgets_the_largest_gradient),
        cmocka_unit_test(l2_is_clipped_and_coupled_decay_is_not),
        cmocka_unit_test(adamw_shrinks_by_the_scheduled_rate),
        cmocka_unit_test(adagrad_s_rate_decays_with_the_updates),
        cmocka_unit_test(float32_follows_float64),
        cmocka_unit_test(measuring_does_not_change_a_bit_and_sums_what_happened),
        cmocka_unit_test(an_element_depends_on_itself_alone),
        cmocka_unit_test(every_non_finite_value_is_noticed),
    };
    return cmocka_run_group_tests_name("update_rules", tests, NULL, NULL);
}
