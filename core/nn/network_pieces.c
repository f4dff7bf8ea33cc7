/*
 * Which layers of the front are done at once, in blocked images. All of it follows from the model and the kernel tier; what
 * is not named here goes layer by layer, in planes.
 */
#include "core/nn/blocked_winograd.h"
#include "core/nn/network_front_plan.h"

#define KEPT 256u /* positions that a filter keeps, about, for which its gradient is taken up and put down once */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static const struct network_front_layer *layer_at(const struct network_plan *plan, uint32_t i, enum layer_type type)
{
    return i < plan->front_count && plan->front[i].op.type == type ? &plan->front[i] : NULL;
}

/* Strides would tear stretches apart; the transposed convolution needs as much padding as the kernel reaches over. */
static int fits_blocks(const struct conv2d *conv)
{
    return conv->stride[0] == 1 && conv->stride[1] == 1 && conv->padding[0] < conv->kernel[0] &&
           conv->padding[1] < conv->kernel[1] && conv->kernel[1] * BLOCKED_CHANNELS <= BLOCKED_MOST_ROW &&
           conv->filters <= BLOCKED_MOST_FILTERS;
}

static int fits_windows(const struct pool2d *pool)
{
    return pool->size[0] == pool->stride[0] && pool->size[1] == pool->stride[1] &&
           pool->size[0] * pool->size[1] < BLOCKED_DEAD;
}

static uint32_t blocks_of(uint32_t channels)
{
    return (channels + BLOCKED_CHANNELS - 1) / BLOCKED_CHANNELS;
}

static struct blocked blocked_of(const struct conv2d *conv, uint32_t depth)
{
    return (struct blocked){.channels = conv->channels,
                            .filters = conv->filters,
                            .depth = depth,
                            .filter_blocks = blocks_of(conv->filters),
                            .kernel = {conv->kernel[0], conv->kernel[1]},
                            .padding = {conv->padding[0], conv->padding[1]},
                            .in = {conv->height, conv->width},
                            .out = {conv->out_height, conv->out_width},
                            .window = {1, 1},
                            .pooled = {conv->out_height, conv->out_width}};
}

/* Whether the kernels read another image than the one that stands before the piece. */
static int has_own_image(const struct network_piece *piece)
{
    return piece->reads_planes || piece->conv.padding[0] + piece->conv.padding[1] > 0;
}

/* The layers from i on that are relu [max_pool2d] become a piece's, too. */
static void add_relu_and_pool(struct network_plan *plan, struct network_front_layer *layer, uint32_t i)
{
    struct blocked *conv = &layer->piece.conv;
    const struct network_front_layer *pool = layer_at(plan, i + 1, LAYER_MAX_POOL2D);

    layer->end = i;
    if (layer_at(plan, i, LAYER_RELU) == NULL) {
        return;
    }
    layer->piece.has_relu = 1;
    layer->end = i + 1;
    if (pool != NULL && fits_windows(&pool->pool)) {
        conv->window[0] = pool->pool.size[0];
        conv->window[1] = pool->pool.size[1];
        conv->pooled[0] = pool->pool.out_height;
        conv->pooled[1] = pool->pool.out_width;
        layer->end = i + 2;
    }
}

/* Where a gradient comes from, and behind a pool only from what was kept. */
static enum network_backward backward_of(const struct network_plan *plan, const struct network_front_layer *layer,
                                         uint32_t i)
{
    const struct blocked *conv = &layer->piece.conv;

    if (layer->end != i + 3) {
        return layer->piece.is_winograd ? NETWORK_WINOGRAD : NETWORK_DENSE;
    }
    return i <= plan->front_trained && conv->depth < BLOCKED_CHANNELS &&
                   conv->window[0] * conv->window[1] <= BLOCKED_MOST_PICK
               ? NETWORK_PICKED
               : NETWORK_LISTED;
}

/* The piece that begins with convolution i. */
static void add_conv_piece(struct network_plan *plan, uint32_t i, int reads_planes)
{
    struct network_front_layer *layer = &plan->front[i];
    const uint32_t channels = layer->conv.channels;

    layer->way = NETWORK_BLOCKED;
    layer->piece.reads_planes = reads_planes;
    layer->piece.conv = blocked_of(&layer->conv, reads_planes && channels < BLOCKED_CHANNELS ? channels : BLOCKED_CHANNELS);
    add_relu_and_pool(plan, layer, i + 1);
    layer->piece.is_winograd = blocked_suits_winograd(&layer->piece.conv);
    layer->piece.backward = backward_of(plan, layer, i);
}

