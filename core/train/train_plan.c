/* What a job costs, and the names of things in its spec: everything about a train_spec that needs no memory. */
#include "train_plan.h"

#include "core/base/kernel_tier.h"
#include "core/base/mathx.h"
#include "core/nn/narrow_dense.h"
#include "core/optim/solver.h"
#include "core/train/diagnostics.h"
#include "core/train/evaluator.h"
#include "core/train/trainer_convex.h"

#define FLOPS_PER_THREAD 2000000u /* about 20 us of one core: less work than this is not worth a second thread */

static const char *const METRIC_NAMES[METRIC_COUNT] = {
    [METRIC_VALIDATION_LOSS] = "validation_loss",
    [METRIC_VALIDATION_ACCURACY] = "validation_accuracy",
    [METRIC_TRAIN_LOSS] = "train_loss",
    [METRIC_TRAIN_ACCURACY] = "train_accuracy",
};

static const char *const STOP_REASON_NAMES[STOP_REASON_COUNT] = {
    [STOP_NONE] = "none",           [STOP_EPOCHS] = "epochs",           [STOP_GRADIENT_NORM] = "gradient_norm",
    [STOP_MAX_STEPS] = "max_steps", [STOP_MAX_SECONDS] = "max_seconds", [STOP_EARLY] = "early",
    [STOP_USER] = "user",           [STOP_RANGE_TEST] = "range_test",   [STOP_CONVERGED] = "converged",
};

static const char *const KIND_NAMES[TRAIN_KIND_COUNT] = {"train", "lr_range_test"};

const char *train_kind_name(enum train_kind kind)
{
    return KIND_NAMES[kind];
}

const char *metric_name(enum metric metric)
{
    return METRIC_NAMES[metric];
}

const char *stop_reason_name(enum stop_reason reason)
{
    return STOP_REASON_NAMES[reason];
}

int train_spec_is_full_batch(const struct train_spec *spec, uint64_t train_rows)
{
    return spec->batch_size >= train_rows;
}

static int has_dropout(const struct model_spec *model)
{
    for (uint32_t i = 0; i < model->layer_count; i++) {
        if (model->layers[i].type == LAYER_DROPOUT) {
            return 1;
        }
    }
    return 0;
}

/* The step's own gradient is that of the whole training set at the served point, whose function is float32's. */
static int step_gradient_is_exact(const struct train_spec *spec, uint64_t train_rows)
{
    return train_spec_is_full_batch(spec, train_rows) && spec->precision == PRECISION_F32 &&
           spec->shuffle != SHUFFLE_WITH_REPLACEMENT && optimizer_look_ahead(&spec->optimizer) == 0 &&
           !has_dropout(&spec->model);
}

enum gradient_check train_spec_gradient_check(const struct train_spec *spec, uint64_t train_rows)
{
    if (spec->stop.gradient_norm <= 0 ||
        optimizer_has(spec->optimizer.type, OPTIMIZER_CONVEX_SOLVER)) { /* solvers look themselves */
        return GRADIENT_CHECK_OFF;
    }
    return step_gradient_is_exact(spec, train_rows) ? GRADIENT_CHECK_STEP : GRADIENT_CHECK_PROBE;
}

int train_spec_has_probe(const struct train_spec *spec, uint64_t train_rows)
{
    return train_spec_gradient_check(spec, train_rows) == GRADIENT_CHECK_PROBE || diagnostics_need_probe(spec);
}

enum network_use train_spec_network_use(const struct train_spec *spec, uint64_t train_rows)
{
    if (optimizer_has(spec->optimizer.type, OPTIMIZER_CONVEX_SOLVER)) {
        return NETWORK_TRAIN; /* holds the weights rounded to float32, for evaluations and files */
    }
    int needs_norm_first = spec->clip_norm > 0 || train_spec_gradient_check(spec, train_rows) == GRADIENT_CHECK_STEP;
    int needs_whole_layers = !optimizer_has(spec->optimizer.type, OPTIMIZER_ELEMENT_WISE);

    return needs_norm_first || needs_whole_layers || spec->batch_size > NETWORK_CHUNK_ROWS ? NETWORK_ACCUMULATE
                                                                                           : NETWORK_TRAIN;
}

uint64_t train_spec_network_rows(const struct train_spec *spec, uint64_t train_rows)
{
    uint64_t batch = spec->batch_size < train_rows ? spec->batch_size : train_rows;

    return optimizer_has(spec->optimizer.type, OPTIMIZER_CONVEX_SOLVER) ? 1
                                                                        : batch; /* a solver's network sees no minibatch */
}

