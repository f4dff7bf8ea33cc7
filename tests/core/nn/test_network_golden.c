/* One network of every layer of images against numbers that another program computed by automatic differentiation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/nn/network.h"
#include "tests/assert_close.h"

#define GOLDEN "tests/golden/cnn.txt"
enum { ROWS = 5, CHANNELS = 2, HEIGHT = 7, WIDTH = 6, INPUTS = CHANNELS * HEIGHT * WIDTH, CLASSES = 3, MOST = 400 };

/* Each batch_norm: its layer, its channels, how many trained parameters stand before its statistics. */
static const struct {
    int layer, channels, before;
} NORMS[] = {{1, 3, 45}, {5, 4, 165}, {10, 6, 279}};
enum { NORM_COUNT = 3, TRAINED = 300, PARAMETERS = 326 };

static struct {
    float x[ROWS][INPUTS];
    int32_t labels[ROWS];
    double parameters[MOST], gradients[MOST], logits[ROWS * CLASSES], mean[NORM_COUNT][8], variance[NORM_COUNT][8], loss;
    size_t rows, parameter_count, logit_count, statistics;
} golden;

static void read_row(char *text)
{
    char *at = text;

    golden.labels[golden.rows] = (int32_t)strtol(at, &at, 10);
    for (int i = 0; i < INPUTS; i++) {
        golden.x[golden.rows][i] = strtof(at, &at);
    }
    golden.rows++;
}

static void read_line(char *line)
{
    int layer, channel;
    double a, b;

    if (strncmp(line, "row ", 4) == 0 && golden.rows < ROWS) {
        read_row(line + 4);
    } else if (sscanf(line, "parameter %lf %lf", &a, &b) == 2 && golden.parameter_count < TRAINED) {
        golden.parameters[golden.parameter_count] = a;
        golden.gradients[golden.parameter_count++] = b;
    } else if (sscanf(line, "logit %lf", &a) == 1 && golden.logit_count < ROWS * CLASSES) {
        golden.logits[golden.logit_count++] = a;
    } else if (sscanf(line, "statistics %d %d %lf %lf", &layer, &channel, &a, &b) == 4) {
        for (int n = 0; n < NORM_COUNT; n++) {
            if (NORMS[n].layer == layer && channel < NORMS[n].channels) {
                golden.mean[n][channel] = a;
                golden.variance[n][channel] = b;
                golden.statistics++;
            }
        }
    } else {
        (void)sscanf(line, "loss %lf", &golden.loss);
    }
}

static int read_golden(void **state)
{
    FILE *file = fopen(GOLDEN, "r");
    char line[4096];

    (void)state;
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        read_line(line);
    }
    fclose(file);
    return golden.rows == ROWS && golden.parameter_count == TRAINED && golden.logit_count == ROWS * CLASSES &&
                   golden.statistics == 13 && golden.loss > 0
               ? 0
               : -1;
}

static struct model_spec model(void)
{
    static const struct layer_spec LAYERS[] = {
        {.type = LAYER_CONV2D, .units = 3, .kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}},
        {.type = LAYER_BATCH_NORM, .momentum = 0.25, .epsilon = 1e-5},
        {.type = LAYER_TANH},
        {.type = LAYER_MAX_POOL2D, .kernel = {2, 2}, .stride = {1, 1}},
        {.type = LAYER_CONV2D, .units = 4, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}},
        {.type = LAYER_BATCH_NORM, .momentum = 0.25, .epsilon = 1e-5},
        {.type = LAYER_RELU},
        {.type = LAYER_AVG_POOL2D, .kernel = {2, 2}, .stride = {1, 2}},
        {.type = LAYER_FLATTEN},
        {.type = LAYER_DENSE, .units = 6},
        {.type = LAYER_BATCH_NORM, .momentum = 0.25, .epsilon = 1e-5},
        {.type = LAYER_TANH},
        {.type = LAYER_DENSE, .units = CLASSES},
    };
    struct model_spec spec = {.type = MODEL_LAYERS,
                              .inputs = INPUTS,
                              .classes = CLASSES,
                              .channels = CHANNELS,
                              .height = HEIGHT,
                              .width = WIDTH,
                              .layer_count = sizeof LAYERS / sizeof *LAYERS};

    memcpy(spec.layers, LAYERS, sizeof LAYERS);
    assert_int_equal(model_spec_check(&spec, NULL), STATUS_OK);
    assert_int_equal(model_spec_parameter_count(&spec), PARAMETERS);
    return spec;
}

