/* Descents against the optimizers' traces, closed forms, and each other. */
#include "core/landscape/descent.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/landscape/landscape.h"
#include "tests/assert_close.h"
#include "tests/core/landscape/descending.h"

#define TRACES "tests/golden/optimizer_traces.txt"

static struct descent_row rows[MOST_STEPS + 1];

/* ---- traces ---- */

static void parse_spec(struct optimizer_spec *spec, const char *type, char *settings)
{
    struct hyperparameter parameter;
    enum optimizer_type found = (enum optimizer_type)0;
    char *place = NULL;

    while (strcmp(optimizer_name(found), type) != 0) {
        found++;
        assert_true(found < OPTIMIZER_COUNT);
    }
    optimizer_defaults(spec, found);
    spec->weight_decay = 0; /* the traces say by how much */
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

static void every_optimizer_follows_its_trace_for_200_steps(void **state)
{
    struct formula *rosenbrock = compile("(1-x)^2 + 100*(y-x^2)^2");
    struct descent_task task = task_of(rosenbrock, -1.2, 1, 200);
    FILE *file = fopen(TRACES, "r");
    char line[256], name[64], type[32], point[16];
    int served = 0, settings = 0, traces = 0, compared = 0;
    uint64_t taken;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        double want[2];
        unsigned k;

        if (sscanf(line, "trace %63s %31s %15s %n", name, type, point, &settings) == 3) {
            served = strcmp(point, "served") == 0; /* others are known at the look-ahead point only */
            traces += served;
            parse_spec(&task.optimizer, type, line + settings);
            assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
            assert_int_equal(taken, 200);
        } else if (served && sscanf(line, "%u %lf %lf", &k, &want[0], &want[1]) == 3) {
            assert_close(rows[k].x, want[0], 1e-12, 0);
            assert_close(rows[k].y, want[1], 1e-12, 0);
            compared++;
        }
    }
    fclose(file);
    formula_free(rosenbrock);
    assert_true(traces >= 16);
    assert_int_equal(compared, 10 * traces); /* after 1, 2, 3, 4, 5, 10, 20, 50, 100, 200 updates */
}

/* ---- what a row tells ---- */

static void a_row_tells_value_gradient_and_step_at_the_served_point(void **state)
{
    struct formula *bowl = compile("0.5*(x^2 + 100*y^2)");
    struct descent_task task = task_of(bowl, 10, 1, 50);
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 0.01;
    task.optimizer.momentum = 0.5;
    task.optimizer.nesterov = NESTEROV_LOOKAHEAD;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    assert_close(rows[0].f, 100, 0, 0);
    assert_close(rows[0].step_size, 0, 0, 0);
    for (uint64_t k = 0; k <= taken; k++) {
        assert_close(rows[k].f, 0.5 * (rows[k].x * rows[k].x + 100 * rows[k].y * rows[k].y), 1e-14, 0);
        assert_close(rows[k].gradient_norm, vector_length(rows[k].x, 100 * rows[k].y), 1e-14, 0);
        if (k > 0) {
            assert_close(rows[k].step_size, vector_length(rows[k].x - rows[k - 1].x, rows[k].y - rows[k - 1].y), 0, 0);
        }
    }
    formula_free(bowl);
}

/* theta_100 on the canyon of condition number 100, from closed forms. */
static void the_canyon_is_descended_as_the_closed_form_says(void **state)
{
    struct formula *canyon = compile("0.5*(x^2 + 100*y^2)");
    struct descent_task task = task_of(canyon, 10, 1, 100);
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 2.0 / 101;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    assert_close(rows[100].x, 1.3532626064379163, 1e-12, 0);
    assert_close(rows[100].y, 0.13532626064379127, 1e-12, 0);
    assert_close(rows[100].f, 1.8313196819831379, 1e-12, 0);
    task.optimizer.learning_rate = 0.03305785123966942;
    task.optimizer.momentum = 0.6694214876033059;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    assert_close(rows[50].x, 0.004430181382645281, 1e-11, 0);
    assert_close(rows[50].f, 0.000823897542410991, 1e-11, 0);
    task.optimizer.learning_rate = 0.011556228313303236;
    task.optimizer.momentum = 0.8081126583634153;
    task.optimizer.nesterov = NESTEROV_LECTURE;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    assert_close(rows[50].x, 0.21621884290274473, 1e-11, 0);
    assert_close(rows[50].f, 0.023479259280469168, 1e-11, 0);
    formula_free(canyon);
}

