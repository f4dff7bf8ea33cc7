#include "api/event_stream.h"

#include "tests/api/written.h"

static void an_event_is_its_number_its_type_and_one_line_of_data(void **state)
{
    char data[] = "{\"status\":\"queued\"}";
    struct event_view event = {.id = 18446744073709551615u, .type = EVENT_STATE, .data = data};
    struct text text = {.data = NULL};

    (void)state;
    event_stream_write(&event, &text);
    assert_text_written(&text, "id: 18446744073709551615\nevent: state\ndata: {\"status\":\"queued\"}\n\n");
}

static void an_event_without_data_has_an_empty_object(void **state)
{
    struct event_view event = {.id = 3, .type = EVENT_CHECKPOINT};
    struct text text = {.data = NULL};

    (void)state;
    event_stream_write(&event, &text);
    assert_text_written(&text, "id: 3\nevent: checkpoint\ndata: {}\n\n");
}

static void a_line_end_in_the_data_does_not_end_the_event(void **state)
{
    char data[] = "{\r\n \"a\":\n\"b\\n\"}\n";
    struct event_view event = {.id = 3, .type = EVENT_LOG, .data = data};
    struct text text = {.data = NULL};

    (void)state;
    event_stream_write(&event, &text);
    assert_text_written(&text, "id: 3\nevent: log\ndata: {   \"a\": \"b\\n\"} \n\n");
}

static void a_resync_is_the_job_object_with_the_number_of_the_last_event(void **state)
{
    struct job_view job = {.id = "job_0123456789abcdefghij", .status = JOB_RUNNING, .version = 9};
    struct text text = {.data = NULL};
    static const char begin[] = "id: 4711\nevent: resync\ndata: {\"object\":\"job\",\"id\":\"job_0123456789abcdefghij\",";

    (void)state;
    event_stream_write_resync(&job, 4711, &text);
    assert_int_equal(text.failed, 0);
    assert_memory_equal(text.data, begin, sizeof begin - 1);
    assert_string_equal(text.data + text.size - 4, "}}\n\n");
    assert_ptr_equal(strchr(strstr(text.data, "data: "), '\n'), text.data + text.size - 2);
    text_release(&text);
}

static void the_last_events_id_is_a_number_below_2_to_the_64(void **state)
{
    static const struct {
        const char *text;
        uint64_t id;
    } good[] = {{"0", 0}, {"57", 57}, {"007", 7}, {"18446744073709551615", UINT64_MAX}};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t id = 1;

        assert_int_equal(event_stream_parse_id(good[i].text, &id, NULL), STATUS_OK);
        assert_int_equal(id, good[i].id);
    }
}

static void another_last_event_id_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "abc", "-1", "+1", "1.0", "1e3", "0x1", " 1", "1 ", "18446744073709551616", "99999999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error error = {0};
        uint64_t id = 1;

        assert_int_equal(event_stream_parse_id(bad[i], &id, &error), STATUS_BAD_LAST_EVENT_ID);
        assert_int_equal(id, 1);
        assert_non_null(strstr(error.message, bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_its_number_its_type_and_one_line_of_data),
        cmocka_unit_test(an_event_without_data_has_an_empty_object),
        cmocka_unit_test(a_line_end_in_the_data_does_not_end_the_event),
        cmocka_unit_test(a_resync_is_the_job_object_with_the_number_of_the_last_event),
        cmocka_unit_test(the_last_events_id_is_a_number_below_2_to_the_64),
        cmocka_unit_test(another_last_event_id_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
