#include "api/profile.h"

#include <math.h>

#include "api/encode_profile.h"
#include "api/openapi.h"
#include "api/profile_ascii.h"
#include "tests/api/written.h"
#include "tests/assert_close.h"

/* 2 s of two threads, 8 steps; half of the time in products, the rest waiting. */
static struct profile_counts counts(void)
{
    return (struct profile_counts){.steps = 8,
                                   .samples = 256,
                                   .nanoseconds = 2000000000,
                                   .thread_nanoseconds = 4000000000,
                                   .ticks = {[PHASE_FORWARD] = 25, [PHASE_BACKWARD] = 25, [PHASE_WAIT] = 50},
                                   .step_flops = 1000000000};
}

static struct profile profile_from(const struct profile_counts *counts)
{
    struct profile profile;

    profile_of_counts(&profile, counts, 8e9);
    return profile;
}

static void phases_share_the_time_and_products_the_peak(void **state)
{
    struct json_writer writer = {.depth = 0};
    struct profile_counts made = counts();
    struct profile profile = profile_from(&made);

    (void)state;
    encode_profile(&profile, "job_1", &writer);
    assert_written(&writer, "{\"object\":\"profile\",\"job\":\"job_1\",\"threads\":2,\"seconds\":2,\"steps\":8,"
                            "\"samples_per_second\":128,\"phases\":["
                            "{\"phase\":\"gather\",\"seconds\":0,\"share\":0},"
                            "{\"phase\":\"forward\",\"seconds\":0.5,\"share\":0.25},"
                            "{\"phase\":\"backward\",\"seconds\":0.5,\"share\":0.25},"
                            "{\"phase\":\"update\",\"seconds\":0,\"share\":0},"
                            "{\"phase\":\"evaluate\",\"seconds\":0,\"share\":0},"
                            "{\"phase\":\"other\",\"seconds\":0,\"share\":0},"
                            "{\"phase\":\"wait\",\"seconds\":1,\"share\":0.5}],"
                            "\"gflops\":4,\"peak_gflops\":16,\"share_of_peak\":0.25}");
}

static void what_is_not_known_is_null(void **state)
{
    struct json_writer writer = {.depth = 0};
    struct profile_counts made = counts();
    struct profile profile;

    (void)state;
    made.step_flops = 0; /* a solver */
    profile = profile_from(&made);
    encode_profile(&profile, "job_1", &writer);
    assert_has(&writer, "\"gflops\":null,\"peak_gflops\":16,\"share_of_peak\":null}");
    discard(&writer);
    made = counts();
    memset(made.ticks, 0, sizeof made.ticks); /* a processor without a counter */
    profile_of_counts(&profile, &made, 0);
    encode_profile(&profile, "job_1", &writer);
    assert_has(&writer, "{\"phase\":\"wait\",\"seconds\":null,\"share\":null}],\"gflops\":4,\"peak_gflops\":null,"
                        "\"share_of_peak\":null}");
    discard(&writer);
    made.nanoseconds = made.thread_nanoseconds = 0; /* a clock that stood still */
    profile = profile_from(&made);
    encode_profile(&profile, "job_1", &writer);
    assert_has(&writer, "\"threads\":null,\"seconds\":0,\"steps\":8,\"samples_per_second\":null,");
    discard(&writer);
}

/* Results with this profile. */
static char *stored(const struct profile *profile)
{
    struct json_writer writer = {.depth = 0};

    json_begin_object(&writer);
    json_key(&writer, "profile");
    encode_profile(profile, "job_1", &writer);
    json_end_object(&writer);
    return json_writer_text(&writer);
}

