#include "core/base/matrix_reference.h"

#include <assert.h>

#include "core/base/bf16.h"
#include "core/base/vector_clones.h"

/* A tile of sums fits the 16 vector registers of AVX2, with room for what is added to them. */
#define ROWS 4

#define COLUMNS    16
#define REAL       float
#define GEMM       matrix_reference_sgemm
#define TILE       tile_f32
#define OPERAND(x) (x)
#include "core/base/matrix_reference.inc"
#undef GEMM
#undef TILE
#undef OPERAND

#define GEMM       matrix_reference_bf16gemm
#define TILE       tile_bf16
#define OPERAND(x) bf16_round(x)
#include "core/base/matrix_reference.inc"
#undef COLUMNS
#undef REAL
#undef GEMM
#undef TILE
#undef OPERAND

#define COLUMNS    MATRIX_REFERENCE_COLUMNS_F64
#define REAL       double
#define GEMM       matrix_reference_dgemm
#define TILE       tile_f64
#define OPERAND(x) (x)
#include "core/base/matrix_reference.inc"
