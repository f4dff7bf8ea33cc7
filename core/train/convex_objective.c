#include "core/train/convex_objective.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/matrix_reference.h"
#include "core/base/vector_clones.h"

#define MOST_PIECES  64
#define PIECE_ROWS   128                 /* of a piece, at least: less is not worth a task */
#define PIECE_VALUES ((uint64_t)1 << 23) /* of the sums of all pieces, at most, but for the one that there must be */
#define BLOCK_ROWS   32                  /* gathered at a time, at most */
#define BLOCK_VALUES ((uint64_t)1 << 16) /* of gathered features, at most, but for one row */

/* Sizes that follow from the numbers of rows, features and classes. */
struct shape {
    size_t columns, width; /* features and the ones, classes; both rounded up to tiles */
    size_t block_rows;     /* a multiple of 4 (tiles), or fewer */
    uint64_t piece_rows;   /* of every piece but a shorter last one */
    uint32_t pieces;
};

/* A thread's scratch: a block of rows at work. */
struct block {
    double *x;    /* [block_rows][columns] */
    double *z;    /* [block_rows][width]: logits, then what goes back */
    double *soft; /* [block_rows][classes] */
    double loss[BLOCK_ROWS], plain[BLOCK_ROWS];
    int32_t labels[BLOCK_ROWS], predicted[BLOCK_ROWS];
};

/* What a piece has summed up. */
struct piece {
    double loss, plain;
    uint64_t correct;
};

struct convex_objective {
    struct convex_setup setup;
    struct shape shape; /* of the rows to learn from */
    double *weights;    /* [columns][width]: W and b, or V, laid out for products */
    double *sums;       /* [pieces][width][columns] */
    struct piece pieces[MOST_PIECES];
    double *probabilities; /* [count][classes], of theta: second order */
    double *mass;          /* [count]: τ_i / N */
    struct block *blocks;  /* [threads] */
    double *memory;        /* what all of these point into */

    const struct convex_rows *rows; /* of the pass at hand, as are the following */
    struct shape pass;
    double *gradient;
    double l2;
    const double *theta;
};

static size_t round_up(size_t n)
{
    return (n + MATRIX_REFERENCE_COLUMNS_F64 - 1) / MATRIX_REFERENCE_COLUMNS_F64 * MATRIX_REFERENCE_COLUMNS_F64;
}

static struct shape shape_of(const struct convex_setup *setup, uint64_t count)
{
    struct shape shape = {.columns = round_up((size_t)setup->features + 1), .width = round_up(setup->loss.classes)};
    uint64_t most = PIECE_VALUES / (shape.columns * shape.width), fit = BLOCK_VALUES / shape.columns;
    uint64_t pieces = (count + PIECE_ROWS - 1) / PIECE_ROWS;

    shape.block_rows = fit >= BLOCK_ROWS ? BLOCK_ROWS : fit >= 4 ? fit / 4 * 4 : 1;
    pieces = pieces < most ? pieces : most;
    pieces = pieces < 1 ? 1 : pieces < MOST_PIECES ? pieces : MOST_PIECES;
    shape.piece_rows = (count + pieces - 1) / pieces;
    shape.pieces = (uint32_t)((count + shape.piece_rows - 1) / shape.piece_rows);
    return shape;
}

/* ---- memory ---- */

/* Doubles of each part; the sum, or 0 where it overflows. */
struct parts {
    uint64_t weights, sums, probabilities, mass, block;
};

static uint64_t count_parts(const struct convex_setup *setup, const struct shape *shape, struct parts *parts)
{
    uint64_t count = setup->second_order ? setup->rows.count : 0, total = 0, blocks;

    *parts = (struct parts){.weights = shape->columns * shape->width, .mass = count};
    parts->sums = parts->weights * shape->pieces; /* sizes so far pass no 2^40 */
    parts->block = shape->block_rows * (shape->columns + shape->width + setup->loss.classes);
    if (__builtin_mul_overflow(count, (uint64_t)setup->loss.classes, &parts->probabilities) ||
        __builtin_mul_overflow(parts->block, (uint64_t)setup->threads, &blocks) ||
        __builtin_add_overflow(parts->weights + parts->sums + parts->mass, parts->probabilities, &total) ||
        __builtin_add_overflow(total, blocks, &total) || total > UINT64_MAX / 16) {
        return 0;
    }
    return total;
}

