#include "core/nn/model_spec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t hidden[2] = {32, 16};

static void softmax_regression_is_one_dense_layer(void **state)
{
    struct model_spec spec;

    (void)state;
    assert_int_equal(model_spec_perceptron(&spec, MODEL_SOFTMAX_REGRESSION, 784, 10, NULL, 0, LAYER_RELU, 0, NULL),
                     STATUS_OK);
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OK);
    assert_int_equal(spec.layer_count, 1);
    assert_int_equal(spec.layers[0].type, LAYER_DENSE);
    assert_int_equal(spec.layers[0].units, 10);
    assert_int_equal(model_spec_parameter_count(&spec), 784 * 10 + 10);
    assert_int_equal(model_spec_flops(&spec, 0), 2 * 784 * 10);
    assert_int_equal(model_spec_flops(&spec, 1), 4 * 784 * 10); /* nothing goes back to the features */
}

static void a_perceptron_repeats_dense_activation_and_dropout(void **state)
{
    static const enum layer_type with_dropout[] = {LAYER_DENSE,      LAYER_LEAKY_RELU, LAYER_DROPOUT, LAYER_DENSE,
                                                   LAYER_LEAKY_RELU, LAYER_DROPOUT,    LAYER_DENSE};
    struct model_spec spec;

    (void)state;
    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 4, 3, hidden, 2, LAYER_LEAKY_RELU, 0.5, NULL), STATUS_OK);
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OK);
    assert_int_equal(spec.layer_count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(spec.layers[i].type, with_dropout[i]);
    }
    assert_int_equal(spec.layers[3].units, 16);
    assert_true(spec.layers[1].slope == LAYER_DEFAULT_SLOPE && spec.layers[2].rate == 0.5);
    assert_int_equal(model_spec_parameter_count(&spec), 5 * 32 + 33 * 16 + 17 * 3);
    assert_int_equal(model_spec_flops(&spec, 1), 4 * 4 * 32 + 6 * 32 * 16 + 6 * 16 * 3);

    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 4, 3, hidden, 2, LAYER_TANH, 0, NULL), STATUS_OK);
    assert_int_equal(spec.layer_count, 5);
}

static void a_bad_perceptron_is_refused_where_it_is_bad(void **state)
{
    static const uint32_t zero[2] = {8, 0};
    static const uint32_t many[MODEL_MAX_LAYERS] = {1};
    struct error units = {0}, rate = {0}, count = {0}, nan = {0};
    struct model_spec spec;

    (void)state;
    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 4, 3, zero, 2, LAYER_RELU, 0, &units), STATUS_OUT_OF_RANGE);
    assert_string_equal(units.pointer, "/hidden/1");
    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 4, 3, hidden, 2, LAYER_RELU, 1, &rate), STATUS_OUT_OF_RANGE);
    assert_string_equal(rate.pointer, "/dropout");
    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 4, 3, hidden, 2, LAYER_RELU, NAN, &nan), STATUS_OUT_OF_RANGE);
    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 4, 3, many, 32, LAYER_RELU, 0, &count), STATUS_OUT_OF_RANGE);
    assert_string_equal(count.pointer, "/hidden");
}

static void a_bad_list_of_layers_is_refused_where_it_is_bad(void **state)
{
    static const struct {
        uint32_t layer;
        struct layer_spec put;
        enum status status;
        const char *pointer;
    } bad[] = {
        {0, {.type = LAYER_DENSE, .units = 0}, STATUS_OUT_OF_RANGE, "/layers/0/units"},
        {0, {.type = LAYER_DENSE, .units = MODEL_MAX_UNITS + 1}, STATUS_OUT_OF_RANGE, "/layers/0/units"},
        {1, {.type = LAYER_LEAKY_RELU, .slope = -0.1}, STATUS_OUT_OF_RANGE, "/layers/1/slope"},
        {1, {.type = LAYER_LEAKY_RELU, .slope = NAN}, STATUS_OUT_OF_RANGE, "/layers/1/slope"},
        {1, {.type = LAYER_DROPOUT, .rate = 1}, STATUS_OUT_OF_RANGE, "/layers/1/rate"},
        {1, {.type = LAYER_TYPE_COUNT}, STATUS_UNKNOWN_VALUE, "/layers/1/type"},
        {2, {.type = LAYER_RELU}, STATUS_CONFLICTING_FIELDS, "/layers/2/type"},
        {2, {.type = LAYER_DENSE, .units = 4}, STATUS_CONFLICTING_FIELDS, "/layers/2/units"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct model_spec spec;
        struct error error = {0};

        assert_int_equal(model_spec_perceptron(&spec, MODEL_LAYERS, 4, 3, hidden, 1, LAYER_RELU, 0, NULL), STATUS_OK);
        spec.layers[bad[i].layer] = bad[i].put;
        assert_int_equal(model_spec_check(&spec, &error), bad[i].status);
        assert_string_equal(error.pointer, bad[i].pointer);
        assert_true(strlen(error.message) > 0);
    }
}

static void sizes_out_of_range_are_refused(void **state)
{
    struct model_spec spec;

    (void)state;
    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 0, 3, hidden, 1, LAYER_RELU, 0, NULL), STATUS_OK);
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OUT_OF_RANGE);
    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 4, 1, hidden, 1, LAYER_RELU, 0, NULL), STATUS_OK);
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OUT_OF_RANGE);
    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, 4, 5000, hidden, 1, LAYER_RELU, 0, NULL), STATUS_OK);
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OUT_OF_RANGE);
    spec.classes = 3;
    spec.layer_count = 0;
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OUT_OF_RANGE);
    spec.layer_count = MODEL_MAX_LAYERS + 1;
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OUT_OF_RANGE);
}

static void everything_has_a_name(void **state)
{
    (void)state;
    for (enum layer_type type = 0; type < LAYER_TYPE_COUNT; type++) {
        assert_true(strlen(layer_type_name(type)) > 0 && strlen(layer_type_formula(type)) > 0);
        assert_true(strlen(layer_type_help(type)) > 0);
    }
    for (enum model_type type = 0; type < MODEL_TYPE_COUNT; type++) {
        assert_true(strlen(model_type_name(type)) > 0);
    }
    for (enum initializer initializer = 0; initializer < INITIALIZER_COUNT; initializer++) {
        assert_true(strlen(initializer_name(initializer)) > 0);
    }
    assert_string_equal(layer_type_name(LAYER_LEAKY_RELU), "leaky_relu");
    assert_string_equal(model_type_name(MODEL_SOFTMAX_REGRESSION), "softmax_regression");
    assert_string_equal(initializer_name(INIT_GLOROT_UNIFORM), "glorot_uniform");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_regression_is_one_dense_layer),
        cmocka_unit_test(a_perceptron_repeats_dense_activation_and_dropout),
        cmocka_unit_test(a_bad_perceptron_is_refused_where_it_is_bad),
        cmocka_unit_test(a_bad_list_of_layers_is_refused_where_it_is_bad),
        cmocka_unit_test(sizes_out_of_range_are_refused),
        cmocka_unit_test(everything_has_a_name),
    };
    return cmocka_run_group_tests_name("model_spec", tests, NULL, NULL);
}
