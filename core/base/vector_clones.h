/*
 * VECTOR_CLONES in front of a function with simple element-wise loops: the compiler makes one copy for each width of
 * vectors, and the first call takes the best that the processor has.
 *
 * The bits do not depend on the copy: elements are computed by the same IEEE operations, contraction is off, and sums
 * must be written in an order of their own. So this choice is not part of the kernel tier.
 *
 * Sanitizers instrument the resolver before their runtime is up, and clang knows no such clones: both get one copy.
 */
#ifndef DESCENT_CORE_BASE_VECTOR_CLONES_H
#define DESCENT_CORE_BASE_VECTOR_CLONES_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&                    \
    !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR_CLONES
#endif

#endif
