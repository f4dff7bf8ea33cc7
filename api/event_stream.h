/* A job's events as text/event-stream (HTML standard, 9.2): what stands in a stream, and how clients say where to go on. */
#ifndef DESCENT_API_EVENT_STREAM_H
#define DESCENT_API_EVENT_STREAM_H

#include "api/text.h"
#include "api/views.h"

/* How a stream begins: clients whose connection is lost wait so long, ms, before they come back. */
#define EVENT_STREAM_START "retry: 2000\n\n"
/* A comment, which clients skip. */
#define EVENT_STREAM_BEAT ": hb\n\n"
/* The end of a stream whose client's token is no longer good. Not an event of the job, hence no id. */
#define EVENT_STREAM_REVOKED "event: done\ndata: {\"reason\":\"auth\"}\n\n"

/* One event: its number, its type, its data as in the JSON page. */
void event_stream_write(const struct event_view *event, struct text *text);

/* The job object in the place of all events up to `last_event`, for a client that cannot be sent them. */
void event_stream_write_resync(const struct job_view *job, uint64_t last_event, struct text *text);

/* Last-Event-ID: digits only, below 2^64. STATUS_BAD_LAST_EVENT_ID. */
MUST_CHECK enum status event_stream_parse_id(const char *text, uint64_t *id, struct error *error);

#endif
