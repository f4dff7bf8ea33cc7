/*
 * How a list of layers is cut into work: stages, tiles, blocks, segments. All of it follows from the model and the number of
 * rows; nothing from the number of threads, which is why threads cannot change a result.
 *
 *   stage    one dense layer with the element-wise layers behind it
 *   tile     some columns (units) of a stage; its weights [inputs][tile_width] are contiguous: the unit of forward work
 *   block    some rows (inputs) of a stage; behind another stage, exactly that stage's tiles: the unit of backward work
 *   segment  tile x block: contiguous in memory with its optimizer state; gradient, norm and update work on whole segments
 *   grain    some rows (samples) of a minibatch: the unit of gathering and of the loss
 *
 * Widths are padded to 16 columns (a cache line of float32, the width of a vector register); padding weights are 0 and stay
 * 0.
 */
#ifndef DESCENT_CORE_NN_NETWORK_PLAN_H
#define DESCENT_CORE_NN_NETWORK_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/nn/model_spec.h"

#define NETWORK_GRAIN_ROWS     32
#define NETWORK_MAX_TILE_WIDTH 128
#define NETWORK_CHUNK_ROWS     4096 /* larger batches go chunk by chunk with accumulated gradients */

struct network_op {
    enum layer_type type;
    uint32_t layer; /* index in the model's list: keys the dropout masks, named in errors */
    double slope, rate;
};

struct network_stage {
    uint32_t layer; /* index of the dense layer in the model's list */
    uint32_t inputs, outputs;
    uint32_t input_stride;  /* floats between rows of what goes in */
    uint32_t output_stride; /* tile_count * tile_width */
    uint32_t tile_width, tile_count;
    uint32_t block_width, block_count;
    uint32_t op_begin, op_end; /* its element-wise layers in network_plan.ops */
    uint32_t first_weight_segment, first_bias_segment;
    uint64_t weight_offset, bias_offset; /* in parameters */
};

struct network_plan {
    uint32_t stage_count;
    uint32_t op_count, input_op_end; /* ops [0, input_op_end) work on the inputs, before the first stage */
    struct network_stage stages[MODEL_MAX_LAYERS];
    struct network_op ops[MODEL_MAX_LAYERS];
    uint32_t inputs, classes, input_stride;
    uint32_t rows; /* most rows at a time */
    uint32_t segment_count;
    uint64_t stored; /* parameters as stored, padding included */
    uint64_t largest_segment;
};

/* A piece of the parameters: [offset, offset + count). rows x tile_width for weights, tile_width for a bias. */
struct network_segment {
    uint64_t offset, count;
    uint32_t stage, tile, block; /* block: of weights */
    int is_bias;
};

/* `rows` is cut to NETWORK_CHUNK_ROWS. STATUS_MODEL_TOO_LARGE when a size does not fit 2^34 bytes. */
MUST_CHECK enum status network_plan_make(struct network_plan *plan, const struct model_spec *model, uint64_t rows,
                                         struct error *error);

struct network_segment network_plan_weight_segment(const struct network_stage *stage, uint32_t tile, uint32_t block);
struct network_segment network_plan_bias_segment(const struct network_stage *stage, uint32_t tile);
/* The segment with this number; for walking over all of them. */
struct network_segment network_plan_segment(const struct network_plan *plan, uint32_t index);

/* Parameters that follow each other in canonical order and lie `stride` apart in one segment. */
struct network_run {
    uint64_t at, count;
    uint32_t stride;
    struct network_segment segment;
};
/* The run from parameter `index` (canonical) on. */
struct network_run network_plan_run(const struct network_plan *plan, uint64_t index);

/* Columns of tile `tile`, rows of block `block` that are not padding. */
uint32_t network_tile_columns(const struct network_stage *stage, uint32_t tile);
uint32_t network_block_rows(const struct network_stage *stage, uint32_t block);

#endif
