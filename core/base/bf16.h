/* bfloat16: the upper half of a float32, with all of its exponent and 8 bits of its significand. */
#ifndef DESCENT_CORE_BASE_BF16_H
#define DESCENT_CORE_BASE_BF16_H

#include <stdint.h>
#include <string.h>

/* The nearest bfloat16, of two the even one, as a float32; beyond the largest one infinity; NaN stays NaN. */
static inline float bf16_round(float x)
{
    uint32_t bits, rounded;

    memcpy(&bits, &x, sizeof bits);
    rounded = (bits & 0x7fffffff) > 0x7f800000 ? bits | 0x00400000 : bits + 0x7fff + (bits >> 16 & 1);
    rounded &= 0xffff0000;
    memcpy(&x, &rounded, sizeof x);
    return x;
}

#endif
