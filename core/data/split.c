#include "core/data/split.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/data/shuffle.h"

/* What is known while a split is being made. groups: the classes, or one group of all rows. */
struct plan {
    uint64_t rows, test, validation;
    uint32_t groups;
    uint64_t *size;      /* [groups] rows of each */
    uint64_t *held;      /* [groups] of them, for test and validation */
    uint64_t *tested;    /* [groups] of those, for test */
    uint64_t *remainder; /* [groups] scratch */
    uint32_t *rank;      /* [groups] scratch */
    uint32_t *order;     /* [rows], group after group */
    uint8_t *part;       /* [rows] */
};

static enum status decide_sizes(struct plan *plan, const struct split_spec *spec, struct error *error)
{
    if (!(spec->validation >= 0 && spec->test >= 0 && spec->validation + spec->test < 1))
        return error_set(error, STATUS_OUT_OF_RANGE,
                         "validation is %g and test %g; both must be at least 0, together below 1", spec->validation,
                         spec->test);
    plan->validation = (uint64_t)floor(spec->validation * (double)plan->rows + 0.5);
    plan->test = (uint64_t)floor(spec->test * (double)plan->rows + 0.5);
    if (spec->validation > 0 && plan->validation == 0)
        return error_set(error, STATUS_SPLIT_EMPTY, "%g of %" PRIu64 " rows leaves none for validation", spec->validation,
                         plan->rows);
    if (spec->test > 0 && plan->test == 0)
        return error_set(error, STATUS_SPLIT_EMPTY, "%g of %" PRIu64 " rows leaves none for test", spec->test, plan->rows);
    if (plan->validation + plan->test >= plan->rows)
        return error_set(error, STATUS_SPLIT_EMPTY, "of %" PRIu64 " rows none is left for training", plan->rows);
    return STATUS_OK;
}

static enum status plan_allocate(struct plan *plan, struct error *error)
{
    plan->size = calloc(plan->groups, sizeof *plan->size);
    plan->held = calloc(plan->groups, sizeof *plan->held);
    plan->tested = calloc(plan->groups, sizeof *plan->tested);
    plan->remainder = calloc(plan->groups, sizeof *plan->remainder);
    plan->rank = calloc(plan->groups, sizeof *plan->rank);
    plan->order = calloc(plan->rows, sizeof *plan->order);
    plan->part = calloc(plan->rows, sizeof *plan->part);
    if (!plan->size || !plan->held || !plan->tested || !plan->remainder || !plan->rank || !plan->order || !plan->part)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory to split %" PRIu64 " rows", plan->rows);
    return STATUS_OK;
}

static void plan_release(struct plan *plan)
{
    free(plan->size);
    free(plan->held);
    free(plan->tested);
    free(plan->remainder);
    free(plan->rank);
    free(plan->order);
    free(plan->part);
}

static uint32_t group_of(const struct plan *plan, const struct dataset *dataset, uint64_t row)
{
    return plan->groups == 1 ? 0 : (uint32_t)dataset_label(dataset, row);
}

/* The rows in order of their groups, ascending within each. */
static void sort_rows(struct plan *plan, const struct dataset *dataset)
{
    uint64_t *next = plan->remainder;
    uint64_t first = 0;

    for (uint64_t row = 0; row < plan->rows; row++)
        plan->size[group_of(plan, dataset, row)]++;
    for (uint32_t group = 0; group < plan->groups; group++) {
        next[group] = first;
        first += plan->size[group];
    }
    for (uint64_t row = 0; row < plan->rows; row++)
        plan->order[next[group_of(plan, dataset, row)]++] = (uint32_t)row;
}

static int compare_remainders(const void *a, const void *b, void *context)
{
    const uint64_t *remainder = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (remainder[x] != remainder[y])
        return remainder[x] > remainder[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

/*
 * Shares [groups] of `total` in proportion to sizes [groups], which sum to `sum` >= total: exact in 64 bits, since rows fit
 * 31. No share passes its size.
 */
static void apportion(struct plan *plan, uint64_t total, const uint64_t *sizes, uint64_t sum, uint64_t *shares)
{
    uint64_t left = total;

    for (uint32_t group = 0; group < plan->groups; group++) {
        shares[group] = sum > 0 ? total * sizes[group] / sum : 0;
        plan->remainder[group] = sum > 0 ? total * sizes[group] % sum : 0;
        plan->rank[group] = group;
        left -= shares[group];
    }
    qsort_r(plan->rank, plan->groups, sizeof *plan->rank, compare_remainders, plan->remainder);
    for (uint64_t i = 0; i < left; i++)
        shares[plan->rank[i]]++;
}

static void assign_parts(struct plan *plan, uint64_t seed)
{
    uint32_t *rows = plan->order;

    for (uint32_t group = 0; group < plan->groups; group++) {
        shuffle_items(seed, RNG_SPLIT, group, (uint32_t)plan->size[group], rows);
        for (uint64_t i = 0; i < plan->held[group]; i++)
            plan->part[rows[i]] = i < plan->tested[group] ? PART_TEST : PART_VALIDATION;
        rows += plan->size[group];
    }
}

static uint32_t *collect(const struct plan *plan, enum split_part part, uint64_t count)
{
    uint32_t *rows = calloc(count + 1, sizeof *rows);
    uint64_t used = 0;

    for (uint64_t row = 0; rows && row < plan->rows; row++)
        if (plan->part[row] == part)
            rows[used++] = (uint32_t)row;
    assert(!rows || used == count);
    return rows;
}

enum status split_make(struct split *split, const struct dataset *dataset, const struct split_spec *spec, uint64_t seed,
                       struct error *error)
{
    struct plan plan = {.rows = dataset->rows, .groups = spec->stratified && dataset->classes > 0 ? dataset->classes : 1};
    uint64_t held;
    enum status status;

    *split = (struct split){0};
    if ((status = decide_sizes(&plan, spec, error)) || (status = plan_allocate(&plan, error)))
        goto out;
    held = plan.test + plan.validation;
    sort_rows(&plan, dataset);
    apportion(&plan, held, plan.size, plan.rows, plan.held);
    apportion(&plan, plan.test, plan.held, held, plan.tested);
    assign_parts(&plan, seed);
    *split = (struct split){
        .train = collect(&plan, PART_TRAIN, plan.rows - held),
        .validation = collect(&plan, PART_VALIDATION, plan.validation),
        .test = collect(&plan, PART_TEST, plan.test),
        .train_count = plan.rows - held,
        .validation_count = plan.validation,
        .test_count = plan.test,
    };
    if (!split->train || !split->validation || !split->test) {
        split_release(split);
        status = error_set(error, STATUS_OUT_OF_MEMORY, "no memory to split %" PRIu64 " rows", plan.rows);
    }
out:
    plan_release(&plan);
    return status;
}

void split_release(struct split *split)
{
    free(split->train);
    free(split->validation);
    free(split->test);
    *split = (struct split){0};
}

const char *split_part_name(enum split_part part)
{
    static const char *const names[PART_COUNT] = {"train", "validation", "test"};

    return names[part];
}

struct split_rows split_rows_of(const struct split *split, enum split_part part)
{
    const struct split_rows parts[PART_COUNT] = {
        [PART_TRAIN] = {split->train, split->train_count},
        [PART_VALIDATION] = {split->validation, split->validation_count},
        [PART_TEST] = {split->test, split->test_count},
    };

    return parts[part];
}
