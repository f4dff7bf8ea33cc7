/* What tests look at and append to a job in a store. */
#ifndef DESCENT_TESTS_SERVER_STORE_STORED_JOB_H
#define DESCENT_TESTS_SERVER_STORE_STORED_JOB_H

#include "tests/server/store/temporary_store.h"

static inline void get_job(struct store *store, const char *id, unsigned parts, struct job_view *job)
{
    struct error error;
    assert_ok(jobs_get(store, id, parts, job, &error));
}

/* The types and data of all events of a job, a line each, and that their ids have no gap and their times no step back. */
static inline char *all_events(struct store *store, const char *id)
{
    struct error error;
    struct event_list list;
    assert_ok(events_list(store, id, 0, 1000, 0, &list, &error));
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].id, i + 1);
        assert_true(i == 0 || list.items[i].created_at >= list.items[i - 1].created_at);
        fprintf(file, "%s %s\n", event_type_name(list.items[i].type), list.items[i].data);
    }
    fclose(file);
    event_list_release(&list);
    return text;
}

static inline void append_rows(struct store *store, const char *id, uint64_t first, size_t count, double loss)
{
    struct error error;
    struct metric_row rows[100];
    assert_true(count <= 100);
    struct job_progress progress = no_progress();
    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct metric_row){.seconds = 0.5 * (double)(first + i), .point = train_point_at(first + i)};
        rows[i].point.epoch = (double)(first + i) / 3;
        rows[i].point.batch_loss = loss;
        rows[i].point.learning_rate = 0.05;
        rows[i].point.gradient_norm = (double)INFINITY;
    }
    progress.step = first + count - 1;
    progress.fraction = 0.1;
    progress.best_metric = METRIC_TRAIN_ACCURACY;
    struct jobs_change change = {.id = id,
                                 .from = JOB_SET(JOB_RUNNING),
                                 .to = JOB_STATUS_KEEP,
                                 .rows = rows,
                                 .row_count = count,
                                 .progress = &progress};
    assert_ok(store_wait(store, jobs_change(&change), &error));
}

/* Stores a checkpoint of `size` bytes that depend on `seed`, of which `keep` are to be there. Its object's name: sha256. */
static inline void add_checkpoint(struct store *store, const char *id, uint64_t step, uint32_t keep, size_t size,
                                  unsigned seed, char sha256[SHA256_TEXT])
{
    struct error error;
    struct object object;
    char data[64];
    make_object(store, &object, size, seed);
    snprintf(data, sizeof(data), "{\"step\":%llu}", (unsigned long long)step);
    const struct checkpoint_new checkpoint = {.step = step, .object = &object, .data = data, .keep = keep};
    struct jobs_change change = {.id = id, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .checkpoint = &checkpoint};
    assert_ok(store_wait(store, jobs_change(&change), &error));
    memcpy(sha256, object.sha256, SHA256_TEXT);
    object_release(&object);
}

#endif
