/* Selection and forms of compared curves; see comparison.h. */
#include "comparison.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/compare_metric.h"
#include "api/json_piece.h"
#include "api/json_writer.h"

static const struct {
    const char *name, *axis;
} aligns[ALIGN_COUNT] = {
    [ALIGN_STEP] = {"step", "step"},
    [ALIGN_EPOCH] = {"epoch", "epoch"},
    [ALIGN_SAMPLES] = {"samples", "samples seen"},
    [ALIGN_SECONDS] = {"seconds", "seconds of training"},
};

const char *compare_align_name(enum compare_align align)
{
    return aligns[align].name;
}

/* ---- x ---- */

/* How many rows a job sees: `batch` a step, `epoch` an epoch of so many `steps` (its last batch may be short). */
struct sampling {
    double batch, epoch, steps;
};

/* From the spec's batch size, and from what was seen so far, which settles the last batch. "full" is one step an epoch. */
static struct sampling sampling_of(const struct job_view *job, const struct metric_row *rows, size_t count)
{
    struct json_piece spec = json_piece_of(job->spec, strlen(job->spec));
    const struct job_progress *progress = &job->progress;
    struct sampling sampling = {.steps = 1};
    double within;

    if (count > 0 && rows[count - 1].point.epoch > 0) {
        sampling.steps = round((double)rows[count - 1].point.step / rows[count - 1].point.epoch);
    }
    if (!json_piece_number(json_piece_at(spec, "/training/batch_size"), &sampling.batch)) {
        sampling.batch = progress->step > 0 ? (double)progress->samples_seen / (double)progress->step : 0;
    }
    within = fmod((double)progress->step, sampling.steps);
    sampling.epoch =
        (double)progress->step < sampling.steps
            ? sampling.batch * sampling.steps /* nobody has seen the last batch yet */
            : ((double)progress->samples_seen - within * sampling.batch) / floor((double)progress->step / sampling.steps);
    return sampling;
}

static double samples_at(const struct sampling *sampling, double step)
{
    return floor(step / sampling->steps) * sampling->epoch + fmod(step, sampling->steps) * sampling->batch;
}

static double x_of(enum compare_align align, const struct sampling *sampling, const struct metric_row *row)
{
    switch (align) {
    case ALIGN_EPOCH:
        return row->point.epoch;
    case ALIGN_SAMPLES:
        return samples_at(sampling, (double)row->point.step);
    case ALIGN_SECONDS:
        return row->seconds;
    default:
        return (double)row->point.step;
    }
}

/* ---- building ---- */

static void measure(struct comparison_series *series, const struct comparison *comparison, const struct sampling *sampling,
                    const struct metric_row *rows, size_t count)
{
    int best = compare_metric_get(comparison->metric)->best;

    series->last = series->best = series->best_x = (double)NAN;
    for (size_t i = 0; i < count; i++) {
        double value = curve_value(&rows[i], comparison->metric);

        if (!isfinite(value)) {
            continue;
        }
        series->last = value;
        if (best != 0 && !(best * value <= best * series->best)) {
            series->best = value;
            series->best_x = x_of(comparison->align, sampling, &rows[i]);
        }
    }
}

enum status comparison_add(struct comparison *comparison, const struct job_view *job, const struct metric_row *rows,
                           size_t count, const struct curve_options *options, struct error *error)
{
    struct comparison_series *series = &comparison->series[comparison->count];
    struct curve_options chosen = *options;
    struct sampling sampling = {.steps = 1};
    struct curve curve;
    enum status status;

    *series = (struct comparison_series){.status = job->status};
    chosen.series = CURVE_BIT(comparison->metric);
    status = curve_select(&curve, rows, count, &chosen, error);
    if (status != STATUS_OK) {
        return status;
    }
    series->points = malloc((curve.count + 1) * sizeof *series->points);
    if (series->points == NULL) {
        curve_release(&curve);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu points", curve.count);
    }
    if (comparison->align == ALIGN_SAMPLES) {
        sampling = sampling_of(job, rows, count);
    }
    memcpy(series->job, job->id, sizeof series->job);
    memcpy(series->name, job->name, sizeof series->name);
    series->total_points = curve.total_points;
    for (; series->count < curve.count; series->count++) {
        const struct metric_row *row = &curve.rows[series->count];

        series->points[series->count] =
            (struct plot_point){x_of(comparison->align, &sampling, row), curve_value(row, comparison->metric)};
    }
    measure(series, comparison, &sampling, rows, count);
    curve_release(&curve);
    comparison->count++;
    return STATUS_OK;
}

void comparison_release(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        free(comparison->series[i].points);
    }
    comparison->count = 0;
}

/* ---- as data ---- */

