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

/* ---- images ---- */

static struct model_spec cnn(uint32_t channels, uint32_t height, uint32_t width)
{
    return (struct model_spec){
        .inputs = channels * height * width, .classes = 10, .channels = channels, .height = height, .width = width};
}

static void a_cnn_is_convolutions_with_pools_and_then_a_perceptron(void **state)
{
    static const enum layer_type layers[] = {
        LAYER_CONV2D,     LAYER_BATCH_NORM, LAYER_TANH,  LAYER_MAX_POOL2D, LAYER_CONV2D,  LAYER_BATCH_NORM, LAYER_TANH,
        LAYER_MAX_POOL2D, LAYER_FLATTEN,    LAYER_DENSE, LAYER_TANH,       LAYER_DROPOUT, LAYER_DENSE};
    static const uint32_t filters[] = {32, 64}, units[] = {128};
    struct cnn_spec wanted = {.filters = filters,
                              .filter_count = 2,
                              .kernel = {3, 5},
                              .hidden = units,
                              .hidden_count = 1,
                              .activation = LAYER_TANH,
                              .dropout = 0.5,
                              .batch_norm = 1};
    struct model_spec spec = cnn(3, 28, 21);

    (void)state;
    assert_int_equal(model_spec_cnn(&spec, &wanted, NULL), STATUS_OK);
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OK);
    assert_int_equal(spec.layer_count, sizeof(layers) / sizeof(layers[0]));
    for (size_t i = 0; i < spec.layer_count; i++) {
        assert_int_equal(spec.layers[i].type, layers[i]);
    }
    assert_int_equal(spec.layers[0].padding[0] * 10 + spec.layers[0].padding[1], 12);
    assert_true(model_spec_has_batch_norm(&spec));
    /* 28 x 21 -> 14 x 10 -> 7 x 5 */
    assert_int_equal(model_spec_parameter_count(&spec),
                     (3 * 15 + 1) * 32 + 4 * 32 + (32 * 15 + 1) * 64 + 4 * 64 + (64 * 35 + 1) * 128 + 129 * 10);
    assert_int_equal(model_spec_flops(&spec, 0),
                     2 * (3 * 15 * 32 * 28 * 21 + 32 * 15 * 64 * 14 * 10 + 64 * 35 * 128 + 128 * 10) +
                         4 * (32 * 14 * 10 + 64 * 7 * 5));
    assert_int_equal(model_spec_flops(&spec, 1), 4 * 3 * 15 * 32 * 28 * 21 +
                                                     6 * (32 * 15 * 64 * 14 * 10 + 64 * 35 * 128 + 128 * 10) +
                                                     2 * 4 * (32 * 14 * 10 + 64 * 7 * 5));
}

/* Windows that overlap are most of a model's work: whoever bounds work by it must see them. */
static void pools_count_each_value_of_each_window(void **state)
{
    static const enum layer_type pools[] = {LAYER_MAX_POOL2D, LAYER_AVG_POOL2D};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct model_spec spec = cnn(1, 256, 256);

        spec.type = MODEL_LAYERS;
        spec.layer_count = 3;
        spec.layers[0] = (struct layer_spec){.type = pools[i], .kernel = {128, 64}, .stride = {1, 1}};
        spec.layers[1] = (struct layer_spec){.type = LAYER_FLATTEN};
        spec.layers[2] = (struct layer_spec){.type = LAYER_DENSE, .units = 10};
        assert_int_equal(model_spec_check(&spec, NULL), STATUS_OK);
        const uint64_t outputs = UINT64_C(129) * 193, windows = outputs * 128 * 64;

        assert_int_equal(model_spec_flops(&spec, 0), windows + 2 * outputs * 10);
        assert_int_equal(model_spec_flops(&spec, 1), 2 * windows + 4 * outputs * 10);
    }
}

