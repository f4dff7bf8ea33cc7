/*
 * Curves as a picture: a standalone SVG that a report can print, without scripts or fonts of others.
 *
 * Losses in one panel, accuracies in a second one below it with the same x axis, instead of two y axes in one picture
 * that invite comparing what cannot be compared. Other series get a panel each. A panel whose values span more than a
 * factor of 20 is logarithmic.
 */
#ifndef DESCENT_API_CHART_SVG_H
#define DESCENT_API_CHART_SVG_H

#include "api/curve.h"

struct json_writer;

/* title: any UTF-8, escaped here. A curve without points gives a picture that says so. */
void chart_svg(const struct curve *curve, const char *title, struct json_writer *writer);

#endif
