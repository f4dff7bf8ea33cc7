#include "core/data/idx.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/data/block.h"
#include "core/data/idx_reader.h"
#include "core/data/narrow.h"

#define CONVERTED 1024 /* elements at a time */

struct idx {
    struct parse_options options;
    struct idx_reader *reader;
    struct block_writer block;
    enum idx_type type;
    size_t element_size;
    struct dataset shape;
};

static enum status take_header(void *context, const struct idx_header *header, struct error *error)
{
    struct idx *idx = context;
    uint64_t max_rows = idx->options.max_rows > 0 ? idx->options.max_rows : DATASET_MAX_ROWS;
    uint64_t max_cells = idx->options.max_cells > 0 ? idx->options.max_cells : DATASET_MAX_CELLS;
    uint64_t features = 1;

    if (header->rank == 1)
        return error_set_offset(error, STATUS_IDX_BAD_RANK, 3, "1 dimension, as labels have; rows of features have 2 to %d",
                                IDX_MAX_RANK);
    for (uint32_t i = 1; i < header->rank; i++) {
        features *= header->dims[i];
        if (features > DATASET_MAX_FEATURES)
            return error_set_offset(error, STATUS_DATASET_TOO_LARGE, 8, "more than %d features", DATASET_MAX_FEATURES);
    }
    if (header->dims[0] > max_rows || header->dims[0] > DATASET_MAX_ROWS)
        return error_set_offset(error, STATUS_DATASET_TOO_LARGE, 4, "%" PRIu32 " rows", header->dims[0]);
    if (header->dims[0] * features > max_cells)
        return error_set_offset(error, STATUS_DATASET_TOO_LARGE, 4, "more than %" PRIu64 " values", max_cells);
    idx->type = header->type;
    idx->element_size = header->element_size;
    idx->shape = (struct dataset){
        .rows = header->dims[0],
        .features = (uint32_t)features,
        .channels = header->rank == 4 ? header->dims[1] : 1,
        .height = header->rank > 2 ? header->dims[header->rank - 2] : 1,
        .width = header->dims[header->rank - 1],
        .is_image = header->rank > 2,
        .feature_type = header->type == IDX_U8 ? FEATURE_U8 : FEATURE_F32,
        .label_type = LABEL_NONE,
    };
    return STATUS_OK;
}

static enum status take_elements(void *context, const unsigned char *elements, uint64_t first, size_t count,
                                 struct error *error)
{
    struct idx *idx = context;
    float converted[CONVERTED];
    enum status status = STATUS_OK;

    if (idx->type == IDX_U8)
        return block_writer_put(&idx->block, elements, count, error);
    for (size_t done = 0; done < count && !status;) {
        size_t n = count - done < CONVERTED ? count - done : CONVERTED;

        for (size_t i = 0; i < n; i++) {
            double value = idx_element(idx->type, elements + (done + i) * idx->element_size);

            if (!narrow_f32(value, &converted[i])) {
                uint64_t at = first + done + i;

                return error_set_line(error, STATUS_NON_FINITE_VALUE, (int64_t)(at / idx->shape.features) + 1,
                                      (int64_t)(at % idx->shape.features) + 1,
                                      "feature %" PRIu64 " of row %" PRIu64 " is %g, not finite in float32",
                                      at % idx->shape.features + 1, at / idx->shape.features + 1, value);
            }
        }
        status = block_writer_put(&idx->block, converted, n * sizeof *converted, error);
        done += n;
    }
    return status;
}

static void idx_free(void *state)
{
    struct idx *idx = state;

    idx_reader_free(idx->reader);
    block_writer_release(&idx->block);
    free(idx);
}

static enum status idx_new(void **state, const struct parse_options *options, struct sink sink, struct error *error)
{
    struct idx *idx = *state = calloc(1, sizeof *idx);
    struct idx_handler handler = {.header = take_header, .elements = take_elements, .context = idx};
    enum status status;

    if (!idx)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for an IDX parser");
    idx->options = *options;
    if ((status = block_writer_init(&idx->block, sink, error)))
        return status;
    return idx_reader_new(&idx->reader, handler, error);
}

static enum status idx_feed(void *state, const void *bytes, size_t size, struct error *error)
{
    struct idx *idx = state;

    return idx_reader_feed(idx->reader, bytes, size, error);
}

static enum status idx_finish(void *state, struct error *error)
{
    struct idx *idx = state;
    enum status status = idx_reader_finish(idx->reader, error);

    return status ? status : block_writer_finish(&idx->block, &idx->shape, error);
}

const struct format_parser idx_format = {
    .name = "idx",
    .media_type = "application/x-idx",
    .new = idx_new,
    .feed = idx_feed,
    .finish = idx_finish,
    .free = idx_free,
};