/* The piece that begins with batch_norm i, if it follows a convolution and relu follows it. */
static void add_norm_piece(struct network_plan *plan, uint32_t i)
{
    struct network_front_layer *layer = &plan->front[i];

    if (i > 0 && plan->front[i - 1].way == NETWORK_BLOCKED && layer_at(plan, i + 1, LAYER_RELU) != NULL) {
        layer->way = NETWORK_BLOCKED_NORM;
        layer->piece.conv = plan->front[i - 1].piece.conv;
        add_relu_and_pool(plan, layer, i + 1);
    }
}

size_t network_plan_filled(size_t n)
{
    return (n + NETWORK_VECTOR_WIDTH - 1) / NETWORK_VECTOR_WIDTH * NETWORK_VECTOR_WIDTH;
}

static size_t take(size_t *used, size_t values)
{
    size_t at = *used;

    *used += network_plan_filled(values);
    return at;
}

static size_t padded_filters(const struct blocked *conv)
{
    return (size_t)conv->filter_blocks * BLOCKED_CHANNELS;
}

static size_t kept_capacity(const struct network_piece *piece)
{
    return (size_t)piece->kept_rows * piece->conv.pooled[0] * piece->conv.pooled[1];
}

uint32_t network_piece_rows(const struct network_piece *piece)
{
    const struct blocked_winograd winograd = blocked_winograd_forward(&piece->conv);

    if (piece->is_winograd) {
        return 2 * blocked_winograd_rows(&winograd, piece->conv.window[0]);
    }
    return piece->has_relu ? piece->conv.window[0] : piece->conv.out[0];
}

/* Floats that forward, backward and the weights' gradient work in. */
static size_t winograd_room(const struct network_piece *piece)
{
    const struct blocked_winograd forward = blocked_winograd_forward(&piece->conv);
    const struct blocked_winograd backward = blocked_winograd_backward(&piece->conv);

    return !piece->is_winograd ? 0
                               : larger(blocked_winograd_room(&forward, network_piece_rows(piece) / 2),
                                        blocked_winograd_room(&backward, blocked_winograd_rows(&backward, 1)));
}

struct network_rooms network_piece_rooms(const struct network_piece *piece)
{
    const struct blocked *conv = &piece->conv;
    struct blocked_image input = blocked_input(conv), pooled = blocked_pooled(conv), padded = blocked_output_gradient(conv);
    struct blocked_image gradient = blocked_input_gradient(conv);
    struct network_rooms rooms = {.size = 0};

    rooms.image = take(&rooms.size, blocked_values(&input) + BLOCKED_SLACK);
    rooms.band =
        take(&rooms.size,
             !piece->has_relu ? 0 : padded_filters(conv) * network_piece_rows(piece) * conv->pooled[1] * conv->window[1]);
    rooms.pooled = take(&rooms.size, blocked_values(&pooled));
    rooms.padded = take(&rooms.size, piece->backward != NETWORK_DENSE ? 0 : blocked_values(&padded));
    rooms.input = take(&rooms.size, blocked_values(&gradient));
    rooms.winograd = take(&rooms.size, winograd_room(piece));
    return rooms;
}

/* Values of the working copy for the inputs' gradient, and of a part's gradient of the weights. */
static size_t back_values(const struct network_piece *piece)
{
    switch (piece->backward) {
    case NETWORK_LISTED:
        return blocked_rows(&piece->conv, BLOCKED_CHANNELS);
    case NETWORK_WINOGRAD:
        return blocked_winograd_weights(&piece->conv);
    default:
        return blocked_transposed(&piece->conv);
    }
}

static size_t gradient_values(const struct network_piece *piece)
{
    switch (piece->backward) {
    case NETWORK_LISTED:
        return blocked_rows(&piece->conv, piece->conv.depth);
    case NETWORK_WINOGRAD:
        return blocked_winograd_weights(&piece->conv);
    default:
        return blocked_weights(&piece->conv);
    }
}

