/* What muon's two types share. */
#include "core/optim/muon.h"

#include <math.h>

double muon_factor(uint32_t outputs, uint32_t inputs)
{
    return outputs > inputs ? sqrt((double)outputs / (double)inputs) : 1;
}

uint64_t muon_flops(uint32_t m, uint32_t n, uint32_t steps)
{
    return (uint64_t)steps * m * m * (4 * (uint64_t)n + 2 * (uint64_t)m);
}
