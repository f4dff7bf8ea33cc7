/*
 * Stands in for the real runner, and for the clock: a job asks to be admitted with what the test gave it, and then makes
 * steps until the test lets it end, or an order comes. At each step it checks that no more threads work than there are.
 */
#ifndef DESCENT_TESTS_SERVER_JOBS_FAKE_RUNNER_H
#define DESCENT_TESTS_SERVER_JOBS_FAKE_RUNNER_H

#include <pthread.h>
#include <time.h>

#include "server/clock.h"
#include "server/jobs/runner.h"
#include "server/jobs/scheduler_internal.h"
#include "tests/server/store/temporary_store.h"

#define JOBS_MAX   32
#define NAMES_TEXT (JOBS_MAX * (ID_TEXT + 1))
#define PATIENCE   60 /* seconds until a test gives up */

enum stage { WAITING, LOADING, ADMITTED, REFUSED, ENDED };

struct fake_job {
    char id[ID_TEXT];
    uint64_t bytes;
    uint32_t threads;
    int exact;
    /* what the test wants of it */
    int lasts;        /* until the test says otherwise */
    uint64_t ends_at; /* so many steps; 0: never */
    int load_held;    /* it does not get past loading */
    int step_held;    /* it does not get past the step that it is in */
    int end_held;     /* it says that it leaves, and stays */
    int proves;       /* makes a checkpoint */
    /* what it did */
    enum stage stage;
    int order;             /* at its end */
    int leaves;            /* it has said so */
    unsigned active, runs; /* runners that it has now; that it had so far */
    uint32_t uses;         /* threads, in its last step */
    uint64_t steps, turns; /* turns: times at which it got threads after it had none */
    uint32_t least, most;  /* threads in any step */
    struct runner *runner; /* while active */
};

static struct {
    pthread_mutex_t lock; /* guards all of this */
    pthread_cond_t changed;
    struct fake_job jobs[JOBS_MAX];
    unsigned count;
    char started[NAMES_TEXT];  /* names in order: one asks to be admitted before the next of its priority is started */
    char admitted[NAMES_TEXT]; /* names in order, where one is waited for before the next one can be */
    int loads_held;            /* jobs do not get past loading */
    uint32_t threads, working; /* all there are; those that make a step now */
    unsigned violations;       /* steps with more threads than there are; jobs with two runners */
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- the clock ---- */

static _Atomic int64_t ahead_ms; /* of the real clock */

int64_t clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * 1000 + ahead_ms) * 1000000 + now.tv_nsec;
}

int64_t clock_realtime_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

struct timespec clock_at_ms(int64_t monotonic_ms)
{
    const int64_t real = monotonic_ms - ahead_ms;
    return (struct timespec){.tv_sec = real / 1000, .tv_nsec = real % 1000 * 1000000};
}

/* ---- the runner; asserts nothing, for it is not on the test's thread ---- */

static inline struct fake_job *find_job(const char *id)
{
    for (unsigned i = 0; i < world.count; i++) {
        if (strcmp(world.jobs[i].id, id) == 0) {
            return &world.jobs[i];
        }
    }
    return NULL;
}

static inline void add_name(char names[NAMES_TEXT], const char *name)
{
    const size_t length = strlen(names);
    snprintf(names + length, NAMES_TEXT - length, "%s ", name);
}

static inline void enter(struct fake_job *job, enum stage stage)
{
    pthread_mutex_lock(&world.lock);
    job->stage = stage;
    if (stage == LOADING) {
        add_name(world.started, job->id);
    } else if (stage == ADMITTED) {
        add_name(world.admitted, job->id);
    }
    pthread_cond_broadcast(&world.changed);
    while (stage == LOADING && (world.loads_held || job->load_held)) {
        pthread_cond_wait(&world.changed, &world.lock);
    }
    pthread_mutex_unlock(&world.lock);
}

/* The threads of the next step; 0: none, an order came. */
static inline uint32_t choose_threads(struct fake_job *job, struct runner *runner)
{
    uint32_t threads = atomic_load(&runner->control.threads);
    const int had_none = threads == 0 || job->uses == 0;
    if (threads != job->uses || threads == 0) {
        threads = scheduler_take_turn(runner->scheduler, runner);
    }
    pthread_mutex_lock(&world.lock);
    job->turns += threads > 0 && had_none;
    job->uses = threads;
    pthread_mutex_unlock(&world.lock);
    return threads;
}

