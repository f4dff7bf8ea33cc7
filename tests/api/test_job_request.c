#include "api/job_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/json_writer.h"
#include "tests/api/refusal.h"
#include "tests/assert_close.h"

#define BLOBS   "\"dataset\":{\"generator\":\"blobs\",\"n\":300,\"classes\":3}"
#define MOONS   "\"dataset\":{\"generator\":\"moons\",\"n\":50}"
#define SOFTMAX "\"model\":{\"type\":\"softmax_regression\"}"

/* One test's request with the data that it asks for. */
struct job {
    struct job_request request;
    struct problem problem;
    struct buffer_sink block;
    struct dataset dataset;
    struct split split;
};

static void job_release(struct job *job)
{
    job_request_release(&job->request);
    problem_release(&job->problem);
    split_release(&job->split);
    dataset_release(&job->dataset);
    buffer_sink_release(&job->block);
}

static enum status job_decode(struct job *job, const char *body)
{
    *job = (struct job){.split = {.train_count = 0}};
    problem_init(&job->problem);
    return job_request_decode(&job->request, body, strlen(body), &job->problem);
}

/* Decodes, makes the data and resolves. */
static enum status job_resolve(struct job *job, const char *body)
{
    struct error error = {.status = STATUS_OK};
    const struct buffer_sink *block = &job->request.dataset.block;

    if (job_decode(job, body) != STATUS_OK) {
        (void)refusal_is_only(&job->problem, STATUS_OK, "(nothing)");
        return job->problem.status;
    }
    if (job->request.dataset.type == DATASET_REF_GENERATOR) {
        assert_int_equal(generator_write(&job->request.dataset.generator, buffer_sink(&job->block), &error), STATUS_OK);
        block = &job->block;
    }
    assert_int_equal(dataset_open(&job->dataset, block->data, block->size, &error), STATUS_OK);
    assert_int_equal(split_make(&job->split, &job->dataset, &job->request.split, job->request.train.seed, &error),
                     STATUS_OK);
    return job_request_resolve(&job->request, &job->dataset, &job->split, NULL, &job->problem);
}

static char *job_encode(const struct job *job)
{
    struct json_writer writer = {0};
    struct error error = {.status = STATUS_OK};
    char *text = NULL;
    size_t size;

    job_request_encode(&job->request, "abc", "tier", &writer);
    assert_int_equal(json_writer_take(&writer, &text, &size, &error), STATUS_OK);
    return text;
}

/* ---- defaults ---- */

static void only_dataset_and_model_are_needed(void **state)
{
    struct job job;
    const struct train_spec *train = &job.request.train;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX "}"), STATUS_OK);
    assert_int_equal(train->model.type, MODEL_SOFTMAX_REGRESSION);
    assert_int_equal(train->model.inputs, 2);
    assert_int_equal(train->model.classes, 3);
    assert_int_equal(train->model.layer_count, 1);
    assert_int_equal(train->initializer, INIT_ZEROS);
    assert_int_equal(train->preprocessing, PREPROCESS_STANDARDIZE);
    assert_int_equal(train->optimizer.type, OPTIMIZER_SGD);
    assert_close(train->optimizer.learning_rate, 0.05, 0, 0);
    assert_close(train->optimizer.momentum, 0.9, 0, 0);
    assert_int_equal(train->optimizer.nesterov, NESTEROV_LOOKAHEAD);
    assert_int_equal(train->schedule.type, SCHEDULE_CONSTANT);
    assert_int_equal(train->epochs, 10);
    assert_int_equal(train->batch_size, 128);
    assert_int_equal(train->shuffle, SHUFFLE_EVERY_EPOCH);
    assert_true(train->seed == 0);
    assert_int_equal(train->log_every_steps, 1);
    assert_int_equal(train->eval_every_steps, 0);
    assert_int_equal(train->stop.early, 0);
    assert_int_equal(train->stop.early_metric, METRIC_TRAIN_LOSS);
    assert_close(train->clip_norm, 0, 0, 0);
    assert_int_equal(train->loss.weighting, CLASS_WEIGHTS_NONE);
    assert_int_equal(job.request.split.stratified, 1);
    assert_int_equal(job.request.threads, 0);
    assert_int_equal(job.request.checkpoint_keep, 2);
    assert_close(job.request.checkpoint_every_seconds, 30, 0, 0);
    assert_string_equal(job.request.metadata, "{}");
    job_release(&job);
}

static void an_optimizer_that_is_given_has_its_own_defaults(void **state)
{
    static const struct {
        const char *optimizer;
        enum optimizer_type type;
        double learning_rate;
    } ROWS[] = {
        {"{}", OPTIMIZER_SGD, 0.05},
        {"{\"type\":\"sgd\"}", OPTIMIZER_SGD, 0.05},
        {"{\"type\":\"gd\"}", OPTIMIZER_SGD, 0.05},
        {"{\"type\":\"adagrad\"}", OPTIMIZER_ADAGRAD, 0.01},
        {"{\"type\":\"rmsprop\"}", OPTIMIZER_RMSPROP, 0.01},
        {"{\"type\":\"adam\"}", OPTIMIZER_ADAM, 0.001},
        {"{\"type\":\"adamw\"}", OPTIMIZER_ADAMW, 0.001},
        {"{\"type\":\"adadelta\"}", OPTIMIZER_ADADELTA, 1},
        {"{\"type\":\"nadam\"}", OPTIMIZER_NADAM, 0.002},
        {"{\"type\":\"radam\"}", OPTIMIZER_RADAM, 0.001},
        {"{\"type\":\"adamax\"}", OPTIMIZER_ADAMAX, 0.002},
        {"{\"type\":\"lion\"}", OPTIMIZER_LION, 0.0001},
        {"{\"type\":\"schedule_free_sgd\"}", OPTIMIZER_SCHEDULE_FREE_SGD, 1},
        {"{\"type\":\"schedule_free_adamw\"}", OPTIMIZER_SCHEDULE_FREE_ADAMW, 0.0025},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct job job;
        char body[256];

        (void)snprintf(body, sizeof body, "{" BLOBS "," SOFTMAX ",\"optimizer\":%s}", ROWS[i].optimizer);
        assert_int_equal(job_decode(&job, body), STATUS_OK);
        assert_int_equal(job.request.train.optimizer.type, ROWS[i].type);
        assert_close(job.request.train.optimizer.learning_rate, ROWS[i].learning_rate, 0, 0);
        assert_close(job.request.train.optimizer.momentum, 0, 0, 0);
        assert_int_equal(job.request.train.optimizer.nesterov, NESTEROV_NONE);
        job_release(&job);
    }
}

