/* Widths are chosen once here; see the header for what they mean. */
#include "network_plan.h"

#include "core/nn/narrow_dense.h"
#include "core/nn/network_front_plan.h"

#define VECTOR_WIDTH NETWORK_VECTOR_WIDTH
/* Narrow enough that two cores get several tiles of a small layer, wide enough for the matrix product's kernel. */
#define TILE_WIDTH        ((uint32_t)NETWORK_MAX_TILE_WIDTH)
#define HALVES_FROM_WIDTH 64u /* a layer this wide that would be one tile is two */
/* Rows of the first stage's blocks: a gradient block of 112 x 128 floats stays in the first-level caches. */
#define BLOCK_WIDTH  112u
#define LARGEST_SIZE ((uint64_t)1 << 34) /* bytes of float32 parameters */

static uint32_t pieces(uint32_t n, uint32_t width)
{
    return (n + width - 1) / width;
}

/* n cut into equal pieces of at most `width`, a whole number of vectors each. */
static uint32_t even_width(uint32_t n, uint32_t width)
{
    uint32_t each = pieces(n, pieces(n, width));

    return pieces(each, VECTOR_WIDTH) * VECTOR_WIDTH;
}

/* The last stage stays one tile where it can: then it is cut by samples. */
static uint32_t tile_width(uint32_t outputs, int is_last)
{
    const int is_halved = !is_last && outputs >= HALVES_FROM_WIDTH && outputs <= TILE_WIDTH;

    return even_width(outputs, is_halved ? (outputs + 1) / 2 : TILE_WIDTH);
}

static void add_stage(struct network_plan *plan, uint32_t layer, uint32_t inputs, uint32_t outputs, int is_last)
{
    const struct network_stage *before = plan->stage_count > 0 ? &plan->stages[plan->stage_count - 1] : NULL;
    struct network_stage *stage = &plan->stages[plan->stage_count++];

    *stage = (struct network_stage){.layer = layer, .inputs = inputs, .outputs = outputs, .op_begin = plan->op_count};
    stage->op_end = plan->op_count;
    stage->tile_width = tile_width(outputs, is_last);
    stage->tile_count = pieces(outputs, stage->tile_width);
    stage->output_stride = network_plan_stride(stage->tile_count * stage->tile_width);
    stage->input_stride = before != NULL ? before->output_stride : network_plan_stride(inputs);
    stage->block_width = before != NULL ? before->tile_width : even_width(inputs, BLOCK_WIDTH);
    stage->block_count = pieces(inputs, stage->block_width);
}

static void add_op(struct network_plan *plan, const struct layer_spec *layer, uint32_t index, uint32_t width)
{
    plan->ops[plan->op_count++] = (struct network_op){layer->type, index, layer->slope, layer->rate, plan->norm_count};
    if (layer->type == LAYER_BATCH_NORM) {
        network_plan_add_norm(plan, layer, index, width, 1, 0);
    }
    if (plan->stage_count > 0) {
        plan->stages[plan->stage_count - 1].op_end = plan->op_count;
    } else {
        plan->input_op_end = plan->op_count;
    }
}

/* Softmax regression, for example. */
static void look_for_narrow(struct network_plan *plan)
{
    struct network_stage *stage = &plan->stages[0];

    if (plan->stage_count == 1 && plan->front_count == 0 && stage->outputs <= NARROW_MOST_OUTPUT) {
        stage->is_narrow = 1;
        stage->block_width = NARROW_BLOCK;
        stage->block_count = pieces(stage->inputs, NARROW_BLOCK);
    }
}

/* Weights of a stage, with what padding there is. */
static uint64_t stage_weights(const struct network_stage *stage)
{
    return stage->is_narrow ? (uint64_t)network_plan_padded(stage->inputs) * stage->outputs
                            : (uint64_t)stage->inputs * stage->tile_count * stage->tile_width;
}

