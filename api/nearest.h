/*
 * "Did you mean ...?": the known name that a misspelt one is nearest to.
 *
 *     struct nearest nearest = nearest_to(text, size);
 *     for each known name: nearest_offer(&nearest, name);
 *     if (nearest.name != NULL) ...
 */
#ifndef DESCENT_API_NEAREST_H
#define DESCENT_API_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX_SIZE 64 /* longer texts are like nothing */

struct nearest {
    const char *text; /* borrowed */
    size_t size;
    const char *name;  /* the best so far, as it was offered; NULL: none is near enough */
    unsigned distance; /* its edits: insertions, deletions, changes, swaps of neighbours */
};

struct nearest nearest_to(const char *text, size_t size);
/* Near enough: at most one edit for each three characters, and one at least. The first of equals stays. */
void nearest_offer(struct nearest *nearest, const char *name);

#endif
