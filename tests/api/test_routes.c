#include "api/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum status find(struct route_match *match, const char *method, const char *path)
{
    return route_find(match, method, path, strlen(path), NULL);
}

/* The pattern with "abc" for each {parameter}. */
static void example_path(const char *pattern, char *path)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '{') {
            memcpy(path, "abc", 3);
            path += 3;
            pattern += strcspn(pattern, "}");
        } else {
            *path++ = *pattern;
        }
    }
    *path = '\0';
}

static int computes(const char *tag)
{
    return strcmp(tag, "models") == 0 || strcmp(tag, "landscapes") == 0 || strcmp(tag, "calculators") == 0;
}

static void every_route_has_a_name_a_scope_a_summary_and_an_answer(void **state)
{
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = route_get((enum route_id)i);

        assert_int_equal(route->id, i);
        assert_true(strlen(route->operation) > 3 && strlen(route->summary) > 3 && strlen(route->description) > 3);
        assert_true(strlen(route->tag) > 0);
        assert_true(route->path[0] == '/' && route->path[strlen(route->path) - 1] != '/');
        assert_in_range(route->answers[0].status, 200, 204);
        assert_true((route->answers[0].status == 204) == (route->answers[0].media[0] == MEDIA_NONE));
        /* whoever changes something needs more than reading (what only computes is asked by POST, too); what needs no token
         * changes nothing */
        assert_true(route->method == METHOD_GET || route->scope == SCOPE_WRITE || computes(route->tag));
        assert_true(route->scope != SCOPE_NONE || route->method == METHOD_GET);
        assert_true(route->method != METHOD_GET || route->body.kind == BODY_NONE);
        assert_true((route->body.kind == BODY_NONE) == (route->body.media[0] == MEDIA_NONE));
        assert_true(route->body.kind != BODY_JSON || route->body.limit > 0);
    }
}

static void only_the_health_checks_need_no_token(void **state)
{
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        assert_true((route_get((enum route_id)i)->scope == SCOPE_NONE) == (i == ROUTE_HEALTH || i == ROUTE_READY));
    }
}

static void operations_have_different_names(void **state)
{
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(route_get((enum route_id)i)->operation, route_get((enum route_id)j)->operation);
        }
    }
}

static void every_route_is_found_by_its_own_path_and_no_other_matches(void **state)
{
    char path[256];

    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = route_get((enum route_id)i);
        struct route_match match;

        example_path(route->path, path);
        assert_int_equal(find(&match, method_name(route->method), path), STATUS_OK);
        assert_ptr_equal(match.route, route);
        for (int j = 0; j < i; j++) {
            assert_false(strcmp(route->path, route_get((enum route_id)j)->path) == 0 &&
                         route->method == route_get((enum route_id)j)->method);
        }
    }
}

static void parameters_of_a_path_are_copied_out(void **state)
{
    struct route_match match;
    char path[128] = "/v1/jobs/";

    (void)state;
    assert_int_equal(find(&match, "POST", "/v1/jobs/job_0123456789abcdefghij/cancel"), STATUS_OK);
    assert_int_equal(match.route->id, ROUTE_CANCEL_JOB);
    assert_string_equal(match.parameter[0], "job_0123456789abcdefghij");
    memset(path + 9, 'a', 64);
    assert_int_equal(find(&match, "GET", path), STATUS_OK);
    assert_int_equal(strlen(match.parameter[0]), 64);
    path[9 + 64] = 'a';
    assert_int_equal(find(&match, "GET", path), STATUS_BAD_TARGET);
}

static void a_path_may_be_a_piece_of_a_longer_text(void **state)
{
    struct route_match match;

    (void)state;
    assert_int_equal(route_find(&match, "GET", "/v1/jobs?limit=3", 8, NULL), STATUS_OK);
    assert_int_equal(match.route->id, ROUTE_LIST_JOBS);
}

