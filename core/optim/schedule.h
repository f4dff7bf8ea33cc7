/* Learning-rate schedules: alpha as a function of the update's index and the planned length, nothing else. */
#ifndef DESCENT_CORE_OPTIM_SCHEDULE_H
#define DESCENT_CORE_OPTIM_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "core/optim/hyperparameter.h"

enum schedule_type {
#define SCHEDULE(NAME, name, formula) SCHEDULE_##NAME,
#define HYPER(NAME, field, value)
#define HYPERPARAMETER(field, kind, minimum, above, maximum, below, help)
#include "core/optim/schedules.def"
#undef SCHEDULE
#undef HYPER
#undef HYPERPARAMETER
    SCHEDULE_COUNT
};

struct schedule_spec {
    enum schedule_type type;
    uint32_t every_epochs;      /* step */
    double factor;              /* step */
    double final_learning_rate; /* linear, cosine */
    uint64_t warmup_steps;      /* any: alpha * (k + 1) / warmup_steps for k < warmup_steps */
};

const char *schedule_name(enum schedule_type type);
const char *schedule_formula(enum schedule_type type);

/* Hyper-parameter `index` (0, 1, 2 ...) of a schedule into *parameter; 0 past the last one. Offsets: struct schedule_spec.
 */
int schedule_hyperparameter(enum schedule_type type, size_t index, struct hyperparameter *parameter);
/* Fills in `type`'s defaults and 0 for what it does not have (every_epochs has no default: 1). */
void schedule_defaults(struct schedule_spec *schedule, enum schedule_type type);

/*
 * The learning rate of update k (0-based) of total_steps, with steps_per_epoch updates an epoch.
 * linear and cosine run over the steps after the warm-up; update k uses alpha_k.
 */
double schedule_learning_rate(const struct schedule_spec *schedule, double base, uint64_t k, uint64_t total_steps,
                              uint64_t steps_per_epoch);
/* Does the rate of an update depend on how many there will be? Then a training that is made longer is another one. */
int schedule_depends_on_length(enum schedule_type type);

#endif
