/*
 * One list, most recently used first, under one lock that is never held while a model is loaded, laid out or freed.
 *
 * An entry is in the list from the moment somebody begins to load it, so that others can wait for it and a deletion finds
 * it. `users` counts all who stand on it, waiting ones too; an entry that has left the list goes with its last user.
 */
#include "server/models/model_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/views.h"

struct idle_predictor {
    pthread_t maker;
    struct predictor *predictor;
};

struct cached_model {
    struct cached_model *next;
    char id[MODEL_CACHE_NAME];
    enum { LOADING, READY, FAILED } state;
    int listed;
    unsigned users;
    struct error failure;
    struct model model;
    struct idle_predictor idle[MODEL_CACHE_PREDICTORS];
    unsigned idle_count;
};

struct model_cache {
    model_loader *load;
    void *context;
    pthread_mutex_t lock; /* guards all below and the entries but for their models; a leaf */
    pthread_cond_t loaded;
    struct cached_model *first;
};

enum status model_cache_new(struct model_cache **result, model_loader *load, void *context, struct error *error)
{
    struct model_cache *cache = calloc(1, sizeof(*cache));

    if (cache != NULL) {
        if (pthread_mutex_init(&cache->lock, NULL) == 0) {
            if (pthread_cond_init(&cache->loaded, NULL) == 0) {
                cache->load = load;
                cache->context = context;
                *result = cache;
                return STATUS_OK;
            }
            pthread_mutex_destroy(&cache->lock);
        }
        free(cache);
    }
    return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the cache of models");
}

static void free_entry(struct cached_model *entry)
{
    for (unsigned i = 0; i < entry->idle_count; i++) {
        predictor_free(entry->idle[i].predictor);
    }
    if (entry->state == READY) {
        model_release(&entry->model);
    }
    free(entry);
}

/* Frees a chain of entries that nobody can reach any more; without the lock. */
static void free_entries(struct cached_model *entry)
{
    while (entry != NULL) {
        struct cached_model *next = entry->next;
        free_entry(entry);
        entry = next;
    }
}

void model_cache_free(struct model_cache *cache)
{
    if (cache != NULL) {
        free_entries(cache->first);
        pthread_cond_destroy(&cache->loaded);
        pthread_mutex_destroy(&cache->lock);
        free(cache);
    }
}

/* ---- the list; the lock is held ---- */

static void list_remove(struct model_cache *cache, struct cached_model *entry)
{
    struct cached_model **link = &cache->first;

    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    entry->next = NULL;
    entry->listed = 0;
}

static void list_push(struct model_cache *cache, struct cached_model *entry)
{
    entry->next = cache->first;
    entry->listed = 1;
    cache->first = entry;
}

static struct cached_model *list_find(const struct model_cache *cache, const char *id)
{
    struct cached_model *entry = cache->first;

    while (entry != NULL && strcmp(entry->id, id) != 0) {
        entry = entry->next;
    }
    return entry;
}

static uint64_t entry_bytes(const struct cached_model *entry)
{
    return entry->state == READY ? (1 + entry->idle_count) * entry->model.parameter_count * sizeof(float) : 0;
}

/* Takes what is too much out of the list and gives it as a chain to be freed. What is used stays, however much it is. */
static struct cached_model *take_surplus(struct model_cache *cache)
{
    struct cached_model *surplus = NULL;
    unsigned count = 0;
    uint64_t bytes = 0;

    for (struct cached_model **link = &cache->first; *link != NULL;) {
        struct cached_model *entry = *link;
        count++;
        bytes += entry_bytes(entry);
        if (entry->users == 0 && (count > MODEL_CACHE_MODELS || bytes > MODEL_CACHE_BYTES)) {
            count--;
            bytes -= entry_bytes(entry);
            *link = entry->next;
            entry->next = surplus;
            surplus = entry;
        } else {
            link = &entry->next;
        }
    }
    return surplus;
}

/* ---- holding ---- */

