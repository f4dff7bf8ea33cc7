#include "tests/assert_close.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int close_enough(double got, double want, double relative, double absolute)
{
    if (isnan(got) || isnan(want)) {
        return isnan(got) && isnan(want);
    }
    if (isinf(got) || isinf(want)) {
        return got == want;
    }
    return fabs(got - want) <= relative * fabs(want) + absolute;
}

void assert_close_at(double got, double want, double relative, double absolute, const char *what, const char *file, int line)
{
    assert_all_close_at(&got, &want, 1, relative, absolute, what, file, line);
}

void assert_all_close_at(const double *got, const double *want, size_t n, double relative, double absolute, const char *what,
                         const char *file, int line)
{
    size_t bad = 0, worst = 0;
    double worst_error = -1;

    for (size_t i = 0; i < n; i++) {
        if (close_enough(got[i], want[i], relative, absolute)) {
            continue;
        }
        double error = fabs(got[i] - want[i]) / fmax(fabs(want[i]), 1e-300);
        if (bad++ == 0 || !(error <= worst_error)) {
            worst = i;
            worst_error = error;
        }
    }
    if (bad > 0) {
        print_error(
            "%s: %zu of %zu differ; worst at [%zu]: got %.17g, want %.17g, relative error %.3g (allowed %.3g + %.3g)\n",
            what, bad, n, worst, got[worst], want[worst], worst_error, relative, absolute);
        _fail(file, line);
    }
}

void assert_all_close_f32_at(const float *got, const float *want, size_t n, double relative, double absolute,
                             const char *what, const char *file, int line)
{
    for (size_t i = 0; i < n; i++) {
        if (!close_enough((double)got[i], (double)want[i], relative, absolute)) {
            print_error("%s[%zu]: got %.9g, want %.9g (allowed %.3g + %.3g)\n", what, i, (double)got[i], (double)want[i],
                        relative, absolute);
            _fail(file, line);
        }
    }
}
