/*
 * The jobs' texts are made from pieces of the body, so that numbers stay digit for digit and nothing is read twice. The
 * entries' names are made in race_names.c.
 */
#include "race_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_request_decoder.h"
#include "api/json_writer.h"
#include "api/merge_patch.h"
#include "api/metadata.h"
#include "api/problem.h"
#include "api/race_names.h"
#include "api/rerun_request.h"

static const struct field members[] = {
    {.name = "job", .kind = FIELD_OTHER, .required = 1, .default_value = NAN},
    {.name = "optimizers", .kind = FIELD_OTHER, .default_value = NAN},
    {.name = "variants", .kind = FIELD_OTHER, .default_value = NAN},
};

enum bulk { BULK_X, BULK_Y, BULK_TEST_X, BULK_TEST_Y, BULK_COUNT };
static const char *const bulk_pointers[BULK_COUNT] = {
    [BULK_X] = "/job/dataset/x",
    [BULK_Y] = "/job/dataset/y",
    [BULK_TEST_X] = "/job/test/dataset/x",
    [BULK_TEST_Y] = "/job/test/dataset/y",
};

struct race_decoder {
    struct race_request *request;
    const struct race_ids *ids;
    struct problem *problem;
    const struct json_document *document;
    const struct json_value *job; /* an object */
    struct json_piece body;
};

static const char *list_name(const struct race_request *request)
{
    return request->by_optimizer ? "optimizers" : "variants";
}

/* ---- errors ---- */

/* Did the patch bring what is at the pointer, or something that it lies in? */
static int patch_touches(struct json_piece patch, const char *pointer)
{
    char segment[POINTER_SEGMENT_TEXT];
    size_t size;

    while (json_piece_is_object(patch)) {
        if (!json_pointer_next(&pointer, segment, &size)) {
            return 1;
        }
        patch = json_piece_get(patch, segment, size);
    }
    return patch.text != NULL;
}

void race_request_pointer(const struct race_request *request, size_t i, const char *pointer, char out[FIELD_POINTER_TEXT])
{
    static const char optimizer[] = "/optimizer";
    size_t skipped = strlen(optimizer);
    int is_optimizer = strncmp(pointer, optimizer, skipped) == 0 && (pointer[skipped] == '/' || pointer[skipped] == '\0');

    if (request->by_optimizer && is_optimizer) {
        (void)snprintf(out, FIELD_POINTER_TEXT, "/optimizers/%zu%s", i, pointer + skipped);
    } else if (!request->by_optimizer && pointer[0] != '\0' && patch_touches(request->entries[i].given, pointer)) {
        (void)snprintf(out, FIELD_POINTER_TEXT, "/variants/%zu%s", i, pointer);
    } else {
        (void)snprintf(out, FIELD_POINTER_TEXT, "/job%s", pointer);
    }
}

static int is_told(const struct problem *problem, const struct problem_field *field, const char *pointer)
{
    for (size_t i = 0; i < problem->field_count; i++) {
        const struct problem_field *told = &problem->fields[i];

        if (told->status == field->status && strcmp(told->pointer, pointer) == 0 &&
            strcmp(told->detail, field->detail) == 0) {
            return 1;
        }
    }
    return 0;
}

void race_request_add_problem(const struct race_request *request, size_t i, const struct problem *of_entry,
                              struct problem *problem)
{
    char pointer[FIELD_POINTER_TEXT];

    if (of_entry->whole.status != STATUS_OK) {
        struct error whole = of_entry->whole;

        race_request_pointer(request, i, of_entry->whole.pointer, whole.pointer);
        problem_add(problem, &whole);
    }
    for (size_t f = 0; f < of_entry->field_count; f++) {
        const struct problem_field *field = &of_entry->fields[f];

        race_request_pointer(request, i, field->pointer, pointer);
        if (!is_told(problem, field, pointer)) {
            problem_add_field(problem, field->status, pointer, field->extra, "%s", field->detail);
        }
    }
}

/* ---- rows that come along ---- */

static int is_inline(const struct json_value *dataset)
{
    return dataset != NULL && json_type(dataset) == JSON_OBJECT &&
           (json_get(dataset, "x") != NULL || json_get(dataset, "y") != NULL);
}

static const struct json_value *get_object(const struct json_value *object, const char *name)
{
    const struct json_value *value = object == NULL ? NULL : json_get(object, name);

    return value != NULL && json_type(value) == JSON_OBJECT ? value : NULL;
}

/* A variant that changes the rows (below `parent`, or below nothing) gets them in its text, as they came. One that names
 * others or takes them away needs none. */
static int any_variant_changes(const struct json_value *list, const char *parent)
{
    for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item)) {
        if (get_object(parent == NULL ? item : get_object(item, parent), "dataset") != NULL) {
            return 1;
        }
    }
    return 0;
}

static void take_rows(struct race_decoder *d, struct race_rows *rows, const struct json_value *dataset, enum bulk x,
                      const char *pointer, const char *id)
{
    if (is_inline(dataset)) {
        rows->id = id;
        dataset_ref_decode(&rows->ref, dataset, json_bulk(d->document, x), json_bulk(d->document, x + 1), pointer,
                           d->problem);
    }
}

