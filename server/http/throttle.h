/*
 * Counts wrong tokens by address, so that guessing is slow and loud.
 *
 * A table of fixed size: a crowd of addresses can push each other out, but never cost memory.
 */
#ifndef DESCENT_SERVER_HTTP_THROTTLE_H
#define DESCENT_SERVER_HTTP_THROTTLE_H

#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>

#define THROTTLE_PLACES    256
#define THROTTLE_LIMIT     20    /* wrong tokens an address */
#define THROTTLE_WINDOW_MS 60000 /* in a minute */

struct throttle {
    pthread_mutex_t lock; /* guards places; a leaf */
    struct throttle_place {
        unsigned char key[16]; /* the IPv6 network (/64) or the mapped IPv4 address */
        int64_t start;         /* ms; 0: free */
        unsigned count;
    } places[THROTTLE_PLACES];
};

void throttle_init(struct throttle *throttle);

/* Counts one wrong token of `address` at `now` (monotonic ms); 1 when there were too many within a minute. */
int throttle_hit(struct throttle *throttle, const struct sockaddr *address, int64_t now);

#endif
