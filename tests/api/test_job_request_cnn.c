/* Jobs on images: layers of images in requests, the cnn's defaults, and what does not fit the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/job_request.h"
#include "api/json_writer.h"
#include "tests/api/refusal.h"
#include "tests/assert_close.h"

#define ROWS 20

/* Rows of 2 x 6 x 6 values and two classes, as images or as a table: all that resolving looks at. */
struct job {
    struct job_request request;
    struct problem problem;
    struct dataset dataset;
    struct split split;
    uint32_t rows[ROWS];
};

static void job_release(struct job *job)
{
    job_request_release(&job->request);
    problem_release(&job->problem);
}

static enum status job_resolve(struct job *job, int is_image, const char *members)
{
    static const char *const names[] = {"a", "b"};
    char body[1024];

    *job = (struct job){.dataset = {.rows = ROWS,
                                    .features = 72,
                                    .channels = is_image ? 2 : 1,
                                    .height = is_image ? 6 : 1,
                                    .width = is_image ? 6 : 72,
                                    .is_image = is_image,
                                    .label_type = LABEL_CLASS,
                                    .classes = 2,
                                    .class_names = names}};
    job->split = (struct split){.train = job->rows, .train_count = ROWS};
    problem_init(&job->problem);
    (void)snprintf(body, sizeof body, "{\"dataset\":\"ds_0123456789abcdefghij\",%s}", members);
    if (job_request_decode(&job->request, body, strlen(body), &job->problem) != STATUS_OK) {
        return job->problem.status;
    }
    return job_request_resolve(&job->request, &job->dataset, &job->split, NULL, &job->problem);
}

#define LAYERS(list) "\"model\":{\"type\":\"layers\",\"layers\":[" list "]}"
#define REST         ",{\"type\":\"flatten\"},{\"type\":\"dense\"}"

static void a_cnn_needs_nothing_but_images(void **state)
{
    struct job job;
    const struct model_spec *model = &job.request.train.model;

    (void)state;
    assert_int_equal(job_resolve(&job, 1, "\"model\":{\"type\":\"cnn\"}"), STATUS_OK);
    assert_int_equal(model->type, MODEL_CNN);
    assert_int_equal(model->channels * 100 + model->height * 10 + model->width, 266);
    assert_int_equal(model->layer_count, 10);
    assert_int_equal(model->layers[0].units, 32);
    assert_int_equal(model->layers[3].units, 64);
    assert_int_equal(model->layers[7].units, 128);
    assert_int_equal(model->layers[9].units, 2);
    assert_int_equal(job.request.train.initializer, INIT_HE_NORMAL);
    assert_int_equal(job.request.train.preprocessing, PREPROCESS_SCALE_255);
    job_release(&job);
}

static void a_cnn_is_what_its_fields_say(void **state)
{
    struct job job;
    const struct model_spec *model = &job.request.train.model;

    (void)state;
    assert_int_equal(job_resolve(&job, 1,
                                 "\"model\":{\"type\":\"cnn\",\"filters\":[4],\"kernel\":[5,3],\"hidden\":[],"
                                 "\"activation\":\"tanh\",\"batch_norm\":true}"),
                     STATUS_OK);
    assert_int_equal(model->layer_count, 6);
    assert_int_equal(model->layers[0].kernel[0] * 10 + model->layers[0].kernel[1], 53);
    assert_int_equal(model->layers[1].type, LAYER_BATCH_NORM);
    assert_int_equal(model->layers[2].type, LAYER_TANH);
    assert_int_equal(job.request.train.initializer, INIT_GLOROT_UNIFORM);
    job_release(&job);
}

static void layers_of_images_have_their_fields_and_defaults(void **state)
{
    struct job job;
    const struct layer_spec *layers = job.request.train.model.layers;

    (void)state;
    assert_int_equal(job_resolve(&job, 1,
                                 LAYERS("{\"type\":\"conv2d\",\"filters\":3,\"kernel\":[3,5],\"padding\":\"same\"},"
                                        "{\"type\":\"batch_norm\",\"momentum\":0.5},"
                                        "{\"type\":\"avg_pool2d\",\"size\":[2,1]},"
                                        "{\"type\":\"conv2d\",\"filters\":1,\"stride\":2,\"padding\":[0,1]},"
                                        "{\"type\":\"max_pool2d\",\"size\":1,\"stride\":[1,2]}" REST)),
                     STATUS_OK);
    assert_int_equal(layers[0].padding[0] * 10 + layers[0].padding[1], 12);
    assert_int_equal(layers[0].stride[0] * 10 + layers[0].stride[1], 11);
    assert_close(layers[1].momentum, 0.5, 0, 0);
    assert_close(layers[1].epsilon, 1e-5, 0, 0);
    assert_int_equal(layers[2].stride[0] * 10 + layers[2].stride[1], 21);
    assert_int_equal(layers[3].kernel[0] * 10 + layers[3].kernel[1], 33);
    assert_int_equal(layers[3].padding[0] * 10 + layers[3].padding[1], 1);
    assert_int_equal(layers[4].stride[0] * 10 + layers[4].stride[1], 12);
    job_release(&job);
}

