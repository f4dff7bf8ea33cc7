/*
 * One row of a job's curves. There is one every log_every_steps and eval_every_steps, at epochs' ends (of more than
 * TRAIN_EPOCH_POINTS epochs: every so many) and where training ends by itself.
 *
 * TRAIN_POINT_VALUES lists what a row may hold beside its place: columns of curves, of the store, of charts come from it.
 */
#ifndef DESCENT_CORE_TRAIN_TRAIN_POINT_H
#define DESCENT_CORE_TRAIN_TRAIN_POINT_H

#include <stdint.h>

#define TRAIN_POINT_LAYERS 16 /* that update_ratio has room for */

/* NaN: not measured at this step. */
struct train_point {
    uint64_t step;     /* updates made so far */
    double epoch;      /* epochs made so far, with fraction */
    double batch_loss; /* of the update's minibatch, before the update, with smoothing, weights; without l2 */
    double train_loss, train_accuracy; /* mean over the epoch's minibatches as they were seen */
    double validation_loss, validation_accuracy;
    double learning_rate, gradient_norm, step_size; /* gradient of the objective before clipping; norm of the move */
    /* diagnostics (core/train/diagnostics.h) */
    double sharpness, sharpness_limit; /* the Hessian's largest eigenvalue; 2 / learning_rate */
    double full_gradient_norm;         /* of the objective over the training rows */
    double noise_scale;                /* rows: the gradient noise's, by moving means */
    double gradient_variance;          /* of the minibatch's mean gradient */
    double gradient_square;            /* estimate of the true gradient's squared norm; may be negative */
    /* of a learning-rate range test */
    double smoothed_loss;
    /* a diagnostic again: norm of the move over norm of the parameters, of the k-th layer with parameters */
    double update_ratio[TRAIN_POINT_LAYERS];
};

/* X(NAME, name, place in the struct) for each. The order is that of curves: only ever append. */
#define TRAIN_POINT_VALUES(X)                                                                                               \
    X(BATCH_LOSS, batch_loss, batch_loss)                                                                                   \
    X(TRAIN_LOSS, train_loss, train_loss)                                                                                   \
    X(TRAIN_ACCURACY, train_accuracy, train_accuracy)                                                                       \
    X(VALIDATION_LOSS, validation_loss, validation_loss)                                                                    \
    X(VALIDATION_ACCURACY, validation_accuracy, validation_accuracy)                                                        \
    X(LEARNING_RATE, learning_rate, learning_rate)                                                                          \
    X(GRADIENT_NORM, gradient_norm, gradient_norm)                                                                          \
    X(STEP_SIZE, step_size, step_size)                                                                                      \
    X(SHARPNESS, sharpness, sharpness)                                                                                      \
    X(SHARPNESS_LIMIT, sharpness_limit, sharpness_limit)                                                                    \
    X(FULL_GRADIENT_NORM, full_gradient_norm, full_gradient_norm)                                                           \
    X(NOISE_SCALE, noise_scale, noise_scale)                                                                                \
    X(GRADIENT_VARIANCE, gradient_variance, gradient_variance)                                                              \
    X(GRADIENT_SQUARE, gradient_square, gradient_square)                                                                    \
    X(SMOOTHED_LOSS, smoothed_loss, smoothed_loss)                                                                          \
    X(UPDATE_RATIO_0, update_ratio_0, update_ratio[0])                                                                      \
    X(UPDATE_RATIO_1, update_ratio_1, update_ratio[1])                                                                      \
    X(UPDATE_RATIO_2, update_ratio_2, update_ratio[2])                                                                      \
    X(UPDATE_RATIO_3, update_ratio_3, update_ratio[3])                                                                      \
    X(UPDATE_RATIO_4, update_ratio_4, update_ratio[4])                                                                      \
    X(UPDATE_RATIO_5, update_ratio_5, update_ratio[5])                                                                      \
    X(UPDATE_RATIO_6, update_ratio_6, update_ratio[6])                                                                      \
    X(UPDATE_RATIO_7, update_ratio_7, update_ratio[7])                                                                      \
    X(UPDATE_RATIO_8, update_ratio_8, update_ratio[8])                                                                      \
    X(UPDATE_RATIO_9, update_ratio_9, update_ratio[9])                                                                      \
    X(UPDATE_RATIO_10, update_ratio_10, update_ratio[10])                                                                   \
    X(UPDATE_RATIO_11, update_ratio_11, update_ratio[11])                                                                   \
    X(UPDATE_RATIO_12, update_ratio_12, update_ratio[12])                                                                   \
    X(UPDATE_RATIO_13, update_ratio_13, update_ratio[13])                                                                   \
    X(UPDATE_RATIO_14, update_ratio_14, update_ratio[14])                                                                   \
    X(UPDATE_RATIO_15, update_ratio_15, update_ratio[15])

/* The row of a step, nothing of it measured yet. */
struct train_point train_point_at(uint64_t step);
/* Whether two rows are the same, bit by bit but for what NaN looks like. */
int train_points_equal(const struct train_point *a, const struct train_point *b);

#endif
