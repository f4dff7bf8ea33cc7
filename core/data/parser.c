#include "core/data/parser.h"

#include <stdlib.h>

#include "core/data/csv.h"
#include "core/data/idx.h"
#include "core/data/intake.h"

static const struct format_parser *const FORMATS[DATA_FORMAT_COUNT] = {
    [DATA_CSV] = &csv_format,
    [DATA_IDX] = &idx_format,
};

struct dataset_parser {
    struct intake intake;
    const struct format_parser *format;
    void *state;
};

const char *data_format_name(enum data_format format)
{
    return FORMATS[format]->name;
}

const char *data_format_media_type(enum data_format format)
{
    return FORMATS[format]->media_type;
}

enum status dataset_parser_new(struct dataset_parser **parser, enum data_format format, const struct parse_options *options,
                               struct sink sink, struct error *error)
{
    static const struct parse_options DEFAULTS;
    struct dataset_parser *made = *parser = calloc(1, sizeof *made);
    enum status status;

    if (!made)
        return error_set(error, STATUS_OUT_OF_MEMORY, "no memory for a parser");
    made->format = FORMATS[format];
    status = made->format->new (&made->state, options ? options : &DEFAULTS, sink, error);
    if (status) {
        dataset_parser_free(made);
        *parser = NULL;
        return status;
    }
    made->intake = (struct intake){
        .format = format,
        .next = {.write = made->format->feed, .context = made->state},
        .finish = made->format->finish,
    };
    return STATUS_OK;
}

enum status dataset_parser_feed(struct dataset_parser *parser, const void *bytes, size_t size, struct error *error)
{
    return intake_feed(&parser->intake, bytes, size, error);
}

enum status dataset_parser_finish(struct dataset_parser *parser, struct error *error)
{
    return intake_finish(&parser->intake, error);
}

void dataset_parser_free(struct dataset_parser *parser)
{
    if (!parser)
        return;
    if (parser->state)
        parser->format->free(parser->state);
    free(parser);
}
