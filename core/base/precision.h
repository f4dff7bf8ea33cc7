/*
 * How exactly the products of dense layers are computed in training: a choice of the job, part of what its bits depend on.
 *
 *   f32    float32 throughout
 *   bf16   the operands of those products are rounded to bfloat16 (bf16.h), the sums are float32; weights, the optimizer's
 *          state, activations, biases, losses and everything else stay float32
 */
#ifndef DESCENT_CORE_BASE_PRECISION_H
#define DESCENT_CORE_BASE_PRECISION_H

enum precision { PRECISION_F32, PRECISION_BF16, PRECISION_COUNT };

const char *precision_name(enum precision precision); /* "f32", "bf16" */

#endif
