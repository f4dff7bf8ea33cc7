/* Jobs as clients see them: the job object, pages of jobs and of events, what a job would cost. */
#ifndef DESCENT_API_ENCODE_JOB_H
#define DESCENT_API_ENCODE_JOB_H

#include <stddef.h>

#include "api/views.h"
#include "core/train/trainer.h"

struct job_request;
struct json_writer;

/* The job object: its size does not depend on how long the job ran. spec and results of the view are not looked at. */
void encode_job(const struct job_view *job, struct json_writer *writer);
void encode_job_list(const struct job_view *jobs, size_t count, int has_more, struct json_writer *writer);
void encode_event_list(const struct event_view *events, size_t count, int has_more, struct json_writer *writer);

/* validate_only: {"object":"job_estimate","spec":...,"estimate":...}. Arguments as of job_request_encode. */
void encode_job_estimate(const struct job_request *request, const char *dataset_sha256, const char *kernel_tier,
                         const struct train_plan *plan, struct json_writer *writer);

#endif
