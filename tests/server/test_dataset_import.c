#include "server/dataset_import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>

#include "core/base/sha256.h"
#include "server/labels_import.h"
#include "server/store/object_preview.h"
#include "tests/assert_close.h"
#include "tests/server/store/temporary_store.h"

#define CSV       "size,weight,kind\n1,10,oak\n2,20,pine\n3,30,oak\n4,40,oak\n"
#define MANY_ROWS 20000

static struct fixture *fixture;
static struct store *store;

static int open_store(void **state)
{
    open_fixture(state);
    fixture = *state;
    store = fixture->store;
    return 0;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int count_temporaries(void)
{
    char path[sizeof(fixture->data) + 8];
    struct dirent **entries;

    snprintf(path, sizeof path, "%s/tmp", fixture->data);
    int count = scandir(path, &entries, is_shown, NULL);
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
    return count;
}

static uint64_t rows_of_class(const struct dataset_view *view, uint32_t i)
{
    return i < view->class_count ? view->class_list[i].count : 0;
}

/* ---- describing ---- */

static const char *const CLASS_NAMES[] = {"oak", "pine"};
static const char *const FEATURE_NAMES[] = {"size", "weight"};

static void a_table_is_described_feature_by_feature(void **state)
{
    static const float x[] = {1, 10, 2, 20, 3, 30, 4, 40};
    static const int32_t labels[] = {0, 1, 0, 0};
    const struct dataset dataset = {.rows = 4,
                                    .features = 2,
                                    .channels = 1,
                                    .height = 1,
                                    .width = 2,
                                    .x = x,
                                    .feature_type = FEATURE_F32,
                                    .label_type = LABEL_CLASS,
                                    .classes = 2,
                                    .labels = labels,
                                    .class_names = CLASS_NAMES,
                                    .feature_names = FEATURE_NAMES};
    struct dataset_view view;

    (void)state;
    assert_int_equal(dataset_describe(&dataset, "csv", &view, NULL), STATUS_OK);
    assert_int_equal(view.status, DATASET_READY);
    assert_int_equal(view.rows, 4);
    assert_string_equal(view.format, "csv");
    assert_string_equal(view.feature_type, "f32");
    assert_int_equal(view.class_count, 2);
    assert_string_equal(view.class_list[1].name, "pine");
    assert_int_equal(rows_of_class(&view, 0), 3);
    assert_int_equal(view.feature_count, 2);
    assert_string_equal(view.feature_list[1].name, "weight");
    assert_close(view.feature_list[0].stats.mean, 2.5, 1e-15, 0);
    assert_close(view.feature_list[0].stats.deviation, sqrt(1.25), 1e-15, 0);
    assert_close((double)view.overall.maximum, 40, 0, 0);
    assert_close(view.overall.mean, 13.75, 1e-15, 0);
    dataset_view_release(&view);
}

static void images_without_labels_await_them_and_are_described_as_a_whole(void **state)
{
    static const uint8_t x[] = {0, 255, 0, 255, 255, 255, 0, 0};
    const struct dataset dataset = {.rows = 2,
                                    .features = 4,
                                    .channels = 1,
                                    .height = 2,
                                    .width = 2,
                                    .is_image = 1,
                                    .x = x,
                                    .feature_type = FEATURE_U8,
                                    .label_type = LABEL_NONE};
    struct dataset_view view;

    (void)state;
    assert_int_equal(dataset_describe(&dataset, "idx", &view, NULL), STATUS_OK);
    assert_int_equal(view.status, DATASET_AWAITING_LABELS);
    assert_int_equal(view.class_count, 0);
    assert_int_equal(view.feature_count, 0);
    assert_string_equal(view.feature_type, "u8");
    assert_true(view.is_image);
    assert_close(view.overall.mean, 127.5, 1e-15, 0);
    dataset_view_release(&view);
}

static void soft_rows_count_for_their_most_probable_class(void **state)
{
    static const float x[] = {1, 2, 3};
    static const float soft[] = {0.25F, 0.75F, 1, 0, 0.5F, 0.5F};
    const struct dataset dataset = {.rows = 3,
                                    .features = 1,
                                    .channels = 1,
                                    .height = 1,
                                    .width = 1,
                                    .x = x,
                                    .feature_type = FEATURE_F32,
                                    .label_type = LABEL_SOFT,
                                    .classes = 2,
                                    .soft_labels = soft,
                                    .class_names = CLASS_NAMES};
    struct dataset_view view;

    (void)state;
    assert_int_equal(dataset_describe(&dataset, "csv", &view, NULL), STATUS_OK);
    assert_true(view.is_soft);
    assert_int_equal(rows_of_class(&view, 0), 2);
    assert_int_equal(rows_of_class(&view, 1), 1);
    assert_null(view.feature_list[0].name);
    dataset_view_release(&view);
}

/* ---- importing ---- */

static enum status import_csv(const char *text, size_t piece, struct imported_dataset *imported, struct error *error)
{
    size_t size = strlen(text);
    struct dataset_import *import;

    enum status status = dataset_import_new(&import, store, DATA_CSV, NULL, error);
    for (size_t at = 0; at < size && status == STATUS_OK; at += piece) {
        status = dataset_import_feed(import, text + at, size - at < piece ? size - at : piece, error);
    }
    if (status == STATUS_OK) {
        status = dataset_import_finish(import, imported, error);
    }
    dataset_import_free(import);
    return status;
}

static void the_pieces_of_a_file_do_not_matter(void **state)
{
    struct imported_dataset whole, parts;

    (void)state;
    assert_int_equal(import_csv(CSV, sizeof(CSV), &whole, NULL), STATUS_OK);
    assert_int_equal(import_csv(CSV, 5, &parts, NULL), STATUS_OK);
    assert_string_equal(parts.object.sha256, whole.object.sha256);
    assert_int_equal(whole.view.rows, 4);
    assert_string_equal(whole.view.class_list[0].name, "oak");
    imported_dataset_release(&whole);
    imported_dataset_release(&parts);
}

static char *many_rows(void)
{
    char *text = malloc(32 * (size_t)MANY_ROWS);
    size_t size = (size_t)snprintf(text, 32, "n,week,parity\n");

    for (int i = 0; i < MANY_ROWS; i++) {
        size += (size_t)snprintf(text + size, 32, "%d,%d,%s\n", i, i % 7, i % 2 ? "odd" : "even");
    }
    return text;
}

static void a_large_file_is_described_from_its_temporary_and_leaves_none(void **state)
{
    struct imported_dataset imported;
    struct object_preview preview;
    char sha256[SHA256_HEX];
    char *text = many_rows();

    (void)state;
    assert_int_equal(import_csv(text, 4096, &imported, NULL), STATUS_OK);
    assert_null(imported.object.bytes);
    assert_int_equal(imported.view.rows, MANY_ROWS);
    assert_int_equal(rows_of_class(&imported.view, 0), MANY_ROWS / 2);
    assert_int_equal(count_temporaries(), 1);
    assert_int_equal(object_preview_open(&preview, &imported.object, NULL), STATUS_OK);
    imported_dataset_release(&imported);
    assert_int_equal(count_temporaries(), 0);
    sha256_text(preview.bytes, preview.size, sha256);
    assert_int_equal(strlen(sha256), SHA256_HEX - 1);
    object_preview_close(&preview);
    free(text);
}

static void a_bad_file_leaves_nothing(void **state)
{
    char *text = many_rows();
    struct imported_dataset imported;
    struct error error = {STATUS_OK};

    (void)state;
    memcpy(strrchr(text, ','), ",,,\n", 5); /* in the last of the rows */
    assert_int_equal(import_csv(text, 4096, &imported, &error), STATUS_CSV_RAGGED_ROW);
    assert_int_equal(error.line, MANY_ROWS + 1);
    assert_int_equal(count_temporaries(), 0);
    free(text);
}

/* ---- labels ---- */

static const unsigned char IMAGES[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40};

static enum status import_labels(const unsigned char *labels, size_t size, struct imported_dataset *imported,
                                 struct error *error)
{
    struct imported_dataset images;
    struct object_preview preview;
    struct labels_import *import;
    struct dataset_import *file;

    assert_int_equal(dataset_import_new(&file, store, DATA_IDX, NULL, NULL), STATUS_OK);
    assert_int_equal(dataset_import_feed(file, IMAGES, sizeof(IMAGES), NULL), STATUS_OK);
    assert_int_equal(dataset_import_finish(file, &images, NULL), STATUS_OK);
    dataset_import_free(file);
    assert_int_equal(images.view.status, DATASET_AWAITING_LABELS);
    assert_int_equal(object_preview_open(&preview, &images.object, NULL), STATUS_OK);
    assert_int_equal(labels_import_new(&import, images.view.rows, NULL), STATUS_OK);
    enum status status = labels_import_feed(import, labels, size, error);
    if (status == STATUS_OK) {
        status = labels_import_finish(import, store, preview.bytes, preview.size, imported, error);
    }
    labels_import_free(import);
    object_preview_close(&preview);
    imported_dataset_release(&images);
    return status;
}

static void images_and_labels_are_a_data_set(void **state)
{
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0};
    struct imported_dataset imported = {.object = {.size = 0}};

    (void)state;
    assert_int_equal(import_labels(labels, sizeof(labels), &imported, NULL), STATUS_OK);
    assert_int_equal(imported.view.status, DATASET_READY);
    assert_int_equal(imported.view.class_count, 2);
    assert_int_equal(rows_of_class(&imported.view, 1), 1);
    assert_string_equal(imported.view.format, "idx");
    imported_dataset_release(&imported);
}

static void labels_of_another_number_are_refused(void **state)
{
    static const unsigned char few[] = {0, 0, 8, 1, 0, 0, 0, 1, 1};
    static const unsigned char many[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1};
    struct imported_dataset imported;
    struct error error = {STATUS_OK};

    (void)state;
    assert_int_equal(import_labels(few, sizeof(few), &imported, NULL), STATUS_ROW_COUNT_MISMATCH);
    assert_int_equal(import_labels(many, sizeof(many), &imported, &error), STATUS_ROW_COUNT_MISMATCH);
    assert_int_equal(error.status, STATUS_ROW_COUNT_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_described_feature_by_feature),
        cmocka_unit_test(images_without_labels_await_them_and_are_described_as_a_whole),
        cmocka_unit_test(soft_rows_count_for_their_most_probable_class),
        cmocka_unit_test(the_pieces_of_a_file_do_not_matter),
        cmocka_unit_test(a_large_file_is_described_from_its_temporary_and_leaves_none),
        cmocka_unit_test(a_bad_file_leaves_nothing),
        cmocka_unit_test(images_and_labels_are_a_data_set),
        cmocka_unit_test(labels_of_another_number_are_refused),
    };

    return cmocka_run_group_tests(tests, open_store, close_fixture);
}