uint64_t convex_objective_bytes(const struct convex_setup *setup)
{
    struct shape shape = shape_of(setup, setup->rows.count);
    struct parts parts;
    uint64_t values = count_parts(setup, &shape, &parts);

    return values == 0 ? 0
                       : values * sizeof(double) + setup->threads * sizeof(struct block) + sizeof(struct convex_objective);
}

enum status convex_objective_new(struct convex_objective **out, const struct convex_setup *setup, struct error *error)
{
    struct convex_objective *objective = calloc(1, sizeof *objective);
    struct parts parts = {0};
    uint64_t values = 0;
    double *at;

    *out = NULL;
    if (objective != NULL) {
        objective->setup = *setup;
        objective->shape = shape_of(setup, setup->rows.count);
        values = count_parts(setup, &objective->shape, &parts);
        objective->blocks = calloc(setup->threads, sizeof *objective->blocks);
        objective->memory = values > 0 ? aligned_alloc(64, (values * sizeof(double) + 63) / 64 * 64) : NULL;
    }
    if (objective == NULL || objective->blocks == NULL || objective->memory == NULL) {
        convex_objective_free(objective);
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an objective of %u features and %u classes",
                         setup->features, setup->loss.classes);
    }
    memset(objective->memory, 0, values * sizeof(double));
    at = objective->memory;
    objective->weights = at;
    objective->sums = at += parts.weights;
    objective->probabilities = at += parts.sums;
    objective->mass = at += parts.probabilities;
    at += parts.mass;
    for (uint32_t t = 0; t < setup->threads; t++, at += parts.block) {
        struct block *block = &objective->blocks[t];

        block->x = at;
        block->z = block->x + objective->shape.block_rows * objective->shape.columns;
        block->soft = block->z + objective->shape.block_rows * objective->shape.width;
    }
    *out = objective;
    return STATUS_OK;
}

void convex_objective_free(struct convex_objective *objective)
{
    if (objective != NULL) {
        free(objective->memory);
        free(objective->blocks);
        free(objective);
    }
}

/* ---- a block of rows ---- */

VECTOR_CLONES static void scale_bytes(const uint8_t *restrict x, size_t n, const double *restrict shift,
                                      const double *restrict factor, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = ((double)x[i] - shift[i]) * factor[i];
    }
}

VECTOR_CLONES static void scale_floats(const float *restrict x, size_t n, const double *restrict shift,
                                       const double *restrict factor, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = ((double)x[i] - shift[i]) * factor[i];
    }
}

/* The row of the data set that is the i-th of the pass. */
static uint64_t row_at(const struct convex_objective *objective, uint64_t i)
{
    return objective->rows->rows != NULL ? objective->rows->rows[i] : i;
}

/* Features of `count` rows from the i-th on; behind them a one, and the zeros that were there from the start. */
static void gather(const struct convex_objective *objective, uint64_t i, size_t count, double *x)
{
    const struct convex_setup *setup = &objective->setup;
    const struct dataset *dataset = objective->rows->dataset;
    const size_t n = setup->features;

    for (size_t r = 0; r < count; r++) {
        uint64_t row = row_at(objective, i + r);
        double *out = x + r * objective->pass.columns;

        if (dataset->feature_type == FEATURE_U8) {
            scale_bytes((const uint8_t *)dataset->x + row * n, n, setup->shift, setup->factor, out);
        } else {
            scale_floats((const float *)dataset->x + row * n, n, setup->shift, setup->factor, out);
        }
        out[n] = 1;
    }
}

static int is_soft(const struct convex_rows *rows)
{
    return rows->labels == NULL && rows->dataset->label_type == LABEL_SOFT;
}

