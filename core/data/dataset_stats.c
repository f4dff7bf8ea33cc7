/*
 * Statistics of features. Bytes are summed exactly in integers, in one pass; float32 values in float64, in two passes
 * (mean, then squared distances from it), always in the order of the rows: the bits depend on the data alone.
 */
#include "core/data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 uint128;

static uint64_t row_at(const uint32_t *rows, uint64_t i)
{
    return rows ? rows[i] : i;
}

static enum status bytes_stats(const struct dataset *dataset, const uint32_t *rows, uint64_t count,
                               struct feature_stats *stats, struct error *error)
{
    uint32_t features = dataset->features;
    struct byte_sums {
        uint64_t sum, squares; /* at most 2^39 and 2^47: rows fit 31 bits */
        uint8_t minimum, maximum;
    } *sums = calloc(features, sizeof *sums);

    if (!sums)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for statistics");
    for (uint32_t j = 0; j < features; j++)
        sums[j].minimum = UINT8_MAX;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *x = (const uint8_t *)dataset->x + row_at(rows, i) * features;

        for (uint32_t j = 0; j < features; j++) {
            sums[j].sum += x[j];
            sums[j].squares += (uint32_t)x[j] * x[j];
            sums[j].minimum = x[j] < sums[j].minimum ? x[j] : sums[j].minimum;
            sums[j].maximum = x[j] > sums[j].maximum ? x[j] : sums[j].maximum;
        }
    }
    for (uint32_t j = 0; j < features; j++) {
        /* n * sum of squares - (sum)^2 = n^2 * variance, exactly */
        uint128 spread = (uint128)count * sums[j].squares - (uint128)sums[j].sum * sums[j].sum;

        stats[j] = (struct feature_stats){
            .minimum = sums[j].minimum,
            .maximum = sums[j].maximum,
            .mean = (double)sums[j].sum / (double)count,
            .deviation = sqrt((double)spread) / (double)count,
        };
    }
    free(sums);
    return STATUS_OK;
}

static void floats_stats(const struct dataset *dataset, const uint32_t *rows, uint64_t count, struct feature_stats *stats)
{
    uint32_t features = dataset->features;

    for (uint32_t j = 0; j < features; j++)
        stats[j] = (struct feature_stats){.minimum = INFINITY, .maximum = -INFINITY};
    for (uint64_t i = 0; i < count; i++) {
        const float *x = (const float *)dataset->x + row_at(rows, i) * features;

        for (uint32_t j = 0; j < features; j++) {
            stats[j].minimum = x[j] < stats[j].minimum ? x[j] : stats[j].minimum;
            stats[j].maximum = x[j] > stats[j].maximum ? x[j] : stats[j].maximum;
            stats[j].mean += (double)x[j];
        }
    }
    for (uint32_t j = 0; j < features; j++)
        stats[j].mean /= (double)count;
    for (uint64_t i = 0; i < count; i++) {
        const float *x = (const float *)dataset->x + row_at(rows, i) * features;

        for (uint32_t j = 0; j < features; j++) {
            double distance = (double)x[j] - stats[j].mean;

            stats[j].deviation += distance * distance;
        }
    }
    for (uint32_t j = 0; j < features; j++)
        stats[j].deviation = sqrt(stats[j].deviation / (double)count);
}

enum status dataset_stats(const struct dataset *dataset, const uint32_t *rows, uint64_t row_count,
                          struct feature_stats *stats, struct error *error)
{
    uint64_t count = rows ? row_count : dataset->rows;

    if (count == 0)
        return error_set(error, STATUS_DATASET_EMPTY, "no rows to take statistics of");
    if (dataset->feature_type == FEATURE_U8)
        return bytes_stats(dataset, rows, count, stats, error);
    floats_stats(dataset, rows, count, stats);
    return STATUS_OK;
}

struct feature_stats feature_stats_overall(const struct feature_stats *stats, uint32_t features)
{
    struct feature_stats overall = stats[0];
    double mean = 0, spread = 0;

    for (uint32_t j = 0; j < features; j++) {
        overall.minimum = stats[j].minimum < overall.minimum ? stats[j].minimum : overall.minimum;
        overall.maximum = stats[j].maximum > overall.maximum ? stats[j].maximum : overall.maximum;
        mean += stats[j].mean / features;
    }
    for (uint32_t j = 0; j < features; j++) {
        double distance = stats[j].mean - mean;

        spread += (stats[j].deviation * stats[j].deviation + distance * distance) / features;
    }
    overall.mean = mean;
    overall.deviation = sqrt(spread);
    return overall;
}
