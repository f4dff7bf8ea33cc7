/*
 * The probe (a float32 network that stores gradients, without dropout) gives the halves' gradients and the full one; a
 * float64 objective the Hessian. Both work on copies of the parameters, brought into canonical order.
 */
#include "diagnostics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/nn/network_objective.h"
#include "core/nn/network_state.h"
#include "core/train/largest_eigenvalue.h"
#include "core/train/trainer_internal.h"

#define SHARPNESS_ROWS      4096
#define SHARPNESS_LEAST     128
#define SHARPNESS_FLOPS     UINT64_C(20000000) /* of a gradient: some hundredths of a second in float64 */
#define SHARPNESS_TOLERANCE 1e-3
#define SHARPNESS_ARRAYS    6 /* of float64: the point, Lanczos' three, two more for a Hessian-vector product */
#define NOISE_DECAY         0.95

static_assert(SHARPNESS_ROWS <= NETWORK_CHUNK_ROWS, "they are one chunk");

static const struct {
    const char *name, *help;
} table[DIAGNOSTIC_COUNT] = {
    [DIAGNOSTIC_SHARPNESS] = {"sharpness", "the Hessian's largest eigenvalue, beside 2 / learning_rate"},
    [DIAGNOSTIC_NOISE_SCALE] = {"noise_scale",
                                "how much minibatches' gradients differ, and the batch size that this suggests"},
    [DIAGNOSTIC_UPDATE_RATIO] = {"update_ratio", "norm of the move over norm of the parameters, by layer"},
    [DIAGNOSTIC_FULL_GRADIENT_NORM] = {"full_gradient_norm",
                                       "of the objective over all training rows, at ends of epochs and evaluations"},
};

struct diagnostics {
    unsigned wanted;
    float *arrays[2]; /* canonical; NULL: not needed (arrays_needed) */
    /* sharpness */
    struct network_objective *objective;
    uint32_t *rows;
    double *vectors; /* [SHARPNESS_ARRAYS * parameters] */
    /* measured at this step's update */
    int is_fresh;
    double gradient_variance, gradient_square, gradient_noise; /* gradient_noise: tr(S) */
    double update_ratio[TRAIN_POINT_LAYERS];
};

const char *diagnostic_name(enum diagnostic diagnostic)
{
    return table[diagnostic].name;
}

const char *diagnostic_help(enum diagnostic diagnostic)
{
    return table[diagnostic].help;
}

static int wants(const struct diagnostics *diagnostics, enum diagnostic diagnostic)
{
    return diagnostics != NULL && (diagnostics->wanted & DIAGNOSTIC_BIT(diagnostic)) != 0;
}

int diagnostics_need_probe(const struct train_spec *spec)
{
    return (spec->diagnostics & (DIAGNOSTIC_BIT(DIAGNOSTIC_NOISE_SCALE) | DIAGNOSTIC_BIT(DIAGNOSTIC_FULL_GRADIENT_NORM))) !=
           0;
}

/* ---- memory ---- */

/* Noise and moves compare two sets of parameters, sharpness looks at one. */
static int arrays_needed(unsigned wanted)
{
    if ((wanted & (DIAGNOSTIC_BIT(DIAGNOSTIC_NOISE_SCALE) | DIAGNOSTIC_BIT(DIAGNOSTIC_UPDATE_RATIO))) != 0) {
        return 2;
    }
    return (wanted & DIAGNOSTIC_BIT(DIAGNOSTIC_SHARPNESS)) != 0;
}

static uint32_t sharpness_rows(const struct model_spec *model, uint64_t train_rows)
{
    uint64_t rows = SHARPNESS_FLOPS / model_spec_flops(model, 1);

    rows = rows < SHARPNESS_LEAST ? SHARPNESS_LEAST : rows > SHARPNESS_ROWS ? SHARPNESS_ROWS : rows;
    return (uint32_t)(rows < train_rows ? rows : train_rows);
}

