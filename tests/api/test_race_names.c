#include "api/race_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/problem.h"

/* The names of the entries of {"job":{},LIST}, each with a '|' behind it. */
static const char *names_of(const char *list)
{
    static char names[1024];
    static const struct race_ids none = {.race = NULL};
    struct race_request request;
    struct problem problem;
    char body[2048];

    snprintf(body, sizeof body, "{\"job\":{},%s}", list);
    problem_init(&problem);
    assert_int_equal(race_request_decode(&request, body, strlen(body), &none, &problem), STATUS_OK);
    names[0] = '\0';
    for (size_t i = 0; i < request.count; i++) {
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s|", request.entries[i].name);
    }
    race_request_release(&request);
    problem_release(&problem);
    return names;
}

static void optimizers_are_called_by_their_type_and_rate(void **state)
{
    (void)state;
    assert_string_equal(names_of("\"optimizers\":[{},{\"type\":\"adam\",\"learning_rate\":0.1}]"), "sgd|adam|");
    assert_string_equal(names_of("\"optimizers\":[{\"type\":\"adam\",\"learning_rate\":0.1},{\"type\":\"adam\"},"
                                 "{\"type\":\"adam\",\"learning_rate\":1e-4},{\"type\":\"adam\",\"learning_rate\":0.10}]"),
                        "adam 0.1|adam|adam 0.0001|adam 0.1 2|");
    assert_string_equal(names_of("\"optimizers\":[{\"name\":\"sgd\"},{}]"), "sgd|sgd 2|");
    assert_string_equal(names_of("\"optimizers\":[{},{\"name\":\"sgd\"}]"), "sgd 2|sgd|");
    assert_string_equal(names_of("\"optimizers\":[{\"type\":7}]"), "sgd|"); /* its error comes when it is decoded */
}

static void variants_are_called_by_what_they_set(void **state)
{
    (void)state;
    assert_string_equal(
        names_of("\"variants\":[{\"training\":{\"seed\":1}},{\"training\":{\"seed\":2,\"batch_size\":\"full\"}}]"),
        "seed 1|seed 2 batch_size full|");
    assert_string_equal(names_of("\"variants\":[{},{},{\"split\":null}]"), "variant|variant 2|split none|");
    assert_string_equal(names_of("\"variants\":[{\"model\":{\"hidden\":[64,32]}},{\"init\":\"zeros\"}]"),
                        "hidden 64-32|init zeros|");
    assert_string_equal(names_of("\"variants\":[{\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.5,\"beta1\":0}},"
                                 "{\"optimizer\":{\"learning_rate\":2}}]"),
                        "adam 0.5 beta1 0|learning_rate 2|");
    assert_string_equal(names_of("\"variants\":[{\"name\":\"own\",\"training\":{\"seed\":1}}]"), "own|");
}

static void names_are_cut_and_have_only_what_a_name_may_have(void **state)
{
    const char *names;

    (void)state;
    assert_string_equal(names_of("\"variants\":[{\"metadata\":{\"/é\":\"a,b\"}}]"), "a-b|");
    names = names_of(
        "\"variants\":[{\"metadata\":{\"long\":\"0123456789012345678901234567890123456789012345678901234567890123\"}},"
        "{\"metadata\":{\"long\":\"0123456789012345678901234567890123456789012345678901234567890123\"}}]");
    assert_int_equal(strcspn(names, "|"), NAME_TEXT - 1);
    assert_non_null(strstr(names, " 2|"));
}

static void a_job_is_called_after_the_race_and_the_entry(void **state)
{
    static const char entry[] = "adam";
    char name[NAME_TEXT], longest[NAME_TEXT + 10];

    (void)state;
    race_job_name("", entry, name);
    assert_string_equal(name, "adam");
    race_job_name("blobs", entry, name);
    assert_string_equal(name, "blobs - adam");
    memset(longest, 'n', sizeof longest);
    longest[57] = '\0';
    race_job_name(longest, entry, name);
    assert_int_equal(strlen(name), NAME_TEXT - 1);
    longest[57] = 'n';
    longest[58] = '\0';
    race_job_name(longest, entry, name);
    assert_string_equal(name, "adam");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimizers_are_called_by_their_type_and_rate),
        cmocka_unit_test(variants_are_called_by_what_they_set),
        cmocka_unit_test(names_are_cut_and_have_only_what_a_name_may_have),
        cmocka_unit_test(a_job_is_called_after_the_race_and_the_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
