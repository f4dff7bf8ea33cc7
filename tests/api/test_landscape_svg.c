/* Pictures: where things stand in them, and that whatever is asked for is one. */
#include "api/landscape_svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/text.h"
#include "core/landscape/landscape.h"
#include "tests/assert_close.h"
#include "tests/core/landscape/descending.h"

/* The plot of a square box, as landscape_svg.c has it. */
#define LEFT 70
#define TOP  74
#define SIZE 520

static char *taken(struct text *text)
{
    char *data;
    size_t size;

    assert_int_equal(text_take(text, &data, &size, NULL), STATUS_OK);
    assert_memory_equal(data, "<svg ", 5);
    assert_string_equal(data + size - 7, "</svg>\n");
    return data;
}

static char *picture_of(const char *formula_text, double x0, double x1, double y0, double y1,
                        const struct critical_points *points)
{
    struct formula *formula = compile(formula_text);
    struct landscape_picture picture = {
        .text = formula_text, .formula = formula, .box = {{x0, x1}, {y0, y1}}, .points = points};
    struct text text = {.size = 0};

    assert_int_equal(landscape_svg(&picture, &text, NULL), STATUS_OK);
    formula_free(formula);
    return taken(&text);
}

static size_t count(const char *text, const char *piece)
{
    size_t found = 0;

    for (const char *at = strstr(text, piece); at != NULL; at = strstr(at + 1, piece)) {
        found++;
    }
    return found;
}

