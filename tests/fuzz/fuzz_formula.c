/*
 * Texts as formulas. What is refused names a byte of the text; what is compiled has one value and one jet, whose value is
 * the same, and intervals that contain what is finite of it.
 */
#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "core/base/mathx.h"
#include "core/landscape/critical_points.h"
#include "core/landscape/formula_interval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same(double a, double b)
{
    return mathx_bits_f64(a) == mathx_bits_f64(b) || (isnan(a) && isnan(b));
}

static void check_point(const struct formula *formula, double x, double y)
{
    const struct interval at[2] = {interval_of(x, x), interval_of(y, y)};
    struct interval_jet over;
    struct jet jet;

    formula_jet(formula, x, y, &jet);
    assert(same(jet.f, formula_value(formula, x, y)));
    int defined = formula_interval(formula, at, INTERVAL_HESSIAN, &over);
    assert(defined || !isfinite(jet.f));
    if (defined && isfinite(jet.f)) {
        assert(over.f.lo <= jet.f && jet.f <= over.f.hi);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const double box[2][2] = {{-2, 1.5}, {-1, 3}};
    struct critical_points points;
    struct formula *formula;
    struct error error = {0};

    if (formula_compile(&formula, (const char *)data, size, &error) != STATUS_OK) {
        assert(error.status == STATUS_FORMULA_INVALID && error.has_offset);
        assert(error.offset >= 0 && (size_t)error.offset <= size);
        return 0;
    }
    check_point(formula, 0, 0);
    check_point(formula, 1.25, -0.75);
    check_point(formula, -300, 0x1p-600);
    assert(critical_points_find(&points, formula, box, 30, NULL) == STATUS_OK);
    for (size_t i = 0; i < points.count; i++) {
        const struct critical_point *point = &points.points[i];

        assert(point->x > box[0][0] && point->x < box[0][1] && point->y > box[1][0] && point->y < box[1][1]);
    }
    critical_points_release(&points);
    formula_free(formula);
    return 0;
}
