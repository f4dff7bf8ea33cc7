/*
 * A few slots, each overwritten by the next page that falls into it. Two threads that miss the same page both read it:
 * waiting for each other would cost more than the second read.
 */
#include "event_pages.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "api/event_stream.h"
#include "api/text.h"
#include "server/store/events.h"

#define SLOTS       16
#define EVENTS_MAX  100
#define BYTES_ABOUT ((size_t)64 * 1024) /* the event that passes this is a page's last */

struct shared_page {
    struct event_page page; /* first: this is what others hold */
    atomic_uint holders;
    char job[ID_TEXT];
    uint64_t after, ticket;
};

struct event_pages {
    pthread_mutex_t lock; /* guards the slots; a leaf */
    struct shared_page *slots[SLOTS];
};

enum status event_pages_new(struct event_pages **pages, struct error *error)
{
    *pages = calloc(1, sizeof **pages);
    if (*pages == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for pages of events");
    }
    pthread_mutex_init(&(*pages)->lock, NULL);
    return STATUS_OK;
}

void event_pages_free(struct event_pages *pages)
{
    if (pages == NULL) {
        return;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        event_page_release(pages->slots[i]);
    }
    pthread_mutex_destroy(&pages->lock);
    free(pages);
}

void event_page_release(void *page)
{
    struct shared_page *shared = page;

    if (shared != NULL && atomic_fetch_sub(&shared->holders, 1) == 1) {
        free(shared->page.text);
        free(shared);
    }
}

/* Ids are random: their last characters, and how far the client is, spread well enough. */
static struct shared_page **slot_of(struct event_pages *pages, const char *job, uint64_t after)
{
    size_t size = strlen(job);
    uint64_t mixed = after;

    for (size_t i = size > 4 ? size - 4 : 0; i < size; i++) {
        mixed = mixed * 31 + (unsigned char)job[i];
    }
    return &pages->slots[mixed % SLOTS];
}

/* A page that is there and new enough, held once more; NULL: none. */
static struct shared_page *find(struct event_pages *pages, const char *job, uint64_t after, uint64_t ticket)
{
    struct shared_page *found = NULL;

    pthread_mutex_lock(&pages->lock);
    struct shared_page *page = *slot_of(pages, job, after);
    if (page != NULL && page->after == after && page->ticket == ticket && strcmp(page->job, job) == 0) {
        atomic_fetch_add(&page->holders, 1);
        found = page;
    }
    pthread_mutex_unlock(&pages->lock);
    return found;
}

/* The slot holds it, too, from here on. */
static void keep(struct event_pages *pages, struct shared_page *page)
{
    atomic_fetch_add(&page->holders, 1);
    pthread_mutex_lock(&pages->lock);
    struct shared_page **slot = slot_of(pages, page->job, page->after), *before = *slot;
    *slot = page;
    pthread_mutex_unlock(&pages->lock);
    event_page_release(before);
}

static enum status write_events(const struct event_list *list, struct event_page *page, struct error *error)
{
    struct text text = {0};
    size_t written = 0;

    while (written < list->count && text.size < BYTES_ABOUT) {
        event_stream_write(&list->items[written++], &text);
    }
    if (written > 0) {
        page->last = list->items[written - 1].id;
        page->is_end = list->items[written - 1].type == EVENT_DONE;
    }
    page->has_more = list->has_more || written < list->count;
    return written > 0 ? text_take(&text, &page->text, &page->size, error) : STATUS_OK;
}

/* From the store, held once; NULL: *error says why. */
static struct shared_page *read_page(struct store *store, const char *job, uint64_t after, uint64_t ticket,
                                     struct error *error)
{
    struct event_list list;
    struct shared_page *page = calloc(1, sizeof *page);

    if (page == NULL) {
        error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a page of events");
        return NULL;
    }
    *page = (struct shared_page){.page = {.last = after}, .holders = 1, .after = after, .ticket = ticket};
    memcpy(page->job, job, strnlen(job, sizeof page->job - 1));
    enum status status = events_list(store, job, after, EVENTS_MAX, 0, &list, error);
    if (status == STATUS_OK) {
        status = write_events(&list, &page->page, error);
        event_list_release(&list);
    }
    if (status != STATUS_OK) {
        event_page_release(page);
        return NULL;
    }
    return page;
}

enum status event_pages_read(struct event_pages *pages, struct store *store, const char *job, uint64_t after,
                             uint64_t ticket, const struct event_page **page, struct error *error)
{
    struct shared_page *shared = find(pages, job, after, ticket);

    *page = NULL;
    if (shared == NULL) {
        shared = read_page(store, job, after, ticket, error);
        if (shared == NULL) {
            return error->status;
        }
        keep(pages, shared);
    }
    *page = &shared->page;
    return STATUS_OK;
}
