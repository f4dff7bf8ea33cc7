/*
 * The newer rules against their papers' recursions, written down here a second time as they stand there: products and sums
 * carried from step to step, iterates kept by name. Hyper-parameters and gradients are drawn; gradients do not follow the
 * weights, so that rounding does not grow as it may in a valley. That rules are asked for gradients at the right point is
 * what their traces show (test_update_rules.c).
 */
#include "core/optim/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "tests/assert_close.h"

#define STEPS  200
#define TRIALS 25

/* What the recursions remember, for two parameters. */
struct memory {
    double m[2], s[2], u[2]; /* means of gradients and squares; a third thing */
    double x[2], y[2], z[2]; /* schedule-free's points */
    double product, sum;     /* of nadam's momenta; of schedule-free's weights */
};

typedef void textbook(const struct optimizer_spec *spec, uint64_t t, const double gradient[2], double theta[2],
                      struct memory *memory);

static void add_decay(const struct optimizer_spec *spec, const double gradient[2], const double theta[2], double g[2])
{
    for (int i = 0; i < 2; i++) {
        g[i] = gradient[i] + spec->weight_decay * theta[i];
    }
}

static void moments(const struct optimizer_spec *spec, const double g[2], struct memory *memory)
{
    for (int i = 0; i < 2; i++) {
        memory->m[i] = spec->beta1 * memory->m[i] + (1 - spec->beta1) * g[i];
        memory->s[i] = spec->beta2 * memory->s[i] + (1 - spec->beta2) * g[i] * g[i];
    }
}

static void adadelta(const struct optimizer_spec *spec, uint64_t t, const double gradient[2], double theta[2],
                     struct memory *memory)
{
    double g[2];

    (void)t;
    add_decay(spec, gradient, theta, g);
    for (int i = 0; i < 2; i++) {
        double d;

        memory->s[i] = spec->rho * memory->s[i] + (1 - spec->rho) * g[i] * g[i];
        d = sqrt(memory->u[i] + spec->epsilon) / sqrt(memory->s[i] + spec->epsilon) * g[i];
        memory->u[i] = spec->rho * memory->u[i] + (1 - spec->rho) * d * d;
        theta[i] -= spec->learning_rate * d;
    }
}

static void nadam(const struct optimizer_spec *spec, uint64_t t, const double gradient[2], double theta[2],
                  struct memory *memory)
{
    double g[2], mu = spec->beta1 * (1 - 0.5 * pow(0.96, (double)t * spec->momentum_decay));
    double next = spec->beta1 * (1 - 0.5 * pow(0.96, (double)(t + 1) * spec->momentum_decay));

    add_decay(spec, gradient, theta, g);
    moments(spec, g, memory);
    memory->product = t == 1 ? mu : memory->product * mu;
    for (int i = 0; i < 2; i++) {
        double root = sqrt(memory->s[i] / (1 - pow(spec->beta2, (double)t))) + spec->epsilon;

        theta[i] -= spec->learning_rate * (1 - mu) / (1 - memory->product) * g[i] / root;
        theta[i] -= spec->learning_rate * next / (1 - memory->product * next) * memory->m[i] / root;
    }
}

static void radam(const struct optimizer_spec *spec, uint64_t t, const double gradient[2], double theta[2],
                  struct memory *memory)
{
    const double k = (double)t, c1 = 1 - pow(spec->beta1, k), c2 = 1 - pow(spec->beta2, k);
    const double limit = 2 / (1 - spec->beta2) - 1, length = limit - 2 * k * pow(spec->beta2, k) / c2;
    double g[2];

    add_decay(spec, gradient, theta, g);
    moments(spec, g, memory);
    for (int i = 0; i < 2; i++) {
        if (length > 5) {
            double r = sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length));

            theta[i] -= spec->learning_rate * memory->m[i] / c1 * r * sqrt(c2) / (sqrt(memory->s[i]) + spec->epsilon);
        } else {
            theta[i] -= spec->learning_rate * memory->m[i] / c1;
        }
    }
}

static void adamax(const struct optimizer_spec *spec, uint64_t t, const double gradient[2], double theta[2],
                   struct memory *memory)
{
    double g[2];

