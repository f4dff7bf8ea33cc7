/* The server about itself; see encode_info.h. */
#include "encode_info.h"

#include "api/encode_common.h"
#include "api/json_writer.h"

void encode_info(const struct server_info *info, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "server");
    json_member_string(writer, "name", "descentd");
    json_member_string(writer, "version", info->version);
    json_member_string(writer, "commit", info->commit);
    json_member_string(writer, "kernel_tier", info->kernel_tiers[PRECISION_F32]);
    json_key(writer, "kernel_tiers");
    json_begin_object(writer);
    for (int i = 0; i < PRECISION_COUNT; i++) {
        if (info->kernel_tiers[i] != NULL) {
            json_member_string(writer, precision_name((enum precision)i), info->kernel_tiers[i]);
        }
    }
    json_end_object(writer);
    json_member_uint(writer, "cores", info->cores);
    json_member_uint(writer, "threads", info->threads);
    encode_time(writer, "started_at", info->started_at);
    json_member_number(writer, "uptime_seconds", info->uptime_seconds);
    json_key(writer, "limits");
    json_begin_object(writer);
    json_member_uint(writer, "memory_bytes", info->memory_bytes);
    json_member_uint(writer, "max_body_bytes", info->max_body_bytes);
    json_member_uint(writer, "max_dataset_bytes", info->max_dataset_bytes);
    json_member_uint(writer, "max_connections", info->max_connections);
    json_member_uint(writer, "max_queued_jobs", info->max_queued_jobs);
    json_end_object(writer);
    json_end_object(writer);
}

void encode_health(struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "status", "ok");
    json_end_object(writer);
}