enum status diagnostics_bytes(const struct train_spec *spec, uint64_t train_rows, uint32_t threads, uint64_t *bytes,
                              struct error *error)
{
    uint64_t parameters = model_spec_parameter_count(&spec->model), objective;
    enum status status;

    *bytes = 0;
    if (spec->diagnostics == 0) {
        return STATUS_OK;
    }
    *bytes = sizeof(struct diagnostics) + (uint64_t)arrays_needed(spec->diagnostics) * parameters * sizeof(float);
    if ((spec->diagnostics & DIAGNOSTIC_BIT(DIAGNOSTIC_SHARPNESS)) != 0) {
        status = network_objective_bytes(&spec->model, sharpness_rows(&spec->model, train_rows), threads, &objective, error);
        if (status != STATUS_OK) {
            return status;
        }
        *bytes += objective + SHARPNESS_ARRAYS * parameters * sizeof(double) + SHARPNESS_ROWS * sizeof(uint32_t);
    }
    return STATUS_OK;
}

/* The objective of training rows spread evenly over the split, which may be sorted. */
static enum status make_objective(struct diagnostics *diagnostics, const struct trainer *trainer, struct error *error)
{
    const struct split *split = trainer->data.split;
    uint32_t count = sharpness_rows(&trainer->spec.model, split->train_count);

    diagnostics->rows = calloc(count, sizeof *diagnostics->rows);
    diagnostics->vectors = calloc(SHARPNESS_ARRAYS * trainer->plan.parameters, sizeof *diagnostics->vectors);
    if (diagnostics->rows == NULL || diagnostics->vectors == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to measure sharpness");
    }
    for (uint32_t i = 0; i < count; i++) {
        diagnostics->rows[i] = split->train[i * split->train_count / count];
    }
    struct network_objective_setup setup = {.model = &trainer->spec.model,
                                            .dataset = trainer->data.dataset,
                                            .scaler = &trainer->scaler,
                                            .labels = trainer->soft_winners != NULL ? NULL : trainer->labels,
                                            .rows = diagnostics->rows,
                                            .count = count,
                                            .loss =
                                                trainer_loss(trainer, trainer_normaliser(trainer, diagnostics->rows, count)),
                                            .l2 = trainer->spec.loss.l2,
                                            .gives_statistics = 1,
                                            .pool = trainer->pool};

    return network_objective_new(&diagnostics->objective, &setup, error);
}

enum status diagnostics_new(struct diagnostics **out, const struct trainer *trainer, struct error *error)
{
    struct diagnostics *diagnostics;
    enum status status = STATUS_OK;

    *out = NULL;
    if (trainer->spec.diagnostics == 0) {
        return STATUS_OK;
    }
    diagnostics = calloc(1, sizeof *diagnostics);
    if (diagnostics == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for diagnostics");
    }
    diagnostics->wanted = trainer->spec.diagnostics;
    for (int i = 0; i < arrays_needed(diagnostics->wanted); i++) {
        diagnostics->arrays[i] = calloc(trainer->plan.parameters, sizeof(float));
        if (diagnostics->arrays[i] == NULL) {
            status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for diagnostics");
        }
    }
    if (status == STATUS_OK && wants(diagnostics, DIAGNOSTIC_SHARPNESS)) {
        status = make_objective(diagnostics, trainer, error);
    }
    if (status != STATUS_OK) {
        diagnostics_free(diagnostics);
        return status;
    }
    *out = diagnostics;
    return STATUS_OK;
}

void diagnostics_free(struct diagnostics *diagnostics)
{
    if (diagnostics != NULL) {
        network_objective_free(diagnostics->objective);
        free(diagnostics->rows);
        free(diagnostics->vectors);
        free(diagnostics->arrays[0]);
        free(diagnostics->arrays[1]);
        free(diagnostics);
    }
}

/* ---- the noise of gradients ---- */

