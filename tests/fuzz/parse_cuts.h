/* What the fuzzers of formats share: a parser must say the same of a file however it is cut, and what it writes must open.
 */
#ifndef DESCENT_TESTS_FUZZ_PARSE_CUTS_H
#define DESCENT_TESTS_FUZZ_PARSE_CUTS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/dataset.h"
#include "core/data/parser.h"

#define OUTPUT_LIMIT (8 << 20) /* bytes of a block: gzip data may grow */

#define REQUIRE(condition)                                                                                                  \
    do {                                                                                                                    \
        if (!(condition))                                                                                                   \
            __builtin_trap();                                                                                               \
    } while (0)

struct parse_result {
    enum status status;
    struct error error;
    struct buffer_sink block;
};

/* piece 0: whole; else so many bytes at a time, each in memory of its own. */
static inline struct parse_result parse_pieces(enum data_format format, const struct parse_options *options,
                                               const uint8_t *bytes, size_t size, size_t piece)
{
    struct parse_result result = {.block.limit = OUTPUT_LIMIT};
    struct dataset_parser *parser;

    result.status = dataset_parser_new(&parser, format, options, buffer_sink(&result.block), &result.error);
    REQUIRE(result.status == STATUS_OK);
    for (size_t at = 0; at < size && !result.status;) {
        size_t part = piece == 0 || size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(part);

        REQUIRE(copy);
        memcpy(copy, bytes + at, part);
        result.status = dataset_parser_feed(parser, copy, part, &result.error);
        free(copy);
        at += part;
    }
    if (!result.status)
        result.status = dataset_parser_finish(parser, &result.error);
    dataset_parser_free(parser);
    REQUIRE(result.status == result.error.status);
    return result;
}

static inline void require_same(const struct parse_result *a, const struct parse_result *b)
{
    REQUIRE(a->status == b->status);
    REQUIRE(strcmp(a->error.message, b->error.message) == 0);
    REQUIRE(a->error.line == b->error.line && a->error.column == b->error.column && a->error.offset == b->error.offset);
    if (a->status == STATUS_OK)
        REQUIRE(a->block.size == b->block.size && memcmp(a->block.data, b->block.data, a->block.size) == 0);
}

static inline void parse_all_cuts(enum data_format format, const struct parse_options *options, const uint8_t *bytes,
                                  size_t size, size_t odd_piece)
{
    struct parse_result whole = parse_pieces(format, options, bytes, size, 0);
    const size_t pieces[] = {1, odd_piece};

    for (size_t i = 0; i < 2; i++) {
        struct parse_result cut = parse_pieces(format, options, bytes, size, pieces[i]);

        require_same(&whole, &cut);
        buffer_sink_release(&cut.block);
    }
    if (whole.status == STATUS_OK) {
        struct dataset dataset;
        struct error error = {0};

        REQUIRE(dataset_open(&dataset, whole.block.data, whole.block.size, &error) == STATUS_OK);
        dataset_release(&dataset);
    } else {
        REQUIRE(whole.error.message[0] != '\0');
    }
    buffer_sink_release(&whole.block);
}

#endif
