/* What the server says about itself: health, version and limits, what jobs can choose from, the interface. */
#include "server/handlers/handlers.h"

#include <pthread.h>

#include "api/algorithms.h"
#include "api/encode_info.h"
#include "api/json_writer.h"
#include "api/openapi.h"
#include "api/routes.h"
#include "core/base/kernel_tier.h"
#include "core/base/sha256.h"
#include "server/clock.h"
#include "server/handlers/reply.h"
#include "server/version.h"

/* ---- health: on a polling thread, so without locks, files and memory ---- */

static void reply_healthy(struct request *request)
{
    static const char healthy[] = "{\"status\":\"ok\"}";
    struct response response;

    response_borrowed(&response, 200, MEDIA_JSON, healthy, sizeof(healthy) - 1, NULL, NULL);
    request_respond(request, &response);
}

void get_health(struct app *app, struct request *request)
{
    (void)app;
    reply_healthy(request);
}

void get_ready(struct app *app, struct request *request)
{
    switch ((enum app_phase)atomic_load(&app->phase)) {
    case APP_STARTING:
        reply_error(request, STATUS_NOT_READY, "the server is starting");
        return;
    case APP_DRAINING:
        reply_error(request, STATUS_NOT_READY, "the server is about to end");
        return;
    case APP_READY:
        break;
    }
    if (store_is_read_only(app->store)) {
        reply_error(request, STATUS_READ_ONLY, "the disk failed; nothing is written until the server is started again");
        return;
    }
    reply_healthy(request);
}

/* ---- version, limits ---- */

void get_info(struct app *app, struct request *request)
{
    struct server_info info = {
        .version = version_text,
        .commit = version_commit,
        .kernel_tiers = {[PRECISION_F32] = kernel_tier(), [PRECISION_BF16] = kernel_tier_of(PRECISION_BF16)},
        .cores = app->cores,
        .threads = app->threads,
        .started_at = app->started_at,
        .uptime_seconds = (double)(clock_monotonic_ms() - app->started_monotonic) / 1000.0,
        .memory_bytes = app->memory_bytes,
        .max_body_bytes = route_get(ROUTE_CREATE_JOB)->body.limit,
        .max_dataset_bytes = app->config->max_dataset_bytes,
        .max_connections = app->config->max_connections,
        .max_queued_jobs = app->config->max_queued_jobs,
    };
    struct json_writer writer = {.depth = 0};

    encode_info(&info, &writer);
    reply_json(request, 200, &writer);
}

/* ---- documents that are the same as long as the program is ---- */

struct document {
    void (*write)(struct json_writer *writer);
    pthread_mutex_t lock; /* guards the making of the rest, which then stays as it is */
    char *text;
    size_t size;
    char tag[REPLY_TAG_TEXT];
};

static enum status document_make(struct document *document, struct error *error)
{
    enum status status = STATUS_OK;

    pthread_mutex_lock(&document->lock);
    if (document->text == NULL) {
        struct json_writer writer = {.depth = 0};
        document->write(&writer);
        status = json_writer_take(&writer, &document->text, &document->size, error);
        if (status == STATUS_OK) {
            char digest[SHA256_HEX];
            sha256_text(document->text, document->size, digest);
            reply_tag(document->tag, "%.32s", digest);
        }
    }
    pthread_mutex_unlock(&document->lock);
    return status;
}

static void reply_document(struct request *request, struct document *document)
{
    struct error error = {.status = STATUS_OK};
    struct response response;

    if (document_make(document, &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    if (reply_not_modified(request, document->tag)) {
        return;
    }
    response_borrowed(&response, 200, MEDIA_JSON, document->text, document->size, NULL, NULL);
    reply_add_tag(&response, document->tag);
    request_respond(request, &response);
}

void list_algorithms(struct app *app, struct request *request)
{
    static struct document document = {.write = algorithms_write, .lock = PTHREAD_MUTEX_INITIALIZER};

    (void)app;
    reply_document(request, &document);
}

static void write_openapi(struct json_writer *writer)
{
    openapi_write(version_text, writer);
}

void get_openapi(struct app *app, struct request *request)
{
    static struct document document = {.write = write_openapi, .lock = PTHREAD_MUTEX_INITIALIZER};

    (void)app;
    reply_document(request, &document);
}
