#include "core/nn/model_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/nn/sample_model.h"

static struct buffer_sink written(enum preprocessing preprocessing, struct model *model)
{
    struct buffer_sink file = {0};

    sample_model(model, preprocessing);
    assert_int_equal(model_file_write(model, buffer_sink(&file), NULL), STATUS_OK);
    return file;
}

/* Puts the right hash at the end, so that only the checks behind it can notice. */
static void sign(unsigned char *bytes, size_t size)
{
    struct sha256 hash;

    sha256_init(&hash);
    sha256_update(&hash, bytes, size - SHA256_BYTES);
    sha256_final(&hash, bytes + size - SHA256_BYTES);
}

static void assert_corrupt(const void *bytes, size_t size, const char *message)
{
    void *exact = malloc(size > 0 ? size : 1); /* so that a read past the end is seen */
    struct error error = {0};
    struct model model;

    assert_non_null(exact);
    memcpy(exact, bytes, size);
    assert_int_equal(model_file_read(&model, exact, size, &error), STATUS_OBJECT_CORRUPT);
    assert_non_null(strstr(error.message, message));
    free(exact);
}

static void a_model_comes_back_as_it_was(void **state)
{
    static const enum preprocessing kinds[] = {PREPROCESS_NONE, PREPROCESS_SCALE_255, PREPROCESS_STANDARDIZE,
                                               PREPROCESS_MINMAX};

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct model model, back;
        struct buffer_sink file = written(kinds[i], &model);

        assert_int_equal(model_file_size(&model), file.size);
        assert_int_equal(model_file_read(&back, file.data, file.size, NULL), STATUS_OK);
        assert_memory_equal(&back.spec, &model.spec, sizeof(model.spec));
        assert_int_equal(back.scaler.type, kinds[i]);
        assert_int_equal(back.scaler.uniform, model.scaler.uniform);
        assert_int_equal(back.scaler.features, 6);
        if (!model.scaler.uniform) {
            assert_memory_equal(back.scaler.shift, model.scaler.shift, 6 * sizeof(float));
            assert_memory_equal(back.scaler.factor, model.scaler.factor, 6 * sizeof(float));
        }
        for (int c = 0; c < 3; c++) {
            assert_string_equal(back.class_names[c], model.class_names[c]);
        }
        assert_int_equal(back.is_image, model.is_image);
        assert_int_equal(back.channels * 100 + back.height * 10 + back.width, 123);
        assert_true(back.temperature == model.temperature && (back.temperature > 0) == (i >= 2));
        assert_string_equal(back.kernel_tier, model.kernel_tier);
        assert_string_equal(back.digest, model.digest);
        assert_int_equal(back.parameter_count, model.parameter_count);
        assert_memory_equal(back.parameters, model.parameters, model.parameter_count * sizeof(float));
        assert_int_equal((uintptr_t)back.parameters % 64, 0);
        model_release(&model);
        model_release(&back);
        buffer_sink_release(&file);
    }
}

static void any_changed_byte_is_noticed(void **state)
{
    struct model model;
    struct buffer_sink file = written(PREPROCESS_STANDARDIZE, &model);

    (void)state;
    for (size_t i = 0; i < file.size; i++) {
        file.data[i] ^= 0x10;
        assert_corrupt(file.data, file.size, "model file: ");
        file.data[i] ^= 0x10;
    }
    model_release(&model);
    buffer_sink_release(&file);
}

static void any_truncation_is_noticed_even_with_the_right_hash(void **state)
{
    struct model model;
    struct buffer_sink file = written(PREPROCESS_STANDARDIZE, &model);

    (void)state;
    for (size_t size = 0; size < file.size; size++) {
        unsigned char *part = malloc(size + 1);

        assert_non_null(part);
        memcpy(part, file.data, size);
        assert_corrupt(part, size, "model file: ");
        if (size >= SHA256_BYTES) {
            sign(part, size);
            assert_corrupt(part, size, "model file: ");
        }
        free(part);
    }
    model_release(&model);
    buffer_sink_release(&file);
}

