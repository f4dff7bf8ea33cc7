#include "api/encode_model.h"

#include "tests/api/written.h"

static const char *const names[] = {"oak, red", "say \"pine\"", "elm"};

static void a_model_tells_where_it_comes_from(void **state)
{
    const struct model_view model = {
        .id = "mdl_0123456789abcdefghij",
        .name = "trees",
        .job = "job_0123456789abcdefghij",
        .created_at = 1772357400125,
        .bytes = 1000,
        .parameters = 43,
        .step = 30,
        .digest = "00ff",
        .kernel_tier = "avx2/n1",
        .spec = (char[]){"{\"type\":\"mlp\"}"},
        .classes = (char[]){"[\"a\",\"b\"]"},
        .calibration = (char[]){"{\"temperature\":2}"},
    };
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_model(&model, &writer);
    assert_written(&writer,
                   "{\"object\":\"model\",\"id\":\"mdl_0123456789abcdefghij\",\"name\":\"trees\","
                   "\"job\":\"job_0123456789abcdefghij\",\"created_at\":\"2026-03-01T09:30:00.125Z\",\"bytes\":1000,"
                   "\"parameters\":43,\"digest\":{\"parameters_sha256\":\"00ff\",\"step\":30},\"kernel_tier\":\"avx2/n1\","
                   "\"spec\":{\"type\":\"mlp\"},\"classes\":[\"a\",\"b\"],\"scores\":null,"
                   "\"calibration\":{\"temperature\":2},"
                   "\"links\":{\"self\":\"/v1/models/mdl_0123456789abcdefghij\","
                   "\"predict\":\"/v1/models/mdl_0123456789abcdefghij/predict\","
                   "\"evaluate\":\"/v1/models/mdl_0123456789abcdefghij/evaluate\","
                   "\"gradient_check\":\"/v1/models/mdl_0123456789abcdefghij/gradient_check\","
                   "\"export\":\"/v1/models/mdl_0123456789abcdefghij/export\","
                   "\"job\":\"/v1/jobs/job_0123456789abcdefghij\"}}");
    encode_model_list(&model, 1, 1, &writer);
    assert_has(&writer,
               "\"first_id\":\"mdl_0123456789abcdefghij\",\"last_id\":\"mdl_0123456789abcdefghij\",\"has_more\":true}");
    discard(&writer);
}

static void predictions_stand_in_the_order_of_rows_and_classes(void **state)
{
    static const float probabilities[] = {0.25f, 0.5f, 0.25f, 0.4f, 0.2f, 0.4f};
    static const uint32_t labels[] = {1, 0};
    struct predictions predictions = {.model = "mdl_1",
                                      .class_names = names,
                                      .classes = 3,
                                      .rows = 2,
                                      .probabilities = probabilities,
                                      .labels = labels,
                                      .with_label = 1,
                                      .with_probabilities = 1,
                                      .top_k = 2};
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_predictions(&predictions, &writer);
    assert_written(&writer,
                   "{\"object\":\"predictions\",\"model\":\"mdl_1\",\"temperature\":null,\"classes\":[\"oak, red\",\"say "
                   "\\\"pine\\\"\",\"elm\"],"
                   "\"predictions\":[{\"label\":\"say \\\"pine\\\"\",\"probabilities\":[0.25,0.5,0.25],\"top\":["
                   "{\"label\":\"say \\\"pine\\\"\",\"probability\":0.5},{\"label\":\"oak, red\",\"probability\":0.25}]},"
                   "{\"label\":\"oak, red\",\"probabilities\":[0.4,0.2,0.4],\"top\":["
                   "{\"label\":\"oak, red\",\"probability\":0.4},{\"label\":\"elm\",\"probability\":0.4}]}]}");
    predictions.with_probabilities = 0;
    predictions.top_k = 0;
    predictions.rows = 1;
    predictions.temperature = 1.25;
    encode_predictions(&predictions, &writer);
    assert_has(&writer, "\"model\":\"mdl_1\",\"temperature\":1.25,");
    assert_has(&writer, "\"predictions\":[{\"label\":\"say \\\"pine\\\"\"}]}");
    discard(&writer);
}

static void the_most_probable_classes_end_where_the_classes_end(void **state)
{
    static const float probabilities[] = {0, 0, 1};
    static const uint32_t labels[] = {2};
    const struct predictions predictions = {.model = "m",
                                            .class_names = names,
                                            .classes = 3,
                                            .rows = 1,
                                            .probabilities = probabilities,
                                            .labels = labels,
                                            .top_k = UINT32_MAX};
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_predictions(&predictions, &writer);
    assert_has(&writer, "\"predictions\":[{\"top\":[{\"label\":\"elm\",\"probability\":1},{\"label\":\"oak, red\","
                        "\"probability\":0},{\"label\":\"say \\\"pine\\\"\",\"probability\":0}]}]}");
    discard(&writer);
}

/* Probabilities that rounding made equal: the label is the model's, not the first of them, and each class stands once. */
static void the_label_comes_first_among_equals(void **state)
{
    static const float probabilities[] = {0.375f, 0.25f, 0.375f};
    static const uint32_t labels[] = {2};
    const struct predictions predictions = {.model = "m",
                                            .class_names = names,
                                            .classes = 3,
                                            .rows = 1,
                                            .probabilities = probabilities,
                                            .labels = labels,
                                            .with_label = 1,
                                            .top_k = 3};
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_predictions(&predictions, &writer);
    assert_has(&writer, "{\"label\":\"elm\",\"top\":[{\"label\":\"elm\",\"probability\":0.375},{\"label\":\"oak, red\","
                        "\"probability\":0.375},{\"label\":\"say \\\"pine\\\"\",\"probability\":0.25}]}");
    discard(&writer);
}

