/* A network's state, walked through in canonical order. */
#include "core/nn/network_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 60000

/* Several tiles, blocks and paddings: 230 inputs, hidden layers of 150 and 140 units, 5 classes. */
struct network_fixture {
    struct model_spec model;
    struct network_plan plan;
    struct optimizer_spec optimizer;
    struct pool *pool;
    struct network_f32 *network;
    uint64_t parameters;
};

static void network_fixture_init(struct network_fixture *n)
{
    static const uint32_t HIDDEN[2] = {150, 140};
    struct network_setup setup = {.plan = &n->plan, .use = NETWORK_TRAIN, .optimizer = &n->optimizer};

    assert_int_equal(model_spec_perceptron(&n->model, MODEL_MLP, 230, 5, HIDDEN, 2, LAYER_RELU, 0, NULL), STATUS_OK);
    assert_int_equal(network_plan_make(&n->plan, &n->model, 8, NULL), STATUS_OK);
    optimizer_defaults(&n->optimizer, OPTIMIZER_ADAM);
    assert_int_equal(pool_new(&n->pool, 1, NULL), STATUS_OK);
    setup.pool = n->pool;
    assert_int_equal(network_new_f32(&n->network, &setup, NULL), STATUS_OK);
    n->parameters = model_spec_parameter_count(&n->model);
    assert_true(n->parameters <= MOST);
}

static void network_fixture_release(struct network_fixture *n)
{
    network_free_f32(n->network);
    pool_free(n->pool);
}

static void weights_come_in_the_order_in_which_they_are_loaded(void **state)
{
    static float values[MOST], out[MOST];
    struct network_fixture n;

    (void)state;
    network_fixture_init(&n);
    for (uint64_t i = 0; i < n.parameters; i++) {
        values[i] = (float)(i + 1);
    }
    network_load_f32(n.network, values);
    struct network_state network = network_state_f32(n.network);

    for (uint64_t first = 0, count; first < n.parameters; first += count) { /* in pieces of any length */
        count = n.parameters - first < 997 ? n.parameters - first : 997;
        network_state_get(&network, 0, first, count, out + first);
    }
    assert_memory_equal(out, values, n.parameters * sizeof *values);
    network_fixture_release(&n);
}

static void every_array_keeps_what_is_put_and_padding_stays(void **state)
{
    static float values[3][MOST], out[MOST];
    struct network_fixture n;

    (void)state;
    network_fixture_init(&n);
    struct network_state network = network_state_f32(n.network);
    size_t others = 0;

    assert_int_equal(network.slot_count, 2);
    for (uint32_t array = 0; array < 3; array++) {
        for (uint64_t i = 0; i < n.parameters; i++) {
            values[array][i] = (float)(3 * i + array + 1);
        }
        for (uint64_t first = 0, count; first < n.parameters; first += count) {
            count = n.parameters - first < 61 ? n.parameters - first : 61;
            network_state_put(&network, array, first, count, values[array] + first);
        }
    }
    for (uint32_t array = 0; array < 3; array++) { /* after all were put: none lies on another */
        network_state_get(&network, array, 0, n.parameters, out);
        assert_memory_equal(out, values[array], n.parameters * sizeof *out);
    }
    network_store_f32(n.network, out);
    assert_memory_equal(out, values[0], n.parameters * sizeof *out);
    for (uint64_t i = 0; i < n.plan.stored; i++) {
        others += network.weights[i] == 0;
    }
    assert_int_equal(others, n.plan.stored - n.parameters);
    for (uint64_t i = 0; i < 2 * n.plan.stored; i++) {
        others += network.slots[i] == 0;
    }
    assert_int_equal(others, 3 * (n.plan.stored - n.parameters));
    network_fixture_release(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_come_in_the_order_in_which_they_are_loaded),
        cmocka_unit_test(every_array_keeps_what_is_put_and_padding_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
