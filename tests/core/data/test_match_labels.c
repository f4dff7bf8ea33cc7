#include "core/data/match_labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const NAMES[] = {"oak", "pine", "elm"};
static const int32_t LABELS[] = {0, 1, 1, 0};

static struct dataset table(enum label_type type, uint32_t classes)
{
    return (struct dataset){.rows = 4, .label_type = type, .classes = classes, .class_names = NAMES, .labels = LABELS};
}

static void labels_are_translated_by_name(void **state)
{
    const char *const theirs[] = {"ash", "pine", "oak"};
    const int32_t wanted[] = {2, 1, 1, 2};
    struct dataset dataset = table(LABEL_CLASS, 2);
    int32_t *labels;

    (void)state;
    assert_int_equal(dataset_match_labels(&dataset, theirs, 3, &labels, NULL), STATUS_OK);
    assert_memory_equal(labels, wanted, sizeof wanted);
    free(labels);
}

static void equal_classes_need_no_translation(void **state)
{
    struct dataset hard = table(LABEL_CLASS, 3), soft = table(LABEL_SOFT, 3);
    int32_t *labels;

    (void)state;
    assert_int_equal(dataset_match_labels(&hard, NAMES, 3, &labels, NULL), STATUS_OK);
    assert_null(labels);
    assert_int_equal(dataset_match_labels(&soft, NAMES, 3, &labels, NULL), STATUS_OK);
    assert_null(labels);
}

static void an_unknown_class_is_named(void **state)
{
    const char *const theirs[] = {"oak", "ash"};
    struct dataset dataset = table(LABEL_CLASS, 2);
    struct error error = {STATUS_OK};
    int32_t *labels;

    (void)state;
    assert_int_equal(dataset_match_labels(&dataset, theirs, 2, &labels, &error), STATUS_UNKNOWN_VALUE);
    assert_null(labels);
    assert_non_null(strstr(error.message, "\"pine\""));
}

static void a_class_without_rows_may_be_unknown(void **state)
{
    const char *const theirs[] = {"pine", "oak"};
    struct dataset dataset = table(LABEL_CLASS, 3);
    int32_t *labels;

    (void)state;
    assert_int_equal(dataset_match_labels(&dataset, theirs, 2, &labels, NULL), STATUS_OK);
    assert_int_equal(labels[0], 1);
    free(labels);
}

static void soft_labels_in_another_order_are_refused(void **state)
{
    const char *const theirs[] = {"pine", "oak", "elm"};
    struct dataset dataset = table(LABEL_SOFT, 3);
    int32_t *labels;

    (void)state;
    assert_int_equal(dataset_match_labels(&dataset, theirs, 3, &labels, NULL), STATUS_UNKNOWN_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_translated_by_name),
        cmocka_unit_test(equal_classes_need_no_translation),
        cmocka_unit_test(an_unknown_class_is_named),
        cmocka_unit_test(a_class_without_rows_may_be_unknown),
        cmocka_unit_test(soft_labels_in_another_order_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
