#include "core/base/matrix_reference.h"

#include <assert.h>

#include "core/base/vector_clones.h"

/* A tile of sums fits the 16 vector registers of AVX2, with room for what is added to them. */
#define ROWS 4

#define COLUMNS 16
#define REAL    float
#define GEMM    matrix_reference_sgemm
#define TILE    tile_f32
#include "core/base/matrix_reference.inc"
#undef COLUMNS
#undef REAL
#undef GEMM
#undef TILE

#define COLUMNS MATRIX_REFERENCE_COLUMNS_F64
#define REAL    double
#define GEMM    matrix_reference_dgemm
#define TILE    tile_f64
#include "core/base/matrix_reference.inc"
