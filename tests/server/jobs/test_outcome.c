/* The documents and the model that a job leaves behind, and the error of one that failed. */
#include "server/jobs/outcome.h"

#include <cjson/cJSON.h>

#include "core/nn/model_file.h"
#include "server/models/model_load.h"
#include "tests/assert_close.h"
#include "tests/server/jobs/full_disk.h"
#include "tests/server/jobs/submitted.h"

#define BLOBS "\"dataset\":{\"generator\":\"blobs\",\"n\":90,\"classes\":3,\"noise\":0.4,\"seed\":7}"
/* 784*512 parameters: a model of more than a megabyte, which becomes a file. */
#define LARGE                                                                                                               \
    "{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[512,512]},\"split\":{\"validation\":0.1,\"test\":0.1},"             \
    "\"training\":{\"epochs\":1,\"seed\":1}}"

struct trained {
    struct job_request request;
    struct job_data data;
    struct trainer *trainer;
    enum status status; /* of the last step */
};

static void train(struct store *store, const char *body, struct trained *trained, struct error *error)
{
    struct train_progress progress = {0};
    struct train_point point;
    int logged;
    open_request(store, body, &trained->request, &trained->data);
    struct train_data data = job_data_for_training(&trained->data);
    *error = (struct error){0};
    trained->status = trainer_new(&trained->trainer, &trained->request.train, &data, 1, error);
    while (trained->status == STATUS_OK && !progress.finished) {
        trained->status = trainer_step(trained->trainer, &point, &logged, error);
        trainer_progress(trained->trainer, &progress);
    }
}

static void release_trained(struct trained *trained)
{
    trainer_free(trained->trainer);
    job_data_release(&trained->data);
    job_request_release(&trained->request);
}

static struct outcome_facts facts_of(const char *job)
{
    return (struct outcome_facts){.job = job, .name = "my job", .train_seconds = 2, .threads = 3};
}

/* A member by its path, "splits/train/samples"; it must be there. */
static const cJSON *member(const cJSON *tree, const char *path)
{
    char names[100], *rest = names;
    snprintf(names, sizeof(names), "%s", path);
    for (char *name = strsep(&rest, "/"); name != NULL; name = strsep(&rest, "/")) {
        tree = cJSON_GetObjectItemCaseSensitive(tree, name);
        if (tree == NULL) {
            fail_msg("there is no %s", path);
        }
    }
    return tree;
}

static cJSON *parse(const char *text)
{
    assert_non_null(text);
    cJSON *tree = cJSON_Parse(text);
    if (tree == NULL) {
        fail_msg("no JSON: %s", text);
    }
    return tree;
}

static void a_success_leaves_model_and_results_that_agree(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct trained trained;
    struct outcome outcome;
    char job[ID_TEXT];
    add_job(fixture->store, "", "{}", 0, job);
    train(fixture->store, LARGE, &trained, &error);
    assert_int_equal(trained.status, STATUS_OK);
    struct outcome_facts facts = facts_of(job);
    facts.profile = &(struct profile_counts){.steps = 7, .samples = 70, .nanoseconds = 1000, .thread_nanoseconds = 3000};
    assert_ok(outcome_of_success(&outcome, fixture->store, trained.trainer, &facts, &error));

    cJSON *results = parse(outcome.outcome.results);
    assert_string_equal(member(results, "object")->valuestring, "results");
    assert_string_equal(member(results, "job")->valuestring, job);
    assert_string_equal(member(results, "model")->valuestring, outcome.model.id);
    assert_string_equal(member(results, "stop_reason")->valuestring, "epochs");
    assert_string_equal(member(results, "digest/parameters_sha256")->valuestring, outcome.model.digest);
    assert_close(member(results, "digest/step")->valuedouble, (double)outcome.model.step, 0, 1e-9);
    assert_close(member(results, "splits/train/samples")->valuedouble, 72, 0, 1e-9);
    assert_close(member(results, "splits/validation/samples")->valuedouble, 9, 0, 1e-9);
    assert_close(member(results, "splits/test/samples")->valuedouble, 9, 0, 1e-9);
    assert_close(member(results, "timing/train_seconds")->valuedouble, 2, 0, 1e-9);
    assert_string_equal(member(results, "profile/job")->valuestring, job);
    assert_close(member(results, "profile/steps")->valuedouble, 7, 0, 0);
    assert_close(member(results, "profile/threads")->valuedouble, 3, 0, 0);
    assert_in_range((uint64_t)(1e6 * member(results, "profile/peak_gflops")->valuedouble), 1, UINT64_MAX);
    cJSON *scores = parse(outcome.model.scores);
    assert_close(member(scores, "test/loss")->valuedouble, member(results, "splits/test/loss")->valuedouble, 0, 0);
    cJSON_Delete(scores);
    cJSON_Delete(results);
    cJSON *classes = parse(outcome.model.classes);
    assert_int_equal(cJSON_GetArraySize(classes), 3);
    cJSON_Delete(classes);

    assert_string_equal(outcome.model.name, "my job");
    assert_string_equal(outcome.model.kernel_tier, kernel_tier());
    assert_int_equal(outcome.object.size, outcome.model.bytes);
    assert_null(outcome.object.bytes); /* a file */
    set_status(fixture->store, job, JOB_RUNNING);
    struct jobs_change change = {.id = job, .from = JOB_SET(JOB_RUNNING), .to = JOB_SUCCEEDED, .outcome = &outcome.outcome};
    assert_ok(store_wait(fixture->store, jobs_change(&change), &error));
    char id[ID_TEXT], digest[SHA256_TEXT];
    memcpy(id, outcome.model.id, ID_TEXT);
    memcpy(digest, outcome.model.digest, SHA256_TEXT);
    outcome_release(&outcome);
    outcome_release(&outcome); /* again: nothing */
    release_trained(&trained);

    struct model model; /* what was stored is the model */
    assert_ok(model_load(fixture->store, id, &model, &error));
    assert_string_equal(model.digest, digest);
    assert_int_equal(model.spec.classes, 3);
    model_release(&model);
}