static const float *soft_row(const struct convex_objective *objective, uint64_t row)
{
    return objective->rows->dataset->soft_labels + row * objective->setup.loss.classes;
}

/* The class that a prediction is right with: of soft labels the most probable one. */
static int32_t class_of(const struct convex_objective *objective, uint64_t row)
{
    const struct convex_rows *rows = objective->rows;

    return rows->labels != NULL ? rows->labels[row] : dataset_label(rows->dataset, row);
}

static void gather_targets(const struct convex_objective *objective, uint64_t i, size_t count, struct block *block)
{
    const uint32_t classes = objective->setup.loss.classes;
    int soft = is_soft(objective->rows);

    for (size_t r = 0; r < count; r++) {
        uint64_t row = row_at(objective, i + r);

        block->labels[r] = class_of(objective, row);
        for (uint32_t c = 0; soft && c < classes; c++) {
            block->soft[r * classes + c] = (double)soft_row(objective, row)[c];
        }
    }
}

/* z = X̃ times what `weights` holds, of the rows in the block. */
static void forward(const struct convex_objective *objective, size_t count, struct block *block)
{
    const struct shape *shape = &objective->pass;

    matrix_reference_dgemm(0, 0, (int64_t)count, (int64_t)shape->width, (int64_t)objective->setup.features + 1, block->x,
                           (int64_t)shape->columns, objective->weights, (int64_t)shape->width, 0, block->z,
                           (int64_t)shape->width);
}

/* Adds zᵀ X̃ to the piece's sums; the first block of a piece sets them. */
static void backward(const struct convex_objective *objective, uint32_t piece, int first, size_t count, struct block *block)
{
    const struct shape *shape = &objective->pass;

    matrix_reference_dgemm(1, 0, (int64_t)shape->width, (int64_t)shape->columns, (int64_t)count, block->z,
                           (int64_t)shape->width, block->x, (int64_t)shape->columns, first ? 0 : 1,
                           objective->sums + piece * shape->width * shape->columns, (int64_t)shape->columns);
}

/* ---- a pass over all rows ---- */

/* What is done with a block whose features and logits are there: rows i ... i + count of the pass. */
typedef void (*block_work)(struct convex_objective *objective, struct piece *piece, uint64_t i, size_t count,
                           struct block *block);

static void run_piece(struct convex_objective *objective, uint32_t index, uint32_t worker, int sums, block_work work)
{
    const struct shape *shape = &objective->pass;
    uint64_t begin = index * shape->piece_rows, end = begin + shape->piece_rows;
    struct block *block = &objective->blocks[worker];
    struct piece *piece = &objective->pieces[index];

    *piece = (struct piece){0};
    end = end < objective->rows->count ? end : objective->rows->count;
    for (uint64_t i = begin; i < end; i += shape->block_rows) {
        size_t count = end - i < shape->block_rows ? (size_t)(end - i) : shape->block_rows;

        gather(objective, i, count, block->x);
        forward(objective, count, block);
        work(objective, piece, i, count, block);
        if (sums) {
            backward(objective, index, i == begin, count, block);
        }
    }
}

/* Lays W [classes][features] and b, or a direction of that form, out as `weights`. */
static void lay_out(struct convex_objective *objective, const double *theta)
{
    const size_t features = objective->setup.features, classes = objective->setup.loss.classes;
    const size_t width = objective->shape.width;

    for (size_t c = 0; c < classes; c++) {
        for (size_t j = 0; j < features; j++) {
            objective->weights[j * width + c] = theta[c * features + j];
        }
        objective->weights[features * width + c] = theta[classes * features + c];
    }
}

static void begin_pass(struct convex_objective *objective, const struct convex_rows *rows, const struct shape *shape,
                       const double *theta)
{
    objective->rows = rows;
    objective->pass = *shape;
    lay_out(objective, theta);
}

VECTOR_CLONES static void add(size_t n, const double *restrict x, double *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += x[i];
    }
}

