/*
 * CSV files as data sets: numbers as features, one column of labels (names, be they numbers or not), or several of
 * class probabilities.
 *
 * The first row is a header if any of its cells, the label's apart, is neither empty nor a number, or if a label column
 * is asked for by a name (anything but digits). Columns are found by the header's names, then by 0-based index. Without
 * header names the features have none, and soft classes are "0", "1", ...
 */
#ifndef DESCENT_CORE_DATA_CSV_H
#define DESCENT_CORE_DATA_CSV_H

#include "core/data/format.h"

/* Errors name line and column (the field's number, from 1). Codes: see csv_reader.h, table_writer.h, csv.c. */
extern const struct format_parser csv_format;

#endif
