/* Data sets by id are mapped and shared; generated ones are made again, which is cheaper than keeping them. */
#include "job_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "core/base/sha256.h"
#include "core/data/match_labels.h"
#include "server/models/model_load.h"
#include "server/store/datasets.h"

static enum status open_block(struct job_dataset *dataset, const void *bytes, size_t size, struct error *error)
{
    return dataset_open(&dataset->dataset, bytes, size, error);
}

static enum status open_memory(struct job_dataset *dataset, struct error *error)
{
    sha256_text(dataset->memory.data, dataset->memory.size, dataset->sha256);
    return open_block(dataset, dataset->memory.data, dataset->memory.size, error);
}

static enum status open_generated(struct job_dataset *dataset, const struct generator_spec *spec, struct error *error)
{
    enum status status = generator_write(spec, buffer_sink(&dataset->memory), error);

    return status == STATUS_OK ? open_memory(dataset, error) : status;
}

static enum status open_inline(struct job_dataset *dataset, const struct buffer_sink *block, struct error *error)
{
    struct sink sink = buffer_sink(&dataset->memory);
    enum status status = sink.write(sink.context, block->data, block->size, error);

    return status == STATUS_OK ? open_memory(dataset, error) : status;
}

static enum status open_stored(struct job_dataset *dataset, struct store *store, const char *id, const char *pointer,
                               struct error *error)
{
    struct dataset_content content;
    struct error reason = {0};
    enum status status = datasets_get_content(store, id, &content, &reason);

    if (status == STATUS_NOT_FOUND || status == STATUS_DELETED) {
        return error_set_pointer(error, STATUS_DATASET_NOT_FOUND, pointer, "there is no data set %s", id);
    }
    if (status == STATUS_OK && content.status != DATASET_READY) {
        status = error_set_pointer(&reason, STATUS_DATASET_NOT_READY, pointer, "data set %s still awaits its labels", id);
    }
    if (status == STATUS_OK) {
        snprintf(dataset->sha256, sizeof dataset->sha256, "%s", content.sha256);
        status = object_map(&dataset->map, store, content.sha256, &reason);
    }
    if (status == STATUS_OK) {
        status = open_block(dataset, dataset->map.bytes, dataset->map.size, &reason);
    }
    if (status != STATUS_OK && error->status == STATUS_OK) {
        *error = reason;
    }
    return status;
}

