/* What there is to know about the optimizers: their tables, and the scalars of a step. */
#include "core/optim/optimizer.h"

#include <assert.h>
#include <math.h>

#include "core/base/mathx.h"

static const struct {
    const char *name, *formula, *source;
    unsigned traits;
    uint32_t slots;
} optimizers[OPTIMIZER_COUNT] = {
#define OPTIMIZER(NAME, name, slots, traits, formula, source) [OPTIMIZER_##NAME] = {#name, formula, source, traits, slots},
#define HYPER(NAME, field, value)
#include "core/optim/optimizers.def"
#undef OPTIMIZER
#undef HYPER
};

#define OPTIMIZER(NAME, name, slots, traits, formula, source)                                                               \
    static_assert((slots) <= OPTIMIZER_MAX_SLOTS, "slots of " #name);
#define HYPER(NAME, field, value)
#include "core/optim/optimizers.def"
#undef OPTIMIZER
#undef HYPER

static const char *const nesterov_names[] = {
    [NESTEROV_NONE] = "none",
    [NESTEROV_LECTURE] = "lecture",
    [NESTEROV_LOOKAHEAD] = "lookahead",
};

enum field {
#define HYPERPARAMETER(field, kind, minimum, above, maximum, below, help) FIELD_##field,
#include "core/optim/hyperparameters.def"
#undef HYPERPARAMETER
    FIELD_COUNT
};

static const struct hyperparameter fields[FIELD_COUNT] = {
#define HYPERPARAMETER(field, kind, minimum, above, maximum, below, help)                                                   \
    [FIELD_##field] = {                                                                                                     \
        #field, HYPER_##kind, offsetof(struct optimizer_spec, field), 0, minimum, maximum, above, below, NULL, 0, help},
#include "core/optim/hyperparameters.def"
#undef HYPERPARAMETER
};

static const struct {
    enum optimizer_type type;
    enum field field;
    double default_value;
} uses[] = {
#define OPTIMIZER(NAME, name, slots, traits, formula, source)
#define HYPER(NAME, field, value) {OPTIMIZER_##NAME, FIELD_##field, value},
#include "core/optim/optimizers.def"
#undef OPTIMIZER
#undef HYPER
};

/* What is not the same in every rule that has the field. NULL, 0: as the field says. */
static const struct {
    enum optimizer_type type;
    enum field field;
    const char *name;
    double minimum;
    const char *help;
} exceptions[] = {
    {OPTIMIZER_MUON, FIELD_muon_nesterov, "nesterov", 0, NULL},
    {OPTIMIZER_SCHEDULE_FREE_ADAMW, FIELD_beta1, NULL, 0.01, /* as beta: how far x lies from y is divided by it */
     "where the gradient is taken: 1 at the mean theta, 0 at the newest z"},
};

const char *optimizer_name(enum optimizer_type type)
{
    assert((unsigned)type < OPTIMIZER_COUNT);
    return optimizers[type].name;
}

const char *optimizer_formula(enum optimizer_type type)
{
    assert((unsigned)type < OPTIMIZER_COUNT);
    return optimizers[type].formula;
}

const char *optimizer_source(enum optimizer_type type)
{
    assert((unsigned)type < OPTIMIZER_COUNT);
    return optimizers[type].source;
}

int optimizer_has(enum optimizer_type type, enum optimizer_trait trait)
{
    assert((unsigned)type < OPTIMIZER_COUNT);
    return (optimizers[type].traits & (unsigned)trait) != 0;
}

static void describe(enum optimizer_type type, enum field field, double default_value, struct hyperparameter *parameter)
{
    *parameter = fields[field];
    parameter->default_value = default_value;
    if (field == FIELD_nesterov) {
        parameter->choices = nesterov_names;
        parameter->choice_count = sizeof(nesterov_names) / sizeof(nesterov_names[0]);
    }
    for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
        if (exceptions[i].type == type && exceptions[i].field == field) {
            parameter->name = exceptions[i].name != NULL ? exceptions[i].name : parameter->name;
            parameter->minimum = exceptions[i].minimum > 0 ? exceptions[i].minimum : parameter->minimum;
            parameter->help = exceptions[i].help != NULL ? exceptions[i].help : parameter->help;
        }
    }
}

int optimizer_hyperparameter(enum optimizer_type type, size_t index, struct hyperparameter *parameter)
{
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        if (uses[i].type == type && index-- == 0) {
            describe(type, uses[i].field, uses[i].default_value, parameter);
            return 1;
        }
    }
    return 0;
}

void optimizer_defaults(struct optimizer_spec *spec, enum optimizer_type type)
{
    struct hyperparameter parameter;

    *spec = (struct optimizer_spec){.type = type, .learning_rate = spec->learning_rate};
    for (size_t i = 0; optimizer_hyperparameter(type, i, &parameter); i++) {
        if (!isnan(parameter.default_value)) {
            hyperparameter_store(&parameter, parameter.default_value, spec);
        }
    }
}

double optimizer_look_ahead(const struct optimizer_spec *spec)
{
    switch (spec->type) {
    case OPTIMIZER_SGD:
        return spec->nesterov == NESTEROV_NONE ? 0 : spec->nesterov == NESTEROV_LECTURE ? 1 : spec->momentum;
    case OPTIMIZER_SCHEDULE_FREE_SGD:
        return 1 / spec->beta - 1;
    case OPTIMIZER_SCHEDULE_FREE_ADAMW:
        return 1 / spec->beta1 - 1;
    default:
        return 0;
    }
}

