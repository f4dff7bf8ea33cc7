/*
 * Convolutions by minimal filtering against a plain twin that sums in the order blocked_winograd.h promises: every bit, for
 * every width of vectors; and against the definition.
 */
#include "tests/assert_close.h"

#if defined(__x86_64__)
#include "core/nn/blocked_winograd.h"
#include "tests/core/nn/blocked_shapes.h"

/* ---- the plain twin ---- */

struct square {
    float at[4][4];
};

typedef void transform(const float in[4], float out[4]);

static void kernel_transform(const float g[4], float out[4])
{
    out[0] = g[0];
    out[1] = ((g[0] + g[2]) + g[1]) * 0.5f;
    out[2] = ((g[0] + g[2]) - g[1]) * 0.5f;
    out[3] = g[2];
}

static void input_transform(const float d[4], float out[4])
{
    out[0] = d[0] - d[2];
    out[1] = d[1] + d[2];
    out[2] = d[2] - d[1];
    out[3] = d[1] - d[3];
}

static void output_transform(const float m[4], float out[4])
{
    out[0] = (m[0] + m[1]) + m[2];
    out[1] = (m[1] - m[2]) - m[3];
}

static void output_gradient_transform(const float dy[4], float out[4])
{
    out[0] = dy[0];
    out[1] = dy[0] + dy[1];
    out[2] = dy[0] - dy[1];
    out[3] = -dy[1];
}

static void kernel_gradient_transform(const float u[4], float out[4])
{
    const float sum = (u[1] + u[2]) * 0.5f;

    out[0] = u[0] + sum;
    out[1] = (u[1] - u[2]) * 0.5f;
    out[2] = u[3] + sum;
}

/* Down the columns, then along the rows. What a transform leaves alone stays 0. */
static struct square both_ways(transform *one, struct square in)
{
    struct square half = {{{0}}}, out = {{{0}}};

    for (int j = 0; j < 4; j++) {
        float column[4], made[4] = {0};

        for (int i = 0; i < 4; i++) {
            column[i] = in.at[i][j];
        }
        one(column, made);
        for (int i = 0; i < 4; i++) {
            half.at[i][j] = made[i];
        }
    }
    for (int i = 0; i < 4; i++) {
        one(half.at[i], out.at[i]);
    }
    return out;
}

static struct square plain_kernel(const struct fixture *f, uint32_t filter, uint32_t c)
{
    struct square g = {{{0}}};

    for (uint32_t u = 0; u < 3; u++) {
        for (uint32_t v = 0; v < 3; v++) {
            g.at[u][v] = f->canonical[weight_at(f, filter, c, u, v)];
        }
    }
    return both_ways(kernel_transform, g);
}

/* What the kernel meets in tile (i, j) of channel c. */
static struct square plain_inputs(const struct fixture *f, uint32_t c, uint32_t i, uint32_t j)
{
    struct square d;

    for (uint32_t k = 0; k < 4; k++) {
        for (uint32_t l = 0; l < 4; l++) {
            d.at[k][l] = input_at(f, c, 2 * i + k, 2 * j + l);
        }
    }
    return both_ways(input_transform, d);
}

/* Outputs of tile (i, j). */
static struct square plain_tile(const struct fixture *f, uint32_t filter, uint32_t i, uint32_t j)
{
    struct square products = {{{0}}};

    for (uint32_t c = 0; c < f->conv.channels; c++) {
        const struct square g = plain_kernel(f, filter, c), d = plain_inputs(f, c, i, j);

        for (int k = 0; k < 16; k++) {
            products.at[k / 4][k % 4] = fmaf(d.at[k / 4][k % 4], g.at[k / 4][k % 4], products.at[k / 4][k % 4]);
        }
    }
    return both_ways(output_transform, products);
}

/* A kernel's gradient of two equal samples. */
static struct square plain_gradient(const struct fixture *f, const float *dy, uint32_t filter, uint32_t c)
{
    const uint32_t rows = (f->conv.out[0] + 1) / 2, columns = (f->conv.out[1] + 1) / 2;
    struct square products = {{{0}}};

