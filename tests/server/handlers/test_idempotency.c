/* Keys of requests without a transport, against a store of their own. */
#include "server/handlers/idempotency.h"

#include "tests/server/handlers/fake_request.h"
#include "tests/server/store/temporary_store.h"

static struct request asked(const char *token, const char *key, const char *body)
{
    return (struct request){
        .route = ROUTE_CREATE_JOB, .target = "/v1/jobs", .token = token, .idempotency_key = key, .body = body};
}

/* A job made under the claim's key. */
static void make_job(struct store *store, const struct idempotency_claim *claim, char id[ID_TEXT])
{
    struct error error;
    char spec[] = "{}", metadata[] = "{}";
    struct job_view job = {.progress = no_progress(), .spec = spec, .metadata = metadata};
    struct jobs_insert insert = {.job = &job, .key = idempotency_key(claim)};
    assert_ok(store_wait(store, jobs_insert(&insert), &error));
    memcpy(id, job.id, ID_TEXT);
}

/* Begins the request, which must be answered with this status, and text in its body. */
static void refuse(struct idempotency_claims *claims, struct store *store, struct request request, unsigned status,
                   const char *text)
{
    struct idempotency_claim claim = {.claims = NULL};
    assert_int_equal(idempotency_begin(&claim, claims, store, &request), 0);
    fake_request_expect(&request, status, text);
    assert_null(idempotency_key(&claim));
    fake_request_release(&request);
}

static void a_request_without_a_key_goes_its_way(void **state)
{
    struct fixture *fixture = *state;
    struct idempotency_claims claims;
    struct idempotency_claim claim = {.claims = NULL};
    struct request request = asked(NULL, NULL, "{}");
    idempotency_claims_init(&claims);
    assert_int_equal(idempotency_begin(&claim, &claims, fixture->store, &request), 1);
    assert_null(idempotency_key(&claim));
    idempotency_end(&claim);
    assert_int_equal(request.answers, 0);
    idempotency_claims_destroy(&claims);
}

static void a_key_in_hand_lets_no_second_one_in(void **state)
{
    struct fixture *fixture = *state;
    struct idempotency_claims claims;
    struct idempotency_claim claim[3] = {{.claims = NULL}};
    struct request first = asked("a", "k", "{}"), other_key = asked("a", "l", "{}"), other_token = asked("b", "k", "{}");
    idempotency_claims_init(&claims);
    assert_int_equal(idempotency_begin(&claim[0], &claims, fixture->store, &first), 1);
    refuse(&claims, fixture->store, asked("a", "k", "{}"), 409, "idempotency_in_progress");
    refuse(&claims, fixture->store, asked("a", "k", "{\"other\":1}"), 409, "idempotency_in_progress");
    assert_int_equal(idempotency_begin(&claim[1], &claims, fixture->store, &other_key), 1);
    assert_int_equal(idempotency_begin(&claim[2], &claims, fixture->store, &other_token), 1);
    for (int i = 0; i < 3; i++) { /* the last, the middle and the first of the list */
        idempotency_end(&claim[(i + 1) % 3]);
        idempotency_end(&claim[(i + 1) % 3]); /* again: nothing */
    }
    assert_null(claims.first);
    assert_int_equal(idempotency_begin(&claim[0], &claims, fixture->store, &first), 1);
    idempotency_end(&claim[0]);
    idempotency_claims_destroy(&claims);
}

static void who_comes_in_progress_is_told_when_to_ask_again(void **state)
{
    struct fixture *fixture = *state;
    struct idempotency_claims claims;
    struct idempotency_claim claim = {.claims = NULL}, second = {.claims = NULL};
    struct request first = asked(NULL, "k", "{}"), request = first;
    idempotency_claims_init(&claims);
    assert_int_equal(idempotency_begin(&claim, &claims, fixture->store, &first), 1);
    assert_int_equal(idempotency_begin(&second, &claims, fixture->store, &request), 0);
    assert_string_equal(fake_request_answer_header(&request, "Retry-After"), "1");
    fake_request_release(&request);
    idempotency_end(&claim);
    idempotency_claims_destroy(&claims);
}

static void what_was_carried_out_is_answered_again(void **state)
{
    struct fixture *fixture = *state;
    struct idempotency_claims claims;
    struct idempotency_claim claim = {.claims = NULL};
    struct request first = asked("a", "k", "{}"), again = first;
    char id[ID_TEXT], location[64];
    idempotency_claims_init(&claims);
    assert_int_equal(idempotency_begin(&claim, &claims, fixture->store, &first), 1);
    make_job(fixture->store, &claim, id);
    idempotency_end(&claim);
    assert_int_equal(idempotency_begin(&claim, &claims, fixture->store, &again), 0);
    fake_request_expect(&again, 201, id);
    snprintf(location, sizeof(location), "/v1/jobs/%s", id);
    assert_string_equal(fake_request_answer_header(&again, "Location"), location);
    assert_string_equal(fake_request_answer_header(&again, "ETag"), "\"1\"");
    assert_string_equal(fake_request_answer_header(&again, "Idempotent-Replayed"), "true");
    assert_null(claims.first);
    fake_request_release(&again);
    refuse(&claims, fixture->store, asked("a", "k", "{ }"), 422, "idempotency_key_reused");
    struct request elsewhere = asked("a", "k", "{}");
    elsewhere.target = "/v1/jobs?x=1";
    refuse(&claims, fixture->store, elsewhere, 422, "idempotency_key_reused");
    idempotency_claims_destroy(&claims);
}

static void a_key_that_is_none_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct idempotency_claims claims;
    char key[IDEMPOTENCY_KEY_MAX + 2];
    static const char *const wrong[] = {"", "\t", "a\x7f", "caf\xc3\xa9", "a\r\nb"};
    idempotency_claims_init(&claims);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        refuse(&claims, fixture->store, asked(NULL, wrong[i], "{}"), 400, "idempotency_key_invalid");
    }
    memset(key, 'k', sizeof key);
    key[IDEMPOTENCY_KEY_MAX + 1] = '\0';
    refuse(&claims, fixture->store, asked(NULL, key, "{}"), 400, "idempotency_key_invalid");
    key[IDEMPOTENCY_KEY_MAX] = '\0';
    struct idempotency_claim claim = {.claims = NULL};
    struct request request = asked(NULL, key, "{}");
    assert_int_equal(idempotency_begin(&claim, &claims, fixture->store, &request), 1);
    idempotency_end(&claim);
    idempotency_claims_destroy(&claims);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_request_without_a_key_goes_its_way),
        TEST(a_key_in_hand_lets_no_second_one_in),
        TEST(who_comes_in_progress_is_told_when_to_ask_again),
        TEST(what_was_carried_out_is_answered_again),
        TEST(a_key_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
