/* What a gradient check found, as JSON. */
#ifndef DESCENT_API_ENCODE_GRADIENT_CHECK_H
#define DESCENT_API_ENCODE_GRADIENT_CHECK_H

#include "core/nn/gradient_check.h"

struct json_writer;

/* Everything is borrowed. */
struct gradient_check_view {
    const char *model;   /* id */
    const char *dataset; /* id; NULL: a generator, or rows that came along */
    uint32_t rows;
    double h, seconds;
    const struct gradient_check_report *report;
};
/* It passes if something was checked and no relative error is larger than GRADIENT_CHECK_TOLERANCE. */
void encode_gradient_check(const struct gradient_check_view *view, struct json_writer *writer);

#endif
