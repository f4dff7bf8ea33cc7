/*
 * GET /v1/models/{id}/export: the model as a file, for other programs.
 *
 * The file is made for each request, into an unlinked temporary file: what is in the store is our own format, and a slow
 * reader must hold no memory. Equal bytes each time, so that ranges of several requests fit together.
 */
#include "server/handlers/handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/encode_model.h"
#include "api/json_writer.h"
#include "api/query.h"
#include "api/routes.h"
#include "core/export/safetensors.h"
#include "server/handlers/digest_field.h"
#include "server/handlers/reply.h"
#include "server/models/model_cache.h"
#include "server/unlinked_file.h"

/* A number takes at most 16 bytes of JSON, and a text at most 64 MiB. */
#define JSON_PARAMETERS_MAX 4000000u

static enum status write_safetensors(const struct model *model, const char *id, struct sink sink, struct error *error)
{
    char members[64];

    snprintf(members, sizeof(members), "\"id\":\"%s\"", id);
    return safetensors_write(model, members, sink, error);
}

static enum status write_json(const struct model *model, const char *id, struct sink sink, struct error *error)
{
    struct json_writer writer = {.depth = 0};
    char *text;
    size_t size;

    if (model->parameter_count > JSON_PARAMETERS_MAX) {
        return error_set(error, STATUS_MODEL_TOO_LARGE, "a model of more than %u parameters is given as safetensors only",
                         JSON_PARAMETERS_MAX);
    }
    encode_model_parameters(model, id, &writer);
    enum status status = json_writer_take(&writer, &text, &size, error);
    if (status == STATUS_OK) {
        status = sink.write(sink.context, text, size, error);
        free(text);
    }
    return status;
}

static enum status write_export(struct app *app, const char *id, enum media media, struct unlinked_file *file,
                                struct error *error)
{
    struct cached_model *held;

    enum status status = model_cache_get(app->models, id, &held, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = unlinked_file_open(file, app->config->data, error);
    if (status == STATUS_OK) {
        struct sink sink = unlinked_file_sink(file);
        status = media == MEDIA_JSON ? write_json(cached_model_get(held), id, sink, error)
                                     : write_safetensors(cached_model_get(held), id, sink, error);
    }
    model_cache_put(app->models, held);
    return status;
}

static void reply_file(struct request *request, const char *id, enum media media, int fd, uint64_t size,
                       const unsigned char digest[SHA256_BYTES])
{
    char field[DIGEST_FIELD_TEXT], hash[SHA256_HEX], tag[REPLY_TAG_TEXT];
    struct response response;

    digest_field_format(digest, field);
    sha256_hex(digest, hash);
    reply_tag(tag, "%.32s", hash);
    if (reply_not_modified(request, tag)) {
        close(fd);
        return;
    }
    response_file(&response, media, fd, size);
    reply_add_tag(&response, tag);
    response_header(&response, "Repr-Digest", "%s", field);
    response_header(&response, "Content-Disposition", "attachment; filename=\"%s.%s\"", id,
                    media == MEDIA_JSON ? "json" : "safetensors");
    request_respond(request, &response);
}

void export_model(struct app *app, struct request *request)
{
    const char *id = request_parameter(request, 0);
    struct unlinked_file file = {.stream = NULL};
    struct error error = {.status = STATUS_OK};
    unsigned char digest[SHA256_BYTES];
    enum media media;
    int fd = -1;

    enum status status = reply_negotiate(request, PARAMETER_EXPORT_FORMAT, &media, &error);
    if (status == STATUS_OK) {
        status = write_export(app, id, media, &file, &error);
    }
    if (status == STATUS_OK) {
        status = unlinked_file_finish(&file, &fd, digest, &error);
    }
    if (status == STATUS_OK) {
        reply_file(request, id, media, fd, file.size, digest);
    } else {
        unlinked_file_close(&file);
        request_respond_error(request, &error);
    }
}
