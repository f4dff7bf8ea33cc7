#include "tests/core/data/parsing.h"

#include <math.h>

#include "core/data/idx_reader.h"
#include "tests/assert_close.h"
#include "tests/core/data/gzip.h"

/* An IDX file in memory. */
struct file {
    unsigned char bytes[4096];
    size_t size;
};

static void put(struct file *file, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        file->bytes[file->size++] = (unsigned char)(value >> 8 * (size - 1 - i));
}

static struct file begin(unsigned type, unsigned rank, const uint32_t *dims)
{
    struct file file = {0};

    put(&file, type << 8 | rank, 4);
    for (unsigned i = 0; i < rank; i++)
        put(&file, dims[i], 4);
    return file;
}

/* Bytes 0, 1, 2 ... as elements. */
static struct file make_bytes(unsigned rank, const uint32_t *dims)
{
    struct file file = begin(IDX_U8, rank, dims);
    uint32_t count = 1;

    for (unsigned i = 0; i < rank; i++)
        count *= dims[i];
    for (uint32_t i = 0; i < count; i++)
        put(&file, i & 255, 1);
    return file;
}

static struct parsed parse(const struct file *file)
{
    return parse_every_way(DATA_IDX, NULL, file->bytes, file->size);
}

static void refuse(const struct file *file, enum status status)
{
    struct parsed parsed = parse(file);

    assert_string_equal(status_code(parsed.status), status_code(status));
    parsed_release(&parsed);
}

static void idx_images_stay_bytes_and_have_no_labels(void **state)
{
    static const struct {
        unsigned rank;
        uint32_t dims[4], channels, height, width;
    } SHAPES[] = {{2, {4, 6}, 1, 1, 6}, {3, {4, 2, 3}, 1, 2, 3}, {4, {4, 3, 2, 5}, 3, 2, 5}};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct file file = make_bytes(SHAPES[i].rank, SHAPES[i].dims);
        struct parsed parsed = parse(&file);
        const struct dataset *dataset = &parsed.dataset;

        assert_int_equal(parsed.status, STATUS_OK);
        assert_int_equal(dataset->rows, 4);
        assert_int_equal(dataset->channels, SHAPES[i].channels);
        assert_int_equal(dataset->height, SHAPES[i].height);
        assert_int_equal(dataset->width, SHAPES[i].width);
        assert_int_equal(dataset->is_image, SHAPES[i].rank > 2);
        assert_int_equal(dataset->feature_type, FEATURE_U8);
        assert_int_equal(dataset->label_type, LABEL_NONE);
        assert_memory_equal(dataset->x, file.bytes + 4 + 4 * SHAPES[i].rank, dataset->rows * dataset->features);
        parsed_release(&parsed);
    }
}

