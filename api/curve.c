/*
 * Selection of curves: one pass each for smoothing, for filtering, for thinning out. A job has at most 100,000 rows, so
 * that plain arrays of them are the simplest thing that is fast enough (about 5 ms).
 */
#include "curve.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *name;
    size_t offset; /* in struct train_point */
} series_table[CURVE_SERIES_COUNT] = {
#define SERIES(NAME, field) [CURVE_##NAME] = {#field, offsetof(struct train_point, field)}
    SERIES(BATCH_LOSS, batch_loss),
    SERIES(TRAIN_LOSS, train_loss),
    SERIES(TRAIN_ACCURACY, train_accuracy),
    SERIES(VALIDATION_LOSS, validation_loss),
    SERIES(VALIDATION_ACCURACY, validation_accuracy),
    SERIES(LEARNING_RATE, learning_rate),
    SERIES(GRADIENT_NORM, gradient_norm),
    SERIES(STEP_SIZE, step_size),
#undef SERIES
};

const char *curve_series_name(enum curve_series series)
{
    return series_table[series].name;
}

double curve_value(const struct metric_row *row, enum curve_series series)
{
    return *(const double *)((const char *)&row->point + series_table[series].offset);
}

static void set_value(struct metric_row *row, enum curve_series series, double value)
{
    *(double *)((char *)&row->point + series_table[series].offset) = value;
}

static void choose_series(struct curve *curve, const struct metric_row *rows, size_t count, unsigned wanted)
{
    for (unsigned s = 0; s < CURVE_SERIES_COUNT; s++) {
        int occurs = 0;

        for (size_t i = 0; i < count && wanted == 0 && !occurs; i++) {
            occurs = !isnan(curve_value(&rows[i], (enum curve_series)s));
        }
        if (occurs || (wanted & CURVE_BIT(s)) != 0) {
            curve->series[curve->series_count++] = (enum curve_series)s;
        }
    }
}

static int measured(const struct curve *curve, const struct metric_row *row)
{
    for (uint32_t s = 0; s < curve->series_count; s++) {
        if (!isnan(curve_value(row, curve->series[s]))) {
            return 1;
        }
    }
    return 0;
}

static int nonfinite(const struct curve *curve, const struct metric_row *row)
{
    for (uint32_t s = 0; s < curve->series_count; s++) {
        if (isinf(curve_value(row, curve->series[s]))) {
            return 1;
        }
    }
    return 0;
}

/*
 * m <- smooth m + (1 - smooth) x, shown as m / (1 - smooth^n), so that the start does not lean towards 0
 * (the bias correction of Adam's moments). What was not measured, or is infinite, is passed by.
 */
static void smooth_series(struct metric_row *rows, size_t count, enum curve_series series, double smooth)
{
    double mean = 0, weight = 0;

    for (size_t i = 0; i < count; i++) {
        double value = curve_value(&rows[i], series);

        if (isfinite(value)) {
            mean = smooth * mean + (1 - smooth) * value;
            weight = smooth * weight + (1 - smooth);
            set_value(&rows[i], series, mean / weight);
        }
    }
}

/* Drops rows up to after_step and rows without a value; notes the steps of infinite ones. */
static void filter_rows(struct curve *curve, size_t count, uint64_t after_step)
{
    for (size_t i = 0; i < count; i++) {
        const struct metric_row *row = &curve->rows[i];

        if ((after_step == 0 || row->point.step > after_step) && measured(curve, row)) {
            if (nonfinite(curve, row)) {
                curve->nonfinite[curve->nonfinite_count++] = row->point.step;
            }
            curve->rows[curve->count++] = *row;
        }
    }
}

/* Marks the rows with the smallest and the largest finite value of a series in [begin, end), as far as *left lasts. */
static void mark_extremes(const struct curve *curve, enum curve_series series, size_t begin, size_t end, char *keep,
                          size_t *left)
{
    size_t extreme[2] = {end, end};

    for (size_t i = begin; i < end; i++) {
        double value = curve_value(&curve->rows[i], series);

        if (isfinite(value)) {
            if (extreme[0] == end || value < curve_value(&curve->rows[extreme[0]], series)) {
                extreme[0] = i;
            }
            if (extreme[1] == end || value > curve_value(&curve->rows[extreme[1]], series)) {
                extreme[1] = i;
            }
        }
    }
    for (int e = 0; e < 2; e++) {
        if (extreme[e] < end && !keep[extreme[e]] && *left > 0) {
            keep[extreme[e]] = 1;
            (*left)--;
        }
    }
}

/*
 * Keeps the first and the last row and, of each of as many equal buckets as the budget allows, every series' extremes.
 * With less than one bucket's budget: the extremes of the whole, for as many series as it lasts.
 */
static void thin_out(struct curve *curve, size_t max_points, char *keep)
{
    size_t left = max_points - 2, inner = curve->count - 2, kept = 0;
    size_t buckets = left / (2 * (size_t)curve->series_count);

    buckets = buckets == 0 ? 1 : buckets;
    keep[0] = keep[curve->count - 1] = 1;
    for (size_t b = 0; b < buckets; b++) {
        for (uint32_t s = 0; s < curve->series_count; s++) {
            mark_extremes(curve, curve->series[s], 1 + inner * b / buckets, 1 + inner * (b + 1) / buckets, keep, &left);
        }
    }
    for (size_t i = 0; i < curve->count; i++) {
        if (keep[i]) {
            curve->rows[kept++] = curve->rows[i];
        }
    }
    curve->count = kept;
}

enum status curve_select(struct curve *curve, const struct metric_row *rows, size_t count,
                         const struct curve_options *options, struct error *error)
{
    *curve = (struct curve){.last_step = count > 0 ? rows[count - 1].point.step : 0};
    curve->rows = malloc((count + 1) * sizeof *curve->rows);
    curve->nonfinite = malloc((count + 1) * sizeof *curve->nonfinite);
    char *keep = calloc(count + 1, 1);
    if (curve->rows == NULL || curve->nonfinite == NULL || keep == NULL) {
        free(keep);
        curve_release(curve);
        return error_set(error, STATUS_OUT_OF_MEMORY, "%zu points do not fit into memory", count);
    }
    for (size_t i = 0; i < count; i++) {
        curve->rows[i] = rows[i];
    }
    choose_series(curve, rows, count, options->series);
    for (uint32_t s = 0; s < curve->series_count && options->smooth > 0; s++) {
        smooth_series(curve->rows, count, curve->series[s], options->smooth);
    }
    filter_rows(curve, count, options->after_step);
    curve->total_points = curve->count;
    if (curve->count > options->max_points && options->minmax) {
        thin_out(curve, options->max_points, keep);
    } else if (curve->count > options->max_points) {
        curve->count = options->max_points;
        curve->has_more = 1;
    }
    free(keep);
    return STATUS_OK;
}

void curve_release(struct curve *curve)
{
    free(curve->rows);
    free(curve->nonfinite);
    *curve = (struct curve){.count = 0};
}
