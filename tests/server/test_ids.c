#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/ids.h"

static void an_id_is_its_prefix_and_twenty_letters(void **state)
{
    (void)state;
    char id[ID_TEXT];
    id_new(id, "job_");
    assert_int_equal(strlen(id), 24);
    assert_memory_equal(id, "job_", 4);
    assert_true(id_valid(id, "job_"));
    assert_false(id_valid(id, "ds_"));
}

static void ids_use_the_whole_alphabet_and_do_not_repeat(void **state)
{
    (void)state;
    unsigned seen[256] = {0};
    static char ids[2000][ID_TEXT];
    for (int i = 0; i < 2000; i++) {
        id_new(ids[i], "");
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(ids[i], ids[j]);
        }
        for (int j = 0; j < 20; j++) {
            seen[(unsigned char)ids[i][j]]++;
        }
    }
    const char *alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned total = 0;
    for (const char *letter = alphabet; *letter != '\0'; letter++) {
        total += seen[(unsigned char)*letter]; /* 40,000 letters, 1,111 of each expected, deviation 33 */
        assert_in_range(seen[(unsigned char)*letter], 1111 - 200, 1111 + 200);
    }
    assert_int_equal(total, 40000);
}

static void only_ids_are_valid(void **state)
{
    (void)state;
    const char *const wrong[] = {"",
                                 "job_",
                                 "job_abcdefghij123456789",
                                 "job_abcdefghij12345678901",
                                 "job_Abcdefghij1234567890",
                                 "job_abcdefghij123456789/",
                                 "ds_abcdefghij1234567890",
                                 " job_abcdefghij1234567890"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(id_valid(wrong[i], "job_"));
    }
    assert_true(id_valid("job_abcdefghij1234567890", "job_"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_its_prefix_and_twenty_letters),
        cmocka_unit_test(ids_use_the_whole_alphabet_and_do_not_repeat),
        cmocka_unit_test(only_ids_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
