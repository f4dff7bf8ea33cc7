#include "server/http/executor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define STACK_BYTES (1024 * 1024) /* address space; only what is touched counts */

struct executor {
    pthread_mutex_t lock; /* guards what follows; a leaf */
    pthread_cond_t work;
    struct task *first, **last;
    int ending;
    unsigned thread_count;
    pthread_t threads[];
};

static struct task *take(struct executor *executor)
{
    pthread_mutex_lock(&executor->lock);
    while (executor->first == NULL && !executor->ending)
        pthread_cond_wait(&executor->work, &executor->lock);
    struct task *task = executor->first;
    if (task != NULL) {
        executor->first = task->next;
        if (executor->first == NULL)
            executor->last = &executor->first;
    }
    pthread_mutex_unlock(&executor->lock);
    return task;
}

static void *serve(void *argument)
{
    struct executor *executor = argument;
    for (struct task *task = take(executor); task != NULL; task = take(executor))
        task->run(task);
    return NULL;
}

enum status executor_new(unsigned threads, struct executor **executor, struct error *error)
{
    struct executor *made = calloc(1, sizeof(*made) + threads * sizeof(made->threads[0]));
    if (made == NULL)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the request threads");
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->work, NULL);
    made->last = &made->first;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (; made->thread_count < threads; made->thread_count++) {
        if (pthread_create(&made->threads[made->thread_count], &attributes, serve, made) != 0)
            break;
        char name[16];
        snprintf(name, sizeof(name), "request-%u", made->thread_count % 100);
        pthread_setname_np(made->threads[made->thread_count], name);
    }
    pthread_attr_destroy(&attributes);
    if (made->thread_count < threads) {
        executor_free(made);
        return error_set(error, STATUS_SYSTEM_ERROR, "the system gives no more threads");
    }
    *executor = made;
    return STATUS_OK;
}

void executor_submit(struct executor *executor, struct task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&executor->lock);
    *executor->last = task;
    executor->last = &task->next;
    pthread_cond_signal(&executor->work);
    pthread_mutex_unlock(&executor->lock);
}

void executor_free(struct executor *executor)
{
    if (executor == NULL)
        return;
    pthread_mutex_lock(&executor->lock);
    executor->ending = 1;
    pthread_cond_broadcast(&executor->work);
    pthread_mutex_unlock(&executor->lock);
    for (unsigned i = 0; i < executor->thread_count; i++)
        pthread_join(executor->threads[i], NULL);
    pthread_cond_destroy(&executor->work);
    pthread_mutex_destroy(&executor->lock);
    free(executor);
}
