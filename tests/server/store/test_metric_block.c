/* Rows of curves to and from the bytes that the database keeps. */
#include "server/store/metric_block.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 40

static void fill(struct metric_row rows[ROWS])
{
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = (struct metric_row){.point = train_point_at(3 * i + 1), .seconds = 0.25 * (double)i};
        rows[i].point.epoch = (double)i / 7;
        rows[i].point.batch_loss = 1 / (double)(i + 1);
        if (i % 4 == 0) {
            rows[i].point.validation_loss = -0.0;
            rows[i].point.gradient_norm = (double)INFINITY;
            rows[i].point.update_ratio[TRAIN_POINT_LAYERS - 1] = 1e-300;
        }
    }
}

static void rows_come_back_bit_by_bit(void **state)
{
    struct metric_row rows[ROWS], back[ROWS];
    struct error error;
    unsigned char *bytes;
    size_t size, count;
    (void)state;
    fill(rows);
    assert_int_equal(metric_block_write(rows, ROWS, &bytes, &size, &error), STATUS_OK);
    assert_int_equal(size, ROWS * 40 + ROWS / 4 * 24); /* only what was measured */
    assert_int_equal(metric_block_read(bytes, size, back, ROWS, &count, &error), STATUS_OK);
    assert_int_equal(count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(train_points_equal(&rows[i].point, &back[i].point));
        assert_true(rows[i].seconds == back[i].seconds);
    }
    free(bytes);
}

static void what_was_not_written_here_is_refused(void **state)
{
    struct metric_row rows[ROWS], back[ROWS];
    struct error error;
    unsigned char *bytes;
    size_t size, count;
    (void)state;
    fill(rows);
    assert_int_equal(metric_block_write(rows, 2, &bytes, &size, &error), STATUS_OK);
    assert_int_equal(size, 64 + 40);
    for (size_t cut = 1; cut < size; cut++) { /* but between two rows */
        assert_int_equal(metric_block_read(bytes, cut, back, ROWS, &count, &error),
                         cut == 64 ? STATUS_OK : STATUS_STORAGE_ERROR);
    }
    assert_int_equal(metric_block_read(bytes, size, back, 1, &count, &error), STATUS_STORAGE_ERROR); /* more than expected */
    bytes[24 + 7] ^= 0x80; /* a value that there is not */
    assert_int_equal(metric_block_read(bytes, size, back, ROWS, &count, &error), STATUS_STORAGE_ERROR);
    bytes[24 + 7] ^= 0x80;
    bytes[64] = 1; /* the first one's step again */
    assert_int_equal(metric_block_read(bytes, size, back, ROWS, &count, &error), STATUS_STORAGE_ERROR);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_bit_by_bit),
        cmocka_unit_test(what_was_not_written_here_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