static void odd_paths_are_bad_targets(void **state)
{
    static const char *const wrong[] = {"",
                                        "v1",
                                        "*",
                                        "//",
                                        "/v1/",
                                        "/v1//jobs",
                                        "/v1/jobs/",
                                        "/v1/./jobs",
                                        "/v1/../v1",
                                        "/v1/jobs%00",
                                        "/v1/%6aobs",
                                        "/v1/jo bs",
                                        "/v1/jobs;x",
                                        "/v1/j\xc3\xb6",
                                        "http://x/v1",
                                        "/v1/jobs/a%2fb",
                                        "/v1\\jobs",
                                        "/v1/jobs/a+b",
                                        "/v1/..",
                                        "/."};
    struct route_match match;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(find(&match, "GET", wrong[i]), STATUS_BAD_TARGET);
        assert_null(match.route);
    }
}

static void unknown_paths_are_not_found(void **state)
{
    static const char *const wrong[] = {"/", "/v2", "/v1/job", "/V1", "/v1/jobs/a/b", "/v1/jobs/a/cancel/b", "/v1/..."};
    struct route_match match;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(find(&match, "GET", wrong[i]), STATUS_ROUTE_NOT_FOUND);
        assert_int_equal(find(&match, "OPTIONS", wrong[i]), STATUS_ROUTE_NOT_FOUND);
    }
}

static void a_wrong_method_names_the_right_ones(void **state)
{
    struct route_match match;

    (void)state;
    assert_int_equal(find(&match, "PUT", "/v1/jobs"), STATUS_METHOD_NOT_ALLOWED);
    assert_string_equal(match.allow, "GET, HEAD, POST, OPTIONS");
    assert_int_equal(find(&match, "GET", "/v1/jobs/x/cancel"), STATUS_METHOD_NOT_ALLOWED);
    assert_string_equal(match.allow, "POST, OPTIONS");
    assert_int_equal(find(&match, "HEAD", "/v1/jobs/x/cancel"), STATUS_METHOD_NOT_ALLOWED);
    assert_int_equal(find(&match, "TRACE", "/v1/jobs"), STATUS_METHOD_NOT_ALLOWED);
    assert_true(match.allow[0] != '\0');
    assert_int_equal(find(&match, "CONNECT", "a:1"), STATUS_METHOD_NOT_ALLOWED);
}

static void unknown_methods_are_not_implemented(void **state)
{
    static const char *const wrong[] = {"", "get", "G@T", "GETT", "BREW", "GET "};
    struct route_match match;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(find(&match, wrong[i], "/v1/jobs"), STATUS_METHOD_UNKNOWN);
    }
}

static void head_is_a_get_and_options_lists_the_methods(void **state)
{
    struct route_match match;

    (void)state;
    assert_int_equal(find(&match, "HEAD", "/v1/jobs"), STATUS_OK);
    assert_int_equal(match.route->id, ROUTE_LIST_JOBS);
    assert_int_equal(match.method, METHOD_HEAD);
    assert_int_equal(find(&match, "OPTIONS", "/v1/datasets/x"), STATUS_OK);
    assert_null(match.route);
    assert_string_equal(match.allow, "GET, HEAD, DELETE, OPTIONS");
}

static void a_target_is_cut_at_the_question_mark(void **state)
{
    const char *query, *target = "/v1/jobs?limit=3&after=a?b";
    size_t path_size, query_size;

    (void)state;
    assert_int_equal(target_split(target, &path_size, &query, &query_size, NULL), STATUS_OK);
    assert_int_equal(path_size, 8);
    assert_string_equal(query, "limit=3&after=a?b");
    assert_int_equal(query_size, strlen(query));
    assert_int_equal(target_split("/v1", &path_size, &query, &query_size, NULL), STATUS_OK);
    assert_int_equal(path_size, 3);
    assert_int_equal(query_size, 0);
}

static void targets_with_bytes_that_must_be_encoded_are_refused(void **state)
{
    static const char *const wrong[] = {"",     "*",     "http://x/", "x",        "/a b",     "/a\tb", "/a\x7f", "/\xc3\xa4",
                                        "/a#b", "/a<b>", "/a\"b",     "/a?b={c}", "/a?b=c|d", "/a\\b", "/a?^",   "/a?`"};
    const char *query;
    size_t path_size, query_size;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(target_split(wrong[i], &path_size, &query, &query_size, NULL), STATUS_BAD_TARGET);
    }
}