static void what_is_stored_reads_back_bit_for_bit(void **state)
{
    struct profile_counts made = counts();
    struct profile profile, read;
    struct error error = {0};
    char *text, *again;
    int found;

    (void)state;
    for (int i = 0; i < 20; i++) {
        made.nanoseconds = made.nanoseconds * 3 / 7 + 1;
        made.ticks[i % PHASE_COUNT] += 1000003;
        made.step_flops = i % 2 == 0 ? 0 : 12345678901;
        profile = profile_from(&made);
        text = stored(&profile);
        assert_int_equal(profile_of_results(&read, &found, text, strlen(text), &error), STATUS_OK);
        assert_int_equal(found, 1);
        again = stored(&read);
        assert_string_equal(again, text);
        free(text);
        free(again);
    }
}

static void results_without_a_profile_have_none_and_damaged_ones_are_told(void **state)
{
    static const char *const damaged[] = {
        "",
        "{\"profile\":null}",
        "{\"profile\":7}",
        "{\"profile\":{}}",
        "{\"profile\":{\"steps\":-1}}",
        "{\"profile\":{\"steps\":1,\"threads\":1,\"seconds\":1,\"samples_per_second\":1}}",
        "{\"profile\":{\"steps\":1,\"threads\":1,\"seconds\":1,\"samples_per_second\":1,\"phases\":7}}",
        "{\"profile\":{\"steps\":1,\"threads\":1,\"seconds\":1,\"samples_per_second\":1,\"phases\":[1,2,3,4,5,6,7]}}",
        "{\"profile\":{\"steps\":1,\"threads\":1,\"seconds\":1,\"samples_per_second\":1,\"phases\":[{\"share\":1}]}}",
    };
    struct profile profile;
    struct error error = {0};
    int found = 1;

    (void)state;
    assert_int_equal(profile_of_results(&profile, &found, "{\"splits\":{}}", 13, &error), STATUS_OK);
    assert_int_equal(found, 0);
    assert_int_equal(profile_of_results(&profile, &found, "[]", 2, &error), STATUS_OK);
    assert_int_equal(found, 0);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        error = (struct error){0};
        assert_int_equal(profile_of_results(&profile, &found, damaged[i], strlen(damaged[i]), &error),
                         STATUS_OBJECT_CORRUPT);
    }
}

static void a_terminal_gets_a_bar_for_each_phase(void **state)
{
    struct profile_counts made = counts();
    struct profile profile = profile_from(&made);
    struct text text = {0};

    (void)state;
    profile_ascii(&profile, "job_1", 49, &text);
    assert_text_written(&text, "job_1: 2.000 s, 8 steps, threads: 2\n"
                               "gather   ....................   0.0 %     0.000 s\n"
                               "forward  #####...............  25.0 %     0.500 s\n"
                               "backward #####...............  25.0 %     0.500 s\n"
                               "update   ....................   0.0 %     0.000 s\n"
                               "evaluate ....................   0.0 %     0.000 s\n"
                               "other    ....................   0.0 %     0.000 s\n"
                               "wait     ##########..........  50.0 %     1.000 s\n"
                               "of peak  #####...............  25.0 %\n"
                               "4 of 16 GFLOP/s\n");
    made.step_flops = 0;
    memset(made.ticks, 0, sizeof made.ticks);
    profile = profile_from(&made);
    profile_ascii(&profile, "job_1", PROFILE_ASCII_MIN_WIDTH, &text);
    assert_non_null(strstr(text.data, "\nwait     ...........       -\nof peak  ...........       -\n"));
    text_release(&text);
}

/* The interface's document says of each phase what the clock's table says. */
static void phases_are_documented(void **state)
{
    struct json_writer writer = {.depth = 0};

    (void)state;
    openapi_write("0", &writer);
#define PHASE(name, text, meaning) assert_has(&writer, text ": " meaning);
    PHASES(PHASE)
#undef PHASE
    discard(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_share_the_time_and_products_the_peak),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(what_is_stored_reads_back_bit_for_bit),
        cmocka_unit_test(results_without_a_profile_have_none_and_damaged_ones_are_told),
        cmocka_unit_test(a_terminal_gets_a_bar_for_each_phase),
        cmocka_unit_test(phases_are_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
