/*
 * Networks with a front and batch_norm: plans, threads, parts, statistics. Their gradients in float64:
 * test_network_derivatives; the layers' kernels have tests of their own, too (test_conv2d, test_pool2d, test_batch_norm,
 * test_blocked).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/nn/layer_shape.h"
#include "core/nn/network_state.h"
#include "tests/assert_close.h"
#include "tests/core/nn/image_networks.h"

/* ---- plan ---- */

static void every_parameter_has_one_place(void **state)
{
    static unsigned char seen[MOST_PARAMETERS * 8];
    static struct network_plan plan;

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        uint64_t count = model_spec_parameter_count(&model), trained = 0;

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        assert_int_equal(network_plan_parameters(&plan), count);
        assert_true(plan.stored <= sizeof seen);
        memset(seen, 0, sizeof seen);
        for (uint64_t i = 0; i < count; i++) {
            struct network_run run = network_plan_run(&plan, i);

            assert_int_equal(seen[run.at]++, 0);
            trained += run.at < plan.trained;
        }
        for (uint32_t i = 0; i < plan.segment_count; i++) {
            struct network_segment segment = network_plan_segment(&plan, i);

            assert_true(segment.offset + segment.count <= plan.trained);
            for (uint64_t j = 0; j < segment.count; j++) {
                trained -= seen[segment.offset + j] & 1;
                seen[segment.offset + j] |= 2;
            }
        }
        assert_int_equal(trained, 0); /* all that is trained is in a segment */
    }
}

static void large_convolutions_are_cut_into_segments_of_blocks_of_filters(void **state)
{
    struct model_spec model = {.inputs = 64 * 9, .classes = 2, .channels = 64, .height = 3, .width = 3, .layer_count = 3};
    static struct network_plan plan;

    (void)state;
    model.layers[0] = (struct layer_spec){.type = LAYER_CONV2D, .units = 70, .kernel = {3, 3}, .stride = {1, 1}};
    model.layers[1] = (struct layer_spec){.type = LAYER_FLATTEN};
    model.layers[2] = (struct layer_spec){.type = LAYER_DENSE, .units = 2};
    assert_int_equal(model_spec_check(&model, NULL), STATUS_OK);
    assert_int_equal(network_plan_make(&plan, &model, 128, NULL), STATUS_OK);
    assert_int_equal(plan.flat_segment_count, 6); /* 4 * 16 + 6 filters of 576 weights, and the biases */
    assert_int_equal(network_plan_segment(&plan, 1).count, 16 * 576);
    assert_int_equal(network_plan_segment(&plan, 4).count, 6 * 576);
    assert_int_equal(network_plan_segment(&plan, 5).is_bias, 1);
    assert_int_equal(network_plan_run(&plan, 30 * 576).count, 2 * 576);
}

static void batch_norm_takes_its_batch_whole_or_not_at_all(void **state)
{
    static struct network_plan plan;
    struct model_spec model = model_of(8), without = model_of(0);
    struct error error = {0};

    (void)state;
    assert_int_equal(network_plan_make(&plan, &without, 100000, NULL), STATUS_OK);
    assert_int_equal(plan.rows, NETWORK_CHUNK_ROWS);
    assert_int_equal(network_plan_make(&plan, &model, 5000, NULL), STATUS_OK);
    assert_int_equal(plan.rows, 5000);
    assert_int_equal(network_plan_make(&plan, &model, NETWORK_NORM_ROWS + 1, &error), STATUS_BATCH_TOO_LARGE);
}

/* ---- float32: threads, the two ways of updating, against float64 ---- */

/* Some updates, every other one on a short batch; the parameters in canonical order go to `out`. */
static void train_f32(const struct model_spec *model, enum network_use use, const struct optimizer_spec *optimizer,
                      uint32_t threads, float *out)
{
    struct fixture f;

    fixture_init(&f, threads);
    struct network_f32 *network = network_in_f32(&f, model, use, optimizer);

    start_in_f32(model, out);
    network_load_f32(network, out);
    for (uint32_t k = 0; k < 5; k++) {
        update_once(network, &f, use, optimizer, k, k % 2 == 0 ? ROWS : 9);
    }
    network_store_f32(network, out);
    network_free_f32(network);
    fixture_release(&f);
}