static void take_all_rows(struct race_decoder *d, const struct json_value *list)
{
    const struct json_value *test = get_object(d->job, "test");

    if (d->request->by_optimizer || !any_variant_changes(list, NULL)) {
        take_rows(d, &d->request->dataset, json_get(d->job, "dataset"), BULK_X, "/job/dataset", d->ids->dataset);
    }
    if (test != NULL && (d->request->by_optimizer || !any_variant_changes(list, "test"))) {
        take_rows(d, &d->request->test, json_get(test, "dataset"), BULK_TEST_X, "/job/test/dataset", d->ids->test);
    }
}

/* ---- texts ---- */

/* *text [*size] with a patch that is JSON text in `writer`; the old text is freed. */
static enum status patch_text(char **text, size_t *size, struct json_writer *writer, struct error *error)
{
    struct text merged = {.data = NULL};
    char *patch = NULL, *old = *text;
    size_t patch_size = 0;
    enum status status = json_writer_take(writer, &patch, &patch_size, error);

    if (status == STATUS_OK) {
        merge_patch(old, *size, patch, patch_size, &merged);
        status = text_take(&merged, text, size, error);
    }
    if (status == STATUS_OK) {
        free(old);
    }
    text_release(&merged);
    free(patch);
    return status;
}

/* What all jobs have in common: rows are named, and there is no optimizer where each has its own. */
static enum status common_text(struct race_decoder *d, struct error *error)
{
    struct race_request *request = d->request;
    struct json_writer writer = {0};
    struct json_piece job = json_piece_get(d->body, "job", strlen("job"));

    request->common = strndup(job.text, job.size);
    request->common_size = job.size;
    if (request->common == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a job's request");
    }
    json_begin_object(&writer);
    if (request->dataset.ref.type != DATASET_REF_NONE) {
        json_member_string(&writer, "dataset", request->dataset.id);
    }
    if (request->test.ref.type != DATASET_REF_NONE) {
        json_key(&writer, "test");
        json_begin_object(&writer);
        json_member_string(&writer, "dataset", request->test.id);
        json_end_object(&writer);
    }
    if (request->by_optimizer) {
        json_member_null(&writer, "optimizer");
    }
    json_end_object(&writer);
    return patch_text(&request->common, &request->common_size, &writer, error);
}

/* The entry without its name. */
static enum status nameless(const struct race_entry *entry, char **text, size_t *size, struct error *error)
{
    static const char no_name[] = "{\"name\":null}";
    struct text merged = {.data = NULL};

    merge_patch(entry->given.text, entry->given.size, no_name, strlen(no_name), &merged);
    return text_take(&merged, text, size, error);
}

/* The common text with the optimizer as it stands: as a patch its nulls would vanish instead of being refused. */
static void add_optimizer(const char *common, size_t size, const char *optimizer, struct text *out)
{
    struct json_pieces first = json_pieces_of(json_piece_of(common, size));
    struct json_piece key, value;
    int is_empty = !json_pieces_next(&first, &key, &value);

    text_put(out, common, size - 1); /* all but the '}' */
    text_printf(out, "%s\"optimizer\":", is_empty ? "" : ",");
    text_string(out, optimizer);
    text_string(out, "}");
}

/* Has the job's metadata room for the race's id? */
static int has_room(struct json_piece job)
{
    struct json_piece metadata = json_piece_get(job, "metadata", strlen("metadata")), key, value;
    struct json_pieces pieces = json_pieces_of(metadata);
    size_t count = 0;

    if (metadata.text != NULL && !json_piece_is_object(metadata)) {
        return 0; /* to be refused as it is */
    }
    while (json_pieces_next(&pieces, &key, &value)) {
        if (json_piece_is_text(key, RACE_METADATA_KEY, strlen(RACE_METADATA_KEY))) {
            return 0;
        }
        count++;
    }
    return count < METADATA_MAX_MEMBERS;
}

static enum status label(const struct race_request *request, const struct race_entry *entry, char **text, size_t *size,
                         struct error *error)
{
    struct json_writer writer = {0};
    char name[NAME_TEXT];

    race_job_name(request->job_name, entry->name, name);
    json_begin_object(&writer);
    json_member_string(&writer, "name", name);
    if (request->race != NULL && has_room(json_piece_of(*text, *size))) {
        json_key(&writer, "metadata");
        json_begin_object(&writer);
        json_member_string(&writer, RACE_METADATA_KEY, request->race);
        json_end_object(&writer);
    }
    json_end_object(&writer);
    return patch_text(text, size, &writer, error);
}

enum status race_request_text(const struct race_request *request, size_t i, char **text, size_t *size, struct error *error)
{
    const struct race_entry *entry = &request->entries[i];
    struct text merged = {.data = NULL};
    char *given = NULL;
    size_t given_size = 0;
    enum status status = nameless(entry, &given, &given_size, error);

