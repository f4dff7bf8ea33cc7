#include "encode_race.h"

#include <stdio.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/json_writer.h"
#include "api/race_request.h"

static void write_compare_link(const struct job_view *const *jobs, size_t count, struct json_writer *writer)
{
    struct text link = {.data = NULL};

    for (size_t i = 0; i < count; i++) {
        text_printf(&link, "%s%s", i == 0 ? "/v1/compare?jobs=" : ",", jobs[i]->id);
    }
    json_member_string(writer, "compare", link.failed ? NULL : link.data);
    text_release(&link);
}

/* Ids are random: one that stands in the metadata is no chance. */
static int all_are_labelled(const char *id, const struct job_view *const *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (jobs[i]->metadata == NULL || strstr(jobs[i]->metadata, id) == NULL) {
            return 0;
        }
    }
    return 1;
}

void encode_race(const char *id, const struct job_view *const *jobs, size_t count, struct json_writer *writer)
{
    char link[64 + ID_TEXT];

    json_begin_object(writer);
    json_member_string(writer, "object", "race");
    json_member_string(writer, "id", id);
    json_key(writer, "jobs");
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        encode_job(jobs[i], writer);
    }
    json_end_array(writer);
    json_key(writer, "links");
    json_begin_object(writer);
    write_compare_link(jobs, count, writer);
    if (all_are_labelled(id, jobs, count)) {
        (void)snprintf(link, sizeof link, "/v1/jobs?metadata." RACE_METADATA_KEY "=%s", id);
        json_member_string(writer, "jobs", link);
    }
    json_end_object(writer);
    json_end_object(writer);
}
