/* Many jobs at once: all of a race's, or none. */
#ifndef DESCENT_SERVER_STORE_RACES_H
#define DESCENT_SERVER_STORE_RACES_H

#include "server/store/jobs.h"

/*
 * Stores jobs as jobs_insert does each of them, in one operation. Several may share a datasets_insert: it is stored once.
 *   id       of the race, for the answer
 *   inserts  [count], their op and key are not looked at; at most RACE_MAX_ENTRIES
 *   key      NULL, or what the answer is kept under: the first answer's body is that of encode_race
 * Errors as of jobs_insert. Nobody waits for jobs that nobody knows: the commit hook is not told of them.
 */
struct races_insert {
    struct store_op op;
    const char *id;
    struct jobs_insert *const *inserts;
    size_t count;
    const struct idempotency_key *key;
};
struct store_op *races_insert(struct races_insert *insert);

#endif
