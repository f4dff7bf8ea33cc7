/* What there is to know about the optimizers: their tables, and the scalars of a step. */
#include "core/optim/optimizer.h"

#include <assert.h>
#include <math.h>

#include "core/base/mathx.h"

static const struct {
    const char *name, *formula, *source;
} optimizers[OPTIMIZER_COUNT] = {
#define OPTIMIZER(NAME, name, slots, formula, source) [OPTIMIZER_##NAME] = {#name, formula, source},
#define HYPER(NAME, field, value)
#include "core/optim/optimizers.def"
#undef OPTIMIZER
#undef HYPER
};

#define OPTIMIZER(NAME, name, slots, formula, source) static_assert((slots) <= OPTIMIZER_MAX_SLOTS, "slots of " #name);
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
#define OPTIMIZER(NAME, name, slots, formula, source)
#define HYPER(NAME, field, value) {OPTIMIZER_##NAME, FIELD_##field, value},
#include "core/optim/optimizers.def"
#undef OPTIMIZER
#undef HYPER
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

int optimizer_is_convex_solver(enum optimizer_type type)
{
    return type == OPTIMIZER_LBFGS || type == OPTIMIZER_NEWTON_CG;
}

int optimizer_hyperparameter(enum optimizer_type type, size_t index, struct hyperparameter *parameter)
{
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        if (uses[i].type == type && index-- == 0) {
            *parameter = fields[uses[i].field];
            parameter->default_value = uses[i].default_value;
            if (uses[i].field == FIELD_nesterov) {
                parameter->choices = nesterov_names;
                parameter->choice_count = sizeof(nesterov_names) / sizeof(nesterov_names[0]);
            }
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
    if (spec->type != OPTIMIZER_SGD || spec->nesterov == NESTEROV_NONE) {
        return 0;
    }
    return spec->nesterov == NESTEROV_LECTURE ? 1 : spec->momentum;
}

uint32_t optimizer_slots(const struct optimizer_spec *spec)
{
    switch (spec->type) {
    case OPTIMIZER_SGD: /* the lecture's form looks ahead by the last step even without momentum */
        return spec->momentum > 0 || spec->nesterov == NESTEROV_LECTURE;
    case OPTIMIZER_ADAGRAD:
        return 1;
    case OPTIMIZER_RMSPROP:
        return 1u + (spec->centered ? 1 : 0) + (spec->momentum > 0 ? 1 : 0);
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
        return spec->amsgrad ? 3 : 2;
    case OPTIMIZER_LBFGS:
    case OPTIMIZER_NEWTON_CG:
    case OPTIMIZER_COUNT:
        break;
    }
    return 0;
}

double optimizer_slot_start(const struct optimizer_spec *spec, uint32_t slot)
{
    return spec->type == OPTIMIZER_ADAGRAD && slot == 0 ? spec->initial_accumulator : 0;
}

/* 1 - beta^t, all digits however close beta is to 1. */
static double bias(double beta, uint64_t t)
{
    return -mathx_expm1_f64((double)t * mathx_log_f64(beta));
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
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
        step->bias1 = bias(spec->beta1, t);
        step->bias2 = bias(spec->beta2, t);
        break;
    case OPTIMIZER_SGD:
    case OPTIMIZER_RMSPROP:
    case OPTIMIZER_LBFGS:
    case OPTIMIZER_NEWTON_CG:
    case OPTIMIZER_COUNT:
        break;
    }
}
