/*
 * Muon: a step along the momentum of a weight matrix as a whole, with its singular values brought near 1.
 *
 *     m <- momentum m + (1 - momentum) g        u = (1 - momentum) g + momentum m   (nesterov)   or m
 *     X = u / (|u|_F + 1e-7);   ns_steps times   A = X X^T,  X <- a X + (b A + c A^2) X,  (a, b, c) = (3.4445,
 * -4.7750, 2.0315) W <- W (1 - learning_rate weight_decay) - learning_rate sqrt(max(1, outputs / inputs)) X
 *
 * The iteration (Newton-Schulz) is not the exact polar factor: five steps bring every singular value that is at least 0.005
 * of |u|_F into [0.68, 1.16]. A matrix and its transpose have the same iteration; it is done on whichever has no more rows
 * than columns, m <= n, and costs ns_steps (4 m^2 n + 2 m^3) operations.
 *
 * A layer's owner (core/nn/network_muon.inc) brings the pieces of its matrix together between the three parts that stand
 * here: the momentum, element by element; the iteration, by the pool; the step, element by element. What is no hidden
 * layer's weight gets the element-wise part of the rule (optimizer_update).
 *
 * Source: Jordan et al. 2024, github.com/KellerJordan/Muon, whose matrices are [outputs][inputs] too. There the iteration
 * runs in bfloat16; here in the network's own type.
 */
#ifndef DESCENT_CORE_OPTIM_MUON_H
#define DESCENT_CORE_OPTIM_MUON_H

#include "core/base/pool.h"
#include "core/optim/optimizer.h"

/* sqrt(max(1, outputs / inputs)) */
double muon_factor(uint32_t outputs, uint32_t inputs);
/* Floating-point operations of the iteration for an m x n matrix, m <= n. */
uint64_t muon_flops(uint32_t m, uint32_t n, uint32_t steps);

#define REAL    float
#define M(name) name##_f32
#include "core/optim/muon_declarations.inc"
#undef REAL
#undef M

#define REAL    double
#define M(name) name##_f64
#include "core/optim/muon_declarations.inc"
#undef REAL
#undef M

#endif