static inline void make_step(struct fake_job *job, uint32_t threads)
{
    const uint32_t works_with = threads < world.threads ? threads : world.threads;
    const struct timespec step = {.tv_nsec = 500000};
    pthread_mutex_lock(&world.lock);
    world.working += works_with;
    world.violations += world.working > world.threads;
    job->least = job->least == 0 || threads < job->least ? threads : job->least;
    job->most = threads > job->most ? threads : job->most;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
    nanosleep(&step, NULL);
    pthread_mutex_lock(&world.lock);
    while (job->step_held) {
        pthread_cond_wait(&world.changed, &world.lock);
    }
    world.working -= works_with;
    job->steps++;
    pthread_mutex_unlock(&world.lock);
}

static inline int goes_on(struct fake_job *job)
{
    pthread_mutex_lock(&world.lock);
    const int lasts = job->lasts && (job->ends_at == 0 || job->steps < job->ends_at);
    pthread_mutex_unlock(&world.lock);
    return lasts;
}

static inline int has_proved(struct fake_job *job)
{
    pthread_mutex_lock(&world.lock);
    const int proves = job->proves;
    pthread_mutex_unlock(&world.lock);
    return proves;
}

static inline void train(struct fake_job *job, struct runner *runner)
{
    while (goes_on(job) && works(runner)) {
        const uint32_t threads = choose_threads(job, runner);
        if (threads > 0) {
            make_step(job, threads);
        }
        if (has_proved(job)) {
            scheduler_clear_suspect(runner->scheduler, runner);
        }
    }
}

