#include "api/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *nearest_name(const char *text)
{
    static const char *const NAMES[] = {"learning_rate", "momentum", "epochs", "adam", "adamw", "sgd", "l2"};
    struct nearest nearest = nearest_to(text, strlen(text));

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        nearest_offer(&nearest, NAMES[i]);
    }
    return nearest.name;
}

static void a_slip_is_recognised(void **state)
{
    static const char *const ROWS[][2] = {
        {"learning_rat", "learning_rate"}, {"epocs", "epochs"}, {"adma", "adam"},    {"LEARNING_RATE", "learning_rate"},
        {"momentun", "momentum"},          {"gsd", "sgd"},      {"adamww", "adamw"}, {"lerning_rte", "learning_rate"}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        assert_non_null(nearest_name(ROWS[i][0]));
        assert_string_equal(nearest_name(ROWS[i][0]), ROWS[i][1]);
    }
}

static void what_is_far_from_everything_has_no_neighbour(void **state)
{
    char huge[1000];

    (void)state;
    assert_null(nearest_name("weather"));
    assert_null(nearest_name("x"));
    assert_null(nearest_name(""));
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_null(nearest_name(huge));
}

static void the_first_of_equals_stays(void **state)
{
    struct nearest nearest = nearest_to("ac", 2);

    (void)state;
    nearest_offer(&nearest, "ab");
    nearest_offer(&nearest, "ad");
    assert_string_equal(nearest.name, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_is_recognised),
        cmocka_unit_test(what_is_far_from_everything_has_no_neighbour),
        cmocka_unit_test(the_first_of_equals_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