    for (uint32_t tile = 0; tile < 2 * rows * columns; tile++) {
        const uint32_t i = tile / columns % rows, j = tile % columns;
        struct square d = plain_inputs(f, c, i, j), gradients = {{{0}}};

        for (uint32_t k = 0; k < 4; k++) {
            if (2 * i + k / 2 < f->conv.out[0] && 2 * j + k % 2 < f->conv.out[1]) {
                gradients.at[k / 2][k % 2] = dy[output_at(&f->output, filter, 2 * i + k / 2, 2 * j + k % 2)];
            }
        }
        gradients = both_ways(output_gradient_transform, gradients);
        for (int k = 0; k < 16; k++) {
            products.at[k / 4][k % 4] = fmaf(d.at[k / 4][k % 4], gradients.at[k / 4][k % 4], products.at[k / 4][k % 4]);
        }
    }
    return both_ways(kernel_gradient_transform, products);
}

/* ---- the kernels ---- */

static int is_possible(const struct fixture *f)
{
    return f->conv.kernel[0] == 3 && f->conv.kernel[1] == 3 && f->conv.depth == C;
}

/* An image without padding, as these kernels read it. */
static float *bare_image(const struct fixture *f)
{
    const struct blocked_image bare = blocked_bare(f->input);
    float *image;

    load_image(&bare, f->planes, &image);
    return image;
}

static float *transformed_weights(const struct fixture *f)
{
    float *weights = floats(blocked_winograd_weights(&f->conv));

    for (uint32_t b = 0; b < f->conv.filter_blocks; b++) {
        blocked_load_winograd(&f->conv, b, f->canonical + b * C * f->size, weights);
    }
    return weights;
}

/* With those outputs, too, that max-pool leaves out. */
static struct blocked_winograd of_all_outputs(const struct fixture *f)
{
    struct blocked_winograd winograd = blocked_winograd_forward(&f->conv);

    winograd.out[0] = f->conv.out[0];
    winograd.out[1] = f->conv.out[1];
    return winograd;
}

/* All rows of tiles, `most` at a time; what lies behind the room must stay as it is. */
static void run(const struct blocked_kernels *kernels, const struct blocked_winograd *winograd, uint32_t most,
                const float *image, const float *weights, const float *bias, float *y)
{
    const uint32_t all = (winograd->out[0] + 1) / 2;
    const size_t row = (size_t)winograd->out[1] * C, room_size = blocked_winograd_room(winograd, most);
    float *room = floats(room_size + 1);

    room[room_size] = 0.25f;
    for (uint32_t first = 0, rows; first < all; first += rows) {
        rows = most < all - first ? most : all - first;
        kernels->winograd(winograd, image, weights, bias, first, rows, y + 2 * first * row, winograd->out[0] * row, room);
    }
    assert_true(room[room_size] == 0.25f);
    free(room);
}

static void check_outputs(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const struct blocked_winograd winograd = of_all_outputs(f);
    float *image, *weights;

    if (!is_possible(f)) {
        return;
    }
    image = bare_image(f);
    weights = transformed_weights(f);
    for (uint32_t most = 1; most < 4; most++) {
        memset(f->y, 0x55, blocked_values(&f->output) * sizeof *f->y);
        run(kernels, &winograd, most, image, weights, f->bias, f->y);
        for (uint32_t filter = 0; filter < conv->filters; filter++) {
            for (uint32_t p = 0; p < conv->out[0] * conv->out[1]; p++) {
                const uint32_t i = p / conv->out[1], j = p % conv->out[1];
                const float got = f->y[output_at(&f->output, filter, i, j)];

                if (most == 1 || i % 3 == 0) {
                    assert_same_bits(got, plain_tile(f, filter, i / 2, j / 2).at[i % 2][j % 2] + f->bias[filter]);
                }
                assert_close((double)got, defined_output(f, filter, i, j), 1e-5, 1e-4);
            }
        }
    }
    free(image);
    free(weights);
}

