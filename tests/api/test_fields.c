#include "api/fields.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/job_request_tables.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/views.h"
#include "tests/api/refusal.h"
#include "tests/assert_close.h"

struct sample {
    char name[NAME_TEXT];
    double number;
    uint32_t count;
    uint64_t steps;
    int32_t priority;
    int flag, automatic;
    unsigned choice, mixed;
    uint64_t seed;
    uint32_t window[2], padding[2];
};

static const char *const COLOURS[] = {"red", "green"};
static const char *const KINDS[] = {"none", "lecture", "lookahead"};

#define AT(member) .offset = offsetof(struct sample, member)
static const struct field FIELDS[] = {
    {.name = "name", .kind = FIELD_NAME, AT(name), .default_value = NAN},
    {.name = "number", .kind = FIELD_NUMBER, AT(number), .default_value = 0.5, .maximum = 1, .maximum_excluded = 1},
    {.name = "count", .kind = FIELD_COUNT32, AT(count), .minimum = 1, .maximum = 4294967295.0, .word = "auto"},
    {.name = "steps",
     .kind = FIELD_COUNT64,
     AT(steps),
     .default_value = NAN,
     .minimum = 1,
     .maximum = FIELD_EXACT_INTEGER,
     .word = "full",
     .word_flag = offsetof(struct sample, automatic),
     .word_is_default = 1},
    {.name = "priority", .kind = FIELD_INT32, AT(priority), .minimum = -100, .maximum = 100},
    {.name = "flag", .kind = FIELD_FLAG, AT(flag), .default_value = 1},
    {.name = "choice", .kind = FIELD_CHOICE, AT(choice), .default_value = 1, .choices = COLOURS, .choice_count = 2},
    {.name = "mixed", .kind = FIELD_FLAG_OR_CHOICE, AT(mixed), .choices = KINDS, .choice_count = 3},
    {.name = "seed", .kind = FIELD_SEED, AT(seed)},
    {.name = "window", .kind = FIELD_PAIR, AT(window), .default_value = 3, .minimum = 1, .maximum = 9},
    {.name = "padding", .kind = FIELD_PAIR, AT(padding), .maximum = 9, .choices = COLOURS, .choice_count = 2},
    {.name = "needed", .kind = FIELD_OTHER, .required = 1},
};
#define COUNT (sizeof FIELDS / sizeof *FIELDS)

/* Decodes text at "/s"; problem is initialised here and released by the caller. */
static void decode(const char *text, struct sample *sample, struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    problem_init(problem);
    *sample = (struct sample){.seed = 0};
    fields_set_defaults(FIELDS, COUNT, sample);
    assert_int_equal(json_parse(&document, text, strlen(text), NULL, 0, &error), STATUS_OK);
    fields_decode(FIELDS, COUNT, json_root(document), sample, "/s", problem);
    json_free(document);
}

static void what_is_not_given_keeps_its_default(void **state)
{
    struct sample sample;
    struct problem problem;

    (void)state;
    decode("{\"needed\":1}", &sample, &problem);
    assert_int_equal(problem.status, STATUS_OK);
    assert_string_equal(sample.name, "");
    assert_close(sample.number, 0.5, 0, 0);
    assert_int_equal(sample.count, 0);
    assert_int_equal(sample.automatic, 1);
    assert_int_equal(sample.flag, 1);
    assert_int_equal(sample.choice, 1);
    assert_int_equal(sample.mixed, 0);
    problem_release(&problem);
}

static void every_kind_is_stored(void **state)
{
    struct sample sample;
    struct problem problem;

    (void)state;
    decode("{\"needed\":null,\"name\":\"A b._-9\",\"number\":0.25,\"count\":4294967295,\"steps\":9007199254740991,"
           "\"priority\":-100,\"flag\":false,\"choice\":\"red\",\"mixed\":\"lecture\",\"seed\":\"0xFFFFFFFFFFFFFFFF\"}",
           &sample, &problem);
    assert_int_equal(problem.status, STATUS_OK);
    assert_string_equal(sample.name, "A b._-9");
    assert_close(sample.number, 0.25, 0, 0);
    assert_int_equal(sample.count, UINT32_MAX);
    assert_int_equal(sample.steps, 9007199254740991);
    assert_int_equal(sample.automatic, 0);
    assert_int_equal(sample.priority, -100);
    assert_int_equal(sample.flag, 0);
    assert_int_equal(sample.choice, 0);
    assert_int_equal(sample.mixed, 1);
    assert_true(sample.seed == UINT64_MAX);
    problem_release(&problem);
}

