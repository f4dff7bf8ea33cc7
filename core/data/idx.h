/*
 * IDX files (the format of MNIST) of rank 2 to 4 as data sets, raw or gzip: [rows][features], [rows][height][width] or
 * [rows][channels][height][width]. Bytes stay bytes; the other types become float32. There are no labels in them: see
 * attach_labels.h.
 */
#ifndef DESCENT_CORE_DATA_IDX_H
#define DESCENT_CORE_DATA_IDX_H

#include "core/data/format.h"

extern const struct format_parser idx_format;

#endif