/* ---- rows of the curves ---- */

#define LOG_PERIODS 3

/* A row comes every so many steps, for each of these reasons; 0: not for this one. */
static void log_periods(const struct train_spec *spec, uint64_t steps_per_epoch, uint64_t periods[LOG_PERIODS])
{
    uint64_t epochs = (spec->epochs + TRAIN_EPOCH_POINTS - 1) / TRAIN_EPOCH_POINTS;

    periods[0] = spec->log_every_steps;
    periods[1] = steps_per_epoch * epochs;
    periods[2] = spec->eval_every_steps;
}

int train_spec_logs(const struct train_spec *spec, uint64_t steps_per_epoch, uint64_t step)
{
    uint64_t periods[LOG_PERIODS];

    log_periods(spec, steps_per_epoch, periods);
    for (int i = 0; i < LOG_PERIODS; i++) {
        if (periods[i] > 0 && step % periods[i] == 0) {
            return 1;
        }
    }
    return 0;
}

/* The least common multiple; 0 where it overflows or one of them is 0: no step is a multiple of both. */
static uint64_t common_period(uint64_t a, uint64_t b)
{
    uint64_t x = a, y = b, product;

    while (y > 0) {
        uint64_t rest = x % y;

        x = y;
        y = rest;
    }
    return x == 0 || __builtin_mul_overflow(a / x, b, &product) ? 0 : product;
}

/* By inclusion and exclusion over the reasons, and the last step. */
uint64_t train_spec_points(const struct train_spec *spec, uint64_t steps_per_epoch, uint64_t steps)
{
    uint64_t periods[LOG_PERIODS], added = 0, taken = 0;

    log_periods(spec, steps_per_epoch, periods);
    for (unsigned set = 1; set < 1u << LOG_PERIODS; set++) {
        uint64_t period = 1;

        for (int i = 0; i < LOG_PERIODS; i++) {
            period = (set >> i & 1) != 0 ? common_period(period, periods[i]) : period;
        }
        *(__builtin_popcount(set) % 2 == 1 ? &added : &taken) += period > 0 ? steps / period : 0;
    }
    return added - taken + (steps > 0 && !train_spec_logs(spec, steps_per_epoch, steps));
}

/* ---- cost ---- */

/* Adds factor * size to *sum unless that overflows. */
static int add_product(uint64_t *sum, uint64_t factor, uint64_t size)
{
    uint64_t product;

    return !__builtin_mul_overflow(factor, size, &product) && !__builtin_add_overflow(*sum, product, sum);
}

struct train_sizes train_data_sizes(const struct train_data *data)
{
    struct train_sizes rows = {.train = data->split->train_count, .validation = data->split->validation_count};
    uint64_t test = data->test != NULL ? data->test->rows : data->split->test_count;

    rows.largest = rows.train > rows.validation ? rows.train : rows.validation;
    rows.largest = rows.largest > test ? rows.largest : test;
    return rows;
}

/*
 * The most that the final evaluation holds at a time: the logits that a temperature is fitted to, or the scores of all
 * parts with what the calibration of one is computed from, with and without that temperature. (A spec does not know whether
 * one is fitted; a range test evaluates nothing.)
 */
static uint64_t final_evaluation_bytes(const struct train_spec *spec, const struct train_sizes *rows)
{
    uint32_t classes = spec->model.classes;
    uint64_t fit = evaluator_fit_bytes(rows->validation, classes, EVALUATOR_KEPT_LOGITS);
    uint64_t scores = PART_COUNT * scores_bytes(classes) + scores_reserve_bytes(classes, rows->largest);

    return spec->kind == TRAIN_LR_RANGE_TEST ? 0 : fit > scores ? fit : scores;
}

/* Another precision than float32 is for what has products that it changes, and for processors that can. */
static enum status check_precision(const struct train_spec *spec, const struct network_plan *network, struct error *error)
{
    const char *name = precision_name(spec->precision);

