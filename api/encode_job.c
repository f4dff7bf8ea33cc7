/* Jobs, events and estimates as JSON; see encode_job.h. Members stand in the order of the reference. */
#include "encode_job.h"

#include <math.h>
#include <stdio.h>

#include "api/encode_common.h"
#include "api/job_request.h"
#include "api/job_states.h"
#include "api/json_writer.h"

static void encode_latest(const struct job_progress *progress, struct json_writer *writer)
{
    json_key(writer, "latest");
    json_begin_object(writer);
    json_member_number(writer, "train_loss", progress->train_loss);
    json_member_number(writer, "train_accuracy", progress->train_accuracy);
    json_member_number(writer, "validation_loss", progress->validation_loss);
    json_member_number(writer, "validation_accuracy", progress->validation_accuracy);
    json_member_number(writer, "learning_rate", progress->learning_rate);
    json_member_number(writer, "gradient_norm", progress->gradient_norm);
    json_end_object(writer);
}

static void encode_progress(const struct job_progress *progress, int goes_on, struct json_writer *writer)
{
    json_member_number(writer, "progress", progress->fraction);
    json_member_number(writer, "epoch", progress->epoch);
    json_member_uint(writer, "step", progress->step);
    json_member_uint(writer, "total_steps", progress->total_steps);
    json_member_uint(writer, "samples_seen", progress->samples_seen);
    json_member_number(writer, "samples_per_second", progress->samples_per_second);
    json_member_number(writer, "eta_seconds", goes_on ? progress->eta_seconds : (double)NAN);
    encode_latest(progress, writer);
    encode_best(writer, progress->best_metric, progress->best_value, progress->best_step);
}

/* Only what can be followed now. */
static void encode_links(const struct job_view *job, struct json_writer *writer)
{
    static const char jobs[] = "/v1/jobs";

    json_key(writer, "links");
    json_begin_object(writer);
    encode_link(writer, "self", jobs, job->id, "");
    encode_link(writer, "spec", jobs, job->id, "/spec");
    encode_link(writer, "events", jobs, job->id, "/events");
    encode_link(writer, "metrics", jobs, job->id, "/metrics");
    encode_link(writer, "checkpoints", jobs, job->id, "/checkpoints");
    if (job->status == JOB_SUCCEEDED) {
        encode_link(writer, "results", jobs, job->id, "/results");
    }
    for (int trigger = 0; trigger < TRIGGER_CLIENT_COUNT; trigger++) {
        if (job_transition(job->status, (enum job_trigger)trigger) != JOB_STATUS_COUNT) {
            char rest[24];

            snprintf(rest, sizeof rest, "/%s", job_trigger_name((enum job_trigger)trigger));
            encode_link(writer, rest + 1, jobs, job->id, rest);
        }
    }
    if (job->dataset[0] != '\0') {
        encode_link(writer, "dataset", "/v1/datasets", job->dataset, "");
    }
    if (job->test_dataset[0] != '\0') {
        encode_link(writer, "test_dataset", "/v1/datasets", job->test_dataset, "");
    }
    if (job->initial_model[0] != '\0') {
        encode_link(writer, "initial_model", "/v1/models", job->initial_model, "");
    }
    if (job->extended_from[0] != '\0') {
        encode_link(writer, "extended_from", jobs, job->extended_from, "");
    }
    if (job->model[0] != '\0') {
        encode_link(writer, "model", "/v1/models", job->model, "");
    }
    json_end_object(writer);
}

void encode_job(const struct job_view *job, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "job");
    json_member_string(writer, "id", job->id);
    encode_optional(writer, "name", job->name);
    json_member_string(writer, "status", job_status_name(job->status));
    encode_optional(writer, "pause_reason", job->pause_reason);
    json_member_uint(writer, "version", job->version);
    encode_time(writer, "created_at", job->created_at);
    encode_time(writer, "started_at", job->started_at);
    encode_time(writer, "finished_at", job->finished_at);
    encode_progress(&job->progress, job->status != JOB_PAUSED && job->status != JOB_FAILED && job->status != JOB_CANCELLED,
                    writer);
    encode_seed(writer, "seed", job->seed);
    json_key(writer, "threads");
    if (job->threads == 0) {
        json_null(writer);
    } else {
        json_uint(writer, job->threads);
    }
    json_member_string(writer, "stop_reason", job->stop_reason == STOP_NONE ? NULL : stop_reason_name(job->stop_reason));
    json_member_raw(writer, "error", job->error);
    encode_optional(writer, "model", job->model);
    json_member_uint(writer, "restarts", job->restarts);
    encode_digest(writer, "digest", job->digest, job->digest_step);
    encode_optional(writer, "extended_from", job->extended_from);
    json_member_raw(writer, "metadata", job->metadata == NULL ? "{}" : job->metadata);
    encode_links(job, writer);
    json_end_object(writer);
}

void encode_job_list(const struct job_view *jobs, size_t count, int has_more, struct json_writer *writer)
{
    encode_list_begin(writer);
    for (size_t i = 0; i < count; i++) {
        encode_job(&jobs[i], writer);
    }
    encode_list_end(writer, count == 0 ? NULL : jobs[0].id, count == 0 ? NULL : jobs[count - 1].id, has_more);
}

void encode_event_list(const struct event_view *events, size_t count, int has_more, struct json_writer *writer)
{
    encode_list_begin(writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(writer);
        json_member_uint(writer, "id", events[i].id);
        json_member_string(writer, "type", event_type_name(events[i].type));
        encode_time(writer, "created_at", events[i].created_at);
        json_member_raw(writer, "data", events[i].data == NULL ? "{}" : events[i].data);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_key(writer, "first_id");
    if (count == 0) {
        json_null(writer);
        json_member_null(writer, "last_id");
    } else {
        json_uint(writer, events[0].id);
        json_member_uint(writer, "last_id", events[count - 1].id);
    }
    json_member_bool(writer, "has_more", has_more);
    json_end_object(writer);
}

void encode_job_estimate(const struct job_request *request, const char *dataset_sha256, const char *kernel_tier,
                         const struct train_plan *plan, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_string(writer, "object", "job_estimate");
    json_key(writer, "spec");
    job_request_encode(request, dataset_sha256, kernel_tier, writer);
    json_key(writer, "estimate");
    json_begin_object(writer);
    json_member_uint(writer, "parameters", plan->parameters);
    json_member_uint(writer, "bytes", plan->bytes);
    json_member_uint(writer, "flops_per_epoch", plan->flops_per_epoch);
    json_member_uint(writer, "steps_per_epoch", plan->steps_per_epoch);
    json_member_uint(writer, "total_steps", plan->total_steps);
    json_member_number(writer, "expected_first_loss", plan->expected_first_loss);
    json_end_object(writer);
    json_end_object(writer);
}