static void outputs_are_sums_in_the_promised_order(void **state)
{
    (void)state;
    for_each_shape(check_outputs);
}

/* Of outputs that max-pool leaves out, none is made. */
static void check_pooled_outputs(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked_winograd winograd = blocked_winograd_forward(&f->conv);
    const size_t row = (size_t)winograd.out[1] * C, block = winograd.out[0] * row;
    float *image, *weights, *y;

    if (!is_possible(f)) {
        return;
    }
    image = bare_image(f);
    weights = transformed_weights(f);
    y = floats(f->conv.filter_blocks * block + row);
    run(kernels, &winograd, blocked_winograd_rows(&winograd, f->conv.window[0]), image, weights, f->bias, y);
    for (uint32_t filter = 0; filter < f->conv.filters; filter++) {
        for (uint32_t i = 0; i < winograd.out[0]; i++) {
            for (uint32_t j = 0; j < winograd.out[1]; j++) {
                assert_close((double)y[filter / C * block + i * row + (size_t)j * C + filter % C],
                             defined_output(f, filter, i, j), 1e-5, 1e-4);
            }
        }
    }
    for (size_t k = 0; k < row; k++) { /* nor is anything written behind them */
        assert_true(y[f->conv.filter_blocks * block + k] == 0);
    }
    free(image);
    free(weights);
    free(y);
}

static void only_outputs_that_are_pooled_are_made(void **state)
{
    (void)state;
    for_each_shape(check_pooled_outputs);
}

static void check_input_gradient(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const struct blocked_winograd winograd = blocked_winograd_backward(conv);
    const struct blocked_image input = blocked_bare(blocked_input_gradient(conv));
    float *dy, *weights, *dx;

    if (!is_possible(f)) {
        return;
    }
    dy = noise(8, blocked_values(&f->output));
    weights = floats(blocked_winograd_weights(conv));
    dx = floats(blocked_values(&input));
    for (uint32_t b = 0; b < conv->filter_blocks; b++) {
        blocked_load_winograd_transposed(conv, b, f->canonical + b * C * f->size, weights);
    }
    run(kernels, &winograd, 2, dy, weights, NULL, dx);
    for (uint32_t c = 0; c < conv->channels; c++) {
        for (uint32_t p = 0; p < conv->in[0] * conv->in[1]; p++) {
            const uint32_t i = p / conv->in[1], j = p % conv->in[1];

            assert_close((double)dx[output_at(&input, c, i, j)], plain_input_gradient(f, dy, c, i, j), 1e-5, 2e-4);
        }
    }
    free(dy);
    free(weights);
    free(dx);
}

static void the_transposed_one_is_the_gradient_of_the_inputs(void **state)
{
    (void)state;
    for_each_shape(check_input_gradient);
}

/* By the definition, of two equal samples. */
static double defined_gradient(const struct fixture *f, const float *dy, uint32_t filter, uint32_t c, uint32_t u, uint32_t v)
{
    double sum = 0;

    for (uint32_t i = 0; i < f->conv.out[0]; i++) {
        for (uint32_t j = 0; j < f->conv.out[1]; j++) {
            sum += 2 * (double)input_at(f, c, i + u, j + v) * (double)dy[output_at(&f->output, filter, i, j)];
        }
    }
    return sum;
}

