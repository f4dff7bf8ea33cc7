/* Rates against the theory of quadratics. Numbers: 40-digit arithmetic, and brute force over learning rates. */
#include "core/landscape/rates.h"

#include <math.h>
#include <stdio.h>

#include "tests/assert_close.h"
#include "tests/core/landscape/descending.h"

static struct descent_row rows[MOST_STEPS + 1];

/* The rules of the sgd family, as rows of the tables below name them. */
enum rule { GD, HEAVY_BALL, LOOKAHEAD, LECTURE };

static struct optimizer_spec spec_of(enum rule rule, double alpha, double beta)
{
    struct optimizer_spec spec = {0};

    optimizer_defaults(&spec, OPTIMIZER_SGD);
    spec.learning_rate = alpha;
    spec.momentum = beta;
    spec.nesterov = rule == LOOKAHEAD ? NESTEROV_LOOKAHEAD : rule == LECTURE ? NESTEROV_LECTURE : NESTEROV_NONE;
    return spec;
}

/* 0.5 (x^2 + kappa y^2), also moved and turned; eigenvalues 1 and kappa. */
static struct formula *quadratic(double kappa, int turned)
{
    char text[200];

    (void)snprintf(text, sizeof text,
                   turned ? "0.5*((0.6*(x-3) + 0.8*(y+2))^2 + %.17g*(0.6*(y+2) - 0.8*(x-3))^2)" : "0.5*(x^2 + %.17g*y^2)",
                   kappa);
    return compile(text);
}

static const struct {
    double kappa;
    enum rule rule;
    double alpha, beta, rate;
    int is_best;
} KNOWN[] = {
    {2, GD, 0.6666666666666666, 0, 0.3333333333333333, 1},
    {2, HEAVY_BALL, 0.6862915010152396, 0.029437251522859434, 0.17157287525380996, 1},
    {2, LOOKAHEAD, 0.5714285714285714, 0.13899825191387924, 0.2440710539815456, 1},
    {5, GD, 0.3333333333333333, 0, 0.6666666666666666, 1},
    {5, HEAVY_BALL, 0.38196601125010515, 0.14589803375031546, 0.38196601125010515, 1},
    {5, LOOKAHEAD, 0.25, 0.3333333333333333, 0.5, 1},
    {5, LOOKAHEAD, 0.2, 0.38196601125010515, 0.5527864045000421, 0},
    {5, LECTURE, 0.1624345647166775, 0.5188056959079841, 0.5969682832373145, 1},
    {10, GD, 0.1, 0, 0.9, 0},
    {10, LECTURE, 0.09056738328312473, 0.5792464603727341, 0.6990558469032423, 1},
    {100, GD, 0.019801980198019802, 0, 0.9801980198019802, 1},
    {100, GD, 0.01, 0, 0.99, 0},
    {100, HEAVY_BALL, 0.03305785123966942, 0.6694214876033059, 0.8181818181818182, 1},
    {100, LOOKAHEAD, 0.013289036544850499, 0.7932747262909431, 0.884721916459153, 1},
    {100, LOOKAHEAD, 0.01, 0.8181818181818182, 0.9, 0},
    {100, LECTURE, 0.011556228313303236, 0.8081126583634153, 0.8925001008684044, 1},
    {1000, GD, 0.001998001998001998, 0, 0.998001998001998, 1},
    {1000, HEAVY_BALL, 0.0037585310908371124, 0.8811448109639749, 0.9386931399365689, 1},
    {1000, LOOKAHEAD, 0.0013328890369876708, 0.9295543761104981, 0.9634912471181544, 1},
    {1000, LECTURE, 0.0012714078071845028, 0.9312292038089218, 0.9643431940972764, 1},
};
#define KNOWN_COUNT (sizeof KNOWN / sizeof *KNOWN)

static void theory_gives_the_known_rates(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        struct optimizer_spec spec = spec_of(KNOWN[i].rule, KNOWN[i].alpha, KNOWN[i].beta);
        double eigenvalues[2] = {1, KNOWN[i].kappa};
        struct rate_theory theory;

        assert_true(rate_theory(&spec, eigenvalues, &theory));
        assert_close(theory.rate, KNOWN[i].rate, 3e-8, 0); /* double roots lose half of the digits */
        assert_close(theory.condition_number, KNOWN[i].kappa, 0, 0);
        assert_true(theory.has_best);
        if (KNOWN[i].is_best) {
            assert_close(theory.best.learning_rate, KNOWN[i].alpha, 1e-9, 0);
            assert_close(theory.best.momentum, KNOWN[i].beta, 1e-9, 0);
            assert_close(theory.best.rate, KNOWN[i].rate, 1e-9, 0);
        }
    }
}

