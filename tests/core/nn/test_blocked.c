/*
 * The blocked kernels against plain twins that sum in the order blocked.h promises: every bit, for every width of vectors.
 * The 16-lane sources are compared in an emulation, too.
 */
#include "tests/assert_close.h"

#if defined(__x86_64__)
#include "tests/core/nn/blocked_shapes.h"

/* ---- plain twins ---- */

struct weight {
    uint32_t c, u, v;
};

/* A filter's weights in the order of sums. */
static const struct weight *in_order(const struct blocked *conv)
{
    static struct weight list[4096];
    size_t count = 0;

    for (uint32_t block = 0; block < conv->channels; block += conv->depth) {
        for (uint32_t u = 0; u < conv->kernel[0]; u++) {
            for (uint32_t v = 0; v < conv->kernel[1]; v++) {
                for (uint32_t c = block; c < block + conv->depth && c < conv->channels; c++) {
                    list[count++] = (struct weight){c, u, v};
                }
            }
        }
    }
    return list;
}

static float plain_output(const struct fixture *f, uint32_t filter, uint32_t i, uint32_t j)
{
    const struct weight *w = in_order(&f->conv);
    float y = f->bias[filter];

    for (size_t k = 0; k < f->size; k++, w++) {
        y = fmaf(input_at(f, w->c, i + w->u, j + w->v), f->canonical[weight_at(f, filter, w->c, w->u, w->v)], y);
    }
    return y;
}

/* ---- layouts ---- */

static void images_come_back_as_planes(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        struct fixture f;
        struct blocked_image bare;
        size_t values;

        fixture_init(&f, s);
        bare = f.input;
        bare.padding[0] = bare.padding[1] = 0;
        values = (size_t)f.conv.channels * f.conv.in[0] * f.conv.in[1];
        float *cropped = floats(blocked_values(&bare)), *padded = floats(blocked_values(&f.input)), *planes = floats(values);

        memset(padded, 0x55, blocked_values(&f.input) * sizeof *padded);
        blocked_crop(&f.input, f.image, cropped);
        blocked_pad(&f.input, cropped, padded);
        assert_memory_equal(padded, f.image, blocked_values(&f.input) * sizeof *padded);
        blocked_to_planes(&bare, cropped, planes);
        assert_memory_equal(planes, f.planes, values * sizeof *planes);
        free(cropped);
        free(padded);
        free(planes);
        fixture_release(&f);
    }
}

static void parts_are_summed_into_canonical_weights(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        struct fixture f;

        fixture_init(&f, s);
        size_t weights = blocked_weights(&f.conv), rows = blocked_rows(&f.conv, C), count = f.size * f.conv.filters;
        float *parts = floats(3 * weights), *by_row = floats(3 * rows), *sums = noise(5, count), *before = floats(count);

        memcpy(before, sums, count * sizeof *sums);
        for (uint32_t b = 0; b < f.conv.filter_blocks; b++) {
            const float *canonical = f.canonical + b * C * f.size;

            for (size_t part = 0; part < 3; part++) {
                blocked_load_weights(&f.conv, b, canonical, parts + part * weights);
            }
            struct blocked_parts all = {parts, 3, weights};

            blocked_sum_weights(&f.conv, b, &all, 1, sums + b * C * f.size);
        }
        for (size_t i = 0; i < count; i++) {
            assert_same_bits(sums[i], before[i] + (float)(3 * (double)f.canonical[i]));
        }
        if (f.conv.depth == C) { /* then rows of gradients lie as those of weights */
            for (uint32_t b = 0; b < f.conv.filter_blocks; b++) {
                blocked_load_rows(&f.conv, b, f.canonical + b * C * f.size, by_row);
                blocked_sum_rows(&f.conv, b, &(struct blocked_parts){by_row, 1, rows}, 0, sums + b * C * f.size);
            }
            assert_memory_equal(sums, f.canonical, count * sizeof *sums);
        }
        free(parts);
        free(by_row);
        free(sums);
        free(before);
        fixture_release(&f);
    }
}

/* ---- dense kernels ---- */

