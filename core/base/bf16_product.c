#include "core/base/bf16_product.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/matrix_reference.h"

static bf16_product_kernel *kernel;

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPUID_AMX_BF16      (1u << 22) /* leaf 7, EDX */
#define CPUID_AMX_TILE      (1u << 24)
#define CPUID_AVX512_BF16   (1u << 5) /* leaf 7, subleaf 1, EAX; Intel's manual, volume 2, CPUID */
#define ARCH_REQ_XCOMP_PERM 0x1023    /* Linux's asm/prctl.h, since 5.16 */
#define XFEATURE_XTILE_DATA 18L

static int has_avx512_bf16(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & CPUID_AVX512_BF16) != 0;
}

/* The kernel gives the tiles' registers to a process only when asked, and only if it has enabled them itself (XCR0). */
static int has_amx(void)
{
    const unsigned wanted = CPUID_AMX_BF16 | CPUID_AMX_TILE;
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & wanted) == wanted &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA) == 0;
}
#endif

const char *bf16_product_setup(enum instruction_set isa)
{
    if (isa == ISA_REFERENCE) {
        kernel = matrix_reference_bf16gemm;
        return "plain";
    }
#if defined(__x86_64__)
    if (isa == ISA_AVX512 && has_avx512_bf16()) { /* which rounds the operands for AMX, too */
        const int amx = has_amx();

        kernel = amx ? bf16_product_amx : bf16_product_avx512;
        return amx ? "amx" : "avx512";
    }
#endif
    return NULL;
}

void bf16_product(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                  int64_t ldb, float beta, float *c, int64_t ldc)
{
    (void)kernel_tier_isa(); /* sets it up, where nobody did before */
    assert(kernel != NULL);
    kernel(trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
}
