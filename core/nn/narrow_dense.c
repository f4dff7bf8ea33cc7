#include "core/nn/narrow_dense.h"

#include "core/base/kernel_tier.h"

const struct narrow_dense *narrow_dense(void)
{
    switch (kernel_tier_isa()) {
#if defined(__x86_64__)
    case ISA_AVX2:
        return &narrow_dense_avx2;
    case ISA_AVX512:
        return &narrow_dense_avx512;
#endif
    default:
        return NULL;
    }
}
