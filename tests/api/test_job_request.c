#include "api/job_request.h"

#include "tests/api/job.h"
#include "tests/assert_close.h"

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
    "{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[8]},\"precision\":\"bf16\"}",
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
        assert_int_equal(again.request.train.precision, first.request.train.precision);
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

static void a_precision_is_told_where_it_is_not_float32(void **state)
{
    struct job job;
    char *text;

    (void)state;
    for (int bf16 = 0; bf16 < 2; bf16++) {
        assert_int_equal(job_resolve(&job, bf16 ? "{" BLOBS "," SOFTMAX ",\"precision\":\"bf16\"}"
                                                : "{" BLOBS "," SOFTMAX ",\"precision\":\"f32\"}"),
                         STATUS_OK);
        assert_int_equal(job.request.train.precision, bf16 ? PRECISION_BF16 : PRECISION_F32);
        text = job_encode(&job);
        assert_true((strstr(text, "\"precision\":\"bf16\"") != NULL) == bf16);
        assert_true((strstr(text, "precision") != NULL) == bf16); /* specs from before there was a choice keep their hash */
        free(text);
        job_release(&job);
    }
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
        cmocka_unit_test(a_precision_is_told_where_it_is_not_float32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
