#include "api/cross_entropy_request.h"

#include <math.h>

#include "api/cross_entropy_chart.h"
#include "api/encode_cross_entropy.h"
#include "tests/api/refusal.h"
#include "tests/api/written.h"
#include "tests/assert_close.h"

static enum status decode(const char *body, struct cross_entropy_request *request, struct problem *problem)
{
    problem_init(problem);
    return cross_entropy_request_decode(request, body, strlen(body), problem);
}

static void assert_answer(const char *body, const char *want)
{
    struct cross_entropy_request request;
    struct problem problem;
    struct json_writer writer = {.depth = 0};

    assert_int_equal(decode(body, &request, &problem), STATUS_OK);
    encode_cross_entropy(&request, &writer);
    assert_written(&writer, want);
    cross_entropy_request_release(&request);
    problem_release(&problem);
}

static void one_pair_is_answered_with_numbers_and_lists_with_lists(void **state)
{
    (void)state;
    assert_answer("{\"u\":[1,0],\"v\":[0.5,0.5]}", "{\"object\":\"cross_entropy\",\"cross_entropy\":0.6931471805599453,"
                                                   "\"entropy\":0,\"kl\":0.6931471805599453,\"infinite\":false}");
    assert_answer("{\"u\":[1,0],\"logits\":[20,-20]}", "{\"object\":\"cross_entropy\",\"cross_entropy\":"
                                                       "4.248354255291589e-18,\"entropy\":0,\"kl\":4.248354255291589e-18,"
                                                       "\"infinite\":false}");
    assert_answer("{\"u\":[[1,0],[0,1],[1]],\"v\":[[1,0],[1,0],[1]]}",
                  "{\"object\":\"cross_entropy\",\"cross_entropy\":[0,null,0],\"entropy\":[0,0,0],\"kl\":[0,null,0],"
                  "\"infinite\":[false,true,false]}");
    assert_answer("{\"u\":[[1]],\"v\":[[1]]}", "{\"object\":\"cross_entropy\",\"cross_entropy\":[0],\"entropy\":[0],"
                                               "\"kl\":[0],\"infinite\":[false]}");
}

static void sums_may_be_off_by_what_rounding_does(void **state)
{
    struct cross_entropy_request request;
    struct problem problem;

    (void)state;
    assert_int_equal(
        decode("{\"u\":[0.1,0.2,0.7],\"v\":[0.3333333333333333,0.3333333333333333,0.3333333333333333]}", &request, &problem),
        STATUS_OK);
    cross_entropy_request_release(&request);
    assert_int_equal(decode("{\"u\":[0.5,0.5000000000009],\"v\":[0.5,0.5000000000021]}", &request, &problem),
                     STATUS_VALIDATION_FAILED);
    assert_true(refusal_is_only(&problem, STATUS_OUT_OF_RANGE, "/v"));
    cross_entropy_request_release(&request);
    problem_release(&problem);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *pointer;
    } rows[] = {
        {"7", STATUS_TYPE_MISMATCH, ""},
        {"{\"v\":[1]}", STATUS_MISSING_FIELD, "/u"},
        {"{\"u\":[1]}", STATUS_MISSING_FIELD, "/v"},
        {"{\"u\":[1],\"v\":[1],\"logits\":[1]}", STATUS_CONFLICTING_FIELDS, "/logits"},
        {"{\"u\":[1],\"v\":1}", STATUS_TYPE_MISMATCH, "/v"},
        {"{\"u\":[],\"v\":[1]}", STATUS_OUT_OF_RANGE, "/u"},
        {"{\"u\":[[1],[]],\"v\":[[1],[1]]}", STATUS_OUT_OF_RANGE, "/u/1"},
        {"{\"u\":[[1],{}],\"v\":[[1],[1]]}", STATUS_TYPE_MISMATCH, "/u/1"},
        {"{\"u\":[1],\"v\":[null]}", STATUS_TYPE_MISMATCH, "/v/0"},
        {"{\"u\":[1],\"v\":[-0.1]}", STATUS_OUT_OF_RANGE, "/v/0"},
        {"{\"u\":[1],\"v\":[0.1]}", STATUS_OUT_OF_RANGE, "/v"},
        {"{\"u\":[[1]],\"v\":[[0.1]]}", STATUS_OUT_OF_RANGE, "/v/0"},
        {"{\"u\":[1],\"logits\":[1,2]}", STATUS_CONFLICTING_FIELDS, "/logits"},
        {"{\"u\":[1],\"v\":[[1]]}", STATUS_CONFLICTING_FIELDS, "/v"},
        {"{\"u\":[[1]],\"v\":[[1],[1]]}", STATUS_CONFLICTING_FIELDS, "/v"},
        {"{\"u\":[[1],[1]],\"v\":[[1],[0.5,0.5]]}", STATUS_CONFLICTING_FIELDS, "/v/1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cross_entropy_request request;
        struct problem problem;

        assert_int_not_equal(decode(rows[i].body, &request, &problem), STATUS_OK);
        assert_true(refusal_is_only(&problem, rows[i].status, rows[i].pointer));
        cross_entropy_request_release(&request);
        problem_release(&problem);
    }
}

