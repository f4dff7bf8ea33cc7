/* A job that begins with a model: what must fit, and what comes from the model. */
#include "api/job_request.h"

#include <stdlib.h>

#include "api/job_request_decoder.h"
#include "api/json_writer.h"
#include "tests/api/refusal.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A data set of 2 features and these classes, of which only that much counts here. */
static struct dataset data_with(const char **names, uint32_t classes)
{
    return (struct dataset){.features = 2, .classes = classes, .class_names = names};
}

static struct model_spec perceptron(uint32_t inputs, uint32_t classes, uint32_t units, double dropout)
{
    struct error error = {.status = STATUS_OK};
    struct model_spec spec;

    assert_int_equal(model_spec_perceptron(&spec, MODEL_MLP, inputs, classes, &units, 1, LAYER_RELU, dropout, &error),
                     STATUS_OK);
    return spec;
}

/* 2 features, classes fir, oak; 4 units; standardized. names [2] */
static struct model model_with(char **names)
{
    return (struct model){.spec = perceptron(2, 2, 4, 0.1),
                          .scaler = {.type = PREPROCESS_STANDARDIZE, .features = 2},
                          .class_names = names,
                          .digest = DIGEST};
}

static struct job_request request_for(const struct model *model)
{
    return (struct job_request){
        .init = {.id = "mdl_0", .model = model}, .preprocessing_auto = 1, .train = {.model = perceptron(2, 2, 4, 0.3)}};
}

static void a_model_that_fits_gives_its_preprocessing_and_its_digest(void **state)
{
    char fir[] = "fir", oak[] = "oak", *theirs[] = {fir, oak};
    const char *ours[] = {"fir", "oak"};
    struct model model = model_with(theirs);
    struct dataset dataset = data_with(ours, 2);
    struct job_request request = request_for(&model);
    struct problem problem;

    (void)state;
    problem_init(&problem);
    job_resolve_initial_model(&request, &dataset, &problem);
    assert_int_equal(problem.status, STATUS_OK);
    assert_int_equal(request.train.preprocessing, PREPROCESS_STANDARDIZE);
    assert_int_equal(request.preprocessing_auto, 0);
    assert_string_equal(request.init.sha256, DIGEST);
    request.train.preprocessing = PREPROCESS_MINMAX;
    job_resolve_initial_model(&request, &dataset, &problem);
    assert_true(refusal_is_only(&problem, STATUS_CONFLICTING_FIELDS, "/preprocessing"));
    problem_release(&problem);
}

static void classes_are_told_apart_by_their_names(void **state)
{
    static const struct {
        const char *names[3];
        uint32_t count;
        enum status status;
        const char *words;
    } rows[] = {
        {{"fir", "pine"}, 2, STATUS_CLASS_COUNT_MISMATCH, "\"pine\""},
        {{"fir", "oak", "yew"}, 3, STATUS_CLASS_COUNT_MISMATCH, "\"yew\""},
        {{"oak"}, 1, STATUS_CLASS_COUNT_MISMATCH, "\"fir\""},
        {{"oak", "fir"}, 2, STATUS_CONFLICTING_FIELDS, "in the model fir, oak; in the data set oak, fir"},
    };
    char fir[] = "fir", oak[] = "oak", *theirs[] = {fir, oak};
    struct model model = model_with(theirs);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *names[3] = {rows[i].names[0], rows[i].names[1], rows[i].names[2]};
        struct dataset dataset = data_with(names, rows[i].count);
        struct job_request request = request_for(&model);
        struct problem problem;

        problem_init(&problem);
        job_resolve_initial_model(&request, &dataset, &problem);
        assert_true(refusal_is_only(&problem, rows[i].status, "/init/model"));
        assert_non_null(strstr(problem.fields[0].detail, rows[i].words));
        problem_release(&problem);
    }
}

static void features_and_layers_must_be_the_models(void **state)
{
    char fir[] = "fir", oak[] = "oak", *theirs[] = {fir, oak};
    const char *ours[] = {"fir", "oak"};
    struct model model = model_with(theirs);
    struct dataset dataset = data_with(ours, 2);
    struct job_request request = request_for(&model);
    struct problem problem;

    (void)state;
    problem_init(&problem);
    request.train.model = perceptron(2, 2, 5, 0.1);
    job_resolve_initial_model(&request, &dataset, &problem);
    assert_true(refusal_is_only(&problem, STATUS_CONFLICTING_FIELDS, "/model"));
    problem_release(&problem);
    problem_init(&problem);
    dataset.features = 3;
    job_resolve_initial_model(&request, &dataset, &problem);
    assert_true(refusal_is_only(&problem, STATUS_FEATURE_COUNT_MISMATCH, "/init/model"));
    problem_release(&problem);
}

static void it_is_read_and_written(void **state)
{
    static const char body[] = "{\"dataset\":{\"generator\":\"moons\"},\"model\":{\"type\":\"softmax_regression\"},"
                               "\"init\":{\"sha256\":\"" DIGEST "\",\"model\":\"mdl_0\"}}";
    struct job_request request;
    struct json_writer writer = {.depth = 0};
    struct problem problem;

    (void)state;
    problem_init(&problem);
    assert_int_equal(job_request_decode(&request, body, strlen(body), &problem), STATUS_OK);
    assert_string_equal(request.init.id, "mdl_0");
    assert_string_equal(request.init.sha256, DIGEST);
    job_request_encode(&request, NULL, NULL, &writer);
    assert_non_null(strstr(writer.text.data, ",\"init\":{\"model\":\"mdl_0\",\"sha256\":\"" DIGEST "\"},"));
    json_writer_release(&writer);
    job_request_release(&request);
    problem_release(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_that_fits_gives_its_preprocessing_and_its_digest),
        cmocka_unit_test(classes_are_told_apart_by_their_names),
        cmocka_unit_test(features_and_layers_must_be_the_models),
        cmocka_unit_test(it_is_read_and_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