static void predictions_as_a_table_quote_what_must_be_quoted(void **state)
{
    static const float probabilities[] = {0.25f, 0.5f, 0.25f, 1.0f / 3, 0.3333f, 0.3333f};
    static const uint32_t labels[] = {1, 0};
    struct predictions predictions = {.class_names = names,
                                      .classes = 3,
                                      .rows = 2,
                                      .probabilities = probabilities,
                                      .labels = labels,
                                      .with_label = 1,
                                      .with_probabilities = 1};
    struct text text = {.data = NULL};

    (void)state;
    encode_predictions_csv(&predictions, &text);
    assert_text_written(&text, "label,\"oak, red\",\"say \"\"pine\"\"\",elm\n\"say \"\"pine\"\"\",0.25,0.5,0.25\n"
                               "\"oak, red\",0.333333343,0.333299994,0.333299994\n");
    predictions.with_label = 0;
    predictions.rows = 1;
    encode_predictions_csv(&predictions, &text);
    assert_text_written(&text, "\"oak, red\",\"say \"\"pine\"\"\",elm\n0.25,0.5,0.25\n");
    predictions.with_label = 1;
    predictions.with_probabilities = 0;
    encode_predictions_csv(&predictions, &text);
    assert_text_written(&text, "label\n\"say \"\"pine\"\"\"\n");
}

static void an_evaluation_has_the_scores_of_a_split(void **state)
{
    static const double probabilities[] = {0.5, 0.25, 0.25};
    struct json_writer writer = {.depth = 0};
    struct scores scores;

    (void)state;
    assert_int_equal(scores_init(&scores, 3, NULL), STATUS_OK);
    scores_add(&scores, 0.75, probabilities, 0, NULL);
    scores_finish(&scores);
    encode_evaluation("mdl_1", "ds_1", &scores, names, 0.125, &writer);
    scores_release(&scores);
    assert_has(&writer, "{\"object\":\"evaluation\",\"model\":\"mdl_1\",\"dataset\":\"ds_1\",\"samples\":1,\"loss\":0.75,"
                        "\"accuracy\":1,\"confusion_matrix\":[[1,0,0],[0,0,0],[0,0,0]],");
    assert_has(&writer, "]},\"seconds\":0.125}");
    discard(&writer);
}

static void parameters_are_cut_into_layers_in_their_order(void **state)
{
    char *class_names[] = {(char[]){"a"}, (char[]){"b"}};
    static float parameters[] = {1, 2, 3, 4, 5, 6, 0.5f, 0.25f, 0.125f, 7, 8, 9, 10, 11, 12, -1, -2};
    static float shift[] = {0.5f, 1}, factor[] = {2, 0.1f};
    struct model model = {
        .spec = {.type = MODEL_LAYERS,
                 .inputs = 2,
                 .classes = 2,
                 .layer_count = 4,
                 .layers = {{.type = LAYER_DENSE, .units = 3},
                            {.type = LAYER_LEAKY_RELU, .slope = 0.01},
                            {.type = LAYER_DROPOUT, .rate = 0.5},
                            {.type = LAYER_DENSE, .units = 2}}},
        .scaler = {.type = PREPROCESS_STANDARDIZE, .features = 2, .shift = shift, .factor = factor},
        .class_names = class_names,
        .parameters = parameters,
        .parameter_count = 17,
        .temperature = 1.5,
        .kernel_tier = "avx2/n1",
        .digest = "00ff",
    };
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_model_parameters(&model, "mdl_1", &writer);
    assert_written(&writer,
                   "{\"object\":\"model_parameters\",\"model\":\"mdl_1\",\"kernel_tier\":\"avx2/n1\","
                   "\"parameters_sha256\":\"00ff\",\"temperature\":1.5,\"classes\":[\"a\",\"b\"],\"preprocessing\":{"
                   "\"type\":\"standardize\","
                   "\"shift\":[0.5,1],\"factor\":[2,0.1]},\"layers\":[{\"type\":\"dense\",\"units\":3,"
                   "\"weight\":[[1,2],[3,4],[5,6]],\"bias\":[0.5,0.25,0.125]},{\"type\":\"leaky_relu\",\"slope\":0.01},"
                   "{\"type\":\"dropout\",\"rate\":0.5},{\"type\":\"dense\",\"units\":2,"
                   "\"weight\":[[7,8,9],[10,11,12]],\"bias\":[-1,-2]}]}");
    model.scaler.uniform = 1;
    model.scaler.type = PREPROCESS_SCALE_255;
    model.temperature = 0;
    encode_model_parameters(&model, "mdl_1", &writer);
    assert_has(&writer, "\"preprocessing\":{\"type\":\"scale_255\"}");
    assert_has(&writer, "\"temperature\":null,");
    discard(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_tells_where_it_comes_from),
        cmocka_unit_test(predictions_stand_in_the_order_of_rows_and_classes),
        cmocka_unit_test(the_most_probable_classes_end_where_the_classes_end),
        cmocka_unit_test(the_label_comes_first_among_equals),
        cmocka_unit_test(predictions_as_a_table_quote_what_must_be_quoted),
        cmocka_unit_test(an_evaluation_has_the_scores_of_a_split),
        cmocka_unit_test(parameters_are_cut_into_layers_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