static void gd_takes_the_full_batch_unless_one_is_given(void **state)
{
    struct job job;
    char *text;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"optimizer\":{\"type\":\"gd\"}}"), STATUS_OK);
    assert_int_equal(job.request.train.batch_size, 300);
    text = job_encode(&job);
    assert_non_null(strstr(text, "\"batch_size\":\"full\""));
    assert_non_null(strstr(text, "\"type\":\"sgd\""));
    free(text);
    job_release(&job);
    assert_int_equal(
        job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"optimizer\":{\"type\":\"gd\"},\"training\":{\"batch_size\":7}}"),
        STATUS_OK);
    assert_int_equal(job.request.train.batch_size, 7);
    job_release(&job);
}

static void weights_start_as_the_activation_needs(void **state)
{
    static const struct {
        const char *model;
        enum initializer initializer;
    } ROWS[] = {
        {"{\"type\":\"softmax_regression\"}", INIT_ZEROS},
        {"{\"type\":\"mlp\",\"hidden\":[4]}", INIT_HE_NORMAL},
        {"{\"type\":\"mlp\",\"hidden\":[4],\"activation\":\"leaky_relu\"}", INIT_HE_NORMAL},
        {"{\"type\":\"mlp\",\"hidden\":[4],\"activation\":\"tanh\"}", INIT_GLOROT_UNIFORM},
        {"{\"type\":\"mlp\",\"hidden\":[4],\"activation\":\"sigmoid\"}", INIT_GLOROT_UNIFORM},
        {"{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\"}]}", INIT_ZEROS},
        {"{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\",\"units\":3},{\"type\":\"relu\"},{\"type\":\"dense\"}]}",
         INIT_HE_NORMAL},
        {"{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\",\"units\":3},{\"type\":\"dense\"}]}", INIT_GLOROT_UNIFORM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct job job;
        char body[256];

        (void)snprintf(body, sizeof body, "{" BLOBS ",\"model\":%s}", ROWS[i].model);
        assert_int_equal(job_decode(&job, body), STATUS_OK);
        assert_int_equal(job.request.train.initializer, ROWS[i].initializer);
        job_release(&job);
    }
}

static void a_small_data_set_is_one_batch(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" MOONS "," SOFTMAX "}"), STATUS_OK);
    assert_int_equal(job.request.train.batch_size, 50);
    job_release(&job);
}

static void an_mlp_becomes_its_layers(void **state)
{
    static const enum layer_type WANTED[] = {LAYER_DENSE, LAYER_TANH,    LAYER_DROPOUT, LAYER_DENSE,
                                             LAYER_TANH,  LAYER_DROPOUT, LAYER_DENSE};
    struct job job;
    const struct model_spec *model = &job.request.train.model;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[5,4],\"activation\":\"tanh\","
                                       "\"dropout\":0.25}}"),
                     STATUS_OK);
    assert_int_equal(model->layer_count, 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(model->layers[i].type, WANTED[i]);
    }
    assert_int_equal(model->layers[3].units, 4);
    assert_close(model->layers[2].rate, 0.25, 0, 0);
    assert_int_equal(model->layers[6].units, 3);
    job_release(&job);
}

static void the_last_dense_layer_gets_the_classes(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job,
                                 "{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\",\"units\":8},"
                                 "{\"type\":\"leaky_relu\",\"slope\":0.2},{\"type\":\"dropout\",\"rate\":0.5},"
                                 "{\"type\":\"dense\"}]}}"),
                     STATUS_OK);
    assert_int_equal(job.request.train.model.layers[3].units, 3);
    assert_close(job.request.train.model.layers[1].slope, 0.2, 0, 0);
    job_release(&job);
}

/* total steps 300 / 1 * 1000 = 300,000: auto makes 2,000 points, 2 would make 150,000. */
static void curves_have_about_2000_points_and_never_too_many(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"training\":{\"epochs\":1000,\"batch_size\":1}}"),
                     STATUS_OK);
    assert_int_equal(job.request.train.log_every_steps, 150);
    job_release(&job);
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"training\":{\"epochs\":1000,\"batch_size\":1},"
                                       "\"stop\":{\"max_steps\":2001}}"),
                     STATUS_OK);
    assert_int_equal(job.request.train.log_every_steps, 2);
    job_release(&job);
    assert_int_equal(
        job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"training\":{\"epochs\":1000,\"batch_size\":1,\"log_every_steps\":3}}"),
        STATUS_OK);
    job_release(&job);
    assert_int_not_equal(
        job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"training\":{\"epochs\":1000,\"batch_size\":1,\"log_every_steps\":2}}"),
        STATUS_OK);
    assert_true(refusal_is_only(&job.problem, STATUS_OUT_OF_RANGE, "/training/log_every_steps"));
    job_release(&job);
    assert_int_equal(
        job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"training\":{\"epochs\":1000,\"batch_size\":1,\"eval_every\":3}}"),
        STATUS_OK);
    job_release(&job);
    assert_int_not_equal(
        job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"training\":{\"epochs\":1000,\"batch_size\":1,\"eval_every\":2}}"),
        STATUS_OK);
    assert_true(refusal_is_only(&job.problem, STATUS_OUT_OF_RANGE, "/training/eval_every"));
    job_release(&job);
}