static void a_pair_is_one_number_or_two_or_a_word(void **state)
{
    static const struct {
        const char *text;
        uint32_t window[2], padding[2];
    } good[] = {
        {"{\"needed\":1}", {3, 3}, {0, 0}},
        {"{\"needed\":1,\"window\":5,\"padding\":2}", {5, 5}, {2, 2}},
        {"{\"needed\":1,\"window\":[1,9],\"padding\":[0,7]}", {1, 9}, {0, 7}},
        {"{\"needed\":1,\"padding\":\"green\"}", {3, 3}, {FIELD_PAIR_CHOICE(1), FIELD_PAIR_CHOICE(1)}},
    };
    static const struct {
        const char *text;
        enum status status;
        const char *pointer;
    } bad[] = {
        {"{\"needed\":1,\"window\":0}", STATUS_OUT_OF_RANGE, "/s/window"},
        {"{\"needed\":1,\"window\":2.5}", STATUS_NOT_INTEGER, "/s/window"},
        {"{\"needed\":1,\"window\":[3,10]}", STATUS_OUT_OF_RANGE, "/s/window/1"},
        {"{\"needed\":1,\"window\":[3,\"4\"]}", STATUS_TYPE_MISMATCH, "/s/window/1"},
        {"{\"needed\":1,\"window\":[3]}", STATUS_OUT_OF_RANGE, "/s/window"},
        {"{\"needed\":1,\"window\":[3,3,3]}", STATUS_OUT_OF_RANGE, "/s/window"},
        {"{\"needed\":1,\"window\":[]}", STATUS_OUT_OF_RANGE, "/s/window"},
        {"{\"needed\":1,\"window\":\"green\"}", STATUS_TYPE_MISMATCH, "/s/window"},
        {"{\"needed\":1,\"window\":null}", STATUS_TYPE_MISMATCH, "/s/window"},
        {"{\"needed\":1,\"padding\":\"gren\"}", STATUS_UNKNOWN_VALUE, "/s/padding"},
        {"{\"needed\":1,\"padding\":{}}", STATUS_TYPE_MISMATCH, "/s/padding"},
    };
    struct sample sample;
    struct problem problem;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        decode(good[i].text, &sample, &problem);
        assert_int_equal(problem.status, STATUS_OK);
        assert_memory_equal(sample.window, good[i].window, sizeof sample.window);
        assert_memory_equal(sample.padding, good[i].padding, sizeof sample.padding);
        problem_release(&problem);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        decode(bad[i].text, &sample, &problem);
        if (!refusal_is_only(&problem, bad[i].status, bad[i].pointer)) {
            fail_msg("%s", bad[i].text);
        }
        problem_release(&problem);
    }
}

static void words_stand_for_values(void **state)
{
    struct sample sample;
    struct problem problem;

    (void)state;
    decode("{\"needed\":1,\"count\":\"auto\",\"steps\":\"full\",\"mixed\":true}", &sample, &problem);
    assert_int_equal(problem.status, STATUS_OK);
    assert_int_equal(sample.count, 0);
    assert_int_equal(sample.automatic, 1);
    assert_int_equal(sample.mixed, 2);
    problem_release(&problem);
}

static void what_was_stored_is_written_and_read_again(void **state)
{
    static const char *const TEXTS[] = {
        "{\"number\":0.5,\"count\":\"auto\",\"steps\":\"full\",\"priority\":0,\"flag\":true,\"choice\":\"green\","
        "\"mixed\":false,\"seed\":0,\"window\":[3,3],\"padding\":[0,0]}",
        "{\"name\":\"x\",\"number\":0.1,\"count\":7,\"steps\":9,\"priority\":-3,\"flag\":false,\"choice\":\"red\","
        "\"mixed\":\"lookahead\",\"seed\":9007199254740991,\"window\":[3,4],\"padding\":[0,9]}",
        "{\"number\":0,\"count\":1,\"steps\":1,\"priority\":100,\"flag\":true,\"choice\":\"red\",\"mixed\":\"lecture\","
        "\"seed\":\"18446744073709551615\",\"window\":[3,3],\"padding\":[0,0]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct sample sample;
        struct problem problem;
        struct json_writer writer = {0};
        struct error error = {.status = STATUS_OK};
        char *text = NULL;
        size_t size;

        decode(TEXTS[i], &sample, &problem); /* "needed" is missing, which changes nothing here */
        json_begin_object(&writer);
        fields_encode(FIELDS, COUNT, &sample, &writer);
        json_end_object(&writer);
        assert_int_equal(json_writer_take(&writer, &text, &size, &error), STATUS_OK);
        assert_string_equal(text, TEXTS[i]);
        free(text);
        problem_release(&problem);
    }
}