/* The stages' parameters, behind the flat ones: weights, then the bias, stage by stage. */
static void place_stages(struct network_plan *plan)
{
    for (uint32_t s = 0; s < plan->stage_count; s++) {
        struct network_stage *stage = &plan->stages[s];
        uint64_t block = (uint64_t)stage->block_width * stage->tile_width;

        stage->weight_offset = plan->stored;
        stage->bias_offset = plan->stored + stage_weights(stage);
        plan->stored = stage->bias_offset + (uint64_t)stage->tile_count * stage->tile_width;
        stage->first_weight_segment = plan->segment_count;
        stage->first_bias_segment = plan->segment_count + stage->tile_count * stage->block_count;
        plan->segment_count = stage->first_bias_segment + stage->tile_count;
        plan->largest_segment = block > plan->largest_segment ? block : plan->largest_segment;
    }
}

static void add_dense(struct network_plan *plan, uint32_t index, uint32_t inputs, uint32_t units, int is_last)
{
    struct network_tensor tensor = {.kind = NETWORK_WEIGHT, .layer = index, .stage = plan->stage_count};

    add_stage(plan, index, inputs, units, is_last);
    tensor.count = (uint64_t)inputs * units;
    plan->tensors[plan->tensor_count++] = tensor;
    tensor.kind = NETWORK_BIAS;
    tensor.count = units;
    tensor.is_bias = 1;
    plan->tensors[plan->tensor_count++] = tensor;
}

/* The layers as front and stages. */
static void cut(struct network_plan *plan, const struct model_spec *model)
{
    uint32_t first = network_plan_front_layers(model), width = model->inputs;

    for (uint32_t i = network_plan_add_front(plan, model, first, &width); i < model->layer_count; i++) {
        const struct layer_spec *layer = &model->layers[i];

        if (layer->type == LAYER_DENSE) {
            add_dense(plan, i, width, layer->units, i + 1 == model->layer_count);
            width = layer->units;
        } else if (layer->type != LAYER_FLATTEN) {
            add_op(plan, layer, i, width);
        }
    }
}

enum status network_plan_make(struct network_plan *plan, const struct model_spec *model, uint64_t rows, struct error *error)
{
    const int has_norm = model_spec_has_batch_norm(model);
    const uint64_t most = has_norm ? NETWORK_NORM_ROWS : NETWORK_CHUNK_ROWS;

    *plan = (struct network_plan){.inputs = model->inputs, .classes = model->classes};
    if (has_norm && rows > most) {
        return error_set(error, STATUS_BATCH_TOO_LARGE, "a batch of %llu rows, with batch_norm at most %d are allowed",
                         (unsigned long long)rows, NETWORK_NORM_ROWS);
    }
    plan->rows = (uint32_t)(rows < most ? rows : most);
    plan->input_stride = network_plan_stride(model->inputs);
    cut(plan, model);
    look_for_narrow(plan);
    network_plan_place_flat(plan);
    network_plan_cut_front(plan, blocked_kernels() == NULL);
    place_stages(plan); /* at most 64 layers of 2^36 x 2^16: cannot overflow 64 bits */
    network_plan_place_statistics(plan);
    if (plan->stored > LARGEST_SIZE / sizeof(float)) {
        return error_set(error, STATUS_MODEL_TOO_LARGE,
                         "the model has %llu parameters, %llu bytes; at most %llu bytes are allowed",
                         (unsigned long long)model_spec_parameter_count(model),
                         (unsigned long long)(plan->stored * sizeof(float)), (unsigned long long)LARGEST_SIZE);
    }
    return STATUS_OK;
}

struct network_segment network_plan_weight_segment(const struct network_stage *stage, uint32_t tile, uint32_t block)
{
    uint64_t first_row = (uint64_t)tile * stage->inputs + (uint64_t)block * stage->block_width;