/* An epoch of one step would otherwise make a point of each of ten million. */
static void many_short_epochs_make_few_points(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"training\":{\"epochs\":10000000,\"batch_size\":\"full\"}}"),
                     STATUS_OK);
    assert_int_equal(job.request.train.log_every_steps, 5000);
    assert_int_equal(train_spec_points(&job.request.train, 1, 10000000), 2000);
    job_release(&job);
}

static void early_stopping_watches_what_there_is(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"stop\":{\"early\":{}}}"), STATUS_OK);
    assert_int_equal(job.request.train.stop.early, 1);
    assert_int_equal(job.request.train.stop.patience, 3);
    assert_int_equal(job.request.train.stop.early_metric, METRIC_TRAIN_LOSS);
    job_release(&job);
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"split\":{\"validation\":0.2},\"stop\":{\"early\":{}}}"),
                     STATUS_OK);
    assert_int_equal(job.request.train.stop.early_metric, METRIC_VALIDATION_LOSS);
    job_release(&job);
    assert_int_not_equal(
        job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"stop\":{\"early\":{\"metric\":\"validation_accuracy\"}}}"), STATUS_OK);
    assert_true(refusal_is_only(&job.problem, STATUS_CONFLICTING_FIELDS, "/stop/early/metric"));
    job_release(&job);
}

static void a_temperature_is_fitted_where_there_are_rows_to_validate_on(void **state)
{
    struct job job;
    char *text;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"split\":{\"validation\":0.2}}"), STATUS_OK);
    assert_int_equal(job.request.calibration, CALIBRATION_TEMPERATURE);
    text = job_encode(&job);
    assert_non_null(strstr(text, "\"calibration\":\"temperature\""));
    free(text);
    job_release(&job);
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"split\":{\"validation\":0.2},\"calibration\":\"none\"}"),
                     STATUS_OK);
    assert_int_equal(job.request.calibration, CALIBRATION_NONE);
    job_release(&job);
    assert_int_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"calibration\":\"auto\"}"), STATUS_OK);
    assert_int_equal(job.request.calibration, CALIBRATION_NONE);
    job_release(&job);
    assert_int_not_equal(job_resolve(&job, "{" BLOBS "," SOFTMAX ",\"calibration\":\"temperature\"}"), STATUS_OK);
    assert_true(refusal_is_only(&job.problem, STATUS_CONFLICTING_FIELDS, "/calibration"));
    job_release(&job);
}

static void balanced_weights_come_from_the_training_rows(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job, "{\"dataset\":{\"x\":[[1],[2],[3],[4]],\"y\":[\"a\",\"a\",\"a\",\"b\"]}," SOFTMAX
                                       ",\"loss\":{\"class_weights\":\"balanced\"}}"),
                     STATUS_OK);
    assert_close(job.request.train.loss.class_weights[0], 4.0 / (2 * 3), 1e-15, 0);
    assert_close(job.request.train.loss.class_weights[1], 4.0 / (2 * 1), 1e-15, 0);
    job_release(&job);
}

/* ---- data in the request ---- */

static void inline_rows_become_a_data_set(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job, "{\"dataset\":{\"y\":[\"oak\",7,\"oak\"],\"x\":[[1,2.5],[3,4],[5,-6]]}," SOFTMAX "}"),
                     STATUS_OK);
    assert_int_equal(job.request.dataset.type, DATASET_REF_INLINE);
    assert_int_equal(job.dataset.rows, 3);
    assert_int_equal(job.dataset.features, 2);
    assert_int_equal(job.dataset.classes, 2);
    assert_string_equal(job.dataset.class_names[0], "7");
    assert_string_equal(job.dataset.class_names[1], "oak");
    assert_int_equal(job.dataset.labels[1], 0);
    assert_close((double)((const float *)job.dataset.x)[5], -6, 0, 0);
    job_release(&job);
}

static void inline_rows_may_have_soft_labels(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job, "{\"dataset\":{\"x\":[[1],[2]],\"y\":[[0.25,0.75],[1,0]]}," SOFTMAX "}"), STATUS_OK);
    assert_int_equal(job.dataset.label_type, LABEL_SOFT);
    assert_close((double)job.dataset.soft_labels[1], 0.75, 0, 0);
    job_release(&job);
}

/* More numbers than a tree may have nodes. */
static void many_inline_rows_are_no_nodes(void **state)
{
    size_t rows = 30000, at = 0, room = rows * 32;
    char *body = malloc(room);
    struct job job;

    (void)state;
    assert_non_null(body);
    at += (size_t)snprintf(body + at, room - at, "{" SOFTMAX ",\"dataset\":{\"x\":[");
    for (size_t i = 0; i < rows; i++) {
        at += (size_t)snprintf(body + at, room - at, "%s[%zu,1]", i > 0 ? "," : "", i);
    }
    at += (size_t)snprintf(body + at, room - at, "],\"y\":[");
    for (size_t i = 0; i < rows; i++) {
        at += (size_t)snprintf(body + at, room - at, "%s%zu", i > 0 ? "," : "", i % 3);
    }
    (void)snprintf(body + at, room - at, "]}}");
    assert_int_equal(job_resolve(&job, body), STATUS_OK);
    assert_int_equal(job.dataset.rows, rows);
    job_release(&job);
    free(body);
}

/* ---- the spec comes back ---- */

