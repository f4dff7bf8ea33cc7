/* What the encoders of several objects share; see encode_common.h. */
#include "encode_common.h"

#include <stdio.h>

#include "api/json_writer.h"
#include "api/timestamp.h"

#define EXACT_MAX 9007199254740991u /* 2^53 - 1 */

void encode_list_begin(struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "list");
    json_key(writer, "data");
    json_begin_array(writer);
}

void encode_list_end(struct json_writer *writer, const char *first_id, const char *last_id, int has_more)
{
    json_end_array(writer);
    json_member_string(writer, "first_id", first_id);
    json_member_string(writer, "last_id", last_id);
    json_member_bool(writer, "has_more", has_more);
    json_end_object(writer);
}

void encode_time(struct json_writer *writer, const char *key, int64_t ms)
{
    char text[TIMESTAMP_TEXT];

    timestamp_format(ms, text);
    json_member_string(writer, key, ms == 0 ? NULL : text);
}

void encode_optional(struct json_writer *writer, const char *key, const char *value)
{
    json_member_string(writer, key, value == NULL || value[0] == '\0' ? NULL : value);
}

void encode_seed(struct json_writer *writer, const char *key, uint64_t seed)
{
    char digits[24];

    if (seed <= EXACT_MAX) {
        json_member_uint(writer, key, seed);
    } else {
        (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
        json_member_string(writer, key, digits);
    }
}

void encode_digest(struct json_writer *writer, const char *key, const char *digest, uint64_t step)
{
    json_key(writer, key);
    if (digest == NULL || digest[0] == '\0') {
        json_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_string(writer, "parameters_sha256", digest);
    json_member_uint(writer, "step", step);
    json_end_object(writer);
}

void encode_best(struct json_writer *writer, enum metric metric, double value, uint64_t step)
{
    json_key(writer, "best");
    if (step == 0) {
        json_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_string(writer, "metric", metric_name(metric));
    json_member_number(writer, "value", value);
    json_member_uint(writer, "step", step);
    json_end_object(writer);
}

void encode_link(struct json_writer *writer, const char *key, const char *collection, const char *id, const char *rest)
{
    char link[128];

    (void)snprintf(link, sizeof link, "%s/%s%s", collection, id, rest);
    json_member_string(writer, key, link);
}
