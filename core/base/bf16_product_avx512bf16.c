#if defined(__x86_64__)
#include "core/base/simd_bf16.h"

#define BF16_PRODUCT bf16_product_avx512
#include "core/base/bf16_block_avx512.inc"
#endif