    *text = NULL;
    if (status == STATUS_OK) {
        if (request->by_optimizer) {
            add_optimizer(request->common, request->common_size, given, &merged);
        } else {
            merge_patch(request->common, request->common_size, given, given_size, &merged);
        }
        status = text_take(&merged, text, size, error);
    }
    text_release(&merged);
    free(given);
    if (status == STATUS_OK) {
        status = label(request, entry, text, size, error);
    }
    if (status != STATUS_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}

/* ---- the body ---- */

/* Entries that are objects, with their names; a patch's nulls remove what there is. */
static void decode_entries(struct race_decoder *d, const struct json_value *list)
{
    struct race_request *request = d->request;
    struct json_pieces pieces = json_pieces_of(json_piece_get(d->body, list_name(request), strlen(list_name(request))));
    struct json_piece key;
    char base[FIELD_POINTER_TEXT], pointer[FIELD_POINTER_TEXT];

    field_pointer(base, "", list_name(request));
    for (const struct json_value *item = json_first(list); item != NULL; item = json_next(item)) {
        struct race_entry *entry = &request->entries[request->count];

        field_pointer_index(pointer, base, request->count++);
        (void)json_pieces_next(&pieces, &key, &entry->given); /* as many as there are items */
        if (json_type(item) != JSON_OBJECT) {
            field_wrong_type(item, "an object", pointer, d->problem);
            continue;
        }
        if (!request->by_optimizer) {
            rerun_request_check_removals(item, pointer, d->problem);
        }
        race_name_decode(item, pointer, entry->name, d->problem);
    }
    if (d->problem->status == STATUS_OK) {
        race_names_complete(request, list, base, d->problem);
    }
}

static const struct json_value *choose_list(struct race_decoder *d, const struct json_value *root)
{
    const struct json_value *optimizers = json_get(root, "optimizers"), *variants = json_get(root, "variants");
    const struct json_value *list = optimizers != NULL ? optimizers : variants;
    char pointer[FIELD_POINTER_TEXT];
    size_t count;

    d->request->by_optimizer = optimizers != NULL;
    if (list == NULL) {
        problem_add_field(d->problem, STATUS_MISSING_FIELD, "/optimizers", NULL, "optimizers or variants is required");
        return NULL;
    }
    if (optimizers != NULL && variants != NULL) {
        problem_add_field(d->problem, STATUS_CONFLICTING_FIELDS, "/variants", NULL,
                          "there are optimizers already; a variant may have an optimizer");
        return NULL;
    }
    field_pointer(pointer, "", list_name(d->request));
    if (json_type(list) != JSON_ARRAY) {
        field_wrong_type(list, "a list of objects", pointer, d->problem);
        return NULL;
    }
    count = json_count(list);
    if (count < 1 || count > RACE_MAX_ENTRIES) {
        problem_add_field(d->problem, STATUS_OUT_OF_RANGE, pointer, NULL, "%zu entries, 1 to %d are allowed", count,
                          RACE_MAX_ENTRIES);
        return NULL;
    }
    return list;
}

static void decode_root(struct race_decoder *d, const struct json_value *root)
{
    const struct json_value *list = NULL;
    struct error error = {.status = STATUS_OK};

    fields_decode(members, sizeof members / sizeof *members, root, NULL, "", d->problem);
    if (json_type(root) != JSON_OBJECT) {
        return;
    }
    d->job = json_get(root, "job");
    list = choose_list(d, root);
    if (d->job != NULL && json_type(d->job) != JSON_OBJECT) {
        field_wrong_type(d->job, "an object", "/job", d->problem);
        d->job = NULL;
    }
    if (d->job != NULL) { /* here, as no entry's text has it unchanged */
        race_name_decode(d->job, "/job", d->request->job_name, d->problem);
    }
    if (d->job == NULL || list == NULL) {
        return;
    }
    d->request->entries = calloc(json_count(list), sizeof *d->request->entries);
    if (d->request->entries == NULL) {
        (void)error_set(&error, STATUS_OUT_OF_MEMORY, "no memory for %zu entries", json_count(list));
        problem_add(d->problem, &error);
        return;
    }
    decode_entries(d, list);
    if (d->problem->status == STATUS_OK) {
        take_all_rows(d, list);
    }
    if (d->problem->status == STATUS_OK) {
        (void)common_text(d, &error); /* the problem gets its error */
        problem_add(d->problem, &error);
    }
}

enum status race_request_decode(struct race_request *request, const char *body, size_t size, const struct race_ids *ids,
                                struct problem *problem)
{
    struct json_document *document = NULL;
    struct error error = {.status = STATUS_OK};

    *request = (struct race_request){.race = ids->race};
    if (json_parse(&document, body, size, bulk_pointers, BULK_COUNT, &error) != STATUS_OK) {
        problem_add(problem, &error);
        return problem->status;
    }
    struct race_decoder d = {
        .request = request, .ids = ids, .problem = problem, .document = document, .body = json_piece_of(body, size)};
    decode_root(&d, json_root(document));
    json_free(document);
    return problem->status;
}

void race_request_release(struct race_request *request)
{
    free(request->entries);
    free(request->common);
    dataset_ref_release(&request->dataset.ref);
    dataset_ref_release(&request->test.ref);
    *request = (struct race_request){.count = 0};
}