static void a_bad_cnn_is_refused_where_it_is_bad(void **state)
{
    static const uint32_t filters[] = {4, 4, 4, 4}, zero[] = {4, 0}, many[64] = {0};
    struct cnn_spec good = {.filters = filters, .filter_count = 2, .kernel = {3, 3}, .activation = LAYER_RELU}, bad;
    struct model_spec table = {.inputs = 64, .classes = 10}, spec = cnn(1, 8, 8);
    struct error small = {0}, flat = {0}, even = {0}, none = {0}, rate = {0}, units = {0};

    (void)state;
    bad = good;
    bad.filter_count = 4; /* 8 -> 4 -> 2 -> 1 */
    assert_int_equal(model_spec_cnn(&spec, &bad, &small), STATUS_OUT_OF_RANGE);
    assert_string_equal(small.pointer, "/filters/3");
    assert_non_null(strstr(small.message, "1 x 1"));
    assert_int_equal(model_spec_cnn(&table, &good, &flat), STATUS_CONFLICTING_FIELDS);
    assert_string_equal(flat.pointer, "/type");
    bad = good;
    bad.kernel[1] = 4;
    assert_int_equal(model_spec_cnn(&spec, &bad, &even), STATUS_OUT_OF_RANGE);
    assert_string_equal(even.pointer, "/kernel");
    bad = good;
    bad.filters = zero;
    assert_int_equal(model_spec_cnn(&spec, &bad, &none), STATUS_OUT_OF_RANGE);
    assert_string_equal(none.pointer, "/filters/1");
    bad = good;
    bad.dropout = 1;
    assert_int_equal(model_spec_cnn(&spec, &bad, &rate), STATUS_OUT_OF_RANGE);
    assert_string_equal(rate.pointer, "/dropout");
    bad = good;
    bad.hidden = many;
    bad.hidden_count = 64;
    assert_int_equal(model_spec_cnn(&spec, &bad, &units), STATUS_OUT_OF_RANGE);
    assert_string_equal(units.pointer, "/hidden/0");
}

static void layers_that_do_not_fit_each_other_are_refused_where_they_meet(void **state)
{
#define CONV(n, kh, kw, sh, sw, ph, pw)                                                                                     \
    {                                                                                                                       \
        .type = LAYER_CONV2D, .units = (n), .kernel = {kh, kw}, .stride = {sh, sw}, .padding = { ph, pw }                   \
    }
#define LAST                                                                                                                \
    {                                                                                                                       \
        .type = LAYER_DENSE, .units = 10                                                                                    \
    }
    static const struct {
        struct layer_spec layers[4];
        uint32_t count;
        enum status status;
        const char *pointer, *message;
    } bad[] = {
        {{CONV(2, 3, 3, 1, 1, 0, 0), LAST}, 2, STATUS_CONFLICTING_FIELDS, "/layers/1/type", "flatten"},
        {{CONV(2, 6, 1, 1, 1, 0, 0), LAST}, 2, STATUS_OUT_OF_RANGE, "/layers/0/kernel", "6 x 1 does not fit into 5 x 4"},
        {{CONV(2, 3, 3, 0, 1, 0, 0), LAST}, 2, STATUS_OUT_OF_RANGE, "/layers/0/stride", "0"},
        {{CONV(2, 3, 3, 1, 1, 9999, 1), LAST}, 2, STATUS_OUT_OF_RANGE, "/layers/0/padding", "9999"},
        {{CONV(0, 3, 3, 1, 1, 0, 0), LAST}, 2, STATUS_OUT_OF_RANGE, "/layers/0/filters", "0 units"},
        {{CONV(2, 0, 3, 1, 1, 0, 0), LAST}, 2, STATUS_OUT_OF_RANGE, "/layers/0/kernel", "0"},
        {{{.type = LAYER_DENSE, .units = 4}, CONV(1, 3, 3, 1, 1, 0, 0), LAST},
         3,
         STATUS_CONFLICTING_FIELDS,
         "/layers/1/type",
         "image"},
        {{{.type = LAYER_FLATTEN}, CONV(1, 3, 3, 1, 1, 0, 0), LAST},
         3,
         STATUS_CONFLICTING_FIELDS,
         "/layers/1/type",
         "image"},
        {{{.type = LAYER_MAX_POOL2D, .kernel = {2, 5}, .stride = {1, 1}}, LAST},
         2,
         STATUS_OUT_OF_RANGE,
         "/layers/0/size",
         "2 x 5"},
        {{CONV(65536, 3, 3, 1, 1, 512, 512), {.type = LAYER_FLATTEN}, LAST},
         3,
         STATUS_OUT_OF_RANGE,
         "/layers/0/filters",
         "4194304"},
        {{{.type = LAYER_BATCH_NORM, .momentum = 0, .epsilon = 1e-5}, LAST},
         2,
         STATUS_OUT_OF_RANGE,
         "/layers/0/momentum",
         ""},
        {{{.type = LAYER_BATCH_NORM, .momentum = NAN, .epsilon = 1e-5}, LAST},
         2,
         STATUS_OUT_OF_RANGE,
         "/layers/0/momentum",
         ""},
        {{{.type = LAYER_BATCH_NORM, .momentum = 1, .epsilon = 0}, LAST}, 2, STATUS_OUT_OF_RANGE, "/layers/0/epsilon", ""},
        {{{.type = LAYER_BATCH_NORM, .momentum = 1, .epsilon = NAN}, LAST}, 2, STATUS_OUT_OF_RANGE, "/layers/0/epsilon", ""},
        {{{.type = LAYER_BATCH_NORM, .momentum = 1, .epsilon = 1e-5}, LAST},
         2,
         STATUS_CONFLICTING_FIELDS,
         "/layers/1/type",
         "flatten"},
    };
#undef CONV
#undef LAST

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct model_spec spec = cnn(1, 5, 4);
        struct error error = {0};

        spec.layer_count = bad[i].count;
        memcpy(spec.layers, bad[i].layers, sizeof(bad[i].layers));
        assert_int_equal(model_spec_check(&spec, &error), bad[i].status);
        assert_string_equal(error.pointer, bad[i].pointer);
        assert_non_null(strstr(error.message, bad[i].message));
    }
}

