/* A float64 network of one chunk, and what l2 adds to it. */
#include "network_objective.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/optim/objective.h"

#define HESSIAN_STEP 1e-7

struct network_objective {
    struct model_spec model;
    struct network_f64 *network;
    struct network_batch batch;
    struct network_loss loss;
    double l2;
    uint64_t parameters;
};

/* No rule is applied here: one without state of its own. */
static const struct optimizer_spec NO_RULE = {.type = OPTIMIZER_SGD};

static enum status make_plan(struct network_plan *plan, const struct model_spec *model, uint32_t count, int with_dropout,
                             struct error *error)
{
    enum status status = network_plan_make(plan, model, count, error);

    if (status == STATUS_OK && !with_dropout) {
        network_plan_drop_dropout(plan);
    }
    return status;
}

enum status network_objective_new(struct network_objective **out, const struct network_objective_setup *setup,
                                  struct error *error)
{
    struct network_objective *objective = calloc(1, sizeof *objective);
    struct network_plan plan;
    enum status status;

    assert(setup->count > 0 && setup->count <= NETWORK_CHUNK_ROWS);
    *out = NULL;
    if (objective == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an objective");
    }
    objective->model = *setup->model;
    objective->loss = setup->loss;
    objective->l2 = setup->l2;
    objective->parameters = model_spec_parameter_count(setup->model);
    objective->batch = (struct network_batch){.dataset = setup->dataset,
                                              .scaler = setup->scaler,
                                              .labels = setup->labels,
                                              .rows = setup->rows,
                                              .count = setup->count};
    status = make_plan(&plan, setup->model, setup->count, setup->with_dropout, error);
    if (status == STATUS_OK) {
        struct network_setup network = {.plan = &plan,
                                        .use = NETWORK_ACCUMULATE,
                                        .optimizer = &NO_RULE,
                                        .seed = setup->seed,
                                        .has_soft_labels = setup->labels == NULL,
                                        .gives_statistics = setup->gives_statistics,
                                        .pool = setup->pool};

        status = network_new_f64(&objective->network, &network, error);
    }
    if (status != STATUS_OK) {
        network_objective_free(objective);
        return status;
    }
    network_gather_f64(objective->network, 0, &objective->batch);
    *out = objective;
    return STATUS_OK;
}

void network_objective_free(struct network_objective *objective)
{
    if (objective != NULL) {
        network_free_f64(objective->network);
        free(objective);
    }
}

enum status network_objective_bytes(const struct model_spec *model, uint32_t count, uint32_t threads, uint64_t *bytes,
                                    struct error *error)
{
    struct network_plan plan;
    struct network_setup setup = {.plan = &plan, .use = NETWORK_ACCUMULATE, .optimizer = &NO_RULE, .has_soft_labels = 1};
    enum status status = network_plan_make(&plan, model, count, error);

    if (status == STATUS_OK) { /* as many numbers as in float32, twice as long */
        *bytes = 2 * network_bytes(&setup, threads) + sizeof(struct network_objective);
    }
    return status;
}

double network_objective_value(struct network_objective *objective, const double *theta)
{
    struct network_f64 *network = objective->network;
    double sum = 0, penalty;

    network_load_f64(network, theta);
    network_forward_loss_f64(network, 0, &objective->batch, &objective->loss, NULL);
    for (uint32_t r = 0; r < objective->batch.count; r++) {
        sum += network_row_losses_f64(network)[r];
    }
    penalty = objective->l2 > 0 ? objective->l2 / 2 * network_weight_square_f64(network) : 0;
    return sum * objective->loss.scale + penalty;
}

static void add_l2(const struct network_objective *objective, const double *theta, double *gradient)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < objective->model.layer_count; i++) {
        struct layer_parameters layer = model_spec_layer_parameters(&objective->model, i);

        for (uint64_t j = 0; j < layer.weights; j++) {
            gradient[at + j] += objective->l2 * theta[at + j];
        }
        at += layer.weights + layer.others + layer.statistics;
    }
}

double network_objective_gradient(struct network_objective *objective, const double *theta, double *gradient)
{
    double value = network_objective_value(objective, theta);

    network_backward_f64(objective->network, 0, objective->batch.count, 1);
    network_store_gradients_f64(objective->network, gradient);
    if (objective->l2 > 0) {
        add_l2(objective, theta, gradient);
    }
    return value;
}

uint64_t network_objective_kinks(const struct network_objective *objective)
{
    return network_kinks_f64(objective->network, objective->batch.count);
}

/* Of what is trained: running statistics are constants, as large as the data are. */
static double norm_of_trained(const struct model_spec *model, const double *theta)
{
    double sum = 0;

    for (uint32_t i = 0; i < model->layer_count; i++) {
        struct layer_parameters layer = model_spec_layer_parameters(model, i);
        uint64_t count = layer.weights + layer.others;

        sum += objective_dot(count, theta, theta);
        theta += count + layer.statistics;
    }
    return sqrt(sum);
}

void network_objective_hessian_vector(struct network_objective *objective, const double *theta, const double *v,
                                      double *product, double *work)
{
    uint64_t count = objective->parameters;
    double e = HESSIAN_STEP * fmax(1, norm_of_trained(&objective->model, theta)) / objective_norm(count, v);
    double *point = work, *below = work + count;

    for (uint64_t i = 0; i < count; i++) {
        point[i] = theta[i] - e * v[i];
    }
    (void)network_objective_gradient(objective, point, below);
    for (uint64_t i = 0; i < count; i++) {
        point[i] = theta[i] + e * v[i];
    }
    (void)network_objective_gradient(objective, point, product);
    for (uint64_t i = 0; i < count; i++) {
        product[i] = (product[i] - below[i]) / (2 * e);
    }
}
