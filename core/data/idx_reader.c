#include "core/data/idx_reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/gunzip.h"

#define MAGIC_SIZE  4
#define HEADER_SIZE (MAGIC_SIZE + 4 * IDX_MAX_RANK)
#define MAX_ELEMENT 8

struct idx_reader {
    struct idx_handler handler;
    struct gunzip *gunzip;
    uint64_t offset; /* bytes read, inflated */
    unsigned char head[HEADER_SIZE];
    size_t head_size, head_wanted;
    int header_done;
    struct idx_header header;
    uint64_t elements, element;      /* how many there are; how many were handed on */
    unsigned char part[MAX_ELEMENT]; /* an element cut between two pieces */
    size_t part_size;
};

static uint32_t big_endian_32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static size_t element_size(unsigned type)
{
    static const unsigned char SIZES[] = {
        [IDX_U8] = 1, [IDX_I8] = 1, [IDX_I16] = 2, [IDX_I32] = 4, [IDX_F32] = 4, [IDX_F64] = 8};

    return type < sizeof SIZES ? SIZES[type] : 0;
}

double idx_element(enum idx_type type, const unsigned char *element)
{
    uint64_t bits64;
    uint32_t bits32;
    double wide;
    float narrow;

    switch (type) {
    case IDX_U8:
        return *element;
    case IDX_I8:
        return (int8_t)*element;
    case IDX_I16:
        return (int16_t)(element[0] << 8 | element[1]);
    case IDX_I32:
        return (int32_t)big_endian_32(element);
    case IDX_F32:
        bits32 = big_endian_32(element);
        memcpy(&narrow, &bits32, sizeof narrow);
        return (double)narrow;
    case IDX_F64:
        break;
    }
    bits64 = (uint64_t)big_endian_32(element) << 32 | big_endian_32(element + 4);
    memcpy(&wide, &bits64, sizeof wide);
    return wide;
}

static enum status check_magic(struct idx_reader *reader, struct error *error)
{
    const unsigned char *magic = reader->head;

    if (magic[0] != 0 || magic[1] != 0)
        return gunzip_is_compressed(reader->gunzip)
                   ? error_set_offset(error, STATUS_FORMAT_MISMATCH, 0, "the gzip data do not hold an IDX file")
                   : error_set_offset(error, STATUS_IDX_BAD_MAGIC, 0,
                                      "the file begins with %02x %02x %02x %02x, an IDX file with two zero bytes", magic[0],
                                      magic[1], magic[2], magic[3]);
    if (element_size(magic[2]) == 0)
        return error_set_offset(error, STATUS_IDX_BAD_TYPE, 2, "element type 0x%02x; 0x08, 0x09 and 0x0b to 0x0e are known",
                                magic[2]);
    if (magic[3] < 1 || magic[3] > IDX_MAX_RANK)
        return error_set_offset(error, STATUS_IDX_BAD_RANK, 3, "%d dimensions, 1 to %d are allowed", magic[3], IDX_MAX_RANK);
    reader->header.type = (enum idx_type)magic[2];
    reader->header.rank = magic[3];
    reader->header.element_size = element_size(magic[2]);
    reader->head_wanted = MAGIC_SIZE + 4 * (size_t)magic[3];
    return STATUS_OK;
}

static enum status check_dims(struct idx_reader *reader, struct error *error)
{
    struct idx_header *header = &reader->header;
    uint64_t bytes = header->element_size;
    int overflow = 0;

    for (uint32_t i = 0; i < header->rank; i++) {
        header->dims[i] = big_endian_32(reader->head + MAGIC_SIZE + 4 * i);
        if (header->dims[i] == 0)
            return error_set_offset(error, STATUS_DATASET_EMPTY, MAGIC_SIZE + 4 * (int64_t)i, "dimension %" PRIu32 " is 0",
                                    i + 1);
        overflow |= __builtin_mul_overflow(bytes, header->dims[i], &bytes);
    }
    if (overflow)
        return error_set_offset(error, STATUS_DIMS_OVERFLOW, MAGIC_SIZE, "the dimensions' product passes 2^64 bytes");
    reader->elements = bytes / header->element_size;
    reader->header_done = 1;
    return reader->handler.header(reader->handler.context, header, error);
}