static const char *const COMPLETE[] = {
    "{" BLOBS "," SOFTMAX "}",
    "{" MOONS ",\"model\":{\"type\":\"logistic_regression\"},\"optimizer\":{\"type\":\"gd\",\"nesterov\":\"lecture\","
    "\"momentum\":0.5}}",
    "{\"name\":\"a "
    "b\",\"dataset\":{\"generator\":\"rings\",\"n\":500,\"classes\":5,\"noise\":0.3,\"seed\":\"0xdeadbeefcafef00d\"},"
    "\"split\":{\"validation\":0.1,\"test\":0.2,\"stratified\":false},\"model\":{\"type\":\"mlp\",\"hidden\":[16,8],"
    "\"activation\":\"sigmoid\",\"dropout\":0.1},\"init\":\"he_uniform\",\"preprocessing\":\"minmax\",\"loss\":{\"type\":"
    "\"cross_entropy\",\"label_smoothing\":0.1,\"class_weights\":[1,2,0.1,3,4],\"class_weight_reduction\":\"mean\",\"l2\":"
    "1e-3},"
    "\"optimizer\":{\"type\":\"rmsprop\",\"learning_rate\":0.1,\"centered\":true},\"schedule\":{\"type\":\"step\","
    "\"every_epochs\":3,\"factor\":0.5,\"warmup_steps\":7},\"training\":{\"epochs\":3,\"batch_size\":9,\"shuffle\":"
    "\"with_replacement\",\"seed\":\"18446744073709551615\",\"shards\":1,\"clip_norm\":2.5,\"eval_every\":11,"
    "\"log_every_steps\":13},\"stop\":{\"gradient_norm\":1e-3,\"max_steps\":100,\"max_seconds\":1.5,\"early\":{\"metric\":"
    "\"train_accuracy\",\"patience\":5,\"min_delta\":0.25}},\"checkpoint\":{\"every_seconds\":null,\"every_steps\":5,"
    "\"keep\":3},"
    "\"resources\":{\"threads\":3,\"priority\":-7},\"metadata\":{\"team\":\"a\\\"\\u00e9\",\"\\n\":\"\"}}",
    "{\"dataset\":{\"x\":[[1,0.1],[2,1e-30],[3,3]],\"y\":[\"a\\\"\",1,\"\\u00e9\"]},\"model\":{\"type\":\"layers\","
    "\"layers\":["
    "{\"type\":\"dense\",\"units\":4},{\"type\":\"leaky_relu\"},{\"type\":\"dropout\",\"rate\":0.5},{\"type\":\"dense\"}]},"
    "\"loss\":{\"class_weights\":\"balanced\"},\"test\":{\"dataset\":\"ds_0123456789abcdefghij\"}}",
    "{\"dataset\":{\"x\":[[1],[2]],\"y\":[[0.3,0.7],[1,0]]}," SOFTMAX ",\"optimizer\":{\"type\":\"adamw\"},"
    "\"schedule\":{\"type\":\"cosine\"}}",
    "{" BLOBS "," SOFTMAX ",\"optimizer\":{\"type\":\"adam\",\"amsgrad\":true},\"schedule\":{\"type\":\"linear\","
    "\"final_learning_rate\":1e-5}}",
    "{" BLOBS "," SOFTMAX ",\"optimizer\":{\"type\":\"adagrad\",\"lr_decay\":0.01},\"training\":{\"batch_size\":\"full\"}}",
};

static void a_resolved_spec_decodes_into_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof COMPLETE / sizeof *COMPLETE; i++) {
        struct job first, stored, again;
        char *spec, *from_store, *twice;

        assert_int_equal(job_resolve(&first, COMPLETE[i]), STATUS_OK);
        spec = job_encode(&first);

        /* as the store reads it: decoded, not resolved */
        assert_int_equal(job_decode(&stored, spec), STATUS_OK);
        from_store = job_encode(&stored);
        assert_string_equal(from_store, spec);
        assert_string_equal(stored.request.expect_dataset_sha256, "abc");
        assert_string_equal(stored.request.expect_kernel_tier, "tier");

        /* as a client posts it */
        assert_int_equal(job_resolve(&again, spec), STATUS_OK);
        twice = job_encode(&again);
        assert_string_equal(twice, spec);
        assert_memory_equal(&again.request.train.model, &first.request.train.model, sizeof first.request.train.model);
        assert_memory_equal(&again.request.train.optimizer, &first.request.train.optimizer,
                            sizeof first.request.train.optimizer);
        assert_true(again.request.train.seed == first.request.train.seed);
        assert_int_equal(again.request.train.batch_size, first.request.train.batch_size);
        if (first.request.dataset.type == DATASET_REF_INLINE) {
            assert_int_equal(again.request.dataset.block.size, first.request.dataset.block.size);
            assert_memory_equal(again.request.dataset.block.data, first.request.dataset.block.data,
                                first.request.dataset.block.size);
        }
        free(spec);
        free(from_store);
        free(twice);
        job_release(&first);
        job_release(&stored);
        job_release(&again);
    }
}

static void a_resolved_spec_has_every_default_filled_in(void **state)
{
    static const char WANTED[] =
        "{\"dataset\":{\"generator\":\"moons\",\"n\":50,\"classes\":2,\"noise\":0.1,\"seed\":0},\"split\":{\"validation\":0,"
        "\"test\":0,\"stratified\":true},\"model\":{\"type\":\"softmax_regression\"},\"init\":\"zeros\",\"preprocessing\":"
        "\"standardize\",\"loss\":{\"label_smoothing\":0,\"class_weight_reduction\":\"weighted_mean\",\"l2\":0,\"type\":"
        "\"cross_entropy\",\"class_weights\":null},\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.05,\"momentum\":0.9,"
        "\"nesterov\":\"lookahead\",\"weight_decay\":0},\"schedule\":{\"type\":\"constant\",\"warmup_steps\":0},"
        "\"training\":{"
        "\"epochs\":10,\"batch_size\":50,\"shuffle\":\"every_epoch\",\"seed\":0,\"clip_norm\":null,\"eval_every\":\"epoch\","
        "\"log_every_steps\":1,\"shards\":1},\"stop\":{\"gradient_norm\":null,\"max_steps\":null,\"max_seconds\":null,"
        "\"early\":null},\"calibration\":\"none\",\"checkpoint\":{\"every_seconds\":30,\"every_steps\":null,\"keep\":2},"
        "\"resources\":{\"threads\":"
        "\"auto\",\"priority\":0},\"metadata\":{},\"expect\":{\"dataset_sha256\":\"abc\",\"kernel_tier\":\"tier\"}}";
    struct job job;
    char *text;

    (void)state;
    assert_int_equal(job_resolve(&job, "{" MOONS "," SOFTMAX "}"), STATUS_OK);
    text = job_encode(&job);
    assert_string_equal(text, WANTED);
    free(text);
    job_release(&job);
}

