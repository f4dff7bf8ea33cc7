/*
 * What is worked out about the named landscapes when it is first asked for, once in a process, and kept: compiled formulas
 * and critical points. Any thread; who comes while it is being worked out waits.
 */
#ifndef DESCENT_CORE_LANDSCAPE_LANDSCAPE_FACTS_H
#define DESCENT_CORE_LANDSCAPE_LANDSCAPE_FACTS_H

#include "core/landscape/critical_points.h"
#include "core/landscape/landscape.h"

/* Both lend for as long as the process lives; landscape is one of the table's. STATUS_OUT_OF_MEMORY may pass. */
MUST_CHECK enum status landscape_formula(const struct landscape *landscape, const struct formula **formula,
                                         struct error *error);
MUST_CHECK enum status landscape_critical_points(const struct landscape *landscape, const struct critical_points **points,
                                                 struct error *error);

#endif