static void threads_do_not_change_a_bit(void **state)
{
    static float one[MOST_PARAMETERS], many[MOST_PARAMETERS];
    static const uint32_t THREADS[] = {2, 3, 4, 7};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct optimizer_spec optimizer;

        optimizer_defaults(&optimizer, OPTIMIZER_ADAM);
        optimizer.learning_rate = 0.01;
        train_f32(&model, NETWORK_TRAIN, &optimizer, 1, one);
        for (size_t t = 0; t < sizeof THREADS / sizeof THREADS[0]; t++) {
            train_f32(&model, NETWORK_TRAIN, &optimizer, THREADS[t], many);
            assert_memory_equal(one, many, model_spec_parameter_count(&model) * sizeof *one);
        }
    }
}

static void fused_and_stored_gradients_make_the_same_weights(void **state)
{
    static float fused[MOST_PARAMETERS], stored[MOST_PARAMETERS];
    static const enum optimizer_type TYPES[] = {OPTIMIZER_SGD, OPTIMIZER_ADAGRAD, OPTIMIZER_ADAMW};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);

        for (size_t o = 0; o < sizeof TYPES / sizeof TYPES[0]; o++) {
            struct optimizer_spec optimizer;

            optimizer_defaults(&optimizer, TYPES[o]);
            optimizer.learning_rate = 0.01;
            train_f32(&model, NETWORK_TRAIN, &optimizer, 1, fused);
            train_f32(&model, NETWORK_ACCUMULATE, &optimizer, 2, stored);
            assert_memory_equal(fused, stored, model_spec_parameter_count(&model) * sizeof *fused);
        }
    }
}

/* By five updates; models without a bias before a batch_norm, whose gradient is 0. */
static void assert_all_moves(const char *name, enum optimizer_type type)
{
    static float before[MOST_PARAMETERS], after[MOST_PARAMETERS];
    static struct network_plan plan;
    struct model_spec model = model_named(name);
    struct optimizer_spec optimizer;
    uint64_t at = 0;

    optimizer_defaults(&optimizer, type);
    optimizer.learning_rate = 0.01;
    assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
    start_in_f32(&model, before);
    train_f32(&model, NETWORK_ACCUMULATE, &optimizer, 2, after);
    for (uint32_t t = 0; t < plan.tensor_count; at += plan.tensors[t++].count) {
        if (memcmp(before + at, after + at, plan.tensors[t].count * sizeof *after) == 0) {
            fail_msg("%s leaves tensor %u of layer %u alone", optimizer_name(type), t, plan.tensors[t].layer);
        }
    }
}

/* Rules that treat dense layers apart still have to move all else, too. */
static void every_rule_moves_every_parameter(void **state)
{
    (void)state;
    for (enum optimizer_type type = 0; type < OPTIMIZER_COUNT; type++) {
        if (optimizer_has(type, OPTIMIZER_CONVEX_SOLVER)) {
            continue; /* of models without hidden layers */
        }
        assert_all_moves("two convs", type);
        assert_all_moves("batch norm of the inputs", type);
    }
}

static void float32_gradients_agree_with_float64(void **state)
{
    static float narrow[MOST_PARAMETERS], got[MOST_PARAMETERS];
    static double wide[MOST_PARAMETERS], want[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_loss loss = {.scale = 1.0 / ROWS};
        uint64_t count = model_spec_parameter_count(&model);
        struct fixture f;

        fixture_init(&f, 2);
        struct network_batch batch = batch_of(&f, ROWS);
        struct network_f64 *exact = network_in_f64(&f, &model, 0);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_ACCUMULATE, &PLAIN);

        start_in_f32(&model, narrow);
        for (uint64_t i = 0; i < count; i++) {
            wide[i] = (double)narrow[i];
        }
        network_load_f32(network, narrow);
        network_load_f64(exact, wide);
        assert_precisions_agree(network, exact, &batch, &loss, count, got, want, 1e-4);
        network_free_f32(network);
        network_free_f64(exact);
        fixture_release(&f);
    }
}

/* ---- penalties ---- */

