/*
 * Models that are there: lists, descriptions, deleting. What they are asked stands in model_predict.c and
 * model_evaluate.c, their files in model_export.c.
 */
#include "server/handlers/handlers.h"

#include "api/encode_model.h"
#include "api/json_writer.h"
#include "server/handlers/reply.h"
#include "server/models/model_cache.h"
#include "server/store/models.h"

void list_models(struct app *app, struct request *request)
{
    struct page_query page = reply_page_query(request);
    struct error error = {.status = STATUS_OK};
    struct model_list list;

    if (models_list(app->store, &page, &list, &error) != STATUS_OK) {
        reply_page_error(request, &error);
        return;
    }
    struct json_writer writer = {.depth = 0};
    encode_model_list(list.items, list.count, list.has_more, &writer);
    reply_page(request, &writer, list.count > 0 ? list.items[list.count - 1].id : NULL, list.has_more);
    model_list_release(&list);
}

void get_model(struct app *app, struct request *request)
{
    struct error error = {.status = STATUS_OK};
    struct model_view model;

    if (models_get(app->store, request_parameter(request, 0), &model, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    struct json_writer writer = {.depth = 0};
    encode_model(&model, &writer);
    model_view_release(&model);
    reply_json(request, 200, &writer);
}

/* Out of the cache only once it is gone from the store: the other way round it could be loaded again in between. */
void delete_model(struct app *app, struct request *request)
{
    struct models_delete deletion = {.id = request_parameter(request, 0)};
    struct error error = {.status = STATUS_OK};

    switch (store_wait(app->store, models_delete(&deletion), &error)) {
    case STATUS_OK:
        model_cache_forget(app->models, deletion.id);
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
