#include "api/encode_scheduler.h"

#include "api/encode_common.h"
#include "api/json_writer.h"

static void encode_running(const struct running_view *job, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "job", job->id);
    json_member_int(writer, "priority", job->priority);
    json_member_string(writer, "state", job->state);
    json_member_uint(writer, "threads", job->threads);
    json_member_uint(writer, "memory_bytes", job->bytes);
    json_member_number(writer, "eta_seconds", job->eta_seconds);
    json_end_object(writer);
}

static void encode_queued(const struct queued_view *job, size_t position, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "job", job->id);
    json_member_uint(writer, "position", position);
    json_member_int(writer, "priority", job->priority);
    encode_time(writer, "estimated_start", job->estimated_start);
    json_end_object(writer);
}

/* The member `key`: two numbers, all there is of something and how much of it is used. */
static void encode_use(const char *key, const char *all_key, uint64_t all, const char *used_key, uint64_t used,
                       struct json_writer *writer)
{
    json_key(writer, key);
    json_begin_object(writer);
    json_member_uint(writer, all_key, all);
    json_member_uint(writer, used_key, used);
    json_end_object(writer);
}

void encode_scheduler(const struct scheduler_state *state, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "scheduler");
    encode_use("threads", "total", state->threads, "busy", state->busy_threads, writer);
    encode_use("memory", "total_bytes", state->memory_bytes, "used_bytes", state->used_bytes, writer);
    json_key(writer, "running");
    json_begin_array(writer);
    for (size_t i = 0; i < state->running_count; i++) {
        encode_running(&state->running[i], writer);
    }
    json_end_array(writer);
    json_key(writer, "queue");
    json_begin_array(writer);
    for (size_t i = 0; i < state->queue_count; i++) {
        encode_queued(&state->queue[i], i + 1, writer);
    }
    json_end_array(writer);
    json_member_uint(writer, "queued", state->queued);
    json_end_object(writer);
}