static void a_shape_is_one_of_the_features(void **state)
{
    struct model_spec spec = cnn(3, 5, 4);
    struct error error = {0}, half = {0}, wild = {0};

    (void)state;
    spec.layer_count = 1;
    spec.layers[0] = (struct layer_spec){.type = LAYER_DENSE, .units = 10};
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OK); /* untouched features need no flatten */
    spec.width = 5;
    assert_int_equal(model_spec_check(&spec, &error), STATUS_FEATURE_COUNT_MISMATCH);
    assert_string_equal(error.pointer, "/input_shape");
    spec.width = 0;
    assert_int_equal(model_spec_check(&spec, &half), STATUS_FEATURE_COUNT_MISMATCH);
    spec.channels = spec.height = spec.width = UINT32_MAX;
    assert_int_equal(model_spec_check(&spec, &wild), STATUS_FEATURE_COUNT_MISMATCH);
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

/* Of each kind of layer; running statistics are nobody's to train. */
static void a_layers_values_are_weights_others_and_statistics(void **state)
{
    static const struct layer_parameters EXPECTED[] = {{4 * 3 * 9, 4, 0},  {0, 2 * 4, 2 * 4}, {0, 0, 0},    {0, 0, 0},
                                                       {5 * 4 * 36, 5, 0}, {0, 2 * 5, 2 * 5}, {5 * 2, 2, 0}};
    struct model_spec spec = {.type = MODEL_LAYERS, .inputs = 3 * 36, .channels = 3, .height = 6, .width = 6, .classes = 2};
    uint64_t all = 0;

    (void)state;
    spec.layers[0] =
        (struct layer_spec){.type = LAYER_CONV2D, .units = 4, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}};
    spec.layers[1] = spec.layers[5] = (struct layer_spec){.type = LAYER_BATCH_NORM, .momentum = 0.1, .epsilon = 1e-5};
    spec.layers[2] = (struct layer_spec){.type = LAYER_RELU};
    spec.layers[3] = (struct layer_spec){.type = LAYER_FLATTEN};
    spec.layers[4] = (struct layer_spec){.type = LAYER_DENSE, .units = 5};
    spec.layers[6] = (struct layer_spec){.type = LAYER_DENSE, .units = 2};
    spec.layer_count = 7;
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OK);
    for (uint32_t i = 0; i < spec.layer_count; i++) {
        struct layer_parameters got = model_spec_layer_parameters(&spec, i);

        assert_memory_equal(&got, &EXPECTED[i], sizeof got);
        all += got.weights + got.others + got.statistics;
    }
    assert_int_equal(all, model_spec_parameter_count(&spec));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_regression_is_one_dense_layer),
        cmocka_unit_test(a_perceptron_repeats_dense_activation_and_dropout),
        cmocka_unit_test(a_bad_perceptron_is_refused_where_it_is_bad),
        cmocka_unit_test(a_bad_list_of_layers_is_refused_where_it_is_bad),
        cmocka_unit_test(a_cnn_is_convolutions_with_pools_and_then_a_perceptron),
        cmocka_unit_test(pools_count_each_value_of_each_window),
        cmocka_unit_test(a_bad_cnn_is_refused_where_it_is_bad),
        cmocka_unit_test(layers_that_do_not_fit_each_other_are_refused_where_they_meet),
        cmocka_unit_test(a_shape_is_one_of_the_features),
        cmocka_unit_test(sizes_out_of_range_are_refused),
        cmocka_unit_test(everything_has_a_name),
        cmocka_unit_test(a_layers_values_are_weights_others_and_statistics),
    };
    return cmocka_run_group_tests_name("model_spec", tests, NULL, NULL);
}
