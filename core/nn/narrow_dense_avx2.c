#if defined(__x86_64__)
#include "core/base/simd_avx2.h"
#include "core/nn/narrow_dense.h"

#define NARROW_DENSE narrow_dense_avx2
#include "core/nn/narrow_dense.inc"
#endif
