/* Models as clients see them, and what they answer: predictions, evaluations, their parameters as JSON. */
#ifndef DESCENT_API_ENCODE_MODEL_H
#define DESCENT_API_ENCODE_MODEL_H

#include <stddef.h>

#include "api/views.h"
#include "core/eval/scores.h"
#include "core/nn/model.h"

#define PREDICTIONS_TOP_MAX 100 /* beyond it, ask for all probabilities */

struct json_writer;
struct text;

void encode_model(const struct model_view *model, struct json_writer *writer);
void encode_model_list(const struct model_view *models, size_t count, int has_more, struct json_writer *writer);

/* The member "top" of a prediction: the `count` most probable classes, the label first. */
void encode_top(const char *const *class_names, uint32_t classes, const float *probabilities, uint32_t label, uint32_t count,
                struct json_writer *writer);

/* Everything is borrowed. */
struct predictions {
    const char *model;              /* id */
    const char *const *class_names; /* [classes] */
    uint32_t classes;
    uint64_t rows;
    const float *probabilities; /* [rows][classes] */
    const uint32_t *labels;     /* [rows] */
    double temperature;         /* that was applied; 0: none */
    int with_label, with_probabilities;
    uint32_t top_k; /* 0: none; more than classes, or than PREDICTIONS_TOP_MAX, counts as that */
};
/* {"object":"predictions","model","temperature","classes":[...],"predictions":[{"label","probabilities":[...],"top":[...]}]}
 */
void encode_predictions(const struct predictions *predictions, struct json_writer *writer);
/* The same as a table with a header line: label, then one probability a class, named as the class (never top_k). */
void encode_predictions_csv(const struct predictions *predictions, struct text *out);

/* seconds: what it took. class_names [scores->classes]. */
void encode_evaluation(const char *model, const char *dataset, const struct scores *scores, const char *const *class_names,
                       double seconds, struct json_writer *writer);

/* GET export?format=json: layers with their weights, preprocessing with its constants, class names. */
void encode_model_parameters(const struct model *model, const char *id, struct json_writer *writer);

#endif
