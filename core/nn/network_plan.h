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
 * Convolutions, pools and whatever else stands before the first dense layer, unless that is element-wise only, are the
 *
 *   front    layers that work sample by sample; its output is what the first stage reads
 *   part     some rows of a minibatch: the unit of work in the front; a part's gradients are kept apart, then added in order
 *   norm     one batch_norm, in the front or behind a dense layer
 *   piece    some layers of the front that are done at once, in blocked images (blocked.h), where the kernel tier can; else
 *            one layer, in planes [channels][height][width]
 *
 * Parameters that are no dense layer's are flat: they stand in memory as in canonical order, cut into segments, too.
 * Running statistics come last and are in no segment: no optimizer sees them.
 *
 * A network of one stage with few outputs is narrow: its weights lie in blocks, but unit by unit in each (narrow_dense.h).
 *
 * Widths are padded to 16 columns (a cache line of float32, the width of a vector register); padding weights are 0 and stay
 * 0.
 */
#ifndef DESCENT_CORE_NN_NETWORK_PLAN_H
#define DESCENT_CORE_NN_NETWORK_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/nn/blocked.h"
#include "core/nn/conv2d.h"
#include "core/nn/model_spec.h"
#include "core/nn/pool2d.h"

#define NETWORK_GRAIN_ROWS     32
#define NETWORK_MAX_TILE_WIDTH 128
#define NETWORK_CHUNK_ROWS     4096  /* larger batches go chunk by chunk with accumulated gradients */
#define NETWORK_NORM_ROWS      65536 /* with batch_norm, whose statistics are those of the whole batch, the largest batch */
#define NETWORK_MOST_PARTS     32

struct network_op {
    enum layer_type type;
    uint32_t layer; /* index in the model's list: keys the dropout masks, named in errors */
    double slope, rate;
    uint32_t norm; /* of batch_norm: index in network_plan.norms */
};

struct network_norm {
    uint32_t layer, channels;
    size_t positions; /* values that a sample has of each channel */
    double momentum, epsilon;
    uint64_t scale, shift, mean, variance; /* where they stand in the parameters, [channels] each */
    uint32_t scale_segment, shift_segment;
    int is_front;
};

/* How a piece of the front is done; which layers it has. */
enum network_way {
    NETWORK_PLANES,       /* one layer, whatever it is */
    NETWORK_BLOCKED,      /* conv2d [relu [max_pool2d]] */
    NETWORK_BLOCKED_NORM, /* batch_norm relu [max_pool2d], behind a blocked conv2d */
};

/* Where a blocked piece's gradients come from. */
enum network_backward {
    NETWORK_DENSE,    /* all positions */
    NETWORK_WINOGRAD, /* the same by blocked_winograd.h */
    NETWORK_LISTED,   /* behind a pool: those that were kept, by lists */
    NETWORK_PICKED,   /* the same of the first layers, of few channels: picked, without a gradient of the inputs */
};

/* A piece in blocked images, in its first layer. */
struct network_piece {
    struct blocked conv;
    enum network_backward backward;
    int is_winograd; /* forward */
    int has_relu;
    int reads_planes, writes_planes; /* as what stands before it does, or behind it wants */
    uint32_t kept_rows;         /* listed: samples whose kept positions are listed before the weights' gradient is summed */
    size_t weights, back, bias; /* working copies: for forward, for the inputs' gradient */
    size_t kept;                /* lists of what was kept, behind `front_columns` of a worker's scratch */
};

/* Where a worker has room for a sample of a piece, in what other convolutions have for their columns. */
struct network_rooms {
    size_t image, band, pooled; /* its input; rows that are pooled; its outputs, or their gradient, as an image */
    size_t padded, input;       /* gradients of all outputs, of the inputs */
    size_t winograd;            /* what its kernels work in */
    size_t size;
};
struct network_rooms network_piece_rooms(const struct network_piece *piece);
/* Rows of a convolution's outputs that are made, and pooled, at a time: whole windows. */
uint32_t network_piece_rows(const struct network_piece *piece);

/* A layer of the front. */
struct network_front_layer {
    struct network_op op; /* its type and layer; of element-wise ones all */
    struct conv2d conv;
    struct pool2d pool;
    uint64_t weight, bias;  /* of conv2d, where they stand in the parameters */
    size_t inputs, outputs; /* values of a sample */
    size_t output_stride;   /* from sample to sample */
    int in_place;           /* in training it writes over its input, which nothing needs any more */
    enum network_way way;
    uint32_t first, end; /* the layers of its piece */
    struct network_piece piece;
    size_t gradient, bias_gradient; /* of conv2d, in a part's gradients: laid out as the way wants it */
};