static void check_product(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    struct blocked_product product = blocked_forward(conv);
    size_t row = (size_t)conv->out[1] * C, block = conv->out[0] * row;

    for (uint32_t i = 0, rows; i < conv->out[0]; i += rows) {
        rows = 1 + i % 3 < conv->out[0] - i ? 1 + i % 3 : conv->out[0] - i;
        kernels->product(&product, f->image, f->weights, f->bias, i, rows, f->y + i * row, block);
    }
    for (uint32_t filter = 0; filter < conv->filters; filter++) {
        for (uint32_t i = 0; i < conv->out[0]; i++) {
            for (uint32_t j = 0; j < conv->out[1]; j++) {
                assert_same_bits(f->y[output_at(&f->output, filter, i, j)], plain_output(f, filter, i, j));
            }
        }
    }
}

static void products_are_sums_in_the_promised_order(void **state)
{
    (void)state;
    for_each_shape(check_product);
}

static void check_gradient(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const struct blocked_product product = blocked_forward(conv);
    const size_t count = f->size * conv->filters;
    float *dy = noise(7, blocked_values(&f->output)), *dw = floats(blocked_weights(conv)), *got = floats(count);
    struct blocked_parts part = {dw, 1, 0};

    kernels->gradient(&product, conv->out[0], f->image, dy, 0, dw);
    kernels->gradient(&product, conv->out[0], f->image, dy, 1, dw);
    for (uint32_t b = 0; b < conv->filter_blocks; b++) {
        blocked_sum_weights(conv, b, &part, 0, got + b * C * f->size);
    }
    for (size_t k = 0; k < count; k++) {
        const struct weight *w = &in_order(conv)[k % f->size];
        const uint32_t filter = (uint32_t)(k / f->size);
        float want = 0;

        for (uint32_t p = 0; p < 2 * conv->out[0] * conv->out[1]; p++) {
            uint32_t i = p / conv->out[1] % conv->out[0], j = p % conv->out[1];

            want = fmaf(input_at(f, w->c, i + w->u, j + w->v), dy[output_at(&f->output, filter, i, j)], want);
        }
        assert_same_bits(got[weight_at(f, filter, w->c, w->u, w->v)], want);
    }
    free(dy);
    free(dw);
    free(got);
}

static void dense_gradients_are_sums_over_positions(void **state)
{
    (void)state;
    for_each_shape(check_gradient);
}

static void check_transposed(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const struct blocked_product product = blocked_backward(conv);
    struct blocked_image padded = blocked_output_gradient(conv), input = blocked_input_gradient(conv);
    float *dy = noise(8, blocked_values(&f->output)), *image = floats(blocked_values(&padded));
    float *transposed = floats(blocked_transposed(conv)), *dx = floats(blocked_values(&input));

    for (uint32_t b = 0; b < conv->filter_blocks; b++) {
        blocked_load_transposed(conv, b, f->canonical + b * C * f->size, transposed);
    }
    input.padding[0] = input.padding[1] = 0;
    blocked_pad(&padded, dy, image);
    kernels->product(&product, image, transposed, NULL, 0, conv->in[0], dx, (size_t)conv->in[0] * conv->in[1] * C);
    for (uint32_t c = 0; c < conv->channels; c++) {
        for (uint32_t i = 0; i < conv->in[0]; i++) {
            for (uint32_t j = 0; j < conv->in[1]; j++) {
                assert_close((double)dx[output_at(&input, c, i, j)], plain_input_gradient(f, dy, c, i, j), 1e-5, 1e-4);
            }
        }
    }
    free(dy);
    free(image);
    free(transposed);
    free(dx);
}

static void the_transposed_product_is_the_gradient_of_the_inputs(void **state)
{
    (void)state;
    for_each_shape(check_transposed);
}

/* ---- pools, and what is sparse behind them ---- */

