/* IDX files, raw or gzip, as images and as labels. The first byte chooses the cuts, the rest is the file. */
#include "core/data/idx_labels.h"
#include "tests/fuzz/parse_cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status parse_labels(const uint8_t *bytes, size_t size, size_t piece, uint64_t *count)
{
    struct idx_labels_parser *parser;
    struct error error = {0};
    enum status status = idx_labels_parser_new(&parser, 1 << 20, &error);

    for (size_t at = 0; at < size && !status; at += piece)
        status = idx_labels_parser_feed(parser, bytes + at, size - at < piece ? size - at : piece, &error);
    if (!status)
        status = idx_labels_parser_finish(parser, &error);
    free(idx_labels_parser_take(parser, count));
    idx_labels_parser_free(parser);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole_count, cut_count;
    size_t odd_piece;

    if (size == 0)
        return 0;
    odd_piece = 2 + data[0];
    parse_all_cuts(DATA_IDX, NULL, data + 1, size - 1, odd_piece);
    REQUIRE(parse_labels(data + 1, size - 1, size, &whole_count) == parse_labels(data + 1, size - 1, odd_piece, &cut_count));
    REQUIRE(whole_count == cut_count);
    return 0;
}
