/*
 * Pages of a job's events as clients that follow it are sent them, shared between those that are equally far.
 *
 * Hundreds may follow one job, and each of its commits wakes them all; they ask for the same page within the same
 * milliseconds. A page is good for as long as its job has not been woken since: nobody is told less than there is.
 */
#ifndef DESCENT_SERVER_HANDLERS_EVENT_PAGES_H
#define DESCENT_SERVER_HANDLERS_EVENT_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

struct event_pages;
struct store;

/* Of one job, after one event. Never changes once it is there. */
struct event_page {
    char *text;    /* text/event-stream [size] */
    size_t size;   /* 0, and no text: there are no more events */
    uint64_t last; /* number of the last event that was looked at: of the page, or the one it was asked for after */
    int has_more;  /* there are further events */
    int is_end;    /* `done` is the last event of the page */
};

MUST_CHECK enum status event_pages_new(struct event_pages **pages, struct error *error);

/* Pages that are still held stay good. NULL is fine. */
void event_pages_free(struct event_pages *pages);

/*
 * The events of `job` after event `after`: at most 100, and about 64 KiB. `ticket` is the job's of the waiting room, taken
 * before. Release with event_page_release. Any thread. STATUS_NOT_FOUND, STATUS_DELETED, and what reading can fail with.
 */
MUST_CHECK enum status event_pages_read(struct event_pages *pages, struct store *store, const char *job, uint64_t after,
                                        uint64_t ticket, const struct event_page **page, struct error *error);

/* From any thread; takes the page, as a stream's piece is released. */
void event_page_release(void *page);

#endif