static void check_pool(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const uint32_t columns = conv->pooled[1] * conv->window[1];
    const size_t block = (size_t)conv->window[0] * columns * C;
    float *band = noise(9, conv->filter_blocks * block), *y = floats(blocked_values(&f->pooled));
    uint8_t *places = calloc(blocked_values(&f->pooled) + 1, 1);

    assert_non_null(places);
    for (size_t i = 0; i < conv->filter_blocks * block; i++) { /* equal ones, and some that are no number */
        band[i] = i % 53 == 7 ? NAN : roundf(band[i]);
    }
    for (uint32_t i = 0; i < conv->pooled[0]; i++) {
        kernels->pool(conv, i, 1, band, (size_t)columns * C, block, NULL, y, i % 2 == 0 ? places : NULL, NULL);
    }
    for (size_t at = 0; at < blocked_values(&f->pooled); at++) {
        uint32_t lane = at % C, j = (uint32_t)(at / C % conv->pooled[1]),
                 i = (uint32_t)(at / C / conv->pooled[1] % conv->pooled[0]);
        const float *x = band + at / C / conv->pooled[1] / conv->pooled[0] * block + lane;
        float best = -INFINITY;
        uint32_t place = BLOCKED_DEAD;

        for (uint32_t k = 0; k < conv->window[0] * conv->window[1]; k++) {
            float value = x[(k / conv->window[1] * columns + j * conv->window[1] + k % conv->window[1]) * C];

            place = value > best || isnan(value) ? k : place;
            best = value > best || isnan(value) ? value : best;
        }
        assert_same_bits(y[at], best < 0 ? 0 : best);
        assert_int_equal(places[at], i % 2 == 1 ? 0 : best > 0 ? place : BLOCKED_DEAD);
    }
    free(band);
    free(y);
    free(places);
}

static void pools_take_the_first_of_equals_and_let_nan_through(void **state)
{
    (void)state;
    for_each_shape(check_pool);
}

/* Gradients of pooled outputs, and places at random. */
static void make_sparse(const struct fixture *f, float **dy, uint8_t **places)
{
    const uint32_t windows = f->conv.window[0] * f->conv.window[1];
    size_t count = blocked_values(&f->pooled);

    *dy = noise(10, count);
    *places = malloc(count + C);
    assert_non_null(*places);
    for (size_t i = 0; i < count; i++) {
        uint32_t draw = (uint32_t)(rng_uniform_f64(3, RNG_GENERATOR, 11, i) * (windows + 1));

        (*places)[i] = (uint8_t)(draw == windows ? BLOCKED_DEAD : draw);
        if ((i / C / f->pooled.size[0] / f->pooled.size[1]) * C + i % C >= f->conv.filters) {
            (*places)[i] = BLOCKED_DEAD; /* padding */
        }
    }
}

/* A weight's gradient of so many equal samples: kept positions, window by window. */
static float plain_kept_gradient(const struct fixture *f, const float *dy, const uint8_t *places, uint32_t filter,
                                 const struct weight *weight, uint32_t samples)
{
    const struct blocked *conv = &f->conv;
    const uint32_t windows = conv->pooled[0] * conv->pooled[1];
    float sum = 0;

    for (uint32_t k = 0; k < samples * windows; k++) {
        const uint32_t w = k % windows;
        const size_t at = ((size_t)filter / C * windows + w) * C + filter % C;
        const uint32_t i = w / conv->pooled[1] * conv->window[0] + places[at] / conv->window[1] + weight->u;
        const uint32_t j = w % conv->pooled[1] * conv->window[1] + places[at] % conv->window[1] + weight->v;

        sum = places[at] == BLOCKED_DEAD ? sum : fmaf(dy[at], input_at(f, weight->c, i, j), sum);
    }
    return sum;
}

