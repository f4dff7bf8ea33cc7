/* From JSON into a struct, by table. Every error is told with what was wanted, and with the nearest name. */
#include "fields.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "api/json_writer.h"
#include "api/nearest.h"
#include "api/problem.h"
#include "api/views.h"

#define VALUE_TEXT 40 /* bytes of a wrong value that an error repeats */

/* ---- errors ---- */

/* Members of an error's `extra` are written as those of an object without its braces. */
static const char *extra_text(const struct json_writer *writer)
{
    return writer->text.failed ? NULL : writer->text.data;
}

void field_wrong_type(const struct json_value *value, const char *expected, const char *pointer, struct problem *problem)
{
    const char *got = json_type_name(json_type(value));
    struct json_writer extra = {0};

    json_member_string(&extra, "expected", expected);
    json_member_string(&extra, "got", got);
    problem_add_field(problem, STATUS_TYPE_MISMATCH, pointer, extra_text(&extra), "%s is wanted, this is %s", expected, got);
    json_writer_release(&extra);
}

void field_unknown_value(const struct field *field, const char *value, const char *pointer, struct problem *problem)
{
    struct nearest nearest = nearest_to(value, strlen(value));
    struct json_writer extra = {0};

    json_key(&extra, "value");
    json_string_n(&extra, value, strnlen(value, VALUE_TEXT));
    json_key(&extra, "allowed");
    json_begin_array(&extra);
    for (size_t i = 0; i < field->choice_count; i++) {
        json_string(&extra, field_choice(field, i));
        nearest_offer(&nearest, field_choice(field, i));
    }
    if (field->word != NULL && strcmp(field->word, "null") != 0) {
        json_string(&extra, field->word);
        nearest_offer(&nearest, field->word);
    }
    json_end_array(&extra);
    if (nearest.name != NULL) {
        problem_add_field(problem, STATUS_UNKNOWN_VALUE, pointer, extra_text(&extra), "did you mean %s?", nearest.name);
    } else {
        problem_add_field(problem, STATUS_UNKNOWN_VALUE, pointer, extra_text(&extra), "this is not one of those allowed");
    }
    json_writer_release(&extra);
}

static void wrong_number(const struct field *field, enum status status, double value, const char *pointer,
                         const char *message, struct problem *problem)
{
    struct json_writer extra = {0};

    json_member_number(&extra, "value", value);
    if (isfinite(field->minimum)) {
        json_member_number(&extra, field->minimum_excluded ? "exclusive_minimum" : "minimum", field->minimum);
    }
    if (isfinite(field->maximum)) {
        json_member_number(&extra, field->maximum_excluded ? "exclusive_maximum" : "maximum", field->maximum);
    }
    problem_add_field(problem, status, pointer, extra_text(&extra), "%s", message);
    json_writer_release(&extra);
}

static void out_of_range(const struct field *field, double value, const char *pointer, struct problem *problem)
{
    char message[128];

    snprintf(message, sizeof message, "%.15g is not %s %.15g and %s %.15g", value,
             field->minimum_excluded ? "above" : "at least", field->minimum, field->maximum_excluded ? "below" : "at most",
             field->maximum);
    wrong_number(field, STATUS_OUT_OF_RANGE, value, pointer, message, problem);
}

void field_unknown(const struct field *fields, size_t count, const char *name, const char *pointer, struct problem *problem)
{
    struct nearest nearest = nearest_to(name, strlen(name));

    for (size_t i = 0; i < count; i++) {
        nearest_offer(&nearest, fields[i].name);
    }
    if (nearest.name != NULL) {
        problem_add_field(problem, STATUS_UNKNOWN_FIELD, pointer, NULL, "did you mean %s?", nearest.name);
    } else {
        problem_add_field(problem, STATUS_UNKNOWN_FIELD, pointer, NULL, "there is no such field here");
    }
}

/* ---- decoding ---- */

static int is_integer_kind(enum field_kind kind)
{
    return kind == FIELD_COUNT32 || kind == FIELD_COUNT64 || kind == FIELD_INT32 || kind == FIELD_PAIR;
}

static int in_range(const struct field *field, double value)
{
    int above = field->minimum_excluded ? value > field->minimum : value >= field->minimum;
    int below = field->maximum_excluded ? value < field->maximum : value <= field->maximum;

    return above && below;
}

static int decode_number(const struct field *field, const struct json_value *value, void *into, const char *pointer,
                         struct problem *problem)
{
    double number = json_to_number(value);

