/*
 * Decoding queries. One pass over the pairs, each looked up among its route's parameters and then read by its type; the
 * decoded texts lie in the query's own buffer, so that nothing is allocated.
 *
 * The document's code is that of the first error; all of them stand in its errors[], each with its "parameter".
 */
#include "query.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/json_writer.h"
#include "api/nearest.h"
#include "api/problem.h"
#include "api/routes.h"
#include "core/base/utf8.h"
#include "core/data/decimal.h"

static const struct query_parameter parameters[PARAMETER_COUNT] = {
    [PARAMETER_NONE] = {"", QUERY_TEXT, 0, 0, "", "", ""},
#define PARAMETER(NAME, name, type, minimum, maximum, standard, choices, help)                                              \
    [PARAMETER_##NAME] = {name, QUERY_##type, minimum, maximum, standard, choices, help},
#include "api/query.def"
#undef PARAMETER
};

const struct query_parameter *query_parameter(enum query_id id)
{
    return &parameters[id];
}

const char *query_choice(const char *choices, size_t index, size_t *size)
{
    for (; index > 0 && *choices != '\0'; index--) {
        choices += strcspn(choices, "|");
        choices += *choices == '|';
    }
    *size = strcspn(choices, "|");
    return *size == 0 ? NULL : choices;
}

/* The place of a text in a list of choices; -1: it is none of them. */
static int find_choice(const char *choices, const char *text, size_t size)
{
    size_t choice_size;
    const char *choice;

    for (size_t i = 0; (choice = query_choice(choices, i, &choice_size)) != NULL; i++) {
        if (choice_size == size && memcmp(choice, text, size) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void query_refuse(struct problem *problem, enum status status, const char *name, const char *format, ...)
{
    struct error whole = {.status = status};
    struct json_writer writer = {.depth = 0};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(whole.message, sizeof whole.message, format, arguments);
    va_end(arguments);
    if (problem->status == STATUS_OK) {
        problem_add(problem, &whole);
    }
    text_string(&writer.text, "\"parameter\":");
    json_string_n(&writer, name, strnlen(name, 40));
    problem_add_field(problem, status, NULL, writer.text.failed ? NULL : writer.text.data, "%s", whole.message);
    json_writer_release(&writer);
}

int query_is_required(const struct query_parameter *parameter)
{
    return strcmp(parameter->standard, "!") == 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes raw [size] into the query's text. NULL: not well-formed percent-encoding, a control byte, or not UTF-8. */
static char *decode(struct query *query, const char *raw, size_t size)
{
    char *text = query->text + query->used;
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)raw[i];

        if (byte == '%') {
            int high = size - i > 2 ? hex_digit(raw[i + 1]) : -1, low = size - i > 2 ? hex_digit(raw[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return NULL;
            }
            byte = (unsigned char)(high << 4 | low);
            i += 2;
        }
        if (byte < ' ' || byte == 0x7f) {
            return NULL;
        }
        text[used++] = (char)byte;
    }
    if (!utf8_valid(text, used)) {
        return NULL;
    }
    text[used] = '\0';
    query->used += used + 1;
    return text;
}

static int is_prefixed(const struct query_parameter *parameter, const char *name)
{
    size_t size = strlen(parameter->name);

    return parameter->type == QUERY_PREFIX && strncmp(name, parameter->name, size) == 0 && name[size] != '\0';
}

static enum query_id find_parameter(const struct route *route, const char *name)
{
    for (size_t i = 0; i < ROUTE_QUERY_MAX && route->query[i] != PARAMETER_NONE; i++) {
        const struct query_parameter *parameter = &parameters[route->query[i]];

        if ((parameter->type != QUERY_PREFIX && strcmp(name, parameter->name) == 0) || is_prefixed(parameter, name)) {
            return (enum query_id)route->query[i];
        }
    }
    return PARAMETER_NONE;
}

/* Names under which tokens are sent elsewhere. */
static int is_token_name(const char *name, size_t size)
{
    static const char *const names[] = {"token", "access_token"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) {
            return 1;
        }
    }
    return 0;
}

int query_has_token(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '&', size - at);
        size_t pair = end == NULL ? size - at : (size_t)(end - text) - at;
        const char *equals = memchr(text + at, '=', pair);

        if (is_token_name(text + at, equals == NULL ? pair : (size_t)(equals - text) - at)) {
            return 1;
        }
        at += pair + 1;
    }
    return 0;
}

static void refuse_unknown(struct problem *problem, const struct route *route, const char *name)
{
    struct nearest nearest = nearest_to(name, strlen(name));
    char known[160] = "";
    size_t used = 0;

    if (is_token_name(name, strlen(name))) {
        query_refuse(problem, STATUS_TOKEN_IN_QUERY, name, "addresses end up in logs: send \"Authorization: Bearer\"");
        return;
    }
    for (size_t i = 0; i < ROUTE_QUERY_MAX && route->query[i] != PARAMETER_NONE && used < sizeof known; i++) {
        const struct query_parameter *parameter = &parameters[route->query[i]];

        if (parameter->type != QUERY_PREFIX) {
            nearest_offer(&nearest, parameter->name);
        }
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s%s", i > 0 ? ", " : "", parameter->name,
                                 parameter->type == QUERY_PREFIX ? "*" : "");
    }
    if (nearest.name != NULL) {
        query_refuse(problem, STATUS_QUERY_UNKNOWN, name, "\"%.40s\" is not known, did you mean %s?", name, nearest.name);
    } else {
        query_refuse(problem, STATUS_QUERY_UNKNOWN, name, "\"%.40s\" is not known, %s takes %s", name, route->path,
                     known[0] == '\0' ? "no parameters" : known);
    }
}

