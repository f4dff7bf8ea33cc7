#include "api/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/curve.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/views.h"
#include "core/data/parser.h"
#include "tests/assert_close.h"

/* Large: kept off the stack of each test. */
static struct query query;

static enum status decode(enum route_id route, const char *text)
{
    struct problem problem;

    problem_init(&problem);
    enum status status = query_decode(&query, route_get(route), text, strlen(text), &problem);
    problem_release(&problem);
    return status;
}

/* The problem document of a query that must fail. */
static char *refused(enum route_id route, const char *text)
{
    struct problem problem;
    size_t size;

    problem_init(&problem);
    assert_int_not_equal(query_decode(&query, route_get(route), text, strlen(text), &problem), STATUS_OK);
    char *document = problem_encode(&problem, NULL, &size);
    problem_release(&problem);
    assert_non_null(document);
    return document;
}

static void what_is_not_given_has_its_default(void **state)
{
    (void)state;
    assert_int_equal(decode(ROUTE_LIST_JOBS, ""), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_LIMIT), 20);
    assert_int_equal(query_integer(&query, PARAMETER_ORDER), 1);
    assert_string_equal(query_text(&query, PARAMETER_ORDER), "desc");
    assert_null(query_text(&query, PARAMETER_AFTER));
    assert_false(query_given(&query, PARAMETER_LIMIT));
    assert_false(query_given(&query, PARAMETER_JOB_STATUS));
    assert_int_equal(decode(ROUTE_GET_METRICS, ""), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_NAMES), 0);
    assert_int_equal(query_integer(&query, PARAMETER_MAX_POINTS), 2000);
    assert_close(query_number(&query, PARAMETER_SMOOTH), 0, 0, 0);
}

static void every_default_of_every_route_can_be_read(void **state)
{
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = route_get((enum route_id)i);
        char needed[64] = "";
        size_t used = 0;

        for (size_t k = 0; k < ROUTE_QUERY_MAX && route->query[k] != PARAMETER_NONE; k++) {
            const struct query_parameter *parameter = query_parameter((enum query_id)route->query[k]);

            if (query_is_required(parameter)) {
                used +=
                    (size_t)snprintf(needed + used, sizeof needed - used, "%s%s=1", used > 0 ? "&" : "", parameter->name);
            }
        }
        assert_true(used < sizeof needed);
        assert_int_equal(decode((enum route_id)i, needed), STATUS_OK);
    }
}

static void what_must_be_given_is_missed_by_name(void **state)
{
    (void)state;
    char *document = refused(ROUTE_LANDSCAPE_POINT, "directions=4");

    assert_non_null(strstr(document, "\"code\":\"query_invalid\""));
    assert_non_null(strstr(document, "\"parameter\":\"x\""));
    assert_non_null(strstr(document, "\"parameter\":\"y\""));
    free(document);
    assert_int_equal(decode(ROUTE_LANDSCAPE_POINT, "x=1e-3&y=-2.5"), STATUS_OK);
    assert_close(query_number(&query, PARAMETER_X), 1e-3, 0, 0);
    assert_close(query_number(&query, PARAMETER_Y), -2.5, 0, 0);
}

static void every_parameter_belongs_to_a_route_and_names_are_apart_within_one(void **state)
{
    int used[PARAMETER_COUNT] = {0};

    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const uint8_t *list = route_get((enum route_id)i)->query;

        for (int a = 0; a < ROUTE_QUERY_MAX && list[a] != PARAMETER_NONE; a++) {
            used[list[a]] = 1;
            assert_true(strlen(query_parameter((enum query_id)list[a])->help) > 10);
            for (int b = 0; b < a; b++) {
                assert_string_not_equal(query_parameter((enum query_id)list[a])->name,
                                        query_parameter((enum query_id)list[b])->name);
            }
        }
    }
    for (int p = PARAMETER_NONE + 1; p < PARAMETER_COUNT; p++) {
        assert_true(used[p]);
    }
}

static void integers_are_read_and_clamped(void **state)
{
    (void)state;
    assert_int_equal(decode(ROUTE_LIST_JOBS, "limit=7"), STATUS_OK);
    assert_true(query_given(&query, PARAMETER_LIMIT));
    assert_int_equal(query_integer(&query, PARAMETER_LIMIT), 7);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "limit=101"), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_LIMIT), 100);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "limit=99999999999999999999999999"), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_LIMIT), 100);
    assert_int_equal(decode(ROUTE_GET_JOB, "since=9007199254740991"), STATUS_OK);
    assert_true(query_integer(&query, PARAMETER_SINCE) == 9007199254740991);
}

