/* See the headers. Everything here follows from the model alone. */
#include "core/nn/network_front_plan.h"

#include "core/nn/layer_shape.h"

#define SEGMENT_VALUES  4096u /* of flat parameters, about: some tasks for large convolutions, one for small ones */
#define ALIASING_FLOATS 256u  /* 1 KiB */
#define PART_ROWS       8u    /* at least: a minibatch of 128 makes 16 parts */

static uint64_t padded(uint64_t n)
{
    return (n + NETWORK_VECTOR_WIDTH - 1) / NETWORK_VECTOR_WIDTH * NETWORK_VECTOR_WIDTH;
}

uint32_t network_plan_padded(uint32_t n)
{
    return (uint32_t)padded(n);
}

uint32_t network_plan_stride(uint32_t n)
{
    uint32_t stride = network_plan_padded(n);

    return stride % ALIASING_FLOATS == 0 ? stride + NETWORK_VECTOR_WIDTH : stride;
}

uint32_t network_plan_part_rows(const struct network_plan *plan)
{
    uint32_t rows = (plan->rows + NETWORK_MOST_PARTS - 1) / NETWORK_MOST_PARTS;

    return rows > PART_ROWS ? rows : PART_ROWS;
}

void network_plan_drop_dropout(struct network_plan *plan)
{
    for (uint32_t k = 0; k < plan->op_count; k++) {
        plan->ops[k].rate = 0;
    }
    for (uint32_t i = 0; i < plan->front_count; i++) {
        plan->front[i].op.rate = 0;
    }
}

/* ---- layers ---- */

static int is_element_wise(enum layer_type type)
{
    switch (type) {
    case LAYER_RELU:
    case LAYER_LEAKY_RELU:
    case LAYER_TANH:
    case LAYER_SIGMOID:
    case LAYER_DROPOUT:
        return 1;
    default:
        return 0;
    }
}

uint32_t network_plan_front_layers(const struct model_spec *model)
{
    uint32_t count = 0;
    int is_needed = 0;

    for (; model->layers[count].type != LAYER_DENSE; count++) {
        enum layer_type type = model->layers[count].type;

        is_needed |= !is_element_wise(type) && type != LAYER_FLATTEN;
    }
    return is_needed ? count : 0;
}

/* Adds a flat tensor; `size`: of a piece that is not to be cut (a block of filters). Returns its index. */
static uint32_t add_tensor(struct network_plan *plan, enum network_tensor_kind kind, uint32_t layer, uint64_t count,
                           uint64_t size, int is_bias)
{
    uint64_t pieces = SEGMENT_VALUES / size;

    plan->tensors[plan->tensor_count] = (struct network_tensor){
        .kind = kind, .layer = layer, .count = count, .segment_size = (pieces < 1 ? 1 : pieces) * size, .is_bias = is_bias};
    return plan->tensor_count++;
}

void network_plan_add_norm(struct network_plan *plan, const struct layer_spec *layer, uint32_t index, uint32_t channels,
                           size_t positions, int is_front)
{
    plan->norms[plan->norm_count++] = (struct network_norm){.layer = index,
                                                            .channels = channels,
                                                            .positions = positions,
                                                            .momentum = layer->momentum,
                                                            .epsilon = layer->epsilon,
                                                            .is_front = is_front};
    (void)add_tensor(plan, NETWORK_FLAT, index, channels, 1, 1);
    (void)add_tensor(plan, NETWORK_FLAT, index, channels, 1, 1);
    (void)add_tensor(plan, NETWORK_STATISTICS, index, channels, 1, 1);
    (void)add_tensor(plan, NETWORK_STATISTICS, index, channels, 1, 1);
}

static struct conv2d conv_of(const struct layer_spec *layer, const struct layer_shape *in, const struct layer_shape *out)
{
    return (struct conv2d){.channels = in->channels,
                           .height = in->height,
                           .width = in->width,
                           .filters = layer->units,
                           .kernel = {layer->kernel[0], layer->kernel[1]},
                           .stride = {layer->stride[0], layer->stride[1]},
                           .padding = {layer->padding[0], layer->padding[1]},
                           .out_height = out->height,
                           .out_width = out->width};
}