/* A class's row of the pieces' sums, added up in their order, with the penalty's part; its bias. */
static void reduce_class(void *context, uint32_t c, uint32_t worker)
{
    struct convex_objective *objective = context;
    const struct shape *shape = &objective->shape;
    const size_t features = objective->setup.features, step = shape->width * shape->columns;
    double *first = objective->sums + c * shape->columns, *out = objective->gradient + c * features;

    (void)worker;
    for (uint32_t p = 1; p < shape->pieces; p++) {
        add(features + 1, first + p * step, first);
    }
    for (size_t j = 0; j < features; j++) {
        out[j] = first[j] + objective->l2 * (objective->theta == NULL ? 1 : objective->theta[c * features + j]);
    }
    objective->gradient[objective->setup.loss.classes * features + c] = first[features];
}

/* out: the sums in canonical order, and l2 * theta (NULL: 1) on the weights. */
static void reduce(struct convex_objective *objective, const double *theta, double *out)
{
    objective->gradient = out;
    objective->theta = theta;
    objective->l2 = objective->setup.l2;
    pool_run(objective->setup.pool, objective->setup.loss.classes, reduce_class, objective);
}

/* ---- value and gradient ---- */

static void losses(struct convex_objective *objective, uint64_t i, size_t count, struct block *block, double *dz)
{
    const size_t width = objective->pass.width;
    struct softmax_loss_rows out = {.loss = block->loss, .plain = block->plain, .predicted = block->predicted};

    gather_targets(objective, i, count, block);
    softmax_cross_entropy_rows_f64(&objective->setup.loss, count, block->z, width, block->labels,
                                   is_soft(objective->rows) ? block->soft : NULL, 1 / objective->setup.normaliser, dz, width,
                                   &out);
}

static void loss_and_gradient(struct convex_objective *objective, struct piece *piece, uint64_t i, size_t count,
                              struct block *block)
{
    losses(objective, i, count, block, block->z);
    for (size_t r = 0; r < count; r++) {
        piece->loss += block->loss[r];
        piece->correct += block->predicted[r] == block->labels[r];
    }
}

static void evaluate_piece(void *context, uint32_t piece, uint32_t worker)
{
    run_piece(context, piece, worker, 1, loss_and_gradient);
}

static void evaluate(void *context, const double *theta, struct objective_value *value, double *gradient)
{
    struct convex_objective *objective = context;
    double loss = 0, correct = 0;

    begin_pass(objective, &objective->setup.rows, &objective->shape, theta);
    pool_run(objective->setup.pool, objective->shape.pieces, evaluate_piece, objective);
    reduce(objective, theta, gradient);
    for (uint32_t p = 0; p < objective->shape.pieces; p++) {
        loss += objective->pieces[p].loss;
        correct += (double)objective->pieces[p].correct;
    }
    loss /= objective->setup.normaliser;
    *value =
        (struct objective_value){.value = loss + objective->setup.l2 / 2 * convex_objective_weight_square(objective, theta),
                                 .notes = {[CONVEX_LOSS] = loss, [CONVEX_CORRECT] = correct}};
}

double convex_objective_weight_square(const struct convex_objective *objective, const double *theta)
{
    return objective_dot((size_t)objective->setup.features * objective->setup.loss.classes, theta, theta);
}

/* ---- plain losses ---- */

static void plain_loss(struct convex_objective *objective, struct piece *piece, uint64_t i, size_t count,
                       struct block *block)
{
    losses(objective, i, count, block, NULL);
    for (size_t r = 0; r < count; r++) {
        piece->plain += block->plain[r];
    }
}

static void plain_piece(void *context, uint32_t piece, uint32_t worker)
{
    run_piece(context, piece, worker, 0, plain_loss);
}

double convex_objective_loss(struct convex_objective *objective, const struct convex_rows *rows, const double *theta)
{
    struct shape shape = shape_of(&objective->setup, rows->count);
    double loss = 0;

    assert(rows->count > 0 && rows->dataset->features == objective->setup.features);
    begin_pass(objective, rows, &shape, theta);
    pool_run(objective->setup.pool, shape.pieces, plain_piece, objective);
    for (uint32_t p = 0; p < shape.pieces; p++) {
        loss += objective->pieces[p].plain;
    }
    return loss / (double)rows->count;
}

