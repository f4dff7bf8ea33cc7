/*
 * Idempotency keys: a request that was carried out under a key, and the answer that it got. Stored in the transaction of
 * what the request did, kept for a day.
 */
#ifndef DESCENT_SERVER_STORE_IDEMPOTENCY_H
#define DESCENT_SERVER_STORE_IDEMPOTENCY_H

#include "server/store/store.h"

#define IDEMPOTENCY_HOURS 24

/* Under which key a job is made. Borrowed until the operation is done. */
struct idempotency_key {
    const char *token; /* id of the client's token, "": none is asked for */
    const char *key;
    char fingerprint[SHA256_TEXT]; /* of method, target and body */
};

struct idempotency_record {
    char fingerprint[SHA256_TEXT];
    char job[ID_TEXT]; /* that was made */
    char *answer;      /* the body of the first answer, owned */
};
/* *found: 0 where the key was never used, or more than IDEMPOTENCY_HOURS ago. Free record->answer. */
MUST_CHECK enum status idempotency_find(struct store *store, const char *token, const char *key,
                                        struct idempotency_record *record, int *found, struct error *error);

#endif
