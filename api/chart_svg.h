/* Curves as a picture: a standalone SVG, 800 x 440 for up to two panels, without scripts or fonts of others. */
#ifndef DESCENT_API_CHART_SVG_H
#define DESCENT_API_CHART_SVG_H

#include "api/curve.h"

struct text;

/* title: any UTF-8, escaped here. A curve without points gives a picture that says so. */
void chart_svg(const struct curve *curve, const char *title, struct text *out);

#endif
