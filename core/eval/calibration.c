/*
 * Confidences are kept with their row's success in the sign bit, 8 bytes a row, and sorted by radix: stable, so that rows of
 * equal confidence stay in their order and the groups of ACE are a function of the rows alone.
 */
#include "core/eval/calibration.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT_BITS 11
#define DIGITS     6 /* of 63 bits, the sign not being looked at */

enum status calibration_reserve(struct calibration *calibration, uint32_t classes, uint64_t rows, struct error *error)
{
    const uint64_t some = rows > 0 ? rows : 1;

    if (some <= SIZE_MAX / sizeof(double)) {
        calibration->confidences = malloc(some * sizeof(*calibration->confidences));
        calibration->space = malloc(some * sizeof(*calibration->space));
    }
    calibration->class_sums = calloc(classes, sizeof(*calibration->class_sums));
    if (calibration->confidences == NULL || calibration->space == NULL || calibration->class_sums == NULL) {
        calibration_release(calibration);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the confidences of %llu rows",
                         (unsigned long long)rows);
    }
    calibration->classes = classes;
    calibration->capacity = rows;
    return STATUS_OK;
}

uint64_t calibration_reserve_bytes(uint32_t classes, uint64_t rows)
{
    return (rows > 0 ? rows : 1) * 2 * sizeof(double) +
           (uint64_t)classes * sizeof(*((struct calibration *)NULL)->class_sums);
}

static void release_arrays(struct calibration *calibration)
{
    free(calibration->confidences);
    free(calibration->space);
    free(calibration->class_sums);
    calibration->confidences = calibration->space = NULL;
    calibration->class_sums = NULL;
}

void calibration_release(struct calibration *calibration)
{
    if (calibration != NULL) {
        release_arrays(calibration);
        *calibration = (struct calibration){0};
    }
}

int calibration_bin_of(double probability, int bins)
{
    /* Near enough to be at most one bin off, and quicker than to look at all edges. */
    int bin = probability < 1 ? (int)(probability * bins) : bins - 1;

    if (isnan(probability)) {
        return bins - 1;
    }
    while (bin > 0 && probability <= (double)bin / bins) {
        bin--;
    }
    while (bin < bins - 1 && probability > (double)(bin + 1) / bins) {
        bin++;
    }
    return bin;
}

static void add_to_bin(struct calibration_sum sums[CALIBRATION_BINS], double probability, double target)
{
    struct calibration_sum *sum = &sums[calibration_bin_of(probability, CALIBRATION_BINS)];

    sum->count++;
    sum->probability += probability;
    sum->target += target;
}

void calibration_add(struct calibration *calibration, uint32_t classes, const struct calibration_row *row)
{
    const double *p = row->probabilities, confidence = p[row->predicted];
    const int correct = row->predicted == row->truth;
    double brier = 0;

    for (uint32_t c = 0; c < classes; c++) {
        double target = row->soft != NULL ? (double)row->soft[c] : c == row->truth ? 1 : 0;

        brier += (p[c] - target) * (p[c] - target);
        if (calibration->class_sums != NULL) {
            add_to_bin(calibration->class_sums[c], p[c], target);
        }
    }
    if (calibration->confidences != NULL) {
        assert(classes == calibration->classes && calibration->samples < calibration->capacity);
        calibration->confidences[calibration->samples] = copysign(confidence, correct ? -1 : 1);
    }
    add_to_bin(calibration->sums, confidence, correct);
    calibration->samples++;
    calibration->brier_sum += brier;
    calibration->nll_sum += row->nll;
}

static double mean(double sum, uint64_t count)
{
    return count == 0 ? 0 : sum / (double)count;
}

static double gap_of(const struct calibration_sum *sum)
{
    return fabs(mean(sum->target, sum->count) - mean(sum->probability, sum->count));
}

static double expected_gap(const struct calibration_sum *sums, uint64_t samples)
{
    double expected = 0;

    for (int m = 0; m < CALIBRATION_BINS; m++) {
        expected += mean((double)sums[m].count, samples) * gap_of(&sums[m]);
    }
    return expected;
}

static void finish_bins(struct calibration *calibration)
{
    double confidence = 0, correct = 0, squares = 0;

    for (int m = 0; m < CALIBRATION_BINS; m++) {
        const struct calibration_sum *sum = &calibration->sums[m];
        double gap = gap_of(sum);

        calibration->bins[m] = (struct calibration_bin){.count = sum->count,
                                                        .confidence = mean(sum->probability, sum->count),
                                                        .accuracy = mean(sum->target, sum->count)};
        confidence += sum->probability;
        correct += sum->target;
        squares += mean((double)sum->count, calibration->samples) * gap * gap;
        calibration->mce = gap > calibration->mce ? gap : calibration->mce;
    }
    calibration->confidence = mean(confidence, calibration->samples);
    calibration->accuracy = mean(correct, calibration->samples);
    calibration->gap = calibration->confidence - calibration->accuracy;
    calibration->rmsce = sqrt(squares);
}

static uint64_t key_of(double confidence)
{
    uint64_t bits;

    memcpy(&bits, &confidence, sizeof(bits));
    return bits & (UINT64_MAX >> 1);
}

/* Ascending by absolute value, equals in their order: of numbers that are not negative the bits are in the same order. */
static void sort(double *values, double *space, uint64_t n)
{
    enum { BUCKETS = 1 << DIGIT_BITS };
    double *from = values, *to = space;

    for (unsigned shift = 0; shift < DIGITS * DIGIT_BITS; shift += DIGIT_BITS) {
        uint64_t begin[BUCKETS] = {0}, at = 0;

        for (uint64_t i = 0; i < n; i++) {
            begin[key_of(from[i]) >> shift & (BUCKETS - 1)]++;
        }
        for (int b = 0; b < BUCKETS; b++) {
            uint64_t count = begin[b];

            begin[b] = at;
            at += count;
        }
        for (uint64_t i = 0; i < n; i++) {
            to[begin[key_of(from[i]) >> shift & (BUCKETS - 1)]++] = from[i];
        }
        double *swap = from;
        from = to;
        to = swap;
    }
}
static_assert(DIGITS % 2 == 0, "what is sorted ends where it began");

static double adaptive(struct calibration *calibration)
{
    const uint64_t n = calibration->samples;
    double ace = 0;
    uint64_t row = 0;

    sort(calibration->confidences, calibration->space, n);
    for (uint64_t m = 0; m < CALIBRATION_BINS; m++) {
        struct calibration_sum group = {.count = n / CALIBRATION_BINS + (m < n % CALIBRATION_BINS)};

        for (uint64_t end = row + group.count; row < end; row++) {
            group.probability += fabs(calibration->confidences[row]);
            group.target += signbit(calibration->confidences[row]) ? 1 : 0;
        }
        ace += mean((double)group.count, n) * gap_of(&group);
    }
    return ace;
}

static double classwise(const struct calibration *calibration)
{
    double sum = 0;

    for (uint32_t c = 0; c < calibration->classes; c++) {
        sum += expected_gap(calibration->class_sums[c], calibration->samples);
    }
    return mean(sum, calibration->classes);
}

void calibration_finish(struct calibration *calibration)
{
    finish_bins(calibration);
    calibration->ece = expected_gap(calibration->sums, calibration->samples);
    calibration->ace = calibration->confidences != NULL ? adaptive(calibration) : (double)NAN;
    calibration->classwise_ece = calibration->class_sums != NULL ? classwise(calibration) : (double)NAN;
    calibration->brier = mean(calibration->brier_sum, calibration->samples);
    calibration->nll = mean(calibration->nll_sum, calibration->samples);
    release_arrays(calibration);
}
