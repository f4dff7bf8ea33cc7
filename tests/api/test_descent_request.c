#include "api/descent_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/job_request_tables.h"
#include "core/landscape/descent_result.h"
#include "tests/api/refusal.h"
#include "tests/assert_close.h"

struct decoded {
    struct descent_request request;
    struct problem problem;
    struct formula *formula; /* of the landscape */
};

/* name NULL: the body has a formula. */
static enum status decode(struct decoded *decoded, const char *name, const char *text)
{
    const struct landscape *landscape = name != NULL ? landscape_find(name, strlen(name)) : NULL;
    struct error error = {.status = STATUS_OK};
    char *body = strdup(text); /* a block of its own: reading beyond it is seen */

    assert_non_null(body);
    decoded->formula = NULL;
    if (landscape != NULL) {
        assert_int_equal(formula_compile(&decoded->formula, landscape->formula, strlen(landscape->formula), &error),
                         STATUS_OK);
    }
    problem_init(&decoded->problem);
    enum status status =
        descent_request_decode(&decoded->request, landscape, decoded->formula, body, strlen(body), &decoded->problem);
    free(body);
    assert_int_equal(status, decoded->problem.status);
    for (size_t i = 0; status != STATUS_OK && i < decoded->problem.field_count; i++) {
        assert_true(decoded->problem.fields[i].has_pointer);
    }
    return status;
}

static void release(struct decoded *decoded)
{
    descent_request_release(&decoded->request);
    problem_release(&decoded->problem);
    formula_free(decoded->formula);
}

static void assert_good(struct decoded *decoded, const char *name, const char *text)
{
    if (decode(decoded, name, text) != STATUS_OK) {
        (void)refusal_is_only(&decoded->problem, STATUS_OK, ""); /* prints */
        fail();
    }
}

static void the_least_request_gets_every_default(void **state)
{
    struct decoded d;
    struct descent_task task;

    (void)state;
    assert_good(&d, "rosenbrock", "{\"optimizers\":[{}]}");
    assert_int_equal(d.request.steps, 500);
    assert_int_equal(d.request.start_count, 1);
    assert_close(d.request.starts[0][0], d.request.landscape->start[0], 0, 0);
    assert_close(d.request.box[1][1], 3, 0, 0);
    assert_true(d.request.has_no_gradient_norm && d.request.every_auto && d.request.path);
    assert_close(d.request.noise.scale, 0, 0, 0);
    assert_string_equal(d.request.optimizers[0].name, "sgd");
    assert_close(d.request.optimizers[0].spec.learning_rate, 0.05, 0, 0);
    descent_request_task(&d.request, 0, &task);
    assert_close(task.gradient_norm, -1, 0, 0);
    assert_int_equal(task.schedule.type, SCHEDULE_CONSTANT);
    release(&d);
}

static void a_formula_of_ones_own_is_compiled(void **state)
{
    struct decoded d;

    (void)state;
    assert_good(&d, NULL, "{\"f\":\"x^2 + y\",\"start\":[1,2],\"optimizers\":[{\"type\":\"adam\"}]}");
    assert_close(formula_value(d.request.formula, 3, 4), 13, 0, 0);
    assert_string_equal(d.request.text, "x^2 + y");
    assert_false(d.request.has_box);
    release(&d);
}

static void optimizers_are_decoded_as_a_jobs(void **state)
{
    struct decoded d;

    (void)state;
    assert_good(&d, "sphere",
                "{\"optimizers\":[{\"type\":\"sgd\",\"learning_rate\":0.5,\"momentum\":0.9,\"nesterov\":\"lecture\"},"
                "{\"type\":\"adamw\",\"name\":\"mine\"},{\"type\":\"sgd\"},{\"type\":\"gd\",\"schedule\":"
                "{\"type\":\"cosine\",\"warmup_steps\":3}}]}");
    assert_int_equal(d.request.optimizer_count, 4);
    assert_int_equal(d.request.optimizers[0].spec.nesterov, NESTEROV_LECTURE);
    assert_close(d.request.optimizers[1].spec.weight_decay, 0.01, 0, 0);
    assert_string_equal(d.request.optimizers[0].name, "sgd");
    assert_string_equal(d.request.optimizers[1].name, "mine");
    assert_string_equal(d.request.optimizers[2].name, "sgd 2");
    assert_string_equal(d.request.optimizers[3].name, "gd");
    assert_int_equal(d.request.optimizers[3].schedule.type, SCHEDULE_COSINE);
    assert_int_equal(d.request.optimizers[3].schedule.warmup_steps, 3);
    release(&d);
}

