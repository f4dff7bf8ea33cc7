#include "core/optim/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/assert_close.h"

static void every_optimizer_tells_its_name_formula_and_source(void **state)
{
    (void)state;
    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        assert_true(strlen(optimizer_name(type)) > 0);
        assert_non_null(strstr(optimizer_formula(type), "<-"));
        assert_true(strlen(optimizer_source(type)) > 0);
    }
    assert_string_equal(optimizer_name(OPTIMIZER_SGD), "sgd");
    assert_string_equal(optimizer_name(OPTIMIZER_ADAMW), "adamw");
}

static void hyperparameters_are_distinct_documented_and_their_defaults_allowed(void **state)
{
    (void)state;
    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        struct hyperparameter parameter, other;
        int decays = 0;
        size_t count = 0;

        for (; optimizer_hyperparameter(type, count, &parameter); count++) {
            assert_true(strlen(parameter.help) > 0);
            assert_int_equal(isnan(parameter.default_value), strcmp(parameter.name, "learning_rate") == 0);
            assert_true(isnan(parameter.default_value) || hyperparameter_allows(&parameter, parameter.default_value));
            assert_int_equal(parameter.choice_count > 0, parameter.kind == HYPER_CHOICE);
            decays += strcmp(parameter.name, "weight_decay") == 0;
            for (size_t i = 0; i < count; i++) {
                assert_true(optimizer_hyperparameter(type, i, &other));
                assert_string_not_equal(parameter.name, other.name);
            }
        }
        assert_int_equal(decays, !optimizer_has(type, OPTIMIZER_CONVEX_SOLVER));
        assert_true(optimizer_hyperparameter(type, 0, &parameter));
        assert_int_equal(strcmp(parameter.name, "learning_rate") == 0, !optimizer_has(type, OPTIMIZER_CONVEX_SOLVER));
        assert_false(optimizer_hyperparameter(type, count, &parameter));
        assert_false(optimizer_hyperparameter(type, SIZE_MAX, &parameter));
    }
}

static void defaults_are_those_of_the_table_and_leave_the_learning_rate(void **state)
{
    struct optimizer_spec spec = {.learning_rate = 0.25, .momentum = 0.5, .amsgrad = 1, .weight_decay = 3};

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_ADAMW);
    assert_int_equal(spec.type, OPTIMIZER_ADAMW);
    assert_close(spec.learning_rate, 0.25, 0, 0);
    assert_close(spec.beta1, 0.9, 0, 0);
    assert_close(spec.beta2, 0.999, 0, 0);
    assert_close(spec.epsilon, 1e-8, 0, 0);
    assert_close(spec.weight_decay, 0.01, 0, 0);
    assert_int_equal(spec.amsgrad, 0);
    assert_close(spec.momentum, 0, 0, 0); /* adamw has none */
    optimizer_defaults(&spec, OPTIMIZER_RMSPROP);
    assert_close(spec.rho, 0.99, 0, 0);
    assert_close(spec.weight_decay, 0, 0, 0);
    optimizer_defaults(&spec, OPTIMIZER_ADAGRAD);
    assert_close(spec.epsilon, 1e-10, 0, 0);
}

static void solvers_have_a_tolerance_and_lbfgs_a_history(void **state)
{
    struct optimizer_spec spec = {0};

    (void)state;
    optimizer_defaults(&spec, OPTIMIZER_LBFGS);
    assert_int_equal(spec.history, 10);
    assert_close(spec.tolerance, 1e-8, 0, 0);
    assert_int_equal(optimizer_slots(&spec), 0);
    optimizer_defaults(&spec, OPTIMIZER_NEWTON_CG);
    assert_int_equal(spec.history, 0);
    assert_close(spec.tolerance, 1e-8, 0, 0);
    assert_true(optimizer_has(OPTIMIZER_LBFGS, OPTIMIZER_CONVEX_SOLVER) &&
                optimizer_has(OPTIMIZER_NEWTON_CG, OPTIMIZER_CONVEX_SOLVER));
    assert_false(optimizer_has(OPTIMIZER_SGD, OPTIMIZER_CONVEX_SOLVER) ||
                 optimizer_has(OPTIMIZER_ADAMW, OPTIMIZER_CONVEX_SOLVER));
}

