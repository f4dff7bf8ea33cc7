#include "server/jobs/checkpoint_writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/clock.h"
#include "server/failpoint.h"
#include "server/monitor.h"

struct checkpoint_writer {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, and `done` of every task; a leaf */
    pthread_cond_t changed;
    struct checkpoint_task *first, *last;
    int closing;
};

static enum status write_object(struct store *store, struct checkpoint_task *task)
{
    struct object_writer *writer = NULL;
    int64_t begin = clock_monotonic_ns();
    FAILPOINT_OBJECTS_ARE(CHECKPOINT);
    enum status status = object_writer_new(&writer, store, 0, &task->error);

    if (status == STATUS_OK) {
        status = checkpoint_write(task->copy, task->owner, object_writer_sink(writer), &task->error);
    }
    if (status == STATUS_OK) {
        status = object_writer_finish(writer, &task->object, &task->error);
    }
    object_writer_free(writer);
    if (status == STATUS_OK) {
        monitor_observe(MONITOR_CHECKPOINT_SECONDS, clock_monotonic_ns() - begin);
    } else {
        monitor_add(MONITOR_CHECKPOINTS_FAILED, 1);
    }
    return status;
}

static void *writer_main(void *argument)
{
    struct checkpoint_writer *writer = argument;

    pthread_setname_np(pthread_self(), "checkpoints");
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        struct checkpoint_task *task = writer->first;

        if (task == NULL && writer->closing) {
            break;
        }
        if (task == NULL) {
            pthread_cond_wait(&writer->changed, &writer->lock);
            continue;
        }
        writer->first = task->next;
        pthread_mutex_unlock(&writer->lock);
        task->status = write_object(writer->store, task);
        pthread_mutex_lock(&writer->lock);
        task->done = 1;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

enum status checkpoint_writer_new(struct checkpoint_writer **out, struct store *store, struct error *error)
{
    struct checkpoint_writer *writer = calloc(1, sizeof *writer);

    *out = NULL;
    if (writer == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the thread that writes checkpoints");
    }
    writer->store = store;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0) {
        pthread_cond_destroy(&writer->changed);
        pthread_mutex_destroy(&writer->lock);
        free(writer);
        return error_set(error, STATUS_SYSTEM_ERROR, "the thread that writes checkpoints could not be started");
    }
    *out = writer;
    return STATUS_OK;
}

void checkpoint_writer_free(struct checkpoint_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    pthread_mutex_lock(&writer->lock);
    writer->closing = 1;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

void checkpoint_writer_submit(struct checkpoint_writer *writer, struct checkpoint_task *task)
{
    task->object = (struct object){.size = 0};
    task->status = STATUS_OK;
    task->error = (struct error){.status = STATUS_OK};
    task->next = NULL;
    pthread_mutex_lock(&writer->lock);
    task->done = 0;
    if (writer->first == NULL) {
        writer->first = task;
    } else {
        writer->last->next = task;
    }
    writer->last = task;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

int checkpoint_writer_is_done(struct checkpoint_writer *writer, const struct checkpoint_task *task)
{
    int done;

    pthread_mutex_lock(&writer->lock);
    done = task->done;
    pthread_mutex_unlock(&writer->lock);
    return done;
}

void checkpoint_writer_wait(struct checkpoint_writer *writer, const struct checkpoint_task *task)
{
    pthread_mutex_lock(&writer->lock);
    while (!task->done) {
        pthread_cond_wait(&writer->changed, &writer->lock);
    }
    pthread_mutex_unlock(&writer->lock);
}
