/* What interval arithmetic can say about the zeros of a formula's gradient in one box. */
#ifndef DESCENT_CORE_LANDSCAPE_KRAWCZYK_H
#define DESCENT_CORE_LANDSCAPE_KRAWCZYK_H

#include "core/landscape/formula_interval.h"

enum krawczyk_verdict {
    KRAWCZYK_NONE,  /* the gradient is not 0 anywhere in the box */
    KRAWCZYK_ONE,   /* it is at exactly one point of `unique`, which contains all zeros that the box may have */
    KRAWCZYK_SOME,  /* zeros, if any, are in `rest` */
    KRAWCZYK_ROUGH, /* the Hessian is unbounded: nothing is known */
};

struct krawczyk {
    enum krawczyk_verdict verdict;
    struct interval unique[2]; /* KRAWCZYK_ONE; may reach beyond the box */
    struct interval rest[2];   /* KRAWCZYK_SOME, KRAWCZYK_ROUGH: a part of the box, or all of it */
    struct interval hessian[3];
};

/* Looks at a box; up to four evaluations of the formula. */
void krawczyk_test(struct krawczyk *result, const struct formula *formula, const struct interval box[2]);

#endif
