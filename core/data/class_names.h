/*
 * The names of a data set's classes while its rows are being read: name to number, in order of first appearance, and
 * at the end the natural order.
 *
 * A sorted index searched by halves: no hash function, so no choice of names makes it slow.
 */
#ifndef DESCENT_CORE_DATA_CLASS_NAMES_H
#define DESCENT_CORE_DATA_CLASS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

struct class_names {
    char **names;     /* [count], by number, owned */
    int32_t *by_name; /* [count], numbers in the order of their names' bytes */
    uint32_t count, capacity;
    int32_t last; /* what was asked last: rows often come in runs */
};

/* Zero-initialise; release frees. */
void class_names_release(struct class_names *classes);

/*
 * The number of a name (text [size]), a new one if it is new. STATUS_LABEL_INVALID unless it is 1 to
 * DATASET_CLASS_NAME_MAX bytes of UTF-8 without NUL; STATUS_TOO_MANY_CLASSES.
 */
MUST_CHECK enum status class_names_number(struct class_names *classes, const char *text, size_t size, int32_t *number,
                                          struct error *error);

/*
 * Puts the names into natural order (ascending by value if all are decimal numbers, equal values and all others by
 * their bytes) and writes to renumbered [count] what each former number is now. Nothing can be looked up after it.
 */
MUST_CHECK enum status class_names_sort(struct class_names *classes, int32_t *renumbered, struct error *error);

#endif
