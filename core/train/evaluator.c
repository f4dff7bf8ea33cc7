/* Chunk by chunk: gather, forward, losses and probabilities by grains; then the scores, row by row in order. */
#include "evaluator.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/nn/loss.h"

struct evaluator {
    struct network_f32 *network;
    struct pool *pool;
    uint32_t classes;
    uint32_t rows[EVALUATOR_ROWS];
    uint32_t count; /* of the chunk at hand */
    const struct evaluation *evaluation;
    double losses[EVALUATOR_ROWS];
    double *probabilities; /* [EVALUATOR_ROWS][classes] */
};

enum status evaluator_new(struct evaluator **out, const struct model_spec *model, struct pool *pool, struct error *error)
{
    struct evaluator *evaluator = calloc(1, sizeof *evaluator);
    struct network_plan plan;
    enum status status;

    *out = NULL;
    if (evaluator == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to evaluate a model");
    }
    evaluator->pool = pool;
    evaluator->classes = model->classes;
    evaluator->probabilities = calloc((size_t)EVALUATOR_ROWS * model->classes, sizeof *evaluator->probabilities);
    status = network_plan_make(&plan, model, EVALUATOR_ROWS, error);
    if (status == STATUS_OK && evaluator->probabilities == NULL) {
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory to evaluate a model of %u classes", model->classes);
    }
    if (status == STATUS_OK) {
        struct network_setup setup = {.plan = &plan, .use = NETWORK_INFER, .pool = pool};

        status = network_new_f32(&evaluator->network, &setup, error);
    }
    if (status != STATUS_OK) {
        evaluator_free(evaluator);
        return status;
    }
    *out = evaluator;
    return STATUS_OK;
}

void evaluator_free(struct evaluator *evaluator)
{
    if (evaluator != NULL) {
        network_free_f32(evaluator->network);
        free(evaluator->probabilities);
        free(evaluator);
    }
}

uint64_t evaluator_bytes(const struct network_plan *training_plan, uint32_t threads)
{
    struct network_plan plan = *training_plan;
    struct network_setup setup = {.plan = &plan, .use = NETWORK_INFER};

    plan.rows = EVALUATOR_ROWS;
    return network_bytes(&setup, threads) + sizeof(struct evaluator) +
           (uint64_t)EVALUATOR_ROWS * plan.classes * sizeof(double);
}

struct network_f32 *evaluator_network(struct evaluator *evaluator)
{
    return evaluator->network;
}

static const float *soft_row(const struct evaluation *evaluation, uint32_t row, uint32_t classes)
{
    return evaluation->labels == NULL && evaluation->dataset->label_type == LABEL_SOFT
               ? evaluation->dataset->soft_labels + (size_t)row * classes
               : NULL;
}

static int32_t hard_label(const struct evaluation *evaluation, uint32_t row)
{
    return evaluation->labels != NULL ? evaluation->labels[row] : evaluation->dataset->labels[row];
}

static uint32_t grain_end(const struct evaluator *evaluator, uint32_t grain)
{
    uint32_t end = (grain + 1) * NETWORK_GRAIN_ROWS;

    return end < evaluator->count ? end : evaluator->count;
}

static void probabilities_of_grain(void *context, uint32_t grain, uint32_t worker)
{
    struct evaluator *evaluator = context;
    uint32_t stride, first = grain * NETWORK_GRAIN_ROWS;
    const float *logits = network_logits_f32(evaluator->network, &stride);

    (void)worker;
    softmax_rows_f32(evaluator->classes, grain_end(evaluator, grain) - first, logits + (size_t)first * stride, stride,
                     evaluator->probabilities + (size_t)first * evaluator->classes);
}

/*
 * The same, finite for every finite input: features so large that a sum overflows give the probabilities of logits at the
 * ends of their range, and where even the sign is lost (infinity minus infinity) the class counts as 0.
 */