struct network_stage {
    uint32_t layer;           /* index of the dense layer in the model's list */
    uint32_t inputs, outputs; /* behind a front its outputs are the first stage's inputs */
    uint32_t input_stride;    /* floats between rows of what goes in */
    uint32_t output_stride;   /* the same of what comes out, at least tile_count * tile_width */
    uint32_t tile_width, tile_count;
    uint32_t block_width, block_count;
    int is_narrow; /* the only stage, of few outputs and no front: its weights lie as narrow_dense.h wants them */
    uint32_t op_begin, op_end; /* its element-wise layers in network_plan.ops */
    uint32_t first_weight_segment, first_bias_segment;
    uint64_t weight_offset, bias_offset; /* in parameters */
};

/* Parameters that follow each other in canonical order and are stored in one way. */
enum network_tensor_kind { NETWORK_WEIGHT, NETWORK_BIAS, NETWORK_FLAT, NETWORK_STATISTICS };
struct network_tensor {
    enum network_tensor_kind kind;
    uint32_t layer, stage;  /* stage: of dense layers */
    uint64_t count;         /* without padding */
    uint64_t offset;        /* flat, statistics: in parameters */
    uint64_t segment_size;  /* flat */
    uint32_t first_segment; /* flat */
    int is_bias;            /* no penalty on it */
};

struct network_plan {
    uint32_t stage_count;
    uint32_t op_count, input_op_end; /* ops [0, input_op_end) work on the inputs, before the first stage */
    struct network_stage stages[MODEL_MAX_LAYERS];
    struct network_op ops[MODEL_MAX_LAYERS];
    uint32_t inputs, classes, input_stride;
    uint32_t rows;                              /* most rows at a time */
    uint32_t segment_count, flat_segment_count; /* those of flat parameters come first */
    uint64_t stored;                            /* parameters as stored, padding included; running statistics at the end */
    uint64_t flat, trained;                     /* of them: [0, flat) are flat, [0, trained) are trained */
    uint64_t largest_segment;

    uint32_t front_count;   /* 0: there is none */
    uint32_t front_trained; /* its first layer with parameters; front_count: none */
    size_t front_columns;   /* scratch of its convolutions */
    size_t front_kept;      /* scratch of their lists */
    size_t front_working;   /* values of the working copies of their weights */
    size_t front_gradients; /* values of a part's gradients */
    size_t front_largest;   /* values of a sample behind any of its layers */
    uint32_t norm_count, tensor_count;
    struct network_front_layer front[MODEL_MAX_LAYERS];
    struct network_norm norms[MODEL_MAX_LAYERS];
    struct network_tensor tensors[4 * MODEL_MAX_LAYERS]; /* in canonical order */
};

/*
 * A piece of the parameters: [offset, offset + count). rows x tile_width for weights, tile_width for a bias; flat ones are
 * just that many values.
 */
struct network_segment {
    uint64_t offset, count;
    uint32_t layer;              /* index in the model's list */
    uint32_t stage, tile, block; /* of dense layers; block: of weights */
    int is_bias, is_flat;
};

/*
 * `rows` is cut to NETWORK_CHUNK_ROWS; with batch_norm it is not, and STATUS_BATCH_TOO_LARGE above NETWORK_NORM_ROWS.
 * STATUS_MODEL_TOO_LARGE when a size does not fit 2^34 bytes.
 */
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
/* Number of parameters, and the run from parameter `index` (canonical) on. */
uint64_t network_plan_parameters(const struct network_plan *plan);
struct network_run network_plan_run(const struct network_plan *plan, uint64_t index);

/* Rows of a part; the last one of a minibatch may have fewer. */
uint32_t network_plan_part_rows(const struct network_plan *plan);
/* The same network without dropout: for gradients of the whole training set. */
void network_plan_drop_dropout(struct network_plan *plan);

/* n values rounded up to whole vectors. */
size_t network_plan_filled(size_t n);
/* The same network with all of its front in planes. */
void network_plan_take_planes(struct network_plan *plan);

/* Columns of tile `tile`, rows of block `block` that are not padding. */
uint32_t network_tile_columns(const struct network_stage *stage, uint32_t tile);
uint32_t network_block_rows(const struct network_stage *stage, uint32_t block);

#endif
