#include "api/negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t curves[] = {MEDIA_JSON, MEDIA_CSV, MEDIA_NDJSON, MEDIA_SVG, MEDIA_ASCII, MEDIA_NONE};

static void assert_accept(const char *accept, enum media want)
{
    enum media media = MEDIA_NONE;

    assert_int_equal(negotiate_accept(accept, curves, sizeof curves, &media, NULL), STATUS_OK);
    assert_string_equal(media_type(media), media_type(want));
}

static void without_an_accept_header_the_first_offer_is_given(void **state)
{
    (void)state;
    assert_accept(NULL, MEDIA_JSON);
    assert_accept("", MEDIA_JSON);
    assert_accept(" , ", MEDIA_JSON);
    assert_accept("*/*", MEDIA_JSON);
}

static void the_named_type_is_given(void **state)
{
    (void)state;
    assert_accept("text/csv", MEDIA_CSV);
    assert_accept("TEXT/CSV", MEDIA_CSV);
    assert_accept("image/png, image/svg+xml", MEDIA_SVG);
    assert_accept("text/csv;header=present", MEDIA_CSV);
    assert_accept("text/csv ; charset=\"utf-8, or so; q=0\"", MEDIA_CSV);
}

static void quality_decides_and_the_order_of_offers_breaks_ties(void **state)
{
    (void)state;
    assert_accept("application/json;q=0.5, text/csv;q=0.8", MEDIA_CSV);
    assert_accept("text/csv, application/json", MEDIA_JSON);
    assert_accept("text/*", MEDIA_CSV);
    assert_accept("text/*;q=0.5, */*;q=0.1", MEDIA_CSV);
    assert_accept("application/json;q=0, */*", MEDIA_CSV);
    assert_accept("*/*;q=0.1, text/plain;q=0.101", MEDIA_ASCII);
}

static void the_most_exact_range_counts(void **state)
{
    (void)state;
    assert_accept("text/csv;q=0.2, text/*;q=0.9", MEDIA_ASCII);
    assert_accept("*/*;q=0.9, application/json;q=0.1", MEDIA_CSV);
}

static void what_cannot_be_given_is_not_acceptable_and_the_offers_are_named(void **state)
{
    static const char *const wrong[] = {"image/png",    "application/json;q=0, text/*;q=0, image/*;q=0, application/*;q=0",
                                        "text",         "/",
                                        "text/csv;q=2", "text/csv;q=0.1234",
                                        "text/csv;q=",  "text/csv;q=a"};
    enum media media;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {.status = STATUS_OK};

        assert_int_equal(negotiate_accept(wrong[i], curves, sizeof curves, &media, &error), STATUS_NOT_ACCEPTABLE);
        assert_non_null(strstr(error.message, "image/svg+xml"));
    }
}

static void a_body_is_known_by_its_content_type(void **state)
{
    static const uint8_t accepted[] = {MEDIA_CSV, MEDIA_IDX, MEDIA_JSON, MEDIA_NONE};
    static const struct {
        const char *text;
        enum media media;
    } good[] = {{"text/csv", MEDIA_CSV},
                {"Application/JSON", MEDIA_JSON},
                {"application/json; charset=utf-8", MEDIA_JSON},
                {"application/json;charset=\"UTF-8\"", MEDIA_JSON},
                {" application/x-idx ", MEDIA_IDX},
                {"text/csv; header=present; charset=us-ascii", MEDIA_CSV}};
    enum media media;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(negotiate_content_type(good[i].text, accepted, sizeof accepted, &media, NULL), STATUS_OK);
        assert_int_equal(media, good[i].media);
    }
}

static void other_content_types_and_character_sets_are_refused(void **state)
{
    static const uint8_t accepted[] = {MEDIA_JSON, MEDIA_NONE};
    static const char *const wrong[] = {"",
                                        "text/plain",
                                        "application/x-www-form-urlencoded",
                                        "application/jsonx",
                                        "json",
                                        "multipart/form-data; boundary=application/json"};
    struct error error = {.status = STATUS_OK};
    enum media media;

    (void)state;
    assert_int_equal(negotiate_content_type(NULL, accepted, 2, &media, &error), STATUS_CONTENT_TYPE_UNSUPPORTED);
    assert_non_null(strstr(error.message, "application/json"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(negotiate_content_type(wrong[i], accepted, 2, &media, NULL), STATUS_CONTENT_TYPE_UNSUPPORTED);
    }
    assert_int_equal(negotiate_content_type("application/json; charset=latin1", accepted, 2, &media, NULL),
                     STATUS_CHARSET_UNSUPPORTED);
    assert_int_equal(negotiate_content_type("application/json; charset", accepted, 2, &media, NULL),
                     STATUS_CHARSET_UNSUPPORTED);
}

static void words_name_only_what_is_offered(void **state)
{
    (void)state;
    assert_int_equal(media_by_word("svg", curves, sizeof curves), MEDIA_SVG);
    assert_int_equal(media_by_word("idx", curves, sizeof curves), MEDIA_NONE);
    assert_int_equal(media_by_word("", curves, sizeof curves), MEDIA_NONE);
    for (int m = MEDIA_NONE + 1; m < MEDIA_COUNT; m++) {
        const uint8_t offer = (uint8_t)m;

        assert_int_equal(media_by_word(media_word((enum media)m), &offer, 1), m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_accept_header_the_first_offer_is_given),
        cmocka_unit_test(the_named_type_is_given),
        cmocka_unit_test(quality_decides_and_the_order_of_offers_breaks_ties),
        cmocka_unit_test(the_most_exact_range_counts),
        cmocka_unit_test(what_cannot_be_given_is_not_acceptable_and_the_offers_are_named),
        cmocka_unit_test(a_body_is_known_by_its_content_type),
        cmocka_unit_test(other_content_types_and_character_sets_are_refused),
        cmocka_unit_test(words_name_only_what_is_offered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