/* ---- refusals ---- */

/* Members beside a good data set and model, or a whole body where it begins with '{'. */
static const struct {
    const char *members;
    enum status status;
    const char *pointer;
} MEANINGLESS[] = {
    {"\"epocs\":3", STATUS_UNKNOWN_FIELD, "/epocs"},
    {"\"NAME\":\"x\"", STATUS_UNKNOWN_FIELD, "/NAME"},
    {"\"diagnostics\":\"sharpness\"", STATUS_TYPE_MISMATCH, "/diagnostics"},
    {"\"diagnostics\":[\"sharpnes\"]", STATUS_UNKNOWN_VALUE, "/diagnostics/0"},
    {"\"diagnostics\":[\"sharpness\",7]", STATUS_TYPE_MISMATCH, "/diagnostics/1"},
    {"\"diagnostics\":[\"sharpness\",\"update_ratio\",\"sharpness\"]", STATUS_CONFLICTING_FIELDS, "/diagnostics/2"},
    {"\"kind\":\"range_test\"", STATUS_UNKNOWN_VALUE, "/kind"},
    {"\"range\":{}", STATUS_CONFLICTING_FIELDS, "/range"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"steps\":99}", STATUS_OUT_OF_RANGE, "/range/steps"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"steps\":501}", STATUS_OUT_OF_RANGE, "/range/steps"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"start\":0}", STATUS_OUT_OF_RANGE, "/range/start"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"start\":0.5,\"end\":0.5}", STATUS_OUT_OF_RANGE, "/range/end"},
    {"\"kind\":\"lr_range_test\",\"range\":{\"step\":200}", STATUS_UNKNOWN_FIELD, "/range/step"},
    {"\"precision\":\"bf16\"", STATUS_NOT_SUPPORTED, "/precision"},
    {"\"name\":\"../x\"", STATUS_NAME_INVALID, "/name"},
    {"\"init\":{}", STATUS_MISSING_FIELD, "/init/model"},
    {"\"init\":\"ones\"", STATUS_UNKNOWN_VALUE, "/init"},
    {"\"init\":1", STATUS_TYPE_MISMATCH, "/init"},
    {"\"preprocessing\":\"whiten\"", STATUS_UNKNOWN_VALUE, "/preprocessing"},
    {"\"calibration\":\"isotonic\"", STATUS_UNKNOWN_VALUE, "/calibration"},
    {"\"calibration\":null", STATUS_TYPE_MISMATCH, "/calibration"},
    {"\"split\":3", STATUS_TYPE_MISMATCH, "/split"},
    {"\"split\":{\"validation\":1.5}", STATUS_OUT_OF_RANGE, "/split/validation"},
    {"\"split\":{\"validation\":0.5,\"test\":0.5}", STATUS_OUT_OF_RANGE, "/split"},
    {"\"split\":{\"test\":0.5},\"test\":{\"dataset\":\"ds_0123456789abcdefghij\"}", STATUS_CONFLICTING_FIELDS,
     "/split/test"},
    {"\"test\":{}", STATUS_MISSING_FIELD, "/test/dataset"},
    {"\"test\":{\"dataset\":3}", STATUS_TYPE_MISMATCH, "/test/dataset"},
    {"\"loss\":{\"type\":\"hinge\"}", STATUS_UNKNOWN_VALUE, "/loss/type"},
    {"\"loss\":{\"label_smoothing\":1}", STATUS_OUT_OF_RANGE, "/loss/label_smoothing"},
    {"\"loss\":{\"l2\":-1}", STATUS_OUT_OF_RANGE, "/loss/l2"},
    {"\"loss\":{\"class_weights\":\"even\"}", STATUS_UNKNOWN_VALUE, "/loss/class_weights"},
    {"\"loss\":{\"class_weights\":7}", STATUS_TYPE_MISMATCH, "/loss/class_weights"},
    {"\"loss\":{\"class_weights\":[1]}", STATUS_OUT_OF_RANGE, "/loss/class_weights"},
    {"\"loss\":{\"class_weights\":[1,0]}", STATUS_OUT_OF_RANGE, "/loss/class_weights/1"},
    {"\"loss\":{\"class_weights\":[1,\"2\"]}", STATUS_TYPE_MISMATCH, "/loss/class_weights/1"},
    {"\"optimizer\":\"sgd\"", STATUS_TYPE_MISMATCH, "/optimizer"},
    {"\"optimizer\":{\"type\":\"adma\"}", STATUS_UNKNOWN_VALUE, "/optimizer/type"},
    {"\"optimizer\":{\"type\":3}", STATUS_TYPE_MISMATCH, "/optimizer/type"},
    {"\"optimizer\":{\"learning_rate\":0}", STATUS_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"learning_rate\":-0.1}", STATUS_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"learning_rate\":1e300}", STATUS_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"learning_rate\":5e-324}", STATUS_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"learning_rate\":1e999}", STATUS_NUMBER_OUT_OF_RANGE, "/optimizer/learning_rate"},
    {"\"optimizer\":{\"momentum\":1}", STATUS_OUT_OF_RANGE, "/optimizer/momentum"},
    {"\"optimizer\":{\"beta1\":0.9}", STATUS_UNKNOWN_FIELD, "/optimizer/beta1"},
    {"\"optimizer\":{\"nesterov\":\"lookback\"}", STATUS_UNKNOWN_VALUE, "/optimizer/nesterov"},
    {"\"optimizer\":{\"type\":\"nadam\",\"momentum_decay\":-1}", STATUS_OUT_OF_RANGE, "/optimizer/momentum_decay"},
    {"\"optimizer\":{\"type\":\"lion\",\"epsilon\":1e-8}", STATUS_UNKNOWN_FIELD, "/optimizer/epsilon"},
    {"\"optimizer\":{\"type\":\"schedule_free_sgd\",\"beta\":0}", STATUS_OUT_OF_RANGE, "/optimizer/beta"},
    {"\"optimizer\":{\"type\":\"schedule_free_sgd\",\"beta\":1}", STATUS_OUT_OF_RANGE, "/optimizer/beta"},
    {"\"optimizer\":{\"type\":\"schedule_free_adamw\",\"beta1\":0}", STATUS_OUT_OF_RANGE, "/optimizer/beta1"},
    {"\"optimizer\":{\"type\":\"schedule_free_sgd\"},\"schedule\":{\"type\":\"cosine\"}", STATUS_CONFLICTING_FIELDS,
     "/schedule/type"},
    {"\"optimizer\":{\"type\":\"schedule_free_adamw\"},\"schedule\":{\"warmup_steps\":5}", STATUS_CONFLICTING_FIELDS,
     "/schedule/warmup_steps"},
    {"\"optimizer\":{\"type\":\"muon\",\"ns_steps\":0}", STATUS_OUT_OF_RANGE, "/optimizer/ns_steps"},
    {"\"optimizer\":{\"type\":\"muon\",\"nesterov\":\"lecture\"}", STATUS_TYPE_MISMATCH, "/optimizer/nesterov"},
    {"\"optimizer\":{\"type\":\"muon\",\"muon_nesterov\":true}", STATUS_UNKNOWN_FIELD, "/optimizer/muon_nesterov"},
    {"\"schedule\":{\"type\":\"sawtooth\"}", STATUS_UNKNOWN_VALUE, "/schedule/type"},
    {"\"schedule\":{\"type\":\"step\"}", STATUS_MISSING_FIELD, "/schedule/every_epochs"},
    {"\"schedule\":null", STATUS_TYPE_MISMATCH, "/schedule"},
    {"\"training\":{\"epochs\":\"3\"}", STATUS_TYPE_MISMATCH, "/training/epochs"},
    {"\"training\":{\"epochs\":0}", STATUS_OUT_OF_RANGE, "/training/epochs"},
    {"\"training\":{\"epochs\":-1}", STATUS_OUT_OF_RANGE, "/training/epochs"},
    {"\"training\":{\"epochs\":2.5}", STATUS_NOT_INTEGER, "/training/epochs"},
    {"\"training\":{\"epochs\":1e9}", STATUS_OUT_OF_RANGE, "/training/epochs"},
    {"\"training\":{\"epochs\":9007199254740993}", STATUS_INTEGER_NOT_EXACT, "/training/epochs"},
    {"\"training\":{\"batch_size\":0}", STATUS_OUT_OF_RANGE, "/training/batch_size"},
    {"\"training\":{\"batch_size\":\"half\"}", STATUS_TYPE_MISMATCH, "/training/batch_size"},
    {"\"training\":{\"shuffle\":\"often\"}", STATUS_UNKNOWN_VALUE, "/training/shuffle"},
    {"\"training\":{\"seed\":9007199254740993}", STATUS_SEED_INVALID, "/training/seed"},
    {"\"training\":{\"shards\":2}", STATUS_NOT_SUPPORTED, "/training/shards"},
    {"\"training\":{\"shards\":0}", STATUS_OUT_OF_RANGE, "/training/shards"},
    {"\"training\":{\"clip_norm\":0}", STATUS_OUT_OF_RANGE, "/training/clip_norm"},
    {"\"training\":{\"eval_every\":\"step\"}", STATUS_TYPE_MISMATCH, "/training/eval_every"},
    {"\"stop\":{\"early\":{\"metric\":\"luck\"}}", STATUS_UNKNOWN_VALUE, "/stop/early/metric"},
    {"\"stop\":{\"early\":{\"patience\":0}}", STATUS_OUT_OF_RANGE, "/stop/early/patience"},
    {"\"stop\":{\"early\":true}", STATUS_TYPE_MISMATCH, "/stop/early"},
    {"\"stop\":{\"max_steps\":0}", STATUS_OUT_OF_RANGE, "/stop/max_steps"},
    {"\"checkpoint\":{\"keep\":0}", STATUS_OUT_OF_RANGE, "/checkpoint/keep"},
    {"\"resources\":{\"threads\":65}", STATUS_OUT_OF_RANGE, "/resources/threads"},
    {"\"resources\":{\"priority\":101}", STATUS_OUT_OF_RANGE, "/resources/priority"},
    {"\"metadata\":[]", STATUS_TYPE_MISMATCH, "/metadata"},
    {"\"metadata\":{\"a/b\":3}", STATUS_TYPE_MISMATCH, "/metadata/a~1b"},
    {"\"metadata\":{\"\":\"x\"}", STATUS_NAME_INVALID, "/metadata/"},
    {"\"expect\":{\"kernel_tier\":3}", STATUS_TYPE_MISMATCH, "/expect/kernel_tier"},
    {"\"expect\":{\"dataset_sha256\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
     STATUS_STRING_TOO_LONG, "/expect/dataset_sha256"},

    {"{" BLOBS "}", STATUS_MISSING_FIELD, "/model"},
    {"{" SOFTMAX "}", STATUS_MISSING_FIELD, "/dataset"},
    {"{" BLOBS ",\"model\":\"mlp\"}", STATUS_TYPE_MISMATCH, "/model"},
    {"{" BLOBS ",\"model\":{}}", STATUS_MISSING_FIELD, "/model/type"},
    {"{" BLOBS ",\"model\":{\"type\":\"forest\"}}", STATUS_UNKNOWN_VALUE, "/model/type"},
    {"{" BLOBS ",\"model\":{\"type\":\"softmax_regression\",\"hidden\":[3]}}", STATUS_UNKNOWN_FIELD, "/model/hidden"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\"}}", STATUS_MISSING_FIELD, "/model/hidden"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":3}}", STATUS_TYPE_MISMATCH, "/model/hidden"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[]}}", STATUS_OUT_OF_RANGE, "/model/hidden"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[4,1000000]}}", STATUS_OUT_OF_RANGE, "/model/hidden/1"},
    {"{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[4],\"dropout\":1}}", STATUS_OUT_OF_RANGE, "/model/dropout"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[]}}", STATUS_OUT_OF_RANGE, "/model/layers"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"relu\"}]}}", STATUS_CONFLICTING_FIELDS,
     "/model/layers/0/type"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\"},{\"type\":\"dense\"}]}}",
     STATUS_MISSING_FIELD, "/model/layers/0/units"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dropout\"},{\"type\":\"dense\"}]}}",
     STATUS_MISSING_FIELD, "/model/layers/0/rate"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"gelu\"},{\"type\":\"dense\"}]}}",
     STATUS_NOT_SUPPORTED, "/model/layers/0/type"},
    {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[7,{\"type\":\"dense\"}]}}", STATUS_TYPE_MISMATCH,
     "/model/layers/0"},

    {"{" SOFTMAX ",\"dataset\":3}", STATUS_TYPE_MISMATCH, "/dataset"},
    {"{" SOFTMAX ",\"dataset\":{}}", STATUS_MISSING_FIELD, "/dataset/generator"},
    {"{" SOFTMAX ",\"dataset\":{\"generator\":\"cubes\"}}", STATUS_UNKNOWN_VALUE, "/dataset/generator"},
    {"{" SOFTMAX ",\"dataset\":{\"generator\":\"moons\",\"classes\":3}}", STATUS_OUT_OF_RANGE, "/dataset/classes"},
    {"{" SOFTMAX ",\"dataset\":{\"generator\":\"blobs\",\"n\":2,\"classes\":3}}", STATUS_OUT_OF_RANGE, "/dataset/n"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1]]}}", STATUS_MISSING_FIELD, "/dataset/y"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":3,\"y\":[1]}}", STATUS_TYPE_MISMATCH, "/dataset/x"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[],\"y\":[]}}", STATUS_DATASET_EMPTY, "/dataset/x"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1,2],[1]],\"y\":[\"a\",\"b\"]}}", STATUS_FEATURE_COUNT_MISMATCH, "/dataset/x/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1,2],[1,\"z\"]],\"y\":[\"a\",\"b\"]}}", STATUS_TYPE_MISMATCH, "/dataset/x/1/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[1e40]],\"y\":[\"a\",\"b\"]}}", STATUS_NUMBER_OUT_OF_RANGE, "/dataset/x/1/0"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\"]}}", STATUS_ROW_COUNT_MISMATCH, "/dataset/y"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",null]}}", STATUS_TYPE_MISMATCH, "/dataset/y/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",\"\"]}}", STATUS_LABEL_INVALID, "/dataset/y/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[\"a\",\"a\"]}}", STATUS_LABELS_SINGLE_CLASS, "/dataset/y"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[[1,0],[1]]}}", STATUS_CLASS_COUNT_MISMATCH, "/dataset/y/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[[1,0],[0.5,0.1]]}}", STATUS_SOFT_LABEL_INVALID, "/dataset/y/1"},
    {"{" SOFTMAX ",\"dataset\":{\"x\":[[1],[2]],\"y\":[1,2],\"z\":3}}", STATUS_UNKNOWN_FIELD, "/dataset/z"},
    {"[]", STATUS_TYPE_MISMATCH, ""},
    {"3", STATUS_TYPE_MISMATCH, ""},
    {"null", STATUS_TYPE_MISMATCH, ""},
};

