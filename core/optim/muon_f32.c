#include "core/optim/muon.h"

#include <string.h>

#include "core/base/mathx.h"
#include "core/base/matrix_library.h"
#include "core/base/vector_clones.h"

#define REAL            float
#define BITS            uint32_t
#define EXPONENT        UINT32_C(0x7f800000)
#define GEMM            matrix_library_sgemm
#define NAMED(function) function##_f32
#include "core/optim/muon.inc"
