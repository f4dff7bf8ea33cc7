/* A task finds a thread that waits, or gets a new one. Threads that have ended are joined when the next one is begun. */
#include "server/jobs/crew.h"

#include <stdlib.h>

#define IDLE_MAX 16 /* threads that are kept for tasks to come */

struct member {
    struct member *next; /* of those that are idle, or that have ended */
    struct crew *crew;
    pthread_t thread;
    pthread_cond_t wake;
    void *context; /* of its task; NULL: it has none */
};

struct crew {
    struct crew_setup setup;
    pthread_cond_t gone;
    struct member *idle, *ended;
    unsigned idle_count, count; /* count: threads that have not ended */
    int closing;
};

enum status crew_new(struct crew **out, const struct crew_setup *setup, struct error *error)
{
    struct crew *crew = calloc(1, sizeof *crew);

    *out = crew;
    if (crew == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a crew of threads");
    }
    crew->setup = *setup;
    pthread_cond_init(&crew->gone, NULL);
    return STATUS_OK;
}

/* It is among the idle ones before its task is told to be done: so it is there for the next one. 0: there are enough. */
static int become_idle(struct member *self)
{
    struct crew *crew = self->crew;

    if (crew->closing || crew->idle_count == IDLE_MAX) {
        return 0;
    }
    self->context = NULL;
    self->next = crew->idle;
    crew->idle = self;
    crew->idle_count++;
    return 1;
}

static void *member_main(void *argument)
{
    struct member *self = argument;
    struct crew *crew = self->crew;
    int stays;

    pthread_setname_np(pthread_self(), crew->setup.name);
    pthread_mutex_lock(crew->setup.lock);
    do {
        void *context = self->context;

        pthread_mutex_unlock(crew->setup.lock);
        crew->setup.run(context);
        pthread_mutex_lock(crew->setup.lock);
        stays = become_idle(self);
        crew->setup.done(context);
        while (stays && self->context == NULL && !crew->closing) {
            pthread_cond_wait(&self->wake, crew->setup.lock);
        }
    } while (stays && self->context != NULL);
    self->next = crew->ended;
    crew->ended = self;
    crew->count--;
    pthread_cond_signal(&crew->gone);
    pthread_mutex_unlock(crew->setup.lock);
    return NULL;
}

/* With or without the lock: they have let go of it for the last time, or wait for nothing else. */
static void join(struct member *ended)
{
    while (ended != NULL) {
        struct member *next = ended->next;

        pthread_join(ended->thread, NULL);
        pthread_cond_destroy(&ended->wake);
        free(ended);
        ended = next;
    }
}

static int begin_new(struct crew *crew, void *context)
{
    struct member *member = calloc(1, sizeof *member);

    if (member == NULL) {
        return 0;
    }
    member->crew = crew;
    member->context = context;
    pthread_cond_init(&member->wake, NULL);
    if (pthread_create(&member->thread, NULL, member_main, member) != 0) {
        pthread_cond_destroy(&member->wake);
        free(member);
        return 0;
    }
    crew->count++;
    return 1;
}

int crew_begin(struct crew *crew, void *context)
{
    struct member *idle = crew->idle;

    join(crew->ended);
    crew->ended = NULL;
    if (idle == NULL) {
        return begin_new(crew, context);
    }
    crew->idle = idle->next;
    crew->idle_count--;
    idle->context = context;
    pthread_cond_signal(&idle->wake);
    return 1;
}

void crew_free(struct crew *crew)
{
    if (crew == NULL) {
        return;
    }
    pthread_mutex_lock(crew->setup.lock);
    crew->closing = 1;
    for (struct member *member = crew->idle; member != NULL; member = member->next) {
        pthread_cond_signal(&member->wake);
    }
    while (crew->count > 0) {
        pthread_cond_wait(&crew->gone, crew->setup.lock);
    }
    pthread_mutex_unlock(crew->setup.lock);
    join(crew->ended);
    pthread_cond_destroy(&crew->gone);
    free(crew);
}
