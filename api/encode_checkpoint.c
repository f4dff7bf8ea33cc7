#include "api/encode_checkpoint.h"

#include "api/encode_common.h"
#include "api/json_writer.h"

char *encode_checkpoint_data(const struct checkpoint_description *checkpoint)
{
    struct json_writer writer = {0};

    json_begin_object(&writer);
    json_member_uint(&writer, "step", checkpoint->step);
    json_member_number(&writer, "epoch", checkpoint->epoch);
    json_member_uint(&writer, "bytes", checkpoint->bytes);
    json_member_string(&writer, "sha256", checkpoint->sha256);
    json_key(&writer, "metrics");
    json_begin_object(&writer);
    json_member_number(&writer, "train_loss", checkpoint->train_loss);
    json_member_number(&writer, "train_accuracy", checkpoint->train_accuracy);
    json_member_number(&writer, "validation_loss", checkpoint->validation_loss);
    json_member_number(&writer, "validation_accuracy", checkpoint->validation_accuracy);
    json_end_object(&writer);
    encode_best(&writer, checkpoint->best_metric, checkpoint->best_value, checkpoint->best_step);
    json_end_object(&writer);
    return json_writer_text(&writer);
}

void encode_checkpoint_list(const char *const *data, const int64_t *created_at, size_t count, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "list");
    json_key(writer, "data");
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(writer);
        json_member_string(writer, "object", "checkpoint");
        encode_time(writer, "created_at", created_at[i]);
        json_members_raw(writer, data[i]);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_bool(writer, "has_more", 0);
    json_end_object(writer);
}

char *encode_remark(const struct remark *remark)
{
    struct json_writer writer = {0};

    json_begin_object(&writer);
    json_member_string(&writer, "level", "warning");
    json_member_string(&writer, "code", remark->code);
    if (remark->reason != NULL) {
        json_member_string(&writer, "reason", remark->reason);
    }
    json_member_string(&writer, "message", remark->message);
    json_member_uint(&writer, "step", remark->step);
    json_end_object(&writer);
    return json_writer_text(&writer);
}
