/* What is kept and told of a descent: a thinned-out path, where it ended, and how fast it converged. */
#ifndef DESCENT_CORE_LANDSCAPE_DESCENT_RESULT_H
#define DESCENT_CORE_LANDSCAPE_DESCENT_RESULT_H

#include "core/landscape/descent.h"
#include "core/landscape/rates.h"

struct descent_result {
    struct descent_row *path; /* [path_count], owned: rows 0, every, 2 every ... and the last */
    size_t path_count;
    uint64_t taken; /* updates */
    enum descent_stop stop;
    struct descent_end end;
    int has_nearest;
    struct critical_point nearest; /* of the known ones, to the end */
    double nearest_distance;
    double rate; /* rate_measured; NaN: none, also with noise */
    int has_theory;
    struct rate_theory theory; /* at the minimum that the path belongs to */
};

/*
 * Runs `task`. known: critical points, may be NULL. every: of which rows the path keeps one, at least 1; 0: only the first
 * and the last row. rows [task->steps + 1] is room to work in. STATUS_OUT_OF_MEMORY. Free with descent_result_release.
 */
MUST_CHECK enum status descent_result_make(struct descent_result *result, const struct descent_task *task,
                                           const struct critical_points *known, uint64_t every, struct descent_row *rows,
                                           struct error *error);
void descent_result_release(struct descent_result *result);

/* How many rows a path of `taken` updates keeps. */
uint64_t descent_path_rows(uint64_t taken, uint64_t every);
/* After how many updates row `index` of a path stands. */
uint64_t descent_path_step(uint64_t taken, uint64_t every, uint64_t index);

#endif