/* Golden values, with `statistics` in place of the running ones: the parameters of the model's file. */
static void spread(const double *trained, const double statistics[2], double *all)
{
    size_t from = 0, to = 0;

    for (int n = 0; n <= NORM_COUNT; n++) {
        size_t end = n < NORM_COUNT ? (size_t)NORMS[n].before : TRAINED;

        for (; from < end; from++) {
            all[to++] = trained[from];
        }
        for (int i = 0; n < NORM_COUNT && i < 2 * NORMS[n].channels; i++) {
            all[to++] = statistics[i / NORMS[n].channels];
        }
    }
    assert_int_equal(to, PARAMETERS);
}

static void the_network_computes_what_another_program_did(void **state)
{
    static const uint32_t ORDER[ROWS] = {0, 1, 2, 3, 4};
    static const double START[2] = {0, 1}, NONE[2] = {0, 0};
    static struct network_plan plan;
    double parameters[PARAMETERS], want[PARAMETERS], got[PARAMETERS];
    struct model_spec spec = model();
    struct optimizer_spec still = {.type = OPTIMIZER_SGD};
    struct dataset dataset = {.rows = ROWS,
                              .features = INPUTS,
                              .feature_type = FEATURE_F32,
                              .label_type = LABEL_CLASS,
                              .classes = CLASSES,
                              .x = golden.x,
                              .labels = golden.labels};
    struct scaler scaler;
    struct network_batch batch = {
        .dataset = &dataset, .scaler = &scaler, .labels = golden.labels, .rows = ORDER, .count = ROWS};
    struct network_loss loss = {.scale = 1.0 / ROWS};
    struct network_update update = {.optimizer = &still};
    struct network_f64 *network;
    struct pool *pool;
    double sum = 0;

    (void)state;
    assert_int_equal(scaler_fit(&scaler, PREPROCESS_NONE, &dataset, NULL, ROWS, NULL), STATUS_OK);
    assert_int_equal(pool_new(&pool, 2, NULL), STATUS_OK);
    assert_int_equal(network_plan_make(&plan, &spec, ROWS, NULL), STATUS_OK);
    struct network_setup setup = {.plan = &plan, .use = NETWORK_ACCUMULATE, .optimizer = &still, .pool = pool};

    assert_int_equal(network_new_f64(&network, &setup, NULL), STATUS_OK);
    spread(golden.parameters, START, parameters);
    network_load_f64(network, parameters);
    network_gather_f64(network, 0, &batch);
    network_forward_loss_f64(network, 0, &batch, &loss, NULL);
    for (int r = 0; r < ROWS; r++) {
        sum += network_row_losses_f64(network)[r];
    }
    assert_close(sum / ROWS, golden.loss, 1e-12, 0);

    network_backward_f64(network, 0, ROWS, 1);
    network_store_gradients_f64(network, got);
    spread(golden.gradients, NONE, want);
    assert_all_close(got, want, PARAMETERS, 1e-9, 1e-13);

    optimizer_step(&still, 0, 1, 1, &update.step);
    network_update_f64(network, &update);
    network_store_f64(network, got);
    for (int n = 0, at = 0; n < NORM_COUNT; n++) {
        at = NORMS[n].before;
        for (int before = 0; before < n; before++) {
            at += 2 * NORMS[before].channels;
        }
        for (int c = 0; c < NORMS[n].channels; c++) {
            assert_close(got[at + c], 0.25 * golden.mean[n][c], 1e-11, 1e-14);
            assert_close(got[at + NORMS[n].channels + c], 0.75 + 0.25 * golden.variance[n][c], 1e-11, 0);
        }
    }
    network_free_f64(network);
    pool_free(pool);
    scaler_release(&scaler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_network_computes_what_another_program_did)};

    return cmocka_run_group_tests_name("network_golden", tests, read_golden, NULL);
}
