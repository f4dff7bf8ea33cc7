#include "server/labels_import.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/data/idx_labels.h"

struct labels_import {
    struct idx_labels_parser *parser;
    uint64_t images;
};

enum status labels_import_new(struct labels_import **result, uint64_t images, struct error *error)
{
    struct labels_import *import = calloc(1, sizeof(*import));
    if (import == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for labels");
    }
    import->images = images;
    enum status status = idx_labels_parser_new(&import->parser, images, error);
    if (status != STATUS_OK) {
        free(import);
        import = NULL;
    }
    *result = import;
    return status;
}

/* The parser knows the images' number as a limit only. */
static enum status name_surplus(const struct labels_import *import, const struct error *cause, struct error *error)
{
    if (cause->status == STATUS_DATASET_TOO_LARGE) {
        return error_set(error, STATUS_ROW_COUNT_MISMATCH, "there are more labels than the %" PRIu64 " images",
                         import->images);
    }
    if (error != NULL && error->status == STATUS_OK) {
        *error = *cause;
    }
    return cause->status;
}

enum status labels_import_feed(struct labels_import *import, const void *bytes, size_t size, struct error *error)
{
    struct error cause = {.status = STATUS_OK};
    enum status status = idx_labels_parser_feed(import->parser, bytes, size, &cause);
    return status == STATUS_OK ? STATUS_OK : name_surplus(import, &cause, error);
}

enum status labels_import_finish(struct labels_import *import, struct store *store, const void *block, size_t size,
                                 struct imported_dataset *imported, struct error *error)
{
    struct error cause = {.status = STATUS_OK};
    struct dataset images;

    if (idx_labels_parser_finish(import->parser, &cause) != STATUS_OK) {
        return name_surplus(import, &cause, error);
    }
    enum status status = dataset_open(&images, block, size, error);
    if (status == STATUS_OK) {
        uint64_t count;
        int32_t *labels = idx_labels_parser_take(import->parser, &count);
        status = dataset_import_labels(store, &images, labels, count, imported, error);
        free(labels);
        dataset_release(&images);
    }
    return status;
}

void labels_import_free(struct labels_import *import)
{
    if (import != NULL) {
        idx_labels_parser_free(import->parser);
        free(import);
    }
}
