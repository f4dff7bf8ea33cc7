/*
 * A small hash table of lists. Keys that share a bucket share its ticket: a wake too many only runs a handler once more.
 */
#include "server/http/waiters.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 64

struct waiters {
    struct executor *executor;
    pthread_mutex_t lock; /* guards what follows; a leaf */
    struct bucket {
        struct waiter *first;
        uint64_t wakes;
    } buckets[BUCKETS];
    int draining;
};

/* FNV-1a: keys are our own ids, nobody can aim at a bucket. */
static struct bucket *bucket_of(struct waiters *waiters, const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return &waiters->buckets[hash % BUCKETS];
}

static void unlink_waiter(struct waiter *waiter)
{
    *waiter->link = waiter->next;
    if (waiter->next != NULL)
        waiter->next->link = waiter->link;
    waiter->link = NULL;
}

/* Under the lock: moves the waiters that `key` (NULL: any) and `now` (deadlines) select from a bucket to *taken. */
static void take(struct bucket *bucket, const char *key, int64_t now, struct waiter **taken)
{
    for (struct waiter *waiter = bucket->first, *next; waiter != NULL; waiter = next) {
        next = waiter->next;
        if (key != NULL ? strcmp(waiter->key, key) != 0 : waiter->deadline > now)
            continue;
        unlink_waiter(waiter);
        waiter->next = *taken;
        *taken = waiter;
    }
}

/* Outside the lock: a submitted waiter may be gone at once. */
static void submit(struct waiters *waiters, struct waiter *taken)
{
    while (taken != NULL) {
        struct waiter *next = taken->next;
        executor_submit(waiters->executor, taken->task);
        taken = next;
    }
}

enum status waiters_new(struct executor *executor, struct waiters **waiters, struct error *error)
{
    struct waiters *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for waiting requests");
    made->executor = executor;
    pthread_mutex_init(&made->lock, NULL);
    *waiters = made;
    return STATUS_OK;
}

uint64_t waiters_ticket(struct waiters *waiters, const char *key)
{
    pthread_mutex_lock(&waiters->lock);
    uint64_t wakes = bucket_of(waiters, key)->wakes;
    pthread_mutex_unlock(&waiters->lock);
    return wakes;
}

void waiters_park(struct waiters *waiters, struct waiter *waiter, const char *key, uint64_t ticket)
{
    struct bucket *bucket = bucket_of(waiters, key);
    int size = snprintf(waiter->key, sizeof(waiter->key), "%s", key);
    assert(size >= 0 && size < WAITER_KEY_TEXT);
    pthread_mutex_lock(&waiters->lock);
    int parked = bucket->wakes == ticket && !waiters->draining;
    if (parked) {
        waiter->next = bucket->first;
        waiter->link = &bucket->first;
        if (waiter->next != NULL)
            waiter->next->link = &waiter->next;
        bucket->first = waiter;
    }
    pthread_mutex_unlock(&waiters->lock);
    if (!parked)
        executor_submit(waiters->executor, waiter->task);
}

void waiters_wake(struct waiters *waiters, const char *key)
{
    struct waiter *taken = NULL;
    struct bucket *bucket = bucket_of(waiters, key);
    pthread_mutex_lock(&waiters->lock);
    bucket->wakes++;
    take(bucket, key, 0, &taken);
    pthread_mutex_unlock(&waiters->lock);
    submit(waiters, taken);
}

static void take_all(struct waiters *waiters, int64_t now, int drain)
{
    struct waiter *taken = NULL;
    pthread_mutex_lock(&waiters->lock);
    waiters->draining |= drain;
    for (size_t i = 0; i < BUCKETS; i++)
        take(&waiters->buckets[i], NULL, now, &taken);
    pthread_mutex_unlock(&waiters->lock);
    submit(waiters, taken);
}

void waiters_expire(struct waiters *waiters, int64_t now)
{
    take_all(waiters, now, 0);
}

void waiters_drain(struct waiters *waiters)
{
    take_all(waiters, INT64_MAX, 1);
}

int waiters_draining(struct waiters *waiters)
{
    pthread_mutex_lock(&waiters->lock);
    int draining = waiters->draining;
    pthread_mutex_unlock(&waiters->lock);
    return draining;
}

void waiters_free(struct waiters *waiters)
{
    if (waiters == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        assert(waiters->buckets[i].first == NULL);
    pthread_mutex_destroy(&waiters->lock);
    free(waiters);
}
