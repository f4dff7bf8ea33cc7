/* What came out of a job: scores of its model on every split, timing, digest. Written once, when the job succeeds. */
#ifndef DESCENT_API_ENCODE_RESULTS_H
#define DESCENT_API_ENCODE_RESULTS_H

#include "api/profile.h"
#include "api/views.h"
#include "core/eval/scores.h"
#include "core/train/trainer.h"

/* A confusion matrix of more classes than this is null: it would be larger than everything else together. */
#define RESULTS_CONFUSION_CLASSES 256

struct json_writer;

/* Everything is borrowed. */
struct results_view {
    const char *job;   /* id */
    const char *model; /* NULL: none */
    enum stop_reason stop_reason;
    const struct scores *scores[PART_COUNT]; /* NULL: the job has no such split */
    double objective[PART_COUNT];
    const struct temperature_fit *fit; /* NULL: the job asked for none */
    int with_objective;                /* there is L2: objective stands beside loss */
    const char *const *class_names;    /* [classes] */
    enum metric best_metric;
    double best_value;
    uint64_t best_step; /* 0: nothing was evaluated: best is null */
    double noise_scale; /* NaN with with_noise_scale: it could not be told */
    int with_noise_scale;
    const struct range_result *range; /* NULL: it was no range test, which has neither model nor scores */
    const char *digest;               /* of the model's parameters */
    uint64_t digest_step;
    double train_seconds;    /* in training, without waiting */
    double evaluate_seconds; /* the passes over the splits at the end */
    uint64_t samples_seen;
    uint32_t threads;
    const struct profile *profile; /* NULL: none */
};
void encode_results(const struct results_view *results, struct json_writer *writer);

/*
 * The members of one split's scores, into an open object: samples, loss, [objective,] accuracy, confusion_matrix (rows:
 * true class), per_class, calibration. objective NaN: not written.
 */
void encode_scores(const struct scores *scores, double objective, const char *const *class_names,
                   struct json_writer *writer);

#endif