/* One sample through scatter and gather: the same as dense gradients of outputs that are 0 elsewhere. */
static void check_sparse(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const size_t windows = (size_t)conv->pooled[0] * conv->pooled[1], filters = (size_t)conv->filter_blocks * C;
    const size_t count = f->size * conv->filters;
    struct blocked_image input = blocked_input_gradient(conv);
    float *dy, *dense = floats(blocked_values(&f->output)), *rows = floats(blocked_rows(conv, C));
    float *dx = floats(blocked_values(&input)), *dw = floats(blocked_rows(conv, conv->depth)), *got = floats(count);
    float *cropped = floats(blocked_values(&input)), *biases = floats(filters), *sums = floats(filters);
    uint8_t *places;

    make_sparse(f, &dy, &places);
    struct blocked_kept kept = {.capacity = (uint32_t)windows,
                                .count = calloc(filters, sizeof(uint32_t)),
                                .offset = calloc(filters * windows + 1, sizeof(uint32_t)),
                                .factor = calloc(filters * windows + 1, sizeof(float))};
    struct blocked_sparse sparse = {.dy = dy, .places = places, .rows = rows, .dx = dx};

    for (size_t i = 0; i < blocked_values(&f->pooled); i++) {
        uint32_t w = (uint32_t)(i / C % windows), b = (uint32_t)(i / C / windows);

        if (places[i] != BLOCKED_DEAD) {
            dense[output_at(&f->output, b * C + i % C, w / conv->pooled[1] * conv->window[0] + places[i] / conv->window[1],
                            w % conv->pooled[1] * conv->window[1] + places[i] % conv->window[1])] = dy[i];
            sums[b * C + i % C] += dy[i];
        }
    }
    for (uint32_t b = 0; b < conv->filter_blocks; b++) {
        blocked_load_rows(conv, b, f->canonical + b * C * f->size, rows);
    }
    kernels->scatter(conv, &sparse, &kept);
    kernels->gather(conv, &kept, f->image, dw);
    kernels->biases(conv, windows, dy, places, biases);
    assert_memory_equal(biases, sums, filters * sizeof *sums);
    for (uint32_t b = 0; b < conv->filter_blocks; b++) {
        blocked_sum_rows(conv, b, &(struct blocked_parts){dw, 1, 0}, 0, got + b * C * f->size);
    }
    for (size_t k = 0; k < count; k++) {
        const struct weight *weight = &in_order(conv)[k % f->size];
        const uint32_t filter = (uint32_t)(k / f->size);

        assert_same_bits(got[weight_at(f, filter, weight->c, weight->u, weight->v)],
                         plain_kept_gradient(f, dy, places, filter, weight, 1));
        assert_int_equal(kept.count[filter], 0);
    }
    blocked_crop(&input, dx, cropped);
    input.padding[0] = input.padding[1] = 0;
    for (uint32_t c = 0; c < conv->channels; c++) {
        for (uint32_t i = 0; i < conv->in[0]; i++) {
            for (uint32_t j = 0; j < conv->in[1]; j++) {
                assert_close((double)cropped[output_at(&input, c, i, j)], plain_input_gradient(f, dense, c, i, j), 1e-5,
                             1e-4);
            }
        }
    }
    free(dy);
    free(dense);
    free(rows);
    free(dx);
    free(dw);
    free(got);
    free(cropped);
    free(biases);
    free(sums);
    free(places);
    free(kept.count);
    free(kept.offset);
    free(kept.factor);
}

/* The same sums without lists. */
static void check_picked(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const size_t count = f->size * conv->filters;
    float *dy, *dw, *got;
    uint8_t *places;

    if (conv->depth == C || conv->window[0] * conv->window[1] > BLOCKED_MOST_PICK) {
        return;
    }
    dw = floats(blocked_weights(conv));
    got = floats(count);
    make_sparse(f, &dy, &places);
    for (int sample = 0; sample < 2; sample++) {
        kernels->pick_gradient(conv, f->image, dy, places, dw);
    }
    for (uint32_t b = 0; b < conv->filter_blocks; b++) {
        blocked_sum_weights(conv, b, &(struct blocked_parts){dw, 1, 0}, 0, got + b * C * f->size);
    }
    for (size_t k = 0; k < count; k++) {
        const struct weight *weight = &in_order(conv)[k % f->size];
        const uint32_t filter = (uint32_t)(k / f->size);

        assert_same_bits(got[weight_at(f, filter, weight->c, weight->u, weight->v)],
                         plain_kept_gradient(f, dy, places, filter, weight, 2));
    }
    free(dy);
    free(places);
    free(dw);
    free(got);
}

static void few_channels_gradients_are_picked(void **state)
{
    (void)state;
    for_each_shape(check_picked);
}

static void sparse_gradients_are_those_of_the_kept_positions(void **state)
{
    (void)state;
    for_each_shape(check_sparse);
}

/* ---- batch_norm ---- */

/* Three coefficients for each channel, at random. */
static struct blocked_norm make_norm(const struct fixture *f, float **coefficients)
{
    const size_t filters = (size_t)f->conv.filter_blocks * C;

    *coefficients = noise(12, 5 * filters);
    return (struct blocked_norm){*coefficients, *coefficients + filters, *coefficients + 2 * filters,
                                 *coefficients + 3 * filters, *coefficients + 4 * filters};
}

/* x - middle of what place `i` of a pooled image keeps; 0 where it is dead. */
static float apart_at(const struct fixture *f, const float *x, const struct blocked_norm *norm, const uint8_t *places,
                      size_t i)
{
    const struct blocked *conv = &f->conv;
    const uint32_t windows = conv->pooled[0] * conv->pooled[1], w = (uint32_t)(i / C % windows);
    const uint32_t channel = (uint32_t)(i / C / windows * C + i % C);
    const uint32_t row = w / conv->pooled[1] * conv->window[0] + places[i] / conv->window[1];
    const uint32_t column = w % conv->pooled[1] * conv->window[1] + places[i] % conv->window[1];

    return places[i] == BLOCKED_DEAD ? 0 : x[output_at(&f->output, channel, row, column)] - norm->middle[channel];
}

