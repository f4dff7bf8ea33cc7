/*
 * Labels for images that are there: IDX of rank 1. The features are written again with the labels behind them, as one new
 * object; the images' own object goes with the change.
 */
#include "server/handlers/upload.h"

#include <string.h>

#include "api/problem.h"
#include "server/store/datasets.h"

/* Images that are ready may be sent the labels that they have; whether these are the same the store finds out. */
static enum status begin(struct upload *upload, struct request *request, struct error *error)
{
    struct store *store = upload->app->store;
    const char *id = request_parameter(request, 0);

    enum status status = datasets_get(store, id, &upload->images, error);
    if (status == STATUS_OK && !upload->images.is_image) {
        status = error_set(error, STATUS_STATE_CONFLICT, "data set %s has no images that could await labels", id);
    }
    if (status == STATUS_OK) {
        status = object_map(&upload->content, store, upload->images.sha256, error);
    }
    return status == STATUS_OK ? labels_import_new(&upload->labels, upload->images.rows, error) : status;
}

static enum status chunk(struct upload *upload, const void *data, size_t size, struct error *error)
{
    return labels_import_feed(upload->labels, data, size, error);
}

/* The oldest data set with this content stands for it. */
static enum status store_labelled(struct upload *upload, struct imported_dataset *imported, struct upload_outcome *outcome,
                                  struct error *error)
{
    struct datasets_label label = {.dataset = &imported->view, .object = &imported->object};
    struct store *store = upload->app->store;

    memcpy(imported->view.id, upload->images.id, sizeof(imported->view.id));
    enum status status = store_wait(store, datasets_label(&label), error);
    if (status == STATUS_OK) {
        memcpy(outcome->id, imported->view.id, sizeof(outcome->id));
        outcome->existed = label.existed;
    }
    return status == STATUS_OK && label.existed ? datasets_find(store, imported->view.sha256, outcome->id, error) : status;
}

static enum status finish(struct upload *upload, struct request *request, struct upload_outcome *outcome,
                          struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    struct imported_dataset imported;

    (void)request;
    enum status status = labels_import_finish(upload->labels, upload->app->store, upload->content.bytes,
                                              upload->content.size, &imported, &error);
    if (status == STATUS_OK) {
        status = store_labelled(upload, &imported, outcome, &error);
        imported_dataset_release(&imported);
    }
    return status == STATUS_OK ? STATUS_OK : upload_problem(problem, &error);
}

const struct upload_kind upload_labels = {.begin = begin, .chunk = chunk, .finish = finish};
