/*
 * A reliability diagram as a standalone SVG, without scripts or fonts of others: accuracy over confidence by bin, against
 * the diagonal of a calibrated model, and below it which share of the rows the bins have; beside it, where there is a
 * temperature, the same at that.
 */
#ifndef DESCENT_API_RELIABILITY_SVG_H
#define DESCENT_API_RELIABILITY_SVG_H

#include "api/reliability.h"

struct text;

/* title: any UTF-8, escaped here. */
void reliability_svg(const struct reliability *reliability, const char *title, struct text *out);

#endif
