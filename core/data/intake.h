/*
 * The first stage of every parser of files: turns away empty files and those of another format, and after an error does
 * nothing but repeat it.
 */
#ifndef DESCENT_CORE_DATA_INTAKE_H
#define DESCENT_CORE_DATA_INTAKE_H

#include "core/data/sink.h"
#include "core/data/sniff.h"

/* Zero-initialise but for the first three. */
struct intake {
    enum data_format format;
    struct sink next; /* the stage behind; its first piece has at least SNIFF_SIZE bytes, or all there are */
    enum status (*finish)(void *context, struct error *error); /* of the stage behind, with its sink's context */
    unsigned char head[SNIFF_SIZE];                            /* the first bytes, until there are enough */
    size_t head_size;
    int passed;
    struct error failure;
};

/* STATUS_FORMAT_MISMATCH, or what the stage behind returns. */
MUST_CHECK enum status intake_feed(struct intake *intake, const unsigned char *bytes, size_t size, struct error *error);
/* End of input: STATUS_DATASET_EMPTY when there was not one byte. */
MUST_CHECK enum status intake_finish(struct intake *intake, struct error *error);

#endif