static void bad_numbers_are_invalid(void **state)
{
    static const char *const wrong[] = {"limit=0",    "limit=-1",   "limit=-99999999999999999999",
                                        "limit=1.5",  "limit=x",    "limit=",
                                        "limit",      "limit=0x10", "limit=1e1",
                                        "limit=%201", "limit=+1",   "limit=-"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(decode(ROUTE_LIST_JOBS, wrong[i]), STATUS_QUERY_INVALID);
    }
    assert_int_equal(decode(ROUTE_GET_JOB, "since=9007199254740992"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_GET_METRICS, "smooth=1"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_GET_METRICS, "smooth=-0.1"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_GET_METRICS, "smooth=nan"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_GET_METRICS, "smooth=0,5"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_GET_JOB, "wait=-1"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_GET_JOB, "wait=1e999"), STATUS_QUERY_INVALID);
}

static void seconds_are_clamped_and_may_have_fractions(void **state)
{
    (void)state;
    assert_int_equal(decode(ROUTE_GET_JOB, "wait=0.25"), STATUS_OK);
    assert_close(query_number(&query, PARAMETER_WAIT), 0.25, 0, 0);
    assert_int_equal(decode(ROUTE_GET_JOB, "wait=3600"), STATUS_OK);
    assert_close(query_number(&query, PARAMETER_WAIT), 60, 0, 0);
}

static void choices_give_their_place(void **state)
{
    (void)state;
    assert_int_equal(decode(ROUTE_LIST_JOBS, "order=asc&status=cancelled"), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_ORDER), 0);
    assert_int_equal(query_integer(&query, PARAMETER_JOB_STATUS), 8);
    assert_int_equal(decode(ROUTE_CREATE_JOB, "validate_only=true"), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_VALIDATE_ONLY), 1);
    assert_int_equal(decode(ROUTE_CREATE_JOB, "validate_only=false"), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_VALIDATE_ONLY), 0);
    assert_int_equal(decode(ROUTE_CREATE_JOB, "validate_only=1"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "order=ASC"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "status=running|paused"), STATUS_QUERY_INVALID);
}

static void lists_give_a_set(void **state)
{
    (void)state;
    assert_int_equal(decode(ROUTE_GET_METRICS, "names=validation_loss,batch_loss"), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_NAMES), 1 | 1 << 3);
    assert_int_equal(decode(ROUTE_GET_METRICS, "names=batch_loss%2Cstep_size"), STATUS_OK);
    assert_int_equal(query_integer(&query, PARAMETER_NAMES), 1 | 1 << 7);
    assert_int_equal(decode(ROUTE_GET_METRICS, "names=batch_loss,batch_loss"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_GET_METRICS, "names=batch_loss,"), STATUS_QUERY_INVALID);
    assert_int_equal(decode(ROUTE_GET_METRICS, "names=loss"), STATUS_QUERY_INVALID);
}

static void assert_choice(enum query_id id, size_t index, const char *want)
{
    size_t size;
    const char *choice = query_choice(query_parameter(id)->choices, index, &size);

    assert_non_null(choice);
    assert_int_equal(size, strlen(want));
    assert_memory_equal(choice, want, size);
}

static void choices_stand_in_the_order_of_the_enums_that_they_name(void **state)
{
    size_t size;

    (void)state;
    for (int s = 0; s < JOB_STATUS_COUNT; s++) {
        assert_choice(PARAMETER_JOB_STATUS, (size_t)s, job_status_name((enum job_status)s));
    }
    assert_null(query_choice(query_parameter(PARAMETER_JOB_STATUS)->choices, JOB_STATUS_COUNT, &size));
    for (int s = 0; s < CURVE_SERIES_COUNT; s++) {
        assert_choice(PARAMETER_NAMES, (size_t)s, curve_series_name((enum curve_series)s));
    }
    assert_null(query_choice(query_parameter(PARAMETER_NAMES)->choices, CURVE_SERIES_COUNT, &size));
    for (size_t m = 0; m < 5; m++) {
        assert_choice(PARAMETER_METRICS_FORMAT, m,
                      media_word((enum media)route_get(ROUTE_GET_METRICS)->answers[0].media[m]));
    }
    for (size_t m = 0; m < 2; m++) {
        assert_choice(PARAMETER_EXPORT_FORMAT, m, media_word((enum media)route_get(ROUTE_EXPORT)->answers[0].media[m]));
        assert_choice(PARAMETER_DATASET_FORMAT, m, data_format_name((enum data_format)m));
    }
}