    if (!isfinite(number)) {
        problem_add_field(problem, STATUS_NUMBER_OUT_OF_RANGE, pointer, NULL, "the number is beyond the range of a double");
    } else if (is_integer_kind(field->kind) && number != floor(number)) {
        wrong_number(field, STATUS_NOT_INTEGER, number, pointer, "an integer is wanted", problem);
    } else if (is_integer_kind(field->kind) && fabs(number) > FIELD_EXACT_INTEGER) {
        /* without the value: it is another one by now */
        problem_add_field(problem, STATUS_INTEGER_NOT_EXACT, pointer, NULL,
                          "integers beyond 2^53 - 1 are not exact in JSON");
    } else if (!in_range(field, number)) {
        out_of_range(field, number, pointer, problem);
    } else {
        field_store(field, number, into);
        return 1;
    }
    return 0;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Decimal or 0x digits of a 64-bit number, nothing else. */
static int parse_seed(const char *text, uint64_t *seed)
{
    unsigned base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    uint64_t value = 0;

    if (base == 16) {
        text += 2;
    }
    if (*text == '\0') {
        return 0;
    }
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)digit_of(*text);

        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return 0;
        }
    }
    *seed = value;
    return 1;
}

static int decode_seed(const struct field *field, const struct json_value *value, void *into, const char *pointer,
                       struct problem *problem)
{
    uint64_t *seed = (uint64_t *)(void *)((unsigned char *)into + field->offset);
    int valid;

    if (json_type(value) == JSON_NUMBER) {
        double number = json_to_number(value);

        valid = number >= 0 && number <= FIELD_EXACT_INTEGER && number == floor(number);
        if (valid) {
            *seed = (uint64_t)number;
        }
    } else if (json_type(value) == JSON_STRING) {
        valid = parse_seed(json_to_string(value), seed);
    } else {
        field_wrong_type(value, "a number or a string", pointer, problem);
        return 0;
    }
    if (!valid) {
        problem_add_field(problem, STATUS_SEED_INVALID, pointer, NULL,
                          "a seed is an integer from 0 to 2^53 - 1, or a string of decimal or 0x digits up to 2^64 - 1");
    }
    return valid;
}

static int is_name_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int decode_name(const struct field *field, const struct json_value *value, void *into, const char *pointer,
                       struct problem *problem)
{
    const char *name;
    size_t size;

    if (json_type(value) != JSON_STRING) {
        field_wrong_type(value, "a string", pointer, problem);
        return 0;
    }
    name = json_to_string(value);
    size = strlen(name);
    if (size >= NAME_TEXT) {
        problem_add_field(problem, STATUS_STRING_TOO_LONG, pointer, NULL, "%zu bytes, at most %d are allowed", size,
                          NAME_TEXT - 1);
        return 0;
    }
    for (size_t i = 0; i < size || i == 0; i++) {
        if (!is_name_letter(name[i]) && (i == 0 || strchr(" ._-", name[i]) == NULL)) {
            problem_add_field(problem, STATUS_NAME_INVALID, pointer, NULL,
                              "a name begins with a letter or digit and has letters, digits, blanks and . _ - alone");
            return 0;
        }
    }
    memcpy((unsigned char *)into + field->offset, name, size + 1);
    return 1;
}

static int decode_choice(const struct field *field, const struct json_value *value, void *into, const char *pointer,
                         struct problem *problem)
{
    int takes_flags = field->kind == FIELD_FLAG_OR_CHOICE;

    if (takes_flags && json_type(value) == JSON_BOOL) {
        field_store(field, json_is_true(value) ? (double)(field->choice_count - 1) : 0, into);
        return 1;
    }
    if (json_type(value) != JSON_STRING) {
        field_wrong_type(value, takes_flags ? "a boolean or a string" : "a string", pointer, problem);
        return 0;
    }
    for (size_t i = 0; i < field->choice_count; i++) {
        if (strcmp(json_to_string(value), field_choice(field, i)) == 0) {
            field_store(field, (double)i, into);
            return 1;
        }
    }
    field_unknown_value(field, json_to_string(value), pointer, problem);
    return 0;
}

/* One number for both, a list of two, or a choice. */
static int decode_pair(const struct field *field, const struct json_value *value, void *into, const char *pointer,
                       struct problem *problem)
{
    const struct field one = {.kind = FIELD_COUNT32, .minimum = field->minimum, .maximum = field->maximum};
    const int has_choices = field->choice_count > 0;
    uint32_t *pair = (uint32_t *)(void *)((unsigned char *)into + field->offset);
    char place[FIELD_POINTER_TEXT];
    int stored = 1;

