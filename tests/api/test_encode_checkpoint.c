/* What clients see of checkpoints and remarks. */
#include "api/encode_checkpoint.h"

#include <math.h>

#include "tests/api/written.h"

static void assert_freed(char *text, const char *wanted)
{
    assert_string_equal(text, wanted);
    free(text);
}

static void a_checkpoint_tells_where_it_stands(void **state)
{
    const double unknown = (double)NAN;
    struct checkpoint_description description = {.step = 120,
                                                 .bytes = 70000,
                                                 .sha256 = "ab",
                                                 .epoch = 1.5,
                                                 .train_loss = 0.25,
                                                 .train_accuracy = unknown,
                                                 .validation_loss = 0.5,
                                                 .validation_accuracy = 0.75,
                                                 .best_metric = METRIC_VALIDATION_LOSS,
                                                 .best_value = 0.5,
                                                 .best_step = 100};
    (void)state;
    assert_freed(encode_checkpoint_data(&description),
                 "{\"step\":120,\"epoch\":1.5,\"bytes\":70000,\"sha256\":\"ab\",\"metrics\":{\"train_loss\":0.25,"
                 "\"train_accuracy\":null,\"validation_loss\":0.5,\"validation_accuracy\":0.75},\"best\":{\"metric\":"
                 "\"validation_loss\",\"value\":0.5,\"step\":100}}");
    description.best_step = 0;
    char *text = encode_checkpoint_data(&description);
    assert_non_null(strstr(text, "\"best\":null}"));
    free(text);
}

static void a_list_adds_when_they_were_made(void **state)
{
    const char *const data[] = {"{\"step\":2}", "{\"step\":1,\"bytes\":9}"};
    const int64_t created_at[] = {1000, 0};
    struct json_writer writer = {0};
    (void)state;
    encode_checkpoint_list(data, created_at, 2, &writer);
    assert_written(&writer, "{\"object\":\"list\",\"data\":[{\"object\":\"checkpoint\",\"created_at\":"
                            "\"1970-01-01T00:00:01.000Z\",\"step\":2},{\"object\":\"checkpoint\",\"created_at\":null,"
                            "\"step\":1,\"bytes\":9}],\"has_more\":false}");
    encode_checkpoint_list(data, created_at, 0, &writer);
    assert_written(&writer, "{\"object\":\"list\",\"data\":[],\"has_more\":false}");
}

static void a_remark_has_a_reason_where_there_is_one(void **state)
{
    struct remark remark = {.code = "restarted", .reason = "no_valid_checkpoint", .message = "a \"word\"", .step = 7};
    (void)state;
    assert_freed(encode_remark(&remark), "{\"level\":\"warning\",\"code\":\"restarted\",\"reason\":\"no_valid_checkpoint\","
                                         "\"message\":\"a \\\"word\\\"\",\"step\":7}");
    remark.reason = NULL;
    assert_freed(encode_remark(&remark),
                 "{\"level\":\"warning\",\"code\":\"restarted\",\"message\":\"a \\\"word\\\"\",\"step\":7}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_tells_where_it_stands),
        cmocka_unit_test(a_list_adds_when_they_were_made),
        cmocka_unit_test(a_remark_has_a_reason_where_there_is_one),
    };
    return cmocka_run_group_tests_name("encode_checkpoint", tests, NULL, NULL);
}
