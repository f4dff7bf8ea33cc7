/* CSV files. The first byte chooses options and cuts, the rest is the file. */
#include "tests/fuzz/parse_cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct parse_options OPTIONS[] = {
        {0},
        {.label = "a"},
        {.label = "0"},
        {.label_columns = "a,b"},
        {.label_columns = "1,2"},
        {.max_rows = 3},
        {.max_cells = 9},
        {.label = ""},
    };

    if (size > 0)
        parse_all_cuts(DATA_CSV, &OPTIONS[data[0] % 8], data + 1, size - 1, 2 + data[0] / 8);
    return 0;
}
