/*
 * POST /v1/jobs: from bytes to a checked struct, and from the resolved struct back to JSON.
 *
 * Decoding has two halves. job_request_decode needs the body alone and reports every error of form at once.
 * job_request_resolve then meets the data set: fills every default and every "auto", checks what depends on rows,
 * features and classes. What comes out of job_request_encode, posted again, gives the same bits.
 */
#ifndef DESCENT_API_JOB_REQUEST_H
#define DESCENT_API_JOB_REQUEST_H

#include "api/dataset_ref.h"
#include "core/data/split.h"
#include "core/nn/model.h"
#include "core/train/train_spec.h"
#include "core/train/trainer.h"

/* What is fitted on the validation rows for the model that a job leaves. Its weights do not depend on it. */
enum calibration_method { CALIBRATION_NONE, CALIBRATION_TEMPERATURE, CALIBRATION_METHOD_COUNT };
const char *calibration_method_name(enum calibration_method method); /* "none", "temperature" */

/* The model whose weights a job begins with. */
struct initial_model {
    char id[ID_TEXT];          /* "": none, there is an initialiser */
    char sha256[SHA256_TEXT];  /* of its parameters; "": whatever they are */
    const struct model *model; /* once it is loaded; borrowed */
};

struct job_request {
    char name[NAME_TEXT];
    struct dataset_ref dataset, test;
    struct split_spec split;
    struct train_spec train; /* model.inputs and model.classes are 0 until resolved, so is a shape that is not given */
    int batch_full;          /* "full" */
    int gradient_descent;    /* "gd" was asked for: the batch is full unless it is given */
    int preprocessing_auto, log_auto, batch_given;
    int metric_given;                                /* of early stopping */
    uint32_t hidden[MODEL_MAX_LAYERS], hidden_count; /* mlp, cnn */
    unsigned activation;                             /* mlp, cnn: LAYER_RELU + this */
    double dropout;
    uint32_t filters[MODEL_MAX_LAYERS], filter_count, kernel[2]; /* cnn */
    int batch_norm;                                              /* cnn */
    struct initial_model init;
    int logistic; /* logistic_regression was asked for: 2 classes needed */
    enum calibration_method calibration;
    int calibration_auto; /* a temperature, if there are rows to validate on */
    double checkpoint_every_seconds;
    uint64_t checkpoint_every_steps; /* 0: null */
    uint32_t checkpoint_keep;
    uint32_t threads; /* 0: auto */
    int32_t priority;
    char *metadata;                          /* JSON object text of string members, owned; never NULL after decode */
    char expect_dataset_sha256[SHA256_TEXT]; /* "": nothing expected */
    char expect_kernel_tier[128];
    double *class_weights; /* owned, what train.loss borrows */
    uint32_t class_weight_count;
};

/* Errors go to `problem` (all of them, with pointers); returns STATUS_OK or the problem's status. */
MUST_CHECK enum status job_request_decode(struct job_request *request, const char *body, size_t size,
                                          struct problem *problem);
/*
 * request->init.model: set by the caller before, where the request names one. A job that was resolved already (the stored
 * spec) needs it no more.
 */
MUST_CHECK enum status job_request_resolve(struct job_request *request, const struct dataset *dataset,
                                           const struct split *split, const struct dataset *test, struct problem *problem);
void job_request_release(struct job_request *request);

struct json_writer;
/* The resolved spec; dataset_sha256 and kernel_tier go into "expect" unless NULL. */
void job_request_encode(const struct job_request *request, const char *dataset_sha256, const char *kernel_tier,
                        struct json_writer *writer);

#endif
