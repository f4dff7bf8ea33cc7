/* Decisions that follow from a train_spec and the number of its rows alone; shared by plan and trainer. */
#ifndef DESCENT_CORE_TRAIN_TRAIN_PLAN_H
#define DESCENT_CORE_TRAIN_TRAIN_PLAN_H

#include "core/nn/network.h"
#include "core/train/trainer.h"

/* How stop.gradient_norm is checked: on the step's own gradient, or by a pass over the training rows at the served point. */
enum gradient_check { GRADIENT_CHECK_OFF, GRADIENT_CHECK_STEP, GRADIENT_CHECK_PROBE };

enum gradient_check train_spec_gradient_check(const struct train_spec *spec, uint64_t train_rows);
enum network_use train_spec_network_use(const struct train_spec *spec, uint64_t train_rows);
/* Is there a second network, for gradients beside those of updates? */
int train_spec_has_probe(const struct train_spec *spec, uint64_t train_rows);
/* Rows of the training network's plan. */
uint64_t train_spec_network_rows(const struct train_spec *spec, uint64_t train_rows);
int train_spec_is_full_batch(const struct train_spec *spec, uint64_t train_rows);
/* Whether the curves have a row for the state after `step` updates, its end apart. */
int train_spec_logs(const struct train_spec *spec, uint64_t steps_per_epoch, uint64_t step);

#endif
