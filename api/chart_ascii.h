/* Curves for a terminal: UTF-8 text, eight braille dots a character, one panel for losses and one for accuracies. */
#ifndef DESCENT_API_CHART_ASCII_H
#define DESCENT_API_CHART_ASCII_H

#include <stdint.h>

#include "api/curve.h"

#define CHART_ASCII_MIN_WIDTH 40
#define CHART_ASCII_MAX_WIDTH 200

struct text;

/* width: columns of the terminal, clamped to the limits above. title: printed as it is but for control characters. */
void chart_ascii(const struct curve *curve, const char *title, uint32_t width, struct text *out);

#endif
