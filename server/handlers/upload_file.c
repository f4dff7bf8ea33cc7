/* A data set as the request's body: CSV or IDX, parsed as it comes. */
#include "server/handlers/upload.h"

#include "api/problem.h"

static enum status begin(struct upload *upload, struct request *request, struct error *error)
{
    enum data_format format = request_body_media(request) == MEDIA_IDX ? DATA_IDX : DATA_CSV;
    struct parse_options options;

    enum status status = upload_parse_options(request, format, &options, error);
    return status == STATUS_OK ? dataset_import_new(&upload->import, upload->app->store, format, &options, error) : status;
}

static enum status chunk(struct upload *upload, const void *data, size_t size, struct error *error)
{
    return dataset_import_feed(upload->import, data, size, error);
}

static enum status finish(struct upload *upload, struct request *request, struct upload_outcome *outcome,
                          struct problem *problem)
{
    struct error error = {.status = STATUS_OK};
    struct imported_dataset imported;

    enum status status = dataset_import_finish(upload->import, &imported, &error);
    if (status == STATUS_OK) {
        status = upload_insert(upload, request, &imported, outcome, &error);
    }
    return status == STATUS_OK ? STATUS_OK : upload_problem(problem, &error);
}

const struct upload_kind upload_file = {.begin = begin, .chunk = chunk, .finish = finish};
