#include "server/handlers/reply.h"

#include "api/json_writer.h"
#include "tests/server/handlers/fake_request.h"

static void a_tag_stands_in_quotes(void **state)
{
    char tag[REPLY_TAG_TEXT];

    (void)state;
    reply_tag(tag, "%d.%s", 7, "csv");
    assert_string_equal(tag, "\"7.csv\"");
}

static void a_tag_matches_itself_in_lists_weak_or_not(void **state)
{
    static const char *const matching[] = {
        "\"7\"", "W/\"7\"", "*", "\"1\", \"7\"", "\"1\",\"7\"", "\"a,b\" , W/\"7\"", ",, \"7\"",
    };
    static const char *const others[] = {"",        "7",       "\"77\"", "\"\"",          "\"7",    "W/7",
                                         "w/\"7\"", "\"1\" 7", "**",     "\"1\", *\"7\"", "\"7 \"", "\"W/7\""};

    (void)state;
    for (size_t i = 0; i < sizeof matching / sizeof *matching; i++) {
        assert_true(reply_tag_matches(matching[i], "\"7\""));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(reply_tag_matches(others[i], "\"7\""));
    }
    assert_false(reply_tag_matches(NULL, "\"7\""));
}

static void only_a_strong_tag_lets_a_version_be_changed(void **state)
{
    static const char *const matching[] = {"\"7\"", "*", " *", "\"1\", \"7\"", "W/\"7\", \"7\""};
    static const char *const others[] = {"", "7", "\"77\"", "W/\"7\"", "\"1\", W/\"7\"", "w/\"7\""};

    (void)state;
    for (size_t i = 0; i < sizeof matching / sizeof *matching; i++) {
        assert_true(reply_may_change(matching[i], "\"7\""));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(reply_may_change(others[i], "\"7\""));
    }
    assert_true(reply_may_change(NULL, "\"7\""));
}

static void what_is_new_has_a_place(void **state)
{
    struct request request = {.route = ROUTE_CREATE_DATASET, .target = "/v1/datasets"};
    struct json_writer writer = {.depth = 0};

    (void)state;
    json_string(&writer, "here");
    reply_created(&request, 201, "/v1/datasets", "ds_1", &writer);
    fake_request_expect(&request, 201, "\"here\"");
    assert_string_equal(fake_request_answer_header(&request, "Location"), "/v1/datasets/ds_1");
    fake_request_release(&request);
}

static void a_text_that_found_no_memory_is_an_error_instead(void **state)
{
    struct request request = {.route = ROUTE_INFO, .target = "/v1"};
    struct json_writer writer = {.text = {.failed = 1}};

    (void)state;
    reply_json(&request, 200, &writer);
    fake_request_expect(&request, 503, status_code(STATUS_OUT_OF_MEMORY));
    fake_request_release(&request);
}

static void an_error_is_told_with_its_words(void **state)
{
    struct request request = {.route = ROUTE_EVALUATE, .target = "/v1/models/mdl_1/evaluate"};

    (void)state;
    reply_error(&request, STATUS_OVERLOADED, "%d are at work", 2);
    fake_request_expect(&request, 503, "2 are at work");
    assert_non_null(fake_request_answer_header(&request, "Retry-After"));
    fake_request_release(&request);
}

static void a_page_is_asked_for_as_the_query_says(void **state)
{
    struct request request = {.route = ROUTE_LIST_MODELS, .target = "/v1/models?limit=7&order=asc&after=mdl_1"};
    struct request plain = {.route = ROUTE_LIST_MODELS, .target = "/v1/models"};

    (void)state;
    fake_request_decode(&request);
    struct page_query page = reply_page_query(&request);
    assert_int_equal(page.limit, 7);
    assert_false(page.descending);
    assert_string_equal(page.after, "mdl_1");
    fake_request_decode(&plain);
    page = reply_page_query(&plain);
    assert_int_equal(page.limit, 20);
    assert_true(page.descending);
    assert_null(page.after);
}

static void only_a_page_with_more_behind_it_links_to_the_next(void **state)
{
    struct request more = {.route = ROUTE_LIST_MODELS, .target = "/v1/models?limit=7&after=mdl_1"}, last = more;
    struct json_writer writer = {.depth = 0};

    (void)state;
    json_null(&writer);
    reply_page(&more, &writer, "mdl_8", 1);
    assert_string_equal(fake_request_answer_header(&more, "Link"), "</v1/models?limit=7&after=mdl_8>; rel=\"next\"");
    fake_request_release(&more);
    writer = (struct json_writer){.depth = 0};
    json_null(&writer);
    reply_page(&last, &writer, "mdl_8", 0);
    assert_null(fake_request_answer_header(&last, "Link"));
    fake_request_release(&last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_stands_in_quotes),
        cmocka_unit_test(a_tag_matches_itself_in_lists_weak_or_not),
        cmocka_unit_test(only_a_strong_tag_lets_a_version_be_changed),
        cmocka_unit_test(what_is_new_has_a_place),
        cmocka_unit_test(a_text_that_found_no_memory_is_an_error_instead),
        cmocka_unit_test(an_error_is_told_with_its_words),
        cmocka_unit_test(a_page_is_asked_for_as_the_query_says),
        cmocka_unit_test(only_a_page_with_more_behind_it_links_to_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