/* Working copies of a piece, gradients of a convolution. */
static void place_conv(struct network_plan *plan, struct network_front_layer *layer)
{
    struct network_piece *piece = &layer->piece;
    const struct blocked *conv = &piece->conv;

    if (layer->way == NETWORK_PLANES) {
        layer->gradient = take(&plan->front_gradients, conv2d_filter_size(&layer->conv) * layer->conv.filters);
        layer->bias_gradient = take(&plan->front_gradients, layer->conv.filters);
        return;
    }
    piece->weights = take(&plan->front_working, piece->is_winograd ? blocked_winograd_weights(conv) : blocked_weights(conv));
    piece->back = take(&plan->front_working, back_values(piece));
    piece->bias = take(&plan->front_working, padded_filters(conv));
    piece->kept = take(&plan->front_kept, padded_filters(conv) * (1 + 2 * kept_capacity(piece)));
    layer->gradient = take(&plan->front_gradients, gradient_values(piece));
    layer->bias_gradient = take(&plan->front_gradients, padded_filters(conv));
}

/* What lies behind a piece's last layer, and what it needs meanwhile. */
static void size_piece(struct network_plan *plan, struct network_front_layer *layer)
{
    struct network_piece *piece = &layer->piece;
    struct blocked_image pooled = blocked_pooled(&piece->conv), output = blocked_output(&piece->conv);
    struct blocked_image input = blocked_bare(blocked_input_gradient(&piece->conv));
    const size_t windows = (size_t)piece->conv.pooled[0] * piece->conv.pooled[1];

    piece->writes_planes = layer->end == plan->front_count || plan->front[layer->end].way == NETWORK_PLANES;
    piece->kept_rows = piece->backward != NETWORK_LISTED         ? 0
                       : has_own_image(piece) || windows >= KEPT ? 1
                                                                 : (uint32_t)(KEPT / windows);
    if (!piece->writes_planes) {
        plan->front[layer->end - 1].output_stride = blocked_values(&pooled);
    }
    plan->front_largest = larger(plan->front_largest, larger(blocked_values(&output), blocked_values(&input)));
    plan->front_columns = larger(plan->front_columns, network_piece_rooms(piece).size);
}

static void cut(struct network_plan *plan)
{
    int planes = 1;

    for (uint32_t i = 0, end; i < plan->front_count; i = end) {
        struct network_front_layer *layer = &plan->front[i];

        if (layer->op.type == LAYER_CONV2D && fits_blocks(&layer->conv)) {
            add_conv_piece(plan, i, planes);
        } else if (layer->op.type == LAYER_BATCH_NORM) {
            add_norm_piece(plan, i);
        }
        planes = layer->way == NETWORK_PLANES;
        end = layer->end;
        for (uint32_t k = i; k < end; k++) {
            plan->front[k].first = i;
            plan->front[k].end = end;
        }
    }
    for (uint32_t i = 0; i < plan->front_count; i = plan->front[i].end) {
        if (plan->front[i].way != NETWORK_PLANES) {
            size_piece(plan, &plan->front[i]);
        }
    }
}

void network_plan_cut_front(struct network_plan *plan, int planes)
{
    for (uint32_t i = 0; i < plan->front_count; i++) {
        struct network_front_layer *layer = &plan->front[i];

        if (layer->way != NETWORK_PLANES && !layer->piece.writes_planes) {
            plan->front[layer->end - 1].output_stride = plan->front[layer->end - 1].outputs;
        }
        layer->way = NETWORK_PLANES;
        layer->piece = (struct network_piece){0};
    }
    for (uint32_t i = 0; i < plan->front_count; i++) {
        plan->front[i].first = i;
        plan->front[i].end = i + 1;
    }
    if (!planes) {
        cut(plan);
    }
    plan->front_working = plan->front_gradients = plan->front_kept = 0;
    for (uint32_t i = 0; i < plan->front_count; i++) {
        if (plan->front[i].op.type == LAYER_CONV2D) {
            place_conv(plan, &plan->front[i]);
        }
    }
}

void network_plan_take_planes(struct network_plan *plan)
{
    network_plan_cut_front(plan, 1);
}