static struct cached_model *entry_new(const char *id)
{
    struct cached_model *entry = calloc(1, sizeof(*entry));

    if (entry != NULL) {
        snprintf(entry->id, sizeof(entry->id), "%s", id);
        entry->state = LOADING;
    }
    return entry;
}

/* What failed is tried anew by whoever asks next: a failed entry leaves the list at once. */
static void load_entry(struct model_cache *cache, struct cached_model *entry)
{
    enum status status = cache->load(cache->context, entry->id, &entry->model, &entry->failure);

    pthread_mutex_lock(&cache->lock);
    entry->state = status == STATUS_OK ? READY : FAILED;
    if (status != STATUS_OK && entry->listed) {
        list_remove(cache, entry);
    }
    pthread_cond_broadcast(&cache->loaded);
    pthread_mutex_unlock(&cache->lock);
}

enum status model_cache_get(struct model_cache *cache, const char *id, struct cached_model **held, struct error *error)
{
    *held = NULL;
    if (strlen(id) >= MODEL_CACHE_NAME) {
        return error_set(error, STATUS_NOT_FOUND, "there is no model %.64s", id);
    }
    pthread_mutex_lock(&cache->lock);
    struct cached_model *entry = list_find(cache, id);
    int is_new = entry == NULL;
    if (is_new) {
        entry = entry_new(id);
    } else {
        list_remove(cache, entry);
    }
    if (entry != NULL) {
        list_push(cache, entry);
        entry->users++;
    }
    while (entry != NULL && !is_new && entry->state == LOADING) {
        pthread_cond_wait(&cache->loaded, &cache->lock);
    }
    pthread_mutex_unlock(&cache->lock);
    if (entry == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a model");
    }
    if (is_new) {
        load_entry(cache, entry);
    }
    if (entry->state == FAILED) {
        enum status status = error_set(error, entry->failure.status, "%s", entry->failure.message);
        model_cache_put(cache, entry);
        return status;
    }
    *held = entry;
    return STATUS_OK;
}

const struct model *cached_model_get(const struct cached_model *held)
{
    return &held->model;
}

void model_cache_put(struct model_cache *cache, struct cached_model *held)
{
    struct cached_model *gone = NULL;

    pthread_mutex_lock(&cache->lock);
    assert(held->users > 0);
    held->users--;
    if (held->listed) {
        gone = take_surplus(cache);
    } else if (held->users == 0) {
        gone = held;
    }
    pthread_mutex_unlock(&cache->lock);
    free_entries(gone);
}

void model_cache_forget(struct model_cache *cache, const char *id)
{
    struct cached_model *gone = NULL;

    pthread_mutex_lock(&cache->lock);
    struct cached_model *entry = list_find(cache, id);
    if (entry != NULL) {
        list_remove(cache, entry);
        if (entry->users == 0) {
            gone = entry;
        }
    }
    pthread_mutex_unlock(&cache->lock);
    free_entries(gone);
}

/* ---- predictors ---- */

enum status model_cache_take_predictor(struct model_cache *cache, struct cached_model *held, struct predictor **predictor,
                                       struct error *error)
{
    *predictor = NULL;
    pthread_mutex_lock(&cache->lock);
    for (unsigned i = 0; i < held->idle_count && *predictor == NULL; i++) {
        if (pthread_equal(held->idle[i].maker, pthread_self())) {
            *predictor = held->idle[i].predictor;
            held->idle[i] = held->idle[--held->idle_count];
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return *predictor != NULL ? STATUS_OK : predictor_new(predictor, &held->model, 1, error);
}

void model_cache_give_predictor(struct model_cache *cache, struct cached_model *held, struct predictor *predictor)
{
    pthread_mutex_lock(&cache->lock);
    if (held->idle_count < MODEL_CACHE_PREDICTORS) {
        held->idle[held->idle_count++] = (struct idle_predictor){.maker = pthread_self(), .predictor = predictor};
        predictor = NULL;
    }
    pthread_mutex_unlock(&cache->lock);
    predictor_free(predictor);
}