/* An optional sign and digits; what is beyond int64 counts as its end. 0: something else stands there. */
static int parse_integer(const char *text, int64_t *value)
{
    int negative = *text == '-';
    int64_t sum = 0;

    text += negative;
    if (*text == '\0') {
        return 0;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return 0;
        }
        sum = sum > (INT64_MAX - 9) / 10 ? INT64_MAX : sum * 10 + (*text - '0');
    }
    *value = negative ? -sum : sum;
    return 1;
}

static void read_integer(const struct query_parameter *parameter, struct query_value *value, struct problem *problem)
{
    int64_t minimum = (int64_t)parameter->minimum, maximum = (int64_t)parameter->maximum;

    if (!parse_integer(value->text, &value->integer)) {
        query_refuse(problem, STATUS_QUERY_INVALID, parameter->name, "%s is \"%.40s\", an integer is wanted",
                     parameter->name, value->text);
        return;
    }
    if (parameter->type == QUERY_CLAMPED && value->integer > maximum) {
        value->integer = maximum;
    }
    if (value->integer < minimum || value->integer > maximum) {
        query_refuse(problem, STATUS_QUERY_INVALID, parameter->name, "%s is %.40s, %lld to %lld are allowed",
                     parameter->name, value->text, (long long)minimum, (long long)maximum);
    }
    value->number = (double)value->integer;
}

static void read_number(const struct query_parameter *parameter, struct query_value *value, struct problem *problem)
{
    int clamped = parameter->type == QUERY_SECONDS;

    if (decimal_f64(value->text, strlen(value->text), &value->number) != DECIMAL_FINITE) {
        query_refuse(problem, STATUS_QUERY_INVALID, parameter->name, "%s is \"%.40s\", a number is wanted", parameter->name,
                     value->text);
        return;
    }
    if (clamped && value->number > parameter->maximum) {
        value->number = parameter->maximum;
    }
    if (value->number < parameter->minimum || (!clamped && value->number >= parameter->maximum)) {
        query_refuse(problem, STATUS_QUERY_INVALID, parameter->name,
                     clamped ? "%s is %.40s, %g is the least" : "%s is %.40s, %g <= it < %g is wanted", parameter->name,
                     value->text, parameter->minimum, parameter->maximum);
    }
}

