#include "api/encode_job.h"

#include <math.h>
#include <stdio.h>

#include "api/job_states.h"

#include "tests/api/written.h"

static struct job_view queued_job(void)
{
    const double unknown = (double)NAN;

    return (struct job_view){
        .id = "job_0123456789abcdefghij",
        .status = JOB_QUEUED,
        .version = 1,
        .created_at = 1772357400125,
        .progress = {.total_steps = 30,
                     .samples_per_second = unknown,
                     .eta_seconds = unknown,
                     .train_loss = unknown,
                     .train_accuracy = unknown,
                     .validation_loss = unknown,
                     .validation_accuracy = unknown,
                     .learning_rate = unknown,
                     .gradient_norm = unknown},
        .seed = 42,
    };
}

static void a_queued_job_has_every_member_and_null_for_what_is_not_yet(void **state)
{
    struct job_view job = queued_job();
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_job(&job, &writer);
    assert_written(
        &writer,
        "{\"object\":\"job\",\"id\":\"job_0123456789abcdefghij\",\"name\":null,\"status\":\"queued\",\"pause_reason\":null,"
        "\"version\":1,\"created_at\":\"2026-03-01T09:30:00.125Z\",\"started_at\":null,\"finished_at\":null,"
        "\"progress\":0,\"epoch\":0,\"step\":0,\"total_steps\":30,\"samples_seen\":0,\"samples_per_second\":null,"
        "\"eta_seconds\":null,\"latest\":{\"train_loss\":null,\"train_accuracy\":null,\"validation_loss\":null,"
        "\"validation_accuracy\":null,\"learning_rate\":null,\"gradient_norm\":null},\"best\":null,\"seed\":42,"
        "\"threads\":null,\"stop_reason\":null,\"error\":null,\"model\":null,\"restarts\":0,\"digest\":null,\"extended_"
        "from\":null,\"metadata\":{},"
        "\"links\":{\"self\":\"/v1/jobs/job_0123456789abcdefghij\",\"spec\":\"/v1/jobs/job_0123456789abcdefghij/spec\","
        "\"events\":\"/v1/jobs/job_0123456789abcdefghij/events\",\"metrics\":\"/v1/jobs/job_0123456789abcdefghij/metrics\","
        "\"checkpoints\":\"/v1/jobs/job_0123456789abcdefghij/checkpoints\","
        "\"pause\":\"/v1/jobs/job_0123456789abcdefghij/pause\","
        "\"cancel\":\"/v1/jobs/job_0123456789abcdefghij/cancel\"}}");
}

static void a_finished_job_tells_how_it_ended(void **state)
{
    struct job_view job = {
        .id = "job_0123456789abcdefghij",
        .name = "fashion mlp",
        .extended_from = "job_abcdefghij0123456789",
        .initial_model = "mdl_abcdefghij0123456789",
        .status = JOB_SUCCEEDED,
        .version = 77,
        .created_at = 1000,
        .started_at = 2000,
        .finished_at = 3500,
        .progress = {.fraction = 1,
                     .epoch = 2.5,
                     .step = 30,
                     .total_steps = 30,
                     .samples_seen = 900,
                     .samples_per_second = 600.5,
                     .eta_seconds = 0,
                     .train_loss = 0.1,
                     .train_accuracy = 0.975,
                     .validation_loss = (double)INFINITY,
                     .validation_accuracy = 0.5,
                     .learning_rate = 1e-5,
                     .gradient_norm = 1.0 / 3,
                     .best_value = 0.25,
                     .best_step = 20,
                     .best_metric = METRIC_VALIDATION_LOSS},
        .seed = UINT64_MAX,
        .threads = 2,
        .restarts = 1,
        .stop_reason = STOP_EARLY,
        .model = "mdl_0123456789abcdefghij",
        .digest = "00ff",
        .digest_step = 20,
        .spec = NULL,
        .metadata = (char[]){"{\"team\":\"a\"}"},
        .error = (char[]){"{\"code\":\"diverged\"}"},
        .dataset = "ds_0123456789abcdefghij",
        .test_dataset = "ds_abcdefghij0123456789",
    };
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_job(&job, &writer);
    assert_has(&writer, "\"name\":\"fashion mlp\",\"status\":\"succeeded\",");
    assert_has(&writer, "\"started_at\":\"1970-01-01T00:00:02.000Z\",\"finished_at\":\"1970-01-01T00:00:03.500Z\"");
    assert_has(&writer, "\"progress\":1,\"epoch\":2.5,\"step\":30,\"total_steps\":30,\"samples_seen\":900,"
                        "\"samples_per_second\":600.5,\"eta_seconds\":0,");
    assert_has(&writer, "\"latest\":{\"train_loss\":0.1,\"train_accuracy\":0.975,\"validation_loss\":null,"
                        "\"validation_accuracy\":0.5,\"learning_rate\":1e-05,\"gradient_norm\":0.3333333333333333},");
    assert_has(&writer, "\"best\":{\"metric\":\"validation_loss\",\"value\":0.25,\"step\":20}");
    assert_has(&writer, "\"seed\":\"18446744073709551615\",\"threads\":2,\"stop_reason\":\"early\","
                        "\"error\":{\"code\":\"diverged\"},\"model\":\"mdl_0123456789abcdefghij\",\"restarts\":1,"
                        "\"digest\":{\"parameters_sha256\":\"00ff\",\"step\":20},\"extended_from\":\"job_"
                        "abcdefghij0123456789\",\"metadata\":{\"team\":\"a\"},");
    assert_has(&writer, "\"results\":\"/v1/jobs/job_0123456789abcdefghij/results\","
                        "\"dataset\":\"/v1/datasets/ds_0123456789abcdefghij\","
                        "\"test_dataset\":\"/v1/datasets/ds_abcdefghij0123456789\","
                        "\"initial_model\":\"/v1/models/mdl_abcdefghij0123456789\","
                        "\"extended_from\":\"/v1/jobs/job_abcdefghij0123456789\","
                        "\"model\":\"/v1/models/mdl_0123456789abcdefghij\"}}");
    assert_null(strstr(writer.text.data, "/cancel"));
    discard(&writer);
}

