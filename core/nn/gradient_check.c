/* One layer after the other; each coordinate costs two evaluations of the objective. */
#include "gradient_check.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/rng.h"

struct check {
    struct network_objective *objective;
    double *theta;
    const double *gradient;
    double step, loss;
    uint64_t seed, kinks; /* kinks: at theta */
};

uint64_t gradient_check_flops(const struct model_spec *model, uint32_t rows, uint64_t count)
{
    const uint64_t loading = 8; /* of a parameter: some moves of memory */
    uint64_t each = model_spec_flops(model, 0) * rows + loading * model_spec_parameter_count(model), coordinates = 0;

    for (uint32_t i = 0; i < model->layer_count; i++) {
        struct layer_parameters layer = model_spec_layer_parameters(model, i);
        uint64_t all = layer.weights + layer.others;

        coordinates += all < count ? all : count;
    }
    return __builtin_mul_overflow(2 * coordinates, each, &each) ? UINT64_MAX : each;
}

/* The error of coordinate i; NaN: it has a kink within its step. */
static double error_of(const struct check *check, uint64_t i)
{
    double kept = check->theta[i], h = check->step * fmax(1, fabs(kept)), up, down, numeric, analytic = check->gradient[i];
    int smooth;

    check->theta[i] = kept + h;
    up = network_objective_value(check->objective, check->theta);
    smooth = network_objective_kinks(check->objective) == check->kinks;
    check->theta[i] = kept - h;
    down = network_objective_value(check->objective, check->theta);
    smooth &= network_objective_kinks(check->objective) == check->kinks;
    check->theta[i] = kept;
    if (!smooth) {
        return (double)NAN;
    }
    numeric = (up - down) / (2 * h);
    if (!isfinite(numeric) || !isfinite(analytic)) {
        return (double)INFINITY;
    }
    return fabs(analytic - numeric) /
           fmax(fabs(analytic) + fabs(numeric), GRADIENT_CHECK_FLOOR * fmax(1, fabs(check->loss)));
}

/* `count` of the layer's coordinates, one in each of as many equal parts; `first` is the layer's first. */
static void check_layer(const struct check *check, uint64_t first, uint64_t count, struct gradient_check_layer *layer)
{
    uint64_t whole = layer->parameters / count, rest = layer->parameters % count, begin = 0;

    for (uint64_t j = 0; j < count; j++) {
        uint64_t size = whole + (j < rest), within;
        double error;

        within = (uint64_t)(rng_uniform_f64(check->seed, rng_substream(RNG_DIAGNOSTICS, layer->layer), 0, j) * (double)size);
        error = error_of(check, first + begin + within);
        begin += size;
        if (isnan(error)) {
            layer->skipped++;
            continue;
        }
        layer->checked++;
        layer->max_relative_error = fmax(layer->max_relative_error, error);
    }
}

enum status gradient_check_of(struct network_objective *objective, const struct model_spec *model, double *theta,
                              const double *gradient, uint64_t count, double step, uint64_t seed,
                              struct gradient_check_report *report, struct error *error)
{
    struct check check = {.objective = objective, .theta = theta, .gradient = gradient, .step = step, .seed = seed};
    uint64_t first = 0;

    *report = (struct gradient_check_report){.loss = network_objective_value(objective, theta)};
    if (!isfinite(report->loss)) {
        return error_set(error, STATUS_NON_FINITE_VALUE, "the loss of these rows is not finite");
    }
    check.loss = report->loss;
    check.kinks = network_objective_kinks(objective);
    for (uint32_t i = 0; i < model->layer_count; i++) {
        struct layer_parameters parameters = model_spec_layer_parameters(model, i);
        struct gradient_check_layer *layer = &report->layers[report->layer_count];

        *layer = (struct gradient_check_layer){
            .layer = i, .type = model->layers[i].type, .parameters = parameters.weights + parameters.others};
        if (layer->parameters == 0) {
            continue;
        }
        check_layer(&check, first, count < layer->parameters ? count : layer->parameters, layer);
        first += layer->parameters + parameters.statistics;
        report->layer_count++;
        report->checked += layer->checked;
        report->skipped += layer->skipped;
        report->max_relative_error = fmax(report->max_relative_error, layer->max_relative_error);
    }
    return STATUS_OK;
}

enum status gradient_check(struct network_objective *objective, const struct model_spec *model, double *theta,
                           uint64_t count, double step, uint64_t seed, struct gradient_check_report *report,
                           struct error *error)
{
    double *gradient = calloc(model_spec_parameter_count(model), sizeof *gradient);
    enum status status;

    if (gradient == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a gradient");
    }
    (void)network_objective_gradient(objective, theta, gradient);
    status = gradient_check_of(objective, model, theta, gradient, count, step, seed, report, error);
    free(gradient);
    return status;
}
