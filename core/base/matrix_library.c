#include "core/base/matrix_library.h"

#include <assert.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdio.h>

/* From OpenMP's run-time library, which oneDNN brings along; its header belongs to the compiler and not every one has it. */
extern void omp_set_num_threads(int threads);

static char name[48];
static pthread_once_t name_once = PTHREAD_ONCE_INIT;

static void make_name(void)
{
    const dnnl_version_t *version = dnnl_version();

    snprintf(name, sizeof(name), "onednn-%d.%d.%d", version->major, version->minor, version->patch);
}

const char *matrix_library_name(void)
{
    pthread_once(&name_once, make_name);
    return name;
}

void matrix_library_setup(enum instruction_set isa)
{
    static const dnnl_cpu_isa_t limits[ISA_COUNT] = {
        [ISA_REFERENCE] = dnnl_cpu_isa_sse41, /* not used */
        [ISA_BASELINE] = dnnl_cpu_isa_sse41,
        [ISA_AVX2] = dnnl_cpu_isa_avx2,
        [ISA_AVX512] = dnnl_cpu_isa_avx512_core,
    };
    dnnl_status_t limited, strict;

    /* Set by call, both win over the environment's variables of the library. They fail only after a first product. */
    limited = dnnl_set_max_cpu_isa(limits[isa]);
    strict = dnnl_set_default_fpmath_mode(dnnl_fpmath_mode_strict);
    assert(limited == dnnl_success && strict == dnnl_success);
    (void)limited;
    (void)strict;
}

void matrix_library_thread_init(void)
{
    omp_set_num_threads(1);
}

void matrix_library_sgemm(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                          const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    dnnl_status_t status;

    if (kernel_tier_isa() == ISA_REFERENCE) {
        matrix_reference_sgemm(trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    status = dnnl_sgemm(trans_a ? 'T' : 'N', trans_b ? 'T' : 'N', m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
    assert(status == dnnl_success);
    (void)status;
}
