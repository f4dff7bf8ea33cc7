/*
 * A stream's life between its two kinds of threads.
 *
 * A polling thread copies what is left of the piece; when nothing is, it suspends the connection and hands the request on:
 * to an executor thread, or into the waiting room under the ticket that the piece came with, so that a wake between the
 * look and the park is not lost. The executor thread asks for the next piece and resumes. A request thus belongs to one
 * thread at a time, and only who holds it resumes it: never one that is completed, never twice.
 */
#include "server/http/stream.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "server/clock.h"
#include "server/http/internal.h"
#include "server/http/waiters.h"

/* What the kernel holds for a client that does not read, bytes (it takes twice as much); else it may become megabytes. */
#define SEND_BUFFER (64 * 1024)
#define BLOCK_BYTES 4096 /* of the library, for clients without chunked transfer */

const struct stream_limits stream_defaults = {.beat_ms = 5000};

int64_t stream_taken_ms(const struct request *request)
{
    return request->stream.taken_ms;
}

static void release_piece(struct stream_piece *piece)
{
    if (piece->release != NULL)
        piece->release(piece->context);
    piece->release = NULL;
}

/* The next piece, or the same wait again where there is neither news nor a reason to say so. */
static int next_piece(struct request *request, int64_t now, struct stream_piece *piece)
{
    const struct stream *stream = &request->stream;
    const struct stream_source *source = &request->answer.source;
    if (waiters_draining(request->http->waiters))
        return 1;
    source->fill(request, piece);
    assert(piece->size > 0 || piece->then != STREAM_GO_ON);
    if (piece->size > 0 || piece->then == STREAM_END)
        return 1;
    if (now < stream->beat_at)
        return 0;
    piece->bytes = source->beat;
    piece->size = strlen(source->beat);
    return 1;
}

static void run_fill(struct task *task)
{
    struct request *request = request_of_task(task);
    struct stream *stream = &request->stream;
    struct stream_piece piece = {.then = STREAM_END};
    int64_t now = clock_monotonic_ms();
    if (!next_piece(request, now, &piece)) {
        release_piece(&piece);
        waiters_park(request->http->waiters, &request->waiter, request->answer.source.key, piece.ticket);
        return;
    }
    stream->piece = piece;
    stream->sent = 0;
    stream->offered = now;
    stream->beat_at = now + request->http->stream_limits->beat_ms;
    request_resume(request);
}

/* On the polling thread: nothing is left of the piece. */
static ssize_t hand_on(struct request *request)
{
    struct stream *stream = &request->stream;
    struct http *http = request->http;
    release_piece(&stream->piece);
    stream->taken_ms = clock_monotonic_ms() - stream->offered;
    if (stream->piece.then == STREAM_END || !request_suspend(request))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream->piece.then == STREAM_WAIT) {
        request->waiter.deadline = stream->beat_at;
        waiters_park(http->waiters, &request->waiter, request->answer.source.key, stream->piece.ticket);
    } else {
        executor_submit(http->executor, &request->task);
    }
    return 0;
}

/* The library's content reader. */
static ssize_t read_stream(void *cls, uint64_t position, char *buffer, size_t room)
{
    struct request *request = cls;
    struct stream *stream = &request->stream;
    size_t size = stream->piece.size - stream->sent;
    (void)position;
    if (size == 0)
        return hand_on(request);
    if (size > room)
        size = room;
    memcpy(buffer, (const char *)stream->piece.bytes + stream->sent, size);
    stream->sent += size;
    request->sent_bytes += size;
    return (ssize_t)size;
}

int stream_open(struct request *request)
{
    struct http *http = request->http;
    if (atomic_fetch_add(&http->open_streams, 1) >= http->max_streams) {
        atomic_fetch_sub(&http->open_streams, 1);
        return 0;
    }
    struct stream *stream = &request->stream;
    stream->is_open = 1;
    stream->piece.then = STREAM_GO_ON;
    stream->offered = clock_monotonic_ms();
    stream->beat_at = stream->offered + http->stream_limits->beat_ms;
    request->close = 1;
    request->task.run = run_fill;
    request->waiter.task = &request->task;
    MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u); /* the watchdog has its own */
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int bytes = SEND_BUFFER;
    if (info != NULL) /* one that cannot be set only costs memory */
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    return 1;
}

struct MHD_Response *stream_make(struct request *request)
{
    struct MHD_Response *made = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, request, NULL);
    /* The library ends even the answer to HEAD with a last chunk, unless there are to be none. */
    if (made != NULL && !request->stream.is_open)
        MHD_set_response_options(made, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return made;
}

void stream_close(struct request *request)
{
    release_piece(&request->stream.piece);
    if (request->stream.is_open)
        atomic_fetch_sub(&request->http->open_streams, 1);
}