    if (spec->precision == PRECISION_F32) {
        return STATUS_OK;
    }
    if (optimizer_has(spec->optimizer.type, OPTIMIZER_CONVEX_SOLVER)) {
        return error_set(error, STATUS_NOT_SUPPORTED, "%s computes in float64, not in %s; allowed: \"f32\"",
                         optimizer_name(spec->optimizer.type), name);
    }
    if (network->stages[0].is_narrow) {
        return error_set(error, STATUS_NOT_SUPPORTED,
                         "%s is for models with hidden layers or more than %u classes; this one has nothing but a dense "
                         "layer of %u; allowed: \"f32\"",
                         name, NARROW_MOST_OUTPUT, network->stages[0].outputs);
    }
    if (kernel_tier_of(spec->precision) == NULL) {
        return error_set(error, STATUS_NOT_SUPPORTED,
                         "%s needs a processor with AMX-BF16 or AVX-512 BF16, or the kernel tier reference; this is %s; "
                         "allowed here: \"f32\"",
                         name, instruction_set_name(kernel_tier_isa()));
    }
    return STATUS_OK;
}

enum status trainer_plan(struct train_plan *plan, const struct train_spec *spec, const struct train_sizes *rows,
                         uint32_t max_threads, struct error *error)
{
    struct network_plan network;
    uint64_t train_rows = rows->train;
    uint64_t batch = spec->batch_size < train_rows ? spec->batch_size : train_rows, diagnostics;
    enum status status = network_plan_make(&network, &spec->model, train_spec_network_rows(spec, train_rows), error);

    *plan = (struct train_plan){0};
    if (status == STATUS_OK) {
        status = check_precision(spec, &network, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct network_setup train = {
        .plan = &network, .use = train_spec_network_use(spec, train_rows), .optimizer = &spec->optimizer};
    struct network_setup probe = {.plan = &network, .use = NETWORK_ACCUMULATE, .optimizer = &spec->optimizer};

    plan->parameters = model_spec_parameter_count(&spec->model);
    plan->steps_per_epoch = (train_rows + batch - 1) / batch;
    if (__builtin_mul_overflow(plan->steps_per_epoch, (uint64_t)spec->epochs, &plan->total_steps)) {
        return error_set(error, STATUS_OUT_OF_RANGE, "%u epochs of %llu steps are too many", spec->epochs,
                         (unsigned long long)plan->steps_per_epoch);
    }
    if (spec->kind == TRAIN_LR_RANGE_TEST) {
        plan->total_steps = spec->range.steps;
    }
    if (spec->stop.max_steps > 0 && spec->stop.max_steps < plan->total_steps) {
        plan->total_steps = spec->stop.max_steps;
    }
    plan->bytes = network_bytes(&train, max_threads) + evaluator_bytes(&network, max_threads);
    if (train_spec_has_probe(spec, train_rows)) {
        plan->bytes += network_bytes(&probe, max_threads);
    }
    status = diagnostics_bytes(spec, train_rows, max_threads, &diagnostics, error);
    if (status != STATUS_OK) {
        return status;
    }
    plan->bytes += diagnostics;
    if (!add_product(&plan->bytes, plan->parameters, 4 * sizeof(float)) || /* first, best and final ones; a checkpoint's */
        !add_product(&plan->bytes, network.stored, (1 + optimizer_slots(&spec->optimizer)) * sizeof(float)) || /* its copy */
        !add_product(&plan->bytes, train_rows, 2 * sizeof(uint32_t)) ||
        !add_product(&plan->bytes, 1, trainer_convex_bytes(spec, train_rows, max_threads)) ||
        !add_product(&plan->bytes, 1, final_evaluation_bytes(spec, rows)) ||
        !add_product(&plan->flops_per_epoch, train_rows, model_spec_flops(&spec->model, 1)) ||
        !add_product(&plan->flops_per_epoch, plan->steps_per_epoch, network_update_flops(&train))) {
        return error_set(error, STATUS_MODEL_TOO_LARGE, "%llu parameters on %llu rows pass what can be counted",
                         (unsigned long long)plan->parameters, (unsigned long long)train_rows);
    }
    plan->step_flops = plan->flops_per_epoch / plan->steps_per_epoch;
    plan->most_step_flops = plan->step_flops;
    if (optimizer_has(spec->optimizer.type, OPTIMIZER_CONVEX_SOLVER) &&
        __builtin_mul_overflow(plan->step_flops, solver_passes(&spec->optimizer), &plan->most_step_flops)) {
        plan->most_step_flops = UINT64_MAX;
    }
    plan->expected_first_loss = mathx_log_f64(spec->model.classes);
    return STATUS_OK;
}

uint32_t trainer_useful_threads(const struct train_plan *plan, uint32_t cores)
{
    uint64_t useful = plan->step_flops / FLOPS_PER_THREAD;

    return useful < 1 ? 1 : useful < cores ? (uint32_t)useful : cores;
}