    add_decay(spec, gradient, theta, g);
    moments(spec, g, memory);
    for (int i = 0; i < 2; i++) {
        memory->u[i] = fmax(spec->beta2 * memory->u[i], fabs(g[i]) + spec->epsilon);
        theta[i] -= spec->learning_rate / (1 - pow(spec->beta1, (double)t)) * memory->m[i] / memory->u[i];
    }
}

static void lion(const struct optimizer_spec *spec, uint64_t t, const double gradient[2], double theta[2],
                 struct memory *memory)
{
    (void)t;
    for (int i = 0; i < 2; i++) {
        double c = spec->beta1 * memory->m[i] + (1 - spec->beta1) * gradient[i];

        theta[i] =
            theta[i] * (1 - spec->learning_rate * spec->weight_decay) - spec->learning_rate * (c > 0 ? 1 : (c < 0 ? -1 : 0));
        memory->m[i] = spec->beta2 * memory->m[i] + (1 - spec->beta2) * gradient[i];
    }
}

/* theta is x; y, z and the sum of weights (largest rate so far, squared) are carried along. */
static void schedule_free(const struct optimizer_spec *spec, uint64_t t, const double gradient[2], double theta[2],
                          struct memory *memory)
{
    const int adamw = spec->type == OPTIMIZER_SCHEDULE_FREE_ADAMW;
    const double beta = adamw ? spec->beta1 : spec->beta;
    double rate = spec->learning_rate, g[2], c;

    if (t == 1) {
        memcpy(memory->z, theta, sizeof memory->z);
    }
    if (t < spec->warmup_steps) {
        rate *= (double)t / (double)spec->warmup_steps;
    }
    for (int i = 0; i < 2; i++) {
        memory->y[i] = (1 - beta) * memory->z[i] + beta * theta[i];
    }
    memcpy(g, gradient, sizeof g);
    memory->sum += rate * rate; /* rates never fall: the largest is the latest */
    c = rate * rate / memory->sum;
    for (int i = 0; i < 2; i++) {
        if (adamw) {
            memory->s[i] = spec->beta2 * memory->s[i] + (1 - spec->beta2) * g[i] * g[i];
            g[i] /= sqrt(memory->s[i] / (1 - pow(spec->beta2, (double)t))) + spec->epsilon;
        }
        g[i] += spec->weight_decay * memory->y[i];
        memory->z[i] -= rate * g[i];
        theta[i] = (1 - c) * theta[i] + c * memory->z[i];
    }
}

static double between(double low, double high, uint32_t trial, uint64_t which)
{
    return low + (high - low) * (double)rng_uniform_f32(9, 50, trial, which);
}

static struct optimizer_spec drawn(enum optimizer_type type, uint32_t trial, double largest_rate)
{
    struct optimizer_spec spec = {.learning_rate = between(largest_rate / 20, largest_rate, trial, 0)};

    optimizer_defaults(&spec, type);
    if (trial == 0) {
        return spec;
    }
    spec.rho = between(0.5, 0.99, trial, 1);
    spec.beta = between(0.2, 0.98, trial, 2);
    spec.beta1 = between(type == OPTIMIZER_SCHEDULE_FREE_ADAMW ? 0.2 : 0, 0.98, trial, 3);
    spec.beta2 = between(0.5, 0.9995, trial, 4);
    spec.epsilon = pow(10, between(-10, -1, trial, 5));
    spec.momentum_decay = trial % 5 == 1 ? 0 : pow(10, between(-4, 2, trial, 6));
    spec.weight_decay = trial % 3 == 0 ? 0 : between(0, 0.2, trial, 7);
    spec.warmup_steps = (uint64_t)between(0, 60, trial, 8);
    return spec;
}

