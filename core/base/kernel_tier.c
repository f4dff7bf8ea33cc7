/* Chosen once for the process: before the first product by kernel_tier_set, else by the first question. */
#include "core/base/kernel_tier.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/bf16_product.h"
#include "core/base/matrix_library.h"

static const char *const names[ISA_COUNT] = {
    [ISA_REFERENCE] = "reference",
    [ISA_BASELINE] = "baseline",
    [ISA_AVX2] = "avx2",
    [ISA_AVX512] = "avx512",
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum instruction_set wanted = ISA_COUNT; /* ISA_COUNT: the best there is */
static enum instruction_set fixed;
static char text[96], text_bf16[sizeof text + 16]; /* models and jobs have room for 128 */

const char *instruction_set_name(enum instruction_set isa)
{
    assert((unsigned)isa < ISA_COUNT);
    return names[isa];
}

enum instruction_set kernel_tier_detect(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq")) {
        return ISA_AVX512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return ISA_AVX2;
    }
#endif
    return ISA_BASELINE;
}

/* "32k", "1m"; a size that the system does not tell is 0k. */
static void cache_size(int which, char out[24])
{
    long bytes = sysconf(which), kib = bytes > 0 ? bytes / 1024 : 0;

    if (kib > 0 && kib % 1024 == 0) {
        snprintf(out, 24, "%ldm", kib / 1024);
    } else {
        snprintf(out, 24, "%ldk", kib);
    }
}

static void write_text(void)
{
    char l1[24], l2[24], l3[24];

    if (fixed == ISA_REFERENCE) { /* neither library nor caches matter */
        snprintf(text, sizeof(text), "%s/n%d", names[fixed], NUMERICS_VERSION);
        return;
    }
    cache_size(_SC_LEVEL1_DCACHE_SIZE, l1);
    cache_size(_SC_LEVEL2_CACHE_SIZE, l2);
    cache_size(_SC_LEVEL3_CACHE_SIZE, l3);
    snprintf(text, sizeof(text), "%s/n%d/%s/l1-%s-l2-%s-l3-%s", names[fixed], NUMERICS_VERSION, matrix_library_name(), l1,
             l2, l3);
}

static void fix(void)
{
    const char *bf16;

    fixed = wanted == ISA_COUNT ? kernel_tier_detect() : wanted;
    matrix_library_setup(fixed);
    write_text();
    bf16 = bf16_product_setup(fixed);
    if (bf16 != NULL) {
        snprintf(text_bf16, sizeof(text_bf16), "%s/bf16-%s", text, bf16);
    }
}

enum status kernel_tier_set(enum instruction_set isa, struct error *error)
{
    assert((unsigned)isa < ISA_COUNT);
    if (isa > kernel_tier_detect()) {
        return error_set(error, STATUS_NOT_SUPPORTED, "this processor has no %s; its best kernel tier is %s",
                         instruction_set_name(isa), instruction_set_name(kernel_tier_detect()));
    }
    wanted = isa;
    pthread_once(&once, fix);
    if (fixed != isa) {
        return error_set(error, STATUS_NOT_SUPPORTED, "the kernel tier is already %s and cannot become %s",
                         instruction_set_name(fixed), instruction_set_name(isa));
    }
    return STATUS_OK;
}

enum instruction_set kernel_tier_isa(void)
{
    pthread_once(&once, fix);
    return fixed;
}

const char *kernel_tier(void)
{
    pthread_once(&once, fix);
    return text;
}

const char *kernel_tier_of(enum precision precision)
{
    pthread_once(&once, fix);
    switch (precision) {
    case PRECISION_F32:
        return text;
    case PRECISION_BF16:
        return text_bf16[0] != '\0' ? text_bf16 : NULL;
    default:
        return NULL;
    }
}