/* The order of an answer: start by start, and all optimizers of a start see the same noise. */
static void tasks_go_start_by_start(void **state)
{
    struct decoded d;
    struct descent_task task;

    (void)state;
    assert_good(&d, "sphere",
                "{\"starts\":[[1,2],[3,4]],\"noise\":0.5,\"seed\":9,\"gradient_norm\":1e-8,"
                "\"optimizers\":[{},{\"type\":\"adam\"},{\"type\":\"rmsprop\"}]}");
    descent_request_task(&d.request, 4, &task);
    assert_close(task.start[0], 3, 0, 0);
    assert_close(task.start[1], 4, 0, 0);
    assert_int_equal(task.optimizer.type, OPTIMIZER_ADAM);
    assert_int_equal(task.stream, 1);
    assert_int_equal(task.seed, 9);
    assert_int_equal(task.noise.type, NOISE_UNIFORM);
    assert_close(task.noise.scale, 0.5, 0, 0);
    assert_close(task.gradient_norm, 1e-8, 0, 0);
    release(&d);
}

static void noise_may_be_normal(void **state)
{
    struct decoded d;

    (void)state;
    assert_good(&d, "sphere", "{\"noise\":{\"type\":\"normal\",\"scale\":2},\"optimizers\":[{}]}");
    assert_int_equal(d.request.noise.type, NOISE_NORMAL);
    assert_close(d.request.noise.scale, 2, 0, 0);
    release(&d);
}

static void random_starts_lie_in_their_box(void **state)
{
    struct decoded d, again;

    (void)state;
    assert_good(&d, "sphere", "{\"starts\":{\"random\":50,\"box\":[[1,2],[-2,-1]],\"seed\":3},\"optimizers\":[{}]}");
    assert_good(&again, "sphere", "{\"starts\":{\"random\":50,\"box\":[[1,2],[-2,-1]]},\"seed\":3,\"optimizers\":[{}]}");
    assert_int_equal(d.request.start_count, 50);
    for (size_t i = 0; i < 50; i++) {
        assert_true(d.request.starts[i][0] >= 1 && d.request.starts[i][0] < 2);
        assert_true(d.request.starts[i][1] >= -2 && d.request.starts[i][1] < -1);
    }
    assert_memory_equal(d.request.starts, again.request.starts, 50 * sizeof *d.request.starts); /* the same seed */
    release(&d);
    release(&again);
}

static void paths_keep_as_many_rows_as_an_answer_bears(void **state)
{
    static const struct {
        const char *text;
        uint64_t every;
    } cases[] = {
        {"{\"steps\":500,\"optimizers\":[{}]}", 1},
        {"{\"steps\":0,\"optimizers\":[{}]}", 1},
        {"{\"steps\":10000,\"optimizers\":[{},{},{},{},{},{},{},{}]}", 5},
        {"{\"steps\":100000,\"optimizers\":[{}]}", 6},
        {"{\"steps\":500,\"every\":7,\"optimizers\":[{}]}", 7},
        {"{\"steps\":500,\"path\":false,\"optimizers\":[{}]}", 0},
        {"{\"steps\":100,\"starts\":{\"random\":10000},\"optimizers\":[{},{}]}", 101},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decoded d;

        assert_good(&d, "sphere", cases[i].text);
        assert_int_equal(descent_request_every(&d.request), cases[i].every);
        if (d.request.every_auto && d.request.path) {
            uint64_t rows = descent_path_rows(d.request.steps, cases[i].every);

            assert_true(rows <= 2 || rows * d.request.start_count * d.request.optimizer_count <= DESCENT_AUTO_ROWS);
        }
        release(&d);
    }
}

