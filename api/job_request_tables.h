/*
 * The objects of POST /v1/jobs as tables (fields.h): what decodes and encodes a request, and what describes it in
 * GET /v1/algorithms and OpenAPI.
 */
#ifndef DESCENT_API_JOB_REQUEST_TABLES_H
#define DESCENT_API_JOB_REQUEST_TABLES_H

#include "api/fields.h"
#include "core/nn/model_spec.h"
#include "core/optim/optimizer.h"
#include "core/optim/schedule.h"

/* Offsets are those of struct job_request, but where another struct is named. */
enum job_table {
    JOB_TABLE_JOB,     /* the whole request */
    JOB_TABLE_DATASET, /* variants: enum dataset_form; the generator's offsets: struct generator_spec */
    JOB_TABLE_SPLIT,
    JOB_TABLE_TEST,
    JOB_TABLE_MODEL, /* variants: enum model_form */
    JOB_TABLE_LAYER, /* variants: enum layer_type; struct layer_spec */
    JOB_TABLE_LOSS,
    JOB_TABLE_OPTIMIZER, /* variants: enum optimizer_type, then OPTIMIZER_GD; struct optimizer_spec */
    JOB_TABLE_SCHEDULE,  /* variants: enum schedule_type; struct schedule_spec */
    JOB_TABLE_TRAINING,
    JOB_TABLE_STOP,
    JOB_TABLE_EARLY,
    JOB_TABLE_CHECKPOINT,
    JOB_TABLE_RESOURCES,
    JOB_TABLE_EXPECT,
    JOB_TABLE_INITIAL_MODEL,
    JOB_TABLE_RANGE,
    JOB_TABLE_COUNT
};

enum dataset_form { DATASET_FORM_GENERATOR, DATASET_FORM_INLINE, DATASET_FORM_COUNT };
enum model_form {
    MODEL_FORM_SOFTMAX,
    MODEL_FORM_LOGISTIC,
    MODEL_FORM_MLP,
    MODEL_FORM_LAYERS,
    MODEL_FORM_CNN,
    MODEL_FORM_COUNT
};

/* "gd" in requests: sgd whose batch is the whole training set unless another is given. */
#define OPTIMIZER_GD          OPTIMIZER_COUNT
#define OPTIMIZER_FORM_COUNT  (OPTIMIZER_COUNT + 1)
#define DEFAULT_BATCH_SIZE    128
#define PADDING_VALID         0 /* choices of conv2d's padding */
#define PADDING_SAME          1
#define CONVEX_DEFAULT_EPOCHS 2000 /* of solvers, which end by their tolerance */
#define JOB_MAX_METRICS_ROWS  100000
#define JOB_AUTO_METRICS_ROWS 2000 /* that log_every_steps "auto" aims at */

/* How many variants a table has; 1 where there is only one form. */
size_t job_table_variants(enum job_table id);
/* variant: below job_table_variants. */
void job_table(enum job_table id, size_t variant, struct field_table *table);
/*
 * The table that an object's field is described by, JOB_TABLE_COUNT: none. A field is called as its table ("split"), or
 * with the object's name before it ("stop.early"); of a list ("layers") the table is called as one item.
 */
enum job_table job_table_of(const struct field_table *object, const struct field *field);
/* The words of "type" that are known but not supported yet, ended by NULL; NULL: there are none. */
const char *const *job_table_later(enum job_table id);

/* The forms of models and layers; "type" is appended by the caller. */
void job_model_table(enum model_form form, struct field_table *table);
void job_layer_table(enum layer_type type, struct field_table *table);
void field_table_append(struct field_table *table, const struct field *fields, size_t count);

/* Table `index` (0, 1, 2 ...) of all, variant by variant, into *table; 0 past the last one. */
int job_request_table(size_t index, struct field_table *table);

#endif