    if (json_type(value) == JSON_NUMBER) {
        return decode_number(field, value, into, pointer, problem);
    }
    if (json_type(value) == JSON_STRING && has_choices) {
        struct field choice = *field;
        unsigned index = 0;

        choice.kind = FIELD_CHOICE;
        choice.offset = 0;
        stored = decode_choice(&choice, value, &index, pointer, problem);
        pair[0] = pair[1] = stored ? FIELD_PAIR_CHOICE(index) : pair[0];
        return stored;
    }
    if (json_type(value) != JSON_ARRAY) {
        field_wrong_type(value, has_choices ? "an integer, a list of two or a word" : "an integer or a list of two", pointer,
                         problem);
        return 0;
    }
    if (json_count(value) != 2) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, pointer, NULL, "%zu elements, [height, width] is wanted",
                          json_count(value));
        return 0;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct json_value *item = i == 0 ? json_first(value) : json_next(json_first(value));

        field_pointer_index(place, pointer, i);
        if (json_type(item) == JSON_NUMBER) {
            stored &= decode_number(&one, item, &pair[i], place, problem);
        } else {
            field_wrong_type(item, "an integer", place, problem);
            stored = 0;
        }
    }
    return stored;
}

static int is_given_word(const struct field *field, const struct json_value *value)
{
    if (field->word == NULL) {
        return 0;
    }
    if (strcmp(field->word, "null") == 0) {
        return json_type(value) == JSON_NULL;
    }
    return json_type(value) == JSON_STRING && strcmp(json_to_string(value), field->word) == 0;
}

static void wrong_number_type(const struct field *field, const struct json_value *value, const char *pointer,
                              struct problem *problem)
{
    const char *type = is_integer_kind(field->kind) ? "an integer" : "a number";
    char expected[64];

    if (field->word == NULL) {
        snprintf(expected, sizeof expected, "%s", type);
    } else if (strcmp(field->word, "null") == 0) {
        snprintf(expected, sizeof expected, "%s or null", type);
    } else {
        snprintf(expected, sizeof expected, "%s or \"%s\"", type, field->word);
    }
    field_wrong_type(value, expected, pointer, problem);
}

static int decode_value(const struct field *field, const struct json_value *value, void *into, const char *pointer,
                        struct problem *problem)
{
    switch (field->kind) {
    case FIELD_NUMBER:
    case FIELD_COUNT32:
    case FIELD_COUNT64:
    case FIELD_INT32:
        if (json_type(value) == JSON_NUMBER) {
            return decode_number(field, value, into, pointer, problem);
        }
        wrong_number_type(field, value, pointer, problem);
        return 0;
    case FIELD_FLAG:
        if (json_type(value) == JSON_BOOL) {
            field_store(field, json_is_true(value), into);
            return 1;
        }
        field_wrong_type(value, "a boolean", pointer, problem);
        return 0;
    case FIELD_CHOICE:
    case FIELD_FLAG_OR_CHOICE:
        return decode_choice(field, value, into, pointer, problem);
    case FIELD_NAME:
        return decode_name(field, value, into, pointer, problem);
    case FIELD_SEED:
        return decode_seed(field, value, into, pointer, problem);
    case FIELD_PAIR:
        return decode_pair(field, value, into, pointer, problem);
    case FIELD_OTHER:
        break;
    }
    return 0;
}

int field_decode(const struct field *field, const struct json_value *value, void *into, const char *pointer,
                 struct problem *problem)
{
    int stored = is_given_word(field, value);

    if (stored) {
        field_store_word(field, 1, into);
    } else {
        stored = decode_value(field, value, into, pointer, problem);
        if (stored && field->word != NULL) {
            field_store_word(field, 0, into);
        }
    }
    return stored;
}

static const struct field *find(const struct field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

void fields_decode(const struct field *fields, size_t count, const struct json_value *value, void *into, const char *pointer,
                   struct problem *problem)
{
    char place[FIELD_POINTER_TEXT];

    if (json_type(value) != JSON_OBJECT) {
        field_wrong_type(value, "an object", pointer, problem);
        return;
    }
    for (const struct json_value *member = json_first(value); member != NULL; member = json_next(member)) {
        const struct field *field = find(fields, count, json_name(member));

        field_pointer(place, pointer, json_name(member));
        if (field == NULL) {
            field_unknown(fields, count, json_name(member), place, problem);
        } else {
            (void)field_decode(field, member, into, place, problem); /* its error is in `problem` */
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && json_get(value, fields[i].name) == NULL) {
            field_pointer(place, pointer, fields[i].name);
            problem_add_field(problem, STATUS_MISSING_FIELD, place, NULL, "%s is required", fields[i].name);
        }
    }
}