static void no_best_is_told_where_the_closed_form_does_not_hold(void **state)
{
    struct optimizer_spec spec = spec_of(LECTURE, 0.3, 0.5);
    static const double eigenvalues[2] = {1, 2};
    struct rate_theory theory;

    (void)state;
    assert_true(rate_theory(&spec, eigenvalues, &theory));
    assert_false(theory.has_best); /* brute force finds 0.447, the closed form would say 0.402 */
}

static void there_is_no_theory_for_other_rules_and_points(void **state)
{
    static const double minimum[2] = {1, 5}, saddle[2] = {-1, 5};
    struct optimizer_spec spec = spec_of(GD, 0.1, 0);
    struct rate_theory theory;

    (void)state;
    assert_true(rate_theory(&spec, minimum, &theory));
    assert_false(rate_theory(&spec, saddle, &theory));
    spec.weight_decay = 0.1;
    assert_false(rate_theory(&spec, minimum, &theory));
    optimizer_defaults(&spec, OPTIMIZER_ADAM);
    assert_false(rate_theory(&spec, minimum, &theory));
}

/* From both eigendirections, on a canyon along the axes around 0 and on one that is turned and moved. */
static void measured_rates_are_within_a_percent_of_theory(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KNOWN_COUNT; i++) {
        size_t known = i / 2;
        int turned = (int)(i % 2);
        struct formula *formula = quadratic(KNOWN[known].kappa, turned);
        struct descent_task task = task_of(formula, turned ? -2 : 10, turned ? 4 : 1, 6000);
        struct critical_point limit;
        uint64_t taken;

        task.optimizer = spec_of(KNOWN[known].rule, KNOWN[known].alpha, KNOWN[known].beta);
        (void)descent_run(&task, rows, &taken);
        double rate = rate_measured(formula, rows, taken, &limit);
        if (!(fabs(rate - KNOWN[known].rate) <= 0.01 * KNOWN[known].rate)) {
            print_error("kappa %g, rule %d, turned %d: measured %.6f, theory %.6f\n", KNOWN[known].kappa, KNOWN[known].rule,
                        turned, rate, KNOWN[known].rate);
            fail();
        }
        assert_int_equal(limit.type, CRITICAL_MINIMUM);
        assert_close(limit.x, turned ? 3 : 0, 1e-9, 1e-100);
        formula_free(formula);
    }
}

/* alpha lambda_max that the rules bear, with momentum 0, 0.5, 0.9, 0.99. */
static const struct {
    enum rule rule;
    double beta, limit;
} LIMITS[] = {
    {GD, 0, 2},
    {HEAVY_BALL, 0.5, 3},
    {HEAVY_BALL, 0.9, 3.8},
    {HEAVY_BALL, 0.99, 3.98},
    {LOOKAHEAD, 0, 2},
    {LOOKAHEAD, 0.5, 1.5},
    {LOOKAHEAD, 0.9, 1.3571428571428572},
    {LOOKAHEAD, 0.99, 1.3355704697986577},
    {LECTURE, 0, 0.6666666666666666},
    {LECTURE, 0.5, 1},
    {LECTURE, 0.9, 1.2666666666666667},
    {LECTURE, 0.99, 1.3266666666666667},
};

