#include "server/store/metric_block.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_OFFSET(NAME, name, place) offsetof(struct train_point, place),
static const size_t values[] = {TRAIN_POINT_VALUES(VALUE_OFFSET)};
#define VALUES     (sizeof(values) / sizeof(values[0]))
#define HEAD_BYTES 32
static const size_t row_bytes = HEAD_BYTES + 8 * VALUES;

_Static_assert(VALUES < 64, "a mask has 64 bits");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blocks are little-endian");

static double value_of(const struct train_point *point, size_t value)
{
    double number;
    memcpy(&number, (const char *)point + values[value], sizeof(number));
    return number;
}

void metric_block_set_value(struct train_point *point, size_t value, double number)
{
    memcpy((char *)point + values[value], &number, sizeof(number));
}

static unsigned char *write_row(const struct metric_row *row, unsigned char *at)
{
    unsigned char *head = at;
    uint64_t mask = 0;
    at += HEAD_BYTES;
    for (size_t k = 0; k < VALUES; k++) {
        double number = value_of(&row->point, k);
        if (!isnan(number)) {
            mask |= UINT64_C(1) << k;
            memcpy(at, &number, 8);
            at += 8;
        }
    }
    memcpy(head, &row->point.step, 8);
    memcpy(head + 8, &row->point.epoch, 8);
    memcpy(head + 16, &row->seconds, 8);
    memcpy(head + 24, &mask, 8);
    return at;
}

enum status metric_block_write(const struct metric_row *rows, size_t count, unsigned char **bytes, size_t *size,
                               struct error *error)
{
    unsigned char *at = malloc(count * row_bytes);
    *bytes = at;
    if (at == NULL) {
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %zu rows of curves", count);
    }
    for (size_t i = 0; i < count; i++) {
        at = write_row(&rows[i], at);
    }
    *size = (size_t)(at - *bytes);
    return STATUS_OK;
}

/* Returns the bytes that the row takes; 0: it is none. */
static size_t read_row(const unsigned char *at, size_t left, struct metric_row *row)
{
    uint64_t step, mask;
    if (left < HEAD_BYTES) {
        return 0;
    }
    memcpy(&step, at, 8);
    memcpy(&mask, at + 24, 8);
    size_t used = HEAD_BYTES + 8 * (size_t)__builtin_popcountll(mask);
    if (used > left || mask >> VALUES != 0 || step > INT64_MAX) {
        return 0;
    }
    row->point = train_point_at(step);
    memcpy(&row->point.epoch, at + 8, 8);
    memcpy(&row->seconds, at + 16, 8);
    at += HEAD_BYTES;
    for (size_t k = 0; k < VALUES; k++) {
        if (mask >> k & 1) {
            double number;
            memcpy(&number, at, 8);
            metric_block_set_value(&row->point, k, number);
            at += 8;
        }
    }
    return used;
}

enum status metric_block_read(const void *bytes, size_t size, struct metric_row *rows, size_t room, size_t *count,
                              struct error *error)
{
    const unsigned char *at = bytes;
    size_t used = 1, left = size;
    *count = 0;
    while (left > 0 && used > 0 && *count < room) {
        struct metric_row *row = &rows[*count];
        used = read_row(at, left, row);
        if (used > 0 && *count > 0 && row->point.step <= rows[*count - 1].point.step) {
            used = 0;
        }
        at += used;
        left -= used;
        *count += used > 0;
    }
    return left == 0 ? STATUS_OK : error_set(error, STATUS_STORAGE_ERROR, "%zu rows of curves cannot be read", room);
}
