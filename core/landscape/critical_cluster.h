/* Boxes that were too small to be cut again and still undecided: which of them are one point, and what that is. */
#ifndef DESCENT_CORE_LANDSCAPE_CRITICAL_CLUSTER_H
#define DESCENT_CORE_LANDSCAPE_CRITICAL_CLUSTER_H

#include <stddef.h>

#include "core/landscape/critical_points.h"
#include "core/landscape/interval.h"

#define CLUSTERED_BOXES 2000 /* more of them are no points, but lines or areas */

enum cluster_verdict {
    CLUSTER_POINT,
    CLUSTER_NOTHING, /* on the edge of the whole box, or a pole, or a kink with a slope on all sides */
    CLUSTER_UNKNOWN, /* larger than a point */
};

/*
 * Puts boxes that touch into one around them; returns how many are left, in front. `smallest`: the size below which boxes
 * were not cut, as a part of the whole box.
 */
size_t cluster_merge(struct box *boxes, size_t count, const struct box *whole, double smallest);

/* rough: the function has no bounded Hessian in the cluster. *point is written for CLUSTER_POINT. */
enum cluster_verdict cluster_point(struct critical_point *point, const struct formula *formula, const struct box *cluster,
                                   const struct box *whole, double smallest, int rough);

#endif