static void text_is_percent_decoded_and_a_plus_stays_a_plus(void **state)
{
    (void)state;
    assert_int_equal(decode(ROUTE_CREATE_DATASET, "name=a%20b%2bc&label=caf%C3%A9&label_columns=x+y"), STATUS_OK);
    assert_string_equal(query_text(&query, PARAMETER_DATASET_NAME), "a b+c");
    assert_string_equal(query_text(&query, PARAMETER_LABEL), "caf\xc3\xa9");
    assert_string_equal(query_text(&query, PARAMETER_LABEL_COLUMNS), "x+y");
    assert_int_equal(decode(ROUTE_CREATE_DATASET, "label=a=b=c"), STATUS_OK);
    assert_string_equal(query_text(&query, PARAMETER_LABEL), "a=b=c");
    assert_int_equal(decode(ROUTE_CREATE_DATASET, "n%61me=x"), STATUS_OK);
    assert_string_equal(query_text(&query, PARAMETER_DATASET_NAME), "x");
}

static void bad_encodings_are_bad_targets(void **state)
{
    static const char *const wrong[] = {"name=%",   "name=%2",     "name=%zz",       "name=%00",  "name=%0a", "name=%7f",
                                        "name=%ff", "name=%c0%af", "name=%ed%a0%80", "na%00me=x", "name=a%2", "limit=%g1"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(decode(ROUTE_CREATE_DATASET, wrong[i]), STATUS_BAD_TARGET);
    }
}

static void unknown_and_repeated_parameters_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode(ROUTE_LIST_JOBS, "limits=3"), STATUS_QUERY_UNKNOWN);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "limit=3&&order=asc"), STATUS_QUERY_UNKNOWN);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "&"), STATUS_QUERY_UNKNOWN);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "a"), STATUS_QUERY_UNKNOWN);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "=3"), STATUS_QUERY_UNKNOWN);
    assert_int_equal(decode(ROUTE_INFO, "limit=3"), STATUS_QUERY_UNKNOWN);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "limit=3&limit=3"), STATUS_QUERY_DUPLICATE);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "metadata.a=1&metadata.a=2"), STATUS_QUERY_DUPLICATE);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "metadata.=1"), STATUS_QUERY_UNKNOWN);
    assert_int_equal(decode(ROUTE_LIST_JOBS, "token=abc"), STATUS_TOKEN_IN_QUERY);
}

static void a_misspelt_name_is_answered_with_the_right_one(void **state)
{
    char *document = refused(ROUTE_LIST_JOBS, "limti=3");

    (void)state;
    assert_non_null(strstr(document, "did you mean limit?"));
    assert_non_null(strstr(document, "\"parameter\":\"limti\""));
    free(document);
    document = refused(ROUTE_LIST_JOBS, "quite_another=3");
    assert_null(strstr(document, "did you mean"));
    assert_non_null(strstr(document, "limit, after, order, status, metadata.*"));
    free(document);
}

static void a_token_in_an_address_is_not_repeated(void **state)
{
    char *document = refused(ROUTE_LIST_JOBS, "token=dct_secret");

    (void)state;
    assert_null(strstr(document, "secret"));
    free(document);
}

static void all_errors_are_told_at_once(void **state)
{
    char *document = refused(ROUTE_LIST_JOBS, "limits=3&limit=x&order=up&metadata.k=1&metadata.k=2");

    (void)state;
    assert_non_null(strstr(document, "\"code\":\"query_unknown\""));
    assert_non_null(strstr(document, "\"parameter\":\"limits\""));
    assert_non_null(strstr(document, "\"parameter\":\"limit\""));
    assert_non_null(strstr(document, "\"parameter\":\"order\""));
    assert_non_null(strstr(document, "\"parameter\":\"metadata.k\""));
    free(document);
}

static void metadata_filters_are_collected(void **state)
{
    char many[256] = "metadata.a=1";

    (void)state;
    assert_int_equal(decode(ROUTE_LIST_JOBS, "metadata.team=a%20b&limit=2&metadata.n=3"), STATUS_OK);
    assert_int_equal(query.metadata_count, 2);
    assert_string_equal(query.metadata[0].key, "team");
    assert_string_equal(query.metadata[0].value, "a b");
    assert_string_equal(query.metadata[1].key, "n");
    assert_string_equal(query.metadata[1].value, "3");
    for (int i = 1; i <= QUERY_METADATA_MAX; i++) {
        const char item[] = {'&', 'm', 'e', 't', 'a', 'd', 'a', 't', 'a', '.', (char)('a' + i), '=', '1', '\0'};
        memcpy(many + strlen(many), item, sizeof item);
        assert_int_equal(decode(ROUTE_LIST_JOBS, many), i < QUERY_METADATA_MAX ? STATUS_OK : STATUS_QUERY_INVALID);
    }
}

