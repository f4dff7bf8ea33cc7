/* Parsing a file's bytes in memory, cut in every way, for the tests of formats. */
#ifndef DESCENT_TESTS_CORE_DATA_PARSING_H
#define DESCENT_TESTS_CORE_DATA_PARSING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/data/dataset.h"
#include "core/data/parser.h"

#define WAYS_TO_CUT 8

/* What a parser made of a file: a block and the data set in it, or an error. */
struct parsed {
    enum status status;
    struct error error;
    struct buffer_sink block;
    struct dataset dataset;
};

static inline void parsed_release(struct parsed *parsed)
{
    dataset_release(&parsed->dataset);
    buffer_sink_release(&parsed->block);
}

/* The size of the next piece: way 0 cuts nowhere, way 1 everywhere, others at places that look random. */
static inline size_t next_piece(unsigned way, uint32_t *random, size_t left)
{
    size_t piece;

    if (way == 0)
        return left;
    *random = *random * UINT32_C(1664525) + UINT32_C(1013904223);
    piece = way == 1 ? 1 : 1 + (*random >> 16) % (way * way * way * 3);
    return piece < left ? piece : left;
}

/* Each piece is copied to a block of its own size, so that reading beyond it is seen. */
static inline struct parsed parse_cut(enum data_format format, const struct parse_options *options, const void *bytes,
                                      size_t size, unsigned way)
{
    struct parsed parsed = {0};
    struct dataset_parser *parser;
    uint32_t random = way;

    parsed.status = dataset_parser_new(&parser, format, options, buffer_sink(&parsed.block), &parsed.error);
    for (size_t at = 0; at < size && !parsed.status;) {
        size_t piece = next_piece(way, &random, size - at);
        unsigned char *copy = malloc(piece);

        assert_non_null(copy);
        memcpy(copy, (const unsigned char *)bytes + at, piece);
        parsed.status = dataset_parser_feed(parser, copy, piece, &parsed.error);
        free(copy);
        at += piece;
    }
    if (!parsed.status)
        parsed.status = dataset_parser_finish(parser, &parsed.error);
    dataset_parser_free(parser);
    assert_int_equal(parsed.error.status, parsed.status);
    return parsed;
}

/* The same with a data set opened; every way of cutting must give the same bytes or the same error. */
static inline struct parsed parse_every_way(enum data_format format, const struct parse_options *options, const void *bytes,
                                            size_t size)
{
    struct parsed whole = parse_cut(format, options, bytes, size, 0);

    for (unsigned way = 1; way < WAYS_TO_CUT; way++) {
        struct parsed cut = parse_cut(format, options, bytes, size, way);

        assert_int_equal(cut.status, whole.status);
        assert_string_equal(cut.error.message, whole.error.message);
        assert_int_equal(cut.error.line, whole.error.line);
        assert_int_equal(cut.error.column, whole.error.column);
        assert_int_equal(cut.error.has_offset, whole.error.has_offset);
        assert_int_equal(cut.error.offset, whole.error.offset);
        if (whole.status == STATUS_OK) {
            assert_int_equal(cut.block.size, whole.block.size);
            assert_memory_equal(cut.block.data, whole.block.data, whole.block.size);
        }
        parsed_release(&cut);
    }
    if (whole.status == STATUS_OK) {
        struct error error = {0};

        assert_int_equal(dataset_open(&whole.dataset, whole.block.data, whole.block.size, &error), STATUS_OK);
    }
    return whole;
}

#endif