static void check_gradient(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const struct blocked_winograd winograd = of_all_outputs(f);
    const uint32_t most = 2;
    float *image, *dy, *gradients, *room, *got;

    if (!is_possible(f)) {
        return;
    }
    image = bare_image(f);
    dy = noise(7, blocked_values(&f->output));
    gradients = floats(blocked_winograd_weights(conv));
    room = floats(blocked_winograd_room(&winograd, most) + 1);
    room[blocked_winograd_room(&winograd, most)] = 0.25f;
    got = noise(5, f->size * conv->filters);
    for (int sample = 0; sample < 2; sample++) {
        for (uint32_t first = 0, rows; first < (conv->out[0] + 1) / 2; first += rows) {
            rows = most < (conv->out[0] + 1) / 2 - first ? most : 1;
            kernels->winograd_gradient(&winograd, image, dy, first, rows, sample > 0 || first > 0, gradients, room);
        }
    }
    assert_true(room[blocked_winograd_room(&winograd, most)] == 0.25f);
    for (uint32_t filter = 0; filter < conv->filters; filter++) {
        if (filter % C == 0) { /* a block: set, then added to what is there */
            float *block = got + filter * f->size;

            blocked_sum_winograd(conv, filter / C, &(struct blocked_parts){gradients, 1, 0}, 0, block);
            blocked_sum_winograd(conv, filter / C, &(struct blocked_parts){gradients, 1, 0}, 1, block);
        }
        for (uint32_t c = 0; c < conv->channels; c++) {
            const struct square want = plain_gradient(f, dy, filter, c);

            for (uint32_t k = 0; k < 9; k++) {
                const float value = got[weight_at(f, filter, c, k / 3, k % 3)];

                assert_same_bits(value, 2 * want.at[k / 3][k % 3]);
                assert_close((double)value / 2, defined_gradient(f, dy, filter, c, k / 3, k % 3), 1e-5, 2e-4);
            }
        }
    }
    free(image);
    free(dy);
    free(gradients);
    free(room);
    free(got);
}

static void gradients_are_sums_over_tiles(void **state)
{
    (void)state;
    for_each_shape(check_gradient);
}

/* ---- where it is done ---- */

static void it_suits_kernels_of_3_x_3_whose_tiles_are_mostly_full(void **state)
{
    static const struct {
        struct shape shape;
        int is_suited;
    } CASES[] = {
        {{32, 64, {3, 3}, {1, 1}, {16, 16}, {1, 1}}, 1}, {{16, 16, {3, 3}, {0, 0}, {4, 4}, {1, 1}}, 1},
        {{32, 64, {3, 3}, {0, 0}, {5, 5}, {1, 1}}, 0},   {{32, 64, {3, 3}, {0, 0}, {7, 7}, {1, 1}}, 1},
        {{32, 64, {3, 3}, {0, 0}, {3, 9}, {1, 1}}, 0},   {{32, 64, {5, 5}, {2, 2}, {16, 16}, {1, 1}}, 0},
        {{3, 64, {3, 3}, {1, 1}, {32, 32}, {1, 1}}, 0},  {{32, 15, {3, 3}, {1, 1}, {16, 16}, {1, 1}}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const struct blocked conv = conv_of(&CASES[i].shape);

        assert_int_equal(blocked_suits_winograd(&conv), CASES[i].is_suited);
    }
}

static void strips_are_whole_windows(void **state)
{
    (void)state;
    for (uint32_t window = 1; window < 5; window++) {
        for (uint32_t out = 1; out < 200; out += 7) {
            const struct blocked_winograd winograd = {.blocks_in = 1, .blocks_out = 1, .out = {out * window, out}};
            const uint32_t rows = blocked_winograd_rows(&winograd, window);

            assert_true(rows > 0);
            assert_int_equal(rows % window, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_sums_in_the_promised_order),
        cmocka_unit_test(only_outputs_that_are_pooled_are_made),
        cmocka_unit_test(the_transposed_one_is_the_gradient_of_the_inputs),
        cmocka_unit_test(gradients_are_sums_over_tiles),
        cmocka_unit_test(it_suits_kernels_of_3_x_3_whose_tiles_are_mostly_full),
        cmocka_unit_test(strips_are_whole_windows),
    };

    return cmocka_run_group_tests_name("blocked_winograd", tests, NULL, NULL);
}

#else

int main(void)
{
    return 0; /* no kernel tier here has blocked kernels */
}

#endif
