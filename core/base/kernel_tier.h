/*
 * The kernel tier: everything about this machine and build that the bits of a result depend on.
 *
 *     {instruction set} / {our numerics version} / {matrix library's build} / {cache sizes}
 *
 * Chosen once, before the first matrix product; recorded with every model. "reference" uses our plain kernels
 * everywhere and gives equal bits on unlike processors. Of jobs of another precision than float32 the instructions that
 * multiply (bf16_product.h) belong to it, too:
 *
 *     {the same} / bf16-{instructions}
 */
#ifndef DESCENT_CORE_BASE_KERNEL_TIER_H
#define DESCENT_CORE_BASE_KERNEL_TIER_H

#include "core/base/precision.h"
#include "core/base/status.h"

#define NUMERICS_VERSION 4 /* raise whenever results change; CHANGELOG says "results change" */

enum instruction_set { ISA_REFERENCE, ISA_BASELINE, ISA_AVX2, ISA_AVX512, ISA_COUNT };

const char *instruction_set_name(enum instruction_set isa); /* "reference", "baseline", "avx2", "avx512" */
/* The best that this processor can do. */
enum instruction_set kernel_tier_detect(void);
/*
 * Fixes the tier for the process; call once at start, before any thread trains. STATUS_NOT_SUPPORTED when the processor
 * lacks `isa`. Without a call the first use fixes the detected one.
 */
MUST_CHECK enum status kernel_tier_set(enum instruction_set isa, struct error *error);
enum instruction_set kernel_tier_isa(void);
/* e.g. "avx512/n1/onednn-2.6.3/l1-32k-l2-1m-l3-32m"; never NULL, process lifetime. */
const char *kernel_tier(void);
/* That of jobs of this precision, e.g. "reference/n1/bf16-plain"; NULL: the precision is not to be had here. */
const char *kernel_tier_of(enum precision precision);

#endif
