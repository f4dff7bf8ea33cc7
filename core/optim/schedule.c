#include "core/optim/schedule.h"

#include <assert.h>
#include <math.h>

#include "core/base/mathx.h"

static const struct {
    const char *name, *formula;
} schedules[SCHEDULE_COUNT] = {
#define SCHEDULE(NAME, name, formula) [SCHEDULE_##NAME] = {#name, formula},
#define HYPER(NAME, field, value)
#define HYPERPARAMETER(field, kind, minimum, above, maximum, below, help)
#include "core/optim/schedules.def"
#undef SCHEDULE
#undef HYPER
#undef HYPERPARAMETER
};

enum field {
#define SCHEDULE(NAME, name, formula)
#define HYPER(NAME, field, value)
#define HYPERPARAMETER(field, kind, minimum, above, maximum, below, help) FIELD_##field,
#include "core/optim/schedules.def"
#undef SCHEDULE
#undef HYPER
#undef HYPERPARAMETER
    FIELD_COUNT
};

static const struct hyperparameter fields[FIELD_COUNT] = {
#define SCHEDULE(NAME, name, formula)
#define HYPER(NAME, field, value)
#define HYPERPARAMETER(field, kind, minimum, above, maximum, below, help)                                                   \
    [FIELD_##field] = {                                                                                                     \
        #field, HYPER_##kind, offsetof(struct schedule_spec, field), 0, minimum, maximum, above, below, NULL, 0, help},
#include "core/optim/schedules.def"
#undef SCHEDULE
#undef HYPER
#undef HYPERPARAMETER
};

static const struct {
    enum schedule_type type;
    enum field field;
    double default_value;
} uses[] = {
#define SCHEDULE(NAME, name, formula)
#define HYPER(NAME, field, value) {SCHEDULE_##NAME, FIELD_##field, value},
#define HYPERPARAMETER(field, kind, minimum, above, maximum, below, help)
#include "core/optim/schedules.def"
#undef SCHEDULE
#undef HYPER
#undef HYPERPARAMETER
};

const char *schedule_name(enum schedule_type type)
{
    assert((unsigned)type < SCHEDULE_COUNT);
    return schedules[type].name;
}

const char *schedule_formula(enum schedule_type type)
{
    assert((unsigned)type < SCHEDULE_COUNT);
    return schedules[type].formula;
}

int schedule_hyperparameter(enum schedule_type type, size_t index, struct hyperparameter *parameter)
{
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        if (uses[i].type == type && index-- == 0) {
            *parameter = fields[uses[i].field];
            parameter->default_value = uses[i].default_value;
            return 1;
        }
    }
    return 0;
}

void schedule_defaults(struct schedule_spec *schedule, enum schedule_type type)
{
    struct hyperparameter parameter;

    *schedule = (struct schedule_spec){.type = type, .every_epochs = 1};
    for (size_t i = 0; schedule_hyperparameter(type, i, &parameter); i++) {
        if (!isnan(parameter.default_value)) {
            hyperparameter_store(&parameter, parameter.default_value, schedule);
        }
    }
}

/* x^n by squaring: the C library's pow is not ours. */
static double integer_power(double x, uint64_t n)
{
    double power = 1;

    for (; n > 0; n >>= 1) {
        power = (n & 1) != 0 ? power * x : power;
        x *= x;
    }
    return power;
}

double schedule_learning_rate(const struct schedule_spec *schedule, double base, uint64_t k, uint64_t total_steps,
                              uint64_t steps_per_epoch)
{
    const uint64_t warmup = schedule->warmup_steps;
    const double final = schedule->final_learning_rate;
    double progress = 1, sine, cosine;

    if (k < warmup) {
        return base * ((double)(k + 1) / (double)warmup);
    }
    if (k < total_steps) {
        progress = (double)(k - warmup) / (double)(total_steps - warmup);
    }
    switch (schedule->type) {
    case SCHEDULE_STEP:
        return base * integer_power(schedule->factor, k / steps_per_epoch / schedule->every_epochs);
    case SCHEDULE_LINEAR:
        return base + (final - base) * progress;
    case SCHEDULE_COSINE:
        mathx_sincos_turns_f64(progress / 2, &sine, &cosine);
        return final + 0.5 * (base - final) * (1 + cosine);
    case SCHEDULE_CONSTANT:
    case SCHEDULE_COUNT:
        break;
    }
    return base;
}

int schedule_depends_on_length(enum schedule_type type)
{
    switch (type) {
    case SCHEDULE_CONSTANT:
    case SCHEDULE_STEP:
        return 0;
    case SCHEDULE_LINEAR:
    case SCHEDULE_COSINE:
    case SCHEDULE_COUNT:
        break;
    }
    return 1;
}