static void what_means_nothing_is_refused_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof MEANINGLESS / sizeof *MEANINGLESS; i++) {
        int whole = strncmp(MEANINGLESS[i].members, "\"", 1) != 0;
        struct job job;
        char body[512];

        (void)snprintf(body, sizeof body, whole ? "%s" : "{" BLOBS "," SOFTMAX ",%s}", MEANINGLESS[i].members);
        (void)job_decode(&job, body);
        assert_int_equal(job.problem.status, STATUS_VALIDATION_FAILED);
        if (!refusal_is_only(&job.problem, MEANINGLESS[i].status, MEANINGLESS[i].pointer)) {
            fail_msg("%s", MEANINGLESS[i].members);
        }
        job_release(&job);
    }
}

static void what_does_not_fit_the_data_is_refused(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *pointer;
    } ROWS[] = {
        {"{" BLOBS "," SOFTMAX ",\"training\":{\"batch_size\":301}}", STATUS_BATCH_TOO_LARGE, "/training/batch_size"},
        {"{" BLOBS ",\"model\":{\"type\":\"logistic_regression\"}}", STATUS_CLASS_COUNT_MISMATCH, "/model/type"},
        {"{" BLOBS ",\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\",\"units\":5}]}}",
         STATUS_CLASS_COUNT_MISMATCH, "/model/layers/0/units"},
        {"{" BLOBS "," SOFTMAX ",\"loss\":{\"class_weights\":[1,2]}}", STATUS_CLASS_COUNT_MISMATCH, "/loss/class_weights"},
        {"{" BLOBS "," SOFTMAX ",\"optimizer\":{\"type\":\"muon\"}}", STATUS_CONFLICTING_FIELDS, "/optimizer/type"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct job job;

        assert_int_equal(job_resolve(&job, ROWS[i].body), STATUS_VALIDATION_FAILED);
        assert_true(refusal_is_only(&job.problem, ROWS[i].status, ROWS[i].pointer));
        assert_int_equal(problem_http_status(&job.problem), 422);
        job_release(&job);
    }
}

