#include "server/handlers/handlers.h"

#include "tests/server/handlers/fake_request.h"
#include "tests/server/store/temporary_store.h"

static void health_is_told_in_every_phase(void **state)
{
    static const enum app_phase phases[] = {APP_STARTING, APP_READY, APP_DRAINING};

    (void)state;
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        struct request request = {.route = ROUTE_HEALTH, .target = "/healthz"};
        struct app app = {.phase = phases[i]};

        get_health(&app, &request);
        fake_request_expect(&request, 200, "{\"status\":\"ok\"}");
        fake_request_release(&request);
    }
}

/* The code is looked for by its name, as clients know it. */
static void only_a_ready_server_is_ready(void **state)
{
    const struct {
        enum app_phase phase;
        unsigned status;
        const char *text;
    } rows[] = {{APP_STARTING, 503, status_code(STATUS_NOT_READY)},
                {APP_DRAINING, 503, status_code(STATUS_NOT_READY)},
                {APP_READY, 200, "\"ok\""}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request request = {.route = ROUTE_READY, .target = "/readyz"};
        struct app app = {.phase = rows[i].phase, .store = fixture->store};

        get_ready(&app, &request);
        fake_request_expect(&request, rows[i].status, rows[i].text);
        fake_request_release(&request);
    }
}

static void a_document_is_not_sent_again_to_who_has_it(void **state)
{
    struct request first = {.route = ROUTE_ALGORITHMS, .target = "/v1/algorithms"};
    struct request again = first;
    struct app app = {.phase = APP_READY};

    (void)state;
    list_algorithms(&app, &first);
    fake_request_expect(&first, 200, "\"sgd\"");
    again.if_none_match = fake_request_answer_header(&first, "ETag");
    assert_non_null(again.if_none_match);
    list_algorithms(&app, &again);
    assert_int_equal(again.answer.status, 304);
    assert_int_equal(again.answer.size, 0);
    assert_string_equal(fake_request_answer_header(&again, "ETag"), again.if_none_match);
    fake_request_release(&first);
    fake_request_release(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_is_told_in_every_phase),
        cmocka_unit_test_setup_teardown(only_a_ready_server_is_ready, open_fixture, close_fixture),
        cmocka_unit_test(a_document_is_not_sent_again_to_who_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