static const struct known_dataset *find_known(const struct known_dataset *known, const char *id)
{
    for (size_t i = 0; known != NULL && i < KNOWN_DATASETS_MAX; i++) {
        if (known[i].id != NULL && strcmp(known[i].id, id) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

/* By its id; the block of one that is known is not copied. */
static enum status open_named(struct job_dataset *dataset, struct store *store, const char *id,
                              const struct known_dataset *known, const char *pointer, struct error *error)
{
    const struct known_dataset *found = find_known(known, id);

    if (found == NULL) {
        return open_stored(dataset, store, id, pointer, error);
    }
    snprintf(dataset->sha256, sizeof dataset->sha256, "%s", found->sha256);
    return open_block(dataset, found->block->data, found->block->size, error);
}

static enum status open_ref(struct job_dataset *dataset, struct store *store, const struct dataset_ref *ref,
                            const struct known_dataset *known, const char *pointer, struct error *error)
{
    switch (ref->type) {
    case DATASET_REF_ID:
        return open_named(dataset, store, ref->id, known, pointer, error);
    case DATASET_REF_GENERATOR:
        return open_generated(dataset, &ref->generator, error);
    case DATASET_REF_INLINE:
        return open_inline(dataset, &ref->block, error);
    case DATASET_REF_NONE:
        break;
    }
    return error_set_pointer(error, STATUS_MISSING_FIELD, pointer, "a data set is needed");
}

/* Labels of the test set in the training set's numbering: classes are matched by name. */
static enum status match_test_set(struct job_data *data, struct error *error)
{
    const struct dataset *train = &data->train.dataset, *test = &data->test.dataset;
    enum status status;

    if (test->features != train->features) {
        return error_set_pointer(error, STATUS_FEATURE_COUNT_MISMATCH, "/test/dataset",
                                 "the test set has %u features, the training set %u", test->features, train->features);
    }
    status = dataset_match_labels(test, train->class_names, train->classes, &data->test_labels, error);
    if (status != STATUS_OK) {
        snprintf(error->pointer, sizeof error->pointer, "/test/dataset");
    }
    return status;
}

/* The model that the weights come from. */
static enum status open_initial_model(struct job_data *data, const struct initial_model *init, struct error *error)
{
    struct error reason = {0};
    enum status status;

    if (init->id[0] == '\0') {
        return STATUS_OK;
    }
    status = model_load(data->store, init->id, &data->initial_model, &reason);
    if (status == STATUS_NOT_FOUND || status == STATUS_DELETED) {
        return error_set_pointer(error, STATUS_MODEL_NOT_FOUND, "/init/model", "there is no model %s", init->id);
    }
    if (status != STATUS_OK) {
        *error = reason;
        return status;
    }
    data->has_initial_model = 1;
    if (init->sha256[0] != '\0' && strcmp(init->sha256, data->initial_model.digest) != 0) {
        return error_set_pointer(error, STATUS_EXPECTATION_NOT_MET, "/init/sha256",
                                 "the SHA-256 of the model's parameters is %s", data->initial_model.digest);
    }
    return STATUS_OK;
}

enum status job_dataset_open(struct job_dataset *dataset, struct store *store, const struct dataset_ref *ref,
                             const char *pointer, struct error *error)
{
    return open_ref(dataset, store, ref, NULL, pointer, error);
}

enum status job_data_open_with(struct job_data *data, struct store *store, const struct job_request *request,
                               const struct known_dataset *known, struct problem *problem)
{
    struct error error = {0};
    enum status status;

    *data = (struct job_data){.store = store, .has_test = request->test.type != DATASET_REF_NONE};
    status = open_ref(&data->train, store, &request->dataset, known, "/dataset", &error);
    if (status == STATUS_OK && data->has_test) {
        status = open_ref(&data->test, store, &request->test, known, "/test/dataset", &error);
    }
    if (status == STATUS_OK && data->has_test) {
        status = match_test_set(data, &error);
    }
    if (status == STATUS_OK) {
        status = open_initial_model(data, &request->init, &error);
    }
    if (status == STATUS_OK) {
        status = split_make(&data->split, &data->train.dataset, &request->split, request->train.seed, &error);
        if (status == STATUS_SPLIT_EMPTY) {
            snprintf(error.pointer, sizeof error.pointer, "/split");
        }
    }
    if (status != STATUS_OK) {
        problem_add(problem, &error);
    }
    return status;
}

enum status job_data_open(struct job_data *data, struct store *store, const struct job_request *request,
                          struct problem *problem)
{
    return job_data_open_with(data, store, request, NULL, problem);
}

void job_dataset_close(struct job_dataset *dataset, struct store *store)
{
    dataset_release(&dataset->dataset);
    object_unmap(store, &dataset->map);
    buffer_sink_release(&dataset->memory);
}

void job_data_release(struct job_data *data)
{
    if (data->store != NULL) {
        job_dataset_close(&data->train, data->store);
        job_dataset_close(&data->test, data->store);
        split_release(&data->split);
        free(data->test_labels);
        model_release(&data->initial_model);
        *data = (struct job_data){0};
    }
}

struct train_data job_data_for_training(const struct job_data *data)
{
    return (struct train_data){.dataset = &data->train.dataset,
                               .split = &data->split,
                               .test = data->has_test ? &data->test.dataset : NULL,
                               .test_labels = data->test_labels,
                               .initial_model = data->has_initial_model ? &data->initial_model : NULL};
}