static void values_are_stored_in_their_members(void **state)
{
    struct optimizer_spec spec = {0};
    struct hyperparameter parameter;

    (void)state;
    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        for (size_t i = 0; optimizer_hyperparameter(type, i, &parameter); i++) {
            double value = parameter.kind == HYPER_NUMBER ? 0.5 : 1;

            hyperparameter_store(&parameter, value, &spec);
            assert_close(hyperparameter_load(&parameter, &spec), value, 0, 0);
        }
    }
    assert_close(spec.momentum, 0.5, 0, 0);
    assert_close(spec.epsilon, 0.5, 0, 0);
    assert_int_equal(spec.nesterov, NESTEROV_LECTURE);
    assert_int_equal(spec.centered, 1);
    assert_int_equal(spec.amsgrad, 1);
}

static void ranges_keep_or_drop_their_limits(void **state)
{
    struct hyperparameter parameter;

    (void)state;
    assert_true(optimizer_hyperparameter(OPTIMIZER_SGD, 0, &parameter)); /* learning_rate */
    assert_false(hyperparameter_allows(&parameter, 0));
    assert_true(hyperparameter_allows(&parameter, 1e-300));
    assert_true(hyperparameter_allows(&parameter, 1e300));
    assert_false(hyperparameter_allows(&parameter, HUGE_VAL));
    assert_false(hyperparameter_allows(&parameter, NAN));
    assert_true(optimizer_hyperparameter(OPTIMIZER_SGD, 1, &parameter)); /* momentum */
    assert_true(hyperparameter_allows(&parameter, 0));
    assert_false(hyperparameter_allows(&parameter, 1));
    assert_false(hyperparameter_allows(&parameter, -1e-9));
    assert_true(optimizer_hyperparameter(OPTIMIZER_SGD, 2, &parameter)); /* nesterov */
    assert_int_equal(parameter.choice_count, 3);
    assert_string_equal(parameter.choices[NESTEROV_LOOKAHEAD], "lookahead");
}

static void only_the_slots_that_are_needed_are_counted(void **state)
{
    struct optimizer_spec spec = {.type = OPTIMIZER_SGD};

    (void)state;
    assert_int_equal(optimizer_slots(&spec), 0);
    spec.nesterov = NESTEROV_LOOKAHEAD; /* without momentum: plain descent */
    assert_int_equal(optimizer_slots(&spec), 0);
    spec.momentum = 0.9;
    assert_int_equal(optimizer_slots(&spec), 1);
    assert_close(optimizer_look_ahead(&spec), 0.9, 0, 0);
    spec.nesterov = NESTEROV_LECTURE;
    assert_close(optimizer_look_ahead(&spec), 1, 0, 0);

    spec = (struct optimizer_spec){.type = OPTIMIZER_ADAGRAD, .initial_accumulator = 0.1};
    assert_int_equal(optimizer_slots(&spec), 1);
    assert_close(optimizer_slot_start(&spec, 0), 0.1, 0, 0);

    spec = (struct optimizer_spec){.type = OPTIMIZER_RMSPROP, .initial_accumulator = 0.1};
    assert_int_equal(optimizer_slots(&spec), 1);
    assert_close(optimizer_slot_start(&spec, 0), 0, 0, 0);
    spec.centered = 1;
    assert_int_equal(optimizer_slots(&spec), 2);
    spec.momentum = 0.9;
    assert_int_equal(optimizer_slots(&spec), 3);

    spec = (struct optimizer_spec){.type = OPTIMIZER_ADAM};
    assert_int_equal(optimizer_slots(&spec), 2);
    spec.amsgrad = 1;
    assert_int_equal(optimizer_slots(&spec), 3);
    assert_close(optimizer_look_ahead(&spec), 0, 0, 0);
}

static void the_newer_rules_have_their_slots_and_look_ahead(void **state)
{
    static const struct {
        enum optimizer_type type;
        uint32_t slots;
    } KNOWN[] = {
        {OPTIMIZER_ADADELTA, 2}, {OPTIMIZER_NADAM, 2},
        {OPTIMIZER_RADAM, 2},    {OPTIMIZER_ADAMAX, 2},
        {OPTIMIZER_LION, 1},     {OPTIMIZER_SCHEDULE_FREE_SGD, 1},
        {OPTIMIZER_MUON, 2},     {OPTIMIZER_SCHEDULE_FREE_ADAMW, 2},
    };
    struct optimizer_spec spec = {.learning_rate = 1};

    (void)state;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        int averages = optimizer_has(KNOWN[i].type, OPTIMIZER_OWN_SCHEDULE);

        optimizer_defaults(&spec, KNOWN[i].type);
        assert_int_equal(optimizer_slots(&spec), KNOWN[i].slots);
        assert_close(optimizer_look_ahead(&spec), averages ? 1.0 / 9 : 0, 1e-14, 0);
        assert_close(optimizer_slot_start(&spec, 0), 0, 0, 0);
    }
    spec.type = OPTIMIZER_SCHEDULE_FREE_SGD;
    spec.beta = 0.5;
    assert_close(optimizer_look_ahead(&spec), 1, 0, 0);
}

