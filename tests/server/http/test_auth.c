/* Tokens, scopes and origins over the wire, and a walk over the whole route table. */
#include "server/http/first_check.h"

#include <sys/stat.h>

#include "tests/server/http/fake_server.h"

#define JSON_BODY "Content-Type: application/json\r\nContent-Length: 2\r\n"

static struct fake fake;
static char path[64];
static char reader[TOKEN_TEXT], writer[TOKEN_TEXT], expired[TOKEN_TEXT];

static void add(const char *name, unsigned scopes, int64_t expires, char text[TOKEN_TEXT])
{
    struct error error = {.status = STATUS_OK};
    if (tokens_add(path, name, scopes, expires, text, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static int set_up(void **state)
{
    (void)state;
    static char option[] = "--token-file";
    char *options[] = {option, path, NULL};
    snprintf(path, sizeof(path), "/tmp/descentd-test-tokens-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    add("reader", SCOPE_READ, 0, reader);
    add("writer", SCOPE_READ | SCOPE_WRITE, 0, writer);
    add("expired", SCOPE_READ, 1000000000, expired);
    fake_start(&fake, options);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_stop(&fake);
    unlink(path);
    return 0;
}

static const char *ask_as(const char *line, const char *authorization, const char *headers, const char *body)
{
    char text[9200];
    snprintf(text, sizeof(text), "%s%s%s%s", authorization != NULL ? "Authorization: " : "",
             authorization != NULL ? authorization : "", authorization != NULL ? "\r\n" : "", headers);
    return fake_ask(&fake, line, text, body);
}

static const char *bearer(const char *token)
{
    static char text[TOKEN_TEXT + 8];
    snprintf(text, sizeof(text), "Bearer %s", token);
    return text;
}

static void a_request_without_a_token_is_401_and_told_how(void **state)
{
    (void)state;
    const char *answer = ask_as("GET /v1", NULL, "", "");
    assert_int_equal(fake_status(answer), 401);
    assert_has(answer, "\"auth_required\"");
    assert_has(answer, "WWW-Authenticate: Bearer\r\n");
    assert_has(answer, "Connection: close");
}

static void a_token_opens_what_its_scope_allows(void **state)
{
    (void)state;
    assert_int_equal(fake_status(ask_as("GET /v1", bearer(reader), "", "")), 200);
    const char *answer = ask_as("POST /v1/jobs", bearer(reader), JSON_BODY, "{}");
    assert_int_equal(fake_status(answer), 403);
    assert_has(answer, "\"scope_insufficient\"");
    answer = ask_as("POST /v1/jobs", bearer(writer), JSON_BODY, "{}");
    assert_int_equal(fake_status(answer), 201);
    assert_has(answer, "\"token\":\"writer\"");
    assert_int_equal(fake_status(ask_as("GET /v1", bearer(writer), "", "")), 200);
}

static void every_route_but_health_needs_a_token(void **state)
{
    (void)state;
    for (int id = 0; id < ROUTE_COUNT; id++) {
        const struct route *route = route_get((enum route_id)id);
        char line[128], *to = line;
        to += snprintf(line, sizeof(line), "%s ", method_name(route->method));
        for (const char *at = route->path; *at != '\0'; at++) {
            if (*at == '{') {
                *to++ = 'x';
                at = strchr(at, '}');
            } else {
                *to++ = *at;
            }
        }
        *to = '\0';
        int status = fake_status(ask_as(line, NULL, "", ""));
        int open = id == ROUTE_HEALTH || id == ROUTE_READY;
        if (open ? status == 401 : status != 401)
            fail_msg("%s without a token: %d", line, status);
    }
}

static void a_stranger_learns_nothing_about_routes(void **state)
{
    (void)state;
    static const char *const lines[] = {"GET /v1/nothing", "BREW /v1/jobs",       "PUT /v1/jobs",  "OPTIONS /v1/jobs",
                                        "OPTIONS *",       "CONNECT 127.0.0.1:1", "POST /healthz", "GET /v1/jobs?limit=x"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(fake_status(ask_as(lines[i], NULL, "", "")), 401);
    assert_int_equal(fake_status(ask_as("GET /v1/nothing", bearer(reader), "", "")), 404);
}

static void a_token_in_the_address_is_told_so_before_a_header_is_asked_for(void **state)
{
    (void)state;
    static const char *const lines[] = {"GET /v1?token=x", "GET /v1/nothing?a=b&access_token=x", "GET /v1/jobs?token"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *answer = ask_as(lines[i], NULL, "", "");
        assert_int_equal(fake_status(answer), 400);
        assert_has(answer, "\"token_in_query\"");
    }
    assert_int_equal(fake_status(ask_as("GET /v1?tokens=x&y=token", NULL, "", "")), 401);
}

static void only_the_bearer_scheme_counts_in_any_case(void **state)
{
    (void)state;
    char text[TOKEN_TEXT + 16];
    static const struct {
        const char *form;
        int status;
        const char *code;
    } rows[] = {
        {"bearer %s", 200, ""},
        {"BEARER   %s", 200, ""},
        {"Basic %s", 401, "auth_required"},
        {"%s", 401, "auth_required"},
        {"Bearer%s", 401, "auth_required"},
        {"Bearer x%s", 401, "invalid_token"},
        {"Bearer %sx", 401, "invalid_token"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *at = strstr(rows[i].form, "%s");
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - rows[i].form), rows[i].form, reader, at + 2);
        const char *answer = ask_as("GET /v1", text, "", "");
        assert_int_equal(fake_status(answer), rows[i].status);
        assert_has(answer, rows[i].code);
    }
}

static void strange_tokens_are_invalid(void **state)
{
    (void)state;
    static char longest[8200];
    memset(longest, 'x', sizeof(longest) - 1);
    memcpy(longest, "Bearer ", 7);
    static const char *const rows[] = {"Bearer", "Bearer ", "Bearer dct_", "Bearer \377\376", "Bearer ' or 1=1", longest};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *answer = ask_as("GET /v1", rows[i], "", "");
        assert_int_equal(fake_status(answer), 401);
        assert_has(answer, "\"invalid_token\"");
    }
}

static void an_expired_token_says_so(void **state)
{
    (void)state;
    const char *answer = ask_as("GET /v1", bearer(expired), "", "");
    assert_int_equal(fake_status(answer), 401);
    assert_has(answer, "\"token_expired\"");
}

static void two_authorizations_are_refused(void **state)
{
    (void)state;
    char more[128];
    snprintf(more, sizeof(more), "Authorization: Bearer %s\r\n", reader);
    const char *answer = ask_as("GET /v1", bearer(reader), more, "");
    assert_int_equal(fake_status(answer), 400);
    assert_has(answer, "\"ambiguous_auth\"");
}

static void a_token_in_the_query_is_refused(void **state)
{
    (void)state;
    const char *answer = ask_as("GET /v1?token=x", bearer(reader), "", "");
    assert_int_equal(fake_status(answer), 400);
    assert_has(answer, "\"token_in_query\"");
}

static void a_refused_token_costs_no_body(void **state)
{
    (void)state;
    static const char head[] = "POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
                               "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n";
    int closed;
    const char *answer = fake_raw(&fake, head, sizeof(head) - 1, &closed);
    assert_int_equal(fake_status(answer), 401);
    assert_true(closed);
    assert_int_equal(atomic_load(&fake.begun), 0);
}

static void guessing_is_slowed_down_but_the_right_token_still_opens(void **state)
{
    (void)state;
    int status = 0;
    for (int i = 0; i < THROTTLE_LIMIT + 1; i++)
        status = fake_status(ask_as("GET /v1", "Bearer guess", "", ""));
    assert_int_equal(status, 429);
    const char *answer = ask_as("GET /v1", "Bearer guess", "", "");
    assert_has(answer, "\"auth_rate_limited\"");
    assert_has(answer, "Retry-After: ");
    assert_int_equal(fake_status(ask_as("GET /v1", bearer(reader), "", "")), 200);
}

static void pages_of_other_origins_may_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *line, *headers;
        int status;
    } rows[] = {
        {"POST /v1/jobs", "Origin: https://evil.test\r\n", 403},
        {"POST /v1/jobs", "Origin: null\r\n", 403},
        {"POST /v1/jobs", "Origin: \r\n", 403},
        {"POST /v1/jobs", "Origin: http://localhost.evil.test\r\n", 403},
        {"POST /v1/jobs", "Origin: http://localhost:1\r\n", 403},
        {"POST /v1/jobs", "Origin: ftp://localhost\r\n", 403},
        {"POST /v1/jobs", "Origin: http://localhost\r\nOrigin: https://evil.test\r\n", 403},
        {"POST /v1/jobs", "Sec-Fetch-Site: cross-site\r\n", 403},
        {"DELETE /v1/jobs/job_x", "Sec-Fetch-Site: cross-site\r\n", 403},
        {"PUT /v1/datasets/ds_x/labels", "Origin: https://evil.test\r\n", 403},
        {"PATCH /v1/jobs/job_x", "Origin: https://evil.test\r\n", 403},
        {"DELETE /v1/jobs/job_x", "Origin: http://localhost\r\n", 204},
        {"DELETE /v1/jobs/job_x", "Sec-Fetch-Site: same-origin\r\n", 204},
        {"GET /v1", "Origin: https://evil.test\r\nSec-Fetch-Site: cross-site\r\n", 200},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *answer = ask_as(rows[i].line, bearer(writer), rows[i].headers, "");
        if (fake_status(answer) != rows[i].status || (rows[i].status == 403 && !strstr(answer, "\"origin_forbidden\"")))
            fail_msg("%s %s: %.300s", rows[i].line, rows[i].headers, answer);
        assert_lacks(answer, "Access-Control");
    }
}

static void a_reload_knows_new_tokens_and_forgets_removed_ones(void **state)
{
    (void)state;
    struct error error = {.status = STATUS_OK};
    char fresh[TOKEN_TEXT];
    unlink(path);
    add("fresh", SCOPE_READ, 0, fresh);
    assert_int_equal(fake_status(ask_as("GET /v1", bearer(reader), "", "")), 200);
    assert_int_equal(tokens_reload(fake.tokens, &error), STATUS_OK);
    assert_int_equal(fake_status(ask_as("GET /v1", bearer(fresh), "", "")), 200);
    assert_int_equal(fake_status(ask_as("GET /v1", bearer(reader), "", "")), 401);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SERVED(a_request_without_a_token_is_401_and_told_how),
        SERVED(a_token_opens_what_its_scope_allows),
        SERVED(every_route_but_health_needs_a_token),
        SERVED(a_stranger_learns_nothing_about_routes),
        SERVED(a_token_in_the_address_is_told_so_before_a_header_is_asked_for),
        SERVED(only_the_bearer_scheme_counts_in_any_case),
        SERVED(strange_tokens_are_invalid),
        SERVED(an_expired_token_says_so),
        SERVED(two_authorizations_are_refused),
        SERVED(a_token_in_the_query_is_refused),
        SERVED(a_refused_token_costs_no_body),
        SERVED(pages_of_other_origins_may_change_nothing),
        SERVED(guessing_is_slowed_down_but_the_right_token_still_opens),
        SERVED(a_reload_knows_new_tokens_and_forgets_removed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
