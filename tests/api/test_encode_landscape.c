#include "api/encode_landscape.h"

#include <math.h>

#include "core/landscape/landscape_facts.h"
#include "tests/api/written.h"

static const struct landscape *named(const char *name)
{
    return landscape_find(name, strlen(name));
}

static const struct formula *formula_of(const char *name)
{
    const struct formula *formula;

    assert_int_equal(landscape_formula(named(name), &formula, NULL), STATUS_OK);
    return formula;
}

static void a_landscape_shows_its_critical_points_by_type(void **state)
{
    struct critical_point known[] = {
        {.x = 1, .y = -2.5, .f = 0.1, .eigenvalues = {2, 8}, .type = CRITICAL_MINIMUM},
        {.x = 0, .y = 0, .f = 3, .eigenvalues = {NAN, NAN}, .type = CRITICAL_NONSMOOTH},
    };
    const struct critical_points points = {.points = known, .count = 2, .complete = 0};
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_landscape(named("saddle"), &points, &writer);
    assert_written(
        &writer,
        "{\"object\":\"landscape\",\"name\":\"saddle\",\"title\":\"Saddle (Goodfellow et al., figure 4.5)\","
        "\"formula\":\"x^2 - y^2\",\"box\":[[-3,3],[-3,3]],\"convex\":false,\"start\":[2,0.001],"
        "\"note\":\"Unbounded below. Descents that start with y = 0 end at the saddle; all others leave it, by a factor of "
        "1 + 2 alpha a step.\","
        "\"complete\":false,\"counts\":{\"minimum\":1,\"maximum\":0,\"saddle\":0,\"degenerate\":0,\"nonsmooth\":1},"
        "\"critical_points\":[{\"x\":1,\"y\":-2.5,\"f\":0.1,\"type\":\"minimum\",\"eigenvalues\":[2,8],"
        "\"max_learning_rate\":0.25,\"condition_number\":4},"
        "{\"x\":0,\"y\":0,\"f\":3,\"type\":\"nonsmooth\",\"eigenvalues\":[null,null]}],"
        "\"links\":{\"self\":\"/v1/landscapes/saddle\",\"point\":\"/v1/landscapes/saddle/point\","
        "\"grid\":\"/v1/landscapes/saddle/grid\"}}");
}

static void a_point_shows_its_derivatives_and_directions(void **state)
{
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_landscape_point(named("saddle"), formula_of("saddle"), 1.5, -2, 4, &writer);
    assert_written(&writer, "{\"object\":\"landscape_point\",\"landscape\":\"saddle\",\"x\":1.5,\"y\":-2,\"f\":-1.75,"
                            "\"gradient\":[3,4],\"gradient_norm\":5,\"hessian\":[[2,0],[0,-2]],\"eigenvalues\":[-2,2],"
                            "\"type\":\"saddle\",\"steepest\":{\"direction\":[0.6,0.8],\"derivative\":5},"
                            "\"directions\":[{\"direction\":[1,0],\"derivative\":3},{\"direction\":[0,1],\"derivative\":4},"
                            "{\"direction\":[-1,0],\"derivative\":-3},{\"direction\":[0,-1],\"derivative\":-4}]}");
}

static void a_grid_goes_row_by_row(void **state)
{
    double box[2][2] = {{0, 2}, {-1e200, 0}};
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_landscape_grid(named("sphere"), formula_of("sphere"), box, 3, 2, &writer);
    assert_written(&writer, "{\"object\":\"landscape_grid\",\"landscape\":\"sphere\",\"x\":[0,1,2],\"y\":[-1e+200,0],"
                            "\"values\":[[null,null,null],[0,1,4]],\"minimum\":0,\"maximum\":4}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_landscape_shows_its_critical_points_by_type),
        cmocka_unit_test(a_point_shows_its_derivatives_and_directions),
        cmocka_unit_test(a_grid_goes_row_by_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
