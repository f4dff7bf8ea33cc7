/* Chunk by chunk: gather, forward, losses and probabilities by grains; then the scores, row by row in order. */
#include "evaluator.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/nn/loss.h"

struct evaluator {
    struct network_f32 *network;
    struct pool *pool;
    uint32_t classes;
    uint32_t rows[EVALUATOR_ROWS];
    uint32_t count; /* of the chunk at hand */
    const struct evaluation *evaluation;
    double temperature;
    double losses[EVALUATOR_ROWS];
    uint32_t predicted[EVALUATOR_ROWS];
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
 * One row's finite logits over the temperature: a sum that overflowed counts as the end of its range, and where even the
 * sign is lost (infinity minus infinity) the class counts as 0. Returns the class of the largest.
 */
static uint32_t finite_logits(const struct evaluator *evaluator, const float *logits, double *out)
{
    uint32_t winner = 0;

    for (uint32_t c = 0; c < evaluator->classes; c++) {
        float z = isnan(logits[c]) ? 0 : fmaxf(-FLT_MAX, fminf(logits[c], FLT_MAX));

        out[c] = (double)z / evaluator->temperature;
        winner = out[c] > out[winner] ? c : winner;
    }
    return winner;
}

/* Probabilities that are finite for every finite input, and the labels. */
static void predictions_of_grain(void *context, uint32_t grain, uint32_t worker)
{
    struct evaluator *evaluator = context;
    uint32_t stride, end = grain_end(evaluator, grain), classes = evaluator->classes;
    const float *logits = network_logits_f32(evaluator->network, &stride);

    (void)worker;
    for (uint32_t r = grain * NETWORK_GRAIN_ROWS; r < end; r++) {
        double *p = evaluator->probabilities + (size_t)r * classes;

        evaluator->predicted[r] = finite_logits(evaluator, logits + (size_t)r * stride, p);
    }
    double *p = evaluator->probabilities + (size_t)grain * NETWORK_GRAIN_ROWS * classes;
    softmax_rows_f64(classes, end - grain * NETWORK_GRAIN_ROWS, p, classes, p);
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

/* Probabilities and cross-entropies at the temperature, from the same logits. */
static void calibrated_of_grain(void *context, uint32_t grain, uint32_t worker)
{
    struct evaluator *evaluator = context;
    uint32_t stride, end = grain_end(evaluator, grain), classes = evaluator->classes;
    const float *logits = network_logits_f32(evaluator->network, &stride);
    struct softmax_loss rule = {.classes = classes};

    (void)worker;
    for (uint32_t r = grain * NETWORK_GRAIN_ROWS; r < end; r++) {
        const float *soft = soft_row(evaluator->evaluation, evaluator->rows[r], classes);
        int32_t label = soft == NULL ? hard_label(evaluator->evaluation, evaluator->rows[r]) : 0;
        struct softmax_loss_rows out = {.plain = &evaluator->losses[r]};
        double *z = evaluator->probabilities + (size_t)r * classes, targets[LOSS_MAX_CLASSES];

        for (uint32_t c = 0; c < classes; c++) {
            z[c] = (double)logits[(size_t)r * stride + c] / evaluator->temperature;
            targets[c] = soft != NULL ? (double)soft[c] : 0;
        }
        softmax_cross_entropy_rows_f64(&rule, 1, z, classes, &label, soft != NULL ? targets : NULL, 1, NULL, 0, &out);
    }
    double *p = evaluator->probabilities + (size_t)grain * NETWORK_GRAIN_ROWS * classes;
    softmax_rows_f64(classes, end - grain * NETWORK_GRAIN_ROWS, p, classes, p);
}

static void run_grains(struct evaluator *evaluator, pool_task task)
{
    pool_phase(evaluator->pool, PHASE_EVALUATE);
    pool_run(evaluator->pool, (evaluator->count + NETWORK_GRAIN_ROWS - 1) / NETWORK_GRAIN_ROWS, task, evaluator);
}

/* Forward of the rows from `first` on, as many as fit. */
static void forward_chunk(struct evaluator *evaluator, uint64_t first)
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
}

void evaluator_probabilities(struct evaluator *evaluator, const struct evaluation *evaluation, double temperature,
                             float *probabilities, uint32_t *predicted)
{
    evaluator->evaluation = evaluation;
    evaluator->temperature = temperature;
    for (uint64_t first = 0; first < evaluation->count; first += EVALUATOR_ROWS) {
        forward_chunk(evaluator, first);
        run_grains(evaluator, predictions_of_grain);
        for (size_t i = 0; i < (size_t)evaluator->count * evaluator->classes; i++) {
            probabilities[first * evaluator->classes + i] = (float)evaluator->probabilities[i];
        }
        memcpy(predicted + first, evaluator->predicted, evaluator->count * sizeof *predicted);
    }
}

static void add_chunk(struct evaluator *evaluator, struct scores *scores)
{
    for (uint32_t r = 0; r < evaluator->count; r++) {
        const float *soft = soft_row(evaluator->evaluation, evaluator->rows[r], evaluator->classes);
        int32_t label = soft == NULL ? hard_label(evaluator->evaluation, evaluator->rows[r]) : 0;

        evaluator->predicted[r] =
            scores_add(scores, evaluator->losses[r], evaluator->probabilities + (size_t)r * evaluator->classes, label, soft);
    }
}

static void add_calibrated_chunk(struct evaluator *evaluator, struct scores *scores)
{
    for (uint32_t r = 0; r < evaluator->count; r++) {
        const float *soft = soft_row(evaluator->evaluation, evaluator->rows[r], evaluator->classes);
        int32_t label = soft == NULL ? hard_label(evaluator->evaluation, evaluator->rows[r]) : 0;

        scores_add_calibrated(scores, evaluator->losses[r], evaluator->probabilities + (size_t)r * evaluator->classes,
                              evaluator->predicted[r], label, soft);
    }
}

void evaluator_run(struct evaluator *evaluator, const struct evaluation *evaluation, struct scores *scores)
{
    evaluator->evaluation = evaluation;
    evaluator->temperature = scores->temperature;
    for (uint64_t first = 0; first < evaluation->count; first += EVALUATOR_ROWS) {
        forward_chunk(evaluator, first);
        run_grains(evaluator, scores_of_grain);
        add_chunk(evaluator, scores);
        if (scores->temperature > 0) {
            run_grains(evaluator, calibrated_of_grain);
            add_calibrated_chunk(evaluator, scores);
        }
    }
    scores_finish(scores);
}

/* ---- temperature ---- */

/* What the passes of a fit go over: logits that were kept, or rows that each pass sends through the network again. */
struct logits_source {
    struct evaluator *evaluator;
    const struct evaluation *evaluation;
    float *kept; /* [count][classes]; NULL: they would be too many */
    int filled;
};

/* Logits of the chunk at `first`, [evaluator->count][classes] in double, in the place of its probabilities. */
static void take_logits(struct logits_source *source, uint64_t first)
{
    struct evaluator *evaluator = source->evaluator;
    const uint32_t classes = evaluator->classes;
    const uint64_t left = source->evaluation->count - first;
    float *kept = source->kept != NULL ? source->kept + first * classes : NULL;
    uint32_t stride = classes;
    const float *logits = kept;

    if (kept == NULL || !source->filled) {
        forward_chunk(evaluator, first);
        logits = network_logits_f32(evaluator->network, &stride);
    } else {
        evaluator->count = left < EVALUATOR_ROWS ? (uint32_t)left : EVALUATOR_ROWS;
    }
    for (uint32_t r = 0; r < evaluator->count; r++) {
        for (uint32_t c = 0; c < classes; c++) {
            float z = logits[(size_t)r * stride + c];

            evaluator->probabilities[(size_t)r * classes + c] = (double)z;
            if (kept != NULL) {
                kept[(size_t)r * classes + c] = z;
            }
        }
    }
}

static void pass_over(void *context, double inverse, struct temperature_sums *sums)
{
    struct logits_source *source = context;
    const struct evaluation *evaluation = source->evaluation;
    const uint32_t classes = source->evaluator->classes;

    for (uint64_t first = 0; first < evaluation->count; first += EVALUATOR_ROWS) {
        take_logits(source, first);
        for (uint32_t r = 0; r < source->evaluator->count; r++) {
            uint32_t row = evaluation->rows != NULL ? evaluation->rows[first + r] : (uint32_t)(first + r);
            const float *soft = soft_row(evaluation, row, classes);

            temperature_add(sums, inverse, classes, source->evaluator->probabilities + (size_t)r * classes,
                            soft == NULL ? hard_label(evaluation, row) : 0, soft);
        }
    }
    source->filled = source->kept != NULL;
}

uint64_t evaluator_fit_bytes(uint64_t rows, uint32_t classes, uint64_t kept)
{
    return rows <= kept / classes ? rows * classes * sizeof(float) : 0;
}

void evaluator_fit_temperature(struct evaluator *evaluator, const struct evaluation *evaluation, uint64_t kept,
                               struct temperature_fit *fit)
{
    struct logits_source source = {.evaluator = evaluator, .evaluation = evaluation};

    uint64_t bytes = evaluator_fit_bytes(evaluation->count, evaluator->classes, kept);

    source.kept = bytes > 0 ? malloc(bytes) : NULL; /* NULL: as if too many */
    evaluator->evaluation = evaluation;
    temperature_fit(fit, pass_over, &source);
    free(source.kept);
}

/* ---- the hardest rows ---- */

void evaluator_hardest(struct evaluator *evaluator, const struct evaluation *evaluation, struct hardest *hardest)
{
    evaluator->evaluation = evaluation;
    for (uint64_t first = 0; first < evaluation->count; first += EVALUATOR_ROWS) {
        forward_chunk(evaluator, first);
        run_grains(evaluator, scores_of_grain);
        for (uint32_t r = 0; r < evaluator->count; r++) {
            hardest_add(hardest, evaluator->losses[r]);
        }
    }
    hardest_finish(hardest);
}