/* Half a percent below the limit every descent converges, half a percent above it grows: measured, not computed. */
static void divergence_begins_where_theory_says(void **state)
{
    static const double eigenvalues[2] = {1, 100};

    (void)state;
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        struct formula *formula = quadratic(100, 0);
        struct descent_task task = task_of(formula, 10, 1, 15000);
        struct rate_theory theory;
        struct critical_point limit;
        uint64_t taken;

        task.optimizer = spec_of(LIMITS[i].rule, LIMITS[i].limit / 100, LIMITS[i].beta);
        assert_true(rate_theory(&task.optimizer, eigenvalues, &theory));
        assert_close(theory.largest_learning_rate, LIMITS[i].limit / 100, 1e-12, 0);
        assert_close(theory.rate, 1, 1e-9, 0);
        task.optimizer.learning_rate = 0.995 * LIMITS[i].limit / 100;
        assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
        assert_true(rows[taken].f < 1e-6 * rows[0].f);
        assert_true(rate_measured(formula, rows, taken, &limit) < 1);
        task.optimizer.learning_rate = 1.005 * LIMITS[i].limit / 100;
        (void)descent_run(&task, rows, &taken);
        assert_true(rows[taken].f > 1e6 * rows[0].f);
        assert_true(rate_theory(&task.optimizer, eigenvalues, &theory));
        assert_true(theory.rate > 1);
        assert_close(rate_measured(formula, rows, taken, &limit), theory.rate, 0.01, 0);
        formula_free(formula);
    }
}

/* Rounding ends the convergence: what comes after it says nothing. */
static void rounding_noise_is_left_out(void **state)
{
    static const char *const texts[] = {"exp(x) - x + y^2", "(x-1000)^2 + 5*(y-0.1)^2", "-cos(x-2) - cos(y)"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct formula *formula = compile(texts[i]);
        struct descent_task task = task_of(formula, i == 1 ? 999 : 1, 1, 15000);
        struct critical_point limit;
        struct rate_theory theory;
        uint64_t taken;

        task.optimizer.learning_rate = 0.05;
        (void)descent_run(&task, rows, &taken);
        double rate = rate_measured(formula, rows, taken, &limit);
        assert_true(rate_theory(&task.optimizer, limit.eigenvalues, &theory));
        assert_close(rate, theory.rate, 0.01, 0);
        formula_free(formula);
    }
}

static void no_rate_is_told_where_there_is_none(void **state)
{
    static const struct {
        const char *text;
        double x, y, alpha;
        uint64_t steps;
    } cases[] = {
        {"x^4 + y^4", 1, 1, 0.01, 5000},                  /* sublinear: the Hessian is 0 */
        {"(1-x)^2 + 100*(y-x^2)^2", -1.2, 1, 0.001, 200}, /* still on its way through the valley */
        {"x + y", 0, 0, 0.1, 100},                        /* no critical point */
        {"x^2 + y^2", 1, 1, 0.01, 5},                     /* too short */
        {"sqrt(x^2 + y^2)", 1, 0.3, 0.01, 500},           /* a cusp */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct formula *formula = compile(cases[i].text);
        struct descent_task task = task_of(formula, cases[i].x, cases[i].y, cases[i].steps);
        struct critical_point limit;
        uint64_t taken;

        task.optimizer.learning_rate = cases[i].alpha;
        (void)descent_run(&task, rows, &taken);
        if (!isnan(rate_measured(formula, rows, taken, &limit))) {
            print_error("%s\n", cases[i].text);
            fail();
        }
        formula_free(formula);
    }
}

/* Into a saddle along its ridge the distance shrinks by 1 - alpha lambda. */
static void a_saddle_that_holds_has_a_rate_but_no_theory(void **state)
{
    struct formula *formula = compile("0.5*x^2 + 0.25*y^4 - 0.5*y^2");
    struct descent_task task = task_of(formula, 1, 0, 500);
    struct critical_point limit;
    struct rate_theory theory;
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 0.1;
    (void)descent_run(&task, rows, &taken);
    assert_close(rate_measured(formula, rows, taken, &limit), 0.9, 1e-6, 0);
    assert_int_equal(limit.type, CRITICAL_SADDLE);
    assert_false(rate_theory(&task.optimizer, limit.eigenvalues, &theory));
    formula_free(formula);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(theory_gives_the_known_rates),
        cmocka_unit_test(no_best_is_told_where_the_closed_form_does_not_hold),
        cmocka_unit_test(there_is_no_theory_for_other_rules_and_points),
        cmocka_unit_test(measured_rates_are_within_a_percent_of_theory),
        cmocka_unit_test(divergence_begins_where_theory_says),
        cmocka_unit_test(rounding_noise_is_left_out),
        cmocka_unit_test(no_rate_is_told_where_there_is_none),
        cmocka_unit_test(a_saddle_that_holds_has_a_rate_but_no_theory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
