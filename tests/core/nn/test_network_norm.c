/* batch_norm in a network: which statistics it works with, and when they change. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/assert_close.h"
#include "tests/core/nn/image_networks.h"

static void channel_statistics(const struct fixture *f, uint32_t channel, uint32_t count, double *mean, double *variance)
{
    const size_t plane = HEIGHT * WIDTH;
    double n = count * (double)plane, square = 0;

    *mean = 0;
    for (uint32_t r = 0; r < count; r++) {
        for (size_t p = 0; p < plane; p++) {
            *mean += (double)f->x[f->rows[r] * INPUTS + channel * plane + p] / n;
        }
    }
    for (uint32_t r = 0; r < count; r++) {
        for (size_t p = 0; p < plane; p++) {
            square += pow((double)f->x[f->rows[r] * INPUTS + channel * plane + p] - *mean, 2);
        }
    }
    *variance = square / (n - 1);
}

static void running_statistics_follow_the_minibatches_unbiased(void **state)
{
    struct model_spec model = model_named("batch norm of the inputs"); /* whose statistics can be computed by hand */
    static float parameters[MOST_PARAMETERS];
    double mean[CHANNELS] = {0}, variance[CHANNELS] = {1, 1};
    static const uint32_t COUNTS[] = {ROWS, 9, 1, 32};
    struct fixture f;

    (void)state;
    fixture_init(&f, 2);
    struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);

    start_in_f32(&model, parameters);
    network_load_f32(network, parameters);
    for (uint32_t k = 0; k < 4; k++) {
        update_once(network, &f, NETWORK_TRAIN, &PLAIN, k, COUNTS[k]);
        for (uint32_t c = 0; c < CHANNELS; c++) {
            double m, v;

            channel_statistics(&f, c, COUNTS[k], &m, &v);
            mean[c] = 0.9 * mean[c] + 0.1 * m;
            variance[c] = 0.9 * variance[c] + 0.1 * v;
        }
        network_store_f32(network, parameters);
        for (uint32_t c = 0; c < CHANNELS; c++) {
            assert_close((double)parameters[2 * CHANNELS + c], mean[c], 1e-5, 1e-6);
            assert_close((double)parameters[3 * CHANNELS + c], variance[c], 1e-5, 0);
        }
    }
    network_free_f32(network);
    fixture_release(&f);
}

static void a_forward_pass_alone_leaves_running_statistics_alone(void **state)
{
    static float before[MOST_PARAMETERS], after[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_loss loss = {.scale = 1.0 / ROWS};
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_ACCUMULATE, &PLAIN);
        struct network_batch batch = batch_of(&f, ROWS);

        start_in_f32(&model, before);
        network_load_f32(network, before);
        network_gather_f32(network, 0, &batch);
        network_forward_loss_f32(network, 0, &batch, &loss, NULL);
        network_backward_f32(network, 0, ROWS, 1);
        network_store_f32(network, after);
        assert_memory_equal(before, after, model_spec_parameter_count(&model) * sizeof *before);
        network_free_f32(network);
        fixture_release(&f);
    }
}

/* A unit of one value: its variance is 0, its normalised value 0, and the running statistics stay as they were. */
static void a_batch_of_one_row_behind_dense_is_finite(void **state)
{
    static float before[MOST_PARAMETERS], after[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        static struct network_plan plan;
        struct fixture f;

        if (strcmp(MODELS[m].name, "batch norm behind dense") != 0) {
            continue;
        }
        fixture_init(&f, 1);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        start_in_f32(&model, before);
        network_load_f32(network, before);
        update_once(network, &f, NETWORK_TRAIN, &PLAIN, 0, 1);
        network_store_f32(network, after);
        for (uint64_t i = 0; i < model_spec_parameter_count(&model); i++) {
            assert_true(isfinite(after[i]));
            if (network_plan_run(&plan, i).at >= plan.trained) {
                assert_true(after[i] == before[i]);
            }
        }
        network_free_f32(network);
        fixture_release(&f);
        return;
    }
    fail_msg("no such model");
}