/* 1 for weights of convolutions and dense layers, 0 for all else, by canonical index. */
static void mark_weights(const struct model_spec *model, unsigned char *is_weight)
{
    struct layer_shape shape = layer_shape_of_inputs(model), shapes[MODEL_MAX_LAYERS];

    layer_shapes(model, shapes);
    for (uint32_t i = 0; i < model->layer_count; shape = shapes[i++]) {
        uint64_t all = layer_parameters(&model->layers[i], &shape);
        uint64_t weights = layer_fan_in(&model->layers[i], &shape) * model->layers[i].units;

        for (uint64_t k = 0; k < all; k++) {
            *is_weight++ = k < weights;
        }
    }
}

static void l2_is_of_weights_alone(void **state)
{
    static float before[MOST_PARAMETERS], gradient[MOST_PARAMETERS], after[MOST_PARAMETERS];
    static unsigned char is_weight[MOST_PARAMETERS];
    static struct network_plan plan;
    struct network_loss loss = {.scale = 1.0 / ROWS};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_update update = {.optimizer = &PLAIN, .l2 = 0.5};
        uint64_t count = model_spec_parameter_count(&model);
        double square = 0, norm = 0;
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_ACCUMULATE, &PLAIN);
        struct network_batch batch = batch_of(&f, ROWS);

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        mark_weights(&model, is_weight);
        start_in_f32(&model, before);
        network_load_f32(network, before);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        network_backward_f32(network, 0, ROWS, 1);
        network_store_gradients_f32(network, gradient);
        for (uint64_t i = 0; i < count; i++) {
            double w = is_weight[i] ? (double)before[i] : 0;

            square += w * w;
            norm += pow((double)gradient[i] + 0.5 * w, 2);
        }
        assert_close(network_weight_square_f32(network), square, 1e-12, 0);
        assert_close(network_gradient_norm_f32(network, 0.5), sqrt(norm), 1e-12, 0);
        optimizer_step(&PLAIN, PLAIN.learning_rate, 1, 1, &update.step);
        network_update_f32(network, &update);
        network_store_f32(network, after);
        for (uint64_t i = 0; i < count; i++) {
            double w = is_weight[i] ? (double)before[i] : 0;

            if (network_plan_run(&plan, i).at < plan.trained) {
                assert_close((double)after[i], (double)before[i] - 0.1 * ((double)gradient[i] + 0.5 * w), 1e-6, 1e-7);
            }
        }
        network_free_f32(network);
        fixture_release(&f);
    }
}

/* ---- state, and what is not finite ---- */

static void state_goes_out_and_in_in_canonical_order(void **state)
{
    static float parameters[MOST_PARAMETERS], values[3][MOST_PARAMETERS];
    struct optimizer_spec optimizer;

    (void)state;
    optimizer_defaults(&optimizer, OPTIMIZER_ADAM);
    optimizer.learning_rate = 0.01;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        uint64_t count = model_spec_parameter_count(&model);
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f32 *first = network_in_f32(&f, &model, NETWORK_TRAIN, &optimizer);
        struct network_f32 *second = network_in_f32(&f, &model, NETWORK_TRAIN, &optimizer);
        struct network_state from = network_state_f32(first), to = network_state_f32(second);

        start_in_f32(&model, parameters);
        network_load_f32(first, parameters);
        network_load_f32(second, parameters);
        for (uint32_t k = 0; k < 3; k++) {
            update_once(first, &f, NETWORK_TRAIN, &optimizer, k, ROWS);
        }
        for (uint32_t array = 0; array < 3; array++) {
            network_state_get(&from, array, 0, count, values[array]);
            for (uint64_t at = 0, part = 1; at < count; at += part, part = 1 + (part * 7) % 61) {
                part = part < count - at ? part : count - at;
                network_state_put(&to, array, at, part, values[array] + at);
            }
        }
        update_once(first, &f, NETWORK_TRAIN, &optimizer, 3, ROWS);
        update_once(second, &f, NETWORK_TRAIN, &optimizer, 3, ROWS);
        network_store_f32(first, values[0]);
        network_store_f32(second, values[1]);
        assert_memory_equal(values[0], values[1], count * sizeof(float));
        network_free_f32(first);
        network_free_f32(second);
        fixture_release(&f);
    }
}

