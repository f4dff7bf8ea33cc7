#include "api/algorithms.h"

#include "api/job_request_tables.h"
#include "api/json.h"
#include "core/data/generator.h"
#include "core/data/sampler.h"
#include "core/data/scale.h"
#include "tests/api/written.h"

static char *text;
static struct json_document *document;

static int read_algorithms(void **state)
{
    struct json_writer writer = {.depth = 0};
    size_t size;

    (void)state;
    algorithms_write(&writer);
    return json_writer_take(&writer, &text, &size, NULL) != STATUS_OK ||
           json_parse(&document, text, size, NULL, 0, NULL) != STATUS_OK;
}

static int free_algorithms(void **state)
{
    (void)state;
    json_free(document);
    free(text);
    return 0;
}

/* The item of a section, or the parameter of an item, that is called so; NULL: there is none. */
static const struct json_value *find(const struct json_value *list, const char *key, const char *name)
{
    for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item)) {
        if (strcmp(json_to_string(json_get(item, key)), name) == 0) {
            return item;
        }
    }
    return NULL;
}

static const struct json_value *section(const char *name)
{
    const struct json_value *list = json_get(json_root(document), name);

    assert_non_null(list);
    assert_int_equal(json_type(list), JSON_ARRAY);
    return list;
}

static const struct json_value *parameter(const char *in, const char *type, const char *name)
{
    const struct json_value *item = find(section(in), "type", type);

    assert_non_null(item);
    item = find(json_get(item, "parameters"), "name", name);
    assert_non_null(item);
    return item;
}

static void every_variant_of_every_table_is_listed(void **state)
{
    static const struct {
        const char *name;
        enum job_table table;
    } sections[] = {{"models", JOB_TABLE_MODEL},
                    {"layers", JOB_TABLE_LAYER},
                    {"optimizers", JOB_TABLE_OPTIMIZER},
                    {"schedules", JOB_TABLE_SCHEDULE},
                    {"datasets", JOB_TABLE_DATASET}};
    struct field_table table;

    (void)state;
    for (size_t s = 0; s < sizeof sections / sizeof *sections; s++) {
        assert_int_equal(json_count(section(sections[s].name)), job_table_variants(sections[s].table));
        for (size_t v = 0; v < job_table_variants(sections[s].table); v++) {
            job_table(sections[s].table, v, &table);
            assert_non_null(find(section(sections[s].name), "type", table.variant));
        }
    }
    assert_non_null(find(section("losses"), "type", "cross_entropy"));
}

static void every_plain_choice_is_listed_and_explained(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        const char *first;
    } sections[] = {{"initializers", INITIALIZER_COUNT, "zeros"},
                    {"preprocessings", PREPROCESS_COUNT, "none"},
                    {"shuffles", SHUFFLE_COUNT, "every_epoch"},
                    {"generators", GENERATOR_COUNT, "blobs"}};

    (void)state;
    for (size_t s = 0; s < sizeof sections / sizeof *sections; s++) {
        const struct json_value *list = section(sections[s].name);

        assert_int_equal(json_count(list), sections[s].count);
        assert_string_equal(json_to_string(json_get(json_first(list), "type")), sections[s].first);
        for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item)) {
            assert_true(strlen(json_to_string(json_get(item, "help"))) > 5);
        }
    }
}

static void every_parameter_has_type_default_and_help(void **state)
{
    size_t seen = 0;

    (void)state;
    for (const struct json_value *list = json_next(json_first(json_root(document))); list != NULL; list = json_next(list)) {
        for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item)) {
            const struct json_value *parameters = json_get(item, "parameters");

            assert_true(json_get(item, "help") != NULL || json_get(item, "formula") != NULL);
            for (const struct json_value *p = json_first(parameters); p != NULL; p = json_next(p)) {
                assert_true(strlen(json_to_string(json_get(p, "name"))) > 0);
                assert_true(strlen(json_to_string(json_get(p, "type"))) > 3);
                assert_true(strlen(json_to_string(json_get(p, "help"))) > 3);
                assert_int_equal(json_type(json_get(p, "required")), JSON_BOOL);
                assert_non_null(json_get(p, "default"));
                seen++;
            }
        }
    }
    assert_true(seen > 60);
}

static void optimizers_tell_their_formula_and_source(void **state)
{
    (void)state;
    for (const struct json_value *item = json_first(section("optimizers")); item != NULL; item = json_next(item)) {
        assert_non_null(strstr(json_to_string(json_get(item, "formula")), "theta"));
        assert_true(strlen(json_to_string(json_get(item, "source"))) > 5);
    }
}

static void known_parameters_have_their_limits_and_choices(void **state)
{
    const struct json_value *momentum = parameter("optimizers", "sgd", "momentum");
    const struct json_value *nesterov = json_get(parameter("optimizers", "sgd", "nesterov"), "choices");
    const struct json_value *batch = parameter("training", "training", "batch_size");
    const struct json_value *epochs = parameter("schedules", "step", "every_epochs");

    (void)state;
    assert_int_equal((int)json_to_number(json_get(momentum, "minimum")), 0);
    assert_int_equal((int)json_to_number(json_get(momentum, "exclusive_maximum")), 1);
    assert_null(json_get(momentum, "maximum"));
    assert_string_equal(json_to_string(json_get(momentum, "type")), "number");
    assert_int_equal(json_count(nesterov), 4); /* false, lecture, lookahead, true */
    assert_int_equal(json_type(json_first(nesterov)), JSON_BOOL);
    assert_string_equal(json_to_string(json_next(json_first(nesterov))), "lecture");
    assert_string_equal(json_to_string(json_first(json_get(batch, "choices"))), "full");
    assert_int_equal(json_type(json_get(batch, "default")), JSON_NULL);
    assert_true(json_is_true(json_get(epochs, "required")));
}

static void what_is_not_supported_yet_is_not_listed(void **state)
{
    (void)state;
    for (int id = 0; id < JOB_TABLE_COUNT; id++) {
        const char *const *later = job_table_later((enum job_table)id);

        for (; later != NULL && *later != NULL; later++) {
            assert_null(find(section("models"), "type", *later));
            assert_null(find(section("layers"), "type", *later));
            assert_null(find(section("optimizers"), "type", *later));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_of_every_table_is_listed),
        cmocka_unit_test(every_plain_choice_is_listed_and_explained),
        cmocka_unit_test(every_parameter_has_type_default_and_help),
        cmocka_unit_test(optimizers_tell_their_formula_and_source),
        cmocka_unit_test(known_parameters_have_their_limits_and_choices),
        cmocka_unit_test(what_is_not_supported_yet_is_not_listed),
    };

    return cmocka_run_group_tests(tests, read_algorithms, free_algorithms);
}