/* What inference gives is one function of one row: it depends neither on its neighbours nor on how many there are. */
static void inference_is_of_single_rows_with_running_statistics(void **state)
{
    static float parameters[MOST_PARAMETERS], logits[2][ROWS * 16];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_batch batch;
        struct fixture f;
        uint32_t stride;

        fixture_init(&f, 2);
        struct network_f32 *trained = network_in_f32(&f, &model, NETWORK_TRAIN, &PLAIN);
        struct network_f32 *network = network_in_f32(&f, &model, NETWORK_INFER, NULL);

        start_in_f32(&model, parameters);
        network_load_f32(trained, parameters);
        update_once(trained, &f, NETWORK_TRAIN, &PLAIN, 0, ROWS);
        network_serve_f32(network, trained);
        batch = batch_of(&f, ROWS);
        network_gather_f32(network, 0, &batch);
        network_forward_f32(network, 0, ROWS);
        memcpy(logits[0], network_logits_f32(network, &stride), sizeof logits[0]);
        network_store_f32(trained, parameters);
        network_load_f32(network, parameters);
        for (uint32_t r = 0; r < ROWS; r++) {
            batch = batch_of(&f, 1);
            batch.rows += r;
            network_gather_f32(network, 0, &batch);
            network_forward_f32(network, 0, 1);
            memcpy(logits[1] + r * stride, network_logits_f32(network, &stride), stride * sizeof(float));
        }
        for (uint32_t r = 0; r < ROWS; r++) {
            for (uint32_t c = 0; c < CLASSES; c++) {
                assert_close((double)logits[1][r * stride + c], (double)logits[0][r * stride + c], 1e-5, 1e-5);
            }
        }
        network_free_f32(trained);
        network_free_f32(network);
        fixture_release(&f);
    }
}

/* Losses of all rows by one forward pass; the network goes on to an update that leaves the weights where they are. */
static void losses_of(struct network_f32 *network, const struct fixture *f, const float *parameters, double *losses)
{
    static const struct optimizer_spec STILL = {.type = OPTIMIZER_SGD};
    struct network_batch batch = batch_of(f, ROWS);
    struct network_loss loss = {.scale = 1.0 / ROWS};
    struct network_update update = {.optimizer = &STILL};

    network_load_f32(network, parameters);
    network_gather_f32(network, 0, &batch);
    network_forward_loss_f32(network, 0, &batch, &loss, NULL);
    memcpy(losses, network_row_losses_f32(network), ROWS * sizeof *losses);
    network_backward_f32(network, 0, ROWS, 1);
    optimizer_step(&STILL, 0, 1, 1, &update.step);
    network_update_f32(network, &update);
}

static struct network_f32 *accumulating(const struct fixture *f, const struct network_plan *plan, int gives_statistics)
{
    struct network_setup setup = {.plan = plan,
                                  .use = NETWORK_ACCUMULATE,
                                  .optimizer = &PLAIN,
                                  .seed = 5,
                                  .gives_statistics = gives_statistics,
                                  .pool = f->pool};
    struct network_f32 *network;

    assert_int_equal(network_new_f32(&network, &setup, NULL), STATUS_OK);
    return network;
}

/* With momentum 1 the running statistics are the minibatch's; made biased again, they must give what the minibatch gave. */
static void statistics_of_the_batch_give_what_the_batch_gave(void **state)
{
    static float parameters[MOST_PARAMETERS];
    static struct network_plan plan;
    double trained[ROWS], given[ROWS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct fixture f;

        for (uint32_t i = 0; i < model.layer_count; i++) {
            model.layers[i].momentum = 1;
        }
        fixture_init(&f, 2);
        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        struct network_f32 *first = accumulating(&f, &plan, 0), *second = accumulating(&f, &plan, 1);

        start_in_f32(&model, parameters);
        losses_of(first, &f, parameters, trained);
        network_store_f32(first, parameters);
        for (uint64_t i = 0; i < model_spec_parameter_count(&model); i++) {
            uint64_t at = network_plan_run(&plan, i).at;

            for (uint32_t n = 0; n < plan.norm_count; n++) {
                double count = ROWS * (double)plan.norms[n].positions;

                if (at >= plan.norms[n].variance && at - plan.norms[n].variance < plan.norms[n].channels) {
                    parameters[i] = (float)((double)parameters[i] * (count - 1) / count);
                }
            }
        }
        losses_of(second, &f, parameters, given);
        assert_all_close(given, trained, ROWS, 1e-4, 1e-5);
        network_free_f32(first);
        network_free_f32(second);
        fixture_release(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_statistics_follow_the_minibatches_unbiased),
        cmocka_unit_test(statistics_of_the_batch_give_what_the_batch_gave),
        cmocka_unit_test(a_forward_pass_alone_leaves_running_statistics_alone),
        cmocka_unit_test(a_batch_of_one_row_behind_dense_is_finite),
        cmocka_unit_test(inference_is_of_single_rows_with_running_statistics),
    };

    return cmocka_run_group_tests_name("network_norm", tests, NULL, NULL);
}
