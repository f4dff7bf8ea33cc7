/*
 * The writer: one thread with the one connection that writes. Private to server/store/.
 *
 * Whatever waits in the queue goes into one transaction (group commit), each operation behind a savepoint of its own, so
 * that one that fails takes nothing of the others with it. A commit's cost, two or three writes and an fsync, is thus
 * shared by all who wait for it, and nobody waits for company.
 */
#ifndef DESCENT_SERVER_STORE_WRITER_H
#define DESCENT_SERVER_STORE_WRITER_H

#include "server/store/store.h"

struct data_dir;
struct writer;

/* Opens (and makes, or migrates) the database and starts the thread. */
MUST_CHECK enum status writer_new(struct writer **writer, const struct data_dir *dir, struct error *error);
/* Completes the queue and ends the thread. The connection stays open. */
void writer_stop(struct writer *writer);
/* The last checkpoint. After all readers are closed. NULL: nothing. */
void writer_free(struct writer *writer);

void writer_submit(struct writer *writer, struct store_op *op);
void writer_on_commit(struct writer *writer, store_changed *changed, void *context);
int writer_is_read_only(const struct writer *writer);
uint64_t writer_generation(const struct writer *writer);

#endif