/* The gradient of the mean loss of rows [count], canonical, into `gradient`; returns the square of the objective's norm. */
static double half_gradient(struct trainer *trainer, const uint32_t *rows, uint32_t count, float *gradient)
{
    struct network_loss loss = trainer_loss(trainer, trainer_normaliser(trainer, rows, count));
    double norm;

    trainer_probe_gradient(trainer, rows, count, &loss);
    norm = network_gradient_norm_f32(trainer->probe, trainer->spec.loss.l2);
    network_store_gradients_f32(trainer->probe, gradient);
    return norm * norm;
}

static double distance_square(uint64_t count, const float *a, const float *b)
{
    double sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        double difference = (double)a[i] - (double)b[i];

        sum += difference * difference;
    }
    return sum;
}

/* The probe at the point at which the update takes its gradient. */
static void copy_weights(struct trainer *trainer)
{
    struct network_state from = network_state_f32(trainer->network), to = network_state_f32(trainer->probe);

    memcpy(to.weights, from.weights, from.plan->stored * sizeof *to.weights);
}

static void measure_noise(struct trainer *trainer, const uint32_t *rows, uint32_t count)
{
    struct diagnostics *diagnostics = trainer->diagnostics;
    uint32_t half = count / 2;
    double small, distance;

    diagnostics->gradient_square = diagnostics->gradient_variance = diagnostics->gradient_noise = (double)NAN;
    if (half == 0) {
        return;
    }
    copy_weights(trainer);
    small = half_gradient(trainer, rows, half, diagnostics->arrays[0]);
    small = (small + half_gradient(trainer, rows + half, half, diagnostics->arrays[1])) / 2;
    distance = distance_square(trainer->plan.parameters, diagnostics->arrays[0], diagnostics->arrays[1]);
    diagnostics->gradient_square = small - distance / 2;
    diagnostics->gradient_variance = distance / 4;
    diagnostics->gradient_noise = 2 * half * diagnostics->gradient_variance;
}

/* A point's measurement goes into the moving means, which are a part of the state. */
static double smoothed_noise_scale(struct trainer *trainer)
{
    struct train_state *state = &trainer->state;
    const struct diagnostics *diagnostics = trainer->diagnostics;

    if (isfinite(diagnostics->gradient_square) && isfinite(diagnostics->gradient_noise)) {
        state->noise_square = NOISE_DECAY * state->noise_square + (1 - NOISE_DECAY) * diagnostics->gradient_square;
        state->noise_trace = NOISE_DECAY * state->noise_trace + (1 - NOISE_DECAY) * diagnostics->gradient_noise;
    }
    return state->noise_square > 0 ? state->noise_trace / state->noise_square : (double)NAN;
}

/* ---- moves ---- */

static void serve_into(struct trainer *trainer, float *parameters)
{
    struct network_f32 *served = evaluator_network(trainer->evaluator);

    network_serve_f32(served, trainer->network);
    network_store_f32(served, parameters);
}

static void measure_moves(struct trainer *trainer)
{
    struct diagnostics *diagnostics = trainer->diagnostics;
    const struct model_spec *model = &trainer->spec.model;
    const float *before = diagnostics->arrays[0], *after = diagnostics->arrays[1];
    uint32_t place = 0;

    serve_into(trainer, diagnostics->arrays[1]);
    for (uint32_t i = 0; i < model->layer_count && place < TRAIN_POINT_LAYERS; i++) {
        struct layer_parameters layer = model_spec_layer_parameters(model, i);
        uint64_t count = layer.weights + layer.others, all = count + layer.statistics;
        double size = 0;

        if (count == 0) {
            continue;
        }
        for (uint64_t j = 0; j < count; j++) {
            size += (double)after[j] * (double)after[j];
        }
        diagnostics->update_ratio[place++] = size > 0 ? sqrt(distance_square(count, before, after) / size) : (double)NAN;
        before += all;
        after += all;
    }
}

/* ---- sharpness ---- */

struct hessian {
    struct network_objective *objective;
    const double *theta;
    double *work;
};

static void multiply(void *context, const double *v, double *product)
{
    const struct hessian *hessian = context;

    network_objective_hessian_vector(hessian->objective, hessian->theta, v, product, hessian->work);
}