static void check_norm(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const size_t positions = (size_t)conv->out[0] * conv->out[1], count = blocked_values(&f->output);
    const size_t windows = (size_t)conv->pooled[0] * conv->pooled[1];
    float *x = noise(13, count), *dx = floats(count), *coefficients, *dy, *apart = floats(blocked_values(&f->pooled));
    uint8_t *places;
    struct blocked_norm norm = make_norm(f, &coefficients);

    make_sparse(f, &dy, &places);
    for (size_t i = 0; i < blocked_values(&f->pooled); i++) {
        apart[i] = apart_at(f, x, &norm, places, i);
    }
    kernels->norm_backward(conv, x, dy, places, &norm, dx);
    for (uint32_t channel = 0; channel < conv->filters; channel++) {
        double sum[C] = {0}, product[C] = {0}, mean[C], square[C], wanted[4] = {0};
        const uint32_t block = channel / C, lane = channel % C;

        kernels->moments(positions, x + block * positions * C, mean, square);
        kernels->norm_sums(conv, block, apart, dy, places, sum, product);
        for (size_t p = 0; p < positions; p++) {
            wanted[0] += (double)x[(block * positions + p) * C + lane] / (double)positions;
        }
        for (size_t p = 0; p < positions; p++) {
            const uint32_t i = (uint32_t)(p / conv->out[1]), j = (uint32_t)(p % conv->out[1]);
            const uint32_t row = i / conv->window[0], column = j / conv->window[1];
            const uint32_t place = i % conv->window[0] * conv->window[1] + j % conv->window[1];
            const size_t at = (block * positions + p) * C + lane;
            const size_t w = (block * windows + (size_t)row * conv->pooled[1] + column) * C + lane;
            const int is_kept = row < conv->pooled[0] && column < conv->pooled[1] && places[w] == place;
            const float distance = x[at] - norm.middle[channel], d = is_kept ? dy[w] : 0;
            const float linear = fmaf(distance, norm.slope[channel], norm.offset[channel]);

            assert_same_bits(dx[at], fmaf(norm.factor[channel], d, linear));
            wanted[1] += ((double)x[at] - wanted[0]) * ((double)x[at] - wanted[0]);
            wanted[2] += (double)d;
            wanted[3] += (double)d * (double)distance;
        }
        assert_close(mean[lane], wanted[0], 1e-6, 1e-6);
        assert_close(square[lane], wanted[1], 1e-5, 1e-6);
        assert_close(sum[lane], wanted[2], 1e-5, 1e-5);
        assert_close(product[lane], wanted[3], 1e-5, 1e-5);
    }
    free(x);
    free(dx);
    free(dy);
    free(apart);
    free(coefficients);
    free(places);
}

static void batch_norm_takes_moments_and_gradients_of_kept_positions(void **state)
{
    (void)state;
    for_each_shape(check_norm);
}

/* What pools make of x, normalised by them or beforehand. */
static void check_normalised_pool(const struct fixture *f, const struct blocked_kernels *kernels)
{
    const struct blocked *conv = &f->conv;
    const size_t row = (size_t)conv->out[1] * C, count = blocked_values(&f->output), pooled = blocked_values(&f->pooled);
    float *x = noise(14, count), *plain = floats(count), *coefficients, *y = floats(pooled), *want = floats(pooled);
    float *apart = floats(pooled);
    uint8_t *places = calloc(2 * pooled, 1);
    struct blocked_norm norm = make_norm(f, &coefficients);

    assert_non_null(places);
    for (size_t i = 0; i < count; i++) {
        size_t channel = i / C / conv->out[0] / conv->out[1] * C + i % C;

        plain[i] = fmaf(x[i] - norm.middle[channel], norm.factor[channel], norm.above[channel]);
    }
    for (uint32_t i = 0; i < conv->pooled[0]; i++) {
        size_t first = i * conv->window[0] * row;

        kernels->pool(conv, i, 1, x + first, row, conv->out[0] * row, &norm, y, places, apart);
        kernels->pool(conv, i, 1, plain + first, row, conv->out[0] * row, NULL, want, places + pooled, NULL);
    }
    assert_memory_equal(y, want, pooled * sizeof *y);
    assert_memory_equal(places, places + pooled, pooled);
    for (size_t i = 0; i < pooled; i++) {
        assert_true(places[i] == BLOCKED_DEAD || apart[i] == apart_at(f, x, &norm, places, i));
    }
    free(x);
    free(apart);
    free(plain);
    free(coefficients);
    free(y);
    free(want);
    free(places);
}