uint32_t optimizer_slots(const struct optimizer_spec *spec)
{
    switch (spec->type) {
    case OPTIMIZER_SGD: /* the lecture's form looks ahead by the last step even without momentum */
        return spec->momentum > 0 || spec->nesterov == NESTEROV_LECTURE;
    case OPTIMIZER_RMSPROP:
        return 1u + (spec->centered ? 1 : 0) + (spec->momentum > 0 ? 1 : 0);
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
        return spec->amsgrad ? 3 : 2;
    default:
        return optimizers[spec->type].slots;
    }
}

double optimizer_slot_start(const struct optimizer_spec *spec, uint32_t slot)
{
    return spec->type == OPTIMIZER_ADAGRAD && slot == 0 ? spec->initial_accumulator : 0;
}

/* ---- the scalars of a step ---- */

/* 1 - beta^t, all digits however close beta is to 1. */
static double bias(double beta, uint64_t t)
{
    return -mathx_expm1_f64((double)t * mathx_log_f64(beta));
}

/* What nadam's momentum mu_t = beta1 - lag lags behind by: beta1 q^t / 2, q = 0.96^momentum_decay. */
static double nadam_lag(const struct optimizer_spec *spec, uint64_t t)
{
    double log_q = spec->momentum_decay * mathx_log_f64(0.96);

    return spec->beta1 * mathx_exp_f64((double)t * log_q) / 2;
}

/*
 * 1 - mu_1 mu_2 ... mu_t. The logarithm of the product of 1 - q^i / 2 over i is, term by term of ln(1 - x) = -sum x^k / k
 * and with the i summed up, -sum over k of q^k (1 - q^(k t)) / (1 - q^k) / (k 2^k): 60 terms leave nothing of a double.
 */
static double nadam_bias(const struct optimizer_spec *spec, uint64_t t)
{
    double log_q = spec->momentum_decay * mathx_log_f64(0.96), sum = 0, half = 1;

    if ((double)t * mathx_log_f64(spec->beta1) < -40) {
        return 1; /* the product is at most beta1^t: nothing of a double */
    }
    for (int k = 1; k <= 60; k++) {
        double one = mathx_expm1_f64(k * log_q), all = mathx_expm1_f64((double)t * k * log_q);

        half /= 2;
        sum += half / k * (one == 0 ? (double)t : mathx_exp_f64(k * log_q) * (all / one));
    }
    return -mathx_expm1_f64((double)t * mathx_log_f64(spec->beta1) - sum);
}

static void nadam_step(const struct optimizer_spec *spec, uint64_t t, struct update_step *step)
{
    step->bias2 = bias(spec->beta2, t);
    step->share_g = ((1 - spec->beta1) + nadam_lag(spec, t)) / nadam_bias(spec, t);
    step->share_m = (spec->beta1 - nadam_lag(spec, t + 1)) / nadam_bias(spec, t + 1);
}

static void radam_step(const struct optimizer_spec *spec, uint64_t t, struct update_step *step)
{
    const double longest = 2 / (1 - spec->beta2) - 1; /* of the mean's memory */
    double length;

    step->bias1 = bias(spec->beta1, t);
    step->bias2 = bias(spec->beta2, t);
    length = longest - 2 * (double)t * (1 - step->bias2) / step->bias2;
    if (length > 5) {
        step->rectifier = sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
    }
}

/*
 * The rate a_t of update t, which goes up to learning_rate over W warm-up steps, and c_t = a_t^2 / (a_1^2 + ... + a_t^2):
 * the sum of the squares 1 ... t is t (t + 1) (2 t + 1) / 6, and each step behind the warm-up adds W^2.
 */
static void schedule_free_step(const struct optimizer_spec *spec, uint64_t t, struct update_step *step)
{
    const double warm = spec->warmup_steps > 1 ? (double)spec->warmup_steps : 1, now = (double)t;

    step->bias2 = spec->type == OPTIMIZER_SCHEDULE_FREE_ADAMW ? bias(spec->beta2, t) : 1;
    if (now < warm) {
        step->learning_rate *= now / warm;
        step->average = 6 * now / ((now + 1) * (2 * now + 1));
    } else {
        step->average = 1 / ((warm + 1) * (2 * warm + 1) / (6 * warm) + (now - warm));
    }
}

void optimizer_step(const struct optimizer_spec *spec, double scheduled_learning_rate, uint64_t t, double gradient_scale,
                    struct update_step *step)
{
    assert(t >= 1);
    *step = (struct update_step){.learning_rate = scheduled_learning_rate, .gradient_scale = gradient_scale};
    switch (spec->type) {
    case OPTIMIZER_ADAGRAD:
        step->learning_rate /= 1 + (double)(t - 1) * spec->lr_decay;
        break;
    case OPTIMIZER_MUON:
        step->adamw_learning_rate = spec->adamw_learning_rate * (scheduled_learning_rate / spec->learning_rate);
        step->bias1 = bias(spec->beta1, t);
        step->bias2 = bias(spec->beta2, t);
        break;
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
    case OPTIMIZER_ADAMAX:
        step->bias1 = bias(spec->beta1, t);
        step->bias2 = bias(spec->beta2, t);
        break;
    case OPTIMIZER_NADAM:
        nadam_step(spec, t, step);
        break;
    case OPTIMIZER_RADAM:
        radam_step(spec, t, step);
        break;
    case OPTIMIZER_SCHEDULE_FREE_SGD:
    case OPTIMIZER_SCHEDULE_FREE_ADAMW:
        schedule_free_step(spec, t, step);
        break;
    case OPTIMIZER_SGD:
    case OPTIMIZER_RMSPROP:
    case OPTIMIZER_ADADELTA:
    case OPTIMIZER_LION:
    case OPTIMIZER_LBFGS:
    case OPTIMIZER_NEWTON_CG:
    case OPTIMIZER_COUNT:
        break;
    }
}
