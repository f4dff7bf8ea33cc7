#include "api/rose_svg.h"

#include <math.h>
#include <stdio.h>

#include "tests/api/written.h"

/* The picture's text; free it. */
static char *drawn(const char *title, const struct jet *jet, unsigned directions)
{
    struct text text = {.data = NULL};

    rose_svg(title, 1, -2, jet, directions, &text);
    assert_false(text.failed);
    return text.data;
}

static unsigned count_in(const char *path, char letter)
{
    unsigned count = 0;

    for (; *path != '"' && *path != '\0'; path++) {
        count += *path == letter;
    }
    return count;
}

static void the_arrow_ends_where_the_gradient_points(void **state)
{
    char *picture = drawn("a < b", &(struct jet){.gx = 3, .gy = -4}, 8);
    const char *arrow = strstr(picture, "class=\"arrow\" d=\"");
    double x, y;

    (void)state;
    assert_non_null(arrow);
    assert_int_equal(sscanf(arrow, "class=\"arrow\" d=\"M280 336L%lf %lf", &x, &y), 2);
    assert_true(fabs(x - (280 + 224 * 0.6)) < 0.06);
    assert_true(fabs(y - (336 + 224 * 0.8)) < 0.06); /* down on paper is down in y */
    assert_non_null(strstr(picture, "a &lt; b"));
    assert_non_null(strstr(picture, "norm 5,"));
    free(picture);
}

static void each_direction_has_a_spoke_of_its_sign(void **state)
{
    char *picture = drawn("", &(struct jet){.gx = 1, .gy = 0.1}, 12);
    const char *up = strstr(picture, "class=\"up\" d=\""), *down = strstr(picture, "class=\"down\" d=\"");

    (void)state;
    assert_non_null(up);
    assert_non_null(down);
    assert_int_equal(count_in(up + 14, 'M'), 6);
    assert_int_equal(count_in(down + 16, 'M'), 6);
    assert_non_null(strstr(up, "M280 336L502.9 336.0")); /* along x: 224 / sqrt(1.01) pixels */
    free(picture);
}

static void without_a_gradient_the_picture_says_so(void **state)
{
    char *flat = drawn("", &(struct jet){.gx = 0}, 4), *none = drawn("", &(struct jet){.gx = NAN}, 4);

    (void)state;
    assert_non_null(strstr(flat, "The gradient is 0"));
    assert_non_null(strstr(none, "There is no gradient here"));
    assert_null(strstr(none, "class=\"arrow\""));
    free(flat);
    free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_arrow_ends_where_the_gradient_points),
        cmocka_unit_test(each_direction_has_a_spoke_of_its_sign),
        cmocka_unit_test(without_a_gradient_the_picture_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
