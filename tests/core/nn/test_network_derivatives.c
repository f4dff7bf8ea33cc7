/* Gradients of networks with a front and batch_norm against central differences, in float64. */
#include <math.h>

#include "core/nn/network_state.h"
#include "tests/assert_close.h"
#include "tests/core/nn/image_networks.h"

static double objective(struct network_f64 *network, const struct fixture *f, const double *parameters)
{
    struct network_batch batch = batch_of(f, ROWS);
    struct network_loss loss = {.label_smoothing = 0.1, .scale = 1.0 / ROWS};
    double sum = 0;

    network_load_f64(network, parameters);
    network_gather_f64(network, 0, &batch);
    network_forward_loss_f64(network, 0, &batch, &loss, NULL);
    for (uint32_t r = 0; r < ROWS; r++) {
        sum += network_row_losses_f64(network)[r];
    }
    return sum / ROWS;
}

/* Fourth-order central difference. */
static double difference(struct network_f64 *network, const struct fixture *f, double *parameters, uint64_t i, double h)
{
    double kept = parameters[i], value[4];
    static const double AT[4] = {-2, -1, 1, 2};

    for (int k = 0; k < 4; k++) {
        parameters[i] = kept + AT[k] * h;
        value[k] = objective(network, f, parameters);
    }
    parameters[i] = kept;
    return (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * h);
}

static void gradients_are_derivatives(int gives_statistics)
{
    static double parameters[MOST_PARAMETERS], gradient[MOST_PARAMETERS];
    static struct network_plan plan;
    uint64_t checked = 0, kinks = 0;

    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct fixture f;

        fixture_init(&f, 1);
        struct network_f64 *network = network_in_f64(&f, &model, gives_statistics);
        uint64_t count = start_parameters(&model, parameters), stride = count / 40 + 1;

        assert_int_equal(network_plan_make(&plan, &model, ROWS, NULL), STATUS_OK);
        objective(network, &f, parameters);
        network_backward_f64(network, 0, ROWS, 1);
        network_store_gradients_f64(network, gradient);
        for (uint64_t i = m % stride; i < count; i += stride) {
            if (network_plan_run(&plan, i).at >= plan.trained) {
                assert_true(gradient[i] == 0); /* running statistics */
                continue;
            }
            double found = difference(network, &f, parameters, i, 1e-4);

            checked++;
            if (fabs(found - gradient[i]) > 1e-7 * fabs(gradient[i]) + 1e-9) { /* a kink, or a maximum that changed */
                assert_close(difference(network, &f, parameters, i, 1e-7), gradient[i], 1e-5, 1e-7);
                kinks++;
            }
        }
        network_free_f64(network);
        fixture_release(&f);
    }
    assert_true(checked > 450);
    assert_true(kinks * 8 < checked);
}

static void backpropagation_is_the_derivative_through_batch_statistics(void **state)
{
    (void)state;
    gradients_are_derivatives(0);
}

static void backpropagation_is_the_derivative_with_given_statistics(void **state)
{
    (void)state;
    gradients_are_derivatives(1);
}

static void chunks_add_up_where_statistics_are_given(void **state)
{
    static double parameters[MOST_PARAMETERS], whole[MOST_PARAMETERS], parts[MOST_PARAMETERS];

    (void)state;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        struct model_spec model = model_of(m);
        struct network_loss loss = {.scale = 1.0 / ROWS};
        struct fixture f;

        fixture_init(&f, 2);
        struct network_f64 *network = network_in_f64(&f, &model, 1);
        struct network_batch all = batch_of(&f, ROWS), first = batch_of(&f, 20), second = batch_of(&f, ROWS - 20);
        uint64_t count = start_parameters(&model, parameters);

        second.rows += 20;
        second.position = 20;
        network_load_f64(network, parameters);
        network_gather_f64(network, 0, &all);
        network_forward_loss_f64(network, 0, &all, &loss, NULL);
        network_backward_f64(network, 0, ROWS, 1);
        network_store_gradients_f64(network, whole);
        network_gather_f64(network, 0, &first);
        network_forward_loss_f64(network, 0, &first, &loss, &second);
        network_backward_f64(network, 0, first.count, 1);
        network_forward_loss_f64(network, 1, &second, &loss, NULL);
        network_backward_f64(network, 1, second.count, 0);
        network_store_gradients_f64(network, parts);
        assert_all_close(parts, whole, count, 1e-10, 1e-14);
        network_free_f64(network);
        fixture_release(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backpropagation_is_the_derivative_through_batch_statistics),
        cmocka_unit_test(backpropagation_is_the_derivative_with_given_statistics),
        cmocka_unit_test(chunks_add_up_where_statistics_are_given),
    };

    return cmocka_run_group_tests_name("network_derivatives", tests, NULL, NULL);
}