static void a_table_of_pixels_has_the_shape_it_is_given(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(job_resolve(&job, 0, "\"model\":{\"type\":\"cnn\",\"filters\":[2],\"input_shape\":[1,8,9]}"),
                     STATUS_OK);
    assert_int_equal(job.request.train.model.height, 8);
    assert_int_equal(job.request.train.preprocessing, PREPROCESS_STANDARDIZE);
    job_release(&job);
}

static void models_without_images_have_no_shape(void **state)
{
    static const char *const BODIES[] = {"\"model\":{\"type\":\"mlp\",\"hidden\":[3]}", LAYERS("{\"type\":\"dense\"}")};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct job job;

        assert_int_equal(job_resolve(&job, 1, BODIES[i]), STATUS_OK);
        assert_int_equal(job.request.train.model.channels, 0);
        job_release(&job);
    }
}

static char *encoded(const struct job *job)
{
    struct json_writer writer = {0};
    struct error error = {.status = STATUS_OK};
    char *text = NULL;
    size_t size;

    job_request_encode(&job->request, NULL, NULL, &writer);
    assert_int_equal(json_writer_take(&writer, &text, &size, &error), STATUS_OK);
    return text;
}

static void the_resolved_request_is_the_same_again(void **state)
{
    static const char *const BODIES[] = {
        "\"model\":{\"type\":\"cnn\"}",
        "\"model\":{\"type\":\"cnn\",\"filters\":[4],\"hidden\":[],\"batch_norm\":true,\"dropout\":0.5,\"kernel\":1}",
        LAYERS("{\"type\":\"conv2d\",\"filters\":3,\"padding\":\"same\"},{\"type\":\"batch_norm\"},"
               "{\"type\":\"max_pool2d\"},{\"type\":\"avg_pool2d\",\"size\":[1,2]}" REST),
    };

    (void)state;
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
        struct job first, second;
        char *one, *two;

        assert_int_equal(job_resolve(&first, 1, BODIES[i]), STATUS_OK);
        one = encoded(&first);
        second = (struct job){.dataset = first.dataset, .split = first.split};
        problem_init(&second.problem);
        assert_int_equal(job_request_decode(&second.request, one, strlen(one), &second.problem), STATUS_OK);
        assert_int_equal(job_request_resolve(&second.request, &second.dataset, &second.split, NULL, &second.problem),
                         STATUS_OK);
        two = encoded(&second);
        assert_string_equal(one, two);
        assert_memory_equal(&first.request.train.model, &second.request.train.model, sizeof first.request.train.model);
        free(one);
        free(two);
        job_release(&first);
        job_release(&second);
    }
}