static double worst_deviation(const struct optimizer_spec *spec, textbook *rule)
{
    double theta[2] = {-1.2, 1}, weights[2] = {-1.2, 1}, slots[2 * OPTIMIZER_MAX_SLOTS] = {0}, worst = 0;
    struct memory memory = {0};
    int averages = optimizer_look_ahead(spec) != 0;

    for (uint64_t t = 1; t <= STEPS; t++) {
        struct update_sums sums = {0};
        struct update_step step;
        double gradient[2], served[2], asked[2];

        for (uint64_t i = 0; i < 2; i++) { /* of sizes from 0.01 to 100, with a drift */
            gradient[i] = (rng_normal_f64(8, 50, (uint32_t)t, i) + 0.3) * pow(10, (double)(t / 40) - 2);
        }
        memcpy(asked, weights, sizeof asked);
        optimizer_step(spec, spec->learning_rate, t, 1, &step);
        optimizer_update_f64(spec, &step, 0, 2, weights, gradient, slots, &sums);
        optimizer_served_f64(spec, 2, weights, slots, served);
        rule(spec, t, gradient, theta, &memory);
        for (int i = 0; i < 2; i++) {
            double error = fabs(served[i] - theta[i]) / fmax(fabs(theta[i]), 1e-2);

            worst = error <= worst ? worst : error; /* NaN counts */
            error = averages ? fabs(asked[i] - memory.y[i]) / fmax(fabs(memory.y[i]), 1e-2) : 0;
            worst = error <= worst ? worst : error;
        }
    }
    return worst;
}

static const struct {
    enum optimizer_type type;
    textbook *rule;
    double largest_rate;
} RULES[] = {
    {OPTIMIZER_ADADELTA, adadelta, 2},
    {OPTIMIZER_NADAM, nadam, 0.05},
    {OPTIMIZER_RADAM, radam, 0.01},
    {OPTIMIZER_ADAMAX, adamax, 0.05},
    {OPTIMIZER_LION, lion, 0.05},
    {OPTIMIZER_SCHEDULE_FREE_SGD, schedule_free, 0.1},
    {OPTIMIZER_SCHEDULE_FREE_ADAMW, schedule_free, 0.02},
};

static void every_rule_is_its_paper_s_recursion(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof RULES / sizeof *RULES; r++) {
        for (uint32_t trial = 0; trial < TRIALS; trial++) {
            struct optimizer_spec spec = drawn(RULES[r].type, trial, RULES[r].largest_rate);
            double worst = worst_deviation(&spec, RULES[r].rule);

            if (!(worst < 1e-12)) {
                fail_msg("%s, trial %u: %.3g", optimizer_name(spec.type), trial, worst);
            }
        }
    }
}

/* ---- the scalars of a step, which the recursions carry along, in closed form ---- */

static void nadam_s_product_of_momenta_needs_no_memory(void **state)
{
    static const double DECAYS[] = {0, 1e-300, 1e-12, 1e-5, 4e-3, 0.3, 10, 1e5};
    static const double BETAS[] = {0, 0.5, 0.9, 0.999999};
    struct optimizer_spec spec = {.type = OPTIMIZER_NADAM, .beta2 = 0.999};

    (void)state;
    for (size_t d = 0; d < sizeof DECAYS / sizeof *DECAYS; d++) {
        for (size_t b = 0; b < sizeof BETAS / sizeof *BETAS; b++) {
            long double log_product = 0;

            spec.momentum_decay = DECAYS[d];
            spec.beta1 = BETAS[b];
            for (uint64_t t = 1; t <= 3000; t++) {
                long double mu = BETAS[b] * (1 - 0.5L * powl((long double)0.96, (long double)t * DECAYS[d]));
                long double next = BETAS[b] * (1 - 0.5L * powl((long double)0.96, (long double)(t + 1) * DECAYS[d]));
                struct update_step step;

                log_product += logl(mu);
                optimizer_step(&spec, 0.1, t, 1, &step);
                assert_close(step.share_g, (double)((1 - mu) / -expm1l(log_product)), 1e-14, 1e-18);
                assert_close(step.share_m, (double)(next / -expm1l(log_product + logl(next))), 1e-14, 1e-18);
            }
        }
    }
}