/* Any byte set to an extreme, with the right hash: refused or (where it is data) accepted, but never trusted blindly. */
static void no_field_is_trusted(void **state)
{
    struct model model, back;
    struct buffer_sink file = written(PREPROCESS_STANDARDIZE, &model);
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < file.size - SHA256_BYTES; i++) {
        static const unsigned char extremes[] = {0x00, 0x7f, 0x80, 0xff};
        unsigned char old = file.data[i];

        for (size_t k = 0; k < sizeof(extremes); k++) {
            enum status status;

            file.data[i] = extremes[k];
            sign(file.data, file.size);
            status = model_file_read(&back, file.data, file.size, NULL);
            assert_true(status == STATUS_OK || status == STATUS_OBJECT_CORRUPT);
            refused += status != STATUS_OK;
            if (status == STATUS_OK) {
                model_release(&back);
            }
        }
        file.data[i] = old;
    }
    assert_true(refused > file.size);
    model_release(&model);
    buffer_sink_release(&file);
}

static void files_that_never_were_right_are_refused_with_the_reason(void **state)
{
    struct model model;
    struct buffer_sink file = written(PREPROCESS_NONE, &model);
    const size_t end = file.size - SHA256_BYTES, parameters = end - model.parameter_count * sizeof(float);
    const float nan = NAN;
    unsigned char *longer = calloc(1, file.size + 4);

    (void)state;
    assert_non_null(longer);
    memcpy(longer, file.data, end);
    sign(longer, file.size + 4);
    assert_corrupt(longer, file.size + 4, "left over");
    free(longer);

    for (unsigned char version = 0; version < 6; version += 3) {
        file.data[8] = version;
        sign(file.data, file.size);
        assert_corrupt(file.data, file.size, version == 0 ? "version 0" : "version 3");
    }
    file.data[8] = 2;

    file.data[parameters] ^= 1;
    sign(file.data, file.size);
    assert_corrupt(file.data, file.size, "digest");
    memcpy(file.data + parameters + 8, &nan, sizeof(nan));
    sign(file.data, file.size);
    assert_corrupt(file.data, file.size, "value 2 of its parameters is not finite");

    assert_corrupt("", 0, "no model");
    assert_corrupt("DESCENTM", 8, "no model");
    model_release(&model);
    buffer_sink_release(&file);
}

static void a_temperature_that_no_fit_gives_is_refused(void **state)
{
    const double wrong[] = {-1, 0.009, 101, (double)NAN, (double)INFINITY};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct buffer_sink file = {0};
        struct model model;

        sample_model(&model, PREPROCESS_NONE);
        model.temperature = wrong[i];
        assert_int_equal(model_file_write(&model, buffer_sink(&file), NULL), STATUS_OK);
        assert_corrupt(file.data, file.size, "its temperature is none");
        model_release(&model);
        buffer_sink_release(&file);
    }
}

/* tests/golden/model_version_1 was written by the program before models had temperatures. */
static void a_file_of_version_1_is_read_and_has_no_temperature(void **state)
{
    FILE *input = fopen("tests/golden/model_version_1", "rb");
    unsigned char bytes[4096];
    struct buffer_sink again = {0};
    struct model model, back;
    size_t size;

    (void)state;
    assert_non_null(input);
    size = fread(bytes, 1, sizeof(bytes), input);
    fclose(input);
    assert_int_equal(bytes[8], 1);
    assert_int_equal(model_file_read(&model, bytes, size, NULL), STATUS_OK);
    assert_true(model.temperature == 0);
    assert_int_equal(model.scaler.type, PREPROCESS_STANDARDIZE);
    assert_int_equal(model_file_write(&model, buffer_sink(&again), NULL), STATUS_OK);
    assert_int_equal(again.data[8], 2);
    assert_int_equal(model_file_read(&back, again.data, again.size, NULL), STATUS_OK);
    assert_string_equal(back.digest, model.digest);
    model_release(&back);
    model_release(&model);
    buffer_sink_release(&again);
}

