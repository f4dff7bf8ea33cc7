/* Its state is a part of the trainer's: a sweep that is interrupted goes on to the same numbers. */
#include "range_test.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/base/mathx.h"
#include "core/train/trainer_internal.h"

#define DECAY     0.98
#define TOO_LARGE 4  /* times the least loss */
#define SKIPPED   10 /* a tenth of the steps */

static_assert(sizeof((struct train_state *)0)->range_recent == RANGE_TEST_WINDOW * sizeof(double), "they are the window");

double range_test_rate(const struct range_spec *range, uint64_t step)
{
    double fraction = (double)step / (double)(range->steps - 1);

    if (step == 0 || step + 1 >= range->steps) { /* exactly as they were given */
        return step == 0 ? range->start : range->end;
    }
    return range->start * mathx_exp_f64(fraction * mathx_log_f64(range->end / range->start));
}

/* 1 - DECAY^steps */
static double correction(uint64_t steps)
{
    double power = 1;

    for (uint64_t i = 0; i < steps; i++) {
        power *= DECAY;
    }
    return 1 - power;
}

static void note_fall(const struct range_spec *range, struct train_state *state)
{
    const uint64_t first = range->steps / SKIPPED + RANGE_TEST_WINDOW;
    double *recent = state->range_recent, fall = (recent[0] - state->range_smoothed) / RANGE_TEST_WINDOW;

    /* what falls again after a rise is not the way to the minimum */
    if (state->step > first && fall > 0 && !(fall <= state->range_fall) && !(state->range_smoothed > state->range_least)) {
        state->range_fall = fall;
        state->range_fall_rate = range_test_rate(range, state->step - 1 - RANGE_TEST_WINDOW / 2);
    }
    memmove(recent, recent + 1, (RANGE_TEST_WINDOW - 1) * sizeof *recent);
    recent[RANGE_TEST_WINDOW - 1] = state->range_smoothed;
}

int range_test_note(const struct range_spec *range, struct train_state *state)
{
    state->range_mean = DECAY * state->range_mean + (1 - DECAY) * state->batch_loss;
    state->range_smoothed = state->range_mean / correction(state->step);
    note_fall(range, state);
    if (!(state->range_smoothed >= state->range_least)) {
        state->range_least = state->range_smoothed;
        state->range_least_rate = state->learning_rate;
    }
    return state->range_smoothed > TOO_LARGE * state->range_least;
}

void trainer_range_result(const struct trainer *trainer, struct range_result *result)
{
    const struct train_state *state = &trainer->state;

    *result = (struct range_result){.suggestion = state->range_fall_rate,
                                    .minimum = state->range_least_rate,
                                    .minimum_over_10 = state->range_least_rate / 10,
                                    .loss = state->range_least,
                                    .stopped_at = state->learning_rate,
                                    .steps = state->step,
                                    .diverged = trainer->diverged || state->ended_by == STOP_RANGE_TEST};
}
