#if defined(__x86_64__)
#include "core/base/simd_avx2.h"
#include "core/nn/blocked.h"

#define BLOCKED_KERNELS blocked_avx2
#include "core/nn/blocked.inc"
#endif