static void long_queries_are_refused_not_cut(void **state)
{
    static char text[QUERY_TEXT_MAX + 2];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "label=", 6);
    assert_int_equal(decode(ROUTE_CREATE_DATASET, text), STATUS_BAD_TARGET);
    text[QUERY_TEXT_MAX] = '\0';
    assert_int_equal(decode(ROUTE_CREATE_DATASET, text), STATUS_QUERY_INVALID); /* too long for a label */
    memset(text, '&', QUERY_TEXT_MAX);
    assert_int_equal(decode(ROUTE_CREATE_DATASET, text), STATUS_QUERY_UNKNOWN);
    memset(text, '=', QUERY_TEXT_MAX);
    assert_int_equal(decode(ROUTE_CREATE_DATASET, text), STATUS_QUERY_UNKNOWN);
}

static void assert_link(const char *raw, const char *want)
{
    char link[256];
    size_t size = query_next_link(link, sizeof link, "/v1/jobs?", 8, raw, strlen(raw), "job_9");

    assert_string_equal(link, want);
    assert_int_equal(size, strlen(want));
    assert_int_equal(query_next_link(link, size, "/v1/jobs?", 8, raw, strlen(raw), "job_9"), 0);
}

static void the_next_page_keeps_the_other_parameters(void **state)
{
    (void)state;
    assert_link("", "</v1/jobs?after=job_9>; rel=\"next\"");
    assert_link("limit=2", "</v1/jobs?limit=2&after=job_9>; rel=\"next\"");
    assert_link("after=job_1&limit=2&metadata.a=%20", "</v1/jobs?limit=2&metadata.a=%20&after=job_9>; rel=\"next\"");
    assert_link("limit=2&after=job_1", "</v1/jobs?limit=2&after=job_9>; rel=\"next\"");
    assert_link("after_step=1", "</v1/jobs?after_step=1&after=job_9>; rel=\"next\"");
}

static void a_query_that_is_refused_names_its_parameter_and_no_place_in_a_document(void **state)
{
    struct problem problem;
    size_t size;

    (void)state;
    problem_init(&problem);
    assert_int_equal(query_decode(&query, route_get(ROUTE_LIST_JOBS), "limit=x", 7, &problem), STATUS_QUERY_INVALID);
    char *text = problem_encode(&problem, NULL, &size);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"parameter\":\"limit\""));
    assert_null(strstr(text, "\"pointer\""));
    free(text);
    problem_release(&problem);
}

static void a_prefix_without_a_key_is_told_with_what_there_is(void **state)
{
    struct problem problem;

    (void)state;
    problem_init(&problem);
    assert_int_equal(query_decode(&query, route_get(ROUTE_LIST_JOBS), "metadata.=x", 11, &problem), STATUS_QUERY_UNKNOWN);
    assert_non_null(strstr(problem.whole.message, "metadata.*"));
    assert_null(strstr(problem.whole.message, "did you mean"));
    problem_release(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(every_default_of_every_route_can_be_read),
        cmocka_unit_test(what_must_be_given_is_missed_by_name),
        cmocka_unit_test(every_parameter_belongs_to_a_route_and_names_are_apart_within_one),
        cmocka_unit_test(integers_are_read_and_clamped),
        cmocka_unit_test(bad_numbers_are_invalid),
        cmocka_unit_test(seconds_are_clamped_and_may_have_fractions),
        cmocka_unit_test(choices_give_their_place),
        cmocka_unit_test(lists_give_a_set),
        cmocka_unit_test(choices_stand_in_the_order_of_the_enums_that_they_name),
        cmocka_unit_test(text_is_percent_decoded_and_a_plus_stays_a_plus),
        cmocka_unit_test(bad_encodings_are_bad_targets),
        cmocka_unit_test(unknown_and_repeated_parameters_are_refused),
        cmocka_unit_test(a_misspelt_name_is_answered_with_the_right_one),
        cmocka_unit_test(a_token_in_an_address_is_not_repeated),
        cmocka_unit_test(all_errors_are_told_at_once),
        cmocka_unit_test(metadata_filters_are_collected),
        cmocka_unit_test(long_queries_are_refused_not_cut),
        cmocka_unit_test(the_next_page_keeps_the_other_parameters),
        cmocka_unit_test(a_query_that_is_refused_names_its_parameter_and_no_place_in_a_document),
        cmocka_unit_test(a_prefix_without_a_key_is_told_with_what_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
