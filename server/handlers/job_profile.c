/* Where a job's time goes: from its runner while it trains, from its results afterwards. */
#include <string.h>

#include "api/encode_profile.h"
#include "api/json_writer.h"
#include "api/profile_ascii.h"
#include "api/query.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/jobs/machine_peak.h"
#include "server/jobs/scheduler.h"
#include "server/store/jobs.h"

static void answer(struct request *request, const struct profile *profile, enum media media)
{
    const char *id = request_parameter(request, 0);
    struct json_writer writer = {0};

    if (media == MEDIA_JSON) {
        encode_profile(profile, id, &writer);
    } else {
        profile_ascii(profile, id, (uint32_t)query_integer(request_query(request), PARAMETER_WIDTH), &writer.text);
    }
    reply_text(request, 200, media, &writer);
}

static void refuse(struct request *request, const struct job_view *job)
{
    if (job->status == JOB_SUCCEEDED) {
        reply_error(request, STATUS_PROFILE_NOT_READY, "nothing was measured when the job's results were made");
    } else if (job_status_is_terminal(job->status)) {
        reply_error(request, STATUS_PROFILE_NOT_READY, "the job is %s: only results keep a profile, and it has none",
                    job_status_name(job->status));
    } else {
        reply_error(request, STATUS_PROFILE_NOT_READY, "the job is %s, and has made no step since it was taken up last",
                    job_status_name(job->status));
    }
}

#define WITH_RUNNER (JOB_SET(JOB_RUNNING) | JOB_SET(JOB_PAUSING) | JOB_SET(JOB_STOPPING) | JOB_SET(JOB_CANCELLING))

void get_job_profile(struct app *app, struct request *request)
{
    const char *id = request_parameter(request, 0);
    struct profile_counts counts;
    struct profile profile;
    struct job_view job;
    struct error error = {0};
    enum media media;
    int found = 0, trains = 0;
    enum status status = reply_negotiate(request, PARAMETER_PROFILE_FORMAT, &media, &error);

    if (status == STATUS_OK) {
        trains = scheduler_profile(app->scheduler, id, &counts); /* first: who ends in between has its results by then */
        status = jobs_get(app->store, id, JOB_RESULTS, &job, &error);
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
        return;
    }
    if (job.results != NULL) {
        status = profile_of_results(&profile, &found, job.results, strlen(job.results), &error);
    } else if (trains &&
               (JOB_SET(job.status) & WITH_RUNNER) != 0) { /* a runner may still be there when its job has left it */
        profile_of_counts(&profile, &counts, machine_peak(counts.precision));
        found = 1;
    }
    if (status != STATUS_OK) {
        request_respond_error(request, &error);
    } else if (found) {
        answer(request, &profile, media);
    } else {
        refuse(request, &job);
    }
    job_view_release(&job);
}
