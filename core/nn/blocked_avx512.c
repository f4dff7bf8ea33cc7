#if defined(__x86_64__)
#include "core/base/simd_avx512.h"
#include "core/nn/blocked.h"

#define BLOCKED_KERNELS blocked_avx512
#include "core/nn/blocked.inc"
#endif
