/* Both members are read by one function into flat arrays; what they say about each other is checked afterwards. */
#include "cross_entropy_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/fields.h"
#include "api/json.h"
#include "api/problem.h"

static const struct field members[] = {
    {.name = "u", .kind = FIELD_OTHER, .required = 1, .default_value = NAN},
    {.name = "v", .kind = FIELD_OTHER, .default_value = NAN},
    {.name = "logits", .kind = FIELD_OTHER, .default_value = NAN},
};

/* What an entry may be. */
static const struct field probability = {.name = "u", .kind = FIELD_NUMBER, .minimum = 0, .maximum = 1};
static const struct field logit = {.name = "logits", .kind = FIELD_NUMBER, .minimum = -1e300, .maximum = 1e300};

/* One member on its way into flat arrays that have room for all of its numbers. */
struct vectors {
    const char *name; /* "u" */
    const struct field *entry;
    const struct json_value *value;
    double *entries; /* [ends[count - 1]] */
    size_t *ends;    /* [count] */
    size_t count;    /* of vectors */
    int is_list;     /* of vectors, not one of them */
};

static void vector_pointer(const struct vectors *vectors, size_t i, char pointer[FIELD_POINTER_TEXT])
{
    field_pointer(pointer, "", vectors->name);
    if (vectors->is_list) {
        char whole[FIELD_POINTER_TEXT];

        snprintf(whole, sizeof whole, "%s", pointer);
        field_pointer_index(pointer, whole, i);
    }
}

/* One vector behind those that are there. */
static void read_vector(struct vectors *vectors, const struct json_value *value, struct problem *problem)
{
    size_t first = vectors->count > 0 ? vectors->ends[vectors->count - 1] : 0, index = 0, errors = problem->field_total;
    char pointer[FIELD_POINTER_TEXT], place[FIELD_POINTER_TEXT];
    struct error error = {.status = STATUS_OK};

    vector_pointer(vectors, vectors->count, pointer);
    if (json_type(value) != JSON_ARRAY) {
        field_wrong_type(value, "a list of numbers", pointer, problem);
        vectors->ends[vectors->count++] = first; /* it has its place: those behind it keep theirs */
        return;
    }
    if (json_count(value) == 0) {
        problem_add_field(problem, STATUS_OUT_OF_RANGE, pointer, NULL, "at least one entry is needed");
    }
    for (const struct json_value *entry = json_first(value); entry != NULL; entry = json_next(entry), index++) {
        field_pointer_index(place, pointer, index);
        (void)field_decode(vectors->entry, entry, &vectors->entries[first + index], place, problem); /* it has the error */
    }
    vectors->ends[vectors->count++] = first + index;
    if (vectors->entry == &probability && problem->field_total == errors &&
        probabilities_check(vectors->name, vectors->entries + first, index, CROSS_ENTROPY_TOLERANCE, &error) != STATUS_OK) {
        problem_add_field(problem, error.status, pointer, NULL, "%s", error.message);
    }
}

/* Numbers and vectors that a member holds, at most. */
static size_t room_for(const struct json_value *value)
{
    size_t room = 1 + json_count(value);

    for (const struct json_value *item = json_first(value); item != NULL; item = json_next(item)) {
        room += json_count(item);
    }
    return room;
}

static void read_vectors(struct vectors *vectors, struct problem *problem)
{
    const struct json_value *value = vectors->value, *first = json_first(value);
    size_t room = room_for(value);
    struct error error = {.status = STATUS_OK};

    vectors->is_list = json_type(value) == JSON_ARRAY && first != NULL && json_type(first) == JSON_ARRAY;
    vectors->entries = calloc(room, sizeof *vectors->entries);
    vectors->ends = calloc(room, sizeof *vectors->ends);
    if (vectors->entries == NULL || vectors->ends == NULL) {
        (void)error_set(&error, STATUS_OUT_OF_MEMORY, "no memory for %zu numbers", room);
        problem_add(problem, &error);
    } else if (vectors->is_list) {
        for (; first != NULL; first = json_next(first)) {
            read_vector(vectors, first, problem);
        }
    } else {
        read_vector(vectors, value, problem);
    }
}

