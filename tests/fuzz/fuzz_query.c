/*
 * What stands in a request's first line and in the headers that api/ reads: target, path, query, Accept, Content-Type,
 * times. The first byte chooses the decoder and the route, the rest is the text. Whatever is accepted must be as the
 * headers of these decoders promise.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/negotiate.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/routes.h"
#include "api/timestamp.h"
#include "core/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A refusal has a code and a document; both are promised for every status but STATUS_OK. */
static void check_problem(enum status status, struct problem *problem)
{
    assert((status == STATUS_OK) == (problem->status == STATUS_OK) && problem->status == status);
    if (status != STATUS_OK) {
        size_t size;
        char *document = problem_encode(problem, "req_x", &size);

        assert(problem_http_status(problem) == 400);
        assert(document != NULL && size == strlen(document) && utf8_valid(document, size));
        free(document);
    }
    problem_release(problem);
}

static void check_values(const struct query *query, const struct route *route)
{
    for (size_t i = 0; i < ROUTE_QUERY_MAX && route->query[i] != PARAMETER_NONE; i++) {
        enum query_id id = (enum query_id)route->query[i];
        const struct query_parameter *parameter = query_parameter(id);
        const char *text = query_text(query, id);

        assert(text == NULL || utf8_valid(text, strlen(text)));
        if (parameter->type == QUERY_INTEGER || parameter->type == QUERY_CLAMPED) {
            double value = (double)query_integer(query, id);
            assert(text == NULL || (value >= parameter->minimum && value <= parameter->maximum));
        } else if (parameter->type == QUERY_NUMBER || parameter->type == QUERY_SECONDS) {
            double value = query_number(query, id);
            assert(text == NULL || (value >= parameter->minimum && value <= parameter->maximum));
        }
    }
    for (uint32_t m = 0; m < query->metadata_count; m++) {
        assert(query->metadata[m].key[0] != '\0' && strlen(query->metadata[m].value) <= 256);
    }
}

static void fuzz_query(const struct route *route, const char *text, size_t size)
{
    static struct query query;
    struct problem problem;

    problem_init(&problem);
    enum status status = query_decode(&query, route, text, size, &problem);
    if (status == STATUS_OK) {
        check_values(&query, route);
    }
    check_problem(status, &problem);
}

static void fuzz_target(const char *text)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE", "PUT", "OPTIONS"};
    const char *query;
    size_t path_size, query_size;
    char link[512];

    if (target_split(text, &path_size, &query, &query_size, NULL) != STATUS_OK) {
        return;
    }
    assert(text[0] == '/' && path_size <= strlen(text) && query + query_size == text + strlen(text));
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        struct route_match match;

        if (route_find(&match, methods[m], text, path_size, NULL) == STATUS_OK && match.route != NULL) {
            assert(memchr(text, '%', path_size) == NULL && strlen(match.parameter[0]) <= 64);
            fuzz_query(match.route, query, query_size);
        }
    }
    size_t size = query_next_link(link, sizeof link, text, path_size, query, query_size, "job_0123456789abcdefghij");
    assert(size < sizeof link && (size == 0 || (link[0] == '<' && link[size] == '\0' && strchr(link, '\n') == NULL)));
}

static void fuzz_media(const struct route *route, const char *text)
{
    enum media media;
    const struct route_body *body = &route->body;

    if (route_negotiate(route, NULL, text, &media, NULL) == STATUS_OK && media != MEDIA_NONE) {
        assert(memchr(route->answers[0].media, (int)media, ROUTE_MEDIA_MAX) != NULL);
    }
    if (body->kind != BODY_NONE && negotiate_content_type(text, body->media, ROUTE_MEDIA_MAX, &media, NULL) == STATUS_OK) {
        assert(memchr(body->media, (int)media, ROUTE_MEDIA_MAX) != NULL);
    }
}

static void fuzz_time(const char *text)
{
    char written[TIMESTAMP_TEXT];
    int64_t ms, again;

    if (timestamp_parse(text, &ms, NULL) == STATUS_OK) {
        timestamp_format(ms, written);
        assert(strncmp(text, written, 19) == 0); /* up to the seconds */
        assert(timestamp_parse(written, &again, NULL) == STATUS_OK && again == ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0) {
        return 0;
    }
    const struct route *route = route_get((enum route_id)((data[0] >> 2) % ROUTE_COUNT));
    text = malloc(size); /* data[1 …] and a NUL, exactly: a byte too far is seen */
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] & 3) {
    case 0:
        fuzz_query(route, text, size - 1);
        break;
    case 1:
        fuzz_target(text);
        break;
    case 2:
        fuzz_media(route, text);
        break;
    default:
        fuzz_time(text);
        break;
    }
    free(text);
    return 0;
}
