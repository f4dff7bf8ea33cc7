/*
 * Idempotency-Key: a client that did not hear the answer may ask again, and one job is made. What was carried out under a
 * key is kept by the store, in the transaction of what it did (store/idempotency.h); here is what happens before: who comes
 * second while the first is under way, or later, is answered from here.
 */
#ifndef DESCENT_SERVER_HANDLERS_IDEMPOTENCY_H
#define DESCENT_SERVER_HANDLERS_IDEMPOTENCY_H

#include <pthread.h>

#include "server/http/request.h"
#include "server/store/idempotency.h"

#define IDEMPOTENCY_KEY_MAX 255 /* characters */

struct idempotency_claim;

/* The keys of requests in hand. The lock guards the list alone and is a leaf. */
struct idempotency_claims {
    pthread_mutex_t lock;
    struct idempotency_claim *first;
};

/* One request's hold of its key. Zero-initialise; must stay in place until idempotency_end. */
struct idempotency_claim {
    struct idempotency_claims *claims; /* NULL: the request has no key */
    struct idempotency_claim *next;
    struct idempotency_key key; /* borrows from the request */
};

void idempotency_claims_init(struct idempotency_claims *claims);
void idempotency_claims_destroy(struct idempotency_claims *claims);

/*
 * The start of a request that may have a key: 1: carry it out, with idempotency_key(claim), and end the claim before it is
 * answered, so that its client may ask again at once. 0: it has been answered: with the first answer again, with
 * STATUS_IDEMPOTENCY_KEY_INVALID, _KEY_REUSED or _IN_PROGRESS, or with the store's error. Blocks for the disk.
 */
int idempotency_begin(struct idempotency_claim *claim, struct idempotency_claims *claims, struct store *store,
                      struct request *request);
/* What jobs_insert is given; NULL: none. */
const struct idempotency_key *idempotency_key(const struct idempotency_claim *claim);
/* Any thread; again, or without a key: nothing. */
void idempotency_end(struct idempotency_claim *claim);

#endif