/* alpha |g| / (1 - beta): ten times that of gradient descent at beta = 0.9. */
static void a_constant_slope_leads_to_the_terminal_speed(void **state)
{
    static const double betas[] = {0, 0.5, 0.9, 0.99};
    struct formula *slope = compile("-x");
    struct descent_task task = task_of(slope, 0, 0, 3000);
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 0.1;
    for (size_t i = 0; i < sizeof betas / sizeof *betas; i++) {
        task.optimizer.momentum = betas[i];
        assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
        assert_close(rows[3000].step_size, 0.1 / (1 - betas[i]), 1e-10, 0);
        assert_close(rows[10].step_size, 0.1 * (1 - pow(betas[i], 10)) / (1 - betas[i]), 1e-10, 0);
    }
    formula_free(slope);
}

static void a_schedule_is_followed(void **state)
{
    struct formula *slope = compile("x");
    struct descent_task task = task_of(slope, 0, 0, 10);
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 1;
    task.schedule = (struct schedule_spec){.type = SCHEDULE_LINEAR};
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    for (int k = 0; k < 10; k++) {
        assert_close(rows[k + 1].step_size, 1 - k / 10.0, 1e-12, 0);
    }
    formula_free(slope);
}

/* ---- stops ---- */

static void a_small_gradient_ends_a_descent_where_that_is_asked_for(void **state)
{
    struct formula *bowl = compile("x^2 + y^2");
    struct descent_task task = task_of(bowl, 1, 1, 1000);
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 0.1;
    task.gradient_norm = 1e-6;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_GRADIENT_NORM);
    assert_true(rows[taken].gradient_norm <= 1e-6 && rows[taken - 1].gradient_norm > 1e-6);
    task.start[0] = task.start[1] = 0; /* there at once */
    task.gradient_norm = 0;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_GRADIENT_NORM);
    assert_int_equal(taken, 0);
    task.gradient_norm = -1; /* never */
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    formula_free(bowl);
}

static void nothing_that_is_not_finite_is_told(void **state)
{
    static const char *const formulas[] = {"x^2 + y^2",   "(1-x)^2 + 100*(y-x^2)^2", "exp(x^2)", "log(x) - x^2", "-x^4",
                                           "sqrt(x-0.99)"};
    uint64_t taken;

    (void)state;
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        struct formula *formula = compile(formulas[i]);
        struct descent_task task = task_of(formula, 1, 0.5, 3000);

        task.optimizer.learning_rate = 3;
        assert_int_equal(descent_run(&task, rows, &taken), DESCENT_DIVERGED);
        assert_true(taken < 3000);
        for (uint64_t k = 0; k <= taken; k++) {
            assert_true(isfinite(rows[k].x) && isfinite(rows[k].y) && isfinite(rows[k].f));
            assert_true(isfinite(rows[k].gradient_norm) && isfinite(rows[k].step_size));
        }
        formula_free(formula);
    }
}

static void a_start_where_there_is_no_value_ends_at_once(void **state)
{
    struct formula *formula = compile("log(x)");
    struct descent_task task = task_of(formula, -1, 0, 10);
    uint64_t taken = 99;

    (void)state;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_DIVERGED);
    assert_int_equal(taken, 0);
    formula_free(formula);
}

/* ---- saddles ---- */

