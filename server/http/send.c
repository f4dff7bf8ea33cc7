/* From a struct response to the library's: headers, ranges, the body without a copy. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/http/internal.h"
#include "server/http/range.h"
#include "server/http/waiters.h"

/* The bytes of the body that go out. */
struct part {
    uint64_t offset, size;
};

static int add_header(struct MHD_Response *made, const char *name, const char *value)
{
    return MHD_add_response_header(made, name, value) == MHD_YES;
}

static int add_headers(struct MHD_Response *made, const struct request *request)
{
    const struct response *answer = &request->answer;
    int added = add_header(made, "X-Request-Id", request->id) && add_header(made, "X-Content-Type-Options", "nosniff");
    if (answer->media != MEDIA_NONE)
        added = added && add_header(made, "Content-Type", media_content_type(answer->media));
    if (answer->status >= 400)
        added = added && add_header(made, "Cache-Control", "no-store");
    const struct route *route = request->admission.match.route;
    if (route != NULL && route->answers[0].media[0] != MEDIA_NONE && route->answers[0].media[1] != MEDIA_NONE)
        added = added && add_header(made, "Vary", "Accept");
    if (answer->ranges)
        added = added && add_header(made, "Accept-Ranges", "bytes");
    if (request->close)
        added = added && add_header(made, "Connection", "close");
    for (unsigned i = 0; i < answer->header_count; i++)
        added = added && add_header(made, answer->headers[i].name, answer->headers[i].value);
    return added;
}

/*
 * The body stays the request's, which lives until the answer is through; a file is the library's from here on, so that
 * it can be sent without passing through this process.
 */
static struct MHD_Response *make(struct request *request, struct part part)
{
    struct response *answer = &request->answer;
    if (answer->kind == RESPONSE_STREAM)
        return stream_make(request);
    if (answer->kind != RESPONSE_FILE) {
        char *bytes = part.size > 0 ? (char *)answer->body + part.offset : NULL;
        return MHD_create_response_from_buffer((size_t)part.size, bytes, MHD_RESPMEM_PERSISTENT);
    }
    struct MHD_Response *made = MHD_create_response_from_fd_at_offset64(part.size, answer->fd, part.offset);
    if (made != NULL)
        answer->fd = -1;
    return made;
}

/* Replaces an answer that cannot be given by one that can. */
static void replace(struct request *request, enum status status, const char *message)
{
    struct error error = {.status = STATUS_OK};
    error_set(&error, status, "%s", message);
    response_release(&request->answer);
    response_error(&request->answer, &error, request->id);
}

/* Looks at Range where the answer allows it: makes it 206 or 416, or leaves it. */
static struct part choose_part(struct request *request)
{
    struct response *answer = &request->answer;
    struct part part = {0, answer->size};
    const char *range = answer->ranges && answer->status == 200 ? head_header(&request->head, "Range") : NULL;
    if (range == NULL || !range_applies(head_header(&request->head, "If-Range"), response_get_header(answer, "ETag")))
        return part;
    uint64_t whole = answer->size;
    if (range_parse(range, whole, &part.offset, &part.size)) {
        answer->status = 206;
        response_header(answer, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)part.offset,
                        (unsigned long long)(part.offset + part.size - 1), (unsigned long long)whole);
        return part;
    }
    replace(request, STATUS_RANGE_INVALID, "one range within the file is wanted, like bytes=0-99");
    response_header(answer, "Content-Range", "bytes */%llu", (unsigned long long)whole);
    return (struct part){0, answer->size};
}

enum MHD_Result send_answer(struct request *request)
{
    struct response *answer = &request->answer;
    assert(request->answered && request->phase != PHASE_SENDING);
    request->phase = PHASE_SENDING;
    request->close |= waiters_draining(request->http->waiters);
    int streams = answer->kind == RESPONSE_STREAM && request->admission.match.method != METHOD_HEAD;
    if (streams && !stream_open(request))
        replace(request, STATUS_TOO_MANY_STREAMS, "as many are open as --max-streams allows");
    struct part part = choose_part(request);
    if (answer->failed) {
        replace(request, STATUS_OUT_OF_MEMORY, "no memory for the answer");
        part = (struct part){0, answer->size};
    }
    request->sent_bytes = part.size;
    struct MHD_Response *made = make(request, part);
    enum MHD_Result queued = MHD_NO; /* closes the connection */
    if (made != NULL && add_headers(made, request)) {
        watchdog_phase(request->http->watchdog, request->peer, request->stream.is_open ? PEER_STREAM : PEER_ANSWER);
        queued = MHD_queue_response(request->connection, answer->status, made);
    }
    if (made != NULL)
        MHD_destroy_response(made);
    return queued;
}