static void nan_goes_through_relu_and_pools_and_its_layer_is_named(void **state)
{
    static float parameters[MOST_PARAMETERS];
    struct network_loss loss = {.scale = 1.0 / ROWS};

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct fixture f;

        if (strcmp(MODELS[m].name, "cnn") != 0) {
            continue;
        }
        fixture_init(&f, 2);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);
        struct network_batch batch = batch_of(&f, ROWS);

        start_in_f32(&model, parameters);
        f.x[f.rows[4] * INPUTS + 8] = NAN;
        network_load_f32(network, parameters);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        for (uint32_t r = 0; r < ROWS; r++) {
            assert_int_equal(isnan(network_row_losses_f32(network)[r]) != 0, r == 4);
        }
        assert_int_equal(network_nonfinite_output_f32(network, ROWS), 0);

        f.x[f.rows[4] * INPUTS + 8] = 0;
        parameters[(CHANNELS * 9 + 1) * 4 + 3] = NAN; /* a weight of the second convolution, layer 3 */
        network_load_f32(network, parameters);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        assert_int_equal(network_nonfinite_output_f32(network, ROWS), 3);
        network_free_f32(network);
        fixture_release(&f);
    }
}

static void an_update_beyond_all_numbers_names_its_layer(void **state)
{
    static float parameters[MOST_PARAMETERS];
    struct optimizer_spec wild = {.type = OPTIMIZER_SGD, .learning_rate = 1e30, .weight_decay = 1e30};
    struct network_loss loss = {.scale = 1.0 / ROWS};
    struct network_update update = {.optimizer = &wild};
    struct model_spec model = model_of(0);
    struct fixture f;

    (void)state;
    fixture_init(&f, 1);
    struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &wild);
    struct network_batch batch = batch_of(&f, ROWS);

    start_in_f32(&model, parameters);
    network_load_f32(network, parameters);
    optimizer_step(&wild, wild.learning_rate, 1, 1, &update.step);
    network_gather_f32(network, 0, &batch);
    network_forward_loss_f32(network, 0, &batch, &loss, NULL);
    network_backward_update_f32(network, 0, ROWS, &update);
    assert_int_equal(network_sums_f32(network).nonfinite, 1);
    assert_int_equal(network_nonfinite_layer_f32(network), 0);
    network_free_f32(network);
    fixture_release(&f);
}

/* Logits of a network that serves what `trained` has learned. */
static void predict(const struct fixture *f, struct network_f32 *server, const struct network_f32 *trained, float *logits)
{
    struct network_batch batch = batch_of(f, ROWS);
    uint32_t stride;

    network_serve_f32(server, trained);
    network_gather_f32(server, 0, &batch);
    network_forward_f32(server, 0, ROWS);
    memcpy(logits, network_logits_f32(server, &stride), CLASSES * sizeof *logits);
}

static void predictions_see_new_weights(void **state)
{
    static float parameters[MOST_PARAMETERS];
    struct model_spec model = model_named("pools behind convs");
    float kept[CLASSES], now[CLASSES], fresh[CLASSES];
    struct fixture f;

    (void)state;
    fixture_init(&f, 2);
    struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);
    struct network_f32 *server = network_in_f32(&f, &model, NETWORK_INFER, NULL);
    struct network_f32 *another = network_in_f32(&f, &model, NETWORK_INFER, NULL);

    start_in_f32(&model, parameters);
    network_load_f32(network, parameters);
    predict(&f, server, network, kept);
    update_once(network, &f, NETWORK_TRAIN, &PLAIN, 0, ROWS);
    predict(&f, server, network, now);
    predict(&f, another, network, fresh);
    assert_memory_equal(now, fresh, sizeof now);
    assert_memory_not_equal(now, kept, sizeof now);
    network_free_f32(network);
    network_free_f32(server);
    network_free_f32(another);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_has_one_place),
        cmocka_unit_test(large_convolutions_are_cut_into_segments_of_blocks_of_filters),
        cmocka_unit_test(batch_norm_takes_its_batch_whole_or_not_at_all),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(fused_and_stored_gradients_make_the_same_weights),
        cmocka_unit_test(every_rule_moves_every_parameter),
        cmocka_unit_test(float32_gradients_agree_with_float64),
        cmocka_unit_test(l2_is_of_weights_alone),
        cmocka_unit_test(state_goes_out_and_in_in_canonical_order),
        cmocka_unit_test(nan_goes_through_relu_and_pools_and_its_layer_is_named),
        cmocka_unit_test(an_update_beyond_all_numbers_names_its_layer),
        cmocka_unit_test(predictions_see_new_weights),
    };

    return cmocka_run_group_tests_name("network_cnn", tests, NULL, NULL);
}