static void radam_rectifies_from_where_the_mean_is_long_enough(void **state)
{
    struct optimizer_spec spec = {.type = OPTIMIZER_RADAM, .beta1 = 0.9, .beta2 = 0.999};
    struct update_step step;

    (void)state;
    for (uint64_t t = 1; t <= 3000; t++) {
        long double limit = 2 / (1 - 0.999L) - 1, power = powl(0.999L, (long double)t);
        long double length = limit - 2 * (long double)t * power / (1 - power);

        optimizer_step(&spec, 0.1, t, 1, &step);
        if (t <= 5) { /* un-normalised momentum */
            assert_close(step.rectifier, 0, 0, 0);
        } else {
            assert_close(step.rectifier,
                         (double)sqrtl((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)), 1e-11,
                         0);
        }
    }
    assert_true(step.rectifier > 0.85 && step.rectifier < 1);
    for (int k = 0; k < 3; k++) { /* a mean so short that it is never enough */
        static const double SHORT[] = {0, 0.5, 0.6};

        spec.beta2 = SHORT[k];
        optimizer_step(&spec, 0.1, 1000000, 1, &step);
        assert_close(step.rectifier, 0, 0, 0);
    }
}

static void schedule_free_s_weights_need_no_memory(void **state)
{
    static const uint64_t WARMUPS[] = {0, 1, 2, 5, 100, 2500, 100000};
    struct optimizer_spec spec = {.type = OPTIMIZER_SCHEDULE_FREE_SGD, .beta = 0.9};

    (void)state;
    for (size_t w = 0; w < sizeof WARMUPS / sizeof *WARMUPS; w++) {
        long double sum = 0;

        spec.warmup_steps = WARMUPS[w];
        for (uint64_t t = 1; t <= 5000; t++) {
            long double rate = t < WARMUPS[w] ? 0.3L * (long double)t / (long double)WARMUPS[w] : 0.3L;
            struct update_step step;

            sum += rate * rate;
            optimizer_step(&spec, 0.3, t, 1, &step);
            assert_close(step.learning_rate, (double)rate, 1e-15, 0);
            assert_close(step.average, (double)(rate * rate / sum), 1e-14, 0);
        }
    }
}

static void muon_s_other_rate_follows_the_schedule(void **state)
{
    struct optimizer_spec spec = {.learning_rate = 0.02};
    struct update_step step;

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_MUON);
    optimizer_step(&spec, 0.005, 7, 1, &step);
    assert_close(step.learning_rate, 0.005, 0, 0);
    assert_close(step.adamw_learning_rate, 0.00025, 1e-15, 0);
}

/* ---- what each rule is known for ---- */

static double one_step(const struct optimizer_spec *spec, uint64_t t, double weight, double gradient, double *slots)
{
    struct update_sums sums = {0};
    struct update_step step;

    optimizer_step(spec, spec->learning_rate, t, 1, &step);
    optimizer_update_f64(spec, &step, 0, 1, &weight, &gradient, slots, &sums);
    return weight;
}

static void lion_moves_every_weight_by_its_rate_or_not_at_all(void **state)
{
    static const double GRADIENTS[] = {1e-300, -3, 1e10, 0, -1e-20};
    struct optimizer_spec spec = {.learning_rate = 0.125};

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_LION);
    for (size_t i = 0; i < 5; i++) {
        double slot = 0, sign = GRADIENTS[i] > 0 ? 1 : (GRADIENTS[i] < 0 ? -1 : 0);

        assert_close(one_step(&spec, 1, 1, GRADIENTS[i], &slot), 1 - 0.125 * sign, 0, 0);
        assert_close(slot, 0.01 * GRADIENTS[i], 1e-14, 0); /* beta2's share, not beta1's */
    }
}

static void adadelta_s_first_step_has_epsilon_s_size(void **state)
{
    struct optimizer_spec spec = {.learning_rate = 1};
    double slots[2] = {0};

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_ADADELTA);
    assert_close(one_step(&spec, 1, 0, 5, slots), -sqrt(1e-6) / sqrt(0.1 * 25 + 1e-6) * 5, 1e-14, 0);
    assert_close(slots[1], 0.1 * 1e-6 / (0.1 * 25 + 1e-6) * 25, 1e-14, 0);
}

