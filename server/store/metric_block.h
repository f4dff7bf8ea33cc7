/*
 * Rows of a job's curves as one value of the database: rows come many at a time, and as rows of a table each would cost more
 * than the step that it tells of.
 *
 *     a row   step u64, epoch f64, seconds f64, mask u64, then as f64 the values that were measured: bit k of the mask is
 *             set for the k-th of TRAIN_POINT_VALUES, whose order never changes
 *     a block rows, one after the other, steps ascending; little-endian
 *
 * Private to server/store/.
 */
#ifndef DESCENT_SERVER_STORE_METRIC_BLOCK_H
#define DESCENT_SERVER_STORE_METRIC_BLOCK_H

#include "api/views.h"

#define METRIC_BLOCK_ROWS 1024 /* at most */

/* Takes [count] rows. STATUS_OUT_OF_MEMORY. Free *bytes. */
MUST_CHECK enum status metric_block_write(const struct metric_row *rows, size_t count, unsigned char **bytes, size_t *size,
                                          struct error *error);
/* Gives at most `room` rows. STATUS_STORAGE_ERROR: more, or nothing that was written here. */
MUST_CHECK enum status metric_block_read(const void *bytes, size_t size, struct metric_row *rows, size_t room, size_t *count,
                                         struct error *error);

/* Sets the value that stands at this place in TRAIN_POINT_VALUES. */
void metric_block_set_value(struct train_point *point, size_t value, double number);

#endif
