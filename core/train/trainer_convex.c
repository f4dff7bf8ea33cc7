#include "core/train/trainer_convex.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/checkpoint_format.h"
#include "core/train/convex_objective.h"

struct convex_trainer {
    struct convex_objective *objective;
    struct solver *solver;
    double rows;            /* to learn from */
    double *shift, *factor; /* [features] */
    double *model;          /* [parameters]: the job's, once it has ended */
    float *rounded;         /* [parameters] */
};

static struct convex_setup setup_of(const struct train_spec *spec, uint64_t train_rows, uint32_t threads)
{
    const struct loss_spec *loss = &spec->loss;

    return (struct convex_setup){
        .rows = {.count = train_rows},
        .features = spec->model.inputs,
        .loss = {.classes = spec->model.classes,
                 .label_smoothing = loss->label_smoothing,
                 .class_weights = loss->weighting == CLASS_WEIGHTS_NONE ? NULL : loss->class_weights},
        .l2 = loss->l2,
        .second_order = spec->optimizer.type == OPTIMIZER_NEWTON_CG,
        .threads = threads};
}

uint64_t trainer_convex_bytes(const struct train_spec *spec, uint64_t train_rows, uint32_t threads)
{
    const struct convex_setup setup = setup_of(spec, train_rows, threads);
    uint64_t n = model_spec_parameter_count(&spec->model), objective, solver, state, bytes;

    if (!optimizer_has(spec->optimizer.type, OPTIMIZER_CONVEX_SOLVER)) {
        return 0;
    }
    objective = convex_objective_bytes(&setup);
    solver = solver_bytes(&spec->optimizer, n);
    state = solver_state_count(&spec->optimizer, n) * sizeof(double); /* less than the solver's */
    bytes = 2 * spec->model.inputs * sizeof(double) + n * (sizeof(double) + sizeof(float)) + state;
    return objective == 0 || solver == 0 || __builtin_add_overflow(bytes, objective, &bytes) ||
                   __builtin_add_overflow(bytes, solver, &bytes)
               ? UINT64_MAX
               : bytes;
}

static enum status make_objective(struct convex_trainer *convex, const struct trainer *trainer, double normaliser,
                                  struct error *error)
{
    const struct split *split = trainer->data.split;
    struct convex_setup setup = setup_of(&trainer->spec, split->train_count, trainer->max_threads);

    setup.rows = (struct convex_rows){.dataset = trainer->data.dataset, .rows = split->train, .count = split->train_count};
    setup.shift = convex->shift;
    setup.factor = convex->factor;
    setup.normaliser = normaliser;
    setup.pool = trainer->pool;
    return convex_objective_new(&convex->objective, &setup, error);
}

/* The constants of an initial model are known in float32 only. */
static enum status make_constants(struct convex_trainer *convex, const struct trainer *trainer, struct error *error)
{
    const struct split *split = trainer->data.split;

    return scaler_constants_f64(&trainer->scaler, trainer->data.initial_model == NULL ? trainer->data.dataset : NULL,
                                split->train, split->train_count, convex->shift, convex->factor, error);
}

enum status trainer_convex_new(struct convex_trainer **out, const struct trainer *trainer, double normaliser,
                               struct error *error)
{
    struct convex_trainer *convex = calloc(1, sizeof *convex);
    size_t n = trainer->plan.parameters, features = trainer->spec.model.inputs;
    enum status status = STATUS_OK;

    *out = NULL;
    if (convex != NULL) {
        convex->rows = (double)trainer->data.split->train_count;
        convex->shift = calloc(features, sizeof *convex->shift);
        convex->factor = calloc(features, sizeof *convex->factor);
        convex->model = calloc(n, sizeof *convex->model);
        convex->rounded = calloc(n, sizeof *convex->rounded);
    }
    if (convex == NULL || convex->shift == NULL || convex->factor == NULL || convex->model == NULL ||
        convex->rounded == NULL) {
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory to solve for %zu parameters", n);
    }
    if (status == STATUS_OK) {
        status = make_constants(convex, trainer, error);
    }
    if (status == STATUS_OK) {
        status = make_objective(convex, trainer, normaliser, error);
    }
    if (status == STATUS_OK) {
        struct optimizer_spec optimizer = trainer->spec.optimizer;

        optimizer.tolerance = fmax(optimizer.tolerance, trainer->spec.stop.gradient_norm);
        trainer_convex_model(convex, trainer->parameters, n);
        status = solver_new(&convex->solver, &optimizer, n, convex->model, error);
    }
    if (status != STATUS_OK) {
        trainer_convex_free(convex);
        return status;
    }
    *out = convex;
    return STATUS_OK;
}

void trainer_convex_free(struct convex_trainer *convex)
{
    if (convex != NULL) {
        solver_free(convex->solver);
        convex_objective_free(convex->objective);
        free(convex->shift);
        free(convex->factor);
        free(convex->model);
        free(convex->rounded);
        free(convex);
    }
}

const struct solver *trainer_convex_solver(const struct convex_trainer *convex)
{
    return convex->solver;
}

int trainer_convex_restore(struct convex_trainer *convex, const void *state)
{
    struct solver_scalars scalars;
    double correct;

    memcpy(&scalars, state, sizeof scalars);
    correct = scalars.here.notes[CONVEX_CORRECT];
    return correct >= 0 && correct <= convex->rows && correct == floor(correct) && solver_restore(convex->solver, state);
}

/* The parameters as float32, for the network; 0 where one is too large for that. */
static int round_parameters(struct convex_trainer *convex)
{
    for (size_t i = 0; i < convex->solver->n; i++) {
        convex->rounded[i] = (float)convex->solver->theta[i];
    }
    return floats_are_finite(convex->rounded, convex->solver->n);
}

enum solver_outcome trainer_convex_step(struct convex_trainer *convex, struct trainer *trainer, struct solver_move *move)
{
    struct objective objective = convex_objective_interface(convex->objective);
    enum solver_outcome outcome = solver_step(convex->solver, &objective, move);

    if (outcome == SOLVER_MOVED) {
        if (!round_parameters(convex)) {
            return SOLVER_NOT_FINITE;
        }
        network_load_f32(trainer->network, convex->rounded);
    }
    return outcome;
}

/* ---- the job's model ---- */

void trainer_convex_model(struct convex_trainer *convex, const float *parameters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        convex->model[i] = parameters != NULL ? (double)parameters[i] : convex->solver->theta[i];
    }
}

double trainer_convex_loss(struct convex_trainer *convex, const struct evaluation *evaluation)
{
    struct convex_rows rows = {
        .dataset = evaluation->dataset, .rows = evaluation->rows, .count = evaluation->count, .labels = evaluation->labels};

    return convex_objective_loss(convex->objective, &rows, convex->model);
}

double trainer_convex_weight_square(const struct convex_trainer *convex)
{
    return convex_objective_weight_square(convex->objective, convex->model);
}