static struct pool2d pool_of(const struct layer_spec *layer, const struct layer_shape *in, const struct layer_shape *out)
{
    return (struct pool2d){.channels = in->channels,
                           .height = in->height,
                           .width = in->width,
                           .size = {layer->kernel[0], layer->kernel[1]},
                           .stride = {layer->stride[0], layer->stride[1]},
                           .out_height = out->height,
                           .out_width = out->width};
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void add_conv(struct network_plan *plan, struct network_front_layer *front)
{
    size_t size = conv2d_filter_size(&front->conv);

    (void)add_tensor(plan, NETWORK_FLAT, front->op.layer, size * front->conv.filters, size * BLOCKED_CHANNELS, 0);
    (void)add_tensor(plan, NETWORK_FLAT, front->op.layer, front->conv.filters, 1, 1);
    plan->front_columns = larger(plan->front_columns, conv2d_columns(&front->conv));
}

/* An element-wise layer may write over its input unless what made that needs it: an activation its own output. */
static int may_overwrite(const struct network_plan *plan, enum layer_type type)
{
    enum layer_type before = plan->front_count > 0 ? plan->front[plan->front_count - 1].op.type : LAYER_TYPE_COUNT;

    return is_element_wise(type) && before != LAYER_TYPE_COUNT && (before == LAYER_DROPOUT || !is_element_wise(before));
}

static void add_front_layer(struct network_plan *plan, const struct layer_spec *layer, uint32_t index,
                            const struct layer_shape *in, const struct layer_shape *out)
{
    struct network_front_layer front = {.op = {layer->type, index, layer->slope, layer->rate, plan->norm_count},
                                        .inputs = layer_shape_values(in),
                                        .outputs = layer_shape_values(out),
                                        .output_stride = layer_shape_values(out),
                                        .in_place = may_overwrite(plan, layer->type)};

    if (layer->type == LAYER_CONV2D) {
        front.conv = conv_of(layer, in, out);
        add_conv(plan, &front);
    } else if (layer->type == LAYER_BATCH_NORM) {
        network_plan_add_norm(plan, layer, index, in->channels, (size_t)in->height * in->width, 1);
    } else if (!is_element_wise(layer->type)) {
        front.pool = pool_of(layer, in, out);
    }
    if (plan->front_trained == plan->front_count && layer->type != LAYER_CONV2D && layer->type != LAYER_BATCH_NORM) {
        plan->front_trained++;
    }
    plan->front_largest = larger(plan->front_largest, front.outputs);
    plan->front[plan->front_count++] = front;
}

/* Outputs are what the first stage reads: samples are as far apart as it wants them. */
static void widen_last_layer(struct network_plan *plan)
{
    uint32_t i = plan->front_count - 1;
    size_t stride = network_plan_stride((uint32_t)plan->front[i].outputs);

    plan->front[i].output_stride = stride;
    for (; plan->front[i].in_place; i--) {
        plan->front[i - 1].output_stride = stride;
    }
}

uint32_t network_plan_add_front(struct network_plan *plan, const struct model_spec *model, uint32_t count, uint32_t *width)
{
    struct layer_shape shape = layer_shape_of_inputs(model), shapes[MODEL_MAX_LAYERS];

    layer_shapes(model, shapes);
    for (uint32_t i = 0; i < count; shape = shapes[i++]) {
        if (model->layers[i].type == LAYER_FLATTEN) {
            continue; /* values stand in that order anyway */
        }
        if (plan->front_count == 0 && is_element_wise(model->layers[i].type)) {
            plan->ops[plan->op_count++] =
                (struct network_op){model->layers[i].type, i, model->layers[i].slope, model->layers[i].rate, 0};
            plan->input_op_end = plan->op_count;
            continue;
        }
        add_front_layer(plan, &model->layers[i], i, &shape, &shapes[i]);
    }
    if (count > 0) {
        *width = (uint32_t)layer_shape_values(&shape);
        widen_last_layer(plan);
    }
    return count;
}

/* ---- places ---- */

static uint32_t segments_of(const struct network_tensor *tensor)
{
    return (uint32_t)((tensor->count + tensor->segment_size - 1) / tensor->segment_size);
}

/* The tensor of that kind which belongs to a layer, the first of them or the second. */
static struct network_tensor *tensor_of(struct network_plan *plan, enum network_tensor_kind kind, uint32_t layer, int second)
{
    struct network_tensor *tensor = plan->tensors;

