#include "race_names.h"

#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "api/problem.h"
#include "api/text.h"

void race_name_decode(const struct json_value *entry, const char *pointer, char name[NAME_TEXT], struct problem *problem)
{
    static const struct field field = {.name = "name", .kind = FIELD_NAME};
    const struct json_value *value = json_get(entry, "name");
    char place[FIELD_POINTER_TEXT];

    field_pointer(place, pointer, "name");
    if (value != NULL) {
        (void)field_decode(&field, value, name, place, problem); /* the problem has its error */
    }
}

void race_job_name(const char *job, const char *entry, char name[NAME_TEXT])
{
    int size = snprintf(name, NAME_TEXT, "%s - %s", job, entry);

    if (job[0] == '\0' || size >= NAME_TEXT) {
        (void)snprintf(name, NAME_TEXT, "%s", entry);
    }
}

/* ---- names made here ---- */

static int is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Text as a name may have it: other characters become '-'; it begins with a letter or digit, and is cut where it is too
 * long. */
static void make_name(const char *text, char name[NAME_TEXT])
{
    size_t used = 0;

    for (; *text != '\0' && used < NAME_TEXT - 1; text++) {
        int is_allowed = is_letter(*text) || (used > 0 && strchr(" ._-", *text) != NULL);

        if (is_allowed || used > 0) {
            name[used++] = is_allowed ? *text : '-';
        }
    }
    while (used > 0 && !is_letter(name[used - 1])) {
        used--;
    }
    name[used] = '\0';
}

/* A value that is no object, in few characters. */
static void put_value(const struct json_value *value, struct text *out)
{
    switch (json_type(value)) {
    case JSON_NUMBER:
        text_number(out, json_to_number(value));
        break;
    case JSON_STRING:
        text_string(out, json_to_string(value));
        break;
    case JSON_BOOL:
        text_string(out, json_is_true(value) ? "true" : "false");
        break;
    case JSON_NULL:
        text_string(out, "none");
        break;
    case JSON_ARRAY:
        for (const struct json_value *item = json_first(value); item != NULL; item = json_next(item)) {
            put_value(item, out);
            text_string(out, json_next(item) != NULL ? "-" : "");
        }
        break;
    case JSON_OBJECT:
        break;
    }
}

/* What needs no word before its value: a type, and the learning rate behind the optimizer's. */
static int is_clear(const struct json_value *patch, const char *name)
{
    return strcmp(name, "type") == 0 || (strcmp(name, "learning_rate") == 0 && json_get(patch, "type") != NULL);
}

/* What a patch sets: "seed 2", "adam 0.1 batch_size 64". */
static void put_settings(const struct json_value *patch, struct text *out)
{
    for (const struct json_value *member = json_first(patch); member != NULL; member = json_next(member)) {
        if (json_type(member) == JSON_OBJECT) {
            put_settings(member, out);
        } else if (is_clear(patch, json_name(member))) {
            text_string(out, out->size > 0 ? " " : "");
            put_value(member, out);
        } else {
            text_printf(out, "%s%s ", out->size > 0 ? " " : "", json_name(member));
            put_value(member, out);
        }
    }
}

static const char *type_of(const struct json_value *optimizer)
{
    const struct json_value *type = json_get(optimizer, "type");

    return type != NULL && json_type(type) == JSON_STRING ? json_to_string(type) : "sgd";
}

/* Has another optimizer without a name this type? */
static int type_stands_twice(const struct json_value *list, const struct json_value *optimizer)
{
    for (const struct json_value *other = json_first(list); other != NULL; other = json_next(other)) {
        if (other != optimizer && json_get(other, "name") == NULL && strcmp(type_of(other), type_of(optimizer)) == 0) {
            return 1;
        }
    }
    return 0;
}

static void put_optimizer(const struct json_value *list, const struct json_value *optimizer, struct text *out)
{
    const struct json_value *rate = json_get(optimizer, "learning_rate");

    text_string(out, type_of(optimizer));
    if (rate != NULL && json_type(rate) == JSON_NUMBER && type_stands_twice(list, optimizer)) {
        text_string(out, " ");
        text_number(out, json_to_number(rate));
    }
}

static int is_taken(const struct race_request *request, size_t entry, const char *name)
{
    for (size_t i = 0; i < request->count; i++) {
        if (i != entry && strcmp(request->entries[i].name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The name, or with the first number behind it that makes it one of its own. */
static void choose(struct race_request *request, size_t entry, const char *name)
{
    char *chosen = request->entries[entry].name;
    int room = NAME_TEXT - 1 - (int)strlen(" 64");

    (void)snprintf(chosen, NAME_TEXT, "%s", name);
    for (unsigned number = 2; is_taken(request, entry, chosen); number++) {
        (void)snprintf(chosen, NAME_TEXT, "%.*s %u", room, name, number);
    }
}

static void name_entry(struct race_request *request, size_t entry, const struct json_value *list,
                       const struct json_value *item)
{
    struct text text = {.data = NULL};
    char name[NAME_TEXT] = "";

    if (request->by_optimizer) {
        put_optimizer(list, item, &text);
    } else {
        put_settings(item, &text);
    }
    make_name(text.data == NULL ? "" : text.data, name);
    choose(request, entry, name[0] == '\0' ? "variant" : name);
    text_release(&text);
}

/* ---- all of them ---- */

static void check_given(const struct race_request *request, const char *base, struct problem *problem)
{
    char entry[FIELD_POINTER_TEXT], pointer[FIELD_POINTER_TEXT];

    for (size_t i = 1; i < request->count; i++) {
        const char *name = request->entries[i].name;

        for (size_t j = 0; j < i && name[0] != '\0'; j++) {
            if (strcmp(request->entries[j].name, name) == 0) {
                field_pointer_index(entry, base, i);
                field_pointer(pointer, entry, "name");
                problem_add_field(problem, STATUS_CONFLICTING_FIELDS, pointer, NULL, "entry %zu is called %s, too", j, name);
                break;
            }
        }
    }
}

void race_names_complete(struct race_request *request, const struct json_value *list, const char *base,
                         struct problem *problem)
{
    size_t entry = 0;

    check_given(request, base, problem);
    for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item), entry++) {
        if (request->entries[entry].name[0] == '\0') {
            name_entry(request, entry, list, item);
        }
    }
}
