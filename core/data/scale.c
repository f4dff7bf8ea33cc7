#include "core/data/scale.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/vector_clones.h"
#include "core/data/narrow.h"

static const struct {
    const char *name;
    int fitted;   /* constants come from the data, one pair a feature */
    float factor; /* otherwise: of all features; the shift is 0 */
    double factor_f64;
} PREPROCESSINGS[PREPROCESS_COUNT] = {
    [PREPROCESS_NONE] = {"none", 0, 1, 1},
    [PREPROCESS_SCALE_255] = {"scale_255", 0, 1 / 255.0f, 1 / 255.0},
    [PREPROCESS_STANDARDIZE] = {"standardize", 1, 0, 0},
    [PREPROCESS_MINMAX] = {"minmax", 1, 0, 0},
};

const char *preprocessing_name(enum preprocessing preprocessing)
{
    return PREPROCESSINGS[preprocessing].name;
}

/* 1 / spread; 1 for a constant feature, or one so nearly constant that the factor would be infinite. */
static float factor_of(const struct feature_stats *stats, double spread)
{
    float factor;

    return stats->minimum < stats->maximum && narrow_f32(1 / spread, &factor) ? factor : 1;
}

enum status scaler_fit(struct scaler *scaler, enum preprocessing type, const struct dataset *dataset, const uint32_t *rows,
                       uint64_t row_count, struct error *error)
{
    uint32_t features = dataset->features;
    struct feature_stats *stats = NULL;
    enum status status = STATUS_OK;

    *scaler = (struct scaler){.type = type, .features = features, .uniform = !PREPROCESSINGS[type].fitted};
    if (scaler->uniform)
        return STATUS_OK;
    scaler->shift = calloc(features, sizeof *scaler->shift);
    scaler->factor = calloc(features, sizeof *scaler->factor);
    stats = calloc(features, sizeof *stats);
    if (!scaler->shift || !scaler->factor || !stats)
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the scales of %" PRIu32 " features", features);
    if (!status)
        status = dataset_stats(dataset, rows, row_count, stats, error);
    for (uint32_t i = 0; i < features && !status; i++) {
        int standardize = type == PREPROCESS_STANDARDIZE;
        double range = (double)stats[i].maximum - (double)stats[i].minimum;

        scaler->shift[i] = standardize ? (float)stats[i].mean : stats[i].minimum;
        scaler->factor[i] = factor_of(&stats[i], standardize ? stats[i].deviation : range);
    }
    free(stats);
    if (status)
        scaler_release(scaler);
    return status;
}

static void widen_constants(const struct scaler *scaler, double *shift, double *factor)
{
    for (uint32_t i = 0; i < scaler->features; i++) {
        shift[i] = scaler->uniform ? 0 : (double)scaler->shift[i];
        factor[i] = scaler->uniform ? PREPROCESSINGS[scaler->type].factor_f64 : (double)scaler->factor[i];
    }
}

enum status scaler_constants_f64(const struct scaler *scaler, const struct dataset *dataset, const uint32_t *rows,
                                 uint64_t row_count, double *shift, double *factor, struct error *error)
{
    struct feature_stats *stats;
    enum status status;

    widen_constants(scaler, shift, factor);
    if (scaler->uniform || dataset == NULL)
        return STATUS_OK;
    stats = calloc(scaler->features, sizeof *stats);
    if (stats == NULL)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the scales of %" PRIu32 " features", scaler->features);
    status = dataset_stats(dataset, rows, row_count, stats, error);
    for (uint32_t i = 0; i < scaler->features && !status; i++) {
        int standardize = scaler->type == PREPROCESS_STANDARDIZE;
        double range = (double)stats[i].maximum - (double)stats[i].minimum,
               spread = standardize ? stats[i].deviation : range;
        int divides = stats[i].minimum < stats[i].maximum && 1 / spread <= (double)FLT_MAX;

        shift[i] = standardize ? stats[i].mean : (double)stats[i].minimum;
        factor[i] = divides ? 1 / spread : 1;
    }
    free(stats);
    return status;
}

enum status scaler_copy(struct scaler *copy, const struct scaler *scaler, struct error *error)
{
    size_t size = scaler->features * sizeof(float);

    *copy = *scaler;
    copy->shift = copy->factor = NULL;
    if (scaler->uniform)
        return STATUS_OK;
    copy->shift = malloc(size);
    copy->factor = malloc(size);
    if (!copy->shift || !copy->factor) {
        scaler_release(copy);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the scales of %" PRIu32 " features", scaler->features);
    }
    memcpy(copy->shift, scaler->shift, size);
    memcpy(copy->factor, scaler->factor, size);
    return STATUS_OK;
}

void scaler_release(struct scaler *scaler)
{
    free(scaler->shift);
    free(scaler->factor);
    *scaler = (struct scaler){0};
}

/*
 * The loops below are what a minibatch waits for. Every value is a subtraction and a multiplication, each rounded once:
 * the width of the vectors does not change the bits. A uniform shift is 0, and x - 0 is x.
 */
VECTOR_CLONES static void widen_uniform(const uint8_t *restrict x, uint32_t n, float factor, float *restrict out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = (float)x[i] * factor;
}

VECTOR_CLONES static void widen(const uint8_t *restrict x, uint32_t n, const float *shift, const float *factor,
                                float *restrict out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = ((float)x[i] - shift[i]) * factor[i];
}

/* out may be x */
VECTOR_CLONES static void scale_uniform(const float *x, uint32_t n, float factor, float *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = x[i] * factor;
}

VECTOR_CLONES static void scale(const float *x, uint32_t n, const float *shift, const float *factor, float *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = (x[i] - shift[i]) * factor[i];
}

static void scale_row(const struct scaler *scaler, const float *x, float *out)
{
    if (scaler->uniform)
        scale_uniform(x, scaler->features, PREPROCESSINGS[scaler->type].factor, out);
    else
        scale(x, scaler->features, scaler->shift, scaler->factor, out);
}

float scaler_factor(const struct scaler *scaler)
{
    assert(scaler->uniform);
    return PREPROCESSINGS[scaler->type].factor;
}

void scaler_gather(const struct scaler *scaler, const struct dataset *dataset, uint64_t row, float *out)
{
    const uint8_t *bytes = (const uint8_t *)dataset->x + row * scaler->features;

    assert(scaler->features == dataset->features && row < dataset->rows);
    if (dataset->feature_type == FEATURE_F32)
        scale_row(scaler, (const float *)dataset->x + row * scaler->features, out);
    else if (scaler->uniform)
        widen_uniform(bytes, scaler->features, PREPROCESSINGS[scaler->type].factor, out);
    else
        widen(bytes, scaler->features, scaler->shift, scaler->factor, out);
}

void scaler_apply(const struct scaler *scaler, float *x, uint64_t rows)
{
    for (uint64_t row = 0; row < rows; row++)
        scale_row(scaler, x + row * scaler->features, x + row * scaler->features);
}
