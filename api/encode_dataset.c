/* Data sets as JSON; see encode_dataset.h. */
#include "encode_dataset.h"

#include <stdlib.h>

#include "api/encode_common.h"
#include "api/json_writer.h"

static const char *const status_names[] = {[DATASET_READY] = "ready", [DATASET_AWAITING_LABELS] = "awaiting_labels"};

/* The members of a feature's statistics, into an open object; NaN (no rows) is null. */
static void encode_stats(const struct feature_stats *stats, struct json_writer *writer)
{
    json_member_float(writer, "min", stats->minimum);
    json_member_float(writer, "max", stats->maximum);
    json_member_number(writer, "mean", stats->mean);
    json_member_number(writer, "std", stats->deviation);
}

/* [features] of a table, [channels, height, width] of images. */
static void encode_shape(const struct dataset_view *dataset, struct json_writer *writer)
{
    json_key(writer, "shape");
    json_begin_array(writer);
    if (dataset->is_image) {
        json_uint(writer, dataset->channels);
        json_uint(writer, dataset->height);
        json_uint(writer, dataset->width);
    } else {
        json_uint(writer, dataset->features);
    }
    json_end_array(writer);
}

static void encode_classes(const struct dataset_view *dataset, struct json_writer *writer)
{
    json_key(writer, "classes");
    json_begin_array(writer);
    for (uint32_t k = 0; k < dataset->class_count; k++) {
        json_begin_object(writer);
        json_member_string(writer, "name", dataset->class_list[k].name);
        json_member_uint(writer, "count", dataset->class_list[k].count);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void encode_statistics(const struct dataset_view *dataset, struct json_writer *writer)
{
    json_key(writer, "statistics");
    json_begin_object(writer);
    encode_stats(&dataset->overall, writer);
    json_end_object(writer);
    json_key(writer, "feature_statistics");
    if (dataset->feature_count == 0) {
        json_null(writer);
        return;
    }
    json_begin_array(writer);
    for (uint32_t f = 0; f < dataset->feature_count; f++) {
        json_begin_object(writer);
        json_member_string(writer, "name", dataset->feature_list[f].name);
        encode_stats(&dataset->feature_list[f].stats, writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void encode_links(const struct dataset_view *dataset, struct json_writer *writer)
{
    json_key(writer, "links");
    json_begin_object(writer);
    encode_link(writer, "self", "/v1/datasets", dataset->id, "");
    encode_link(writer, "rows", "/v1/datasets", dataset->id, "/rows");
    if (dataset->status == DATASET_AWAITING_LABELS) {
        encode_link(writer, "labels", "/v1/datasets", dataset->id, "/labels");
    }
    json_end_object(writer);
}

void encode_dataset(const struct dataset_view *dataset, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "dataset");
    json_member_string(writer, "id", dataset->id);
    encode_optional(writer, "name", dataset->name);
    json_member_string(writer, "status", status_names[dataset->status]);
    encode_time(writer, "created_at", dataset->created_at);
    json_member_string(writer, "format", dataset->format);
    json_member_uint(writer, "rows", dataset->rows);
    json_member_uint(writer, "features", dataset->features);
    encode_shape(dataset, writer);
    json_member_string(writer, "feature_type", dataset->feature_type);
    json_member_bool(writer, "soft_labels", dataset->is_soft);
    encode_classes(dataset, writer);
    encode_statistics(dataset, writer);
    json_member_uint(writer, "bytes", dataset->bytes);
    json_member_string(writer, "sha256", dataset->sha256);
    encode_links(dataset, writer);
    json_end_object(writer);
}

void encode_dataset_list(const struct dataset_view *datasets, size_t count, int has_more, struct json_writer *writer)
{
    encode_list_begin(writer);
    for (size_t i = 0; i < count; i++) {
        encode_dataset(&datasets[i], writer);
    }
    encode_list_end(writer, count == 0 ? NULL : datasets[0].id, count == 0 ? NULL : datasets[count - 1].id, has_more);
}

static void encode_label(const struct dataset *dataset, uint64_t row, struct json_writer *writer)
{
    const float *soft = dataset->label_type == LABEL_SOFT ? dataset->soft_labels + row * dataset->classes : NULL;
    uint32_t best = 0;

    if (dataset->label_type == LABEL_NONE) {
        json_member_null(writer, "label");
        return;
    }
    for (uint32_t k = 1; soft != NULL && k < dataset->classes; k++) {
        best = soft[k] > soft[best] ? k : best;
    }
    json_member_string(writer, "label", dataset->class_names[soft != NULL ? best : (uint32_t)dataset->labels[row]]);
    if (soft != NULL) {
        json_key(writer, "probabilities");
        json_begin_array(writer);
        for (uint32_t k = 0; k < dataset->classes; k++) {
            json_float(writer, soft[k]);
        }
        json_end_array(writer);
    }
}

enum status encode_dataset_rows(const struct dataset *dataset, const char *id, uint64_t offset, uint64_t limit,
                                struct json_writer *writer, struct error *error)
{
    uint64_t begin = offset < dataset->rows ? offset : dataset->rows;
    uint64_t end = limit < dataset->rows - begin ? begin + limit : dataset->rows;
    float *features = malloc(((size_t)dataset->features + 1) * sizeof *features);

    if (features == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "a row of %u features does not fit into memory", dataset->features);
    }
    json_begin_object(writer);
    json_member_string(writer, "object", "list");
    json_member_string(writer, "dataset", id);
    json_key(writer, "data");
    json_begin_array(writer);
    for (uint64_t row = begin; row < end; row++) {
        json_begin_object(writer);
        json_member_uint(writer, "row", row);
        dataset_row(dataset, row, features);
        json_key(writer, "features");
        json_begin_array(writer);
        for (uint32_t f = 0; f < dataset->features; f++) {
            json_float(writer, features[f]);
        }
        json_end_array(writer);
        encode_label(dataset, row, writer);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_uint(writer, "offset", offset);
    json_member_uint(writer, "total_rows", dataset->rows);
    json_member_bool(writer, "has_more", end < dataset->rows);
    json_end_object(writer);
    free(features);
    return STATUS_OK;
}
