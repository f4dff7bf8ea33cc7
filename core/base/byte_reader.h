/*
 * Reading a block of bytes front to back without ever leaving it. A read past the end gives 0 (or NULL) and marks the
 * reader as failed for good, so that a caller may read several fields and ask once.
 */
#ifndef DESCENT_CORE_BASE_BYTE_READER_H
#define DESCENT_CORE_BASE_BYTE_READER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct byte_reader {
    const unsigned char *bytes;
    size_t size, position;
    int failed;
};

/* The next `size` bytes, borrowed from the block; NULL when there are not that many. */
static inline const unsigned char *byte_reader_take(struct byte_reader *reader, size_t size)
{
    const unsigned char *here = reader->bytes + reader->position;

    if (reader->failed || size > reader->size - reader->position) {
        reader->failed = 1;
        return NULL;
    }
    reader->position += size;
    return here;
}

/* Little-endian numbers. */
static inline uint64_t byte_reader_unsigned(struct byte_reader *reader, size_t size)
{
    const unsigned char *bytes = byte_reader_take(reader, size);
    uint64_t value = 0;

    for (size_t i = 0; bytes != NULL && i < size; i++) {
        value |= (uint64_t)bytes[i] << 8 * i;
    }
    return value;
}

static inline uint32_t byte_reader_u32(struct byte_reader *reader)
{
    return (uint32_t)byte_reader_unsigned(reader, 4);
}

static inline uint64_t byte_reader_u64(struct byte_reader *reader)
{
    return byte_reader_unsigned(reader, 8);
}

static inline double byte_reader_f64(struct byte_reader *reader)
{
    uint64_t bits = byte_reader_u64(reader);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Forward to the next multiple of `alignment`. */
static inline void byte_reader_align(struct byte_reader *reader, size_t alignment)
{
    byte_reader_take(reader, (alignment - reader->position % alignment) % alignment);
}

#endif