static inline void leave(struct fake_job *job, struct runner *runner)
{
    scheduler_let_go(runner->scheduler, runner);
    scheduler_leave(runner->scheduler, runner, 0);
    pthread_mutex_lock(&world.lock);
    job->leaves = 1;
    pthread_cond_broadcast(&world.changed);
    while (job->end_held) {
        pthread_cond_wait(&world.changed, &world.lock);
    }
    job->leaves = 0;
    job->order = atomic_load(&runner->control.order);
    job->stage = ENDED;
    job->active--;
    job->runner = NULL;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

void runner_run(struct runner *runner)
{
    pthread_mutex_lock(&world.lock);
    struct fake_job *job = find_job(runner->job.id);
    job->runs++;
    job->uses = 0;
    job->runner = runner;
    world.violations += job->active++ > 0;
    pthread_mutex_unlock(&world.lock);
    enter(job, LOADING);
    if (scheduler_admit(runner->scheduler, runner, job->bytes, job->threads, job->exact)) {
        enter(job, ADMITTED);
        train(job, runner);
    } else {
        enter(job, REFUSED);
    }
    leave(job, runner);
}

/* ---- what tests do ---- */

static inline int set_up(void **state)
{
    memset(world.jobs, 0, sizeof world.jobs);
    world.count = 0;
    world.started[0] = '\0';
    world.admitted[0] = '\0';
    world.loads_held = 0;
    world.working = 0;
    world.violations = 0;
    return open_fixture(state);
}

static inline struct scheduler *start_scheduler(struct fixture *fixture, uint32_t threads, uint64_t bytes, uint32_t places)
{
    struct scheduler_setup setup = {
        .store = fixture->store, .threads = threads, .memory_bytes = bytes, .max_queued_jobs = places};
    struct scheduler *scheduler;
    struct error error;
    world.threads = threads;
    assert_ok(scheduler_new(&scheduler, &setup, &error));
    return scheduler;
}

static inline void know_job(const char *id, uint64_t bytes, uint32_t threads, int exact, int lasts)
{
    pthread_mutex_lock(&world.lock);
    struct fake_job *job = &world.jobs[world.count++];
    *job = (struct fake_job){.bytes = bytes, .threads = threads, .exact = exact, .lasts = lasts};
    memcpy(job->id, id, strnlen(id, sizeof(job->id) - 1)); /* the rest is zero */
    pthread_mutex_unlock(&world.lock);
}

static inline struct job_ticket ticket_of(const char *id, int32_t priority)
{
    struct job_ticket ticket = {.priority = priority};
    memcpy(ticket.id, id, strnlen(id, sizeof(ticket.id) - 1));
    return ticket;
}

static inline void queue_job(struct scheduler *scheduler, const struct job_ticket *ticket)
{
    struct error error;
    assert_ok(scheduler_reserve(scheduler, 1, &error));
    scheduler_enqueue(scheduler, ticket);
}

static inline void submit(struct scheduler *scheduler, const char *id, int32_t priority, uint64_t bytes, uint32_t threads,
                          int exact)
{
    const struct job_ticket ticket = ticket_of(id, priority);
    know_job(id, bytes, threads, exact, 1);
    queue_job(scheduler, &ticket);
}

/* As a handler tells it. */
static inline void tell(struct scheduler *scheduler, const char *id, enum job_status status, uint64_t version)
{
    struct job_view job = {.status = status, .version = version};
    memcpy(job.id, id, strnlen(id, sizeof(job.id) - 1));
    scheduler_tell(scheduler, &job);
}

/* As a handler tells of another priority. */
static inline void rank(struct scheduler *scheduler, const char *id, int32_t priority, uint64_t version)
{
    struct job_view job = {.status = JOB_RUNNING, .version = version, .priority = priority};
    memcpy(job.id, id, strnlen(id, sizeof(job.id) - 1));
    scheduler_tell(scheduler, &job);
}

/* Has it asked to be admitted, and waits? From then on its minute runs. */
static inline int has_asked(struct scheduler *scheduler, struct runner *runner)
{
    pthread_mutex_lock(&scheduler->lock);
    const int asked = runner != NULL && runner->asked && !runner->admitted;
    pthread_mutex_unlock(&scheduler->lock);
    return asked;
}

/* Waits until the expression about `job`, the one with this id, holds. */
#define wait_until(id, expression)                                                                                          \
    do {                                                                                                                    \
        const time_t wait_end = time(NULL) + PATIENCE;                                                                      \
        int holds = 0;                                                                                                      \
        while (!holds && time(NULL) < wait_end) {                                                                           \
            const struct timespec moment = {.tv_nsec = 200000};                                                             \
            pthread_mutex_lock(&world.lock);                                                                                \
            const struct fake_job *job = find_job(id);                                                                      \
            holds = (expression);                                                                                           \
            pthread_mutex_unlock(&world.lock);                                                                              \
            if (!holds) {                                                                                                   \
                nanosleep(&moment, NULL);                                                                                   \
            }                                                                                                               \
        }                                                                                                                   \
        if (!holds) {                                                                                                       \
            fail_msg("%s: waited in vain for %s", id, #expression);                                                         \
        }                                                                                                                   \
    } while (0)

static inline struct fake_job look_at(const char *id)
{
    pthread_mutex_lock(&world.lock);
    const struct fake_job job = *find_job(id);
    pthread_mutex_unlock(&world.lock);
    return job;
}

static inline void wait_for(const char *id, enum stage stage)
{
    wait_until(id, job->stage >= stage);
}

static inline void wait_for_threads(const char *id, uint32_t threads)
{
    wait_until(id, job->uses == threads);
}

/* Makes so many steps more. */
static inline void wait_for_steps(const char *id, uint64_t more)
{
    const uint64_t steps = look_at(id).steps + more;
    wait_until(id, job->steps >= steps);
}

static inline void wait_for_turns(const char *id, uint64_t more)
{
    const uint64_t turns = look_at(id).turns + more;
    wait_until(id, job->turns >= turns);
}

/* Time for what must not happen, should it be about to. */
static inline void give_it_a_chance(void)
{
    const struct timespec moment = {.tv_nsec = 150000000};
    nanosleep(&moment, NULL);
}

/* Sets a member of the job and wakes it. */
#define set_member(id, member, value)                                                                                       \
    do {                                                                                                                    \
        pthread_mutex_lock(&world.lock);                                                                                    \
        find_job(id)->member = (value);                                                                                     \
        pthread_cond_broadcast(&world.changed);                                                                             \
        pthread_mutex_unlock(&world.lock);                                                                                  \
    } while (0)

static inline void end_job(const char *id)
{
    set_member(id, lasts, 0);
    wait_for(id, ENDED);
}

static inline void hold_loads(int held)
{
    pthread_mutex_lock(&world.lock);
    world.loads_held = held;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

static inline void assert_names(const char *names, const char *wanted)
{
    char got[NAMES_TEXT];
    pthread_mutex_lock(&world.lock);
    memcpy(got, names, sizeof got);
    pthread_mutex_unlock(&world.lock);
    assert_string_equal(got, wanted);
}

static inline void assert_started(const char *wanted)
{
    assert_names(world.started, wanted);
}

static inline void assert_admitted(const char *wanted)
{
    assert_names(world.admitted, wanted);
}

/* Lets all jobs end, and waits for those that are to run. */
static inline void end_all(struct scheduler *scheduler, const char *last)
{
    for (unsigned i = 0; i < world.count; i++) {
        set_member(world.jobs[i].id, lasts, 0);
    }
    wait_for(last, ENDED);
    scheduler_free(scheduler);
    assert_int_equal(world.violations, 0);
    assert_int_equal(world.working, 0);
}

#endif
