#include "encode_descent.h"

#include <math.h>

#include "api/job_request_tables.h"
#include "api/json_writer.h"

static void write_point(double x, double y, struct json_writer *writer)
{
    json_begin_array(writer);
    json_number(writer, x);
    json_number(writer, y);
    json_end_array(writer);
}

static void write_optimizer(const struct descent_optimizer *optimizer, struct json_writer *writer)
{
    struct field_table table;

    json_begin_object(writer);
    job_table(JOB_TABLE_OPTIMIZER, optimizer->variant, &table);
    json_member_string(writer, "type", table.variant);
    fields_encode(table.fields, table.count, &optimizer->spec, writer);
    if (optimizer->schedule.type != SCHEDULE_CONSTANT || optimizer->schedule.warmup_steps > 0) {
        json_key(writer, "schedule");
        json_begin_object(writer);
        job_table(JOB_TABLE_SCHEDULE, optimizer->schedule.type, &table);
        json_member_string(writer, "type", table.variant);
        fields_encode(table.fields, table.count, &optimizer->schedule, writer);
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void write_path(const struct descent_result *result, struct json_writer *writer)
{
    json_key(writer, "path");
    json_begin_array(writer);
    for (size_t i = 0; i < result->path_count; i++) {
        const struct descent_row *row = &result->path[i];

        json_begin_array(writer);
        json_number(writer, row->x);
        json_number(writer, row->y);
        json_number(writer, row->f);
        json_number(writer, row->gradient_norm);
        json_end_array(writer);
    }
    json_end_array(writer);
    json_key(writer, "step_sizes");
    json_begin_array(writer);
    for (size_t i = 1; i < result->path_count; i++) {
        json_number(writer, result->path[i].step_size);
    }
    json_end_array(writer);
}

static void write_end(const struct descent_result *result, struct json_writer *writer)
{
    const struct descent_row *last = &result->path[result->path_count - 1];

    json_key(writer, "end");
    json_begin_object(writer);
    json_member_number(writer, "x", last->x);
    json_member_number(writer, "y", last->y);
    json_member_number(writer, "f", last->f);
    json_member_number(writer, "gradient_norm", last->gradient_norm);
    json_member_string(writer, "type", result->end.is_critical ? critical_type_name(result->end.type) : NULL);
    json_key(writer, "eigenvalues");
    write_point(result->end.eigenvalues[0], result->end.eigenvalues[1], writer);
    json_key(writer, "nearest");
    if (result->has_nearest) {
        json_begin_object(writer);
        json_member_number(writer, "x", result->nearest.x);
        json_member_number(writer, "y", result->nearest.y);
        json_member_number(writer, "f", result->nearest.f);
        json_member_string(writer, "type", critical_type_name(result->nearest.type));
        json_member_number(writer, "distance", result->nearest_distance);
        json_end_object(writer);
    } else {
        json_null(writer);
    }
    json_end_object(writer);
}

static void write_rate(const struct descent_result *result, struct json_writer *writer)
{
    const struct rate_theory *theory = &result->theory;

    json_key(writer, "rate");
    json_begin_object(writer);
    json_member_number(writer, "measured", result->rate);
    json_key(writer, "theory");
    if (!result->has_theory) {
        json_null(writer);
        json_end_object(writer);
        return;
    }
    json_begin_object(writer);
    json_member_number(writer, "rate", theory->rate);
    json_member_number(writer, "condition_number", theory->condition_number);
    json_member_number(writer, "largest_learning_rate", theory->largest_learning_rate);
    json_key(writer, "best");
    if (theory->has_best) {
        json_begin_object(writer);
        json_member_number(writer, "learning_rate", theory->best.learning_rate);
        json_member_number(writer, "momentum", theory->best.momentum);
        json_member_number(writer, "rate", theory->best.rate);
        json_end_object(writer);
    } else {
        json_null(writer);
    }
    json_end_object(writer);
    json_end_object(writer);
}

static void write_descent(const struct descent_request *request, size_t index, const struct descent_result *result,
                          struct json_writer *writer)
{
    const struct descent_optimizer *optimizer = &request->optimizers[index % request->optimizer_count];
    const double *start = request->starts[index / request->optimizer_count];

    json_begin_object(writer);
    json_member_string(writer, "name", optimizer->name);
    json_key(writer, "optimizer");
    write_optimizer(optimizer, writer);
    json_key(writer, "start");
    write_point(start[0], start[1], writer);
    json_member_string(writer, "stop_reason", descent_stop_name(result->stop));
    json_member_uint(writer, "steps", result->taken);
    write_end(result, writer);
    write_rate(result, writer);
    if (request->path) {
        write_path(result, writer);
    }
    json_end_object(writer);
}

static void write_request(const struct descent_request *request, struct json_writer *writer)
{
    json_member_string(writer, "landscape", request->landscape != NULL ? request->landscape->name : NULL);
    json_member_string(writer, "f", request->text);
    json_key(writer, "box");
    if (request->has_box) {
        json_begin_array(writer);
        write_point(request->box[0][0], request->box[0][1], writer);
        write_point(request->box[1][0], request->box[1][1], writer);
        json_end_array(writer);
    } else {
        json_null(writer);
    }
    json_member_uint(writer, "steps", request->steps);
    json_key(writer, "every");
    if (request->path) {
        json_uint(writer, descent_request_every(request));
    } else {
        json_null(writer);
    }
    json_key(writer, "noise");
    json_begin_object(writer);
    json_member_string(writer, "type", noise_type_name(request->noise.type));
    json_member_number(writer, "scale", request->noise.scale);
    json_end_object(writer);
    json_member_uint(writer, "seed", request->seed);
}

static void write_known(const struct critical_points *known, struct json_writer *writer)
{
    json_key(writer, "known_critical_points");
    if (known == NULL) {
        json_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_uint(writer, "count", known->count);
    json_member_bool(writer, "complete", known->complete);
    json_end_object(writer);
}

void encode_descents(const struct descent_request *request, const struct descent_result *results,
                     const struct critical_points *known, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "descents");
    write_request(request, writer);
    write_known(known, writer);
    json_key(writer, "descents");
    json_begin_array(writer);
    for (size_t i = 0; i < request->start_count * request->optimizer_count; i++) {
        write_descent(request, i, &results[i], writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}