static void pools_normalise_on_the_way(void **state)
{
    (void)state;
    for_each_shape(check_normalised_pool);
}

/* Sums over lanes' positions that no plain twin above has to the bit. */
static void assert_equal_norm_sums(const struct fixture *f, const struct blocked_kernels *a, const struct blocked_kernels *b,
                                   const float *dy, const uint8_t *places)
{
    const size_t positions = (size_t)f->conv.out[0] * f->conv.out[1];
    float *x = noise(13, blocked_values(&f->output)), *apart = noise(15, blocked_values(&f->pooled));
    double sums[2][4][C] = {{{0}}};

    a->moments(positions, x, sums[0][0], sums[0][1]);
    b->moments(positions, x, sums[1][0], sums[1][1]);
    a->norm_sums(&f->conv, 0, apart, dy, places, sums[0][2], sums[0][3]);
    b->norm_sums(&f->conv, 0, apart, dy, places, sums[1][2], sums[1][3]);
    assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
    free(x);
    free(apart);
}

static void all_widths_have_equal_bits(void **state)
{
    const struct blocked_kernels *kernels[3];
    size_t count = all_kernels(kernels);

    (void)state;
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        struct fixture f;
        float *dy, *want = NULL;
        uint8_t *places;

        fixture_init(&f, s);
        make_sparse(&f, &dy, &places);
        struct blocked_image input = blocked_input_gradient(&f.conv);
        size_t windows = (size_t)f.conv.pooled[0] * f.conv.pooled[1], filters = (size_t)f.conv.filter_blocks * C;
        float *rows = floats(blocked_rows(&f.conv, C));

        for (uint32_t b = 0; b < f.conv.filter_blocks; b++) {
            blocked_load_rows(&f.conv, b, f.canonical + b * C * f.size, rows);
        }
        for (size_t k = 0; k < count; k++) {
            float *dx = floats(blocked_values(&input));
            struct blocked_kept kept = {.capacity = (uint32_t)windows,
                                        .count = calloc(filters, sizeof(uint32_t)),
                                        .offset = calloc(filters * windows + 1, sizeof(uint32_t)),
                                        .factor = calloc(filters * windows + 1, sizeof(float))};
            struct blocked_sparse sparse = {.dy = dy, .places = places, .rows = rows, .dx = dx};

            assert_equal_norm_sums(&f, kernels[0], kernels[k], dy, places);
            kernels[k]->scatter(&f.conv, &sparse, &kept);
            if (want != NULL) {
                assert_memory_equal(dx, want, blocked_values(&input) * sizeof *dx);
                free(dx);
            } else {
                want = dx;
            }
            free(kept.count);
            free(kept.offset);
            free(kept.factor);
        }
        free(want);
        free(rows);
        free(dy);
        free(places);
        fixture_release(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_come_back_as_planes),
        cmocka_unit_test(parts_are_summed_into_canonical_weights),
        cmocka_unit_test(products_are_sums_in_the_promised_order),
        cmocka_unit_test(dense_gradients_are_sums_over_positions),
        cmocka_unit_test(the_transposed_product_is_the_gradient_of_the_inputs),
        cmocka_unit_test(pools_take_the_first_of_equals_and_let_nan_through),
        cmocka_unit_test(few_channels_gradients_are_picked),
        cmocka_unit_test(sparse_gradients_are_those_of_the_kept_positions),
        cmocka_unit_test(batch_norm_takes_moments_and_gradients_of_kept_positions),
        cmocka_unit_test(pools_normalise_on_the_way),
        cmocka_unit_test(all_widths_have_equal_bits),
    };

    return cmocka_run_group_tests_name("blocked", tests, NULL, NULL);
}

#else

int main(void)
{
    return 0; /* no kernel tier here has blocked kernels */
}

#endif
