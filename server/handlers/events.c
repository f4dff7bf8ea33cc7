/*
 * What happened to a job: pages of events, and the stream of them.
 *
 * The store is the stream's memory: a reader is a number, the last event that it was sent, and is given what comes after,
 * old or new, by the same way. So it goes on without gap or repeat wherever it was, in this process or in the next one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/event_stream.h"
#include "api/json_writer.h"
#include "api/query.h"
#include "api/routes.h"
#include "server/handlers/event_pages.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/log.h"
#include "server/store/events.h"
#include "server/store/jobs.h"

/*
 * A reader that has been up to date lags when it is so many events behind and has left a piece lying for so long. Events
 * alone would not do: a small job makes thousands within a second, for readers that are as quick as can be.
 */
#define LAG_EVENTS 1024
#define LAG_MS     10000

/* ---- pages ---- */

static void answer_page(struct app *app, struct request *request)
{
    const struct query *query = request_query(request);
    struct json_writer writer = {0};
    struct event_list list;
    struct error error = {0};
    char last[24] = "";

    if (events_list(app->store, request_parameter(request, 0), (uint64_t)query_integer(query, PARAMETER_EVENT_AFTER),
                    (uint32_t)query_integer(query, PARAMETER_LIMIT), query_integer(query, PARAMETER_EVENT_ORDER) == 1, &list,
                    &error) != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    encode_event_list(list.items, list.count, list.has_more, &writer);
    if (list.count > 0) {
        snprintf(last, sizeof last, "%" PRIu64, list.items[list.count - 1].id);
    }
    reply_page(request, &writer, list.count > 0 ? last : NULL, list.has_more);
    event_list_release(&list);
}

/* ---- the stream ---- */

/* Who follows a job. */
struct reader {
    struct app *app;
    uint64_t last;  /* the event that it was sent last; 0: none */
    int has_begun;  /* the beginning was sent */
    int is_resync;  /* it is to be given the job object in the place of events */
    int is_current; /* it has been up to date */
    int is_slow;    /* it has left a piece lying since it was up to date */
};

/* The last event of a job. */
struct head {
    uint64_t id;
    int is_done;
};

static enum status read_head(struct app *app, const char *job, struct head *head, struct error *error)
{
    struct event_list list;
    enum status status = events_list(app->store, job, 0, 1, 1, &list, error);

    if (status != STATUS_OK) {
        return status;
    }
    *head = (struct head){.id = 0};
    if (list.count > 0) {
        *head = (struct head){list.items[0].id, list.items[0].type == EVENT_DONE};
    }
    event_list_release(&list);
    return STATUS_OK;
}

static void fill_text(struct stream_piece *piece, const char *text, enum stream_then then)
{
    piece->bytes = text;
    piece->size = strlen(text);
    piece->then = then;
}

/*
 * The head first: what the job object tells is then at least as new as the events that it stands for. `done` is none of
 * them: every stream ends with it.
 */
static enum status fill_resync(struct reader *reader, const char *job, struct stream_piece *piece, struct error *error)
{
    struct head head;
    struct job_view view;
    struct text text = {0};
    char *bytes = NULL;
    enum status status = read_head(reader->app, job, &head, error);

    if (status == STATUS_OK) {
        status = jobs_get(reader->app->store, job, 0, &view, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    head.id -= (uint64_t)head.is_done;
    event_stream_write_resync(&view, head.id, &text);
    job_view_release(&view);
    status = text_take(&text, &bytes, &piece->size, error);
    text_release(&text);
    if (status != STATUS_OK) {
        return status;
    }
    piece->bytes = bytes;
    piece->release = free;
    piece->context = bytes;
    piece->then = STREAM_GO_ON;
    *reader = (struct reader){.app = reader->app, .last = head.id, .has_begun = 1, .is_current = 1};
    return STATUS_OK;
}

static enum status check_lag(struct reader *reader, const char *job, struct error *error)
{
    struct head head = {0};
    enum status status = read_head(reader->app, job, &head, error);

    reader->is_resync = status == STATUS_OK && head.id - reader->last > LAG_EVENTS;
    return status;
}

static void fill_events(struct reader *reader, const struct event_page *page, uint64_t ticket, struct stream_piece *piece)
{
    piece->bytes = page->text;
    piece->size = page->size;
    piece->release = event_page_release;
    piece->context = (void *)(uintptr_t)page;
    piece->then = page->is_end ? STREAM_END : page->has_more ? STREAM_GO_ON : STREAM_WAIT;
    piece->ticket = ticket;
    reader->last = page->last;
    if (!page->has_more) {
        reader->is_current = 1;
        reader->is_slow = 0;
    }
}

static enum status fill_next(struct reader *reader, struct request *request, struct stream_piece *piece, struct error *error)
{
    const char *job = request_parameter(request, 0);
    uint64_t ticket = request_ticket(request, job);
    const struct event_page *page;

    if (reader->is_resync) {
        return fill_resync(reader, job, piece, error);
    }
    enum status status =
        event_pages_read(reader->app->event_pages, reader->app->store, job, reader->last, ticket, &page, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (page->has_more && reader->is_current && reader->is_slow) {
        status = check_lag(reader, job, error);
    }
    if (status == STATUS_OK && !reader->is_resync) {
        fill_events(reader, page, ticket, piece);
        return STATUS_OK;
    }
    event_page_release((void *)(uintptr_t)page);
    return status == STATUS_OK ? fill_resync(reader, job, piece, error) : status;
}

static void fill(struct request *request, struct stream_piece *piece)
{
    struct reader *reader = request_state(request);
    struct error error = {0};
    enum status status = STATUS_OK;

    reader->is_slow |= stream_taken_ms(request) > LAG_MS;
    if (!request_is_allowed(request)) {
        fill_text(piece, EVENT_STREAM_REVOKED, STREAM_END);
    } else if (!reader->has_begun) {
        reader->has_begun = 1;
        fill_text(piece, EVENT_STREAM_START, STREAM_GO_ON);
    } else {
        status = fill_next(reader, request, piece, &error);
    }
    /* The stream ends, and the client learns why when it comes back; that a job was deleted meanwhile is no failure. */
    if (status != STATUS_OK && status != STATUS_DELETED) {
        log_error(request_parameter(request, 0), "an event stream was cut off: %s", error.message);
    }
}

/* Where the client wants to go on: what a browser sends by itself when it reconnects, else what the address says. */
static enum status last_event(const struct request *request, uint64_t *last, struct error *error)
{
    const char *header = request_header(request, "Last-Event-ID");

    *last = (uint64_t)query_integer(request_query(request), PARAMETER_EVENT_AFTER);
    return header != NULL ? event_stream_parse_id(header, last, error) : STATUS_OK;
}

static enum status open_stream(struct app *app, struct request *request, struct response *response, struct error *error)
{
    struct stream_source source = {.key = request_parameter(request, 0), .beat = EVENT_STREAM_BEAT, .fill = fill};
    struct head head = {0};
    uint64_t last = 0;
    enum status status = last_event(request, &last, error);

    if (status == STATUS_OK) {
        status = read_head(app, source.key, &head, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (head.is_done && last == head.id) {
        response_empty(response, 204); /* tells clients not to come back */
        return STATUS_OK;
    }
    struct reader *reader = malloc(sizeof *reader);
    if (reader == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a stream");
    }
    *reader = (struct reader){.app = app, .last = last, .is_resync = last > head.id};
    request_set_state(request, reader, free);
    response_stream(response, MEDIA_EVENT_STREAM, &source);
    return STATUS_OK;
}

void list_job_events(struct app *app, struct request *request)
{
    struct response response;
    struct error error = {0};
    enum media media;
    enum status status = route_negotiate(request_route(request), NULL, request_header(request, "Accept"), &media, &error);

    if (status == STATUS_OK && media == MEDIA_JSON) {
        answer_page(app, request);
        return;
    }
    if (status == STATUS_OK) {
        status = open_stream(app, request, &response, &error);
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    request_respond(request, &response);
}
