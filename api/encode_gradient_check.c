#include "encode_gradient_check.h"

#include "api/json_writer.h"

static void encode_layer(const struct gradient_check_layer *layer, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_uint(writer, "layer", layer->layer);
    json_member_string(writer, "type", layer_type_name(layer->type));
    json_member_uint(writer, "parameters", layer->parameters);
    json_member_uint(writer, "checked", layer->checked);
    json_member_uint(writer, "skipped", layer->skipped);
    json_member_number(writer, "max_relative_error", layer->max_relative_error);
    json_end_object(writer);
}

void encode_gradient_check(const struct gradient_check_view *view, struct json_writer *writer)
{
    const struct gradient_check_report *report = view->report;

    json_begin_object(writer);
    json_member_string(writer, "object", "gradient_check");
    json_member_string(writer, "model", view->model);
    json_member_string(writer, "dataset", view->dataset);
    json_member_uint(writer, "rows", view->rows);
    json_member_number(writer, "h", view->h);
    json_member_number(writer, "loss", report->loss);
    json_key(writer, "layers");
    json_begin_array(writer);
    for (uint32_t i = 0; i < report->layer_count; i++) {
        encode_layer(&report->layers[i], writer);
    }
    json_end_array(writer);
    json_member_uint(writer, "checked", report->checked);
    json_member_uint(writer, "skipped", report->skipped);
    json_member_number(writer, "max_relative_error", report->max_relative_error);
    json_member_number(writer, "tolerance", GRADIENT_CHECK_TOLERANCE);
    json_member_bool(writer, "passed", report->checked > 0 && report->max_relative_error <= GRADIENT_CHECK_TOLERANCE);
    json_member_number(writer, "seconds", view->seconds);
    json_end_object(writer);
}
