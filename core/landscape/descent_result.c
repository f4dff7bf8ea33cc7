#include "core/landscape/descent_result.h"

#include <math.h>
#include <stdlib.h>

uint64_t descent_path_rows(uint64_t taken, uint64_t every)
{
    if (every == 0 || every > taken) {
        every = taken;
    }
    return taken == 0 ? 1 : 1 + (taken + every - 1) / every;
}

uint64_t descent_path_step(uint64_t taken, uint64_t every, uint64_t index)
{
    return index == 0 ? 0 : every == 0 || index * every > taken ? taken : index * every;
}

static enum status keep_path(struct descent_result *result, const struct descent_row *rows, uint64_t every,
                             struct error *error)
{
    result->path_count = descent_path_rows(result->taken, every);
    result->path = malloc(result->path_count * sizeof *result->path);
    if (result->path == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a path of %zu rows", result->path_count);
    }
    for (size_t i = 0; i < result->path_count; i++) {
        result->path[i] = rows[descent_path_step(result->taken, every, i)];
    }
    return STATUS_OK;
}

static void find_nearest(struct descent_result *result, const struct descent_row *end, const struct critical_points *known)
{
    for (size_t i = 0; known != NULL && i < known->count; i++) {
        double distance = vector_length(known->points[i].x - end->x, known->points[i].y - end->y);

        if (!result->has_nearest || distance < result->nearest_distance) {
            result->has_nearest = 1;
            result->nearest = known->points[i];
            result->nearest_distance = distance;
        }
    }
}

enum status descent_result_make(struct descent_result *result, const struct descent_task *task,
                                const struct critical_points *known, uint64_t every, struct descent_row *rows,
                                struct error *error)
{
    struct critical_point limit;

    *result = (struct descent_result){.rate = NAN};
    result->stop = descent_run(task, rows, &result->taken);
    descent_end(task->formula, &rows[result->taken], &result->end);
    find_nearest(result, &rows[result->taken], known);
    if (task->schedule.type == SCHEDULE_CONSTANT && task->schedule.warmup_steps == 0) {
        double rate = rate_measured(task->formula, rows, result->taken, &limit);

        result->rate = task->noise.scale == 0 ? rate : (double)NAN;
        result->has_theory =
            limit.type == CRITICAL_MINIMUM && rate_theory(&task->optimizer, limit.eigenvalues, &result->theory);
    }
    return keep_path(result, rows, every, error);
}

void descent_result_release(struct descent_result *result)
{
    free(result->path);
    result->path = NULL;
}