static void a_value_that_cannot_be_gets_its_code(void **state)
{
    static const struct {
        const char *member;
        enum status status;
        const char *pointer;
    } ROWS[] = {
        {"\"number\":\"1\"", STATUS_TYPE_MISMATCH, "/s/number"},
        {"\"number\":true", STATUS_TYPE_MISMATCH, "/s/number"},
        {"\"number\":null", STATUS_TYPE_MISMATCH, "/s/number"},
        {"\"number\":[0.5]", STATUS_TYPE_MISMATCH, "/s/number"},
        {"\"number\":{}", STATUS_TYPE_MISMATCH, "/s/number"},
        {"\"number\":1", STATUS_OUT_OF_RANGE, "/s/number"},
        {"\"number\":-0.1", STATUS_OUT_OF_RANGE, "/s/number"},
        {"\"number\":1e999", STATUS_NUMBER_OUT_OF_RANGE, "/s/number"},
        {"\"count\":0", STATUS_OUT_OF_RANGE, "/s/count"},
        {"\"count\":2.5", STATUS_NOT_INTEGER, "/s/count"},
        {"\"count\":4294967296", STATUS_OUT_OF_RANGE, "/s/count"},
        {"\"count\":9007199254740993", STATUS_INTEGER_NOT_EXACT, "/s/count"},
        {"\"count\":\"full\"", STATUS_TYPE_MISMATCH, "/s/count"},
        {"\"steps\":0", STATUS_OUT_OF_RANGE, "/s/steps"},
        {"\"priority\":-101", STATUS_OUT_OF_RANGE, "/s/priority"},
        {"\"flag\":1", STATUS_TYPE_MISMATCH, "/s/flag"},
        {"\"flag\":\"true\"", STATUS_TYPE_MISMATCH, "/s/flag"},
        {"\"choice\":\"Red\"", STATUS_UNKNOWN_VALUE, "/s/choice"},
        {"\"choice\":true", STATUS_TYPE_MISMATCH, "/s/choice"},
        {"\"choice\":0", STATUS_TYPE_MISMATCH, "/s/choice"},
        {"\"mixed\":\"lookback\"", STATUS_UNKNOWN_VALUE, "/s/mixed"},
        {"\"mixed\":1", STATUS_TYPE_MISMATCH, "/s/mixed"},
        {"\"seed\":-1", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":0.5", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":9007199254740993", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":1e999", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":\"one\"", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":\"\"", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":\"0x\"", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":\"-1\"", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":\"12a\"", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":\"18446744073709551616\"", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":\"0x1ffffffffffffffff\"", STATUS_SEED_INVALID, "/s/seed"},
        {"\"seed\":true", STATUS_TYPE_MISMATCH, "/s/seed"},
        {"\"name\":\"\"", STATUS_NAME_INVALID, "/s/name"},
        {"\"name\":\"../x\"", STATUS_NAME_INVALID, "/s/name"},
        {"\"name\":\"<script>\"", STATUS_NAME_INVALID, "/s/name"},
        {"\"name\":\"a\\nb\"", STATUS_NAME_INVALID, "/s/name"},
        {"\"name\":\"\\ud83d\\ude00\"", STATUS_NAME_INVALID, "/s/name"},
        {"\"name\":\"\\u202ex\"", STATUS_NAME_INVALID, "/s/name"},
        {"\"name\":3", STATUS_TYPE_MISMATCH, "/s/name"},
        {"\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", STATUS_STRING_TOO_LONG,
         "/s/name"},
        {"\"NUMBER\":0.5", STATUS_UNKNOWN_FIELD, "/s/NUMBER"},
        {"\"a/b~c\":0.5", STATUS_UNKNOWN_FIELD, "/s/a~1b~0c"},
        {"\"\":0.5", STATUS_UNKNOWN_FIELD, "/s/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct sample sample;
        struct problem problem;
        char text[256];

        (void)snprintf(text, sizeof text, "{\"needed\":1,%s}", ROWS[i].member);
        decode(text, &sample, &problem);
        if (!refusal_is_only(&problem, ROWS[i].status, ROWS[i].pointer)) {
            fail_msg("%s", ROWS[i].member);
        }
        problem_release(&problem);
    }
}

static void a_name_of_64_characters_is_a_name(void **state)
{
    struct sample sample;
    struct problem problem;

    (void)state;
    decode("{\"needed\":1,\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", &sample,
           &problem);
    assert_int_equal(problem.status, STATUS_OK);
    assert_int_equal(strlen(sample.name), 64);
    problem_release(&problem);
}

static void all_errors_come_at_once_and_say_how_to_do_better(void **state)
{
    struct sample sample;
    struct problem problem;
    const struct problem_field *field;

    (void)state;
    decode("{\"numbr\":1,\"number\":7,\"choice\":\"gren\",\"count\":\"x\"}", &sample, &problem);
    assert_int_equal(problem.field_total, 5);
    field = refusal_find(&problem, STATUS_UNKNOWN_FIELD, "/s/numbr");
    assert_non_null(field);
    assert_string_equal(field->detail, "did you mean number?");
    field = refusal_find(&problem, STATUS_OUT_OF_RANGE, "/s/number");
    assert_non_null(field);
    assert_string_equal(field->extra, "\"value\":7,\"minimum\":0,\"exclusive_maximum\":1");
    field = refusal_find(&problem, STATUS_UNKNOWN_VALUE, "/s/choice");
    assert_non_null(field);
    assert_string_equal(field->detail, "did you mean green?");
    assert_string_equal(field->extra, "\"value\":\"gren\",\"allowed\":[\"red\",\"green\"]");
    field = refusal_find(&problem, STATUS_TYPE_MISMATCH, "/s/count");
    assert_non_null(field);
    assert_non_null(strstr(field->extra, "\"got\":\"a string\""));
    assert_non_null(refusal_find(&problem, STATUS_MISSING_FIELD, "/s/needed"));
    problem_release(&problem);
}

static void what_is_no_object_is_one_error(void **state)
{
    static const char *const TEXTS[] = {"[]", "\"x\"", "3", "null", "true"};

    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct sample sample;
        struct problem problem;

        decode(TEXTS[i], &sample, &problem);
        assert_true(refusal_is_only(&problem, STATUS_TYPE_MISMATCH, "/s"));
        problem_release(&problem);
    }
}