/* A convolution and a batch_norm, whose fields the sample does not have. */
static void image_model(struct model *model)
{
    static const char *const names[2] = {"no", "yes"};
    enum status status;

    *model = (struct model){.is_image = 1, .channels = 2, .height = 3, .width = 4};
    model->spec = (struct model_spec){
        .type = MODEL_LAYERS,
        .inputs = 24,
        .classes = 2,
        .channels = 2,
        .height = 3,
        .width = 4,
        .layer_count = 5,
        .layers = {{.type = LAYER_CONV2D, .units = 3, .kernel = {2, 3}, .stride = {1, 2}, .padding = {1, 0}},
                   {.type = LAYER_BATCH_NORM, .momentum = 0.25, .epsilon = 1e-3},
                   {.type = LAYER_AVG_POOL2D, .kernel = {2, 1}, .stride = {1, 1}},
                   {.type = LAYER_FLATTEN},
                   {.type = LAYER_DENSE, .units = 2}}};
    status = model_spec_check(&model->spec, NULL);
    assert_int_equal(status, STATUS_OK);
    model->scaler = (struct scaler){.type = PREPROCESS_SCALE_255, .features = 24, .uniform = 1};
    model->class_names = calloc(2, sizeof(*model->class_names));
    assert_non_null(model->class_names);
    for (int c = 0; c < 2; c++) {
        model->class_names[c] = strdup(names[c]);
    }
    model->parameter_count = model_spec_parameter_count(&model->spec);
    model->parameters = aligned_alloc(64, (model->parameter_count * sizeof(float) + 63) / 64 * 64);
    assert_non_null(model->parameters);
    for (uint64_t i = 0; i < model->parameter_count; i++) {
        model->parameters[i] = 1 / (float)(i + 1);
    }
    sha256_text(model->parameters, model->parameter_count * sizeof(float), model->digest);
}

static void a_model_of_images_comes_back_as_it_was(void **state)
{
    struct buffer_sink file = {0};
    struct model model, back;

    (void)state;
    image_model(&model);
    assert_int_equal(model.parameter_count, 3 * 2 * 2 * 3 + 3 + 4 * 3 + 9 * 2 + 2);
    assert_int_equal(model_file_write(&model, buffer_sink(&file), NULL), STATUS_OK);
    assert_int_equal(model_file_size(&model), file.size);
    assert_int_equal(model_file_read(&back, file.data, file.size, NULL), STATUS_OK);
    assert_memory_equal(&back.spec, &model.spec, sizeof(model.spec));
    assert_memory_equal(back.parameters, model.parameters, model.parameter_count * sizeof(float));
    model_release(&back);
    model_release(&model);
    buffer_sink_release(&file);
}

static void a_negative_running_variance_is_refused(void **state)
{
    struct buffer_sink file = {0};
    struct model model;

    (void)state;
    image_model(&model);
    model.parameters[39 + 3 * 3 + 1] = -1e-6f;
    assert_int_equal(model_file_write(&model, buffer_sink(&file), NULL), STATUS_OK);
    sha256_text(model.parameters, model.parameter_count * sizeof(float), model.digest);
    assert_corrupt(file.data, file.size, "a running variance of layer 1 is below 0");
    model_release(&model);
    buffer_sink_release(&file);
}

/* A sink that takes `calls` writes and then fails. */
static enum status failing_write(void *context, const void *bytes, size_t size, struct error *error)
{
    int *calls = context;

    (void)bytes;
    (void)size;
    return (*calls)-- > 0 ? STATUS_OK : error_set(error, STATUS_INSUFFICIENT_STORAGE, "full");
}

static void a_sink_that_fails_ends_the_writing(void **state)
{
    struct model model;

    (void)state;
    sample_model(&model, PREPROCESS_STANDARDIZE);
    for (int calls = 0; calls < 3; calls++) {
        int left = calls;
        struct error error = {0};

        assert_int_equal(model_file_write(&model, (struct sink){failing_write, &left}, &error), STATUS_INSUFFICIENT_STORAGE);
        assert_int_equal(error.status, STATUS_INSUFFICIENT_STORAGE);
    }
    model_release(&model);
    model_release(&model);
    model_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_comes_back_as_it_was),
        cmocka_unit_test(any_changed_byte_is_noticed),
        cmocka_unit_test(any_truncation_is_noticed_even_with_the_right_hash),
        cmocka_unit_test(no_field_is_trusted),
        cmocka_unit_test(files_that_never_were_right_are_refused_with_the_reason),
        cmocka_unit_test(a_temperature_that_no_fit_gives_is_refused),
        cmocka_unit_test(a_file_of_version_1_is_read_and_has_no_temperature),
        cmocka_unit_test(a_model_of_images_comes_back_as_it_was),
        cmocka_unit_test(a_negative_running_variance_is_refused),
        cmocka_unit_test(a_sink_that_fails_ends_the_writing),
    };
    return cmocka_run_group_tests_name("model_file", tests, NULL, NULL);
}