static void what_is_wrong_is_told_at_its_place(void **state)
{
    static const struct {
        const char *landscape, *text;
        enum status status;
        const char *pointer;
    } cases[] = {
        {"sphere", "[]", STATUS_TYPE_MISMATCH, ""},
        {"sphere", "{}", STATUS_MISSING_FIELD, "/optimizers"},
        {"sphere", "{\"f\":\"x\",\"optimizers\":[{}]}", STATUS_UNKNOWN_FIELD, "/f"},
        {"sphere", "{\"optimizers\":{}}", STATUS_TYPE_MISMATCH, "/optimizers"},
        {"sphere", "{\"optimizers\":[]}", STATUS_OUT_OF_RANGE, "/optimizers"},
        {"sphere", "{\"optimizers\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}", STATUS_OUT_OF_RANGE,
         "/optimizers"},
        {"sphere", "{\"optimizers\":[3]}", STATUS_TYPE_MISMATCH, "/optimizers/0"},
        {"sphere", "{\"optimizers\":[{},{\"type\":\"adom\"}]}", STATUS_UNKNOWN_VALUE, "/optimizers/1/type"},
        {"sphere", "{\"optimizers\":[{\"type\":\"muon\"}]}", STATUS_NOT_SUPPORTED, "/optimizers/0/type"},
        {"sphere", "{\"optimizers\":[{\"learning_rate\":0}]}", STATUS_OUT_OF_RANGE, "/optimizers/0/learning_rate"},
        {"sphere", "{\"optimizers\":[{\"beta1\":0.9}]}", STATUS_UNKNOWN_FIELD, "/optimizers/0/beta1"},
        {"sphere", "{\"optimizers\":[{\"name\":\"<b>\"}]}", STATUS_NAME_INVALID, "/optimizers/0/name"},
        {"sphere", "{\"optimizers\":[{\"schedule\":{\"type\":\"x\"}}]}", STATUS_UNKNOWN_VALUE,
         "/optimizers/0/schedule/type"},
        {"sphere", "{\"optimizers\":[{\"type\":\"schedule_free_sgd\",\"schedule\":{\"type\":\"cosine\"}}]}",
         STATUS_CONFLICTING_FIELDS, "/optimizers/0/schedule"},
        {"sphere", "{\"start\":1,\"optimizers\":[{}]}", STATUS_TYPE_MISMATCH, "/start"},
        {"sphere", "{\"start\":[1],\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/start"},
        {"sphere", "{\"start\":[1,\"2\"],\"optimizers\":[{}]}", STATUS_TYPE_MISMATCH, "/start/1"},
        {"sphere", "{\"start\":[1,1e101],\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/start/1"},
        {"sphere", "{\"start\":[1,1e999],\"optimizers\":[{}]}", STATUS_NUMBER_OUT_OF_RANGE, "/start/1"},
        {"sphere", "{\"start\":[1,1],\"starts\":[[1,1]],\"optimizers\":[{}]}", STATUS_CONFLICTING_FIELDS, "/starts"},
        {"sphere", "{\"starts\":[],\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/starts"},
        {"sphere", "{\"starts\":[[1,1],[1]],\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/starts/1"},
        {"sphere", "{\"starts\":{},\"optimizers\":[{}]}", STATUS_MISSING_FIELD, "/starts/random"},
        {"sphere", "{\"starts\":{\"random\":0},\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/starts/random"},
        {"sphere", "{\"starts\":{\"random\":10001},\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/starts/random"},
        {"sphere", "{\"starts\":{\"random\":2,\"box\":[[2,1],[0,1]]},\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE,
         "/starts/box/0"},
        {"sphere", "{\"starts\":\"many\",\"optimizers\":[{}]}", STATUS_TYPE_MISMATCH, "/starts"},
        {"sphere", "{\"box\":[[0,1]],\"optimizers\":[{}]}", STATUS_TYPE_MISMATCH, "/box"},
        {"sphere", "{\"steps\":100001,\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/steps"},
        {"sphere", "{\"steps\":1.5,\"optimizers\":[{}]}", STATUS_NOT_INTEGER, "/steps"},
        {"sphere", "{\"noise\":-1,\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/noise"},
        {"sphere", "{\"noise\":{\"scale\":1,\"type\":\"cauchy\"},\"optimizers\":[{}]}", STATUS_UNKNOWN_VALUE, "/noise/type"},
        {"sphere", "{\"noise\":{},\"optimizers\":[{}]}", STATUS_MISSING_FIELD, "/noise/scale"},
        {"sphere", "{\"noise\":\"much\",\"optimizers\":[{}]}", STATUS_TYPE_MISMATCH, "/noise"},
        {"sphere", "{\"gradient_norm\":-1,\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/gradient_norm"},
        {"sphere", "{\"every\":0,\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/every"},
        {"sphere", "{\"steps\":100000,\"every\":1,\"optimizers\":[{},{}]}", STATUS_OUT_OF_RANGE, "/every"},
        {"sphere", "{\"steps\":100000,\"starts\":{\"random\":1000},\"optimizers\":[{}]}", STATUS_OUT_OF_RANGE, "/steps"},
        {"sphere", "{\"steps\":1,\"starts\":{\"random\":10000},\"optimizers\":[{},{},{}]}", STATUS_OUT_OF_RANGE, "/starts"},
        {NULL, "{\"start\":[1,1],\"optimizers\":[{}]}", STATUS_MISSING_FIELD, "/f"},
        {NULL, "{\"f\":1,\"start\":[1,1],\"optimizers\":[{}]}", STATUS_TYPE_MISMATCH, "/f"},
        {NULL, "{\"f\":\"x+\",\"start\":[1,1],\"optimizers\":[{}]}", STATUS_FORMULA_INVALID, "/f"},
        {NULL, "{\"f\":\"x\",\"optimizers\":[{}]}", STATUS_MISSING_FIELD, "/start"},
        {NULL, "{\"f\":\"x\",\"starts\":{\"random\":3},\"optimizers\":[{}]}", STATUS_MISSING_FIELD, "/starts/box"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decoded d;

        assert_int_not_equal(decode(&d, cases[i].landscape, cases[i].text), STATUS_OK);
        if (!refusal_is_only(&d.problem, cases[i].status, cases[i].pointer)) {
            print_error("%s\n", cases[i].text);
            fail();
        }
        release(&d);
    }
}

static void a_formula_is_refused_with_the_place_in_it(void **state)
{
    struct decoded d;

    (void)state;
    (void)decode(&d, NULL, "{\"f\":\"x^2 + * y\",\"start\":[1,1],\"optimizers\":[{}]}");
    assert_non_null(strstr(d.problem.fields[0].extra, "\"offset\":6"));
    release(&d);
}

static void a_formula_that_is_too_long_is_refused(void **state)
{
    char text[FORMULA_MAX_LENGTH + 200], sum[FORMULA_MAX_LENGTH + 3];
    struct decoded d;

    (void)state;
    memset(sum, ' ', sizeof sum);
    sum[0] = 'x';
    sum[FORMULA_MAX_LENGTH + 1] = '\0';
    (void)snprintf(text, sizeof text, "{\"f\":\"%s\",\"start\":[1,1],\"optimizers\":[{}]}", sum);
    (void)decode(&d, NULL, text);
    assert_true(refusal_is_only(&d.problem, STATUS_STRING_TOO_LONG, "/f"));
    release(&d);
    sum[FORMULA_MAX_LENGTH] = '\0';
    (void)snprintf(text, sizeof text, "{\"f\":\"%s\",\"start\":[1,1],\"optimizers\":[{}]}", sum);
    assert_good(&d, NULL, text);
    release(&d);
}

static void all_errors_come_at_once(void **state)
{
    struct decoded d;

    (void)state;
    (void)decode(&d, NULL,
                 "{\"f\":\"(\",\"stat\":1,\"noise\":[],\"steps\":-1,\"optimizers\":[{\"momentum\":1},{\"type\":7}]}");
    assert_non_null(refusal_find(&d.problem, STATUS_FORMULA_INVALID, "/f"));
    assert_non_null(refusal_find(&d.problem, STATUS_UNKNOWN_FIELD, "/stat"));
    assert_non_null(refusal_find(&d.problem, STATUS_MISSING_FIELD, "/start"));
    assert_non_null(refusal_find(&d.problem, STATUS_TYPE_MISMATCH, "/noise"));
    assert_non_null(refusal_find(&d.problem, STATUS_OUT_OF_RANGE, "/steps"));
    assert_non_null(refusal_find(&d.problem, STATUS_OUT_OF_RANGE, "/optimizers/0/momentum"));
    assert_non_null(refusal_find(&d.problem, STATUS_TYPE_MISMATCH, "/optimizers/1/type"));
    assert_int_equal(d.problem.field_total, 7);
    release(&d);
}

/* Every rule that is updated element by element can descend; which those are, the table says. */
static void every_element_wise_optimizer_can_descend(void **state)
{
    (void)state;
    for (int type = 0; type < OPTIMIZER_COUNT; type++) {
        char text[128];
        struct decoded d;

        (void)snprintf(text, sizeof text, "{\"optimizers\":[{\"type\":\"%s\"}]}", optimizer_name((enum optimizer_type)type));
        enum status status = decode(&d, "sphere", text);
        assert_true((status == STATUS_OK) == optimizer_has((enum optimizer_type)type, OPTIMIZER_ELEMENT_WISE));
        release(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_request_gets_every_default),
        cmocka_unit_test(a_formula_of_ones_own_is_compiled),
        cmocka_unit_test(optimizers_are_decoded_as_a_jobs),
        cmocka_unit_test(tasks_go_start_by_start),
        cmocka_unit_test(noise_may_be_normal),
        cmocka_unit_test(random_starts_lie_in_their_box),
        cmocka_unit_test(paths_keep_as_many_rows_as_an_answer_bears),
        cmocka_unit_test(what_is_wrong_is_told_at_its_place),
        cmocka_unit_test(a_formula_is_refused_with_the_place_in_it),
        cmocka_unit_test(a_formula_that_is_too_long_is_refused),
        cmocka_unit_test(all_errors_come_at_once),
        cmocka_unit_test(every_element_wise_optimizer_can_descend),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
