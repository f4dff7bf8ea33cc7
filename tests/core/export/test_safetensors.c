#include "core/export/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/nn/sample_model.h"

struct file {
    struct model model;
    struct buffer_sink bytes;
    char *header; /* NUL-terminated */
    const unsigned char *data;
    size_t data_size;
};

static void open_file(struct file *file, enum preprocessing preprocessing, const char *metadata)
{
    uint64_t length = 0;

    *file = (struct file){0};
    sample_model(&file->model, preprocessing);
    assert_int_equal(safetensors_write(&file->model, metadata, buffer_sink(&file->bytes), NULL), STATUS_OK);
    assert_true(file->bytes.size > 8);
    for (size_t i = 0; i < 8; i++) {
        length |= (uint64_t)file->bytes.data[i] << 8 * i;
    }
    assert_true(length < file->bytes.size - 8);
    assert_int_equal(length % 8, 0);
    file->header = strndup((const char *)file->bytes.data + 8, length);
    assert_non_null(file->header);
    assert_int_equal(strlen(file->header), length);
    file->data = file->bytes.data + 8 + length;
    file->data_size = file->bytes.size - 8 - length;
}

static void close_file(struct file *file)
{
    free(file->header);
    buffer_sink_release(&file->bytes);
    model_release(&file->model);
}

/* The JSON string that begins behind the quote `text`, without its escapes, into out [size]. Returns what follows it. */
static const char *unescape(const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; *text != '"'; text++) {
        unsigned code;

        assert_true((unsigned char)*text >= 0x20);
        assert_true(n + 1 < size);
        if (*text != '\\') {
            out[n++] = *text;
        } else if (*++text == 'u') {
            assert_int_equal(sscanf(text, "u%4x", &code), 1);
            assert_true(code < 0x20);
            out[n++] = (char)code;
            text += 4;
        } else {
            assert_true(*text == '"' || *text == '\\');
            out[n++] = *text;
        }
    }
    out[n] = '\0';
    return text + 1;
}

/* The value of a string member of __metadata__. */
static void metadata(const struct file *file, const char *name, char *out, size_t size)
{
    char key[64];
    const char *here;

    snprintf(key, sizeof(key), "\"%s\":\"", name);
    here = strstr(file->header, key);
    assert_non_null(here);
    unescape(here + strlen(key), out, size);
}

/* Quotes closed, brackets paired, nothing but spaces behind: what any JSON text is at least. */
static void assert_balanced(const char *text)
{
    char open[32] = {0};
    size_t depth = 0;

    for (; *text != '\0'; text++) {
        if (*text == '"') {
            for (text++; *text != '"'; text++) {
                assert_true(*text != '\0');
                text += *text == '\\';
            }
        } else if (*text == '{' || *text == '[') {
            assert_true(depth < sizeof(open));
            open[depth++] = *text;
        } else if (*text == '}' || *text == ']') {
            assert_true(depth > 0);
            assert_int_equal(open[--depth], *text == '}' ? '{' : '[');
        } else if (depth == 0) {
            assert_int_equal(*text, ' ');
        }
    }
    assert_int_equal(depth, 0);
}

static void tensors_lie_where_the_header_says(void **state)
{
    static const char tensors[] = "\"layers.0.weight\":{\"dtype\":\"F32\",\"shape\":[5,6],\"data_offsets\":[0,120]},"
                                  "\"layers.0.bias\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[120,140]},"
                                  "\"layers.3.weight\":{\"dtype\":\"F32\",\"shape\":[3,5],\"data_offsets\":[140,200]},"
                                  "\"layers.3.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[200,212]}}";
    struct file file;

    (void)state;
    open_file(&file, PREPROCESS_NONE, NULL);
    assert_balanced(file.header);
    assert_memory_equal(file.header, "{\"__metadata__\":{", 17);
    assert_non_null(strstr(file.header, tensors));
    assert_int_equal(file.data_size, 212);
    assert_memory_equal(file.data, file.model.parameters, 212);
    close_file(&file);
}