static void what_does_not_fit_is_refused_at_its_place(void **state)
{
    static const struct {
        int is_image;
        const char *members;
        enum status status;
        const char *pointer;
    } CASES[] = {
        {0, "\"model\":{\"type\":\"cnn\"}", STATUS_CONFLICTING_FIELDS, "/model/type"},
        {1, "\"model\":{\"type\":\"cnn\",\"filters\":[]}", STATUS_OUT_OF_RANGE, "/model/filters"},
        {1, "\"model\":{\"type\":\"cnn\",\"filters\":[4,0]}", STATUS_OUT_OF_RANGE, "/model/filters/1"},
        {1, "\"model\":{\"type\":\"cnn\",\"filters\":[4,4,4]}", STATUS_OUT_OF_RANGE, "/model/filters/2"},
        {1, "\"model\":{\"type\":\"cnn\",\"filters\":\"many\"}", STATUS_TYPE_MISMATCH, "/model/filters"},
        {1, "\"model\":{\"type\":\"cnn\",\"kernel\":2}", STATUS_OUT_OF_RANGE, "/model/kernel"},
        {1, "\"model\":{\"type\":\"cnn\",\"kernel\":[3,3,3]}", STATUS_OUT_OF_RANGE, "/model/kernel"},
        {1, "\"model\":{\"type\":\"cnn\",\"layers\":[]}", STATUS_UNKNOWN_FIELD, "/model/layers"},
        {1, "\"model\":{\"type\":\"cnn\",\"input_shape\":[1,8,9]}", STATUS_CONFLICTING_FIELDS, "/model/input_shape"},
        {0, "\"model\":{\"type\":\"cnn\",\"input_shape\":[1,8]}", STATUS_OUT_OF_RANGE, "/model/input_shape"},
        {0, "\"model\":{\"type\":\"cnn\",\"input_shape\":[1,8,0]}", STATUS_OUT_OF_RANGE, "/model/input_shape/2"},
        {0, "\"model\":{\"type\":\"cnn\",\"input_shape\":[1,8,8]}", STATUS_FEATURE_COUNT_MISMATCH, "/model/input_shape"},
        {0, LAYERS("{\"type\":\"conv2d\",\"filters\":3}" REST), STATUS_CONFLICTING_FIELDS, "/model/layers/0/type"},
        {1, LAYERS("{\"type\":\"conv2d\"}" REST), STATUS_MISSING_FIELD, "/model/layers/0/filters"},
        {1, LAYERS("{\"type\":\"conv2d\",\"filters\":3,\"units\":3}" REST), STATUS_UNKNOWN_FIELD, "/model/layers/0/units"},
        {1, LAYERS("{\"type\":\"conv2d\",\"filters\":3,\"kernel\":7}" REST), STATUS_OUT_OF_RANGE, "/model/layers/0/kernel"},
        {1, LAYERS("{\"type\":\"conv2d\",\"filters\":3,\"kernel\":2,\"padding\":\"same\"}" REST), STATUS_CONFLICTING_FIELDS,
         "/model/layers/0/padding"},
        {1, LAYERS("{\"type\":\"conv2d\",\"filters\":3,\"padding\":\"some\"}" REST), STATUS_UNKNOWN_VALUE,
         "/model/layers/0/padding"},
        {1, LAYERS("{\"type\":\"max_pool2d\",\"size\":[7,1]}" REST), STATUS_OUT_OF_RANGE, "/model/layers/0/size"},
        {1, LAYERS("{\"type\":\"conv2d\",\"filters\":3},{\"type\":\"dense\"}"), STATUS_CONFLICTING_FIELDS,
         "/model/layers/1/type"},
        {1, LAYERS("{\"type\":\"batch_norm\",\"epsilon\":0}" REST), STATUS_OUT_OF_RANGE, "/model/layers/0/epsilon"},
        {1, LAYERS("{\"type\":\"batch_norm\"}" REST) ",\"training\":{\"batch_size\":1}", STATUS_OK, ""},
        {0, LAYERS("{\"type\":\"batch_norm\"}" REST) ",\"training\":{\"batch_size\":1}", STATUS_OUT_OF_RANGE,
         "/training/batch_size"},
        {0,
         LAYERS("{\"type\":\"dense\",\"units\":3},{\"type\":\"batch_norm\"},{\"type\":\"dense\"}") ",\"training\":{\"batch_"
                                                                                                   "size\":1}",
         STATUS_OUT_OF_RANGE, "/training/batch_size"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct job job;
        enum status status = job_resolve(&job, CASES[i].is_image, CASES[i].members);

        if (CASES[i].status == STATUS_OK) {
            assert_int_equal(status, STATUS_OK);
        } else if (!refusal_is_only(&job.problem, CASES[i].status, CASES[i].pointer)) {
            fail_msg("%s", CASES[i].members);
        }
        job_release(&job);
    }
}

/* Statistics of a whole minibatch: one that is too large to be taken whole is refused. */
static void batch_norm_limits_the_minibatch(void **state)
{
    struct job job;

    (void)state;
    (void)job_resolve(&job, 1, "\"model\":{\"type\":\"cnn\",\"batch_norm\":true}");
    job.split.train_count = 70000;
    job.request.train.batch_size = 66000;
    assert_int_equal(job_request_resolve(&job.request, &job.dataset, &job.split, NULL, &job.problem),
                     STATUS_VALIDATION_FAILED);
    assert_true(refusal_is_only(&job.problem, STATUS_BATCH_TOO_LARGE, "/training/batch_size"));
    job_release(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cnn_needs_nothing_but_images),
        cmocka_unit_test(a_cnn_is_what_its_fields_say),
        cmocka_unit_test(layers_of_images_have_their_fields_and_defaults),
        cmocka_unit_test(a_table_of_pixels_has_the_shape_it_is_given),
        cmocka_unit_test(models_without_images_have_no_shape),
        cmocka_unit_test(the_resolved_request_is_the_same_again),
        cmocka_unit_test(what_does_not_fit_is_refused_at_its_place),
        cmocka_unit_test(batch_norm_limits_the_minibatch),
    };

    return cmocka_run_group_tests_name("job_request_cnn", tests, NULL, NULL);
}
