/* Both jobs are an evaluator's; predictions look at its probabilities only. */
#include "predictor.h"

#include <stdlib.h>

#include "core/train/evaluator.h"

struct predictor {
    const struct model *model;
    struct pool *pool;
    struct evaluator *evaluator;
};

enum status predictor_new(struct predictor **out, const struct model *model, uint32_t threads, struct error *error)
{
    struct predictor *predictor = calloc(1, sizeof *predictor);
    enum status status;

    *out = NULL;
    if (predictor == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a predictor");
    }
    predictor->model = model;
    status = pool_new(&predictor->pool, threads, error);
    if (status == STATUS_OK) {
        status = evaluator_new(&predictor->evaluator, &model->spec, predictor->pool, error);
    }
    if (status != STATUS_OK) {
        predictor_free(predictor);
        return status;
    }
    network_load_f32(evaluator_network(predictor->evaluator), model->parameters);
    *out = predictor;
    return STATUS_OK;
}

void predictor_free(struct predictor *predictor)
{
    if (predictor != NULL) {
        evaluator_free(predictor->evaluator);
        pool_free(predictor->pool);
        free(predictor);
    }
}

void predictor_run(struct predictor *predictor, const float *x, uint64_t rows, float *probabilities)
{
    const struct model *model = predictor->model;
    struct dataset dataset = {
        .rows = rows, .features = model->spec.inputs, .feature_type = FEATURE_F32, .x = x, .classes = model->spec.classes};
    struct evaluation job = {.dataset = &dataset, .scaler = &model->scaler, .count = rows};

    evaluator_probabilities(predictor->evaluator, &job, probabilities);
}

enum status predictor_evaluate(struct predictor *predictor, const struct dataset *dataset, const int32_t *labels,
                               struct scores *scores, struct error *error)
{
    struct evaluation job = {
        .dataset = dataset, .scaler = &predictor->model->scaler, .count = dataset->rows, .labels = labels};
    enum status status = scores_init(scores, predictor->model->spec.classes, error);

    if (status == STATUS_OK) {
        evaluator_run(predictor->evaluator, &job, scores);
    }
    return status;
}
