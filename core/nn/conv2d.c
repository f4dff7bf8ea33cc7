/*
 * Convolution by unfolding ("im2col") and matrix products. Rejected: the library's own convolutions, whose blocked layouts
 * need reorders of weights and activations at every step; and plain loops, which reach a tenth of a product's speed.
 */
#include "core/nn/conv2d.h"

#include <string.h>

#include "core/base/matrix_library.h"
#include "core/base/vector_clones.h"

#define COLUMN_VALUES ((size_t)1 << 18) /* of the unfolded rows at a time: about what a second-level cache holds */

size_t conv2d_filter_size(const struct conv2d *conv)
{
    return (size_t)conv->channels * conv->kernel[0] * conv->kernel[1];
}

/* Rows of positions that are unfolded at a time. */
static uint32_t band_rows(const struct conv2d *conv)
{
    size_t row = conv2d_filter_size(conv) * conv->out_width, rows = COLUMN_VALUES / row;

    return rows < 1 ? 1 : rows < conv->out_height ? (uint32_t)rows : conv->out_height;
}

size_t conv2d_columns(const struct conv2d *conv)
{
    return conv2d_filter_size(conv) * conv->out_width * band_rows(conv);
}

/* A piece of the positions, whole rows of them. */
struct band {
    uint32_t first, rows;
    size_t at, positions; /* of its first position, in a plane of outputs; how many */
};

static int next_band(const struct conv2d *conv, struct band *band)
{
    uint32_t most = band_rows(conv), left;

    band->first += band->rows;
    left = conv->out_height - band->first;
    band->rows = left < most ? left : most;
    band->at = (size_t)band->first * conv->out_width;
    band->positions = (size_t)band->rows * conv->out_width;
    return band->rows > 0;
}

/* What one weight of the kernel meets along a row of positions. */
struct tap {
    uint32_t begin, end; /* positions [begin, end) lie inside of the image's row */
    ptrdiff_t shift;     /* position j meets column j * stride + shift */
};

static struct tap tap_of(const struct conv2d *conv, uint32_t v)
{
    ptrdiff_t shift = (ptrdiff_t)v - (ptrdiff_t)conv->padding[1], stride = (ptrdiff_t)conv->stride[1];
    ptrdiff_t begin = shift < 0 ? (-shift + stride - 1) / stride : 0;
    ptrdiff_t room = (ptrdiff_t)conv->width - shift; /* columns at and behind position 0's, at least 1 - padding */
    ptrdiff_t end = room > 0 ? (room + stride - 1) / stride : 0, width = (ptrdiff_t)conv->out_width;

    end = end < width ? end : width;
    begin = begin < end ? begin : end;
    return (struct tap){(uint32_t)begin, (uint32_t)end, shift};
}

/* The image's row that kernel row u meets at row `i` of positions; -1: none, it is padding. */
static ptrdiff_t image_row(const struct conv2d *conv, uint32_t i, uint32_t u)
{
    ptrdiff_t row = (ptrdiff_t)i * conv->stride[0] + (ptrdiff_t)u - (ptrdiff_t)conv->padding[0];

    return row < (ptrdiff_t)conv->height ? row : -1;
}

/* Where positions and image lie alike: one step apart, rows of one width. Then whole planes are shifted, not rows. */
static int keeps_width(const struct conv2d *conv)
{
    return conv->stride[0] == 1 && conv->stride[1] == 1 && conv->out_width == conv->width;
}

/* Of such a convolution: position p of the band, begin <= p < end, meets the plane's value p + offset under weight (u, v).
 */
struct shifted {
    ptrdiff_t begin, end, offset;
};

static struct shifted shifted_of(const struct conv2d *conv, const struct band *band, uint32_t u, uint32_t v)
{
    ptrdiff_t width = (ptrdiff_t)conv->width, plane = (ptrdiff_t)conv->height * width;
    ptrdiff_t row = (ptrdiff_t)band->first + (ptrdiff_t)u - (ptrdiff_t)conv->padding[0];
    struct shifted shifted = {.offset = row * width + (ptrdiff_t)v - (ptrdiff_t)conv->padding[1]};

    shifted.begin = shifted.offset < 0 ? -shifted.offset : 0;
    shifted.end = plane - shifted.offset;
    shifted.end = shifted.end < (ptrdiff_t)band->positions ? shifted.end : (ptrdiff_t)band->positions;
    shifted.end = shifted.end > 0 ? shifted.end : 0;
    shifted.begin = shifted.begin < shifted.end ? shifted.begin : shifted.end;
    return shifted;
}

#define LANES 8 /* in which a filter's gradients are summed, added up in order at the end */

#define REAL    float
#define R(name) name##_f32
#define GEMM    matrix_library_sgemm
#include "core/nn/conv2d.inc"
#undef REAL
#undef R
#undef GEMM

#define REAL    double
#define R(name) name##_f64
#define GEMM    matrix_reference_dgemm
#include "core/nn/conv2d.inc"