static void an_id_that_cannot_be_one_is_not_found(void **state)
{
    static const char *const IDS[] = {
        "", "nope", "ds_", "ds_0123456789ABCDEFGHIJ", "mdl_0123456789abcdefghij", "ds_0123456789abcdefghijk"};

    (void)state;
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++) {
        struct job job;
        char body[128];

        (void)snprintf(body, sizeof body, "{\"dataset\":\"%s\"," SOFTMAX "}", IDS[i]);
        assert_int_equal(job_decode(&job, body), STATUS_DATASET_NOT_FOUND);
        assert_int_equal(problem_http_status(&job.problem), 404);
        assert_string_equal(job.problem.whole.pointer, "/dataset");
        job_release(&job);
    }
}

static void metadata_is_limited(void **state)
{
    char body[2048];
    size_t at;
    struct job job;

    (void)state;
    for (int members = 16; members <= 17; members++) {
        at = (size_t)snprintf(body, sizeof body, "{" BLOBS "," SOFTMAX ",\"metadata\":{");
        for (int i = 0; i < members; i++) {
            at += (size_t)snprintf(body + at, sizeof body - at, "%s\"k%d\":\"v\"", i > 0 ? "," : "", i);
        }
        (void)snprintf(body + at, sizeof body - at, "}}");
        assert_int_equal(job_decode(&job, body), members == 16 ? STATUS_OK : STATUS_VALIDATION_FAILED);
        job_release(&job);
    }
    for (int length = 512; length <= 513; length++) {
        (void)snprintf(body, sizeof body, "{" BLOBS "," SOFTMAX ",\"metadata\":{\"k\":\"%0*d\"}}", length, 0);
        assert_int_equal(job_decode(&job, body), length == 512 ? STATUS_OK : STATUS_VALIDATION_FAILED);
        job_release(&job);
    }
}