static void a_saddle_holds_who_comes_along_its_ridge_and_lets_go_of_others(void **state)
{
    const struct landscape *landscape = landscape_find("saddle_escape", 13);
    struct formula *formula = compile(landscape->formula);
    struct descent_task task = task_of(formula, 1, 0, 1000);
    struct descent_end end;
    uint64_t taken, first = 0;

    (void)state;
    task.optimizer.learning_rate = 0.1;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    for (uint64_t k = 0; k <= taken; k++) {
        assert_close(rows[k].y, 0, 0, 0); /* exactly */
    }
    descent_end(formula, &rows[taken], &end);
    assert_true(end.is_critical);
    assert_int_equal(end.type, CRITICAL_SADDLE);
    assert_close(end.eigenvalues[0], -1, 1e-12, 0);
    task.start[1] = 1e-6;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    while (rows[first].y < 0.5) {
        first++;
    }
    assert_int_equal(first, 139);
    descent_end(formula, &rows[taken], &end);
    assert_int_equal(end.type, CRITICAL_MINIMUM);
    formula_free(formula);
}

static void a_slope_is_no_critical_point(void **state)
{
    struct formula *formula = compile("x^2 + y^2");
    struct descent_task task = task_of(formula, 1, 0, 0);
    struct descent_end end;
    uint64_t taken;

    (void)state;
    assert_int_equal(descent_run(&task, rows, &taken), DESCENT_STEPS);
    descent_end(formula, &rows[0], &end);
    assert_false(end.is_critical);
    formula_free(formula);
}

/* ---- noise ---- */

static void noise_depends_on_seed_stream_and_step_alone(void **state)
{
    struct formula *flat = compile("0*x");
    struct descent_task task = task_of(flat, 0, 0, 4);
    struct descent_row first[5], other[5];
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 1;
    task.noise = (struct descent_noise){NOISE_UNIFORM, 1};
    (void)descent_run(&task, first, &taken);
    (void)descent_run(&task, other, &taken);
    assert_memory_equal(first, other, sizeof first);
    assert_true(first[2].x - first[1].x != first[1].x &&
                first[1].x != first[1].y); /* new at each step, in each coordinate */
    task.optimizer.momentum = 0.5;         /* the noise of the first step is the same for other rules */
    (void)descent_run(&task, other, &taken);
    assert_close(other[1].x, first[1].x, 0, 0);
    task.stream = 1;
    (void)descent_run(&task, other, &taken);
    assert_true(other[1].x != first[1].x);
    task.stream = 0;
    task.seed = 2;
    (void)descent_run(&task, other, &taken);
    assert_true(other[1].x != first[1].x);
    formula_free(flat);
}

/* Uniform: variance s^2/3, never beyond s. Normal: variance s^2. */
static void noise_has_the_scale_that_is_asked_for(void **state)
{
    static const double variances[] = {[NOISE_UNIFORM] = 4.0 / 3, [NOISE_NORMAL] = 4};
    struct formula *flat = compile("0*x");
    struct descent_task task = task_of(flat, 0, 0, MOST_STEPS);
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 1;
    for (int type = 0; type < NOISE_TYPE_COUNT; type++) {
        double sum = 0, square = 0, product = 0, largest = 0;

        task.noise = (struct descent_noise){(enum noise_type)type, 2};
        (void)descent_run(&task, rows, &taken);
        for (uint64_t k = 1; k <= taken; k++) {
            double x = rows[k - 1].x - rows[k].x, y = rows[k - 1].y - rows[k].y;

            sum += x;
            square += x * x + y * y;
            product += x * y;
            largest = fmax(largest, fabs(x));
        }
        assert_close(square / (2 * MOST_STEPS), variances[type], 0.03, 0);
        assert_close(sum / MOST_STEPS, 0, 0, 0.05);
        assert_close(product / MOST_STEPS, 0, 0, 0.1);
        assert_true(type == NOISE_NORMAL || largest <= 2 + 1e-9);
    }
    formula_free(flat);
}

