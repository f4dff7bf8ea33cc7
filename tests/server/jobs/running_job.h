/* A server's part that runs jobs, over a temporary store, and what tests wait for and ask of it. */
#ifndef DESCENT_TESTS_SERVER_JOBS_RUNNING_JOB_H
#define DESCENT_TESTS_SERVER_JOBS_RUNNING_JOB_H

#include <time.h>

#include "server/jobs/checkpoint_writer.h"
#include "tests/server/jobs/full_disk.h"
#include "tests/server/jobs/submitted.h"
#include "tests/server/store/stored_job.h"

#define PATIENCE 120 /* seconds until a test gives up */
#define BLOBS    "{\"generator\":\"blobs\",\"n\":400,\"classes\":3,\"noise\":0.4,\"seed\":7}"
#define MLP      "\"model\":{\"type\":\"mlp\",\"hidden\":[16],\"dropout\":0.1}"
/* A few steps, many thousands of them, and more than anybody waits for. */
#define SHORT "{\"dataset\":" BLOBS "," MLP ",\"training\":{\"epochs\":3,\"batch_size\":32,\"seed\":1}}"
#define LONG                                                                                                                \
    "{\"dataset\":" BLOBS "," MLP ",\"split\":{\"validation\":0.2},\"training\":{\"epochs\":4000,\"batch_size\":20,"        \
    "\"seed\":1,\"log_every_steps\":29}}"
#define ENDLESS                                                                                                             \
    "{\"dataset\":" BLOBS "," MLP ",\"training\":{\"epochs\":1000000,\"batch_size\":20,\"seed\":1,\"log_every_steps\":"     \
    "1000}}"

static struct checkpoint_writer *checkpoint_thread; /* of the running server */

static inline struct scheduler *start(struct fixture *fixture, uint32_t threads)
{
    struct error error;
    assert_ok(checkpoint_writer_new(&checkpoint_thread, fixture->store, &error));
    struct scheduler_setup setup = {.store = fixture->store,
                                    .checkpoints = checkpoint_thread,
                                    .threads = threads,
                                    .memory_bytes = UINT64_MAX / 2,
                                    .max_queued_jobs = 100};
    struct scheduler *scheduler;
    assert_ok(scheduler_new(&scheduler, &setup, &error));
    return scheduler;
}

static inline void stop(struct scheduler *scheduler)
{
    scheduler_free(scheduler);
    checkpoint_writer_free(checkpoint_thread);
}

/* Sends running jobs back to the queue, with their state, and stops. */
static inline void drain(struct scheduler *scheduler)
{
    assert_true(scheduler_drain(scheduler, PATIENCE * 1000));
    stop(scheduler);
}

/* Asks as a client does; the status that it leads to. scheduler NULL: it is not told yet. */
static inline enum job_status ask(struct fixture *fixture, struct scheduler *scheduler, const char *id,
                                  enum job_trigger trigger)
{
    struct error error;
    struct job_view job;
    struct jobs_act act = {.id = id, .trigger = trigger};
    assert_ok(store_wait(fixture->store, jobs_act(&act), &error));
    if (scheduler != NULL) {
        assert_ok(jobs_get(fixture->store, id, 0, &job, &error));
        scheduler_tell(scheduler, &job);
        job_view_release(&job);
    }
    return act.current;
}

static inline struct job_view read_job(struct store *store, const char *id)
{
    struct error error;
    struct job_view job;
    assert_ok(jobs_get(store, id, JOB_SPEC | JOB_RESULTS, &job, &error));
    return job;
}

static inline enum job_status status_of(struct store *store, const char *id)
{
    struct job_view job = read_job(store, id);
    enum job_status status = job.status;
    job_view_release(&job);
    return status;
}

static inline void moment(int ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000L};
    nanosleep(&time, NULL);
}

/* Waits until the job has ended; it must have ended so. */
static inline struct job_view wait_for_end(struct store *store, const char *id, enum job_status wanted)
{
    time_t end = time(NULL) + PATIENCE;
    while (!job_status_is_terminal(status_of(store, id))) {
        assert_true(time(NULL) < end);
        moment(1);
    }
    struct job_view job = read_job(store, id);
    if (job.status != wanted) {
        fail_msg("the job %s, wanted %s: %s", job_status_name(job.status), job_status_name(wanted),
                 job.error == NULL ? "" : job.error);
    }
    return job;
}

static inline void wait_for_rows(struct store *store, const char *id, uint64_t count)
{
    time_t end = time(NULL) + PATIENCE;
    for (;;) {
        struct error error;
        struct metric_list rows;
        assert_ok(metrics_list(store, id, -1, &rows, &error));
        uint64_t total = rows.total;
        metric_list_release(&rows);
        if (total >= count) {
            return;
        }
        assert_true(time(NULL) < end);
        moment(1);
    }
}

static inline void assert_error(const struct job_view *job, const char *code)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "\"code\":\"%s\"", code);
    assert_non_null(job->error);
    if (strstr(job->error, wanted) == NULL) {
        fail_msg("wanted %s: %s", code, job->error);
    }
}

/* Trains `body` without interruption; the digest of what came out. */
static inline void train_alone(struct fixture *fixture, const char *body, uint32_t threads, char digest[SHA256_TEXT])
{
    char id[ID_TEXT];
    submit_job(fixture->store, body, id);
    struct scheduler *scheduler = start(fixture, threads);
    struct job_view job = wait_for_end(fixture->store, id, JOB_SUCCEEDED);
    memcpy(digest, job.digest, SHA256_TEXT);
    job_view_release(&job);
    stop(scheduler);
}

#endif
