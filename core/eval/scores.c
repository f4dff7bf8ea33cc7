#include "core/eval/scores.h"

#include <assert.h>
#include <math.h>
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

void scores_release(struct scores *scores)
{
    if (scores != NULL) {
        free(scores->confusion);
        free(scores->per_class);
        *scores = (struct scores){0};
    }
}

/* Bin m covers (m/M, (m+1)/M], the first one 0 too; edges are quotients in double, compared in double. */
static int bin_of(double confidence)
{
    int bin = 0;

    while (bin < CALIBRATION_BINS - 1 && confidence > (double)(bin + 1) / CALIBRATION_BINS) {
        bin++;
    }
    return bin;
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

void scores_add(struct scores *scores, double loss, const double *probabilities, int32_t label, const float *soft)
{
    const uint32_t classes = scores->classes, predicted = largest(probabilities, classes);
    const uint32_t truth = soft == NULL ? (uint32_t)label : largest_f32(soft, classes);
    const int correct = predicted == truth, bin = bin_of(probabilities[predicted]);
    double brier = 0;

    assert(truth < classes);
    for (uint32_t c = 0; c < classes; c++) {
        double target = soft != NULL ? (double)soft[c] : c == truth ? 1 : 0;
        double difference = probabilities[c] - target;
        brier += difference * difference;
    }
    scores->samples++;
    scores->loss_sum += loss;
    scores->brier_sum += brier;
    scores->correct += (uint64_t)correct;
    scores->confusion[(size_t)truth * classes + predicted]++;
    scores->bins[bin].count++;
    scores->bin_confidence_sum[bin] += probabilities[predicted];
    scores->bin_correct[bin] += (uint64_t)correct;
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

static void finish_calibration(struct scores *scores)
{
    scores->ece = scores->mce = 0;
    for (int m = 0; m < CALIBRATION_BINS; m++) {
        struct calibration_bin *bin = &scores->bins[m];
        double gap;

        bin->confidence = bin->count == 0 ? 0 : scores->bin_confidence_sum[m] / (double)bin->count;
        bin->accuracy = ratio(scores->bin_correct[m], bin->count);
        gap = fabs(bin->accuracy - bin->confidence);
        scores->ece += ratio(bin->count, scores->samples) * gap;
        scores->mce = gap > scores->mce ? gap : scores->mce;
    }
}

void scores_finish(struct scores *scores)
{
    const double samples = scores->samples == 0 ? 1 : (double)scores->samples;

    scores->loss = scores->loss_sum / samples;
    scores->brier = scores->brier_sum / samples;
    scores->accuracy = ratio(scores->correct, scores->samples);
    finish_classes(scores);
    finish_calibration(scores);
}
