#include "core/optim/hyperparameter.h"

#include <assert.h>
#include <stdint.h>

int hyperparameter_allows(const struct hyperparameter *parameter, double value)
{
    int above = parameter->minimum_excluded ? value > parameter->minimum : value >= parameter->minimum;
    int below = parameter->maximum_excluded ? value < parameter->maximum : value <= parameter->maximum;

    return above && below;
}

void hyperparameter_store(const struct hyperparameter *parameter, double value, void *spec)
{
    void *member = (unsigned char *)spec + parameter->offset;

    assert(hyperparameter_allows(parameter, value));
    switch (parameter->kind) {
    case HYPER_NUMBER:
        *(double *)member = value;
        break;
    case HYPER_COUNT32:
        *(uint32_t *)member = (uint32_t)value;
        break;
    case HYPER_COUNT64:
        *(uint64_t *)member = (uint64_t)value;
        break;
    case HYPER_FLAG:
        *(int *)member = (int)value;
        break;
    case HYPER_CHOICE:
        *(unsigned *)member = (unsigned)value;
        break;
    }
}

double hyperparameter_load(const struct hyperparameter *parameter, const void *spec)
{
    const void *member = (const unsigned char *)spec + parameter->offset;

    switch (parameter->kind) {
    case HYPER_NUMBER:
        return *(const double *)member;
    case HYPER_COUNT32:
        return *(const uint32_t *)member;
    case HYPER_COUNT64:
        return (double)*(const uint64_t *)member;
    case HYPER_FLAG:
        return *(const int *)member;
    case HYPER_CHOICE:
        return *(const unsigned *)member;
    }
    return 0;
}