    if (stage->is_narrow) {
        return (struct network_segment){.offset = stage->weight_offset + first_row * stage->outputs,
                                        .count = (uint64_t)narrow_block_stride(stage->inputs, block) * stage->outputs,
                                        .block = block};
    }
    return (struct network_segment){.offset = stage->weight_offset + first_row * stage->tile_width,
                                    .count = (uint64_t)network_block_rows(stage, block) * stage->tile_width,
                                    .tile = tile,
                                    .block = block};
}

struct network_segment network_plan_bias_segment(const struct network_stage *stage, uint32_t tile)
{
    return (struct network_segment){.offset = stage->bias_offset + (uint64_t)tile * stage->tile_width,
                                    .count = stage->tile_width,
                                    .tile = tile,
                                    .is_bias = 1};
}

struct network_segment network_plan_segment(const struct network_plan *plan, uint32_t index)
{
    struct network_segment segment;

    if (index < plan->flat_segment_count) {
        return network_plan_flat_segment(plan, index);
    }
    uint32_t s = plan->stage_count - 1;

    while (plan->stages[s].first_weight_segment > index) {
        s--;
    }
    const struct network_stage *stage = &plan->stages[s];
    if (index >= stage->first_bias_segment) {
        segment = network_plan_bias_segment(stage, index - stage->first_bias_segment);
    } else {
        uint32_t within = index - stage->first_weight_segment;

        segment = network_plan_weight_segment(stage, within / stage->block_count, within % stage->block_count);
    }
    segment.stage = s;
    segment.layer = stage->layer;
    return segment;
}

/* A unit's weights, down its column of one block. */
static struct network_run weight_run(const struct network_stage *stage, uint32_t unit, uint32_t input)
{
    uint32_t block = input / stage->block_width, row = input % stage->block_width;
    struct network_run run = {.segment = network_plan_weight_segment(stage, unit / stage->tile_width, block),
                              .stride = stage->tile_width,
                              .count = network_block_rows(stage, block) - row};

    if (stage->is_narrow) {
        run.stride = 1;
        run.at = run.segment.offset + (uint64_t)unit * narrow_block_stride(stage->inputs, block) + row;
    } else {
        run.at = run.segment.offset + (uint64_t)row * stage->tile_width + unit % stage->tile_width;
    }
    return run;
}

/* The biases of one tile. */
static struct network_run bias_run(const struct network_stage *stage, uint32_t unit)
{
    uint32_t tile = unit / stage->tile_width, column = unit % stage->tile_width;
    struct network_run run = {
        .segment = network_plan_bias_segment(stage, tile), .stride = 1, .count = network_tile_columns(stage, tile) - column};

    run.at = run.segment.offset + column;
    return run;
}

uint64_t network_plan_parameters(const struct network_plan *plan)
{
    uint64_t count = 0;

    for (uint32_t t = 0; t < plan->tensor_count; t++) {
        count += plan->tensors[t].count;
    }
    return count;
}

struct network_run network_plan_run(const struct network_plan *plan, uint64_t index)
{
    const struct network_tensor *tensor = plan->tensors;

    for (; index >= tensor->count; tensor++) {
        index -= tensor->count;
    }
    const struct network_stage *stage = &plan->stages[tensor->stage];

    switch (tensor->kind) {
    case NETWORK_WEIGHT:
        return weight_run(stage, (uint32_t)(index / stage->inputs), (uint32_t)(index % stage->inputs));
    case NETWORK_BIAS:
        return bias_run(stage, (uint32_t)index);
    case NETWORK_FLAT:
    case NETWORK_STATISTICS:
        break;
    }
    return network_plan_flat_run(tensor, index);
}

uint32_t network_tile_columns(const struct network_stage *stage, uint32_t tile)
{
    uint32_t left = stage->outputs - tile * stage->tile_width;

    return left < stage->tile_width ? left : stage->tile_width;
}

uint32_t network_block_rows(const struct network_stage *stage, uint32_t block)
{
    uint32_t left = stage->inputs - block * stage->block_width;

    return left < stage->block_width ? left : stage->block_width;
}
