/* See the header. A channel's sums within a sample run in LANES lanes by index, added up in order at the end. */
#include "core/nn/batch_norm.h"

#include "core/base/vector_clones.h"

#define LANES 8

static double add_lanes(const double lanes[LANES])
{
    double sum = 0;

    for (int i = 0; i < LANES; i++) {
        sum += lanes[i];
    }
    return sum;
}

void batch_norm_join(uint32_t channels, struct batch_norm_moments *all, const struct batch_norm_moments *part)
{
    double count = all->count + part->count;

    if (part->count <= 0) {
        return;
    }
    for (uint32_t c = 0; c < channels; c++) {
        double apart = part->mean[c] - all->mean[c];

        all->mean[c] += apart * (part->count / count);
        all->square[c] += part->square[c] + apart * apart * (all->count * part->count / count);
    }
    all->count = count;
}

#define REAL    float
#define R(name) name##_f32
#include "core/nn/batch_norm.inc"
#undef REAL
#undef R

#define REAL    double
#define R(name) name##_f64
#include "core/nn/batch_norm.inc"