static void refuse_choice(const struct query_parameter *parameter, const char *text, size_t size, struct problem *problem)
{
    char choices[200];

    (void)snprintf(choices, sizeof choices, "%s", parameter->choices);
    for (char *bar = choices; (bar = strchr(bar, '|')) != NULL;) {
        *bar = ' ';
    }
    query_refuse(problem, STATUS_QUERY_INVALID, parameter->name, "%s is \"%.*s\", one of these is wanted: %s",
                 parameter->name, (int)(size > 40 ? 40 : size), text, choices);
}

static void read_list(const struct query_parameter *parameter, struct query_value *value, struct problem *problem)
{
    for (const char *at = value->text; at != NULL;) {
        size_t size = strcspn(at, ",");
        int place = find_choice(parameter->choices, at, size);

        if (place < 0) {
            refuse_choice(parameter, at, size, problem);
        } else if ((value->integer >> place & 1) != 0) {
            query_refuse(problem, STATUS_QUERY_INVALID, parameter->name, "%s has %.*s twice", parameter->name, (int)size,
                         at);
        } else {
            value->integer |= (int64_t)1 << place;
        }
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
}

static void read_value(const struct query_parameter *parameter, struct query_value *value, struct problem *problem)
{
    static const char booleans[] = "false|true";
    size_t size = strlen(value->text);
    int place;

    switch (parameter->type) {
    case QUERY_INTEGER:
    case QUERY_CLAMPED:
        read_integer(parameter, value, problem);
        break;
    case QUERY_NUMBER:
    case QUERY_SECONDS:
        read_number(parameter, value, problem);
        break;
    case QUERY_BOOLEAN:
    case QUERY_CHOICE:
        place = find_choice(parameter->type == QUERY_BOOLEAN ? booleans : parameter->choices, value->text, size);
        value->integer = place;
        if (place < 0 && parameter->type == QUERY_CHOICE) {
            refuse_choice(parameter, value->text, size, problem);
        } else if (place < 0) {
            query_refuse(problem, STATUS_QUERY_INVALID, parameter->name, "%s is \"%.40s\", true or false is wanted",
                         parameter->name, value->text);
        }
        break;
    case QUERY_LIST:
        read_list(parameter, value, problem);
        break;
    case QUERY_TEXT:
    case QUERY_PREFIX:
        if ((double)size < parameter->minimum || (double)size > parameter->maximum) {
            query_refuse(problem, STATUS_QUERY_INVALID, parameter->name, "%s has %zu bytes, %g to %g are allowed",
                         parameter->name, size, parameter->minimum, parameter->maximum);
        }
        break;
    }
}

/* One of metadata.<key>=<value>. */
static void add_label(struct query *query, const struct query_parameter *parameter, const char *name, const char *text,
                      struct problem *problem)
{
    const char *key = name + strlen(parameter->name);
    struct query_value value = {.text = text};

    for (uint32_t i = 0; i < query->metadata_count; i++) {
        if (strcmp(query->metadata[i].key, key) == 0) {
            query_refuse(problem, STATUS_QUERY_DUPLICATE, name, "%.60s stands twice", name);
            return;
        }
    }
    if (query->metadata_count == QUERY_METADATA_MAX) {
        query_refuse(problem, STATUS_QUERY_INVALID, name, "more than %d of %s* are not taken", QUERY_METADATA_MAX,
                     parameter->name);
        return;
    }
    read_value(parameter, &value, problem);
    query->metadata[query->metadata_count++] = (struct query_label){.key = key, .value = text};
}

/* One pair; STATUS_BAD_TARGET when it cannot be decoded. */
static enum status read_pair(struct query *query, const struct route *route, const char *raw, size_t size,
                             struct problem *problem)
{
    const char *equals = memchr(raw, '=', size);
    size_t name_size = equals == NULL ? size : (size_t)(equals - raw);
    const char *name = decode(query, raw, name_size);
    const char *text = equals == NULL ? NULL : decode(query, equals + 1, size - name_size - 1);

    if (name == NULL || (equals != NULL && text == NULL)) {
        return STATUS_BAD_TARGET;
    }
    enum query_id id = find_parameter(route, name);
    const struct query_parameter *parameter = &parameters[id];
    struct query_value *value = &query->value[id];
    if (id == PARAMETER_NONE) {
        refuse_unknown(problem, route, name);
    } else if (text == NULL) {
        query_refuse(problem, STATUS_QUERY_INVALID, name, "%.60s has no value", name);
    } else if (parameter->type == QUERY_PREFIX) {
        add_label(query, parameter, name, text, problem);
    } else if (value->given) {
        query_refuse(problem, STATUS_QUERY_DUPLICATE, name, "%s stands twice", name);
    } else {
        *value = (struct query_value){.given = 1, .text = text};
        read_value(parameter, value, problem);
    }
    return STATUS_OK;
}

static void fill_defaults(struct query *query, const struct route *route, struct problem *problem)
{
    for (size_t i = 0; i < ROUTE_QUERY_MAX && route->query[i] != PARAMETER_NONE; i++) {
        const struct query_parameter *parameter = &parameters[route->query[i]];
        struct query_value *value = &query->value[route->query[i]];

        if (!value->given && query_is_required(parameter)) {
            query_refuse(problem, STATUS_QUERY_INVALID, parameter->name, "%s is missing, it must be given", parameter->name);
        } else if (!value->given && parameter->standard[0] != '\0') {
            value->text = parameter->standard;
            read_value(parameter, value, problem);
        }
    }
}

enum status query_decode(struct query *query, const struct route *route, const char *text, size_t size,
                         struct problem *problem)
{
    struct error whole = {.status = STATUS_OK};

    memset(query, 0, offsetof(struct query, text));
    if (size > QUERY_TEXT_MAX) {
        (void)error_set(&whole, STATUS_BAD_TARGET, "the query has %zu bytes, at most %d are read", size, QUERY_TEXT_MAX);
        problem_add(problem, &whole);
        return problem->status;
    }
    for (size_t at = 0; size > 0 && at <= size;) {
        const char *end = memchr(text + at, '&', size - at);
        size_t pair = end == NULL ? size - at : (size_t)(end - text) - at;

        if (read_pair(query, route, text + at, pair, problem) != STATUS_OK) {
            (void)error_set_offset(&whole, STATUS_BAD_TARGET, (int64_t)at,
                                   "the query is not percent-encoded UTF-8 without control bytes");
            problem_add(problem, &whole);
            return problem->status;
        }
        at += pair + 1;
    }
    fill_defaults(query, route, problem);
    return problem->status;
}

int query_given(const struct query *query, enum query_id id)
{
    return query->value[id].given;
}

int64_t query_integer(const struct query *query, enum query_id id)
{
    return query->value[id].integer;
}

double query_number(const struct query *query, enum query_id id)
{
    return query->value[id].number;
}

const char *query_text(const struct query *query, enum query_id id)
{
    return query->value[id].text;
}

size_t query_next_link(char *out, size_t capacity, const char *path, size_t path_size, const char *raw, size_t raw_size,
                       const char *last_id)
{
    struct text link = {.data = NULL};
    size_t size = 0;
    char separator = '?';

    text_put(&link, "<", 1);
    text_put(&link, path, path_size);
    for (size_t at = 0; at < raw_size;) {
        const char *end = memchr(raw + at, '&', raw_size - at);
        size_t pair = end == NULL ? raw_size - at : (size_t)(end - raw) - at;

        if (pair < 6 || memcmp(raw + at, "after=", 6) != 0) {
            text_put(&link, &separator, 1);
            text_put(&link, raw + at, pair);
            separator = '&';
        }
        at += pair + 1;
    }
    text_printf(&link, "%cafter=%s>; rel=\"next\"", separator, last_id);
    if (!link.failed && link.size < capacity) {
        size = link.size;
        memcpy(out, link.data, size + 1);
    }
    text_release(&link);
    return size;
}
