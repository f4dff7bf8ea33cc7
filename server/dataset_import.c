/*
 * Imports: parser -> object's writer -> the block as readers see it -> its description.
 *
 * The description is made from the finished block rather than while parsing: one code for all formats, at the price of
 * reading what was just written, which is still in the page cache.
 */
#include "server/dataset_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/attach_labels.h"
#include "server/store/object_preview.h"

/* ---- describing ---- */

static enum status list_classes(const struct dataset *dataset, const uint64_t *counts, struct dataset_view *view,
                                struct error *error)
{
    view->class_list = calloc(dataset->classes, sizeof(*view->class_list));
    if (view->class_list == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u classes", dataset->classes);
    }
    while (view->class_count < dataset->classes) {
        uint32_t i = view->class_count++;
        view->class_list[i] = (struct class_view){.name = strdup(dataset->class_names[i]), .count = counts[i]};
        if (view->class_list[i].name == NULL) {
            return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a class name");
        }
    }
    return STATUS_OK;
}

static enum status describe_classes(const struct dataset *dataset, struct dataset_view *view, struct error *error)
{
    if (dataset->label_type == LABEL_NONE) {
        return STATUS_OK;
    }
    uint64_t *counts = calloc(dataset->classes, sizeof(*counts));
    if (counts == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u classes", dataset->classes);
    }
    dataset_class_counts(dataset, counts);
    enum status status = list_classes(dataset, counts, view, error);
    free(counts);
    return status;
}

static enum status list_features(const struct dataset *dataset, const struct feature_stats *stats, struct dataset_view *view,
                                 struct error *error)
{
    view->feature_list = calloc(dataset->features, sizeof(*view->feature_list));
    if (view->feature_list == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %u features", dataset->features);
    }
    while (view->feature_count < dataset->features) {
        uint32_t i = view->feature_count++;
        view->feature_list[i].stats = stats[i];
        if (dataset->feature_names != NULL) {
            view->feature_list[i].name = strdup(dataset->feature_names[i]);
            if (view->feature_list[i].name == NULL) {
                return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a feature's name");
            }
        }
    }
    return STATUS_OK;
}

static enum status describe_features(const struct dataset *dataset, struct dataset_view *view, struct error *error)
{
    struct feature_stats *stats = calloc(dataset->features, sizeof(*stats));
    if (stats == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for statistics of %u features", dataset->features);
    }
    enum status status = dataset_stats(dataset, NULL, dataset->rows, stats, error);
    if (status == STATUS_OK) {
        view->overall = feature_stats_overall(stats, dataset->features);
        if (!dataset->is_image && dataset->features <= DATASET_LISTED_FEATURES) {
            status = list_features(dataset, stats, view, error);
        }
    }
    free(stats);
    return status;
}

enum status dataset_describe(const struct dataset *dataset, const char *format, struct dataset_view *view,
                             struct error *error)
{
    *view = (struct dataset_view){
        .status = dataset->label_type == LABEL_NONE ? DATASET_AWAITING_LABELS : DATASET_READY,
        .rows = dataset->rows,
        .features = dataset->features,
        .channels = dataset->channels,
        .height = dataset->height,
        .width = dataset->width,
        .is_image = dataset->is_image,
        .is_soft = dataset->label_type == LABEL_SOFT,
    };
    snprintf(view->format, sizeof(view->format), "%s", format);
    snprintf(view->feature_type, sizeof(view->feature_type), "%s", dataset->feature_type == FEATURE_U8 ? "u8" : "f32");
    enum status status = describe_classes(dataset, view, error);
    if (status == STATUS_OK) {
        status = describe_features(dataset, view, error);
    }
    if (status != STATUS_OK) {
        dataset_view_release(view);
    }
    return status;
}

/* ---- importing ---- */

void imported_dataset_release(struct imported_dataset *imported)
{
    object_release(&imported->object);
    dataset_view_release(&imported->view);
}

/* Ends the writer and describes what it wrote. On failure nothing is left. */
static enum status finish_object(struct object_writer *writer, const char *format, struct imported_dataset *imported,
                                 struct error *error)
{
    struct object_preview preview = {.bytes = NULL};
    struct dataset dataset = {.rows = 0};

    *imported = (struct imported_dataset){.object = {.size = 0}};
    enum status status = object_writer_finish(writer, &imported->object, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = object_preview_open(&preview, &imported->object, error);
    if (status == STATUS_OK) {
        status = dataset_open(&dataset, preview.bytes, preview.size, error);
    }
    if (status == STATUS_OK) {
        status = dataset_describe(&dataset, format, &imported->view, error);
        dataset_release(&dataset);
    }
    object_preview_close(&preview);
    if (status != STATUS_OK) {
        object_release(&imported->object);
    }
    return status;
}

struct dataset_import {
    enum data_format format;
    struct object_writer *writer;
    struct dataset_parser *parser;
};

enum status dataset_import_new(struct dataset_import **result, struct store *store, enum data_format format,
                               const struct parse_options *options, struct error *error)
{
    struct dataset_import *import = calloc(1, sizeof(*import));
    if (import == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an upload");
    }
    import->format = format;
    enum status status = object_writer_new(&import->writer, store, 0, error);
    if (status == STATUS_OK) {
        status = dataset_parser_new(&import->parser, format, options, object_writer_sink(import->writer), error);
    }
    if (status != STATUS_OK) {
        dataset_import_free(import);
        import = NULL;
    }
    *result = import;
    return status;
}

enum status dataset_import_feed(struct dataset_import *import, const void *bytes, size_t size, struct error *error)
{
    return dataset_parser_feed(import->parser, bytes, size, error);
}

enum status dataset_import_finish(struct dataset_import *import, struct imported_dataset *imported, struct error *error)
{
    enum status status = dataset_parser_finish(import->parser, error);
    if (status == STATUS_OK) {
        status = finish_object(import->writer, data_format_name(import->format), imported, error);
    }
    return status;
}

void dataset_import_free(struct dataset_import *import)
{
    if (import != NULL) {
        dataset_parser_free(import->parser);
        object_writer_free(import->writer);
        free(import);
    }
}

enum status dataset_import_labels(struct store *store, const struct dataset *images, const int32_t *labels, uint64_t count,
                                  struct imported_dataset *imported, struct error *error)
{
    struct object_writer *writer;
    enum status status = object_writer_new(&writer, store, 0, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = dataset_attach_labels(images, labels, count, object_writer_sink(writer), error);
    if (status == STATUS_OK) {
        status = finish_object(writer, data_format_name(DATA_IDX), imported, error);
    }
    object_writer_free(writer);
    return status;
}
