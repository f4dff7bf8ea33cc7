/* Points and their forms; see point_comparison.h. Their picture: point_comparison_plot.c. */
#include "point_comparison.h"

#include <math.h>
#include <string.h>

#include "api/json_piece.h"
#include "api/json_writer.h"

static struct compare_value value_at(const struct job_view *job, const char *pointer)
{
    struct json_piece found = json_piece_at(json_piece_of(job->spec, strlen(job->spec)), pointer);
    struct compare_value value = {.is_there = found.text != NULL && !json_piece_is_null(found)};

    if (value.is_there) {
        value.is_number = json_piece_number(found, &value.number);
        json_piece_words(found, value.words, sizeof value.words);
    }
    return value;
}

void point_comparison_add(struct point_comparison *comparison, const struct job_view *job, const struct metric_row *rows,
                          size_t count)
{
    struct compared_point *point = &comparison->points[comparison->count++];

    *point = (struct compared_point){.status = job->status, .x = value_at(job, comparison->against), .y = (double)NAN};
    memcpy(point->job, job->id, sizeof point->job);
    memcpy(point->name, job->name, sizeof point->name);
    if (comparison->group != NULL) {
        point->group = value_at(job, comparison->group);
    }
    if (job->status != JOB_FAILED) {
        point->y = compare_metric_value(comparison->metric, job, rows, count, &point->source);
    }
}

int point_comparison_has_x(const struct point_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        if (comparison->points[i].x.is_there) {
            return 1;
        }
    }
    return 0;
}

int point_comparison_has_group(const struct point_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        if (comparison->points[i].group.is_there) {
            return 1;
        }
    }
    return 0;
}

/* ---- as data ---- */

static const char *source_name(enum compare_source source)
{
    return source == COMPARE_RESULTS ? "results" : source == COMPARE_JOB ? "job" : NULL;
}

static void write_value(const char *key, const struct compare_value *value, struct json_writer *writer)
{
    if (value->is_number) {
        json_member_number(writer, key, value->number);
    } else {
        json_member_string(writer, key, value->is_there ? value->words : NULL);
    }
}

static void write_point(const struct compared_point *point, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "job", point->job);
    json_member_string(writer, "name", point->name[0] == '\0' ? NULL : point->name);
    json_member_string(writer, "status", job_status_name(point->status));
    write_value("group", &point->group, writer);
    write_value("x", &point->x, writer);
    json_member_number(writer, "y", point->y);
    json_member_string(writer, "source", source_name(point->source));
    json_end_object(writer);
}

void point_comparison_encode(const struct point_comparison *comparison, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "comparison");
    json_member_string(writer, "metric", compare_metric_get(comparison->metric)->name);
    json_member_string(writer, "against", comparison->against);
    json_member_string(writer, "group", comparison->group);
    json_key(writer, "points");
    json_begin_array(writer);
    for (size_t i = 0; i < comparison->count; i++) {
        write_point(&comparison->points[i], writer);
    }
    json_end_array(writer);
    json_key(writer, "failed");
    json_begin_array(writer);
    for (size_t i = 0; i < comparison->count; i++) {
        if (comparison->points[i].status == JOB_FAILED) {
            json_string(writer, comparison->points[i].job);
        }
    }
    json_end_array(writer);
    json_end_object(writer);
}

static void put_csv_value(const struct compare_value *value, struct text *out)
{
    if (value->is_number) {
        text_number(out, value->number);
    } else {
        text_csv_field(out, value->words);
    }
    text_string(out, ",");
}

void point_comparison_csv(const struct point_comparison *comparison, struct text *out)
{
    text_string(out, "job,name,status,group,x,y\n");
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared_point *point = &comparison->points[i];

        text_printf(out, "%s,%s,%s,", point->job, point->name, job_status_name(point->status));
        put_csv_value(&point->group, out);
        put_csv_value(&point->x, out);
        if (!isnan(point->y)) {
            text_number(out, point->y);
        }
        text_string(out, "\n");
    }
}

void point_comparison_ndjson(const struct point_comparison *comparison, struct text *out)
{
    for (size_t i = 0; i < comparison->count; i++) {
        struct json_writer line = {.depth = 0};

        write_point(&comparison->points[i], &line);
        if (line.text.failed) {
            out->failed = 1;
        } else {
            text_put(out, line.text.data, line.text.size);
            text_string(out, "\n");
        }
        json_writer_release(&line);
    }
}
