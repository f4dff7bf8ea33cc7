/* Convolutions by oneDNN's primitives, in the layouts that it likes best: what the library reaches with nothing around it.
 */
#include "bench/peak.h"

#include <stdlib.h>

enum direction { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS, DIRECTIONS };
_Static_assert(DIRECTIONS <= PEAK_RATES, "a rate each");

enum operand { SOURCE, WEIGHTS, BIAS, DESTINATION, OPERANDS };

struct convolution {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_desc_t any[OPERANDS];
    dnnl_dims_t stride, padding;
    dnnl_primitive_desc_t forward; /* what backward primitives take as a hint */
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[OPERANDS + 1];
    int argument_count;
};

static void describe(struct convolution *conv, const long *sizes)
{
    long n = sizes[0], c = sizes[1], f = sizes[2], height = sizes[3], width = sizes[4], kernel = sizes[5], pad = sizes[6];
    dnnl_dims_t dims[OPERANDS] = {[SOURCE] = {n, c, height, width},
                                  [WEIGHTS] = {f, c, kernel, kernel},
                                  [BIAS] = {f},
                                  [DESTINATION] = {n, f, height + 2 * pad - kernel + 1, width + 2 * pad - kernel + 1}};

    for (int i = 0; i < OPERANDS; i++) {
        peak_check(dnnl_memory_desc_init_by_tag(&conv->any[i], i == BIAS ? 1 : 4, dims[i], dnnl_f32, dnnl_format_tag_any));
    }
    conv->stride[0] = conv->stride[1] = 1;
    conv->padding[0] = conv->padding[1] = pad;
}

static void give(struct convolution *conv, const_dnnl_primitive_desc_t desc, dnnl_query_t query, int slot, int argument)
{
    const dnnl_memory_desc_t *layout = dnnl_primitive_desc_query_md(desc, query, slot);
    dnnl_exec_arg_t *place = &conv->arguments[conv->argument_count++];

    place->arg = argument;
    peak_check(dnnl_memory_create(&place->memory, layout, conv->engine,
                                  peak_values(dnnl_memory_desc_get_size(layout) / sizeof(float))));
}

static void prepare(struct convolution *conv, enum direction direction)
{
    static const struct {
        dnnl_query_t query;
        int slot, argument;
    } OPERANDS_OF[DIRECTIONS][OPERANDS] = {
        {{dnnl_query_src_md, 0, DNNL_ARG_SRC},
         {dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS},
         {dnnl_query_weights_md, 1, DNNL_ARG_BIAS},
         {dnnl_query_dst_md, 0, DNNL_ARG_DST}},
        {{dnnl_query_diff_src_md, 0, DNNL_ARG_DIFF_SRC},
         {dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS},
         {dnnl_query_diff_dst_md, 0, DNNL_ARG_DIFF_DST}},
        {{dnnl_query_src_md, 0, DNNL_ARG_SRC},
         {dnnl_query_diff_weights_md, 0, DNNL_ARG_DIFF_WEIGHTS},
         {dnnl_query_diff_weights_md, 1, DNNL_ARG_DIFF_BIAS},
         {dnnl_query_diff_dst_md, 0, DNNL_ARG_DIFF_DST}},
    };
    const dnnl_memory_desc_t *m = conv->any;
    dnnl_convolution_desc_t desc;
    dnnl_primitive_attr_t attributes;
    dnnl_primitive_desc_t made;

    if (direction == FORWARD) {
        peak_check(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct, &m[SOURCE],
                                                      &m[WEIGHTS], &m[BIAS], &m[DESTINATION], conv->stride, conv->padding,
                                                      conv->padding));
    } else if (direction == BACKWARD_DATA) {
        peak_check(dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &m[SOURCE], &m[WEIGHTS],
                                                            &m[DESTINATION], conv->stride, conv->padding, conv->padding));
    } else {
        peak_check(dnnl_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, &m[SOURCE], &m[WEIGHTS],
                                                               &m[BIAS], &m[DESTINATION], conv->stride, conv->padding,
                                                               conv->padding));
    }
    peak_check(dnnl_primitive_attr_create(&attributes));
    peak_check(
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user)); /* the library's own is shared */
    peak_check(dnnl_primitive_desc_create(&made, &desc, attributes, conv->engine, conv->forward));
    peak_check(dnnl_primitive_create(&conv->primitive, made));
    conv->argument_count = 0;
    for (int i = 0; i < OPERANDS && OPERANDS_OF[direction][i].argument != 0; i++) {
        give(conv, made, OPERANDS_OF[direction][i].query, OPERANDS_OF[direction][i].slot,
             OPERANDS_OF[direction][i].argument);
    }
    give(conv, made, dnnl_query_scratchpad_md, 0, DNNL_ARG_SCRATCHPAD);
    if (direction == FORWARD) {
        conv->forward = made;
    } else {
        peak_check(dnnl_primitive_desc_destroy(made));
    }
    peak_check(dnnl_primitive_attr_destroy(attributes));
}

static void tidy(struct convolution *conv)
{
    for (int i = 0; i < conv->argument_count; i++) {
        void *values;

        peak_check(dnnl_memory_get_data_handle(conv->arguments[i].memory, &values));
        peak_check(dnnl_memory_destroy(conv->arguments[i].memory));
        free(values);
    }
    peak_check(dnnl_primitive_destroy(conv->primitive));
}

static void convolve(void *context)
{
    const struct convolution *conv = context;

    peak_check(dnnl_primitive_execute(conv->primitive, conv->stream, conv->argument_count, conv->arguments));
    peak_check(dnnl_stream_wait(conv->stream));
}

void peak_convolution(struct peak_thread *self)
{
    struct convolution conv = {0};

    peak_check(dnnl_engine_create(&conv.engine, dnnl_cpu, 0));
    peak_check(dnnl_stream_create(&conv.stream, conv.engine, dnnl_stream_default_flags));
    describe(&conv, self->sizes);
    const dnnl_dim_t *out = conv.any[DESTINATION].dims, *weights = conv.any[WEIGHTS].dims;
    double flops = 2.0 * (double)(out[0] * out[1] * out[2] * out[3]) * (double)(weights[1] * weights[2] * weights[3]);

    for (enum direction direction = FORWARD; direction < DIRECTIONS; direction++) {
        prepare(&conv, direction);
        self->rates[direction] = peak_rate(self, flops, convolve, &conv);
        tidy(&conv);
    }
    peak_check(dnnl_primitive_desc_destroy(conv.forward));
    peak_check(dnnl_stream_destroy(conv.stream));
    peak_check(dnnl_engine_destroy(conv.engine));
}
