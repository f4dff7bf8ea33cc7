/*
 * The cache with a loader of its own: ids are "mdl_<number>"; number n has a bias of n for class 1, so that predictions
 * tell models apart. "mdl_bad" cannot be loaded.
 */
#include "server/models/model_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/assert_close.h"

#define CLIENTS 8

static atomic_uint loads;
static atomic_uint slow_us;

static enum status load(void *context, const char *id, struct model *model, struct error *error)
{
    (void)context;
    atomic_fetch_add(&loads, 1);
    usleep(atomic_load(&slow_us));
    if (strcmp(id, "mdl_bad") == 0) {
        return error_set(error, STATUS_OBJECT_CORRUPT, "it is broken");
    }
    *model = (struct model){.scaler = {.type = PREPROCESS_NONE, .features = 2, .uniform = 1}, .parameter_count = 6};
    enum status status = model_spec_perceptron(&model->spec, MODEL_SOFTMAX_REGRESSION, 2, 2, NULL, 0, LAYER_RELU, 0, error);
    if (status != STATUS_OK) {
        return status;
    }
    model->class_names = calloc(2, sizeof(*model->class_names));
    model->parameters = aligned_alloc(64, 64);
    model->class_names[0] = strdup("a");
    model->class_names[1] = strdup("b");
    memset(model->parameters, 0, 64);
    model->parameters[5] = strtof(id + strlen("mdl_"), NULL);
    return STATUS_OK;
}

static int new_cache(void **state)
{
    struct model_cache *cache;

    atomic_store(&loads, 0);
    atomic_store(&slow_us, 0);
    if (model_cache_new(&cache, load, NULL, NULL) != STATUS_OK) {
        return -1;
    }
    *state = cache;
    return 0;
}

static int free_cache(void **state)
{
    model_cache_free(*state);
    return 0;
}

static void touch(struct model_cache *cache, const char *id)
{
    struct cached_model *held;

    assert_int_equal(model_cache_get(cache, id, &held, NULL), STATUS_OK);
    model_cache_put(cache, held);
}

static void a_model_is_loaded_once(void **state)
{
    for (int i = 0; i < 3; i++) {
        touch(*state, "mdl_1");
    }
    assert_int_equal(atomic_load(&loads), 1);
}

static void the_least_recently_used_goes_first(void **state)
{
    char id[16];

    for (int i = 0; i < MODEL_CACHE_MODELS; i++) {
        snprintf(id, sizeof id, "mdl_%d", i);
        touch(*state, id);
    }
    touch(*state, "mdl_0");
    touch(*state, "mdl_100");
    assert_int_equal(atomic_load(&loads), MODEL_CACHE_MODELS + 1);
    touch(*state, "mdl_0");
    assert_int_equal(atomic_load(&loads), MODEL_CACHE_MODELS + 1);
    touch(*state, "mdl_1");
    assert_int_equal(atomic_load(&loads), MODEL_CACHE_MODELS + 2);
}

static void what_is_held_stays_however_many_follow(void **state)
{
    struct cached_model *held;
    char id[16];

    assert_int_equal(model_cache_get(*state, "mdl_7", &held, NULL), STATUS_OK);
    for (int i = 100; i < 100 + 2 * MODEL_CACHE_MODELS; i++) {
        snprintf(id, sizeof id, "mdl_%d", i);
        touch(*state, id);
    }
    assert_string_equal(cached_model_get(held)->class_names[1], "b");
    touch(*state, "mdl_7");
    assert_int_equal(atomic_load(&loads), 1 + 2 * MODEL_CACHE_MODELS);
    model_cache_put(*state, held);
}

static void a_failed_load_is_told_and_tried_again(void **state)
{
    for (unsigned i = 1; i <= 2; i++) {
        struct error error = {STATUS_OK};
        struct cached_model *held;

        assert_int_equal(model_cache_get(*state, "mdl_bad", &held, &error), STATUS_OBJECT_CORRUPT);
        assert_string_equal(error.message, "it is broken");
        assert_null(held);
        assert_int_equal(atomic_load(&loads), i);
    }
}

static void a_forgotten_model_stays_for_who_holds_it(void **state)
{
    struct predictor *predictor;
    struct cached_model *held;

    assert_int_equal(model_cache_get(*state, "mdl_1", &held, NULL), STATUS_OK);
    model_cache_forget(*state, "mdl_1");
    model_cache_forget(*state, "mdl_1");
    assert_int_equal(model_cache_take_predictor(*state, held, &predictor, NULL), STATUS_OK);
    model_cache_give_predictor(*state, held, predictor);
    touch(*state, "mdl_1");
    assert_int_equal(atomic_load(&loads), 2);
    model_cache_put(*state, held);
}

