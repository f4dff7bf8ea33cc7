#include "api/compare_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/problem.h"
#include "api/routes.h"

static struct query query;

/* Both halves, as the server has them. */
static enum status decode(const char *text, struct compare_query *wanted, struct problem *problem)
{
    problem_init(problem);
    if (query_decode(&query, route_get(ROUTE_COMPARE), text, strlen(text), problem) != STATUS_OK) {
        return problem->status;
    }
    return compare_query_decode(wanted, &query, problem);
}

static void defaults_are_the_training_loss_by_steps(void **state)
{
    struct compare_query wanted;
    struct problem problem;

    (void)state;
    assert_int_equal(decode("jobs=job_a,job_b", &wanted, &problem), STATUS_OK);
    assert_int_equal(wanted.count, 2);
    assert_string_equal(wanted.jobs[1], "job_b");
    assert_int_equal(wanted.metric, CURVE_TRAIN_LOSS);
    assert_int_equal(wanted.align, ALIGN_STEP);
    assert_null(wanted.against);
    assert_null(wanted.group);
    assert_true(wanted.options.max_points == 1000 && wanted.options.minmax && wanted.options.smooth == 0);
    assert_int_equal(wanted.scale, PLOT_SCALE_AUTO);
}

static void every_parameter_is_read(void **state)
{
    struct compare_query wanted;
    struct problem problem;

    (void)state;
    assert_int_equal(decode("jobs=j&metric=test_loss&against=/a~1b&group=/c&scale=log&width=90", &wanted, &problem),
                     STATUS_OK);
    assert_string_equal(wanted.against, "/a~1b");
    assert_string_equal(wanted.group, "/c");
    assert_true(wanted.scale == PLOT_SCALE_LOG && wanted.width == 90);
    assert_int_equal(decode("jobs=j&align=seconds&max_points=9&downsample=none&smooth=0.5", &wanted, &problem), STATUS_OK);
    assert_true(wanted.align == ALIGN_SECONDS && wanted.options.max_points == 9 && !wanted.options.minmax);
    for (int align = 0; align < ALIGN_COUNT; align++) {
        size_t size;
        const char *choice = query_choice(query_parameter(PARAMETER_ALIGN)->choices, (size_t)align, &size);

        assert_int_equal(size, strlen(compare_align_name((enum compare_align)align)));
        assert_memory_equal(choice, compare_align_name((enum compare_align)align), size);
    }
}

static void what_is_wrong_is_refused_with_its_parameter(void **state)
{
    static const struct {
        const char *text;
        enum status status;
        const char *extra;
    } rows[] = {
        {"", STATUS_QUERY_INVALID, "\"parameter\":\"jobs\""},
        {"jobs=a,,b", STATUS_QUERY_INVALID, "\"parameter\":\"jobs\""},
        {"jobs=a,b,a", STATUS_QUERY_DUPLICATE, "\"parameter\":\"jobs\""},
        {"jobs=a&metric=step_seconds", STATUS_QUERY_INVALID, "\"parameter\":\"metric\""},
        {"jobs=a&group=/x", STATUS_QUERY_INVALID, "\"parameter\":\"group\""},
        {"jobs=a&against=x", STATUS_QUERY_INVALID, "\"parameter\":\"against\""},
        {"jobs=a&against=/~x", STATUS_QUERY_INVALID, "\"parameter\":\"against\""},
        {"jobs=a&against=/x&group=x", STATUS_QUERY_INVALID, "\"parameter\":\"group\""},
        {"jobs=a&against=/x&align=step", STATUS_QUERY_INVALID, "\"parameter\":\"align\""},
        {"jobs=a&against=/x&max_points=5", STATUS_QUERY_INVALID, "\"parameter\":\"max_points\""},
        {"jobs=a&against=/x&downsample=none", STATUS_QUERY_INVALID, "\"parameter\":\"downsample\""},
        {"jobs=a&against=/x&smooth=0", STATUS_QUERY_INVALID, "\"parameter\":\"smooth\""},
    };

    (void)state;
    assert_true(query_is_required(query_parameter(PARAMETER_JOBS))); /* so OpenAPI tells */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct compare_query wanted;
        struct problem problem;

        assert_int_equal(decode(rows[i].text, &wanted, &problem), rows[i].status);
        assert_int_equal(problem.field_total, 1);
        assert_string_equal(problem.fields[0].extra, rows[i].extra);
        problem_release(&problem);
    }
}

static void an_id_that_cannot_be_one_is_not_found(void **state)
{
    struct compare_query wanted;
    struct problem problem;

    (void)state;
    assert_int_equal(decode("jobs=job_0123456789012345678901234567890123456789", &wanted, &problem), STATUS_NOT_FOUND);
    assert_non_null(strstr(problem.whole.message, "job_01234567890123456"));
    problem_release(&problem);
}

static void at_most_64_jobs_are_taken(void **state)
{
    struct compare_query wanted;
    struct problem problem;
    char text[1024] = "jobs=";

    (void)state;
    for (int i = 0; i < 64; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%sj%d", i > 0 ? "," : "", i);
    }
    assert_int_equal(decode(text, &wanted, &problem), STATUS_OK);
    assert_int_equal(wanted.count, 64);
    snprintf(text + strlen(text), sizeof text - strlen(text), ",one");
    assert_int_equal(decode(text, &wanted, &problem), STATUS_QUERY_INVALID);
    problem_release(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_training_loss_by_steps),
        cmocka_unit_test(every_parameter_is_read),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_parameter),
        cmocka_unit_test(an_id_that_cannot_be_one_is_not_found),
        cmocka_unit_test(at_most_64_jobs_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
