/* Curves as data; see encode_metrics.h. Numbers keep all their digits in every form. */
#include "encode_metrics.h"

#include <math.h>

#include "api/json_writer.h"
#include "api/text.h"

/* What every form has in front of the series. */
static const char *const x_names[] = {"step", "epoch", "seconds"};
#define X_COUNT (sizeof x_names / sizeof *x_names)

static double x_value(const struct metric_row *row, size_t x)
{
    return x == 0 ? (double)row->point.step : x == 1 ? row->point.epoch : row->seconds;
}

void encode_metrics_json(const struct curve *curve, const char *job, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "curves");
    json_member_string(writer, "job", job);
    json_key(writer, "columns");
    json_begin_array(writer);
    for (size_t x = 0; x < X_COUNT; x++) {
        json_string(writer, x_names[x]);
    }
    for (uint32_t s = 0; s < curve->series_count; s++) {
        json_string(writer, curve_series_name(curve->series[s]));
    }
    json_end_array(writer);
    json_key(writer, "data");
    json_begin_array(writer);
    for (size_t i = 0; i < curve->count; i++) {
        json_begin_array(writer);
        for (size_t x = 0; x < X_COUNT; x++) {
            json_number(writer, x_value(&curve->rows[i], x));
        }
        for (uint32_t s = 0; s < curve->series_count; s++) {
            json_number(writer, curve_value(&curve->rows[i], curve->series[s]));
        }
        json_end_array(writer);
    }
    json_end_array(writer);
    json_member_uint(writer, "total_points", curve->total_points);
    json_member_uint(writer, "last_step", curve->last_step);
    json_member_bool(writer, "has_more", curve->has_more);
    json_key(writer, "nonfinite");
    json_begin_array(writer);
    for (size_t i = 0; i < curve->nonfinite_count; i++) {
        json_uint(writer, curve->nonfinite[i]);
    }
    json_end_array(writer);
    json_end_object(writer);
}

void encode_metrics_csv(const struct curve *curve, struct text *out)
{
    for (size_t x = 0; x < X_COUNT; x++) {
        text_printf(out, "%s%s", x == 0 ? "" : ",", x_names[x]);
    }
    for (uint32_t s = 0; s < curve->series_count; s++) {
        text_printf(out, ",%s", curve_series_name(curve->series[s]));
    }
    text_put(out, "\n", 1);
    for (size_t i = 0; i < curve->count; i++) {
        for (size_t x = 0; x < X_COUNT; x++) {
            text_string(out, x == 0 ? "" : ",");
            text_number(out, x_value(&curve->rows[i], x));
        }
        for (uint32_t s = 0; s < curve->series_count; s++) {
            double value = curve_value(&curve->rows[i], curve->series[s]);

            text_string(out, ",");
            if (!isnan(value)) {
                text_number(out, value);
            }
        }
        text_put(out, "\n", 1);
    }
}

void encode_metrics_ndjson(const struct curve *curve, struct text *out)
{
    for (size_t i = 0; i < curve->count; i++) {
        for (size_t x = 0; x < X_COUNT; x++) {
            text_printf(out, "%s\"%s\":", x == 0 ? "{" : ",", x_names[x]);
            text_number(out, x_value(&curve->rows[i], x));
        }
        for (uint32_t s = 0; s < curve->series_count; s++) {
            double value = curve_value(&curve->rows[i], curve->series[s]);

            if (!isnan(value)) {
                text_printf(out, ",\"%s\":", curve_series_name(curve->series[s]));
                if (isinf(value)) {
                    text_string(out, "null");
                } else {
                    text_number(out, value);
                }
            }
        }
        text_string(out, "}\n");
    }
}
