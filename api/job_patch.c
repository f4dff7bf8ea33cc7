/* The job's part of the body is made as JSON, patched as any JSON is, and only then checked: so null, {} and the rest mean
 * what RFC 7396 says, and limits hold for what comes out. */
#include "job_patch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_request_decoder.h"
#include "api/json_writer.h"
#include "api/merge_patch.h"
#include "api/metadata.h"
#include "api/problem.h"

const struct field job_patch_fields[] = {
    {.name = "name",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "string or null",
     .help = "for people; null: none"},
    {.name = "metadata",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "object or null",
     .help = "members are set, those that are null are removed; null: none at all"},
    {.name = "priority",
     .kind = FIELD_OTHER,
     .default_value = NAN,
     .json_type = "integer or null",
     .help = "-100 to 100, higher ones leave the queue first; null: 0"},
};
const size_t job_patch_field_count = sizeof job_patch_fields / sizeof job_patch_fields[0];

static const struct field NAME = {.name = "name", .kind = FIELD_NAME, .offset = offsetof(struct job_patch, name)};

/* What can be patched, as JSON. */
static enum status encode_job_part(const struct job_view *job, char **text, size_t *size, struct error *error)
{
    struct json_writer writer = {0};

    json_begin_object(&writer);
    if (job->name[0] != '\0') {
        json_member_string(&writer, "name", job->name);
    }
    json_member_raw(&writer, "metadata", job->metadata);
    json_member_int(&writer, "priority", job->priority);
    json_end_object(&writer);
    return json_writer_take(&writer, text, size, error);
}

static enum status merge(const struct job_view *job, const char *body, size_t size, struct json_document **document,
                         struct error *error)
{
    struct text merged = {.data = NULL};
    char *part = NULL, *text = NULL;
    size_t part_size, text_size;
    enum status status = encode_job_part(job, &part, &part_size, error);

    if (status == STATUS_OK) {
        merge_patch(part, part_size, body, size, &merged);
        status = text_take(&merged, &text, &text_size, error);
    }
    if (status == STATUS_OK) {
        status = json_parse(document, text, text_size, NULL, 0, error);
    }
    free(part);
    free(text);
    return status;
}

/* As in a job's request. */
static void decode_priority(struct job_patch *patch, const struct json_value *value, struct problem *problem)
{
    struct field_table table;

    job_table(JOB_TABLE_RESOURCES, 0, &table);
    struct field field = *job_decode_find(&table, "priority");
    field.offset = offsetof(struct job_patch, priority);
    (void)field_decode(&field, value, patch, "/priority", problem); /* the problem has its error */
}

static void decode_merged(struct job_patch *patch, const struct json_value *merged, struct problem *problem)
{
    const struct json_value *name = json_get(merged, "name"), *priority = json_get(merged, "priority");

    if (name != NULL) {
        (void)field_decode(&NAME, name, patch, "/name", problem); /* the problem has its error */
    }
    if (priority != NULL) {
        decode_priority(patch, priority, problem);
    }
    metadata_decode(json_get(merged, "metadata"), &patch->metadata, problem);
}

/* Notes what the patch is about and refuses what there is not. Returns 1 where it may be applied. */
static int look_at_patch(struct job_patch *patch, const struct json_value *body, struct problem *problem)
{
    fields_decode(job_patch_fields, job_patch_field_count, body, patch, "", problem);
    if (json_type(body) != JSON_OBJECT) {
        return 0;
    }
    patch->name_given = json_get(body, "name") != NULL;
    patch->metadata_given = json_get(body, "metadata") != NULL;
    patch->priority_given = json_get(body, "priority") != NULL;
    return 1;
}

enum status job_patch_decode(struct job_patch *patch, const struct job_view *job, const char *body, size_t size,
                             struct problem *problem)
{
    struct json_document *document = NULL, *merged = NULL;
    struct error error = {.status = STATUS_OK};
    enum status status = json_parse(&document, body, size, NULL, 0, &error);

    *patch = (struct job_patch){.metadata = NULL};
    if (status == STATUS_OK && look_at_patch(patch, json_root(document), problem)) {
        status = merge(job, body, size, &merged, &error);
    }
    if (status != STATUS_OK) {
        problem_add(problem, &error);
    } else if (merged != NULL) {
        decode_merged(patch, json_root(merged), problem);
    }
    json_free(document);
    json_free(merged);
    return problem->status;
}

void job_patch_release(struct job_patch *patch)
{
    free(patch->metadata);
    patch->metadata = NULL;
}
