#include "core/base/matrix_reference.h"

#include <assert.h>

#include "core/base/vector_clones.h"

#define ROWS    4
#define COLUMNS 16

#define REAL float
#define GEMM matrix_reference_sgemm
#define TILE tile_f32
#include "core/base/matrix_reference.inc"
#undef REAL
#undef GEMM
#undef TILE

#define REAL double
#define GEMM matrix_reference_dgemm
#define TILE tile_f64
#include "core/base/matrix_reference.inc"