/* With g = theta + xi the variance of theta settles at alpha / (2 - alpha) of the noise's (0.05263 at alpha = 0.1). */
static void noise_keeps_a_descent_at_its_stationary_variance(void **state)
{
    struct formula *bowl = compile("0.5*(x^2 + y^2)");
    struct descent_task task = task_of(bowl, 0, 0, MOST_STEPS);
    double square = 0;
    uint64_t taken;

    (void)state;
    task.optimizer.learning_rate = 0.1;
    task.noise = (struct descent_noise){NOISE_NORMAL, 1};
    (void)descent_run(&task, rows, &taken);
    for (uint64_t k = 1000; k <= taken; k++) {
        square += rows[k].x * rows[k].x + rows[k].y * rows[k].y;
    }
    assert_close(square / (2 * (double)(taken - 999)), 0.1 / 1.9, 0.06, 0);
    formula_free(bowl);
}

static void random_starts_fill_the_box_and_do_not_repeat(void **state)
{
    static const double box[2][2] = {{-5, 5}, {2, 3}};
    double start[2], again[2], sum[2] = {0, 0};

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        descent_random_start(7, box, i, start);
        assert_true(start[0] >= -5 && start[0] < 5 && start[1] >= 2 && start[1] < 3);
        sum[0] += start[0];
        sum[1] += start[1];
        descent_random_start(7, box, i + 1, again);
        assert_true(start[0] != again[0] && start[1] != again[1]);
    }
    assert_close(sum[0] / 1000, 0, 0, 0.4);
    assert_close(sum[1] / 1000, 2.5, 0, 0.04);
}

/* A slope is none, however gentle; a minimum is one, however steep. */
static void what_an_end_is_does_not_depend_on_the_scale(void **state)
{
    const struct {
        const char *text;
        int is_critical;
        enum critical_type type;
    } ROWS[] = {{"1e-7*x", 0, CRITICAL_DEGENERATE},
                {"1e-9*(x^2 + 2*y^2)", 1, CRITICAL_MINIMUM},
                {"1e160*(x^2 + 2*y^2)", 1, CRITICAL_MINIMUM}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct descent_row at = {.x = 0, .y = 0};
        struct descent_end end;
        struct formula *formula;
        struct jet jet;

        assert_int_equal(formula_compile(&formula, ROWS[i].text, strlen(ROWS[i].text), NULL), STATUS_OK);
        formula_jet(formula, 0, 0, &jet);
        at.gradient_norm = jet_gradient_norm(&jet);
        descent_end(formula, &at, &end);
        assert_int_equal(end.is_critical, ROWS[i].is_critical);
        assert_int_equal(end.type, ROWS[i].type);
        formula_free(formula);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_follows_its_trace_for_200_steps),
        cmocka_unit_test(a_row_tells_value_gradient_and_step_at_the_served_point),
        cmocka_unit_test(the_canyon_is_descended_as_the_closed_form_says),
        cmocka_unit_test(a_constant_slope_leads_to_the_terminal_speed),
        cmocka_unit_test(a_schedule_is_followed),
        cmocka_unit_test(a_small_gradient_ends_a_descent_where_that_is_asked_for),
        cmocka_unit_test(nothing_that_is_not_finite_is_told),
        cmocka_unit_test(a_start_where_there_is_no_value_ends_at_once),
        cmocka_unit_test(a_saddle_holds_who_comes_along_its_ridge_and_lets_go_of_others),
        cmocka_unit_test(a_slope_is_no_critical_point),
        cmocka_unit_test(noise_depends_on_seed_stream_and_step_alone),
        cmocka_unit_test(noise_has_the_scale_that_is_asked_for),
        cmocka_unit_test(noise_keeps_a_descent_at_its_stationary_variance),
        cmocka_unit_test(random_starts_fill_the_box_and_do_not_repeat),
        cmocka_unit_test(what_an_end_is_does_not_depend_on_the_scale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
