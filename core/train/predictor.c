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

void predictor_run(struct predictor *predictor, const float *x, uint64_t rows, double temperature, float *probabilities,
                   uint32_t *predicted)
{
    const struct model *model = predictor->model;
    struct dataset dataset = {
        .rows = rows, .features = model->spec.inputs, .feature_type = FEATURE_F32, .x = x, .classes = model->spec.classes};
    struct evaluation job = {.dataset = &dataset, .scaler = &model->scaler, .count = rows};

    evaluator_probabilities(predictor->evaluator, &job, temperature, probabilities, predicted);
}

enum status predictor_evaluate(struct predictor *predictor, const struct dataset *dataset, const int32_t *labels,
                               struct scores *scores, struct error *error)
{
    const struct model *model = predictor->model;
    struct evaluation job = {.dataset = dataset, .scaler = &model->scaler, .count = dataset->rows, .labels = labels};
    enum status status = scores_init(scores, model->spec.classes, error);

    if (status != STATUS_OK) {
        return status;
    }
    status = scores_reserve(scores, job.count, model->temperature, error);
    if (status != STATUS_OK) {
        scores_release(scores);
        return status;
    }
    evaluator_run(predictor->evaluator, &job, scores);
    return STATUS_OK;
}

static struct evaluation evaluation_of(const struct predictor *predictor, const struct predictor_rows *rows)
{
    return (struct evaluation){.dataset = rows->dataset,
                               .scaler = &predictor->model->scaler,
                               .rows = rows->rows,
                               .count = rows->count,
                               .labels = rows->labels};
}

void predictor_hardest(struct predictor *predictor, const struct predictor_rows *rows, struct hardest *hardest)
{
    struct evaluation job = evaluation_of(predictor, rows);

    evaluator_hardest(predictor->evaluator, &job, hardest);
}

void predictor_run_rows(struct predictor *predictor, const struct predictor_rows *rows, float *probabilities,
                        uint32_t *predicted)
{
    struct evaluation job = evaluation_of(predictor, rows);

    evaluator_probabilities(predictor->evaluator, &job, 1, probabilities, predicted);
}
