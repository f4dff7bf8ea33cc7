#include "core/eval/scores.h"

#include <assert.h>
#include <stdlib.h>

enum status scores_init(struct scores *scores, uint32_t classes, struct error *error)
{
    assert(classes >= 1);
    *scores = (struct scores){.classes = classes};
    scores->confusion = calloc((size_t)classes * classes, sizeof(*scores->confusion));
    scores->per_class = calloc(classes, sizeof(*scores->per_class));
    if (scores->confusion == NULL || scores->per_class == NULL) {
        scores_release(scores);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for the confusion matrix of %u classes", classes);
    }
    return STATUS_OK;
}

enum status scores_reserve(struct scores *scores, uint64_t rows, double temperature, struct error *error)
{
    enum status status = calibration_reserve(&scores->calibration, scores->classes, rows, error);

    if (status == STATUS_OK && temperature > 0) {
        status = calibration_reserve(&scores->calibrated, scores->classes, rows, error);
    }
    scores->temperature = temperature;
    return status;
}

uint64_t scores_bytes(uint32_t classes)
{
    return (uint64_t)classes * classes * sizeof(uint64_t) + (uint64_t)classes * sizeof(struct class_score);
}

uint64_t scores_reserve_bytes(uint32_t classes, uint64_t rows)
{
    return 2 * calibration_reserve_bytes(classes, rows);
}

void scores_release(struct scores *scores)
{
    if (scores != NULL) {
        free(scores->confusion);
        free(scores->per_class);
        calibration_release(&scores->calibration);
        calibration_release(&scores->calibrated);
        *scores = (struct scores){0};
    }
}

static uint32_t largest(const double *values, uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < n; i++) {
        best = values[i] > values[best] ? i : best;
    }
    return best;
}

static uint32_t largest_f32(const float *values, uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < n; i++) {
        best = values[i] > values[best] ? i : best;
    }
    return best;
}

static uint32_t true_class(const struct scores *scores, int32_t label, const float *soft)
{
    uint32_t truth = soft == NULL ? (uint32_t)label : largest_f32(soft, scores->classes);

    assert(truth < scores->classes);
    return truth;
}

uint32_t scores_add(struct scores *scores, double loss, const double *probabilities, int32_t label, const float *soft)
{
    const struct calibration_row row = {.probabilities = probabilities,
                                        .predicted = largest(probabilities, scores->classes),
                                        .truth = true_class(scores, label, soft),
                                        .soft = soft,
                                        .nll = loss};

    calibration_add(&scores->calibration, scores->classes, &row);
    scores->samples++;
    scores->loss_sum += loss;
    scores->correct += row.predicted == row.truth;
    scores->confusion[(size_t)row.truth * scores->classes + row.predicted]++;
    return row.predicted;
}

void scores_add_calibrated(struct scores *scores, double loss, const double *probabilities, uint32_t predicted,
                           int32_t label, const float *soft)
{
    const struct calibration_row row = {.probabilities = probabilities,
                                        .predicted = predicted,
                                        .truth = true_class(scores, label, soft),
                                        .soft = soft,
                                        .nll = loss};

    calibration_add(&scores->calibrated, scores->classes, &row);
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (double)part / (double)whole;
}

static void finish_classes(struct scores *scores)
{
    const size_t classes = scores->classes;

    for (size_t c = 0; c < classes; c++) {
        uint64_t hit = scores->confusion[c * classes + c], support = 0, predicted = 0;

        for (size_t other = 0; other < classes; other++) {
            support += scores->confusion[c * classes + other];
            predicted += scores->confusion[other * classes + c];
        }
        scores->per_class[c] = (struct class_score){
            .precision = ratio(hit, predicted),
            .recall = ratio(hit, support),
            .f1 = ratio(2 * hit, predicted + support), /* harmonic mean of the two */
            .support = support,
        };
    }
}

void scores_finish(struct scores *scores)
{
    const double samples = scores->samples == 0 ? 1 : (double)scores->samples;

    scores->loss = scores->loss_sum / samples;
    scores->accuracy = ratio(scores->correct, scores->samples);
    finish_classes(scores);
    calibration_finish(&scores->calibration);
    calibration_finish(&scores->calibrated);
}
