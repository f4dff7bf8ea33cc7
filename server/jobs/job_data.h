/*
 * The data of a job: its data set and test set in memory, and how the rows are split. From a decoded request, at
 * submission as at every start, always the same.
 */
#ifndef DESCENT_SERVER_JOBS_JOB_DATA_H
#define DESCENT_SERVER_JOBS_JOB_DATA_H

#include "api/job_request.h"
#include "server/store/object.h"

/* One data set, wherever it comes from. */
struct job_dataset {
    struct object_map map;     /* of a stored one */
    struct buffer_sink memory; /* of a generated one */
    struct dataset dataset;
    char sha256[SHA256_TEXT];
};

/* Opens what `ref` names; blocks for the disk. Errors with `pointer`. Close it in any case. */
MUST_CHECK enum status job_dataset_open(struct job_dataset *dataset, struct store *store, const struct dataset_ref *ref,
                                        const char *pointer, struct error *error);
void job_dataset_close(struct job_dataset *dataset, struct store *store);

struct job_data {
    struct store *store;
    struct job_dataset train, test;
    int has_test;
    int32_t *test_labels; /* [test rows], in train's numbering */
    struct split split;
    struct model initial_model; /* owned; of no use unless the request names one */
    int has_initial_model;
};

/*
 * Opens what `request` names. Blocks for the disk. STATUS_DATASET_NOT_FOUND, STATUS_DATASET_NOT_READY, a split that is
 * empty, a test set whose features or classes do not fit; STATUS_MODEL_NOT_FOUND, STATUS_EXPECTATION_NOT_MET of the model to
 * start from: errors with pointers, in `problem`. Release it in any case.
 */
MUST_CHECK enum status job_data_open(struct job_data *data, struct store *store, const struct job_request *request,
                                     struct problem *problem);
/* A data set that is about to be stored under this id: its canonical block, in memory for as long as the data is open. */
struct known_dataset {
    const char *id;
    const struct buffer_sink *block;
    char sha256[SHA256_TEXT];
};
#define KNOWN_DATASETS_MAX 2
/* The same; known [KNOWN_DATASETS_MAX] (id NULL: none) are looked at before the store. NULL: nothing is known. */
MUST_CHECK enum status job_data_open_with(struct job_data *data, struct store *store, const struct job_request *request,
                                          const struct known_dataset *known, struct problem *problem);
void job_data_release(struct job_data *data);

/* The part that the trainer sees; borrows `data`. */
struct train_data job_data_for_training(const struct job_data *data);

#endif
