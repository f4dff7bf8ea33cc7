#include "api/json_piece.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct json_piece piece(const char *text)
{
    return json_piece_of(text, strlen(text));
}

static void assert_piece(struct json_piece got, const char *want)
{
    if (want == NULL) {
        assert_null(got.text);
        return;
    }
    assert_non_null(got.text);
    assert_int_equal(got.size, strlen(want));
    assert_memory_equal(got.text, want, got.size);
}

static void members_and_elements_come_one_after_the_other(void **state)
{
    static const char text[] = " { \"a\" : [1, {\"x\": \"]}\"} , \"\\\"\"] , \"b\":null,\"c\":-1e5 } ";
    static const char *const values[] = {"[1, {\"x\": \"]}\"} , \"\\\"\"]", "null", "-1e5"};
    static const char *const elements[] = {"1", "{\"x\": \"]}\"}", "\"\\\"\""};
    struct json_pieces members = json_pieces_of(piece(text)), list;
    struct json_piece key, value, first = {NULL, 0};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char name[] = {(char)('a' + (int)i)};

        assert_true(json_pieces_next(&members, &key, &value));
        assert_true(json_piece_is_text(key, name, 1));
        assert_piece(value, values[i]);
        first = i == 0 ? value : first;
    }
    assert_false(json_pieces_next(&members, &key, &value));
    list = json_pieces_of(first);
    for (size_t i = 0; i < 3; i++) {
        assert_true(json_pieces_next(&list, &key, &value));
        assert_piece(key, NULL);
        assert_piece(value, elements[i]);
    }
    assert_false(json_pieces_next(&list, &key, &value));
    list = json_pieces_of(piece("\"text\""));
    assert_false(json_pieces_next(&list, &key, &value));
    list = json_pieces_of((struct json_piece){NULL, 0});
    assert_false(json_pieces_next(&list, &key, &value));
}

static void keys_are_what_they_mean(void **state)
{
    (void)state;
    assert_true(json_piece_is_text(piece("\"\\u0061\\/\""), "a/", 2));
    assert_false(json_piece_is_text(piece("\"ab\""), "a", 1));
    assert_false(json_piece_is_text(piece("\"a\""), "ab", 2));
    assert_true(json_piece_is_text(piece("\"\""), "", 0));
    assert_true(json_piece_same_key(piece("\"\\u00e9\""), piece("\"é\"")));
    assert_false(json_piece_same_key(piece("\"e\""), piece("\"é\"")));
}

static void pointers_lead_through_objects_and_lists(void **state)
{
    static const char text[] = "{\"a\":{\"b/c\":[10,[20,21],{\"~\":30}],\"\":40}}";
    static const struct {
        const char *pointer, *want;
    } rows[] = {
        {"", text},
        {"/a/b~1c/0", "10"},
        {"/a/b~1c/1/1", "21"},
        {"/a/b~1c/2/~0", "30"},
        {"/a/", "40"},
        {"/a/b~1c/3", NULL},
        {"/a/b~1c/01", NULL},
        {"/a/b~1c/-1", NULL},
        {"/a/b~1c/x", NULL},
        {"/a/b~1c/99999999999999999999", NULL},
        {"/b", NULL},
        {"/a/b~1c/0/0", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(json_pointer_is_valid(rows[i].pointer));
        assert_piece(json_piece_at(piece(text), rows[i].pointer), rows[i].want);
    }
    assert_false(json_pointer_is_valid("a"));
    assert_false(json_pointer_is_valid("/~2"));
    assert_false(json_pointer_is_valid("/~"));
}

static void values_are_read_as_numbers_and_as_words(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {{"\"a\\n\\u00e9\"", "a\né"}, {"-1.5e3", "-1.5e3"}, {"true", "true"}, {"[1,2]", "[1,2]"}, {"\"\"", ""}};
    char words[16], narrow[3];
    double number = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_piece_words(piece(rows[i].text), words, sizeof words);
        assert_string_equal(words, rows[i].words);
    }
    json_piece_words(piece("\"aéé\""), narrow, sizeof narrow); /* never half a character */
    assert_string_equal(narrow, "a");
    assert_true(json_piece_number(piece("-1.5e3"), &number) && number == -1500);
    assert_false(json_piece_number(piece("1e999"), &number));
    assert_false(json_piece_number(piece("\"1\""), &number));
    assert_false(json_piece_number((struct json_piece){NULL, 0}, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_elements_come_one_after_the_other),
        cmocka_unit_test(keys_are_what_they_mean),
        cmocka_unit_test(pointers_lead_through_objects_and_lists),
        cmocka_unit_test(values_are_read_as_numbers_and_as_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