/* Takes bytes for the header; returns how many through *taken. */
static enum status take_header(struct idx_reader *reader, const unsigned char *bytes, size_t size, size_t *taken,
                               struct error *error)
{
    size_t missing = reader->head_wanted - reader->head_size;

    *taken = missing < size ? missing : size;
    memcpy(reader->head + reader->head_size, bytes, *taken);
    reader->head_size += *taken;
    reader->offset += *taken;
    if (reader->head_size < reader->head_wanted)
        return STATUS_OK;
    return reader->head_wanted > MAGIC_SIZE ? check_dims(reader, error) : check_magic(reader, error);
}

static enum status hand_on(struct idx_reader *reader, const unsigned char *elements, size_t count, struct error *error)
{
    uint64_t first = reader->element;

    reader->element += count;
    return reader->handler.elements(reader->handler.context, elements, first, count, error);
}

static enum status take_elements(struct idx_reader *reader, const unsigned char *bytes, size_t size, struct error *error)
{
    size_t element = reader->header.element_size;
    uint64_t missing = (reader->elements - reader->element) * element - reader->part_size;
    size_t usable = size < missing ? size : (size_t)missing;
    int trailing = size > missing;
    enum status status;

    assert(element > 0 && element <= MAX_ELEMENT);
    reader->offset += usable;
    if (reader->part_size > 0) {
        size_t taken = element - reader->part_size < usable ? element - reader->part_size : usable;

        memcpy(reader->part + reader->part_size, bytes, taken);
        reader->part_size += taken;
        bytes += taken;
        usable -= taken;
        if (reader->part_size == element) {
            reader->part_size = 0;
            if ((status = hand_on(reader, reader->part, 1, error)))
                return status;
        }
    }
    if (usable >= element && (status = hand_on(reader, bytes, usable / element, error)))
        return status;
    if (usable % element > 0) {
        memcpy(reader->part, bytes + usable / element * element, usable % element);
        reader->part_size = usable % element;
    }
    if (trailing)
        return error_set_offset(error, STATUS_IDX_TRAILING_BYTES, (int64_t)reader->offset,
                                "bytes follow the %" PRIu64 " elements that the header declares", reader->elements);
    return STATUS_OK;
}

/* The gzip stage's sink. */
static enum status take(void *context, const void *bytes, size_t size, struct error *error)
{
    struct idx_reader *reader = context;
    const unsigned char *at = bytes;
    enum status status;

    while (!reader->header_done && size > 0) {
        size_t taken;

        if ((status = take_header(reader, at, size, &taken, error)))
            return status;
        at += taken;
        size -= taken;
    }
    return size > 0 ? take_elements(reader, at, size, error) : STATUS_OK;
}

enum status idx_reader_new(struct idx_reader **reader, struct idx_handler handler, struct error *error)
{
    enum status status;

    *reader = calloc(1, sizeof **reader);
    if (!*reader)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an IDX reader");
    (*reader)->handler = handler;
    (*reader)->head_wanted = MAGIC_SIZE;
    status = gunzip_new(&(*reader)->gunzip, (struct sink){.write = take, .context = *reader}, error);
    if (status) {
        idx_reader_free(*reader);
        *reader = NULL;
    }
    return status;
}

void idx_reader_free(struct idx_reader *reader)
{
    if (!reader)
        return;
    gunzip_free(reader->gunzip);
    free(reader);
}

enum status idx_reader_feed(struct idx_reader *reader, const unsigned char *bytes, size_t size, struct error *error)
{
    return gunzip_feed(reader->gunzip, bytes, size, error);
}

enum status idx_reader_finish(struct idx_reader *reader, struct error *error)
{
    enum status status = gunzip_finish(reader->gunzip, error);

    if (status)
        return status;
    if (reader->offset == 0)
        return error_set(error, STATUS_DATASET_EMPTY, "the file has no bytes");
    if (!reader->header_done)
        return error_set_offset(error, STATUS_IDX_TRUNCATED, (int64_t)reader->offset, "the file ends within its header");
    if (reader->element < reader->elements)
        return error_set_offset(error, STATUS_IDX_TRUNCATED, (int64_t)reader->offset,
                                "the file ends after %" PRIu64 " of %" PRIu64 " elements", reader->element,
                                reader->elements);
    return STATUS_OK;
}