static void a_thread_gets_its_predictor_back(void **state)
{
    struct predictor *first, *second, *again;
    struct cached_model *held;

    assert_int_equal(model_cache_get(*state, "mdl_1", &held, NULL), STATUS_OK);
    assert_int_equal(model_cache_take_predictor(*state, held, &first, NULL), STATUS_OK);
    assert_int_equal(model_cache_take_predictor(*state, held, &second, NULL), STATUS_OK);
    assert_ptr_not_equal(first, second);
    model_cache_give_predictor(*state, held, first);
    assert_int_equal(model_cache_take_predictor(*state, held, &again, NULL), STATUS_OK);
    assert_ptr_equal(again, first);
    model_cache_give_predictor(*state, held, again);
    model_cache_give_predictor(*state, held, second);
    model_cache_put(*state, held);
}

/* What a client of several found; asserted on the main thread. */
struct client {
    struct model_cache *cache;
    const char *id;
    pthread_t thread;
    enum status status;
    float probability;
};

static void *predict(void *context)
{
    static const float x[2] = {0.5f, -0.5f};
    struct client *client = context;
    struct predictor *predictor;
    struct cached_model *held;
    float probabilities[2];
    uint32_t label;

    client->status = model_cache_get(client->cache, client->id, &held, NULL);
    if (client->status == STATUS_OK) {
        client->status = model_cache_take_predictor(client->cache, held, &predictor, NULL);
        if (client->status == STATUS_OK) {
            predictor_run(predictor, x, 1, 1, probabilities, &label);
            client->probability = probabilities[1];
            model_cache_give_predictor(client->cache, held, predictor);
        }
        model_cache_put(client->cache, held);
    }
    return NULL;
}

static void run_clients(struct client *clients)
{
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_create(&clients[i].thread, NULL, predict, &clients[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
    }
}

static void many_clients_load_a_model_once(void **state)
{
    struct client clients[CLIENTS];

    atomic_store(&slow_us, 50000);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.cache = *state, .id = "mdl_2"};
    }
    run_clients(clients);
    assert_int_equal(atomic_load(&loads), 1);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(clients[i].status, STATUS_OK);
        assert_close((double)clients[i].probability, 1 / (1 + exp(-2)), 0, 1e-6);
    }
}

static void many_clients_of_a_model_that_is_broken_are_all_told(void **state)
{
    struct client clients[CLIENTS];

    atomic_store(&slow_us, 20000);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.cache = *state, .id = "mdl_bad"};
    }
    run_clients(clients);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(clients[i].status, STATUS_OBJECT_CORRUPT);
    }
}

static void models_come_and_go_while_others_predict(void **state)
{
    static const char *const ids[CLIENTS] = {"mdl_0", "mdl_1", "mdl_2", "mdl_3", "mdl_0", "mdl_1", "mdl_2", "mdl_3"};
    struct client clients[CLIENTS];

    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = (struct client){.cache = *state, .id = ids[i]};
            assert_int_equal(pthread_create(&clients[i].thread, NULL, predict, &clients[i]), 0);
        }
        model_cache_forget(*state, ids[round % CLIENTS]);
        for (int i = 0; i < CLIENTS; i++) {
            pthread_join(clients[i].thread, NULL);
            assert_int_equal(clients[i].status, STATUS_OK);
            assert_close((double)clients[i].probability, 1 / (1 + exp(-(i % 4))), 0, 1e-6);
        }
    }
}

#define CACHE_TEST(test) cmocka_unit_test_setup_teardown(test, new_cache, free_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(a_model_is_loaded_once),
        CACHE_TEST(the_least_recently_used_goes_first),
        CACHE_TEST(what_is_held_stays_however_many_follow),
        CACHE_TEST(a_failed_load_is_told_and_tried_again),
        CACHE_TEST(a_forgotten_model_stays_for_who_holds_it),
        CACHE_TEST(a_thread_gets_its_predictor_back),
        CACHE_TEST(many_clients_load_a_model_once),
        CACHE_TEST(many_clients_of_a_model_that_is_broken_are_all_told),
        CACHE_TEST(models_come_and_go_while_others_predict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
