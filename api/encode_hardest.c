#include "api/encode_hardest.h"

#include "api/encode_model.h"
#include "api/json_writer.h"

static void encode_row(const struct hardest_view *view, uint64_t i, struct json_writer *writer)
{
    const float *probabilities = view->probabilities + i * view->classes;

    json_begin_object(writer);
    json_member_uint(writer, "row", view->rows[i]);
    json_member_number(writer, "loss", view->hardest->rows[i].loss);
    json_member_string(writer, "label", view->class_names[view->truths[i]]);
    json_member_float(writer, "probability", probabilities[view->truths[i]]);
    json_member_string(writer, "predicted", view->class_names[view->predicted[i]]);
    json_member_float(writer, "predicted_probability", probabilities[view->predicted[i]]);
    encode_top(view->class_names, view->classes, probabilities, view->predicted[i], HARDEST_TOP, writer);
    json_end_object(writer);
}

void encode_hardest(const struct hardest_view *view, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "hardest");
    json_member_string(writer, "job", view->job);
    json_member_string(writer, "model", view->model);
    json_member_string(writer, "split", split_part_name(view->part));
    json_member_string(writer, "dataset", view->dataset[0] != '\0' ? view->dataset : NULL);
    json_member_uint(writer, "samples", view->samples);
    json_key(writer, "data");
    json_begin_array(writer);
    for (uint64_t i = 0; i < view->hardest->count; i++) {
        encode_row(view, i, writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}