static void without_room_there_is_no_outcome_and_no_trace(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct trained trained;
    struct outcome outcome;
    train(fixture->store, LARGE, &trained, &error);
    struct outcome_facts facts = facts_of("job_00000000000000000000");
    disk_is_full(100000);
    assert_status(STATUS_INSUFFICIENT_STORAGE,
                  outcome_of_success(&outcome, fixture->store, trained.trainer, &facts, &error));
    disk_has_room();
    outcome_release(&outcome);
    assert_int_equal(count_files(fixture, "tmp"), 0);
    assert_ok(outcome_of_success(&outcome, fixture->store, trained.trainer, &facts, &error)); /* it can be made again */
    outcome_release(&outcome);
    assert_int_equal(count_files(fixture, "tmp"), 0);
    release_trained(&trained);
}

static void a_failure_says_its_code_and_words(void **state)
{
    struct error error = {0};
    struct outcome outcome;
    (void)state;
    (void)error_set(&error, STATUS_OBJECT_CORRUPT, "a \"quoted\" name\nand more");
    outcome_of_failure(&outcome, &error, NULL, &(struct outcome_checkpoint){.step = 7});
    assert_null(outcome.outcome.results);
    assert_null(outcome.outcome.model);
    cJSON *document = parse(outcome.outcome.error);
    assert_string_equal(member(document, "code")->valuestring, "object_corrupt");
    assert_string_equal(member(document, "message")->valuestring, "a \"quoted\" name\nand more");
    assert_null(cJSON_GetObjectItemCaseSensitive(document, "step"));
    assert_null(cJSON_GetObjectItemCaseSensitive(document, "checkpoint"));
    cJSON_Delete(document);
    outcome_release(&outcome);
}

static void a_divergence_says_where_it_happened(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct trained trained;
    struct outcome outcome;
    train(fixture->store,
          "{" BLOBS ",\"model\":{\"type\":\"mlp\",\"hidden\":[8]},\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":1e20},"
          "\"training\":{\"epochs\":50,\"batch_size\":10,\"seed\":1}}",
          &trained, &error);
    assert_int_equal(trained.status, STATUS_DIVERGED);
    outcome_of_failure(&outcome, &error, trained.trainer, &(struct outcome_checkpoint){.step = 0});
    cJSON *without = parse(outcome.outcome.error);
    assert_true(cJSON_IsNull(member(without, "checkpoint")));
    cJSON_Delete(without);
    outcome_release(&outcome);
    outcome_of_failure(&outcome, &error, trained.trainer, &(struct outcome_checkpoint){.step = 12, .sha256 = "abc"});
    cJSON *document = parse(outcome.outcome.error);
    assert_string_equal(member(document, "code")->valuestring, "diverged");
    assert_close(member(document, "step")->valuedouble, (double)trainer_divergence(trained.trainer)->step + 1, 0, 1e-9);
    assert_close(member(document, "learning_rate")->valuedouble, 1e20, 1e-12, 0);
    assert_int_equal(cJSON_GetArraySize(member(document, "rows")), 10);
    assert_true(cJSON_IsArray(member(document, "gradient_norms")));
    assert_true(cJSON_IsString(member(document, "suggestion")));
    member(document, "layer");
    assert_close(member(document, "checkpoint/step")->valuedouble, 12, 0, 1e-9);
    assert_string_equal(member(document, "checkpoint/sha256")->valuestring, "abc");
    cJSON_Delete(document);
    outcome_release(&outcome);
    release_trained(&trained);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_tier, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_success_leaves_model_and_results_that_agree),
        TEST(without_room_there_is_no_outcome_and_no_trace),
        TEST(a_failure_says_its_code_and_words),
        TEST(a_divergence_says_where_it_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
