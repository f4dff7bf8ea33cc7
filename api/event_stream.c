#include "event_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/json_writer.h"

/* One line: outside of its strings, where none stands raw, JSON takes a space for a line's end. */
static void write_data(const char *json, size_t size, struct text *text)
{
    const char *end = json + size;

    text_string(text, "data: ");
    while (json < end) {
        size_t part = strcspn(json, "\r\n");

        text_put(text, json, part);
        json += part;
        if (json < end) {
            text_string(text, " ");
            json++;
        }
    }
    text_string(text, "\n\n");
}

void event_stream_write(const struct event_view *event, struct text *text)
{
    const char *data = event->data == NULL ? "{}" : event->data;

    text_printf(text, "id: %" PRIu64 "\nevent: %s\n", event->id, event_type_name(event->type));
    write_data(data, strlen(data), text);
}

void event_stream_write_resync(const struct job_view *job, uint64_t last_event, struct text *text)
{
    struct json_writer writer = {0};
    struct error error = {0};
    char *json = NULL;
    size_t size = 0;

    encode_job(job, &writer);
    if (json_writer_take(&writer, &json, &size, &error) != STATUS_OK) {
        text->failed = 1;
        return;
    }
    text_printf(text, "id: %" PRIu64 "\nevent: resync\n", last_event);
    write_data(json, size, text);
    free(json);
}

enum status event_stream_parse_id(const char *text, uint64_t *id, struct error *error)
{
    uint64_t value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');

        if (value > (UINT64_MAX - digit) / 10) {
            break;
        }
        value = 10 * value + digit;
    }
    if (at == text || *at != '\0') {
        return error_set(error, STATUS_BAD_LAST_EVENT_ID, "Last-Event-ID is \"%.24s\", the number of an event is wanted",
                         text);
    }
    *id = value;
    return STATUS_OK;
}
