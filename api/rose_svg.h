/* The derivatives in all directions from a point, as a picture: the gradient is the steepest, and its norm the rate. */
#ifndef DESCENT_API_ROSE_SVG_H
#define DESCENT_API_ROSE_SVG_H

#include "core/landscape/formula.h"

struct text;

/*
 * A standalone SVG of 560 x 620: from the point a spoke in each of `directions` directions (at least 1), as long as f rises
 * (orange) or falls (blue) there, within the circle of radius |gradient|; and the gradient as an arrow. title: any UTF-8,
 * escaped here. Where the gradient is 0 or there is none the picture says so.
 */
void rose_svg(const char *title, double x, double y, const struct jet *jet, unsigned directions, struct text *out);

#endif
