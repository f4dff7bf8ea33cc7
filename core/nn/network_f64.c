/* The float64 network: the same source on plain matrix products, for checks against exact derivatives. */
#include "network.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/large_array.h"
#include "core/base/mathx.h"
#include "core/base/matrix_library.h"
#include "core/nn/batch_norm.h"
#include "core/nn/dropout.h"
#include "core/nn/loss.h"
#include "core/nn/narrow_dense.h"

#define REAL               double
#define R(name)            name##_f64
#define GEMM               matrix_reference_dgemm
#define PRODUCT(precision) ((void)(precision), matrix_reference_dgemm)
#include "core/nn/activation.inc"
#include "core/nn/network.inc"
