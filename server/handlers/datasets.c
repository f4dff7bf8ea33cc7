/* Data sets that are there: lists, descriptions, a look at rows, deleting. Uploads are in uploads.c. */
#include "server/handlers/handlers.h"

#include "api/encode_dataset.h"
#include "api/json_writer.h"
#include "api/query.h"
#include "server/handlers/reply.h"
#include "server/store/datasets.h"
#include "server/store/object.h"

void list_datasets(struct app *app, struct request *request)
{
    struct page_query page = reply_page_query(request);
    struct error error = {.status = STATUS_OK};
    struct dataset_list list;

    if (datasets_list(app->store, &page, &list, &error) != STATUS_OK) {
        reply_page_error(request, &error);
        return;
    }
    struct json_writer writer = {.depth = 0};
    encode_dataset_list(list.items, list.count, list.has_more, &writer);
    reply_page(request, &writer, list.count > 0 ? list.items[list.count - 1].id : NULL, list.has_more);
    dataset_list_release(&list);
}

void get_dataset(struct app *app, struct request *request)
{
    struct error error = {.status = STATUS_OK};
    struct dataset_view dataset;

    if (datasets_get(app->store, request_parameter(request, 0), &dataset, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    struct json_writer writer = {.depth = 0};
    encode_dataset(&dataset, &writer);
    dataset_view_release(&dataset);
    reply_json(request, 200, &writer);
}

void delete_dataset(struct app *app, struct request *request)
{
    struct datasets_delete deletion = {.id = request_parameter(request, 0)};
    struct error error = {.status = STATUS_OK};

    switch (store_wait(app->store, datasets_delete(&deletion), &error)) {
    case STATUS_OK:
        reply_empty(request, 204);
        break;
    case STATUS_IN_USE:
        reply_in_use(request, &deletion.users, &error);
        break;
    default:
        request_respond_error(request, &error);
        break;
    }
}

/* Opens the content of a data set. The caller releases and unmaps both after success. */
static enum status open_content(struct store *store, const char *id, struct object_map *map, struct dataset *dataset,
                                struct error *error)
{
    struct dataset_view view;
    enum status status = datasets_get(store, id, &view, error);

    if (status != STATUS_OK) {
        return status;
    }
    status = object_map(map, store, view.sha256, error);
    dataset_view_release(&view);
    if (status == STATUS_OK) {
        status = dataset_open(dataset, map->bytes, map->size, error);
        if (status != STATUS_OK) {
            object_unmap(store, map);
        }
    }
    return status;
}

void list_dataset_rows(struct app *app, struct request *request)
{
    const struct query *query = request_query(request);
    const char *id = request_parameter(request, 0);
    struct error error = {.status = STATUS_OK};
    struct dataset dataset;
    struct object_map map;

    if (open_content(app->store, id, &map, &dataset, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    struct json_writer writer = {.depth = 0};
    enum status status = encode_dataset_rows(&dataset, id, (uint64_t)query_integer(query, PARAMETER_OFFSET),
                                             (uint64_t)query_integer(query, PARAMETER_LIMIT), &writer, &error);
    dataset_release(&dataset);
    object_unmap(app->store, &map);
    if (status != STATUS_OK) {
        json_writer_release(&writer);
        request_respond_error(request, &error);
        return;
    }
    reply_json(request, 200, &writer);
}
