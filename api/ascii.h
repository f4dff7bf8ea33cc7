/* What all pictures for a terminal share: UTF-8 text, a plot of `columns` characters behind a margin with the labels of y.
 */
#ifndef DESCENT_API_ASCII_H
#define DESCENT_API_ASCII_H

#include <stddef.h>
#include <stdint.h>

#define ASCII_MARGIN 10 /* columns left of the plot: label, space, axis */

struct text;

void ascii_spaces(struct text *out, size_t count);
/* At most `width` characters of UTF-8, without control characters. */
void ascii_cut(struct text *out, const char *string, size_t width);

/* What stands left of a row of the plot: the label of the tick that lies in it, "" for none, and the axis. */
void ascii_row_begin(struct text *out, const char *label);

/* The line below the plot; is_tick[columns]. */
void ascii_x_axis(struct text *out, const char *is_tick, uint32_t columns);
/*
 * A label in the line below that, under its column: moved left where it would go beyond the plot, left out where it would
 * touch the one before it. *used: columns of the line so far; begin with 0.
 */
void ascii_x_label(struct text *out, size_t *used, const char *label, uint32_t column, uint32_t columns);
/* Ends that line and writes the axis' name under its middle. */
void ascii_x_name(struct text *out, const char *name, uint32_t columns);

#endif