static void finite_probabilities_of_grain(void *context, uint32_t grain, uint32_t worker)
{
    struct evaluator *evaluator = context;
    uint32_t stride, end = grain_end(evaluator, grain);
    const float *logits = network_logits_f32(evaluator->network, &stride);

    probabilities_of_grain(context, grain, worker);
    for (uint32_t r = grain * NETWORK_GRAIN_ROWS; r < end; r++) {
        double *p = evaluator->probabilities + (size_t)r * evaluator->classes;
        float clamped[DATASET_MAX_CLASSES];

        if (isfinite(p[0])) {
            continue;
        }
        for (uint32_t c = 0; c < evaluator->classes; c++) {
            float z = logits[(size_t)r * stride + c];

            clamped[c] = isnan(z) ? 0 : fmaxf(-FLT_MAX, fminf(z, FLT_MAX));
        }
        softmax_rows_f32(evaluator->classes, 1, clamped, evaluator->classes, p);
    }
}

/* Probabilities and plain cross-entropies. */
static void scores_of_grain(void *context, uint32_t grain, uint32_t worker)
{
    struct evaluator *evaluator = context;
    uint32_t stride, end = grain_end(evaluator, grain);
    const float *logits = network_logits_f32(evaluator->network, &stride);
    struct softmax_loss rule = {.classes = evaluator->classes};

    probabilities_of_grain(context, grain, worker);
    for (uint32_t r = grain * NETWORK_GRAIN_ROWS; r < end; r++) {
        const float *soft = soft_row(evaluator->evaluation, evaluator->rows[r], evaluator->classes);
        int32_t label = soft == NULL ? hard_label(evaluator->evaluation, evaluator->rows[r]) : 0;
        struct softmax_loss_rows out = {.plain = &evaluator->losses[r]};

        softmax_cross_entropy_rows_f32(&rule, 1, logits + (size_t)r * stride, stride, &label, soft, 1, NULL, 0, &out);
    }
}

/* Forward of the rows from `first` on, as many as fit, then `task` on their grains. */
static void run_chunk(struct evaluator *evaluator, uint64_t first, pool_task task)
{
    const struct evaluation *evaluation = evaluator->evaluation;
    uint64_t left = evaluation->count - first;

    evaluator->count = left < EVALUATOR_ROWS ? (uint32_t)left : EVALUATOR_ROWS;
    for (uint32_t r = 0; r < evaluator->count; r++) {
        evaluator->rows[r] = evaluation->rows != NULL ? evaluation->rows[first + r] : (uint32_t)(first + r);
    }
    struct network_batch batch = {
        .dataset = evaluation->dataset, .scaler = evaluation->scaler, .rows = evaluator->rows, .count = evaluator->count};

    network_gather_f32(evaluator->network, 0, &batch);
    network_forward_f32(evaluator->network, 0, evaluator->count);
    pool_run(evaluator->pool, (evaluator->count + NETWORK_GRAIN_ROWS - 1) / NETWORK_GRAIN_ROWS, task, evaluator);
}

void evaluator_probabilities(struct evaluator *evaluator, const struct evaluation *evaluation, float *probabilities)
{
    evaluator->evaluation = evaluation;
    for (uint64_t first = 0; first < evaluation->count; first += EVALUATOR_ROWS) {
        run_chunk(evaluator, first, finite_probabilities_of_grain);
        for (size_t i = 0; i < (size_t)evaluator->count * evaluator->classes; i++) {
            probabilities[first * evaluator->classes + i] = (float)evaluator->probabilities[i];
        }
    }
}

void evaluator_run(struct evaluator *evaluator, const struct evaluation *evaluation, struct scores *scores)
{
    evaluator->evaluation = evaluation;
    for (uint64_t first = 0; first < evaluation->count; first += EVALUATOR_ROWS) {
        run_chunk(evaluator, first, scores_of_grain);
        for (uint32_t r = 0; r < evaluator->count; r++) {
            const float *soft = soft_row(evaluation, evaluator->rows[r], evaluator->classes);

            scores_add(scores, evaluator->losses[r], evaluator->probabilities + (size_t)r * evaluator->classes,
                       soft == NULL ? hard_label(evaluation, evaluator->rows[r]) : 0, soft);
        }
    }
    scores_finish(scores);
}