static void errors_behind_what_is_no_vector_keep_their_places(void **state)
{
    struct cross_entropy_request request;
    struct problem problem;

    (void)state;
    assert_int_not_equal(decode("{\"u\":[[1],{},[1],[]],\"v\":[[1],7,[0.1],[2]]}", &request, &problem), STATUS_OK);
    assert_int_equal(problem.field_total, 5);
    assert_non_null(refusal_find(&problem, STATUS_TYPE_MISMATCH, "/u/1"));
    assert_non_null(refusal_find(&problem, STATUS_OUT_OF_RANGE, "/u/3"));
    assert_non_null(refusal_find(&problem, STATUS_TYPE_MISMATCH, "/v/1"));
    assert_non_null(refusal_find(&problem, STATUS_OUT_OF_RANGE, "/v/2"));
    assert_non_null(refusal_find(&problem, STATUS_OUT_OF_RANGE, "/v/3/0"));
    cross_entropy_request_release(&request);
    problem_release(&problem);
}

/* How often a piece stands in a text. */
static size_t count(const char *text, const char *part)
{
    size_t found = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        found++;
    }
    return found;
}

static void the_picture_marks_what_costs_as_much(void **state)
{
    struct cross_entropy_request request;
    struct problem problem;
    struct text out = {.data = NULL};

    (void)state;
    assert_int_equal(decode("{\"u\":[[1,0],[0,1]],\"v\":[[0.5,0.5],[1,0]]}", &request, &problem), STATUS_OK);
    cross_entropy_chart(&request, &out);
    assert_false(out.failed);
    assert_int_equal(count(out.data, "<path class=\"line c0\""), 2); /* the curve, and in the legend */
    assert_int_equal(count(out.data, "<circle class=\"dot c1\""), 2);
    assert_int_equal(count(out.data, "<circle class=\"dot c2\""), 1); /* infinite: in the legend alone */
    assert_non_null(strstr(out.data, "cx=\"317.0\""));                /* half of the axis */
    assert_non_null(strstr(out.data, ">infinite<"));
    text_release(&out);
    cross_entropy_request_release(&request);
}

static void dear_pairs_stand_in_the_legend_alone(void **state)
{
    struct cross_entropy_request request;
    struct problem problem;
    struct text out = {.data = NULL};

    (void)state;
    assert_int_equal(decode("{\"u\":[[1,0],[1,0]],\"v\":[[1e-17,1],[1e-300,1]]}", &request, &problem), STATUS_OK);
    cross_entropy_chart(&request, &out);
    assert_int_equal(count(out.data, "<circle class=\"dot c1\""), 2);
    assert_int_equal(count(out.data, "<circle class=\"dot c2\""), 1);
    assert_non_null(strstr(out.data, ">690.8<"));
    assert_null(strstr(out.data, ">800<")); /* the axis ends where the first pair wants it */
    assert_non_null(strstr(out.data, ">40<"));
    text_release(&out);
    cross_entropy_request_release(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pair_is_answered_with_numbers_and_lists_with_lists),
        cmocka_unit_test(sums_may_be_off_by_what_rounding_does),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(errors_behind_what_is_no_vector_keep_their_places),
        cmocka_unit_test(dear_pairs_stand_in_the_legend_alone),
        cmocka_unit_test(the_picture_marks_what_costs_as_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
