/* Tables, the members that they describe, and encoding; decoding stands in fields_decode.c. */
#include "fields.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "api/encode_common.h"
#include "api/json_writer.h"

/* Numbers that float32 arithmetic still tells from 0 and from infinity, with room for a product or two. */
#define SMALLEST_NUMBER 1e-30
#define LARGEST_NUMBER  1e30

void field_pointer(char pointer[FIELD_POINTER_TEXT], const char *base, const char *key)
{
    int written = snprintf(pointer, FIELD_POINTER_TEXT, "%s/", base);
    size_t used = written < 0 ? 0 : (size_t)written;

    for (; *key != '\0' && used + 3 <= FIELD_POINTER_TEXT; key++) {
        if (*key == '~' || *key == '/') {
            pointer[used++] = '~';
            pointer[used++] = *key == '~' ? '0' : '1';
        } else {
            pointer[used++] = *key;
        }
        pointer[used] = '\0';
    }
}

void field_pointer_index(char pointer[FIELD_POINTER_TEXT], const char *base, size_t index)
{
    snprintf(pointer, FIELD_POINTER_TEXT, "%s/%zu", base, index);
}

const char *field_choice(const struct field *field, size_t index)
{
    assert(index < field->choice_count);
    return field->choices != NULL ? field->choices[index] : field->choice((unsigned)index);
}

struct field field_of_hyperparameter(const struct hyperparameter *parameter)
{
    static const enum field_kind KINDS[] = {
        [HYPER_NUMBER] = FIELD_NUMBER, [HYPER_COUNT32] = FIELD_COUNT32,       [HYPER_COUNT64] = FIELD_COUNT64,
        [HYPER_FLAG] = FIELD_FLAG,     [HYPER_CHOICE] = FIELD_FLAG_OR_CHOICE,
    };
    struct field field = {
        .name = parameter->name,
        .kind = KINDS[parameter->kind],
        .required = isnan(parameter->default_value) != 0,
        .offset = parameter->offset,
        .default_value = parameter->default_value,
        .minimum = parameter->minimum,
        .maximum = parameter->maximum,
        .minimum_excluded = parameter->minimum_excluded,
        .maximum_excluded = parameter->maximum_excluded,
        .choices = parameter->choices,
        .choice_count = parameter->choice_count,
        .help = parameter->help,
    };

    if (field.kind == FIELD_NUMBER && field.minimum == 0 && field.minimum_excluded) {
        field.minimum = SMALLEST_NUMBER;
        field.minimum_excluded = 0;
    }
    if (field.kind == FIELD_NUMBER && field.maximum > LARGEST_NUMBER) {
        field.maximum = LARGEST_NUMBER;
        field.maximum_excluded = 0;
    }
    if (field.kind == FIELD_COUNT64 && field.maximum > FIELD_EXACT_INTEGER) {
        field.maximum = FIELD_EXACT_INTEGER;
    }
    return field;
}

/* ---- a member of the struct ---- */

void field_store(const struct field *field, double value, void *into)
{
    void *member = (unsigned char *)into + field->offset;

    switch (field->kind) {
    case FIELD_NUMBER:
        *(double *)member = value;
        break;
    case FIELD_COUNT32:
        *(uint32_t *)member = (uint32_t)value;
        break;
    case FIELD_COUNT64:
    case FIELD_SEED:
        *(uint64_t *)member = (uint64_t)value;
        break;
    case FIELD_INT32:
        *(int32_t *)member = (int32_t)value;
        break;
    case FIELD_PAIR:
        ((uint32_t *)member)[0] = ((uint32_t *)member)[1] = (uint32_t)value;
        break;
    case FIELD_FLAG:
        *(int *)member = (int)value;
        break;
    case FIELD_CHOICE:
    case FIELD_FLAG_OR_CHOICE:
        *(unsigned *)member = (unsigned)value;
        break;
    case FIELD_NAME:
    case FIELD_OTHER:
        assert(!"a kind without a number");
    }
}