static void traits_are_those_of_the_rules(void **state)
{
    (void)state;
    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        int muon = type == OPTIMIZER_MUON;
        int own = type == OPTIMIZER_SCHEDULE_FREE_SGD || type == OPTIMIZER_SCHEDULE_FREE_ADAMW;
        int decoupled = muon || type == OPTIMIZER_ADAMW || type == OPTIMIZER_LION || type == OPTIMIZER_SCHEDULE_FREE_ADAMW;

        assert_int_equal(optimizer_has(type, OPTIMIZER_HIDDEN_LAYERS), muon);
        assert_int_equal(optimizer_has(type, OPTIMIZER_OWN_SCHEDULE), own);
        assert_int_equal(optimizer_has(type, OPTIMIZER_DECOUPLED_DECAY), decoupled);
    }
    assert_false(optimizer_has(OPTIMIZER_MUON, OPTIMIZER_ELEMENT_WISE));
    assert_true(optimizer_has(OPTIMIZER_SGD, OPTIMIZER_ELEMENT_WISE));
    assert_true(optimizer_has(OPTIMIZER_SCHEDULE_FREE_ADAMW, OPTIMIZER_ELEMENT_WISE));
}

/* The parameter of this public name. */
static struct hyperparameter parameter_of(enum optimizer_type type, const char *name)
{
    struct hyperparameter parameter;

    for (size_t i = 0; optimizer_hyperparameter(type, i, &parameter); i++) {
        if (strcmp(parameter.name, name) == 0) {
            return parameter;
        }
    }
    fail_msg("%s has no %s", optimizer_name(type), name);
    return parameter;
}

static void a_rule_may_narrow_a_range_or_have_its_own_meaning_of_a_name(void **state)
{
    struct hyperparameter beta = parameter_of(OPTIMIZER_SCHEDULE_FREE_ADAMW, "beta1");
    struct hyperparameter nesterov = parameter_of(OPTIMIZER_MUON, "nesterov");
    struct hyperparameter others = parameter_of(OPTIMIZER_ADAMW, "beta1");

    (void)state;
    assert_false(hyperparameter_allows(&beta, 0));
    assert_true(hyperparameter_allows(&beta, 0.01));
    assert_true(hyperparameter_allows(&others, 0));
    assert_string_not_equal(beta.help, others.help);
    assert_int_equal(nesterov.kind, HYPER_FLAG);
    assert_int_equal(nesterov.offset, offsetof(struct optimizer_spec, muon_nesterov));
    assert_close(nesterov.default_value, 1, 0, 0);
}

static void bias_corrections_have_all_digits_however_small(void **state)
{
    struct optimizer_spec spec = {.type = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999999};
    struct update_step step;

    (void)state;
    optimizer_step(&spec, 0.1, 1, 1, &step);
    assert_close(step.bias1, 0.1, 1e-15, 0);
    assert_close(step.bias2, 1 - 0.999999, 1e-15, 0);
    optimizer_step(&spec, 0.1, 1000, 1, &step);
    assert_close(step.bias2, (double)-expm1l(1000 * log1pl(0.999999 - 1.0L)), 1e-14, 0);
    optimizer_step(&spec, 0.1, UINT64_C(1000000000000), 1, &step);
    assert_close(step.bias1, 1, 0, 0);
    spec.beta1 = 0;
    optimizer_step(&spec, 0.1, 1, 1, &step);
    assert_close(step.bias1, 1, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_tells_its_name_formula_and_source),
        cmocka_unit_test(hyperparameters_are_distinct_documented_and_their_defaults_allowed),
        cmocka_unit_test(defaults_are_those_of_the_table_and_leave_the_learning_rate),
        cmocka_unit_test(solvers_have_a_tolerance_and_lbfgs_a_history),
        cmocka_unit_test(values_are_stored_in_their_members),
        cmocka_unit_test(ranges_keep_or_drop_their_limits),
        cmocka_unit_test(only_the_slots_that_are_needed_are_counted),
        cmocka_unit_test(the_newer_rules_have_their_slots_and_look_ahead),
        cmocka_unit_test(traits_are_those_of_the_rules),
        cmocka_unit_test(a_rule_may_narrow_a_range_or_have_its_own_meaning_of_a_name),
        cmocka_unit_test(bias_corrections_have_all_digits_however_small),
    };
    return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
