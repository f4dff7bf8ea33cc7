/*
 * Selection of curves: one pass each for smoothing, for filtering, for thinning out. A job has at most 100,000 rows, so
 * that plain arrays of them are the simplest thing that is fast enough (about 5 ms).
 */
#include "curve.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static_assert(CURVE_SERIES_COUNT < 32, "sets of series are unsigned");

static const struct {
    const char *name;
    size_t offset; /* in struct train_point */
} series_table[CURVE_SERIES_COUNT] = {
#define SERIES(NAME, name, place) [CURVE_##NAME] = {#name, offsetof(struct train_point, place)},
    TRAIN_POINT_VALUES(SERIES)
#undef SERIES
};

const char *curve_series_name(enum curve_series series)
{
    return series_table[series].name;
}

double curve_value(const struct metric_row *row, enum curve_series series)
{
    double value;

    memcpy(&value, (const char *)&row->point + series_table[series].offset, sizeof value);
    return value;
}

static void set_value(struct metric_row *row, enum curve_series series, double value)
{
    memcpy((char *)&row->point + series_table[series].offset, &value, sizeof value);
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

/* Which rows are kept, and how many more may be. */
struct kept {
    char *row; /* [count] */
    size_t left;
};

static void keep(struct kept *kept, size_t row)
{
    if (!kept->row[row] && kept->left > 0) {
        kept->row[row] = 1;
        kept->left--;
    }
}

/* Keeps the rows with the smallest and the largest finite value of a series in [begin, end). */
static void keep_extremes(const struct curve *curve, enum curve_series series, size_t begin, size_t end, struct kept *kept)
{
    size_t smallest = end, largest = end;

    for (size_t i = begin; i < end; i++) {
        double value = curve_value(&curve->rows[i], series);

        if (isfinite(value) && (smallest == end || value < curve_value(&curve->rows[smallest], series))) {
            smallest = i;
        }
        if (isfinite(value) && (largest == end || value > curve_value(&curve->rows[largest], series))) {
            largest = i;
        }
    }
    if (smallest < end) {
        keep(kept, smallest);
        keep(kept, largest);
    }
}

/*
 * A series with no more values than its share of the budget (one measured at the ends of epochs) is kept whole. Returns
 * whether it was.
 */
static int keep_sparse(const struct curve *curve, enum curve_series series, struct kept *kept, size_t share)
{
    size_t values = 0;

    for (size_t i = 0; i < curve->count && values <= share; i++) {
        values += isnan(curve_value(&curve->rows[i], series)) ? 0 : 1;
    }
    for (size_t i = 0; i < curve->count && values <= share; i++) {
        if (!isnan(curve_value(&curve->rows[i], series))) {
            keep(kept, i);
        }
    }
    return values <= share;
}

/*
 * Keeps the first and the last row, sparse series whole, and the others' extremes in each of as many equal buckets as
 * the budget allows. With less than one bucket's budget: the extremes of the whole, for as many series as it lasts.
 */
static void thin_out(struct curve *curve, size_t max_points, char *marks)
{
    struct kept kept = {.row = marks, .left = max_points};
    size_t dense = 0, count = 0, share = (max_points - 2) / curve->series_count;
    enum curve_series dense_series[CURVE_SERIES_COUNT];

    keep(&kept, 0);
    keep(&kept, curve->count - 1);
    for (uint32_t s = 0; s < curve->series_count; s++) {
        if (!keep_sparse(curve, curve->series[s], &kept, share)) {
            dense_series[dense++] = curve->series[s];
        }
    }
    size_t buckets = dense == 0 ? 0 : kept.left / (2 * dense) + (kept.left < 2 * dense);
    for (size_t b = 0; b < buckets; b++) {
        for (size_t s = 0; s < dense; s++) {
            keep_extremes(curve, dense_series[s], curve->count * b / buckets, curve->count * (b + 1) / buckets, &kept);
        }
    }
    for (size_t i = 0; i < curve->count; i++) {
        if (marks[i]) {
            curve->rows[count++] = curve->rows[i];
        }
    }
    curve->count = count;
}

enum status curve_select(struct curve *curve, const struct metric_row *rows, size_t count,
                         const struct curve_options *options, struct error *error)
{
    *curve = (struct curve){.last_step = count > 0 ? rows[count - 1].point.step : 0};
    curve->rows = malloc((count + 1) * sizeof *curve->rows);
    curve->nonfinite = malloc((count + 1) * sizeof *curve->nonfinite);
    char *marks = calloc(count + 1, 1);
    if (curve->rows == NULL || curve->nonfinite == NULL || marks == NULL) {
        free(marks);
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
    if (curve->count > options->max_points && options->minmax && curve->series_count > 0) {
        thin_out(curve, options->max_points, marks);
    } else if (curve->count > options->max_points) {
        curve->count = options->max_points;
        curve->has_more = 1;
    }
    free(marks);
    return STATUS_OK;
}

void curve_release(struct curve *curve)
{
    free(curve->rows);
    free(curve->nonfinite);
    *curve = (struct curve){.count = 0};
}
