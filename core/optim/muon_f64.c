#include "core/optim/muon.h"

#include <string.h>

#include "core/base/mathx.h"
#include "core/base/matrix_library.h"
#include "core/base/vector_clones.h"

#define REAL            double
#define BITS            uint64_t
#define EXPONENT        UINT64_C(0x7ff0000000000000)
#define GEMM            matrix_reference_dgemm
#define NAMED(function) function##_f64
#include "core/optim/muon.inc"
