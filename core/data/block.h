/*
 * The canonical block of a data set: its bytes, and the one writer of them.
 *
 *     features   rows * features values of feature_type, row-major, from offset 0
 *     labels     int32 [rows], or float32 [rows][classes]; nothing where there are none
 *     names      the classes', then the features' (if they have names), each ended by a NUL
 *     trailer    struct block_trailer, the last 128 bytes
 *
 * Each part begins at a multiple of 64; the gaps are zero; numbers are little-endian. Features stand first and the
 * trailer last so that a parser can write the block in one pass without knowing how many rows will come. Equal data
 * give equal bytes: their SHA-256 is the data set's identity.
 */
#ifndef DESCENT_CORE_DATA_BLOCK_H
#define DESCENT_CORE_DATA_BLOCK_H

#include "core/data/dataset.h"
#include "core/data/sink.h"

#define BLOCK_ALIGNMENT 64
#define BLOCK_MAGIC     "DSCDATA1"
#define BLOCK_VERSION   1

struct block_trailer {
    char magic[8];
    uint32_t version;
    uint32_t feature_type, label_type;
    uint32_t is_image;
    uint64_t rows;
    uint32_t features, channels, height, width;
    uint32_t classes;
    uint32_t has_feature_names;
    uint64_t labels_offset, names_offset, names_size, trailer_offset;
    unsigned char zero[40];
};
_Static_assert(sizeof(struct block_trailer) == 128, "the trailer has no padding");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blocks are mapped as they are");

/* Where the parts stand. Nothing overflows for counts within the limits of dataset.h and names_size <= 2^48. */
struct block_layout {
    uint64_t features_size;
    uint64_t labels_offset, labels_size;
    uint64_t names_offset;
    uint64_t trailer_offset;
};
struct block_layout block_layout(const struct dataset *shape, uint64_t names_size);

/* Writes a block front to back through a buffer. Zero-initialise; block_writer_release frees. */
struct block_writer {
    struct sink sink;
    uint64_t written; /* bytes so far, those in the buffer included */
    unsigned char *buffer;
    size_t used;
};
MUST_CHECK enum status block_writer_init(struct block_writer *writer, struct sink sink, struct error *error);
void block_writer_release(struct block_writer *writer);
MUST_CHECK enum status block_writer_put(struct block_writer *writer, const void *bytes, size_t size, struct error *error);
/* After all features: the rest of the block, as `dataset` describes it (its x is not looked at). */
MUST_CHECK enum status block_writer_finish(struct block_writer *writer, const struct dataset *dataset, struct error *error);

#endif