static void a_scope_must_be_held(void **state)
{
    const struct route *read = route_get(ROUTE_LIST_JOBS), *write = route_get(ROUTE_CREATE_JOB);
    struct error error = {.status = STATUS_OK};

    (void)state;
    assert_int_equal(route_check_scope(route_get(ROUTE_HEALTH), SCOPE_NONE, NULL), STATUS_OK);
    assert_int_equal(route_check_scope(read, SCOPE_READ, NULL), STATUS_OK);
    assert_int_equal(route_check_scope(write, SCOPE_READ | SCOPE_WRITE, NULL), STATUS_OK);
    assert_int_equal(route_check_scope(read, SCOPE_NONE, NULL), STATUS_SCOPE_INSUFFICIENT);
    assert_int_equal(route_check_scope(write, SCOPE_READ, &error), STATUS_SCOPE_INSUFFICIENT);
    assert_non_null(strstr(error.message, "write"));
}

static void format_beats_accept(void **state)
{
    const struct route *route = route_get(ROUTE_GET_METRICS);
    enum media media;

    (void)state;
    assert_int_equal(route_negotiate(route, NULL, NULL, &media, NULL), STATUS_OK);
    assert_int_equal(media, MEDIA_JSON);
    assert_int_equal(route_negotiate(route, NULL, "image/svg+xml", &media, NULL), STATUS_OK);
    assert_int_equal(media, MEDIA_SVG);
    assert_int_equal(route_negotiate(route, "csv", "image/svg+xml", &media, NULL), STATUS_OK);
    assert_int_equal(media, MEDIA_CSV);
    assert_int_equal(route_negotiate(route, NULL, "image/png", &media, NULL), STATUS_NOT_ACCEPTABLE);
    assert_int_equal(route_negotiate(route_get(ROUTE_DELETE_JOB), NULL, "image/png", &media, NULL), STATUS_OK);
    assert_int_equal(media, MEDIA_NONE);
}

/* Ten thousand paths made of pieces that matter: whatever is found has valid parameters, and nothing is read too far. */
static void made_up_paths_never_confuse_the_router(void **state)
{
    static const char *const pieces[] = {"/",      "v1", "jobs", "datasets", "models",       "{id}",
                                         "cancel", ".",  "..",   "%2f",      "job_1",        "?",
                                         "\xff",   "a",  "rows", "labels",   "openapi.json", "healthz"};
    unsigned random = 1;

    (void)state;
    for (int round = 0; round < 10000; round++) {
        char text[256] = "", *path;
        struct route_match match;
        size_t size = 0;

        for (int p = 0; p < 8; p++) {
            random = random * 1103515245u + 12345u;
            const char *piece = pieces[(random >> 16) % (sizeof pieces / sizeof *pieces)];
            memcpy(text + size, piece, strlen(piece));
            size += strlen(piece);
        }
        path = malloc(size); /* exactly: a sanitizer sees a byte too much */
        assert_non_null(path);
        memcpy(path, text, size);
        if (route_find(&match, "GET", path, size, NULL) == STATUS_OK) {
            assert_non_null(match.route);
            assert_true(strspn(match.parameter[0], "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(match.parameter[0]));
        }
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_has_a_name_a_scope_a_summary_and_an_answer),
        cmocka_unit_test(only_the_health_checks_need_no_token),
        cmocka_unit_test(operations_have_different_names),
        cmocka_unit_test(every_route_is_found_by_its_own_path_and_no_other_matches),
        cmocka_unit_test(parameters_of_a_path_are_copied_out),
        cmocka_unit_test(a_path_may_be_a_piece_of_a_longer_text),
        cmocka_unit_test(odd_paths_are_bad_targets),
        cmocka_unit_test(unknown_paths_are_not_found),
        cmocka_unit_test(a_wrong_method_names_the_right_ones),
        cmocka_unit_test(unknown_methods_are_not_implemented),
        cmocka_unit_test(head_is_a_get_and_options_lists_the_methods),
        cmocka_unit_test(a_target_is_cut_at_the_question_mark),
        cmocka_unit_test(targets_with_bytes_that_must_be_encoded_are_refused),
        cmocka_unit_test(a_scope_must_be_held),
        cmocka_unit_test(format_beats_accept),
        cmocka_unit_test(made_up_paths_never_confuse_the_router),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
