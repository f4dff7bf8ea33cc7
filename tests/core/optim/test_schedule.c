#include "core/optim/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

static void a_constant_schedule_is_constant(void **state)
{
    struct schedule_spec schedule = {.type = SCHEDULE_CONSTANT};

    (void)state;
    assert_close(schedule_learning_rate(&schedule, 0.1, 0, 100, 10), 0.1, 0, 0);
    assert_close(schedule_learning_rate(&schedule, 0.1, 99, 100, 10), 0.1, 0, 0);
}

static void steps_drop_at_the_beginning_of_their_epochs(void **state)
{
    struct schedule_spec schedule = {.type = SCHEDULE_STEP, .every_epochs = 3, .factor = 0.5};

    (void)state;
    assert_close(schedule_learning_rate(&schedule, 0.8, 29, 100, 10), 0.8, 0, 0);
    assert_close(schedule_learning_rate(&schedule, 0.8, 30, 100, 10), 0.4, 0, 0);
    assert_close(schedule_learning_rate(&schedule, 0.8, 59, 100, 10), 0.4, 0, 0);
    assert_close(schedule_learning_rate(&schedule, 0.8, 99, 100, 10), 0.1, 0, 0);
    schedule.factor = 0.1;
    assert_close(schedule_learning_rate(&schedule, 1, 90, 100, 10), 1e-3, 1e-15, 0);
}

static void linear_and_cosine_go_from_the_first_rate_towards_the_last(void **state)
{
    struct schedule_spec linear = {.type = SCHEDULE_LINEAR, .final_learning_rate = 0.1};
    struct schedule_spec cosine = {.type = SCHEDULE_COSINE, .final_learning_rate = 0.1};

    (void)state;
    assert_close(schedule_learning_rate(&linear, 0.5, 0, 100, 10), 0.5, 0, 0);
    assert_close(schedule_learning_rate(&linear, 0.5, 25, 100, 10), 0.4, 1e-15, 0);
    assert_close(schedule_learning_rate(&linear, 0.5, 99, 100, 10), 0.104, 1e-14, 0);
    assert_close(schedule_learning_rate(&cosine, 0.5, 0, 100, 10), 0.5, 0, 0);
    assert_close(schedule_learning_rate(&cosine, 0.5, 50, 100, 10), 0.3, 1e-15, 0);
    for (uint64_t k = 0; k < 100; k++) {
        double want = 0.1 + 0.5 * (0.5 - 0.1) * (1 + cos(3.14159265358979323846 * (double)k / 100));
        assert_close(schedule_learning_rate(&cosine, 0.5, k, 100, 10), want, 1e-14, 0);
    }
}

static void warm_up_rises_to_the_rate_and_the_rest_runs_over_what_is_left(void **state)
{
    struct schedule_spec schedule = {.type = SCHEDULE_LINEAR, .warmup_steps = 4};

    (void)state;
    assert_close(schedule_learning_rate(&schedule, 0.8, 0, 12, 3), 0.2, 1e-15, 0);
    assert_close(schedule_learning_rate(&schedule, 0.8, 3, 12, 3), 0.8, 0, 0);
    assert_close(schedule_learning_rate(&schedule, 0.8, 4, 12, 3), 0.8, 0, 0);
    assert_close(schedule_learning_rate(&schedule, 0.8, 8, 12, 3), 0.4, 1e-15, 0);
    assert_close(schedule_learning_rate(&schedule, 0.8, 11, 12, 3), 0.1, 1e-15, 0);
}

static void a_warm_up_longer_than_the_training_never_ends(void **state)
{
    struct schedule_spec schedule = {.type = SCHEDULE_COSINE, .warmup_steps = 100};

    (void)state;
    assert_close(schedule_learning_rate(&schedule, 1, 9, 10, 5), 0.1, 1e-15, 0);
    assert_close(schedule_learning_rate(&schedule, 1, 100, 10, 5), 0, 0, 0); /* past the end of all */
}

static void hyperparameters_of_schedules_are_known_and_stored(void **state)
{
    (void)state;
    for (enum schedule_type type = 0; type < SCHEDULE_COUNT; type++) {
        struct schedule_spec schedule = {0};
        struct hyperparameter parameter;
        int warmup = 0;

        assert_true(strlen(schedule_name(type)) > 0 && strlen(schedule_formula(type)) > 0);
        schedule_defaults(&schedule, type);
        assert_int_equal(schedule.type, type);
        assert_int_equal(schedule.every_epochs, 1);
        for (size_t i = 0; schedule_hyperparameter(type, i, &parameter); i++) {
            warmup += strcmp(parameter.name, "warmup_steps") == 0;
            hyperparameter_store(&parameter, 1, &schedule);
            assert_close(hyperparameter_load(&parameter, &schedule), 1, 0, 0);
        }
        assert_int_equal(warmup, 1);
        assert_int_equal(schedule.warmup_steps, 1);
        assert_false(schedule_hyperparameter(type, 9, &parameter));
    }
    assert_string_equal(schedule_name(SCHEDULE_COSINE), "cosine");
}

/* Asked for, and true: the rates of a longer training are those of the shorter one, or some are not. */
static void a_schedule_says_whether_its_rates_depend_on_the_length(void **state)
{
    (void)state;
    for (enum schedule_type type = 0; type < SCHEDULE_COUNT; type++) {
        struct schedule_spec schedule;
        int differs = 0;

        schedule_defaults(&schedule, type);
        for (uint64_t k = 0; k < 100; k++) {
            differs |=
                schedule_learning_rate(&schedule, 0.5, k, 100, 10) != schedule_learning_rate(&schedule, 0.5, k, 200, 10);
        }
        assert_int_equal(schedule_depends_on_length(type), differs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_schedule_is_constant),
        cmocka_unit_test(steps_drop_at_the_beginning_of_their_epochs),
        cmocka_unit_test(linear_and_cosine_go_from_the_first_rate_towards_the_last),
        cmocka_unit_test(warm_up_rises_to_the_rate_and_the_rest_runs_over_what_is_left),
        cmocka_unit_test(a_warm_up_longer_than_the_training_never_ends),
        cmocka_unit_test(a_schedule_says_whether_its_rates_depend_on_the_length),
        cmocka_unit_test(hyperparameters_of_schedules_are_known_and_stored),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