static void encode_series(const struct comparison_series *series, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "job", series->job);
    json_member_string(writer, "name", series->name[0] == '\0' ? NULL : series->name);
    json_member_string(writer, "status", job_status_name(series->status));
    json_key(writer, "x");
    json_begin_array(writer);
    for (size_t i = 0; i < series->count; i++) {
        json_number(writer, series->points[i].x);
    }
    json_end_array(writer);
    json_key(writer, "y");
    json_begin_array(writer);
    for (size_t i = 0; i < series->count; i++) {
        json_number(writer, series->points[i].y);
    }
    json_end_array(writer);
    json_member_uint(writer, "total_points", series->total_points);
    json_member_number(writer, "final", series->last);
    json_key(writer, "best");
    if (isnan(series->best)) {
        json_null(writer);
    } else {
        json_begin_object(writer);
        json_member_number(writer, "value", series->best);
        json_member_number(writer, "x", series->best_x);
        json_end_object(writer);
    }
    json_end_object(writer);
}

void comparison_encode(const struct comparison *comparison, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "comparison");
    json_member_string(writer, "metric", curve_series_name(comparison->metric));
    json_member_string(writer, "align", compare_align_name(comparison->align));
    json_key(writer, "series");
    json_begin_array(writer);
    for (size_t i = 0; i < comparison->count; i++) {
        encode_series(&comparison->series[i], writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

/* Names have nothing that CSV or JSON would have to quote (FIELD_NAME). */
void comparison_csv(const struct comparison *comparison, struct text *out)
{
    text_string(out, "job,name,x,value\n");
    for (size_t s = 0; s < comparison->count; s++) {
        const struct comparison_series *series = &comparison->series[s];

        for (size_t i = 0; i < series->count; i++) {
            text_printf(out, "%s,%s,", series->job, series->name);
            text_number(out, series->points[i].x);
            text_string(out, ",");
            text_number(out, series->points[i].y);
            text_string(out, "\n");
        }
    }
}

static void put_name(struct text *out, const char *name)
{
    if (name[0] == '\0') {
        text_string(out, "null");
    } else {
        text_printf(out, "\"%s\"", name);
    }
}

void comparison_ndjson(const struct comparison *comparison, struct text *out)
{
    for (size_t s = 0; s < comparison->count; s++) {
        const struct comparison_series *series = &comparison->series[s];

        for (size_t i = 0; i < series->count; i++) {
            text_printf(out, "{\"job\":\"%s\",\"name\":", series->job);
            put_name(out, series->name);
            text_string(out, ",\"x\":");
            text_number(out, series->points[i].x);
            text_string(out, ",\"y\":");
            if (isfinite(series->points[i].y)) {
                text_number(out, series->points[i].y);
            } else {
                text_string(out, "null");
            }
            text_string(out, "}\n");
        }
    }
}

/* ---- as a picture ---- */

/* Bytes that all names begin with, up to and with the " - " of a race's jobs; 0: none. */
static size_t common_prefix(const struct comparison *comparison)
{
    const char *first = comparison->series[0].name, *dash = strstr(first, " - ");
    size_t size = dash == NULL ? 0 : (size_t)(dash - first) + strlen(" - ");

    for (size_t i = 1; i < comparison->count; i++) {
        if (strncmp(comparison->series[i].name, first, size) != 0) {
            return 0;
        }
    }
    return comparison->count > 1 ? size : 0;
}

enum status comparison_draw(const struct comparison *comparison, enum plot_scale scale, uint32_t width, struct text *out,
                            struct error *error)
{
    const struct compare_metric *metric = compare_metric_get(comparison->metric);
    struct plot_series *drawn = calloc(comparison->count, sizeof *drawn);
    size_t prefix = common_prefix(comparison);
    char title[96], subtitle[64 + NAME_TEXT];
    struct plot plot = {.title = title,
                        .subtitle = subtitle,
                        .x_name = aligns[comparison->align].axis,
                        .y_name = metric->axis,
                        .series = drawn,
                        .series_count = comparison->count,
                        .x_scale = PLOT_SCALE_LINEAR,
                        .y_scale = scale == PLOT_SCALE_AUTO && !metric->logarithmic ? PLOT_SCALE_LINEAR : scale};

    if (drawn == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a chart of %zu jobs", comparison->count);
    }
    (void)snprintf(title, sizeof title, "%s by %s", metric->name, aligns[comparison->align].name);
    (void)snprintf(subtitle, sizeof subtitle, "%.*s%zu %s", (int)prefix, comparison->series[0].name, comparison->count,
                   comparison->count == 1 ? "job" : "jobs");
    for (size_t i = 0; i < comparison->count; i++) {
        const struct comparison_series *series = &comparison->series[i];
        int is_over = job_status_is_terminal(series->status) && series->status != JOB_SUCCEEDED;

        drawn[i] = (struct plot_series){.name = series->name[0] == '\0' ? series->job : series->name + prefix,
                                        .points = series->points,
                                        .count = series->count,
                                        .has_line = 1};
        if (is_over) {
            (void)snprintf(drawn[i].note, sizeof drawn[i].note, "%s", job_status_name(series->status));
        } else if (isfinite(series->last)) {
            (void)snprintf(drawn[i].note, sizeof drawn[i].note, "%.*g", metric->logarithmic ? 3 : 4, series->last);
        }
    }
    if (width == 0) {
        plot_svg(&plot, out);
    } else {
        plot_ascii(&plot, width, out);
    }
    free(drawn);
    return STATUS_OK;
}
