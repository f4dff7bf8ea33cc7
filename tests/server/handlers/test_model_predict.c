/*
 * Predictions without a transport, by a model whose answers can be computed by hand: one feature, two classes, weights 0
 * and biases 0 and ln 3, so that the probabilities are 1/4 and 3/4 for every row.
 */
#include <stdlib.h>

#include "core/base/kernel_tier.h"
#include "server/handlers/handlers.h"
#include "server/models/model_cache.h"
#include "tests/server/handlers/fake_request.h"

static enum status load(void *context, const char *id, struct model *model, struct error *error)
{
    (void)context;
    if (strcmp(id, "mdl_gone") == 0) {
        return error_set(error, STATUS_DELETED, "%s was deleted", id);
    }
    *model = (struct model){.scaler = {.type = PREPROCESS_NONE, .features = 1, .uniform = 1}, .parameter_count = 4};
    enum status status = model_spec_perceptron(&model->spec, MODEL_SOFTMAX_REGRESSION, 1, 2, NULL, 0, LAYER_RELU, 0, error);
    model->class_names = calloc(2, sizeof(*model->class_names));
    model->parameters = aligned_alloc(64, 64);
    model->class_names[0] = strdup("oak, red");
    model->class_names[1] = strdup("pine");
    memset(model->parameters, 0, 64);
    model->parameters[3] = 1.0986123f;
    return status;
}

static int set_up(void **state)
{
    static struct app app;
    *state = &app;
    return kernel_tier_set(kernel_tier_detect(), NULL) == STATUS_OK &&
                   model_cache_new(&app.models, load, NULL, NULL) == STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    const struct app *app = *state;
    model_cache_free(app->models); /* asserts that every model was given back */
    return 0;
}

static void ask(struct app *app, const char *id, enum media media, const char *body, const char *accept,
                struct request *request)
{
    *request = (struct request){.route = ROUTE_PREDICT,
                                .target = "/v1/models/mdl_1/predict",
                                .parameter = id,
                                .body = body,
                                .body_media = media,
                                .accept = accept};
    predict(app, request);
}

static void expect(struct app *app, enum media media, const char *body, const char *accept, unsigned status,
                   const char *text)
{
    struct request request;
    ask(app, "mdl_1", media, body, accept, &request);
    fake_request_expect(&request, status, text);
    fake_request_release(&request);
}

static void rows_get_labels_and_probabilities(void **state)
{
    struct request request;
    ask(*state, "mdl_1", MEDIA_JSON, "{\"instances\":[[1],[2]]}", NULL, &request);
    fake_request_expect(&request, 200, "\"mdl_1\"");
    fake_request_expect(&request, 200, "\"pine\"");
    fake_request_expect(&request, 200, "0.75");
    fake_request_release(&request);
    expect(*state, MEDIA_JSON, "{\"instances\":[[1]],\"return\":[],\"top_k\":1}", NULL, 200, "pine");
}

static void csv_in_and_out(void **state)
{
    expect(*state, MEDIA_CSV, "1\n2\n3\n", NULL, 200, "\"pine\"");
    expect(*state, MEDIA_CSV, "1\n", "text/csv", 200, "\"oak, red\"");
    expect(*state, MEDIA_JSON, "{\"instances\":[[1]]}", "text/csv", 200, "pine");
}

static void wrong_rows_are_told_by_their_place(void **state)
{
    expect(*state, MEDIA_JSON, "{\"instances\":[[1],[2,3]]}", NULL, 422, "/instances/1");
    expect(*state, MEDIA_JSON, "{\"instances\":[[1],[\"x\"]]}", NULL, 422, "/instances/1/0");
    expect(*state, MEDIA_CSV, "1\n2,3\n", NULL, 422, "2");
    expect(*state, MEDIA_JSON, "{\"instances\":", NULL, 400, "offset");
    expect(*state, MEDIA_JSON, "{}", NULL, 422, "instances");
    expect(*state, MEDIA_JSON, "{\"instances\":[]}", NULL, 422, "instances");
}

static void a_media_type_that_cannot_be_is_refused_before_the_model(void **state)
{
    struct request request;
    ask(*state, "mdl_gone", MEDIA_JSON, "{\"instances\":[[1]]}", "image/png", &request);
    fake_request_expect(&request, 406, "not_acceptable");
    fake_request_release(&request);
}

static void a_model_that_is_gone_is_410(void **state)
{
    struct request request;
    ask(*state, "mdl_gone", MEDIA_JSON, "{\"instances\":[[1]]}", NULL, &request);
    fake_request_expect(&request, 410, "mdl_gone");
    fake_request_release(&request);
}

static void many_rows_are_answered_row_by_row(void **state)
{
    enum { ROWS = 4096 };
    char *body = malloc(2 * ROWS + 3);
    struct request request;
    size_t lines = 0;
    assert_non_null(body);
    for (int i = 0; i < ROWS; i++) {
        memcpy(body + 2 * (size_t)i, "7\n", 3);
    }
    ask(*state, "mdl_1", MEDIA_CSV, body, "text/csv", &request);
    assert_int_equal(request.answer.status, 200);
    for (uint64_t i = 0; i < request.answer.size; i++) {
        lines += ((const char *)request.answer.body)[i] == '\n';
    }
    assert_in_range(lines, ROWS, ROWS + 1); /* with a header */
    fake_request_release(&request);
    memcpy(body + 2 * (size_t)ROWS, "7\n", 3);
    expect(*state, MEDIA_CSV, body, NULL, 413, "batch_too_large");
    free(body);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_get_labels_and_probabilities),  TEST(csv_in_and_out),
        TEST(wrong_rows_are_told_by_their_place), TEST(a_media_type_that_cannot_be_is_refused_before_the_model),
        TEST(a_model_that_is_gone_is_410),        TEST(many_rows_are_answered_row_by_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
