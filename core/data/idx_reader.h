/*
 * IDX files (http://yann.lecun.com/exdb/mnist: 0, 0, type, rank, the dimensions as big-endian 32-bit numbers, then the
 * elements, big-endian, row-major), raw or gzip: a push reader that checks sizes and cuts between elements.
 */
#ifndef DESCENT_CORE_DATA_IDX_READER_H
#define DESCENT_CORE_DATA_IDX_READER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum idx_type {
    IDX_U8 = 0x08,
    IDX_I8 = 0x09,
    IDX_I16 = 0x0B,
    IDX_I32 = 0x0C,
    IDX_F32 = 0x0D,
    IDX_F64 = 0x0E,
};

#define IDX_MAX_RANK 4

struct idx_header {
    enum idx_type type;
    uint32_t rank;               /* 1 ... IDX_MAX_RANK */
    uint32_t dims[IDX_MAX_RANK]; /* [rank], each above 0; the product of all, in bytes, fits 64 bits */
    size_t element_size;         /* bytes */
};

/* Who takes what is read. Both may refuse; their error ends the reading. */
struct idx_handler {
    enum status (*header)(void *context, const struct idx_header *header, struct error *error);
    /* count whole elements, big-endian; `first` is the number of the first one, from 0. */
    enum status (*elements)(void *context, const unsigned char *elements, uint64_t first, size_t count, struct error *error);
    void *context;
};

/* The value of one element; exact. */
double idx_element(enum idx_type type, const unsigned char *element);

struct idx_reader;

MUST_CHECK enum status idx_reader_new(struct idx_reader **reader, struct idx_handler handler, struct error *error);
void idx_reader_free(struct idx_reader *reader);
/*
 * The first call must bring at least 2 bytes, or all there are. Errors have the byte's offset (in the inflated data):
 * STATUS_IDX_BAD_MAGIC, STATUS_IDX_BAD_TYPE, STATUS_IDX_BAD_RANK, STATUS_DATASET_EMPTY for a dimension of 0,
 * STATUS_DIMS_OVERFLOW, STATUS_IDX_TRAILING_BYTES; those of gunzip.h; STATUS_FORMAT_MISMATCH for gzip data that are not
 * IDX. No call may follow an error.
 */
MUST_CHECK enum status idx_reader_feed(struct idx_reader *reader, const unsigned char *bytes, size_t size,
                                       struct error *error);
/* End of input: STATUS_IDX_TRUNCATED. */
MUST_CHECK enum status idx_reader_finish(struct idx_reader *reader, struct error *error);

#endif
