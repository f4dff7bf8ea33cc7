#include "core/data/idx_labels.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/data/dataset.h"
#include "core/data/idx_reader.h"
#include "core/data/intake.h"

struct idx_labels_parser {
    struct intake intake;
    struct idx_reader *reader;
    uint64_t max_rows;
    enum idx_type type;
    size_t element_size;
    int32_t *labels;
    uint64_t count, capacity;
};

static enum status take_header(void *context, const struct idx_header *header, struct error *error)
{
    struct idx_labels_parser *parser = context;

    if (header->rank != 1)
        return error_set_offset(error, STATUS_IDX_BAD_RANK, 3, "%" PRIu32 " dimensions, labels have 1", header->rank);
    if (header->type == IDX_F32 || header->type == IDX_F64)
        return error_set_offset(error, STATUS_IDX_BAD_TYPE, 2, "element type 0x%02x; labels are integers",
                                (unsigned)header->type);
    if (header->dims[0] > parser->max_rows)
        return error_set_offset(error, STATUS_DATASET_TOO_LARGE, 4, "%" PRIu32 " labels, %" PRIu64 " are allowed",
                                header->dims[0], parser->max_rows);
    parser->type = header->type;
    parser->element_size = header->element_size;
    return STATUS_OK;
}

/* Memory grows with what has come, not with what the header promises. */
static enum status reserve(struct idx_labels_parser *parser, uint64_t count, struct error *error)
{
    uint64_t capacity = parser->capacity > 0 ? parser->capacity : 256;
    int32_t *labels;

    while (capacity < count)
        capacity *= 2;
    if (capacity == parser->capacity)
        return STATUS_OK;
    labels = realloc(parser->labels, (size_t)capacity * sizeof *labels);
    if (!labels)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for %" PRIu64 " labels", capacity);
    parser->labels = labels;
    parser->capacity = capacity;
    return STATUS_OK;
}

static enum status take_elements(void *context, const unsigned char *elements, uint64_t first, size_t count,
                                 struct error *error)
{
    struct idx_labels_parser *parser = context;
    enum status status = reserve(parser, first + count, error);

    for (size_t i = 0; i < count && !status; i++) {
        double label = idx_element(parser->type, elements + i * parser->element_size);

        if (label < 0 || label >= DATASET_MAX_CLASSES)
            status = error_set_line(error, STATUS_LABEL_OUT_OF_RANGE, (int64_t)parser->count + 1, 0,
                                    "row %" PRIu64 " has class %.0f, 0 to %d are allowed", parser->count + 1, label,
                                    DATASET_MAX_CLASSES - 1);
        else
            parser->labels[parser->count++] = (int32_t)label;
    }
    return status;
}

static enum status feed_reader(void *context, const void *bytes, size_t size, struct error *error)
{
    struct idx_labels_parser *parser = context;

    return idx_reader_feed(parser->reader, bytes, size, error);
}

static enum status finish_reader(void *context, struct error *error)
{
    struct idx_labels_parser *parser = context;

    return idx_reader_finish(parser->reader, error);
}

enum status idx_labels_parser_new(struct idx_labels_parser **parser, uint64_t max_rows, struct error *error)
{
    struct idx_labels_parser *made = *parser = calloc(1, sizeof *made);
    struct idx_handler handler = {.header = take_header, .elements = take_elements, .context = made};
    enum status status;

    if (!made)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a parser of labels");
    made->max_rows = max_rows > 0 && max_rows < DATASET_MAX_ROWS ? max_rows : DATASET_MAX_ROWS;
    made->intake = (struct intake){
        .format = DATA_IDX,
        .next = {.write = feed_reader, .context = made},
        .finish = finish_reader,
    };
    status = idx_reader_new(&made->reader, handler, error);
    if (status) {
        idx_labels_parser_free(made);
        *parser = NULL;
    }
    return status;
}

void idx_labels_parser_free(struct idx_labels_parser *parser)
{
    if (!parser)
        return;
    idx_reader_free(parser->reader);
    free(parser->labels);
    free(parser);
}

enum status idx_labels_parser_feed(struct idx_labels_parser *parser, const void *bytes, size_t size, struct error *error)
{
    return intake_feed(&parser->intake, bytes, size, error);
}

enum status idx_labels_parser_finish(struct idx_labels_parser *parser, struct error *error)
{
    return intake_finish(&parser->intake, error);
}

int32_t *idx_labels_parser_take(struct idx_labels_parser *parser, uint64_t *count)
{
    int32_t *labels = parser->labels;

    *count = parser->count;
    parser->labels = NULL;
    parser->count = parser->capacity = 0;
    return labels;
}
