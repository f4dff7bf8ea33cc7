/* The named landscapes: functions of two variables to descend on, each one line of landscapes.def. */
#ifndef DESCENT_CORE_LANDSCAPE_LANDSCAPE_H
#define DESCENT_CORE_LANDSCAPE_LANDSCAPE_H

#include <stddef.h>

struct landscape {
    const char *name, *title;
    const char *formula; /* in the language of formula.h */
    const char *note;    /* what there is to see */
    double box[2][2];    /* x from box[0][0] to box[0][1], y from box[1][0] to box[1][1] */
    int convex;
    double start[2]; /* a good start for descents */
};

size_t landscape_count(void);
const struct landscape *landscape_at(size_t i);
/* NULL: there is none of this name. */
const struct landscape *landscape_find(const char *name, size_t length);

#endif
