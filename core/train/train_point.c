#include "train_point.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const size_t values[] = {
#define PLACE(NAME, name, place) offsetof(struct train_point, place),
    TRAIN_POINT_VALUES(PLACE)
#undef PLACE
};
#define VALUE_COUNT (sizeof values / sizeof values[0])

static double *value_at(struct train_point *point, size_t i)
{
    return (double *)(void *)((char *)point + values[i]);
}

struct train_point train_point_at(uint64_t step)
{
    struct train_point point = {.step = step, .epoch = (double)NAN};

    for (size_t i = 0; i < VALUE_COUNT; i++) {
        *value_at(&point, i) = (double)NAN;
    }
    return point;
}

static int same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

int train_points_equal(const struct train_point *a, const struct train_point *b)
{
    int equal = a->step == b->step && same(a->epoch, b->epoch);

    for (size_t i = 0; i < VALUE_COUNT; i++) {
        double x, y;

        memcpy(&x, (const char *)a + values[i], sizeof x);
        memcpy(&y, (const char *)b + values[i], sizeof y);
        equal &= same(x, y);
    }
    return equal;
}