static void the_others_first_steps_are_known_too(void **state)
{
    struct optimizer_spec spec = {.learning_rate = 0.01};

    (void)state;
    for (int k = -1; k <= 1; k += 2) {
        double slots[OPTIMIZER_MAX_SLOTS] = {0}, g = k * 7.5, mu1 = 0.9 * (1 - 0.5 * pow(0.96, 0.004));
        double mu2 = 0.9 * (1 - 0.5 * pow(0.96, 0.008));

        optimizer_defaults(&spec, OPTIMIZER_RADAM); /* plain descent */
        assert_close(one_step(&spec, 1, 0, g, slots), -0.01 * g, 1e-14, 0);
        memset(slots, 0, sizeof slots);
        optimizer_defaults(&spec, OPTIMIZER_ADAMAX);
        assert_close(one_step(&spec, 1, 0, g, slots), -0.01 * k, 1e-8, 0);
        memset(slots, 0, sizeof slots);
        optimizer_defaults(&spec, OPTIMIZER_NADAM); /* the first momentum cancels with its own correction */
        assert_close(one_step(&spec, 1, 0, g, slots), -0.01 * k * (1 + mu2 / (1 - mu1 * mu2) * 0.1), 1e-8, 0);
        memset(slots, 0, sizeof slots);
        optimizer_defaults(&spec, OPTIMIZER_SCHEDULE_FREE_SGD);
        assert_close(one_step(&spec, 1, 0, g, slots), -0.01 * g, 1e-14, 0);
        assert_close(slots[0], 0, 0, 0); /* x, y and z are one */
    }
}

/* Without warm-up x is the plain mean of all z: with a constant gradient g of 1 that is -a (t + 1) / 2, while z is -a t. */
static void schedule_free_serves_the_mean_of_its_iterates(void **state)
{
    struct optimizer_spec spec = {.type = OPTIMIZER_SCHEDULE_FREE_SGD, .learning_rate = 0.5};
    double weight = 0, slot = 0, served;

    (void)state;
    for (int k = 1; k <= 9; k++) {
        spec.beta = k / 10.0;
        weight = slot = 0;
        for (uint64_t t = 1; t <= 300; t++) {
            weight = one_step(&spec, t, weight, 1, &slot);
            optimizer_served_f64(&spec, 1, &weight, &slot, &served);
            assert_close(served, -0.5 * (double)(t + 1) / 2, 1e-12, 0);
            assert_close(weight, (1 - spec.beta) * -0.5 * (double)t + spec.beta * served, 1e-12, 0);
        }
    }
}

static void only_what_says_so_couples_its_decay(void **state)
{
    struct optimizer_spec spec = {.learning_rate = 0.1};

    (void)state;
    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        double slots[OPTIMIZER_MAX_SLOTS] = {0}, moved;

        optimizer_defaults(&spec, type);
        spec.weight_decay = 0.25;
        spec.adamw_learning_rate = 0.1; /* of muon's element-wise part */
        moved = one_step(&spec, 1, 2, 0, slots) - 2;
        if (optimizer_has(type, OPTIMIZER_DECOUPLED_DECAY)) {
            assert_close(moved, -0.1 * 0.25 * 2, 1e-14, 0); /* no normalisation touches it */
        } else if (type != OPTIMIZER_SGD && type != OPTIMIZER_SCHEDULE_FREE_SGD && type != OPTIMIZER_RADAM) {
            assert_true(fabs(moved + 0.1 * 0.25 * 2) > 1e-3); /* as large as any other gradient's step */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_its_paper_s_recursion),
        cmocka_unit_test(nadam_s_product_of_momenta_needs_no_memory),
        cmocka_unit_test(radam_rectifies_from_where_the_mean_is_long_enough),
        cmocka_unit_test(schedule_free_s_weights_need_no_memory),
        cmocka_unit_test(muon_s_other_rate_follows_the_schedule),
        cmocka_unit_test(lion_moves_every_weight_by_its_rate_or_not_at_all),
        cmocka_unit_test(adadelta_s_first_step_has_epsilon_s_size),
        cmocka_unit_test(the_others_first_steps_are_known_too),
        cmocka_unit_test(schedule_free_serves_the_mean_of_its_iterates),
        cmocka_unit_test(only_what_says_so_couples_its_decay),
    };
    return cmocka_run_group_tests_name("update_rules_textbook", tests, NULL, NULL);
}
