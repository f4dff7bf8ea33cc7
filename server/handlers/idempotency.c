#include "server/handlers/idempotency.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/routes.h"
#include "core/base/sha256.h"
#include "server/handlers/reply.h"

/* ---- keys in hand ---- */

void idempotency_claims_init(struct idempotency_claims *claims)
{
    pthread_mutex_init(&claims->lock, NULL);
    claims->first = NULL;
}

void idempotency_claims_destroy(struct idempotency_claims *claims)
{
    pthread_mutex_destroy(&claims->lock);
}

static int same_key(const struct idempotency_key *a, const struct idempotency_key *b)
{
    return strcmp(a->token, b->token) == 0 && strcmp(a->key, b->key) == 0;
}

/* 0: another request holds the key. */
static int hold(struct idempotency_claims *claims, struct idempotency_claim *claim)
{
    const struct idempotency_claim *other;

    pthread_mutex_lock(&claims->lock);
    for (other = claims->first; other != NULL && !same_key(&other->key, &claim->key); other = other->next) {
    }
    if (other == NULL) {
        claim->claims = claims;
        claim->next = claims->first;
        claims->first = claim;
    }
    pthread_mutex_unlock(&claims->lock);
    return other == NULL;
}

void idempotency_end(struct idempotency_claim *claim)
{
    struct idempotency_claims *claims = claim->claims;

    if (claims == NULL) {
        return;
    }
    pthread_mutex_lock(&claims->lock);
    struct idempotency_claim **link = &claims->first;
    while (*link != claim) {
        link = &(*link)->next;
    }
    *link = claim->next;
    pthread_mutex_unlock(&claims->lock);
    claim->claims = NULL;
}

const struct idempotency_key *idempotency_key(const struct idempotency_claim *claim)
{
    return claim->claims != NULL ? &claim->key : NULL;
}

/* ---- the request ---- */

static int is_valid(const char *key)
{
    size_t size = strlen(key);

    for (const char *at = key; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~') {
            return 0;
        }
    }
    return size > 0 && size <= IDEMPOTENCY_KEY_MAX;
}

/* SHA-256 over method, target and body. The first two hold no blank, so nothing can move between the three. */
static void take_fingerprint(const struct request *request, char text[SHA256_TEXT])
{
    const char *method = method_name(request_route(request)->method), *target = request_target(request);
    unsigned char digest[SHA256_BYTES];
    struct sha256 hash;
    size_t size;
    const char *body = request_body(request, &size);

    sha256_init(&hash);
    sha256_update(&hash, method, strlen(method));
    sha256_update(&hash, " ", 1);
    sha256_update(&hash, target, strlen(target));
    sha256_update(&hash, " ", 1);
    sha256_update(&hash, body, size);
    sha256_final(&hash, digest);
    sha256_hex(digest, text);
}

/* ---- the first answer again ---- */

/* The version that the first answer had as its tag stands in its body; 0: it was no job's. */
static uint64_t version_of(const char *answer)
{
    struct json_document *document = NULL;
    const struct json_value *version = NULL;
    uint64_t number = 0;

    if (json_parse(&document, answer, strlen(answer), NULL, 0, NULL) == STATUS_OK) {
        version = json_type(json_root(document)) == JSON_OBJECT ? json_get(json_root(document), "version") : NULL;
    }
    if (version != NULL && json_type(version) == JSON_NUMBER) {
        number = (uint64_t)json_to_number(version);
    }
    json_free(document);
    return number;
}

static void answer_again(struct request *request, struct idempotency_record *record)
{
    struct response response;
    uint64_t version = version_of(record->answer);

    response_text(&response, 201, MEDIA_JSON, record->answer, strlen(record->answer));
    record->answer = NULL;
    if (version > 0) {
        response_header(&response, "Location", "/v1/jobs/%s", record->job);
        response_header(&response, "ETag", "\"%" PRIu64 "\"", version);
    }
    response_header(&response, "Idempotent-Replayed", "true");
    request_respond(request, &response);
}

/* 1: the key is new. */
static int look_up(struct idempotency_claim *claim, struct store *store, struct request *request)
{
    struct idempotency_record record = {.answer = NULL};
    struct error error = {0};
    int found = 0;
    enum status status = idempotency_find(store, claim->key.token, claim->key.key, &record, &found, &error);

    if (status == STATUS_OK && !found) {
        return 1;
    }
    idempotency_end(claim);
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
    } else if (strcmp(record.fingerprint, claim->key.fingerprint) == 0) {
        answer_again(request, &record);
    } else {
        reply_error(request, STATUS_IDEMPOTENCY_KEY_REUSED, "the key made %s, by another request; a new one needs a new key",
                    record.job);
    }
    free(record.answer);
    return 0;
}

int idempotency_begin(struct idempotency_claim *claim, struct idempotency_claims *claims, struct store *store,
                      struct request *request)
{
    const char *key = request_header(request, "Idempotency-Key");

    if (key == NULL) {
        return 1;
    }
    if (!is_valid(key)) {
        reply_error(request, STATUS_IDEMPOTENCY_KEY_INVALID, "a key has 1 to %d printable ASCII characters",
                    IDEMPOTENCY_KEY_MAX);
        return 0;
    }
    claim->key = (struct idempotency_key){.token = request_token(request), .key = key};
    take_fingerprint(request, claim->key.fingerprint);
    if (!hold(claims, claim)) { /* held before it is looked up: no second one can come in between */
        reply_error(request, STATUS_IDEMPOTENCY_IN_PROGRESS, "a request with this key has not been answered yet");
        return 0;
    }
    return look_up(claim, store, request);
}
