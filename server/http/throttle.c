#include "server/http/throttle.h"

#include <netinet/in.h>
#include <string.h>

static void key_of(const struct sockaddr *address, unsigned char key[16])
{
    memset(key, 0, 16);
    if (address->sa_family == AF_INET6) {
        /* a customer's network, in which addresses are free to take */
        memcpy(key, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 8);
    } else if (address->sa_family == AF_INET) {
        key[10] = key[11] = 0xff;
        memcpy(key + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    }
}

void throttle_init(struct throttle *throttle)
{
    memset(throttle, 0, sizeof(*throttle));
    pthread_mutex_init(&throttle->lock, NULL);
}

int throttle_hit(struct throttle *throttle, const struct sockaddr *address, int64_t now)
{
    unsigned char key[16];
    key_of(address, key);
    pthread_mutex_lock(&throttle->lock);
    struct throttle_place *place = &throttle->places[0];
    for (size_t i = 0; i < THROTTLE_PLACES; i++) {
        struct throttle_place *candidate = &throttle->places[i];
        if (candidate->start != 0 && memcmp(candidate->key, key, sizeof(key)) == 0) {
            place = candidate;
            break;
        }
        if (candidate->start < place->start)
            place = candidate; /* the oldest, or a free one */
    }
    if (place->start == 0 || memcmp(place->key, key, sizeof(key)) != 0 || now - place->start >= THROTTLE_WINDOW_MS) {
        memcpy(place->key, key, sizeof(key));
        place->start = now;
        place->count = 0;
    }
    int too_many = ++place->count > THROTTLE_LIMIT;
    pthread_mutex_unlock(&throttle->lock);
    return too_many;
}
