/* A store in a folder of its own for each test, and the things that tests put into it. */
#ifndef DESCENT_TESTS_SERVER_STORE_TEMPORARY_STORE_H
#define DESCENT_TESTS_SERVER_STORE_TEMPORARY_STORE_H

#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/ids.h"
#include "server/store/datasets.h"
#include "server/store/events.h"
#include "server/store/jobs.h"
#include "server/store/metrics.h"
#include "server/store/models.h"
#include "server/store/object.h"
#include "server/store/store.h"

struct fixture {
    char folder[64], data[80]; /* the store is data, in folder */
    struct store *store;
};

#define assert_ok(call)                                                                                                     \
    do {                                                                                                                    \
        struct error *shown = &error;                                                                                       \
        *shown = (struct error){.status = STATUS_OK};                                                                       \
        enum status got = (call);                                                                                           \
        if (got != STATUS_OK) {                                                                                             \
            fail_msg("%s: %s: %s", #call, status_code(got), shown->message);                                                \
        }                                                                                                                   \
    } while (0)
/* The call fails with exactly this status, and says so in `error`, with words. */
#define assert_status(wanted, call)                                                                                         \
    do {                                                                                                                    \
        error = (struct error){.status = STATUS_OK};                                                                        \
        assert_string_equal(status_code(call), status_code(wanted));                                                        \
        assert_int_equal(error.status, wanted);                                                                             \
        assert_true(error.message[0] != '\0');                                                                              \
    } while (0)

static inline int open_fixture_in(void **state, const char *parent)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct error error = {.status = STATUS_OK};
    snprintf(fixture->folder, sizeof(fixture->folder), "%.30s/descentd-store-XXXXXX", parent);
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->data, sizeof(fixture->data), "%s/data", fixture->folder);
    assert_ok(store_open(&fixture->store, fixture->data, &error));
    *state = fixture;
    return 0;
}

static inline int open_fixture(void **state)
{
    return open_fixture_in(state, "/tmp");
}

static inline void reopen(struct fixture *fixture)
{
    struct error error = {.status = STATUS_OK};
    store_close(fixture->store);
    fixture->store = NULL;
    assert_ok(store_open(&fixture->store, fixture->data, &error));
}

static inline int remove_entry(const char *path, const struct stat *file, int type, struct FTW *where)
{
    (void)file;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void remove_folder(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    store_close(fixture->store);
    remove_folder(fixture->folder);
    free(fixture);
    return 0;
}

/* `size` bytes that depend on `seed` alone. */
static inline unsigned char *pattern(size_t size, unsigned seed)
{
    unsigned char *bytes = malloc(size + 1);
    uint32_t state = seed * 2654435761u + 12345u;
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(state >> 24);
    }
    return bytes;
}

static inline void make_object(struct store *store, struct object *object, size_t size, unsigned seed)
{
    struct error error = {.status = STATUS_OK};
    struct object_writer *writer;
    unsigned char *bytes = pattern(size, seed);
    assert_ok(object_writer_new(&writer, store, 0, &error));
    struct sink sink = object_writer_sink(writer);
    for (size_t at = 0; at < size; at += 10000) {
        assert_ok(sink.write(sink.context, bytes + at, size - at < 10000 ? size - at : 10000, &error));
    }
    assert_ok(object_writer_finish(writer, object, &error));
    object_writer_free(writer);
    free(bytes);
}

static inline char *copy_text(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

/* A table of 3 features and 2 classes; release it. */
static inline struct dataset_view describe_dataset(const char *name, enum dataset_status status)
{
    struct dataset_view dataset = {.status = status,
                                   .rows = 150,
                                   .features = 3,
                                   .channels = 1,
                                   .height = 1,
                                   .width = 3,
                                   .class_count = 2,
                                   .feature_count = 3,
                                   .overall = {.minimum = -1.5f, .maximum = 2.5f, .mean = 0.1, .deviation = 1.0 / 3}};
    snprintf(dataset.name, sizeof(dataset.name), "%s", name);
    snprintf(dataset.format, sizeof(dataset.format), "csv");
    snprintf(dataset.feature_type, sizeof(dataset.feature_type), "f32");
    dataset.class_list = calloc(2, sizeof(struct class_view));
    dataset.feature_list = calloc(3, sizeof(struct feature_view));
    assert_non_null(dataset.class_list);
    assert_non_null(dataset.feature_list);
    dataset.class_list[0] = (struct class_view){.name = copy_text("oak, red"), .count = 100};
    dataset.class_list[1] = (struct class_view){.name = copy_text("it's \"pine\""), .count = 50};
    dataset.feature_list[0] = (struct feature_view){.name = copy_text("width"), .stats = {.mean = 0.7}};
    dataset.feature_list[2] = (struct feature_view){.name = NULL, .stats = {.mean = (double)NAN, .maximum = 3.25f}};
    return dataset;
}

/* Stores a ready data set with `size` bytes of content `seed`; its id goes to id. Returns 1 if the content existed. */
static inline int add_dataset(struct store *store, size_t size, unsigned seed, char id[ID_TEXT])
{
    struct error error = {.status = STATUS_OK};
    struct dataset_view dataset = describe_dataset("trees", DATASET_READY);
    struct object object;
    make_object(store, &object, size, seed);
    struct datasets_insert insert = {.dataset = &dataset, .object = &object};
    assert_ok(store_wait(store, datasets_insert(&insert), &error));
    memcpy(id, dataset.id, ID_TEXT);
    object_release(&object);
    dataset_view_release(&dataset);
    return insert.existed;
}

static inline struct job_progress no_progress(void)
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
                                 .best_value = unknown,
                                 .total_steps = 1000};
}

/* Stores a queued job on `dataset` ("": a generator). */
static inline void add_job(struct store *store, const char *dataset, const char *metadata, int32_t priority,
                           char id[ID_TEXT])
{
    struct error error = {.status = STATUS_OK};
    char spec[] = "{\"model\":{\"type\":\"mlp\"}}", text[256];
    snprintf(text, sizeof(text), "%s", metadata);
    struct job_view job = {
        .progress = no_progress(), .seed = UINT64_MAX - 1, .priority = priority, .spec = spec, .metadata = text};
    snprintf(job.name, sizeof(job.name), "a job");
    snprintf(job.dataset, sizeof(job.dataset), "%s", dataset);
    struct jobs_insert insert = {.job = &job};
    assert_ok(store_wait(store, jobs_insert(&insert), &error));
    assert_true(id_valid(job.id, "job_"));
    memcpy(id, job.id, ID_TEXT);
}

static inline void set_status(struct store *store, const char *id, enum job_status to)
{
    struct error error = {.status = STATUS_OK};
    struct jobs_change change = {.id = id, .from = JOB_SET_ACTIVE, .to = to};
    assert_ok(store_wait(store, jobs_change(&change), &error));
}

static inline int file_exists(const struct fixture *fixture, const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s/%s", fixture->data, folder, name);
    struct stat file;
    return stat(path, &file) == 0;
}

static inline int count_files(const struct fixture *fixture, const char *folder)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", fixture->data, folder);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    int count = -2; /* "." and ".." */
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

#endif