static void idx_other_types_become_float32(void **state)
{
    static const struct {
        unsigned type, size;
        uint64_t bits[4];
        float values[4];
    } TYPES[] = {
        {IDX_I8, 1, {0x7F, 0x80, 0xFF, 0}, {127, -128, -1, 0}},
        {IDX_I16, 2, {0x7FFF, 0x8000, 0xFFFF, 0x0102}, {32767, -32768, -1, 258}},
        {IDX_I32, 4, {0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x01020304}, {2147483648.0f, -2147483648.0f, -1, 16909060}},
        {IDX_F32, 4, {0x3FC00000, 0xC0200000, 0x7F7FFFFF, 1}, {1.5f, -2.5f, 0x1.fffffep127f, 0x1p-149f}},
        {IDX_F64, 8, {0x3FF8000000000000, 0xBFB999999999999A, 0x36A0000000000000, 0}, {1.5f, -0.1f, 0x1p-149f, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        struct file file = begin(TYPES[i].type, 2, (const uint32_t[]){2, 2});

        for (int k = 0; k < 4; k++)
            put(&file, TYPES[i].bits[k], TYPES[i].size);
        struct parsed parsed = parse(&file);
        assert_int_equal(parsed.status, STATUS_OK);
        assert_int_equal(parsed.dataset.feature_type, FEATURE_F32);
        assert_all_close_f32(parsed.dataset.x, TYPES[i].values, 4, 0, 0);
        parsed_release(&parsed);
    }
}

static void idx_names_row_and_column_of_what_is_not_finite(void **state)
{
    static const struct {
        unsigned type, size;
        uint64_t bits;
    } BAD[] = {{IDX_F32, 4, 0x7FC00000},
               {IDX_F32, 4, 0xFF800000},
               {IDX_F64, 8, 0x7FF8000000000000},
               {IDX_F64, 8, 0x7FE0000000000000}};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct file file = begin(BAD[i].type, 2, (const uint32_t[]){3, 2});

        for (int k = 0; k < 6; k++)
            put(&file, k == 3 ? BAD[i].bits : 0, BAD[i].size);
        struct parsed parsed = parse(&file);
        assert_int_equal(parsed.status, STATUS_NON_FINITE_VALUE);
        assert_int_equal(parsed.error.line, 2);
        assert_int_equal(parsed.error.column, 2);
        parsed_release(&parsed);
    }
}

static void idx_refuses_other_magic_numbers_types_and_ranks(void **state)
{
    static const struct {
        unsigned char magic[4];
        enum status status;
    } BAD[] = {
        {{1, 0, 8, 3}, STATUS_IDX_BAD_MAGIC},         {{0, 1, 8, 3}, STATUS_IDX_BAD_MAGIC},
        {{'t', 'e', 'x', 't'}, STATUS_IDX_BAD_MAGIC}, {{0, 0, 7, 3}, STATUS_IDX_BAD_TYPE},
        {{0, 0, 10, 3}, STATUS_IDX_BAD_TYPE},         {{0, 0, 15, 3}, STATUS_IDX_BAD_TYPE},
        {{0, 0, 0xFF, 3}, STATUS_IDX_BAD_TYPE},       {{0, 0, 8, 0}, STATUS_IDX_BAD_RANK},
        {{0, 0, 8, 5}, STATUS_IDX_BAD_RANK},          {{0, 0, 8, 0xFF}, STATUS_IDX_BAD_RANK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct file file = make_bytes(3, (const uint32_t[]){4, 2, 3});

        memcpy(file.bytes, BAD[i].magic, 4);
        refuse(&file, BAD[i].status);
    }
}

static void idx_refuses_labels_as_rows(void **state)
{
    struct file file = make_bytes(1, (const uint32_t[]){4});

    (void)state;
    refuse(&file, STATUS_IDX_BAD_RANK);
}

static void idx_refuses_dimensions_that_cannot_be(void **state)
{
    static const struct {
        unsigned type, rank;
        uint32_t dims[4];
        enum status status;
    } BAD[] = {
        {IDX_U8, 4, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, STATUS_DIMS_OVERFLOW},
        {IDX_F64, 2, {UINT32_MAX, UINT32_MAX}, STATUS_DIMS_OVERFLOW},
        {IDX_U8, 2, {UINT32_MAX, UINT32_MAX}, STATUS_DATASET_TOO_LARGE},
        {IDX_U8, 2, {4, DATASET_MAX_FEATURES + 1}, STATUS_DATASET_TOO_LARGE},
        {IDX_U8, 4, {4, 65536, 65536, 65535}, STATUS_DATASET_TOO_LARGE},
        {IDX_U8, 2, {1u << 31, 1}, STATUS_DATASET_TOO_LARGE},
        {IDX_U8, 2, {65536, 65536}, STATUS_DATASET_TOO_LARGE},
        {IDX_U8, 3, {0, 2, 3}, STATUS_DATASET_EMPTY},
        {IDX_U8, 3, {2, 0, 3}, STATUS_DATASET_EMPTY},
        {IDX_U8, 4, {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0}, STATUS_DATASET_EMPTY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct file file = begin(BAD[i].type, BAD[i].rank, BAD[i].dims);

        put(&file, 0, 8);
        refuse(&file, BAD[i].status);
    }
}

static void idx_refuses_every_truncation_and_bytes_behind_the_end(void **state)
{
    struct file file = make_bytes(3, (const uint32_t[]){4, 2, 3}), empty = {0};
    size_t size = file.size;

    (void)state;
    refuse(&empty, STATUS_DATASET_EMPTY);
    for (file.size = 1; file.size < size; file.size++)
        refuse(&file, STATUS_IDX_TRUNCATED);
    file.size = size + 1;
    struct parsed parsed = parse(&file);
    assert_int_equal(parsed.status, STATUS_IDX_TRAILING_BYTES);
    assert_int_equal(parsed.error.has_offset, 1);
    assert_int_equal(parsed.error.offset, size);
    parsed_release(&parsed);
}

static void idx_refuses_an_element_cut_in_two(void **state)
{
    struct file file = begin(IDX_F64, 2, (const uint32_t[]){2, 2});

    (void)state;
    for (int i = 0; i < 4; i++)
        put(&file, 0, 8);
    file.size -= 3;
    refuse(&file, STATUS_IDX_TRUNCATED);
    file.size += 3 + 5;
    refuse(&file, STATUS_IDX_TRAILING_BYTES);
}

static void idx_gzip_is_the_same_data_set(void **state)
{
    struct file file = make_bytes(3, (const uint32_t[]){4, 10, 30});
    size_t size;
    unsigned char *packed = gzip_bytes(file.bytes, file.size, &size);
    struct parsed plain = parse(&file), zipped = parse_every_way(DATA_IDX, NULL, packed, size);

    (void)state;
    assert_int_equal(zipped.status, STATUS_OK);
    assert_int_equal(zipped.block.size, plain.block.size);
    assert_memory_equal(zipped.block.data, plain.block.data, plain.block.size);
    parsed_release(&plain);
    parsed_release(&zipped);
    free(packed);
}

static void refuse_zipped(const unsigned char *bytes, size_t size, enum status status)
{
    size_t packed_size;
    unsigned char *packed = gzip_bytes(bytes, size, &packed_size);
    struct parsed parsed = parse_every_way(DATA_IDX, NULL, packed, packed_size);

    assert_string_equal(status_code(parsed.status), status_code(status));
    parsed_release(&parsed);
    free(packed);
}

static void idx_gzip_is_held_to_the_declared_size(void **state)
{
    struct file file = make_bytes(3, (const uint32_t[]){4, 10, 30}), bad = file;

    (void)state;
    refuse_zipped(file.bytes, file.size - 1, STATUS_IDX_TRUNCATED);
    refuse_zipped(file.bytes, file.size + 1, STATUS_IDX_TRAILING_BYTES);
    refuse_zipped(file.bytes, 0, STATUS_DATASET_EMPTY);
    refuse_zipped((const unsigned char *)"a,b\n1,2\n", 8, STATUS_FORMAT_MISMATCH);
    bad.bytes[2] = 0x0A;
    refuse_zipped(bad.bytes, bad.size, STATUS_IDX_BAD_TYPE);
}

static void idx_gzip_bombs_are_stopped(void **state)
{
    size_t size = 16 + 3000 * 784;
    unsigned char *bytes = calloc(size, 1);
    struct file header = begin(IDX_U8, 3, (const uint32_t[]){3000, 28, 28});

    (void)state;
    assert_non_null(bytes);
    memcpy(bytes, header.bytes, header.size);
    refuse_zipped(bytes, size, STATUS_COMPRESSION_RATIO);
    free(bytes);
}

static void idx_gzip_damage_is_found(void **state)
{
    struct file file = make_bytes(3, (const uint32_t[]){4, 10, 30});
    size_t size;
    unsigned char *packed = gzip_bytes(file.bytes, file.size, &size);
    struct parsed cut = parse_every_way(DATA_IDX, NULL, packed, size - 1);

    (void)state;
    assert_int_equal(cut.status, STATUS_GZIP_CORRUPT);
    parsed_release(&cut);
    packed[size - 8] ^= 1; /* the checksum */
    struct parsed damaged = parse_every_way(DATA_IDX, NULL, packed, size);
    assert_int_equal(damaged.status, STATUS_GZIP_CORRUPT);
    parsed_release(&damaged);
    free(packed);
}

static void idx_refuses_what_another_format_begins_with(void **state)
{
    static const char *const BAD[] = {"\x89PNG\r\n\x1A\n....",
                                      "\x7F"
                                      "ELF\x02\x01\x01",
                                      "<HTML><p>", "\xFF\xFEt\x01", "BZh91AY"};

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct file file = {.size = strlen(BAD[i])};

        memcpy(file.bytes, BAD[i], file.size);
        refuse(&file, STATUS_FORMAT_MISMATCH);
    }
}

static void idx_rows_and_cells_are_limited_by_the_options(void **state)
{
    struct file file = make_bytes(3, (const uint32_t[]){4, 2, 3});
    const struct parse_options rows = {.max_rows = 3}, cells = {.max_cells = 23}, enough = {.max_rows = 4, .max_cells = 24};
    struct parsed a = parse_every_way(DATA_IDX, &rows, file.bytes, file.size),
                  b = parse_every_way(DATA_IDX, &cells, file.bytes, file.size),
                  c = parse_every_way(DATA_IDX, &enough, file.bytes, file.size);

    (void)state;
    assert_int_equal(a.status, STATUS_DATASET_TOO_LARGE);
    assert_int_equal(b.status, STATUS_DATASET_TOO_LARGE);
    assert_int_equal(c.status, STATUS_OK);
    parsed_release(&a);
    parsed_release(&b);
    parsed_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_images_stay_bytes_and_have_no_labels),
        cmocka_unit_test(idx_other_types_become_float32),
        cmocka_unit_test(idx_names_row_and_column_of_what_is_not_finite),
        cmocka_unit_test(idx_refuses_other_magic_numbers_types_and_ranks),
        cmocka_unit_test(idx_refuses_labels_as_rows),
        cmocka_unit_test(idx_refuses_dimensions_that_cannot_be),
        cmocka_unit_test(idx_refuses_every_truncation_and_bytes_behind_the_end),
        cmocka_unit_test(idx_refuses_an_element_cut_in_two),
        cmocka_unit_test(idx_gzip_is_the_same_data_set),
        cmocka_unit_test(idx_gzip_is_held_to_the_declared_size),
        cmocka_unit_test(idx_gzip_bombs_are_stopped),
        cmocka_unit_test(idx_gzip_damage_is_found),
        cmocka_unit_test(idx_refuses_what_another_format_begins_with),
        cmocka_unit_test(idx_rows_and_cells_are_limited_by_the_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
