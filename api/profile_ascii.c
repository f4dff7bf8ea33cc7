#include "api/profile_ascii.h"

#include <math.h>

#include "api/text.h"

#define NAME    9  /* columns of a phase's name with the blank behind it */
#define FIGURES 20 /* columns behind the bar: share, seconds */

static void put_bar(struct text *out, double share, uint32_t columns)
{
    uint32_t filled = (uint32_t)lround(share * columns);

    for (uint32_t i = 0; i < columns; i++) {
        text_string(out, i < filled ? "#" : ".");
    }
}

static void put_row(struct text *out, const char *name, double share, uint32_t width)
{
    text_printf(out, "%-*s", NAME, name);
    put_bar(out, share >= 0 && share <= 1 ? share : share > 1, width - NAME - FIGURES);
    if (isfinite(share)) {
        text_printf(out, " %5.1f %%", 100 * share);
    } else {
        text_string(out, "       -");
    }
}

void profile_ascii(const struct profile *profile, const char *job, uint32_t width, struct text *out)
{
    text_printf(out, "%s: %.3f s, %llu steps, threads: %.3g\n", job, profile->seconds, (unsigned long long)profile->steps,
                profile->threads);
    for (int p = 0; p < PHASE_COUNT; p++) {
        put_row(out, profile_phase_name((enum phase)p), profile->shares[p], width);
        if (isfinite(profile->shares[p])) {
            text_printf(out, "%10.3f s", profile->shares[p] * profile->seconds);
        }
        text_string(out, "\n");
    }
    put_row(out, "of peak", profile->gflops / profile->peak_gflops, width);
    text_string(out, "\n");
    if (isfinite(profile->gflops) && isfinite(profile->peak_gflops)) {
        text_printf(out, "%.3g of %.3g GFLOP/s\n", profile->gflops, profile->peak_gflops);
    }
}
