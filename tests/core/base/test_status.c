#include "core/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_status_has_a_code_of_its_own_a_title_and_a_kind(void **state)
{
    (void)state;
    for (int s = 0; s < STATUS_COUNT; s++) {
        const char *code = status_code((enum status)s);

        assert_true(strlen(code) > 0);
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(code));
        assert_true(strlen(status_title((enum status)s)) > 0);
        assert_true((status_kind((enum status)s) == KIND_NONE) == (s == STATUS_OK));
        for (int other = 0; other < s; other++) {
            assert_string_not_equal(code, status_code((enum status)other));
        }
    }
    assert_string_equal(status_code(STATUS_OK), "ok");
    assert_string_equal(status_code(STATUS_INTEGER_NOT_EXACT), "integer_not_exact");
    assert_int_equal(status_kind(STATUS_OUT_OF_MEMORY), KIND_UNAVAILABLE);
}

static void the_first_error_stays(void **state)
{
    struct error error = {0};

    (void)state;
    assert_int_equal(error_set_pointer(&error, STATUS_OUT_OF_RANGE, "/training/epochs", "epochs is %d", -1),
                     STATUS_OUT_OF_RANGE);
    assert_int_equal(error_set(&error, STATUS_INTERNAL, "later"), STATUS_INTERNAL);
    assert_int_equal(error.status, STATUS_OUT_OF_RANGE);
    assert_string_equal(error.message, "epochs is -1");
    assert_string_equal(error.pointer, "/training/epochs");
    assert_int_equal(error.line, 0);
    assert_int_equal(error.has_offset, 0);
}

static void places_are_kept(void **state)
{
    struct error line = {0}, offset = {0};

    (void)state;
    assert_int_equal(error_set_line(&line, STATUS_TYPE_MISMATCH, 12, 3, "text"), STATUS_TYPE_MISMATCH);
    assert_int_equal(line.line, 12);
    assert_int_equal(line.column, 3);
    assert_int_equal(error_set_offset(&offset, STATUS_TYPE_MISMATCH, 0, "text"), STATUS_TYPE_MISMATCH);
    assert_int_equal(offset.offset, 0);
    assert_int_equal(offset.has_offset, 1);
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, STATUS_INTERNAL, "%s", "nobody reads this"), STATUS_INTERNAL);
    assert_int_equal(error_set_pointer(NULL, STATUS_INTERNAL, "/a", "b"), STATUS_INTERNAL);
}

static void a_long_message_is_cut_between_characters(void **state)
{
    struct error error = {0};
    char text[400];

    (void)state;
    for (size_t lead = 0; lead < 2; lead++) {
        memset(text, 'x', lead);
        for (size_t i = lead; i + 2 < sizeof(text); i += 2) {
            memcpy(text + i, "\xc3\xa9", 3); /* e with an acute accent */
        }
        error = (struct error){0};
        assert_int_equal(error_set(&error, STATUS_INTERNAL, "%s", text), STATUS_INTERNAL);
        assert_int_equal((strlen(error.message) - lead) % 2, 0);
        assert_true(strlen(error.message) >= sizeof(error.message) - 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_code_of_its_own_a_title_and_a_kind),
        cmocka_unit_test(the_first_error_stays),
        cmocka_unit_test(places_are_kept),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
