/*
 * Connections for reading: a small pool, handed out per call, opened when they are first needed. Private to
 * server/store/. What was committed before reader_begin is seen; what is committed afterwards is not.
 */
#ifndef DESCENT_SERVER_STORE_READERS_H
#define DESCENT_SERVER_STORE_READERS_H

#include <pthread.h>

#include "server/store/database.h"

#define READERS_MAX 4

struct readers {
    const struct data_dir *dir;
    pthread_mutex_t lock; /* guards busy; a leaf */
    pthread_cond_t freed;
    int busy[READERS_MAX];
    struct connection connections[READERS_MAX]; /* [i] belongs to whoever made busy[i] 1 */
};

MUST_CHECK enum status readers_init(struct readers *readers, const struct data_dir *dir, struct error *error);
/* All must have been given back. */
void readers_close(struct readers *readers);

/* Takes a connection, waiting while all are out, and begins a transaction on it. */
MUST_CHECK enum status reader_begin(struct readers *readers, struct connection **connection, struct error *error);
/* Ends the transaction and gives the connection back. NULL: nothing. */
void reader_end(struct readers *readers, struct connection *connection);

#endif
