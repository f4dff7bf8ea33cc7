/* Canonical order is that of units; storage is that of tiles: between the two a state is walked through run by run. */
#include "network_state.h"

/* Where the run's first value stands in an array of the state. */
static float *place(const struct network_state *state, uint32_t array, const struct network_run *run)
{
    const struct network_segment *segment = &run->segment;

    if (array == 0) {
        return state->weights + run->at;
    }
    return state->slots + state->slot_count * segment->offset + (array - 1) * segment->count + (run->at - segment->offset);
}

static size_t length(const struct network_run *run, size_t left)
{
    return run->count < left ? run->count : left;
}

void network_state_get(const struct network_state *state, uint32_t array, uint64_t first, size_t count, float *values)
{
    for (size_t done = 0, part; done < count; done += part) {
        struct network_run run = network_plan_run(state->plan, first + done);
        const float *stored = place(state, array, &run);

        part = length(&run, count - done);
        for (size_t i = 0; i < part; i++) {
            values[done + i] = stored[i * run.stride];
        }
    }
}

void network_state_put(const struct network_state *state, uint32_t array, uint64_t first, size_t count, const float *values)
{
    for (size_t done = 0, part; done < count; done += part) {
        struct network_run run = network_plan_run(state->plan, first + done);
        float *stored = place(state, array, &run);

        part = length(&run, count - done);
        for (size_t i = 0; i < part; i++) {
            stored[i * run.stride] = values[done + i];
        }
    }
}