static void all_errors_come_at_once(void **state)
{
    static const struct {
        enum status status;
        const char *pointer;
    } WANTED[] = {
        {STATUS_OUT_OF_RANGE, "/model/hidden/0"},
        {STATUS_UNKNOWN_VALUE, "/model/activation"},
        {STATUS_UNKNOWN_FIELD, "/optimizer/learning_rat"},
        {STATUS_OUT_OF_RANGE, "/optimizer/momentum"},
        {STATUS_OUT_OF_RANGE, "/training/batch_size"},
        {STATUS_TYPE_MISMATCH, "/training/epochs"},
        {STATUS_SEED_INVALID, "/training/seed"},
        {STATUS_UNKNOWN_VALUE, "/stop/early/metric"},
        {STATUS_UNKNOWN_FIELD, "/surprise"},
    };
    struct job job;

    (void)state;
    assert_int_equal(job_decode(&job, "{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[0],\"activation\":\"step\"},"
                                      "\"optimizer\":{\"learning_rat\":0.1,\"momentum\":2},\"training\":{\"batch_size\":0,"
                                      "\"epochs\":\"many\",\"seed\":-1},\"stop\":{\"early\":{\"metric\":\"luck\"}},"
                                      "\"surprise\":1}"),
                     STATUS_VALIDATION_FAILED);
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        assert_non_null(refusal_find(&job.problem, WANTED[i].status, WANTED[i].pointer));
    }
    assert_int_equal(job.problem.field_total, sizeof WANTED / sizeof *WANTED);
    assert_non_null(
        strstr(refusal_find(&job.problem, STATUS_UNKNOWN_FIELD, "/optimizer/learning_rat")->detail, "learning_rate"));
    job_release(&job);
}

static void what_is_no_json_is_told_with_its_byte(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_decode(&job, "{\"dataset\": 01}"), STATUS_JSON_INVALID);
    assert_int_equal(job.problem.whole.has_offset, 1);
    assert_int_equal(job.problem.whole.offset, 13);
    job_release(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_dataset_and_model_are_needed),
        cmocka_unit_test(an_optimizer_that_is_given_has_its_own_defaults),
        cmocka_unit_test(gd_takes_the_full_batch_unless_one_is_given),
        cmocka_unit_test(weights_start_as_the_activation_needs),
        cmocka_unit_test(a_small_data_set_is_one_batch),
        cmocka_unit_test(an_mlp_becomes_its_layers),
        cmocka_unit_test(the_last_dense_layer_gets_the_classes),
        cmocka_unit_test(curves_have_about_2000_points_and_never_too_many),
        cmocka_unit_test(many_short_epochs_make_few_points),
        cmocka_unit_test(early_stopping_watches_what_there_is),
        cmocka_unit_test(a_temperature_is_fitted_where_there_are_rows_to_validate_on),
        cmocka_unit_test(balanced_weights_come_from_the_training_rows),
        cmocka_unit_test(inline_rows_become_a_data_set),
        cmocka_unit_test(inline_rows_may_have_soft_labels),
        cmocka_unit_test(many_inline_rows_are_no_nodes),
        cmocka_unit_test(a_resolved_spec_decodes_into_itself),
        cmocka_unit_test(a_resolved_spec_has_every_default_filled_in),
        cmocka_unit_test(what_means_nothing_is_refused_at_its_place),
        cmocka_unit_test(what_does_not_fit_the_data_is_refused),
        cmocka_unit_test(an_id_that_cannot_be_one_is_not_found),
        cmocka_unit_test(metadata_is_limited),
        cmocka_unit_test(all_errors_come_at_once),
        cmocka_unit_test(what_is_no_json_is_told_with_its_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
