#include "api/encode_descent.h"

#include <math.h>

#include "api/job_request_tables.h"
#include "tests/api/written.h"

static double starts[2][2] = {{1, 2}, {3, 4}};

static struct descent_request request_of(size_t start_count)
{
    struct descent_request request = {.text = "x^2 + y^2",
                                      .starts = starts,
                                      .start_count = start_count,
                                      .steps = 7,
                                      .every = 4,
                                      .path = 1,
                                      .optimizer_count = 1,
                                      .optimizers = {{.name = "plain", .variant = OPTIMIZER_GD}}};

    optimizer_defaults(&request.optimizers[0].spec, OPTIMIZER_SGD);
    request.optimizers[0].spec.learning_rate = 0.25;
    return request;
}

static void a_descent_is_told_whole(void **state)
{
    struct descent_request request = request_of(1);
    struct descent_row path[] = {{1, 2, 5, 4.5, 0}, {0.5, 1, 1.25, 2.25, 1.5}};
    struct descent_result result = {
        .path = path,
        .path_count = 2,
        .taken = 4,
        .stop = DESCENT_GRADIENT_NORM,
        .end = {.eigenvalues = {2, 2}, .is_critical = 1, .type = CRITICAL_MINIMUM},
        .has_nearest = 1,
        .nearest = {.x = 0, .y = 0, .f = 0, .type = CRITICAL_MINIMUM},
        .nearest_distance = 1.125,
        .rate = 0.5,
        .has_theory = 1,
        .theory = {0.5, 1, 1, 1, {0.5, 0, 0}},
    };
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_descents(&request, &result, &(struct critical_points){.count = 3, .complete = 1}, &writer);
    assert_written(
        &writer,
        "{\"object\":\"descents\",\"landscape\":null,\"f\":\"x^2 + y^2\",\"box\":null,\"steps\":7,\"every\":4,"
        "\"noise\":{\"type\":\"uniform\",\"scale\":0},\"seed\":0,\"known_critical_points\":{\"count\":3,\"complete\":true},"
        "\"descents\":[{\"name\":\"plain\",\"optimizer\":{\"type\":"
        "\"gd\","
        "\"learning_rate\":0.25,\"momentum\":0,\"nesterov\":false,\"weight_decay\":0},\"start\":[1,2],"
        "\"stop_reason\":\"gradient_norm\",\"steps\":4,\"end\":{\"x\":0.5,\"y\":1,\"f\":1.25,\"gradient_norm\":2.25,"
        "\"type\":\"minimum\",\"eigenvalues\":[2,2],\"nearest\":{\"x\":0,\"y\":0,\"f\":0,\"type\":\"minimum\",\"distance\":"
        "1.125}},"
        "\"rate\":{\"measured\":0.5,\"theory\":{\"rate\":0.5,\"condition_number\":1,\"largest_learning_rate\":1,"
        "\"best\":{\"learning_rate\":0.5,\"momentum\":0,\"rate\":0}}},\"path\":[[1,2,5,4.5],[0.5,1,1.25,2.25]],"
        "\"step_sizes\":[1.5]}]}");
}

static void what_is_not_known_is_null(void **state)
{
    struct descent_request request = request_of(2);
    struct descent_row path[] = {{1, 2, NAN, INFINITY, 0}};
    struct descent_result result = {.path = path,
                                    .path_count = 1,
                                    .stop = DESCENT_DIVERGED,
                                    .end = {.eigenvalues = {NAN, NAN}, .type = CRITICAL_NONSMOOTH},
                                    .rate = NAN};
    struct descent_result results[2] = {result, result};
    struct json_writer writer = {.depth = 0};

    (void)state;
    request.path = 0;
    encode_descents(&request, results, NULL, &writer);
    assert_has(&writer, "\"known_critical_points\":null");
    assert_has(&writer, "\"every\":null");
    assert_has(&writer, "\"start\":[3,4],\"stop_reason\":\"diverged\",\"steps\":0,\"end\":{\"x\":1,\"y\":2,\"f\":null,"
                        "\"gradient_norm\":null,\"type\":null,\"eigenvalues\":[null,null],\"nearest\":null},"
                        "\"rate\":{\"measured\":null,\"theory\":null}}]}");
    discard(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descent_is_told_whole),
        cmocka_unit_test(what_is_not_known_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
