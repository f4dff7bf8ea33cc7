/*
 * Data sets on their way in: POST /v1/datasets and PUT /v1/datasets/{id}/labels, streamed.
 *
 * The transport calls these in order, on executor threads (request.h). The body is parsed as it comes, its checksum (if
 * it has one) computed beside; nothing is stored before all of it is there and right. What an upload holds, temporary
 * files included, goes with it, however it ends.
 */
#include "server/handlers/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_dataset.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/routes.h"
#include "server/failpoint.h"
#include "server/handlers/reply.h"
#include "server/store/datasets.h"

static void upload_free(struct upload *upload)
{
    if (upload != NULL) {
        body_check_release(&upload->check);
        dataset_import_free(upload->import);
        text_release(&upload->body);
        labels_import_free(upload->labels);
        dataset_view_release(&upload->images);
        object_unmap(upload->app->store, &upload->content);
        free(upload);
    }
}

/* ---- shared by the kinds ---- */

enum status upload_problem(struct problem *problem, const struct error *error)
{
    problem_add(problem, error);
    return error->status;
}

enum status upload_parse_options(const struct request *request, enum data_format format, struct parse_options *options,
                                 struct error *error)
{
    const struct query *query = request_query(request);

    *options = (struct parse_options){
        .label = query_text(query, PARAMETER_LABEL),
        .label_columns = query_text(query, PARAMETER_LABEL_COLUMNS),
    };
    if (format != DATA_CSV && (options->label != NULL || options->label_columns != NULL)) {
        return error_set(error, STATUS_QUERY_INVALID,
                         "label and label_columns are for CSV; IDX labels come in a file of "
                         "their own");
    }
    return STATUS_OK;
}

/* The query of this request may have a name; the route of labels takes none. */
static const char *given_name(const struct request *request)
{
    const char *name = query_text(request_query(request), PARAMETER_DATASET_NAME);
    return name != NULL ? name : "";
}

enum status upload_insert(struct upload *upload, const struct request *request, struct imported_dataset *imported,
                          struct upload_outcome *outcome, struct error *error)
{
    struct datasets_insert insert = {.dataset = &imported->view, .object = &imported->object};

    snprintf(imported->view.name, sizeof(imported->view.name), "%s", given_name(request));
    enum status status = store_wait(upload->app->store, datasets_insert(&insert), error);
    FAILPOINT(UPLOAD_ROW_COMMITTED);
    if (status == STATUS_OK) {
        memcpy(outcome->id, imported->view.id, sizeof(outcome->id));
        outcome->existed = insert.existed;
    }
    imported_dataset_release(imported);
    return status;
}

/* ---- begin ---- */

static const struct upload_kind *kind_of(const struct request *request)
{
    if (request_route(request)->id == ROUTE_PUT_LABELS) {
        return &upload_labels;
    }
    return request_body_media(request) == MEDIA_JSON ? &upload_path : &upload_file;
}

static enum status check_name(const struct request *request, struct error *error)
{
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    const char *name = given_name(request);
    size_t size = strlen(name);

    if (size == 0 || (size < NAME_TEXT && strspn(name, LETTERS) > 0 && strspn(name, LETTERS " ._-") == size)) {
        return STATUS_OK;
    }
    return error_set(
        error, STATUS_NAME_INVALID,
        "name must begin with a letter or digit and have at most %d letters, digits, \" \", \".\", \"_\", \"-\"",
        NAME_TEXT - 1);
}

/* What can be said before the first byte: is there a store to write to, and room for the body? */
static enum status check_store(const struct store *store, const struct request *request, struct error *error)
{
    const char *length = request_header(request, "Content-Length");

    if (store_is_read_only(store)) {
        return error_set(error, STATUS_READ_ONLY, "the disk failed; nothing is written until the server is started again");
    }
    return store_check_room(store, length != NULL ? strtoull(length, NULL, 10) : 0, error);
}

static enum status begin_check(struct upload *upload, const struct request *request, struct error *error)
{
    const struct digest_fields fields = {.content_digest = request_header(request, "Content-Digest"),
                                         .digest = request_header(request, "Digest"),
                                         .content_md5 = request_header(request, "Content-MD5"),
                                         .x_content_sha256 = request_header(request, "X-Content-SHA256")};

    return body_check_begin(&upload->check, &fields, error);
}

static enum status begin(void *context, struct request *request, void **state, struct problem *problem)
{
    struct app *app = context;
    struct error error = {.status = STATUS_OK};
    struct upload *upload = calloc(1, sizeof(*upload));

    *state = upload;
    if (upload == NULL) {
        (void)error_set(&error, STATUS_OUT_OF_MEMORY, "no memory for an upload");
        return upload_problem(problem, &error);
    }
    upload->app = app;
    upload->kind = kind_of(request);
    enum status status = check_name(request, &error);
    if (status == STATUS_OK) {
        status = begin_check(upload, request, &error);
    }
    if (status == STATUS_OK) {
        status = check_store(app->store, request, &error);
    }
    if (status == STATUS_OK) {
        status = upload->kind->begin(upload, request, &error);
    }
    return status == STATUS_OK ? STATUS_OK : upload_problem(problem, &error);
}

/* ---- the body ---- */

static enum status chunk(void *state, const void *data, size_t size, struct problem *problem)
{
    struct upload *upload = state;
    struct error error = {.status = STATUS_OK};

    enum status status = body_check_update(&upload->check, data, size, &error);
    if (status == STATUS_OK) {
        status = upload->kind->chunk(upload, data, size, &error);
    }
    return status == STATUS_OK ? STATUS_OK : upload_problem(problem, &error);
}

/* ---- the end ---- */

/* The data set as it is stored now, which with existed is not the one that was sent. */
static void reply_dataset(struct app *app, struct request *request, const struct upload_outcome *outcome)
{
    struct error error = {.status = STATUS_OK};
    struct dataset_view dataset;

    if (datasets_get(app->store, outcome->id, &dataset, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    struct json_writer writer = {.depth = 0};
    encode_dataset(&dataset, &writer);
    dataset_view_release(&dataset);
    reply_created(request, outcome->existed ? 200 : 201, "/v1/datasets", outcome->id, &writer);
}

static void end(void *state, struct request *request)
{
    struct upload *upload = state;
    struct app *app = upload->app;
    struct upload_outcome outcome = {.existed = 0};
    struct error error = {.status = STATUS_OK};
    struct problem problem;

    problem_init(&problem);
    enum status status = body_check_end(&upload->check, &error);
    problem_add(&problem, &error);
    if (status == STATUS_OK) {
        status = upload->kind->finish(upload, request, &outcome, &problem);
    }
    upload_free(upload);
    FAILPOINT(UPLOAD_BEFORE_REPLY);
    if (status == STATUS_OK) {
        reply_dataset(app, request, &outcome);
    } else {
        request_respond_problem(request, &problem);
    }
    problem_release(&problem);
}

static void abort_upload(void *state)
{
    upload_free(state);
}

const struct upload_ops uploads = {.begin = begin, .chunk = chunk, .end = end, .abort = abort_upload};
