/*
 * A walk along both texts. Each member of an object is looked up in the other by reading that again from its start: objects
 * are small (JSON_MAX_KEYS), an index would be longer than what it saves.
 */
#include "merge_patch.h"

#include <assert.h>
#include <string.h>

#include "api/json_character.h"

/* A piece of a valid text, without blanks around it. text NULL: there is none. */
struct span {
    const char *text;
    size_t size;
};

struct member {
    struct span key, value; /* the key with its quotes */
};

/* The members of an object, one after the other. */
struct members {
    const char *at, *end;
};

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) {
        at++;
    }
    return at;
}

/* Past the string that begins at the quote `at`. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        at += *at == '\\';
    }
    return at < end ? at + 1 : end;
}

/* Past the list or object that begins at `at`. */
static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;

    do {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
    } while (depth > 0 && at < end);
    return at;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at < end && *at == '"') {
        return skip_string(at, end);
    }
    if (at < end && (*at == '{' || *at == '[')) {
        return skip_container(at, end);
    }
    while (at < end && !is_blank(*at) && *at != ',' && *at != '}' && *at != ']') {
        at++;
    }
    return at;
}

static struct span value_at(const char *at, const char *end)
{
    const char *start = skip_blanks(at, end);

    return (struct span){start, (size_t)(skip_value(start, end) - start)};
}

static int is_object(struct span value)
{
    return value.text != NULL && value.text[0] == '{';
}

static int is_null(struct span value)
{
    return value.text[0] == 'n';
}

/* Empty for what is no object. */
static struct members members_of(struct span value)
{
    return is_object(value) ? (struct members){value.text + 1, value.text + value.size - 1}
                            : (struct members){value.text, value.text};
}

/* 0 behind the last one. */
static int next_member(struct members *members, struct member *member)
{
    const char *end = members->end, *at = skip_blanks(members->at, end);

    if (at == end) {
        return 0;
    }
    member->key = value_at(at, end);
    at = skip_blanks(member->key.text + member->key.size, end);
    member->value = value_at(at + 1, end); /* behind the ':' */
    at = skip_blanks(member->value.text + member->value.size, end);
    members->at = at < end ? at + 1 : end; /* behind the ',' */
    return 1;
}

static int same_key(struct span a, struct span b)
{
    struct json_character x, y;
    size_t i = 1, j = 1; /* behind the quotes */

    do {
        enum status status = json_character_read(a.text, a.size, &i, &x);

        status = status == STATUS_OK ? json_character_read(b.text, b.size, &j, &y) : status;
        assert(status == STATUS_OK);
        if (status != STATUS_OK || x.length != y.length || memcmp(x.bytes, y.bytes, x.length) != 0) {
            return 0;
        }
    } while (x.length > 0);
    return 1;
}

static int find_member(struct span object, struct span key, struct member *found)
{
    struct members members = members_of(object);

    while (next_member(&members, found)) {
        if (same_key(found->key, key)) {
            return 1;
        }
    }
    return 0;
}

static void put_span(struct text *out, struct span span)
{
    text_put(out, span.text, span.size);
}

static void merge(struct span target, struct span patch, struct text *out);

/* The member `key`, with a comma before all but the first; patch.text NULL: it stays as it was. */
static void put_member(struct text *out, int *is_first, struct span key, struct span target, struct span patch)
{
    text_string(out, *is_first ? "" : ",");
    *is_first = 0;
    put_span(out, key);
    text_string(out, ":");
    if (patch.text == NULL) {
        put_span(out, target);
    } else {
        merge(target, patch, out);
    }
}

static void merge(struct span target, struct span patch, struct text *out)
{
    struct members kept = members_of(target), changes = members_of(patch);
    struct member member, other;
    int is_first = 1;

    if (!is_object(patch)) {
        put_span(out, patch);
        return;
    }
    text_string(out, "{");
    while (next_member(&kept, &member)) {
        if (!find_member(patch, member.key, &other)) {
            put_member(out, &is_first, member.key, member.value, (struct span){NULL, 0});
        } else if (!is_null(other.value)) {
            put_member(out, &is_first, member.key, member.value, other.value);
        }
    }
    while (next_member(&changes, &member)) {
        if (!is_null(member.value) && !find_member(target, member.key, &other)) {
            put_member(out, &is_first, member.key, (struct span){NULL, 0}, member.value);
        }
    }
    text_string(out, "}");
}

void merge_patch(const char *target, size_t target_size, const char *patch, size_t patch_size, struct text *out)
{
    struct span nothing = {NULL, 0};

    merge(target == NULL ? nothing : value_at(target, target + target_size), value_at(patch, patch + patch_size), out);
}
