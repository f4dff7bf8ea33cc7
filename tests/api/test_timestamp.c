#include "api/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(int64_t ms, const char *want)
{
    char text[TIMESTAMP_TEXT];

    timestamp_format(ms, text);
    assert_string_equal(text, want);
}

static void known_moments_are_written_as_the_calendar_says(void **state)
{
    (void)state;
    assert_text(0, "1970-01-01T00:00:00.000Z");
    assert_text(1, "1970-01-01T00:00:00.001Z");
    assert_text(-1, "1969-12-31T23:59:59.999Z");
    assert_text(951782399999, "2000-02-28T23:59:59.999Z");
    assert_text(951782400000, "2000-02-29T00:00:00.000Z");
    assert_text(1772357400125, "2026-03-01T09:30:00.125Z");
    assert_text(4107542400000, "2100-03-01T00:00:00.000Z"); /* 2100 is no leap year */
}

static void times_beyond_four_digits_of_years_are_clamped(void **state)
{
    (void)state;
    assert_text(INT64_MAX, "9999-12-31T23:59:59.999Z");
    assert_text(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

static void every_day_of_four_centuries_reads_back_as_written(void **state)
{
    char text[TIMESTAMP_TEXT], before[TIMESTAMP_TEXT] = "";
    int64_t got;

    (void)state;
    for (int64_t day = -73000; day < 73100; day++) {
        int64_t ms = day * 86400000 + (day & 0xffff) * 1000 + 7;

        timestamp_format(ms, text);
        assert_int_equal(timestamp_parse(text, &got, NULL), STATUS_OK);
        assert_true(got == ms);
        assert_true(strcmp(before, text) < 0); /* text sorts as time does */
        memcpy(before, text, sizeof before);
    }
}

static void fractions_are_optional_and_cut_to_milliseconds(void **state)
{
    int64_t ms;

    (void)state;
    assert_int_equal(timestamp_parse("1970-01-01T00:00:01Z", &ms, NULL), STATUS_OK);
    assert_true(ms == 1000);
    assert_int_equal(timestamp_parse("1970-01-01T00:00:01.5Z", &ms, NULL), STATUS_OK);
    assert_true(ms == 1500);
    assert_int_equal(timestamp_parse("1970-01-01T00:00:01.0019999999999999999Z", &ms, NULL), STATUS_OK);
    assert_true(ms == 1001);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "1970-01-01",
                                        "1970-01-01T00:00:00",
                                        "1970-01-01T00:00:00+01:00",
                                        "1970-01-01 00:00:00Z",
                                        "1970-13-01T00:00:00Z",
                                        "1970-00-01T00:00:00Z",
                                        "2023-02-29T00:00:00Z",
                                        "2100-02-29T00:00:00Z",
                                        "1970-01-32T00:00:00Z",
                                        "1970-01-00T00:00:00Z",
                                        "1970-01-01T24:00:00Z",
                                        "1970-01-01T00:60:00Z",
                                        "1970-01-01T00:00:60Z",
                                        "1970-01-01T00:00:00.Z",
                                        "1970-01-01T00:00:00Zx",
                                        "70-01-01T00:00:00Z",
                                        "1970-01-01T00:00:00.5"};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {.status = STATUS_OK};

        assert_int_equal(timestamp_parse(wrong[i], &ms, &error), STATUS_OUT_OF_RANGE);
        assert_int_equal(error.status, STATUS_OUT_OF_RANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_are_written_as_the_calendar_says),
        cmocka_unit_test(times_beyond_four_digits_of_years_are_clamped),
        cmocka_unit_test(every_day_of_four_centuries_reads_back_as_written),
        cmocka_unit_test(fractions_are_optional_and_cut_to_milliseconds),
        cmocka_unit_test(what_is_no_time_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