/* ---- second order ---- */

/* τ = Σ_c w_c ((1 - s) u_c + s / K) */
static double target_mass(const struct convex_objective *objective, const struct block *block, size_t r)
{
    const struct softmax_loss *loss = &objective->setup.loss;
    const double keep = 1 - loss->label_smoothing, spread = loss->label_smoothing / loss->classes;
    const double *soft = is_soft(objective->rows) ? block->soft + r * loss->classes : NULL;
    double sum = 0;

    for (uint32_t c = 0; c < loss->classes; c++) {
        double u = soft != NULL ? soft[c] : (int32_t)c == block->labels[r] ? 1 : 0;

        sum += (loss->class_weights == NULL ? 1 : loss->class_weights[c]) * (keep * u + spread);
    }
    return sum;
}

/* Keeps probabilities and masses; makes z and x what the diagonal is summed from. */
static void curvatures(struct convex_objective *objective, struct piece *piece, uint64_t i, size_t count,
                       struct block *block)
{
    const size_t width = objective->pass.width, classes = objective->setup.loss.classes;
    double *p = objective->probabilities + i * classes;

    (void)piece;
    gather_targets(objective, i, count, block);
    softmax_rows_f64((uint32_t)classes, count, block->z, width, p);
    for (size_t r = 0; r < count; r++, p += classes) {
        double mass = target_mass(objective, block, r) / objective->setup.normaliser;

        objective->mass[i + r] = mass;
        for (size_t c = 0; c < classes; c++) {
            block->z[r * width + c] = mass * p[c] * (1 - p[c]);
        }
    }
    for (size_t k = 0; k < count * objective->pass.columns; k++) {
        block->x[k] *= block->x[k];
    }
}

static void curvatures_of_piece(void *context, uint32_t piece, uint32_t worker)
{
    run_piece(context, piece, worker, 1, curvatures);
}

static void hessian_at(void *context, const double *theta, double *diagonal)
{
    struct convex_objective *objective = context;

    begin_pass(objective, &objective->setup.rows, &objective->shape, theta);
    pool_run(objective->setup.pool, objective->shape.pieces, curvatures_of_piece, objective);
    reduce(objective, NULL, diagonal);
}

/* a, in z, becomes the row of R. */
static void bend(struct convex_objective *objective, struct piece *piece, uint64_t i, size_t count, struct block *block)
{
    const size_t width = objective->pass.width, classes = objective->setup.loss.classes;
    const double *p = objective->probabilities + i * classes;

    (void)piece;
    for (size_t r = 0; r < count; r++, p += classes) {
        double *a = block->z + r * width, mean = 0;

        for (size_t c = 0; c < classes; c++) {
            mean += p[c] * a[c];
        }
        for (size_t c = 0; c < classes; c++) {
            a[c] = objective->mass[i + r] * p[c] * (a[c] - mean);
        }
    }
}

static void bend_piece(void *context, uint32_t piece, uint32_t worker)
{
    run_piece(context, piece, worker, 1, bend);
}

static void hessian_product(void *context, const double *direction, double *product)
{
    struct convex_objective *objective = context;

    begin_pass(objective, &objective->setup.rows, &objective->shape, direction);
    pool_run(objective->setup.pool, objective->shape.pieces, bend_piece, objective);
    reduce(objective, direction, product);
}

struct objective convex_objective_interface(struct convex_objective *objective)
{
    size_t n = ((size_t)objective->setup.features + 1) * objective->setup.loss.classes;

    return (struct objective){.n = n,
                              .context = objective,
                              .evaluate = evaluate,
                              .hessian_at = objective->setup.second_order ? hessian_at : NULL,
                              .hessian_product = objective->setup.second_order ? hessian_product : NULL};
}
