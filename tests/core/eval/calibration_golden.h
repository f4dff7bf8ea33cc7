/* The golden rows of calibration: tests/golden/calibration.txt. For test_scores.c, test_calibration.c, test_temperature.c.
 */
#ifndef DESCENT_TESTS_CORE_EVAL_CALIBRATION_GOLDEN_H
#define DESCENT_TESTS_CORE_EVAL_CALIBRATION_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/eval/scores.h"
#include "core/nn/loss.h"
#include "tests/assert_close.h"

enum { GOLDEN_ROWS = 240, GOLDEN_CLASSES = 4, GOLDEN_EDGES = 7, GOLDEN_EDGE_BINS = 5, GOLDEN_CURVE = 10 };

struct golden_scores {
    double temperature, accuracy, confidence, nll, brier, ece, mce, rmsce, ace, classwise_ece;
};

static struct {
    struct golden_scores known[2];
    struct calibration_bin bins[CALIBRATION_BINS];
    double edge_confidences[GOLDEN_EDGES];
    int edge_successes[GOLDEN_EDGES];
    struct calibration_bin edge_bins[GOLDEN_EDGE_BINS];
    double curve[GOLDEN_CURVE][2]; /* share of class 0, mean of its probability */
    double logits[GOLDEN_ROWS][GOLDEN_CLASSES];
    int32_t labels[GOLDEN_ROWS];
} golden;

static struct {
    size_t scores, bins, edges, edge_bins, curve, rows;
} golden_count;

static inline void golden_read_bin(const char *line, const char *word, struct calibration_bin *bins, size_t most,
                                   size_t *count)
{
    size_t size = strlen(word);
    struct calibration_bin bin;
    unsigned long long rows;

    if (*count < most && strncmp(line, word, size) == 0 &&
        sscanf(line + size, " %llu %lf %lf", &rows, &bin.confidence, &bin.accuracy) == 3) {
        bin.count = rows;
        bins[(*count)++] = bin;
    }
}

static inline void golden_read_line(const char *line)
{
    struct golden_scores *k = &golden.known[golden_count.scores % 2];
    size_t edge = golden_count.edges % GOLDEN_EDGES, curve = golden_count.curve % GOLDEN_CURVE;
    double *z = golden.logits[golden_count.rows % GOLDEN_ROWS];

    golden_count.scores +=
        sscanf(line, "scores %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf", &k->temperature, &k->accuracy, &k->confidence,
               &k->nll, &k->brier, &k->ece, &k->mce, &k->rmsce, &k->ace, &k->classwise_ece) == 10;
    golden_read_bin(line, "bin", golden.bins, CALIBRATION_BINS, &golden_count.bins);
    golden_read_bin(line, "edge_bin", golden.edge_bins, GOLDEN_EDGE_BINS, &golden_count.edge_bins);
    golden_count.edges += sscanf(line, "edge %lf %d", &golden.edge_confidences[edge], &golden.edge_successes[edge]) == 2;
    golden_count.curve += sscanf(line, "curve %lf %lf", &golden.curve[curve][0], &golden.curve[curve][1]) == 2;
    golden_count.rows += sscanf(line, "row %d %lf %lf %lf %lf", &golden.labels[golden_count.rows % GOLDEN_ROWS], &z[0],
                                &z[1], &z[2], &z[3]) == 5;
}

static inline int golden_read(void **state)
{
    FILE *file = fopen("tests/golden/calibration.txt", "r");
    char line[256];

    (void)state;
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        golden_read_line(line);
    }
    fclose(file);
    return golden_count.scores == 2 && golden_count.bins == CALIBRATION_BINS && golden_count.edges == GOLDEN_EDGES &&
                   golden_count.edge_bins == GOLDEN_EDGE_BINS && golden_count.curve == GOLDEN_CURVE &&
                   golden_count.rows == GOLDEN_ROWS
               ? 0
               : -1;
}

/* Losses and probabilities of the golden rows at a temperature. */
static inline void golden_softmax(double temperature, double losses[GOLDEN_ROWS],
                                  double probabilities[GOLDEN_ROWS][GOLDEN_CLASSES])
{
    const struct softmax_loss rule = {.classes = GOLDEN_CLASSES};
    const struct softmax_loss_rows out = {.plain = losses};
    double logits[GOLDEN_ROWS][GOLDEN_CLASSES];

    for (size_t i = 0; i < GOLDEN_ROWS; i++) {
        for (size_t c = 0; c < GOLDEN_CLASSES; c++) {
            logits[i][c] = golden.logits[i][c] / temperature;
        }
    }
    softmax_cross_entropy_rows_f64(&rule, GOLDEN_ROWS, logits[0], GOLDEN_CLASSES, golden.labels, NULL, 1, NULL, 0, &out);
    softmax_rows_f64(GOLDEN_CLASSES, GOLDEN_ROWS, logits[0], GOLDEN_CLASSES, probabilities[0]);
}

/* The golden rows' scores, with those at the temperature (0: without). Release them. */
static inline void golden_score(struct scores *scores, double temperature)
{
    double losses[2][GOLDEN_ROWS], probabilities[2][GOLDEN_ROWS][GOLDEN_CLASSES];

    golden_softmax(1, losses[0], probabilities[0]);
    golden_softmax(temperature > 0 ? temperature : 1, losses[1], probabilities[1]);
    assert_int_equal(scores_init(scores, GOLDEN_CLASSES, NULL), STATUS_OK);
    assert_int_equal(scores_reserve(scores, GOLDEN_ROWS, temperature, NULL), STATUS_OK);
    for (size_t i = 0; i < GOLDEN_ROWS; i++) {
        uint32_t predicted = scores_add(scores, losses[0][i], probabilities[0][i], golden.labels[i], NULL);

        if (temperature > 0) {
            scores_add_calibrated(scores, losses[1][i], probabilities[1][i], predicted, golden.labels[i], NULL);
        }
    }
    scores_finish(scores);
}

#endif
