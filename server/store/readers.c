/* Connections for reading. */
#include "server/store/readers.h"

#include "server/store/data_dir.h"

enum status readers_init(struct readers *readers, const struct data_dir *dir, struct error *error)
{
    *readers = (struct readers){.dir = dir};
    if (pthread_mutex_init(&readers->lock, NULL) != 0) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a lock");
    }
    if (pthread_cond_init(&readers->freed, NULL) != 0) {
        pthread_mutex_destroy(&readers->lock);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a lock");
    }
    return STATUS_OK;
}

void readers_close(struct readers *readers)
{
    for (int i = 0; i < READERS_MAX; i++) {
        connection_close(&readers->connections[i]);
    }
    pthread_cond_destroy(&readers->freed);
    pthread_mutex_destroy(&readers->lock);
}

/* The first free connection, so that as few as possible are ever opened. */
static int take(struct readers *readers)
{
    pthread_mutex_lock(&readers->lock);
    for (;;) {
        for (int i = 0; i < READERS_MAX; i++) {
            if (!readers->busy[i]) {
                readers->busy[i] = 1;
                pthread_mutex_unlock(&readers->lock);
                return i;
            }
        }
        pthread_cond_wait(&readers->freed, &readers->lock);
    }
}

static void give_back(struct readers *readers, int number)
{
    pthread_mutex_lock(&readers->lock);
    readers->busy[number] = 0;
    pthread_cond_signal(&readers->freed);
    pthread_mutex_unlock(&readers->lock);
}

enum status reader_begin(struct readers *readers, struct connection **connection, struct error *error)
{
    *connection = NULL;
    int number = take(readers);
    struct connection *taken = &readers->connections[number];
    enum status status = STATUS_OK;
    if (taken->handle == NULL) {
        status = connection_open(taken, readers->dir, CONNECTION_READER, error);
    }
    if (status == STATUS_OK) {
        struct statement begin;
        statement_begin(&begin, taken, "BEGIN");
        status = statement_finish(&begin, error);
    }
    if (status != STATUS_OK) {
        give_back(readers, number);
        return status;
    }
    *connection = taken;
    return STATUS_OK;
}

void reader_end(struct readers *readers, struct connection *connection)
{
    if (connection == NULL) {
        return;
    }
    struct statement end;
    statement_begin(&end, connection, "ROLLBACK"); /* nothing was written, so this only ends the snapshot */
    if (statement_finish(&end, NULL) != STATUS_OK) {
        connection_close(connection); /* a new one is opened at the next turn */
    }
    give_back(readers, (int)(connection - readers->connections));
}
