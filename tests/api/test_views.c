#include "api/views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_status_has_a_name_that_reads_back(void **state)
{
    (void)state;
    for (int s = 0; s < JOB_STATUS_COUNT; s++) {
        assert_int_equal(job_status_parse(job_status_name((enum job_status)s)), s);
    }
    assert_int_equal(job_status_parse("done"), -1);
    assert_int_equal(job_status_parse(""), -1);
    assert_int_equal(job_status_parse("Queued"), -1);
}

static void exactly_succeeded_failed_and_cancelled_are_terminal(void **state)
{
    (void)state;
    for (int s = 0; s < JOB_STATUS_COUNT; s++) {
        int terminal = s == JOB_SUCCEEDED || s == JOB_FAILED || s == JOB_CANCELLED;

        assert_int_equal(job_status_is_terminal((enum job_status)s) != 0, terminal);
    }
}

static void events_have_different_names(void **state)
{
    (void)state;
    for (int a = 0; a < EVENT_TYPE_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(event_type_name((enum event_type)a), event_type_name((enum event_type)b));
        }
    }
}

/* The leak checker of the sanitized build is what fails here. */
static void views_free_what_they_own_and_may_be_released_twice(void **state)
{
    struct job_view job = {.spec = strdup("{}"), .metadata = strdup("{}"), .error = strdup("{}"), .results = strdup("{}")};
    struct model_view model = {.spec = strdup("{}"), .classes = strdup("[]"), .scores = strdup("{}")};
    struct dataset_view dataset = {.class_count = 2, .feature_count = 1};

    (void)state;
    dataset.class_list = calloc(2, sizeof *dataset.class_list);
    dataset.feature_list = calloc(1, sizeof *dataset.feature_list);
    assert_non_null(dataset.class_list);
    assert_non_null(dataset.feature_list);
    dataset.class_list[1].name = strdup("a");
    dataset.feature_list[0].name = strdup("b");
    for (int twice = 0; twice < 2; twice++) {
        job_view_release(&job);
        model_view_release(&model);
        dataset_view_release(&dataset);
        assert_null(job.spec);
        assert_null(model.spec);
        assert_null(dataset.class_list);
        assert_int_equal(dataset.class_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_that_reads_back),
        cmocka_unit_test(exactly_succeeded_failed_and_cancelled_are_terminal),
        cmocka_unit_test(events_have_different_names),
        cmocka_unit_test(views_free_what_they_own_and_may_be_released_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