    while (tensor->kind != kind || tensor->layer != layer) {
        tensor++;
    }
    return tensor + (second ? 1 : 0);
}

static void place_tensors(struct network_plan *plan, enum network_tensor_kind kind)
{
    for (uint32_t t = 0; t < plan->tensor_count; t++) {
        struct network_tensor *tensor = &plan->tensors[t];

        if (tensor->kind == kind) {
            tensor->offset = plan->stored;
            plan->stored += padded(tensor->count);
        }
    }
}

void network_plan_place_flat(struct network_plan *plan)
{
    place_tensors(plan, NETWORK_FLAT);
    plan->flat = plan->stored;
    for (uint32_t t = 0; t < plan->tensor_count; t++) {
        struct network_tensor *tensor = &plan->tensors[t];

        if (tensor->kind == NETWORK_FLAT) {
            uint64_t size = tensor->count < tensor->segment_size ? tensor->count : tensor->segment_size;

            tensor->first_segment = plan->segment_count;
            plan->segment_count += segments_of(tensor);
            plan->largest_segment = size > plan->largest_segment ? size : plan->largest_segment;
        }
    }
    plan->flat_segment_count = plan->segment_count;
    for (uint32_t i = 0; i < plan->front_count; i++) {
        struct network_front_layer *front = &plan->front[i];

        if (front->op.type == LAYER_CONV2D) {
            front->weight = tensor_of(plan, NETWORK_FLAT, front->op.layer, 0)->offset;
            front->bias = tensor_of(plan, NETWORK_FLAT, front->op.layer, 1)->offset;
        }
    }
    for (uint32_t i = 0; i < plan->norm_count; i++) {
        struct network_norm *norm = &plan->norms[i];
        const struct network_tensor *scale = tensor_of(plan, NETWORK_FLAT, norm->layer, 0);

        norm->scale = scale[0].offset;
        norm->shift = scale[1].offset;
        norm->scale_segment = scale[0].first_segment;
        norm->shift_segment = scale[1].first_segment;
    }
}

void network_plan_place_statistics(struct network_plan *plan)
{
    plan->trained = plan->stored;
    place_tensors(plan, NETWORK_STATISTICS);
    for (uint32_t i = 0; i < plan->norm_count; i++) {
        struct network_norm *norm = &plan->norms[i];

        norm->mean = tensor_of(plan, NETWORK_STATISTICS, norm->layer, 0)->offset;
        norm->variance = tensor_of(plan, NETWORK_STATISTICS, norm->layer, 1)->offset;
    }
}

/* ---- where a value stands ---- */

/* Piece `piece` of a flat tensor. */
static struct network_segment piece_of(const struct network_tensor *tensor, uint64_t piece)
{
    uint64_t begin = piece * tensor->segment_size, left = tensor->count - begin;

    return (struct network_segment){.offset = tensor->offset + begin,
                                    .count = left < tensor->segment_size ? left : tensor->segment_size,
                                    .layer = tensor->layer,
                                    .is_bias = tensor->is_bias,
                                    .is_flat = 1};
}

struct network_segment network_plan_flat_segment(const struct network_plan *plan, uint32_t index)
{
    const struct network_tensor *tensor = plan->tensors;

    while (tensor->kind != NETWORK_FLAT || index - tensor->first_segment >= segments_of(tensor)) {
        tensor++;
    }
    return piece_of(tensor, index - tensor->first_segment);
}

struct network_run network_plan_flat_run(const struct network_tensor *tensor, uint64_t index)
{
    struct network_segment segment = piece_of(tensor, index / tensor->segment_size);
    uint64_t within = index % tensor->segment_size;

    return (struct network_run){
        .at = segment.offset + within, .count = segment.count - within, .stride = 1, .segment = segment};
}