static void a_job_links_to_what_it_allows_and_to_results_only_when_it_succeeded(void **state)
{
    (void)state;
    for (int status = 0; status < JOB_STATUS_COUNT; status++) {
        struct job_view job = queued_job();
        struct json_writer writer = {.depth = 0};

        job.status = (enum job_status)status;
        encode_job(&job, &writer);
        assert_has(&writer, job_status_name(job.status));
        for (int action = 0; action < TRIGGER_CLIENT_COUNT; action++) {
            char link[32];

            snprintf(link, sizeof link, "/%s\"", job_trigger_name((enum job_trigger)action));
            assert_int_equal(strstr(writer.text.data, link) != NULL,
                             job_transition(job.status, (enum job_trigger)action) != JOB_STATUS_COUNT);
        }
        assert_int_equal(strstr(writer.text.data, "/results\"") != NULL, status == JOB_SUCCEEDED);
        discard(&writer);
    }
}

static void a_seed_is_a_number_as_far_as_numbers_are_exact(void **state)
{
    struct job_view job = queued_job();
    struct json_writer writer = {.depth = 0};

    (void)state;
    job.seed = 9007199254740991;
    encode_job(&job, &writer);
    assert_has(&writer, "\"seed\":9007199254740991,");
    discard(&writer);
    job.seed++;
    encode_job(&job, &writer);
    assert_has(&writer, "\"seed\":\"9007199254740992\",");
    discard(&writer);
}

static void a_page_of_jobs_names_its_first_and_last(void **state)
{
    struct job_view jobs[] = {queued_job(), queued_job()};
    struct json_writer writer = {.depth = 0};

    (void)state;
    memcpy(jobs[1].id, "job_9", sizeof "job_9");
    encode_job_list(jobs, 2, 1, &writer);
    assert_has(&writer, "{\"object\":\"list\",\"data\":[{\"object\":\"job\"");
    assert_has(&writer, "],\"first_id\":\"job_0123456789abcdefghij\",\"last_id\":\"job_9\",\"has_more\":true}");
    discard(&writer);
    encode_job_list(NULL, 0, 0, &writer);
    assert_written(&writer, "{\"object\":\"list\",\"data\":[],\"first_id\":null,\"last_id\":null,\"has_more\":false}");
}

static void a_page_of_events_has_numbers_as_ids(void **state)
{
    struct event_view events[] = {
        {.id = 7, .type = EVENT_STATE, .created_at = 1000, .data = (char[]){"{\"status\":\"running\"}"}},
        {.id = 8, .type = EVENT_DONE, .created_at = 2000},
    };
    struct json_writer writer = {.depth = 0};

    (void)state;
    encode_event_list(events, 2, 0, &writer);
    assert_written(&writer, "{\"object\":\"list\",\"data\":[{\"id\":7,\"type\":\"state\",\"created_at\":"
                            "\"1970-01-01T00:00:01.000Z\",\"data\":{\"status\":\"running\"}},{\"id\":8,\"type\":\"done\","
                            "\"created_at\":\"1970-01-01T00:00:02.000Z\",\"data\":{}}],\"first_id\":7,\"last_id\":8,"
                            "\"has_more\":false}");
    encode_event_list(NULL, 0, 0, &writer);
    assert_written(&writer, "{\"object\":\"list\",\"data\":[],\"first_id\":null,\"last_id\":null,\"has_more\":false}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queued_job_has_every_member_and_null_for_what_is_not_yet),
        cmocka_unit_test(a_finished_job_tells_how_it_ended),
        cmocka_unit_test(a_job_links_to_what_it_allows_and_to_results_only_when_it_succeeded),
        cmocka_unit_test(a_seed_is_a_number_as_far_as_numbers_are_exact),
        cmocka_unit_test(a_page_of_jobs_names_its_first_and_last),
        cmocka_unit_test(a_page_of_events_has_numbers_as_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
