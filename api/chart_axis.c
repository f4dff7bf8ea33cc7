/* Axes and ticks of charts; see chart_axis.h. */
#include "chart_axis.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

double chart_position(const struct chart_axis *axis, double value)
{
    double position;

    if (axis->logarithmic) {
        position = value > 0 ? (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low)) : isnan(value) ? value : 0;
    } else {
        position = (value - axis->low) / (axis->high - axis->low);
    }
    return position < 0 ? 0 : position > 1 ? 1 : position;
}

/* The nearest of 1, 2, 5 times a power of ten that is not below `rough`. */
static double nice_step(double rough)
{
    double power = pow(10, floor(log10(rough))), factor = rough / power;

    return power * (factor <= 1.0000001 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}

static void linear_ticks(struct chart_axis *axis, uint32_t wanted, int snap)
{
    double step = nice_step((axis->high - axis->low) / wanted);
    double first = ceil(axis->low / step - 1e-9), last = floor(axis->high / step + 1e-9);

    if (snap) {
        first = floor(axis->low / step + 1e-9);
        last = ceil(axis->high / step - 1e-9);
        axis->low = first * step;
        axis->high = last * step;
    }
    for (double i = first; i <= last && axis->tick_count < CHART_TICKS_MAX; i++) {
        axis->ticks[axis->tick_count++] = i * step + 0.0; /* never -0 */
    }
}

/* These multiples of every n-th power of ten. */
static void add_logarithmic_ticks(struct chart_axis *axis, const double *factors, size_t count, double stride)
{
    axis->tick_count = 0;
    for (double power = floor(log10(axis->low)); power <= ceil(log10(axis->high)); power++) {
        for (size_t f = 0; f < count; f++) {
            double tick = factors[f] * pow(10, power);

            if (fmod(power, stride) == 0 && isfinite(tick) && tick >= axis->low * 0.999999 &&
                tick <= axis->high * 1.000001 && axis->tick_count < CHART_TICKS_MAX) {
                axis->ticks[axis->tick_count++] = tick;
            }
        }
    }
}

/* 1, 2, 5 of each power of ten while there is room for them, otherwise every power, or every n-th; below a decade all
 * digits. */
static void logarithmic_ticks(struct chart_axis *axis, uint32_t wanted)
{
    static const double some[] = {1, 2, 5}, all[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    double decades = log10(axis->high) - log10(axis->low);

    add_logarithmic_ticks(axis, some, decades * 3 <= wanted * 1.5 ? 3 : 1, decades <= wanted ? 1 : ceil(decades / wanted));
    if (axis->tick_count < 2) {
        add_logarithmic_ticks(axis, all, 9, 1);
    }
}

void chart_axis_ticks(struct chart_axis *axis, uint32_t wanted, int snap)
{
    if (axis->logarithmic) {
        logarithmic_ticks(axis, wanted);
    } else {
        linear_ticks(axis, wanted, snap);
    }
}

void chart_axis_plan(struct chart_axis *axis, double low, double high, uint32_t ticks, enum chart_scale scale, int from_zero)
{
    *axis = (struct chart_axis){.low = low, .high = high};
    if (scale == CHART_LOGARITHMIC || (scale == CHART_AUTO && low > 0 && high / low > CHART_LOG_SPAN)) {
        axis->logarithmic = 1;
        double margin = fmax(exp((log(high) - log(low)) * 0.04), 1.02); /* a constant still needs some height */
        axis->low = fmax(low / margin, DBL_MIN);
        axis->high = fmin(high * margin, DBL_MAX);
        chart_axis_ticks(axis, ticks, 0);
        return;
    }
    if (from_zero && low >= 0 && low < 0.35 * high) {
        axis->low = 0;
    }
    if (!(axis->high - axis->low > fabs(high) * 1e-9)) { /* a constant still needs some height */
        axis->low -= high == 0 ? 1 : fabs(high) * 0.5;
        axis->high += high == 0 ? 1 : fabs(high) * 0.5;
    }
    chart_axis_ticks(axis, ticks, 1);
}

void chart_thousands(uint64_t value, char out[CHART_LABEL_TEXT])
{
    char digits[CHART_LABEL_TEXT];
    size_t size = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), used = 0;

    for (size_t i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) {
            out[used++] = ',';
        }
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

void chart_tick_label(const struct chart_axis *axis, double value, char label[CHART_LABEL_TEXT])
{
    double step = axis->tick_count > 1 ? axis->ticks[1] - axis->ticks[0] : 1;
    double largest = fmax(fabs(axis->low), fabs(axis->high));

    if (axis->logarithmic) {
        step = value; /* each tick has a scale of its own */
        largest = value;
    }
    if (value == 0) {
        (void)snprintf(label, CHART_LABEL_TEXT, "0");
    } else if (largest >= 1e7 || step < 1e-4) {
        (void)snprintf(label, CHART_LABEL_TEXT, "%.3g", value);
    } else if (value >= 1000 && value == floor(value)) {
        chart_thousands((uint64_t)value, label);
    } else {
        int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
        (void)snprintf(label, CHART_LABEL_TEXT, "%.*f", decimals, value);
    }
}