static size_t length_of(const struct vectors *vectors, size_t i)
{
    return vectors->ends[i] - (i > 0 ? vectors->ends[i - 1] : 0);
}

/* Both are right for themselves: do they fit? */
static void check_pairs(const struct vectors *u, const struct vectors *v, struct problem *problem)
{
    char pointer[FIELD_POINTER_TEXT];

    if (u->is_list != v->is_list) {
        field_pointer(pointer, "", v->name);
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, pointer, NULL, "u is %s, %s is %s",
                          u->is_list ? "a list of vectors" : "one vector", v->name,
                          v->is_list ? "a list of vectors" : "one vector");
        return;
    }
    if (u->count != v->count) {
        field_pointer(pointer, "", v->name);
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, pointer, NULL, "%zu vectors, u has %zu", v->count, u->count);
        return;
    }
    for (size_t i = 0; i < u->count; i++) {
        if (length_of(u, i) != length_of(v, i)) {
            vector_pointer(v, i, pointer);
            problem_add_field(problem, STATUS_CONFLICTING_FIELDS, pointer, NULL, "%zu entries, u has %zu", length_of(v, i),
                              length_of(u, i));
        }
    }
}

static void decode_root(struct cross_entropy_request *request, const struct json_value *root, struct problem *problem)
{
    struct vectors u = {.name = "u", .entry = &probability}, v = {.name = "v", .entry = &probability};

    fields_decode(members, sizeof members / sizeof *members, root, NULL, "", problem);
    if (json_type(root) != JSON_OBJECT) {
        return;
    }
    u.value = json_get(root, "u");
    v.value = json_get(root, "v");
    if (v.value != NULL && json_get(root, "logits") != NULL) {
        problem_add_field(problem, STATUS_CONFLICTING_FIELDS, "/logits", NULL, "there is v already");
    } else if (v.value == NULL) {
        v = (struct vectors){.name = "logits", .entry = &logit, .value = json_get(root, "logits")};
    }
    if (v.value == NULL) {
        problem_add_field(problem, STATUS_MISSING_FIELD, "/v", NULL, "v or logits is required");
    } else {
        read_vectors(&v, problem);
    }
    if (u.value != NULL) {
        read_vectors(&u, problem);
    }
    if (problem->status == STATUS_OK) {
        check_pairs(&u, &v, problem);
    }
    *request = (struct cross_entropy_request){.u = u.entries,
                                              .v = v.entries,
                                              .ends = u.ends,
                                              .pairs = u.count,
                                              .is_list = u.is_list,
                                              .takes_logits = v.entry == &logit};
    free(v.ends);
}

enum status cross_entropy_request_decode(struct cross_entropy_request *request, const char *body, size_t size,
                                         struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    *request = (struct cross_entropy_request){.pairs = 0};
    if (json_parse(&document, body, size, NULL, 0, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    decode_root(request, json_root(document), problem);
    json_free(document);
    return problem->status;
}

void cross_entropy_request_release(struct cross_entropy_request *request)
{
    free(request->u);
    free(request->v);
    free(request->ends);
    *request = (struct cross_entropy_request){.pairs = 0};
}

struct cross_entropy cross_entropy_request_compute(const struct cross_entropy_request *request, size_t i)
{
    size_t first = i > 0 ? request->ends[i - 1] : 0, n = request->ends[i] - first;
    struct cross_entropy figures;

    if (request->takes_logits) {
        cross_entropy_of_logits(request->u + first, request->v + first, n, &figures);
    } else {
        cross_entropy_of(request->u + first, request->v + first, n, &figures);
    }
    return figures;
}
