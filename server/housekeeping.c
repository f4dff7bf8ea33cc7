#include "server/housekeeping.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/clock.h"
#include "server/jobs/scheduler.h"
#include "server/log.h"
#include "server/store/jobs.h"

#define TURN_MS      1000
#define RETENTION_MS 60000
#define PAUSE_MS_MAX 256000 /* between two tries to resume jobs that are paused again and again */
#define PAGE         100

struct housekeeping {
    struct store *store;
    struct scheduler *scheduler;
    struct retention limits;
    pthread_t thread;
    pthread_mutex_t lock; /* guards ending; a leaf */
    pthread_cond_t end;
    int ending;
    /* the thread's alone, ms of the monotonic clock */
    int64_t next_retention, next_resume, resume_pause;
};

/* ---- jobs that wait for room on the disk ---- */

static int waits_for_room(const struct job_view *job)
{
    return strcmp(job->pause_reason, "storage_full") == 0;
}

static void resume(struct housekeeping *housekeeping, const struct job_view *job)
{
    struct jobs_change change = {.id = job->id,
                                 .from = JOB_SET(JOB_PAUSED),
                                 .if_version = job->version, /* a client may have paused it meanwhile */
                                 .to = JOB_QUEUED,
                                 .reason = "storage_available"};
    struct job_view queued = *job; /* borrowed strings and all */
    struct error error = {.status = STATUS_OK};
    enum status status = store_wait(housekeeping->store, jobs_change(&change), &error);

    if (status == STATUS_OK) {
        queued.status = change.current;
        queued.version = change.op.version;
        scheduler_tell(housekeeping->scheduler, &queued);
    } else if (status != STATUS_STATE_CONFLICT && status != STATUS_DELETED) { /* a client was faster */
        log_warning(job->id, "it cannot be resumed yet: %s", error.message);
    }
}

/* One page of paused jobs, from behind `last` on; *waiting counts those that wait for room, which are resumed. 0: the last
 * page. */
static int resume_page(struct housekeeping *housekeeping, char last[ID_TEXT], unsigned *waiting)
{
    static const struct job_filter paused = {.statuses = JOB_SET(JOB_PAUSED)};
    const struct page_query query = {.after = last, .limit = PAGE};
    struct job_list list;
    struct error error = {.status = STATUS_OK};
    int has_more;

    if (jobs_list(housekeeping->store, &query, &paused, &list, &error) != STATUS_OK) {
        log_warning(NULL, "paused jobs cannot be read: %s", error.message);
        return 0;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (waits_for_room(&list.items[i])) {
            ++*waiting;
            resume(housekeeping, &list.items[i]);
        }
        memcpy(last, list.items[i].id, ID_TEXT);
    }
    has_more = list.has_more;
    job_list_release(&list);
    return has_more;
}

static void resume_all(struct housekeeping *housekeeping, int64_t now)
{
    char last[ID_TEXT] = "";
    unsigned waiting = 0;
    struct error full = {.status = STATUS_OK};

    if (store_check_room(housekeeping->store, 0, &full) != STATUS_OK) {
        return;
    }
    while (resume_page(housekeeping, last, &waiting)) {
    }
    housekeeping->resume_pause = waiting == 0                                ? TURN_MS
                                 : housekeeping->resume_pause < PAUSE_MS_MAX ? 2 * housekeeping->resume_pause
                                                                             : PAUSE_MS_MAX;
    housekeeping->next_resume = now + housekeeping->resume_pause;
}

/* ---- jobs that need not be kept ---- */

static void drop_old(struct housekeeping *housekeeping, int64_t now)
{
    struct retention_summary dropped = {0};
    struct error error = {.status = STATUS_OK};

    housekeeping->next_retention = now + RETENTION_MS;
    if (retention_run(housekeeping->store, &housekeeping->limits, &dropped, &error) != STATUS_OK) {
        log_warning(NULL, "old jobs could not be dropped: %s", error.message);
    }
    if (dropped.checkpoints + dropped.jobs > 0) {
        log_info(NULL, "kept no longer: checkpoints of %u finished jobs, %u finished jobs", dropped.checkpoints,
                 dropped.jobs);
    }
}

/* ---- the thread ---- */

static void turn(struct housekeeping *housekeeping)
{
    int64_t now = clock_monotonic_ms();
    int limited = housekeeping->limits.keep_days > 0 || housekeeping->limits.keep_bytes > 0;

    if (store_is_read_only(housekeeping->store)) {
        return;
    }
    if (now >= housekeeping->next_resume) {
        resume_all(housekeeping, now);
    }
    if (limited && now >= housekeeping->next_retention) {
        drop_old(housekeeping, now);
    }
}

static void *housekeeping_main(void *argument)
{
    struct housekeeping *housekeeping = argument;

    pthread_setname_np(pthread_self(), "housekeeping");
    pthread_mutex_lock(&housekeeping->lock);
    while (!housekeeping->ending) {
        struct timespec until = clock_at_ms(clock_monotonic_ms() + TURN_MS);

        pthread_mutex_unlock(&housekeeping->lock);
        turn(housekeeping);
        pthread_mutex_lock(&housekeeping->lock);
        if (!housekeeping->ending) {
            pthread_cond_timedwait(&housekeeping->end, &housekeeping->lock, &until);
        }
    }
    pthread_mutex_unlock(&housekeeping->lock);
    return NULL;
}

enum status housekeeping_new(struct housekeeping **out, struct store *store, struct scheduler *scheduler,
                             const struct retention *limits, struct error *error)
{
    struct housekeeping *housekeeping = calloc(1, sizeof *housekeeping);

    *out = NULL;
    if (housekeeping == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the housekeeping");
    }
    housekeeping->store = store;
    housekeeping->scheduler = scheduler;
    housekeeping->limits = *limits;
    housekeeping->resume_pause = TURN_MS;
    pthread_mutex_init(&housekeeping->lock, NULL);
    clock_condition_init(&housekeeping->end);
    if (pthread_create(&housekeeping->thread, NULL, housekeeping_main, housekeeping) != 0) {
        pthread_cond_destroy(&housekeeping->end);
        pthread_mutex_destroy(&housekeeping->lock);
        free(housekeeping);
        return error_set(error, STATUS_SYSTEM_ERROR, "the housekeeping's thread could not be started");
    }
    *out = housekeeping;
    return STATUS_OK;
}

void housekeeping_free(struct housekeeping *housekeeping)
{
    if (housekeeping == NULL) {
        return;
    }
    pthread_mutex_lock(&housekeeping->lock);
    housekeeping->ending = 1;
    pthread_cond_signal(&housekeeping->end);
    pthread_mutex_unlock(&housekeeping->lock);
    pthread_join(housekeeping->thread, NULL);
    pthread_cond_destroy(&housekeeping->end);
    pthread_mutex_destroy(&housekeeping->lock);
    free(housekeeping);
}