double field_load(const struct field *field, const void *from)
{
    const void *member = (const unsigned char *)from + field->offset;

    switch (field->kind) {
    case FIELD_NUMBER:
        return *(const double *)member;
    case FIELD_COUNT32:
    case FIELD_PAIR: /* its first */
        return *(const uint32_t *)member;
    case FIELD_COUNT64:
        return (double)*(const uint64_t *)member;
    case FIELD_INT32:
        return *(const int32_t *)member;
    case FIELD_FLAG:
        return *(const int *)member;
    case FIELD_CHOICE:
    case FIELD_FLAG_OR_CHOICE:
        return *(const unsigned *)member;
    case FIELD_SEED:
    case FIELD_NAME:
    case FIELD_OTHER:
        break;
    }
    assert(!"a kind without a number");
    return 0;
}

static int *word_flag(const struct field *field, void *object)
{
    return field->word_flag > 0 ? (int *)(void *)((unsigned char *)object + field->word_flag) : NULL;
}

void field_store_word(const struct field *field, int given, void *into)
{
    int *flag = word_flag(field, into);

    if (flag != NULL) {
        *flag = given;
    } else if (given) {
        field_store(field, 0, into);
    }
}

static int is_word(const struct field *field, const void *from)
{
    if (field->word == NULL) {
        return 0;
    }
    if (field->word_flag > 0) {
        return *(const int *)(const void *)((const unsigned char *)from + field->word_flag);
    }
    return field_load(field, from) == 0;
}

void fields_set_defaults(const struct field *fields, size_t count, void *object)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];

        if (field->word_is_default) {
            field_store_word(field, 1, object);
        } else if (field->kind < FIELD_OTHER && field->kind != FIELD_NAME && !isnan(field->default_value)) {
            field_store(field, field->default_value, object);
        }
    }
}

/* ---- encoding ---- */

static void write_word(const char *word, struct json_writer *writer)
{
    json_string(writer, strcmp(word, "null") == 0 ? NULL : word);
}

/* A value as store() takes it. */
static void write_number(const struct field *field, double value, struct json_writer *writer)
{
    switch (field->kind) {
    case FIELD_FLAG:
        json_bool(writer, value != 0);
        break;
    case FIELD_FLAG_OR_CHOICE:
        if (value == 0) {
            json_bool(writer, 0);
            break;
        }
        json_string(writer, field_choice(field, (size_t)value));
        break;
    case FIELD_CHOICE:
        json_string(writer, field_choice(field, (size_t)value));
        break;
    case FIELD_COUNT32:
    case FIELD_COUNT64:
    case FIELD_INT32:
    case FIELD_SEED:
    case FIELD_PAIR:
        json_int(writer, (int64_t)value);
        break;
    default:
        json_number(writer, value);
        break;
    }
}

static void write_member(const struct field *field, const void *from, struct json_writer *writer)
{
    const void *member = (const unsigned char *)from + field->offset;

    if (is_word(field, from)) {
        json_key(writer, field->name);
        write_word(field->word, writer);
    } else if (field->kind == FIELD_SEED) {
        encode_seed(writer, field->name, *(const uint64_t *)member);
    } else if (field->kind == FIELD_PAIR) {
        json_key(writer, field->name);
        json_begin_array(writer);
        json_uint(writer, ((const uint32_t *)member)[0]);
        json_uint(writer, ((const uint32_t *)member)[1]);
        json_end_array(writer);
    } else if (field->kind != FIELD_NAME) {
        json_key(writer, field->name);
        write_number(field, field_load(field, from), writer);
    } else if (*(const char *)member != '\0') {
        json_member_string(writer, field->name, member);
    }
}

void fields_encode(const struct field *fields, size_t count, const void *from, struct json_writer *writer)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind < FIELD_OTHER) {
            write_member(&fields[i], from, writer);
        }
    }
}

void field_write_default(const struct field *field, struct json_writer *writer)
{
    int fixed = !isnan(field->default_value) && field->kind < FIELD_OTHER && field->kind != FIELD_NAME;
    int word_is_zero = field->word_flag == 0 && field->default_value == 0;

    if (field->word != NULL && (field->word_is_default || (fixed && word_is_zero))) {
        write_word(field->word, writer);
    } else if (fixed) {
        write_number(field, field->default_value, writer);
    } else {
        json_null(writer);
    }
}