/* The Hessian is that of what is trained: running statistics are constants to it. */
static void leave_out_statistics(const struct model_spec *model, double *v)
{
    for (uint32_t i = 0; i < model->layer_count; i++) {
        struct layer_parameters layer = model_spec_layer_parameters(model, i);

        v += layer.weights + layer.others;
        memset(v, 0, layer.statistics * sizeof *v);
        v += layer.statistics;
    }
}

static double measure_sharpness(struct trainer *trainer)
{
    struct diagnostics *diagnostics = trainer->diagnostics;
    uint64_t count = trainer->plan.parameters;
    double *theta = diagnostics->vectors, *start = theta + count;
    struct hessian hessian = {
        .objective = diagnostics->objective, .theta = theta, .work = theta + (SHARPNESS_ARRAYS - 2) * count};

    serve_into(trainer, diagnostics->arrays[0]);
    for (uint64_t i = 0; i < count; i++) {
        theta[i] = (double)diagnostics->arrays[0][i];
        start[i] = rng_normal_f64(trainer->spec.seed, RNG_DIAGNOSTICS, 0, i);
    }
    leave_out_statistics(&trainer->spec.model, start);
    return largest_eigenvalue(count, multiply, &hessian, SHARPNESS_TOLERANCE, start, start + count, NULL);
}

/* ---- the steps ---- */

void diagnostics_begin_step(struct trainer *trainer)
{
    if (trainer->diagnostics != NULL) {
        trainer->diagnostics->is_fresh = 0;
    }
}

void diagnostics_before_update(struct trainer *trainer, const uint32_t *rows, uint32_t count)
{
    if (wants(trainer->diagnostics, DIAGNOSTIC_NOISE_SCALE)) {
        measure_noise(trainer, rows, count);
    }
    if (wants(trainer->diagnostics, DIAGNOSTIC_UPDATE_RATIO)) {
        serve_into(trainer, trainer->diagnostics->arrays[0]);
    }
}

void diagnostics_after_update(struct trainer *trainer)
{
    if (trainer->diagnostics == NULL) {
        return;
    }
    trainer->diagnostics->is_fresh = 1;
    if (wants(trainer->diagnostics, DIAGNOSTIC_UPDATE_RATIO)) {
        measure_moves(trainer);
    }
}

/* What belongs to the step's update; a point of an update that was made in an earlier call has none of it. */
static void fill_fresh(struct trainer *trainer, struct train_point *point)
{
    const struct diagnostics *diagnostics = trainer->diagnostics;

    if (wants(diagnostics, DIAGNOSTIC_NOISE_SCALE)) {
        point->gradient_square = diagnostics->gradient_square;
        point->gradient_variance = diagnostics->gradient_variance;
        point->noise_scale = smoothed_noise_scale(trainer);
    }
    if (wants(diagnostics, DIAGNOSTIC_UPDATE_RATIO)) {
        uint32_t place = 0;

        for (uint32_t i = 0; i < trainer->spec.model.layer_count && place < TRAIN_POINT_LAYERS; i++) {
            if (model_spec_layer_parameters(&trainer->spec.model, i).others > 0) {
                point->update_ratio[place] = diagnostics->update_ratio[place];
                place++;
            }
        }
    }
}

void diagnostics_fill_point(struct trainer *trainer, struct train_point *point, int epoch_ends_or_evaluates)
{
    if (trainer->diagnostics == NULL) {
        return;
    }
    if (trainer->diagnostics->is_fresh) {
        fill_fresh(trainer, point);
    }
    if (wants(trainer->diagnostics, DIAGNOSTIC_SHARPNESS)) {
        point->sharpness = measure_sharpness(trainer);
        point->sharpness_limit = 2 / point->learning_rate;
    }
    if (wants(trainer->diagnostics, DIAGNOSTIC_FULL_GRADIENT_NORM) && epoch_ends_or_evaluates) {
        point->full_gradient_norm = trainer_full_gradient_norm(trainer);
    }
}
