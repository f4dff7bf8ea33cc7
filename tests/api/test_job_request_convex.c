/* Jobs for solvers of convex models: what they take by themselves, and what they refuse. */
#include "api/job_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/job_request_tables.h"
#include "api/json_writer.h"
#include "tests/api/refusal.h"
#include "tests/assert_close.h"

#define BLOBS "\"dataset\":{\"generator\":\"blobs\",\"n\":300,\"classes\":3}"

struct job {
    struct job_request request;
    struct problem problem;
    struct buffer_sink block;
    struct dataset dataset;
    struct split split;
};

static void job_release(struct job *job)
{
    job_request_release(&job->request);
    problem_release(&job->problem);
    split_release(&job->split);
    dataset_release(&job->dataset);
    buffer_sink_release(&job->block);
}

/* A job of these members besides its data: decoded, then resolved where that went well. */
static enum status job_resolve(struct job *job, const char *members)
{
    char body[1024];
    struct error error = {.status = STATUS_OK};
    enum status status;

    *job = (struct job){.split = {.train_count = 0}};
    problem_init(&job->problem);
    (void)snprintf(body, sizeof body, "{" BLOBS ",%s}", members);
    status = job_request_decode(&job->request, body, strlen(body), &job->problem);
    if (status != STATUS_OK) {
        return status;
    }
    assert_int_equal(generator_write(&job->request.dataset.generator, buffer_sink(&job->block), &error), STATUS_OK);
    assert_int_equal(dataset_open(&job->dataset, job->block.data, job->block.size, &error), STATUS_OK);
    assert_int_equal(split_make(&job->split, &job->dataset, &job->request.split, job->request.train.seed, &error),
                     STATUS_OK);
    return job_request_resolve(&job->request, &job->dataset, &job->split, NULL, &job->problem);
}

#define SOFTMAX   "\"model\":{\"type\":\"softmax_regression\"},"
#define LBFGS     "\"optimizer\":{\"type\":\"lbfgs\"}"
#define NEWTON_CG "\"optimizer\":{\"type\":\"newton_cg\"}"

static void solvers_have_defaults_of_their_own(void **state)
{
    static const struct {
        const char *members;
        enum optimizer_type type;
        uint32_t history, epochs;
        double tolerance;
    } ROWS[] = {
        {SOFTMAX LBFGS, OPTIMIZER_LBFGS, 10, CONVEX_DEFAULT_EPOCHS, 1e-8},
        {SOFTMAX NEWTON_CG, OPTIMIZER_NEWTON_CG, 0, CONVEX_DEFAULT_EPOCHS, 1e-8},
        {"\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\"}]}," LBFGS ",\"training\":{\"seed\":3}",
         OPTIMIZER_LBFGS, 10, CONVEX_DEFAULT_EPOCHS, 1e-8},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"history\":3,\"tolerance\":0},\"training\":{\"epochs\":7,"
                 "\"batch_size\":\"full\"},\"schedule\":{\"type\":\"constant\"}",
         OPTIMIZER_LBFGS, 3, 7, 0},
        {SOFTMAX NEWTON_CG ",\"training\":{\"epochs\":10,\"batch_size\":240},\"split\":{\"validation\":0.2}",
         OPTIMIZER_NEWTON_CG, 0, 10, 1e-8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct job job;
        const struct train_spec *train = &job.request.train;

        assert_int_equal(job_resolve(&job, ROWS[i].members), STATUS_OK);
        assert_int_equal(train->optimizer.type, ROWS[i].type);
        assert_int_equal(train->optimizer.history, ROWS[i].history);
        assert_close(train->optimizer.tolerance, ROWS[i].tolerance, 0, 0);
        assert_int_equal(train->epochs, ROWS[i].epochs);
        assert_int_equal(train->batch_size, job.split.train_count);
        job_release(&job);
    }
}

static void a_resolved_spec_says_it_all_and_decodes_into_itself(void **state)
{
    struct job job, again;
    struct json_writer writer = {0}, second = {0};
    char *text, *twice;

    (void)state;
    assert_int_equal(job_resolve(&job, SOFTMAX LBFGS), STATUS_OK);
    job_request_encode(&job.request, NULL, NULL, &writer);
    text = json_writer_text(&writer);
    assert_non_null(strstr(text, "\"optimizer\":{\"type\":\"lbfgs\",\"history\":10,\"tolerance\":1e-08}"));
    assert_non_null(strstr(text, "\"epochs\":2000,\"batch_size\":\"full\""));
    again = (struct job){.split = {.train_count = 0}};
    problem_init(&again.problem);
    assert_int_equal(job_request_decode(&again.request, text, strlen(text), &again.problem), STATUS_OK);
    job_request_encode(&again.request, NULL, NULL, &second);
    twice = json_writer_text(&second);
    assert_string_equal(twice, text);
    free(text);
    free(twice);
    job_release(&job);
    job_release(&again);
}

