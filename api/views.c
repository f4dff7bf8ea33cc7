/* Names of states and events, and what the view structs own; see views.h. */
#include "views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const job_status_names[JOB_STATUS_COUNT] = {
    [JOB_QUEUED] = "queued",       [JOB_RUNNING] = "running",   [JOB_PAUSING] = "pausing",
    [JOB_PAUSED] = "paused",       [JOB_STOPPING] = "stopping", [JOB_CANCELLING] = "cancelling",
    [JOB_SUCCEEDED] = "succeeded", [JOB_FAILED] = "failed",     [JOB_CANCELLED] = "cancelled",
};

static const char *const event_type_names[EVENT_TYPE_COUNT] = {
    [EVENT_STATE] = "state", [EVENT_METRIC] = "metric", [EVENT_CHECKPOINT] = "checkpoint",
    [EVENT_LOG] = "log",     [EVENT_DONE] = "done",
};

const char *job_status_name(enum job_status status)
{
    return job_status_names[status];
}

int job_status_is_terminal(enum job_status status)
{
    return status >= JOB_SUCCEEDED;
}

int job_status_parse(const char *name)
{
    for (int i = 0; i < JOB_STATUS_COUNT; i++) {
        if (strcmp(name, job_status_names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

const char *event_type_name(enum event_type type)
{
    return event_type_names[type];
}

void job_view_release(struct job_view *job)
{
    free(job->spec);
    free(job->metadata);
    free(job->error);
    free(job->results);
    free(job->request);
    *job = (struct job_view){.status = JOB_QUEUED};
}

void dataset_view_release(struct dataset_view *dataset)
{
    for (uint32_t i = 0; i < dataset->class_count; i++) {
        free(dataset->class_list[i].name);
    }
    free(dataset->class_list);
    for (uint32_t i = 0; i < dataset->feature_count; i++) {
        free(dataset->feature_list[i].name);
    }
    free(dataset->feature_list);
    *dataset = (struct dataset_view){.status = DATASET_READY};
}

void model_view_release(struct model_view *model)
{
    free(model->spec);
    free(model->classes);
    free(model->scores);
    free(model->calibration);
    *model = (struct model_view){.bytes = 0};
}

struct job_progress job_progress_none(void)
{
    const double unknown = (double)NAN;

    return (struct job_progress){.samples_per_second = unknown,
                                 .eta_seconds = unknown,
                                 .train_loss = unknown,
                                 .train_accuracy = unknown,
                                 .validation_loss = unknown,
                                 .validation_accuracy = unknown,
                                 .learning_rate = unknown,
                                 .gradient_norm = unknown,
                                 .best_value = unknown};
}