/* The numbers after `key` in the n-th element that begins with `element`. */
static double attribute(const char *text, const char *element, const char *key)
{
    const char *at = strstr(text, element);

    assert_non_null(at);
    at = strstr(at, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

/* x grows to the right, y upwards; a line of x = 1 is upright, at three quarters of [-2, 2]. */
static void contours_stand_where_the_values_are(void **state)
{
    char *svg = picture_of("x", -2, 2, -2, 2, NULL);
    double x = attribute(svg, "<path class=\"contour\"", "d=\"M"), other = attribute(svg, "<path class=\"contour\"", "L");

    (void)state;
    assert_close(x, LEFT + SIZE * 0.5 / 20, 0, 0.11); /* the lowest of 20 levels in even steps */
    assert_close(other, x, 0, 0);
    free(svg);
    svg = picture_of("y", -2, 2, -2, 2, NULL);
    const char *first = strstr(strstr(svg, "<path class=\"contour\""), " d=\"M") + 5;
    char *end;
    (void)strtod(first, &end);
    assert_close(strtod(end, NULL), TOP + SIZE * (1 - 0.5 / 20), 0, 0.11); /* low values of y stand low */
    free(svg);
}

static void areas_lie_below_every_second_level(void **state)
{
    char *svg = picture_of("x^2 + y^2", -2, 2, -2, 2, NULL);

    (void)state;
    assert_int_equal(count(svg, "<path class=\"contour\""), 20);
    assert_int_equal(count(svg, "<path class=\"area\""), 10);
    free(svg);
}

static void critical_points_are_marked_by_type(void **state)
{
    struct critical_point known[] = {{.x = 0, .y = 1, .type = CRITICAL_MINIMUM},
                                     {.x = 1, .y = 1, .type = CRITICAL_SADDLE},
                                     {.x = -1, .y = 1, .type = CRITICAL_MAXIMUM},
                                     {.x = 5, .y = 1, .type = CRITICAL_DEGENERATE}}; /* outside */
    struct critical_points points = {.points = known, .count = 4};
    char *svg = picture_of("x^2 + y^2", -2, 2, -2, 2, &points);

    (void)state;
    assert_int_equal(count(svg, "class=\"star\""), 2); /* each once more in the legend */
    assert_int_equal(count(svg, "class=\"cross\""), 2);
    assert_int_equal(count(svg, "class=\"mark\""), 2);
    assert_non_null(strstr(svg, ">minimum<"));
    assert_null(strstr(svg, ">degenerate<"));
    assert_close(attribute(svg, "class=\"cross\"", "d=\"M"), LEFT + SIZE * 0.75 - 3.5, 0, 0.11);
    free(svg);
}

static void the_plot_has_the_boxs_proportions_where_they_are_moderate(void **state)
{
    char *svg = picture_of("x^2 + y^2", -2, 2, 0, 2, NULL);

    (void)state;
    assert_close(attribute(svg, "<clipPath", " width=\""), SIZE, 0, 0.1);
    assert_close(attribute(svg, "<clipPath", " height=\""), SIZE / 2.0, 0, 0.1);
    free(svg);
    svg = picture_of("x^2 + y^2", 0, 1, 0, 1000, NULL);
    assert_close(attribute(svg, "<clipPath", " width=\""), SIZE / 2.5, 0, 0.1);
    free(svg);
}

static void formulas_are_text(void **state)
{
    struct formula *formula = compile("x");
    struct landscape_picture picture = {
        .title = "a < b & c", .text = "\"x\" <script>", .formula = formula, .box = {{0, 1}, {0, 1}}};
    struct text text = {.size = 0};

    (void)state;
    assert_int_equal(landscape_svg(&picture, &text, NULL), STATUS_OK);
    char *svg = taken(&text);
    assert_non_null(strstr(svg, "a &lt; b &amp; c"));
    assert_null(strstr(svg, "<script"));
    free(svg);
    formula_free(formula);
}

/* ---- descents ---- */

/* Gradient descent from (1, 1) on f in a box; changes may be made to the request before. */
struct drawn {
    struct descent_request request;
    struct descent_result result;
    double start[1][2];
    struct descent_row rows[201];
};

static struct drawn *begin(const char *text, uint32_t steps)
{
    struct drawn *drawn = calloc(1, sizeof *drawn);
    struct descent_request *request = &drawn->request;

    assert_non_null(drawn);
    *request = (struct descent_request){.own_formula = compile(text),
                                        .starts = drawn->start,
                                        .start_count = 1,
                                        .steps = steps,
                                        .has_no_gradient_norm = 1,
                                        .optimizer_count = 1,
                                        .optimizers = {{.name = "plain"}},
                                        .every = 1,
                                        .path = 1,
                                        .has_box = 1,
                                        .box = {{-2, 2}, {-2, 2}}};
    (void)snprintf(request->text, sizeof request->text, "%s", text);
    request->formula = request->own_formula;
    drawn->start[0][0] = drawn->start[0][1] = 1;
    optimizer_defaults(&request->optimizers[0].spec, OPTIMIZER_SGD);
    request->optimizers[0].spec.learning_rate = 0.1;
    return drawn;
}

static char *end(struct drawn *drawn)
{
    struct text text = {.size = 0};
    struct descent_task task;

    descent_request_task(&drawn->request, 0, &task);
    assert_int_equal(
        descent_result_make(&drawn->result, &task, NULL, descent_request_every(&drawn->request), drawn->rows, NULL),
        STATUS_OK);
    assert_int_equal(descents_svg(&drawn->request, &drawn->result, NULL, &text, NULL), STATUS_OK);
    descent_result_release(&drawn->result);
    formula_free(drawn->request.own_formula);
    free(drawn);
    return taken(&text);
}

static void a_path_begins_at_its_start_and_ends_with_a_dot(void **state)
{
    char *svg = end(begin("x^2 + 2*y^2", 100));

    (void)state;
    assert_close(attribute(svg, "class=\"line c0\"", "d=\"M"), LEFT + SIZE * 0.75, 0, 0.11);
    assert_close(attribute(svg, "class=\"start\"", "cy=\""), TOP + SIZE * 0.25, 0, 0.11);
    assert_close(attribute(svg, "class=\"dot f0\"", "cx=\""), LEFT + SIZE * 0.5, 0, 0.11);
    assert_non_null(strstr(svg, ">plain<"));
    free(svg);
}

/* From (1, 1) on a bowl the way down is to the left and, on paper, downwards. */
static void arrows_point_downhill(void **state)
{
    struct drawn *drawn = begin("x^2 + y^2", 3);

    (void)state;
    drawn->request.arrows = 10;
    char *svg = end(drawn), *at = strstr(svg, "class=\"arrow\" d=\"M"), *place;
    double numbers[4];

    assert_int_equal(count(svg, "class=\"arrow\""), 1); /* every tenth of three: the start's */
    place = at + strlen("class=\"arrow\" d=\"M");
    for (int i = 0; i < 4; i++) {
        numbers[i] = strtod(place, &place);
        place += *place == 'L';
    }
    assert_true(numbers[2] < numbers[0] - 20 && numbers[3] > numbers[1] + 20);
    assert_close(numbers[0] - numbers[2], numbers[3] - numbers[1], 0, 0.21);
    free(svg);
}

static void without_paths_only_starts_and_ends_are_drawn(void **state)
{
    struct drawn *drawn = begin("x^2 + y^2", 30);

    (void)state;
    drawn->request.path = 0;
    drawn->request.arrows = 1;
    char *svg = end(drawn);
    assert_int_equal(count(svg, "class=\"halo\"") + count(svg, "class=\"arrow\""), 0);
    assert_int_equal(count(svg, "class=\"dot f0\""), 2); /* one in the legend */
    free(svg);
}

/* Whatever is drawn, coordinates are numbers of a moderate size. */
static void pictures_of_anything_have_moderate_numbers(void **state)
{
    static const char *const formulas[] = {"log(x)", "1/(x-1)", "exp(exp(x*9))", "3", "log(-1)", "-x^4*1e30", "sqrt(y-1)"};

    (void)state;
    for (size_t f = 0; f < sizeof formulas / sizeof *formulas; f++) {
        for (int has_box = 0; has_box < 2; has_box++) {
            struct drawn *drawn = begin(formulas[f], 50);

            drawn->request.has_box = has_box;
            drawn->request.arrows = 5;
            drawn->request.optimizers[0].spec.learning_rate = 0.7;
            char *svg = end(drawn);
            const char *body = strstr(svg, "</style>");
            *strstr(svg, ">f at the end<") = '\0'; /* what follows is text */
            assert_null(strstr(body, "nan"));
            assert_null(strstr(body, "inf"));
            assert_null(strstr(body, "e+"));
            free(svg);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contours_stand_where_the_values_are),
        cmocka_unit_test(areas_lie_below_every_second_level),
        cmocka_unit_test(critical_points_are_marked_by_type),
        cmocka_unit_test(the_plot_has_the_boxs_proportions_where_they_are_moderate),
        cmocka_unit_test(formulas_are_text),
        cmocka_unit_test(a_path_begins_at_its_start_and_ends_with_a_dot),
        cmocka_unit_test(arrows_point_downhill),
        cmocka_unit_test(without_paths_only_starts_and_ends_are_drawn),
        cmocka_unit_test(pictures_of_anything_have_moderate_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