static void what_a_solver_cannot_do_is_refused_at_its_place(void **state)
{
    static const struct {
        const char *members;
        enum status status;
        const char *pointer;
    } ROWS[] = {
        {"\"model\":{\"type\":\"mlp\",\"hidden\":[4]}," LBFGS, STATUS_CONFLICTING_FIELDS, "/optimizer/type"},
        {"\"model\":{\"type\":\"mlp\",\"hidden\":[4]}," NEWTON_CG, STATUS_CONFLICTING_FIELDS, "/optimizer/type"},
        {"\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dense\",\"units\":3},{\"type\":\"dense\"}]}," LBFGS,
         STATUS_CONFLICTING_FIELDS, "/optimizer/type"},
        {"\"model\":{\"type\":\"layers\",\"layers\":[{\"type\":\"dropout\",\"rate\":0.1},{\"type\":\"dense\"}]}," LBFGS,
         STATUS_CONFLICTING_FIELDS, "/optimizer/type"},
        {SOFTMAX LBFGS ",\"training\":{\"batch_size\":128}", STATUS_CONFLICTING_FIELDS, "/training/batch_size"},
        {SOFTMAX LBFGS ",\"training\":{\"clip_norm\":1}", STATUS_CONFLICTING_FIELDS, "/training/clip_norm"},
        {SOFTMAX LBFGS ",\"training\":{\"shuffle\":\"with_replacement\"}", STATUS_CONFLICTING_FIELDS, "/training/shuffle"},
        {SOFTMAX LBFGS ",\"kind\":\"lr_range_test\"", STATUS_CONFLICTING_FIELDS, "/kind"},
        {SOFTMAX LBFGS ",\"diagnostics\":[\"sharpness\"]", STATUS_CONFLICTING_FIELDS, "/diagnostics"},
        {SOFTMAX LBFGS ",\"schedule\":{\"type\":\"cosine\"}", STATUS_CONFLICTING_FIELDS, "/schedule/type"},
        {SOFTMAX LBFGS ",\"schedule\":{\"warmup_steps\":5}", STATUS_CONFLICTING_FIELDS, "/schedule/warmup_steps"},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"learning_rate\":1}", STATUS_UNKNOWN_FIELD, "/optimizer/learning_rate"},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"weight_decay\":1}", STATUS_UNKNOWN_FIELD, "/optimizer/weight_decay"},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"momentum\":0.9}", STATUS_UNKNOWN_FIELD, "/optimizer/momentum"},
        {SOFTMAX "\"optimizer\":{\"type\":\"newton_cg\",\"history\":3}", STATUS_UNKNOWN_FIELD, "/optimizer/history"},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"history\":0}", STATUS_OUT_OF_RANGE, "/optimizer/history"},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"history\":101}", STATUS_OUT_OF_RANGE, "/optimizer/history"},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"history\":2.5}", STATUS_NOT_INTEGER, "/optimizer/history"},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"tolerance\":-1}", STATUS_OUT_OF_RANGE, "/optimizer/tolerance"},
        {SOFTMAX "\"optimizer\":{\"type\":\"lbfgs\",\"tolerance\":\"1e-9\"}", STATUS_TYPE_MISMATCH, "/optimizer/tolerance"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct job job;

        assert_int_not_equal(job_resolve(&job, ROWS[i].members), STATUS_OK);
        assert_true(refusal_is_only(&job.problem, ROWS[i].status, ROWS[i].pointer));
        job_release(&job);
    }
}

static void all_conflicts_come_at_once(void **state)
{
    struct job job;

    (void)state;
    assert_int_not_equal(job_resolve(&job,
                                     "\"model\":{\"type\":\"mlp\",\"hidden\":[4]}," LBFGS
                                     ",\"schedule\":{\"type\":\"cosine\",\"warmup_steps\":3},\"training\":{\"clip_norm\":2,"
                                     "\"shuffle\":\"with_replacement\"}"),
                         STATUS_OK);
    assert_int_equal(job.problem.field_total, 5);
    job_release(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solvers_have_defaults_of_their_own),
        cmocka_unit_test(a_resolved_spec_says_it_all_and_decodes_into_itself),
        cmocka_unit_test(what_a_solver_cannot_do_is_refused_at_its_place),
        cmocka_unit_test(all_conflicts_come_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
