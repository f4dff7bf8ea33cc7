/*
 * Softmax regression's objective on the rows of a data set, in float64: what solvers (core/optim/solver.h) minimise.
 *
 *     F(W, b) = (1/N) Σ_i l(W x_i + b, t_i) + (λ/2) ‖W‖²          l, t, N: core/nn/loss.h; b is not penalised
 *     ∂F/∂W = Dᵀ X + λ W           ∂F/∂b = Dᵀ 1          D: rows ∂l_i/∂z_i / N
 *     H V = Rᵀ X̃ + λ V (weights)   R_ic = (τ_i / N) p_ic (a_ic - Σ_j p_ij a_ij),  a_i = V x̃_i,  τ_i = Σ_c t_ic
 *     diag H = ((τ/N) p (1 - p))ᵀ X̃² + λ (weights)
 *
 * theta is canonical (core/nn/model.h): W [classes][features] row-major, then b [classes]. X̃: X and a column of ones.
 *
 * The rows are cut into pieces by their number and the model's size alone, each piece is summed in row order, then the
 * pieces in theirs: the number of threads changes no bit. Features are gathered and scaled in float64 block by block, each
 * time anew: all of them at once would be eight times the size of a data set of bytes.
 */
#ifndef DESCENT_CORE_TRAIN_CONVEX_OBJECTIVE_H
#define DESCENT_CORE_TRAIN_CONVEX_OBJECTIVE_H

#include "core/base/pool.h"
#include "core/data/dataset.h"
#include "core/nn/loss.h"
#include "core/optim/objective.h"

/* Rows with their targets; everything borrowed. */
struct convex_rows {
    const struct dataset *dataset;
    const uint32_t *rows; /* [count]; NULL: all rows of the data set, in order */
    uint64_t count;
    const int32_t *labels; /* by row of the data set; NULL: its own labels, hard or soft */
};

struct convex_setup {
    struct convex_rows rows; /* to learn from */
    uint32_t features;
    const double *shift, *factor; /* [features]: x -> (x - shift) * factor; borrowed */
    struct softmax_loss loss;     /* classes, smoothing, weights (borrowed) */
    double normaliser;            /* N */
    double l2;                    /* λ */
    int second_order;             /* products with the Hessian are wanted */
    uint32_t threads;             /* that the pool can have at most */
    struct pool *pool;            /* borrowed */
};

struct convex_objective;
/* Bytes that one takes; of setup the sizes, second_order and threads are looked at. 0 where they overflow. */
uint64_t convex_objective_bytes(const struct convex_setup *setup);
MUST_CHECK enum status convex_objective_new(struct convex_objective **objective, const struct convex_setup *setup,
                                            struct error *error);
void convex_objective_free(struct convex_objective *objective);

/* Notes of its values: the loss without the penalty; rows that are predicted right. */
enum convex_note { CONVEX_LOSS, CONVEX_CORRECT };
/* For solvers, which call it on the thread that made the pool. */
struct objective convex_objective_interface(struct convex_objective *objective);

/* Mean of the plain losses (without smoothing, weights, penalty) of any rows with as many features and classes. */
double convex_objective_loss(struct convex_objective *objective, const struct convex_rows *rows, const double *theta);
/* ‖W‖² */
double convex_objective_weight_square(const struct convex_objective *objective, const double *theta);

#endif
