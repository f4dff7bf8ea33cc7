#include "core/landscape/descent_result.h"

#include <math.h>

#include "tests/assert_close.h"
#include "tests/core/landscape/descending.h"

static struct descent_row rows[MOST_STEPS + 1];

static struct descent_result make(const struct descent_task *task, const struct critical_points *known, uint64_t every)
{
    struct error error = {.status = STATUS_OK};
    struct descent_result result;

    assert_int_equal(descent_result_make(&result, task, known, every, rows, &error), STATUS_OK);
    return result;
}

static void paths_keep_the_first_and_the_last_row_and_every_nth(void **state)
{
    static const struct {
        uint64_t taken, every, count, steps[6];
    } cases[] = {
        {0, 1, 1, {0}},          {0, 0, 1, {0}},    {5, 1, 6, {0, 1, 2, 3, 4, 5}}, {5, 2, 4, {0, 2, 4, 5}},
        {6, 2, 4, {0, 2, 4, 6}}, {6, 0, 2, {0, 6}}, {6, 100, 2, {0, 6}},           {1, 1, 2, {0, 1}},
    };
    struct formula *formula = compile("x");

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct descent_task task = task_of(formula, 0, 0, cases[c].taken);

        task.optimizer.learning_rate = 1;
        struct descent_result result = make(&task, NULL, cases[c].every);
        assert_int_equal(descent_path_rows(cases[c].taken, cases[c].every), cases[c].count);
        assert_int_equal(result.path_count, cases[c].count);
        for (size_t i = 0; i < cases[c].count; i++) {
            assert_int_equal(descent_path_step(cases[c].taken, cases[c].every, i), cases[c].steps[i]);
            assert_close(result.path[i].x, -(double)cases[c].steps[i], 0, 0);
        }
        descent_result_release(&result);
    }
    formula_free(formula);
}

static void the_nearest_known_point_is_told(void **state)
{
    struct critical_point points[] = {{.x = 9, .y = 9}, {.x = 0, .y = 0.25, .type = CRITICAL_MINIMUM}, {.x = 0, .y = -3}};
    struct critical_points known = {.points = points, .count = 3};
    struct formula *formula = compile("x^2 + y^2");
    struct descent_task task = task_of(formula, 1, 0, 2000);

    (void)state;
    struct descent_result result = make(&task, &known, 1);
    assert_true(result.has_nearest);
    assert_close(result.nearest_distance, 0.25, 1e-12, 0);
    assert_int_equal(result.nearest.type, CRITICAL_MINIMUM);
    descent_result_release(&result);
    result = make(&task, NULL, 1);
    assert_false(result.has_nearest);
    descent_result_release(&result);
    formula_free(formula);
}

static void rates_are_told_of_constant_rates_without_noise(void **state)
{
    struct formula *formula = compile("0.5*(x^2 + 10*y^2)");
    struct descent_task task = task_of(formula, 1, 1, 300);

    (void)state;
    task.optimizer.learning_rate = 0.1;
    struct descent_result result = make(&task, NULL, 0); /* the path is not kept, its rate is measured */
    assert_close(result.rate, 0.9, 1e-6, 0);
    assert_true(result.has_theory);
    assert_close(result.theory.rate, 0.9, 1e-12, 0);
    descent_result_release(&result);
    task.noise.scale = 0.001;
    result = make(&task, NULL, 0);
    assert_true(isnan(result.rate) && result.has_theory);
    descent_result_release(&result);
    task.noise.scale = 0;
    task.schedule.type = SCHEDULE_LINEAR;
    result = make(&task, NULL, 0);
    assert_true(isnan(result.rate) && !result.has_theory);
    descent_result_release(&result);
    formula_free(formula);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_keep_the_first_and_the_last_row_and_every_nth),
        cmocka_unit_test(the_nearest_known_point_is_told),
        cmocka_unit_test(rates_are_told_of_constant_rates_without_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
