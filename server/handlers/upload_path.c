/*
 * A data set in a file below the data root, named by a JSON body; images may have their labels named with them. For the
 * rest it is as if the file had been sent.
 */
#include "server/handlers/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/dataset_path.h"
#include "api/problem.h"
#include "server/data_root.h"
#include "server/store/object_preview.h"

#define BODY_MAX   ((size_t)65536)
#define PIECE_SIZE ((size_t)256 * 1024)

static enum status begin(struct upload *upload, struct request *request, struct error *error)
{
    (void)request;
    if (upload->app->config->data_root == NULL) {
        return error_set(error, STATUS_PATH_FORBIDDEN, "this server was started without --data-root");
    }
    return STATUS_OK;
}

static enum status chunk(struct upload *upload, const void *data, size_t size, struct error *error)
{
    if (size > BODY_MAX - upload->body.size) {
        return error_set(error, STATUS_BODY_TOO_LARGE, "the JSON has more than %zu bytes", BODY_MAX);
    }
    text_put(&upload->body, data, size);
    return upload->body.failed ? error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the body") : STATUS_OK;
}

/* A file's pieces go to feed(context, ...), as those of a body would. */
typedef enum status piece_taker(void *context, const void *bytes, size_t size, struct error *error);

static enum status take_import(void *context, const void *bytes, size_t size, struct error *error)
{
    return dataset_import_feed(context, bytes, size, error);
}

static enum status take_labels(void *context, const void *bytes, size_t size, struct error *error)
{
    return labels_import_feed(context, bytes, size, error);
}

static enum status read_pieces(int fd, uint64_t limit, piece_taker *feed, void *context, struct error *error)
{
    unsigned char *piece = malloc(PIECE_SIZE);
    enum status status = STATUS_OK;
    uint64_t total = 0;

    if (piece == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for reading a file");
    }
    while (status == STATUS_OK) {
        ssize_t size = read(fd, piece, PIECE_SIZE);
        if (size == 0) {
            break;
        }
        if (size > 0) {
            total += (uint64_t)size;
            status = total > limit ? error_set(error, STATUS_DATASET_TOO_LARGE,
                                               "a file has more than the %llu bytes allowed", (unsigned long long)limit)
                                   : feed(context, piece, (size_t)size, error);
        } else if (errno != EINTR) {
            status = error_set(error, STATUS_STORAGE_ERROR, "a file below the data root could not be read");
        }
    }
    free(piece);
    return status;
}

static enum status read_file(const struct upload *upload, const char *path, const char *pointer, piece_taker *feed,
                             void *context, struct error *error)
{
    const struct config *config = upload->app->config;
    int fd;

    enum status status = data_root_open(config->data_root, path, pointer, &fd, error);
    if (status == STATUS_OK) {
        status = read_pieces(fd, config->max_dataset_bytes, feed, context, error);
        close(fd);
    }
    return status;
}

static enum status import_file(struct upload *upload, const struct request *request, const struct dataset_path *source,
                               struct imported_dataset *imported, struct error *error)
{
    struct parse_options options;

    enum status status = upload_parse_options(request, source->format, &options, error);
    if (status == STATUS_OK) {
        status = dataset_import_new(&upload->import, upload->app->store, source->format, &options, error);
    }
    if (status == STATUS_OK) {
        status = read_file(upload, source->path, "/path", take_import, upload->import, error);
    }
    return status == STATUS_OK ? dataset_import_finish(upload->import, imported, error) : status;
}

/* Replaces images by the same with labels. */
static enum status import_labels(struct upload *upload, const char *path, struct imported_dataset *imported,
                                 struct error *error)
{
    struct imported_dataset labelled;
    struct object_preview images;

    enum status status = labels_import_new(&upload->labels, imported->view.rows, error);
    if (status == STATUS_OK) {
        status = read_file(upload, path, "/labels", take_labels, upload->labels, error);
    }
    if (status == STATUS_OK) {
        status = object_preview_open(&images, &imported->object, error);
    }
    if (status == STATUS_OK) {
        status = labels_import_finish(upload->labels, upload->app->store, images.bytes, images.size, &labelled, error);
        object_preview_close(&images);
    }
    imported_dataset_release(imported);
    if (status == STATUS_OK) {
        *imported = labelled;
    }
    return status;
}

static enum status import(struct upload *upload, const struct request *request, const struct dataset_path *source,
                          struct imported_dataset *imported, struct error *error)
{
    enum status status = import_file(upload, request, source, imported, error);

    return status == STATUS_OK && source->labels[0] != '\0' ? import_labels(upload, source->labels, imported, error)
                                                            : status;
}

static enum status finish(struct upload *upload, struct request *request, struct upload_outcome *outcome,
                          struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    struct imported_dataset imported;
    struct dataset_path source;

    enum status status =
        dataset_path_decode(&source, upload->body.data != NULL ? upload->body.data : "", upload->body.size, problem);
    if (status != STATUS_OK) {
        return status;
    }
    status = import(upload, request, &source, &imported, &error);
    if (status == STATUS_OK) {
        status = upload_insert(upload, request, &imported, outcome, &error);
    }
    return status == STATUS_OK ? STATUS_OK : upload_problem(problem, &error);
}

const struct upload_kind upload_path = {.begin = begin, .chunk = chunk, .finish = finish};