static void the_digest_is_that_of_the_data(void **state)
{
    char recorded[128], text[SHA256_HEX];
    struct file file;

    (void)state;
    open_file(&file, PREPROCESS_NONE, NULL);
    sha256_text(file.data, file.data_size, text);
    metadata(&file, "digest", recorded, sizeof(recorded));
    assert_string_equal(recorded, text);
    metadata(&file, "kernel_tier", recorded, sizeof(recorded));
    assert_string_equal(recorded, file.model.kernel_tier);
    metadata(&file, "format", recorded, sizeof(recorded));
    assert_string_equal(recorded, "descentd/1");
    close_file(&file);
}

static void layers_and_class_names_survive_two_levels_of_quotes(void **state)
{
    char text[512] = "", name[64] = "";
    const char *here = text;
    struct file file;

    (void)state;
    open_file(&file, PREPROCESS_SCALE_255, NULL);
    metadata(&file, "layers", text, sizeof(text));
    assert_string_equal(text, "[{\"type\":\"dense\",\"units\":5},{\"type\":\"leaky_relu\",\"slope\":0.01},"
                              "{\"type\":\"dropout\",\"rate\":0.25},{\"type\":\"dense\",\"units\":3}]");
    metadata(&file, "preprocessing", text, sizeof(text));
    assert_string_equal(text, "{\"type\":\"scale_255\"}");
    metadata(&file, "classes", text, sizeof(text));
    for (int c = 0; c < 3; c++) {
        assert_int_equal(*here++, c == 0 ? '[' : ',');
        assert_int_equal(*here++, '"');
        here = unescape(here, name, sizeof(name));
        assert_string_equal(name, file.model.class_names[c]);
    }
    assert_string_equal(here, "]");
    close_file(&file);
}

static void constants_of_the_preprocessing_come_back_exactly(void **state)
{
    char text[512] = "";
    struct file file;

    (void)state;
    open_file(&file, PREPROCESS_STANDARDIZE, NULL);
    metadata(&file, "preprocessing", text, sizeof(text));
    assert_balanced(text);
    for (int which = 0; which < 2; which++) {
        const float *want = which == 0 ? file.model.scaler.shift : file.model.scaler.factor;
        char *here = strstr(text, which == 0 ? "\"shift\":[" : "\"factor\":[");

        assert_non_null(here);
        here = strchr(here, '[');
        for (int i = 0; i < 6; i++) {
            assert_true(strtof(here + 1, &here) == want[i]);
            assert_int_equal(*here, i < 5 ? ',' : ']');
        }
    }
    close_file(&file);
}

static void further_metadata_is_added(void **state)
{
    char text[64];
    struct file file;

    (void)state;
    open_file(&file, PREPROCESS_NONE, "\"id\":\"mdl_1\",\"name\":\"n\"");
    assert_balanced(file.header);
    metadata(&file, "id", text, sizeof(text));
    assert_string_equal(text, "mdl_1");
    close_file(&file);
    open_file(&file, PREPROCESS_NONE, "");
    assert_balanced(file.header);
    assert_null(strstr(file.header, ",}"));
    close_file(&file);
}

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

        assert_int_equal(safetensors_write(&model, NULL, (struct sink){failing_write, &left}, &error),
                         STATUS_INSUFFICIENT_STORAGE);
        assert_string_equal(error.message, "full");
    }
    model_release(&model);
}

static void a_temperature_is_told_with_all_its_digits(void **state)
{
    struct file with, without;
    char text[64];

    (void)state;
    open_file(&with, PREPROCESS_STANDARDIZE, NULL);
    open_file(&without, PREPROCESS_NONE, NULL);
    metadata(&with, "temperature", text, sizeof(text));
    assert_true(strtod(text, NULL) == with.model.temperature);
    assert_null(strstr(without.header, "temperature"));
    assert_int_equal(with.data_size, without.data_size); /* nor does it change the data, hence the digest */
    assert_memory_equal(with.data, without.data, with.data_size);
    close_file(&with);
    close_file(&without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_lie_where_the_header_says),
        cmocka_unit_test(the_digest_is_that_of_the_data),
        cmocka_unit_test(layers_and_class_names_survive_two_levels_of_quotes),
        cmocka_unit_test(constants_of_the_preprocessing_come_back_exactly),
        cmocka_unit_test(further_metadata_is_added),
        cmocka_unit_test(a_sink_that_fails_ends_the_writing),
        cmocka_unit_test(a_temperature_is_told_with_all_its_digits),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
