#if defined(__x86_64__)
#include "core/base/simd_amx.h"
#include "core/base/simd_bf16.h"

#define BF16_PRODUCT bf16_product_amx
#include "core/base/bf16_block_amx.inc"
#endif
