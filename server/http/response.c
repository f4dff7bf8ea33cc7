#include "server/http/response.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/problem.h"

static void start(struct response *response, unsigned status, enum response_body kind)
{
    *response = (struct response){.status = status, .kind = kind, .fd = -1};
}

void response_empty(struct response *response, unsigned status)
{
    start(response, status, RESPONSE_EMPTY);
}

void response_text(struct response *response, unsigned status, enum media media, char *body, size_t size)
{
    start(response, status, RESPONSE_HEAP);
    response->media = media;
    response->body = body;
    response->size = size;
    response->failed = body == NULL;
}

void response_borrowed(struct response *response, unsigned status, enum media media, const void *body, size_t size,
                       void (*release)(void *context), void *context)
{
    start(response, status, RESPONSE_BORROWED);
    response->media = media;
    response->body = (void *)(uintptr_t)body; /* only ever read */
    response->size = size;
    response->release = release;
    response->release_context = context;
}

void response_file(struct response *response, enum media media, int fd, uint64_t size)
{
    start(response, 200, RESPONSE_FILE);
    response->media = media;
    response->fd = fd;
    response->size = size;
    response->ranges = 1;
}

void response_stream(struct response *response, enum media media, const struct stream_source *source)
{
    start(response, 200, RESPONSE_STREAM);
    response->media = media;
    response->source = *source;
    response_header(response, "Cache-Control", "no-store");
    response_header(response, "X-Accel-Buffering", "no"); /* nginx would collect some kilobytes first */
}

/* What an answer of this kind must say besides. */
static void add_kind_headers(struct response *response, enum status status)
{
    if (status == STATUS_IDEMPOTENCY_IN_PROGRESS) { /* a commit, usually */
        response_header(response, "Retry-After", "1");
        return;
    }
    switch (status_kind(status)) {
    case KIND_UNAUTHENTICATED:
        response_header(response, "WWW-Authenticate", "Bearer");
        break;
    case KIND_RATE:
        response_header(response, "Retry-After", "60");
        break;
    case KIND_UNAVAILABLE:
        response_header(response, "Retry-After", "5");
        break;
    default:
        break;
    }
}

void response_problem(struct response *response, const struct problem *problem, const char *request_id)
{
    /* When there is no memory, this must be said without any. */
    static const char no_memory[] = "{\"type\":\"https://descentd.example/problems/out_of_memory\",\"title\":\"There is not "
                                    "enough memory for this now\",\"status\":503,\"code\":\"out_of_memory\"}";
    size_t size = 0;
    char *body = problem_encode(problem, request_id, &size);
    if (body != NULL)
        response_text(response, (unsigned)problem_http_status(problem), MEDIA_PROBLEM, body, size);
    else
        response_borrowed(response, 503, MEDIA_PROBLEM, no_memory, sizeof(no_memory) - 1, NULL, NULL);
    add_kind_headers(response, body != NULL ? problem->status : STATUS_OUT_OF_MEMORY);
}

void response_error(struct response *response, const struct error *error, const char *request_id)
{
    struct problem problem;
    problem_init(&problem);
    problem_add(&problem, error);
    response_problem(response, &problem, request_id);
    problem_release(&problem);
}

void response_header(struct response *response, const char *name, const char *format, ...)
{
    assert(response->header_count < RESPONSE_HEADERS_MAX);
    char *value = NULL;
    va_list values;
    va_start(values, format);
    int size = vasprintf(&value, format, values);
    va_end(values);
    if (size < 0) {
        response->failed = 1;
        return;
    }
    response->headers[response->header_count].name = name;
    response->headers[response->header_count].value = value;
    response->header_count++;
}

const char *response_get_header(const struct response *response, const char *name)
{
    for (unsigned i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    }
    return NULL;
}

void response_release(struct response *response)
{
    for (unsigned i = 0; i < response->header_count; i++)
        free(response->headers[i].value);
    if (response->kind == RESPONSE_HEAP)
        free(response->body);
    if (response->kind == RESPONSE_BORROWED && response->release != NULL)
        response->release(response->release_context);
    if (response->kind == RESPONSE_FILE && response->fd >= 0)
        close(response->fd);
    *response = (struct response){.fd = -1};
}