static void pointers_that_do_not_fit_are_cut(void **state)
{
    char pointer[FIELD_POINTER_TEXT], key[1000];

    (void)state;
    memset(key, '~', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    field_pointer(pointer, "/base", key);
    assert_true(strlen(pointer) < FIELD_POINTER_TEXT);
    assert_memory_equal(pointer, "/base/~0~0", 10);
}

/* Every table of the job request can be described, and its defaults lie in their own ranges. */
static void every_row_of_every_table_makes_sense(void **state)
{
    struct field_table table;
    size_t tables = 0;

    (void)state;
    while (job_request_table(tables, &table)) {
        tables++;
        assert_non_null(table.name);
        assert_non_null(table.help);
        assert_true(table.count <= FIELD_TABLE_MAX);
        for (size_t i = 0; i < table.count; i++) {
            const struct field *field = &table.fields[i];
            int number = field->kind <= FIELD_INT32 && !isnan(field->default_value) && !field->word_is_default;

            assert_non_null(field->name);
            assert_non_null(field->help);
            assert_int_equal(field->kind == FIELD_OTHER, field->json_type != NULL);
            if (number && !(field->word != NULL && field->default_value == 0)) {
                assert_true(field->default_value >= field->minimum && field->default_value <= field->maximum);
            }
            for (size_t k = 0; k < field->choice_count; k++) {
                assert_non_null(field_choice(field, k));
            }
            for (size_t k = 0; k < i; k++) {
                assert_string_not_equal(field->name, table.fields[k].name);
            }
        }
    }
    assert_true(tables > 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_keeps_its_default),
        cmocka_unit_test(every_kind_is_stored),
        cmocka_unit_test(a_pair_is_one_number_or_two_or_a_word),
        cmocka_unit_test(words_stand_for_values),
        cmocka_unit_test(what_was_stored_is_written_and_read_again),
        cmocka_unit_test(a_value_that_cannot_be_gets_its_code),
        cmocka_unit_test(a_name_of_64_characters_is_a_name),
        cmocka_unit_test(all_errors_come_at_once_and_say_how_to_do_better),
        cmocka_unit_test(what_is_no_object_is_one_error),
        cmocka_unit_test(pointers_that_do_not_fit_are_cut),
        cmocka_unit_test(every_row_of_every_table_makes_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
