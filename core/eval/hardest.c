/* A heap of the rows that are kept, the least hard of them on top: most streams pass by with one comparison a row. */
#include "core/eval/hardest.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum status hardest_init(struct hardest *hardest, uint64_t most, struct error *error)
{
    assert(most >= 1);
    *hardest = (struct hardest){.most = most};
    hardest->rows = calloc(most, sizeof(*hardest->rows));
    return hardest->rows != NULL
               ? STATUS_OK
               : error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %llu rows", (unsigned long long)most);
}

void hardest_release(struct hardest *hardest)
{
    free(hardest->rows);
    *hardest = (struct hardest){0};
}

static int is_harder(const struct hard_row *a, const struct hard_row *b)
{
    return a->loss > b->loss || (a->loss == b->loss && a->place < b->place);
}

static void swap(struct hard_row *a, struct hard_row *b)
{
    struct hard_row row = *a;

    *a = *b;
    *b = row;
}

static void sift_down(struct hard_row *heap, uint64_t count, uint64_t at)
{
    for (uint64_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && is_harder(&heap[child], &heap[child + 1]);
        if (!is_harder(&heap[at], &heap[child])) {
            return;
        }
        swap(&heap[at], &heap[child]);
    }
}

static void make_heap(struct hardest *hardest)
{
    for (uint64_t at = hardest->count / 2; at > 0; at--) {
        sift_down(hardest->rows, hardest->count, at - 1);
    }
}

void hardest_add(struct hardest *hardest, double loss)
{
    struct hard_row row = {.place = hardest->added++, .loss = isnan(loss) ? (double)INFINITY : loss};

    if (hardest->count < hardest->most) {
        hardest->rows[hardest->count++] = row;
        if (hardest->count == hardest->most) {
            make_heap(hardest);
        }
    } else if (is_harder(&row, &hardest->rows[0])) {
        hardest->rows[0] = row;
        sift_down(hardest->rows, hardest->count, 0);
    }
}

void hardest_finish(struct hardest *hardest)
{
    make_heap(hardest);
    for (uint64_t left = hardest->count; left > 1; left--) { /* the least hard of those that are left goes behind them */
        swap(&hardest->rows[0], &hardest->rows[left - 1]);
        sift_down(hardest->rows, left - 1, 0);
    }
}
