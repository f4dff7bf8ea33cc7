/*
 * A few slots, each overwritten by the next job that falls into it. Two threads that miss the same job both read it: waiting
 * for each other would cost more than the second read.
 */
#include "job_answers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "api/encode_job.h"
#include "api/json_writer.h"
#include "server/store/jobs.h"

#define SLOTS 64

struct shared_answer {
    struct job_answer answer; /* first: this is what others hold */
    atomic_uint holders;
    char job[ID_TEXT];
    uint64_t generation; /* of the store */
};

struct job_answers {
    struct store *store;
    pthread_mutex_t lock; /* guards the slots; a leaf */
    struct shared_answer *slots[SLOTS];
};

enum status job_answers_new(struct job_answers **answers, struct store *store, struct error *error)
{
    *answers = calloc(1, sizeof **answers);
    if (*answers == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for answers about jobs");
    }
    (*answers)->store = store;
    pthread_mutex_init(&(*answers)->lock, NULL);
    return STATUS_OK;
}

void job_answers_free(struct job_answers *answers)
{
    if (answers == NULL) {
        return;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        job_answer_release(answers->slots[i]);
    }
    pthread_mutex_destroy(&answers->lock);
    free(answers);
}

void job_answer_release(void *answer)
{
    struct shared_answer *shared = answer;

    if (shared != NULL && atomic_fetch_sub(&shared->holders, 1) == 1) {
        free(shared->answer.text);
        free(shared);
    }
}

/* Ids are random: their last characters spread well enough. */
static struct shared_answer **slot_of(struct job_answers *answers, const char *job)
{
    size_t size = strlen(job), mixed = 0;

    for (size_t i = size > 4 ? size - 4 : 0; i < size; i++) {
        mixed = mixed * 31 + (unsigned char)job[i];
    }
    return &answers->slots[mixed % SLOTS];
}

/* An answer of this generation, held once more; NULL: none. */
static struct shared_answer *find(struct job_answers *answers, const char *job, uint64_t generation)
{
    struct shared_answer *found = NULL;

    pthread_mutex_lock(&answers->lock);
    struct shared_answer *answer = *slot_of(answers, job);
    if (answer != NULL && answer->generation == generation && strcmp(answer->job, job) == 0) {
        atomic_fetch_add(&answer->holders, 1);
        found = answer;
    }
    pthread_mutex_unlock(&answers->lock);
    return found;
}

/* The slot holds it, too, from here on. */
static void keep(struct job_answers *answers, struct shared_answer *answer)
{
    atomic_fetch_add(&answer->holders, 1);
    pthread_mutex_lock(&answers->lock);
    struct shared_answer **slot = slot_of(answers, answer->job), *before = *slot;
    *slot = answer;
    pthread_mutex_unlock(&answers->lock);
    job_answer_release(before);
}

static enum status encode(const struct job_view *job, struct job_answer *answer, struct error *error)
{
    struct json_writer writer = {0};

    answer->version = job->version;
    answer->status = job->status;
    encode_job(job, &writer);
    return json_writer_take(&writer, &answer->text, &answer->size, error);
}

/* From the store, held once; NULL: *error says why. */
static struct shared_answer *read_job(struct store *store, const char *id, struct error *error)
{
    struct job_view job;
    struct shared_answer *shared = calloc(1, sizeof *shared);

    if (shared == NULL) {
        error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an answer about a job");
        return NULL;
    }
    shared->holders = 1;
    enum status status = jobs_get(store, id, 0, &job, error);
    if (status == STATUS_OK) {
        memcpy(shared->job, job.id, sizeof shared->job);
        status = encode(&job, &shared->answer, error);
        job_view_release(&job);
    }
    if (status != STATUS_OK) {
        job_answer_release(shared);
        return NULL;
    }
    return shared;
}

const struct job_answer *job_answers_find(struct job_answers *answers, const char *job)
{
    struct shared_answer *shared = find(answers, job, store_generation(answers->store));

    return shared != NULL ? &shared->answer : NULL;
}

enum status job_answers_get(struct job_answers *answers, const char *job, const struct job_answer **answer,
                            struct error *error)
{
    uint64_t generation = store_generation(answers->store);
    struct shared_answer *shared = find(answers, job, generation);

    *answer = NULL;
    if (shared == NULL) {
        shared = read_job(answers->store, job, error);
        if (shared == NULL) {
            return error->status;
        }
        if (generation % 2 == 0) { /* one that passes meanwhile never comes back */
            shared->generation = generation;
            keep(answers, shared);
        }
    }
    *answer = &shared->answer;
    return STATUS_OK;
}
