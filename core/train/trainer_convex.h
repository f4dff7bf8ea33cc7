/*
 * Training by a solver (core/optim/solver.h): an update is one iteration on all rows, in float64.
 *
 * The trainer's network only mirrors the parameters, rounded to float32, after each iteration: evaluations, the best model,
 * checkpoints and files see what they always see. What training goes on from is the solver's own state.
 */
#ifndef DESCENT_CORE_TRAIN_TRAINER_CONVEX_H
#define DESCENT_CORE_TRAIN_TRAINER_CONVEX_H

#include "core/optim/solver.h"
#include "core/train/evaluator.h"
#include "core/train/trainer.h"

struct convex_trainer;

/* Bytes that one takes beside the network, a checkpoint's copy included; 0 where the spec has no solver; UINT64_MAX: too
 * many. */
uint64_t trainer_convex_bytes(const struct train_spec *spec, uint64_t train_rows, uint32_t threads);

/* For a trainer that is set up but for this: at the network's weights. normaliser: what the sum of losses is divided by. */
MUST_CHECK enum status trainer_convex_new(struct convex_trainer **convex, const struct trainer *trainer, double normaliser,
                                          struct error *error);
void trainer_convex_free(struct convex_trainer *convex);

/* One iteration; where it moved, the network has the new weights. */
enum solver_outcome trainer_convex_step(struct convex_trainer *convex, struct trainer *trainer, struct solver_move *move);

/* The solver, whose state is what a checkpoint takes. */
const struct solver *trainer_convex_solver(const struct convex_trainer *convex);
/* Takes such a state over (solver_restore); 0 where it can be none. */
MUST_CHECK int trainer_convex_restore(struct convex_trainer *convex, const void *state);

/*
 * Which parameters [count] the job's model has: the solver's own in float64 (NULL), or others in float32. Then the mean
 * plain loss of rows, and ‖W‖², of that model in float64.
 */
void trainer_convex_model(struct convex_trainer *convex, const float *parameters, size_t count);
double trainer_convex_loss(struct convex_trainer *convex, const struct evaluation *evaluation);
double trainer_convex_weight_square(const struct convex_trainer *convex);

#endif
