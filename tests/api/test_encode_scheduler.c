/* What clients see of the scheduler. */
#include "api/encode_scheduler.h"

#include <math.h>

#include "tests/api/written.h"

static void all_of_it_is_told_the_next_job_first(void **state)
{
    const struct running_view running[] = {
        {.id = "job_a", .priority = 2, .state = "training", .threads = 3, .bytes = 40, .eta_seconds = 1.5},
        {.id = "job_b", .priority = -1, .state = "waiting", .eta_seconds = (double)NAN}};
    const struct queued_view queue[] = {{.id = "job_c", .priority = 5, .estimated_start = 2000}, {.id = "job_d"}};
    const struct scheduler_state scheduler = {.threads = 4,
                                              .busy_threads = 3,
                                              .queued = 9,
                                              .memory_bytes = 100,
                                              .used_bytes = 40,
                                              .running = running,
                                              .running_count = 2,
                                              .queue = queue,
                                              .queue_count = 2};
    struct json_writer writer = {0};
    (void)state;
    encode_scheduler(&scheduler, &writer);
    assert_written(&writer,
                   "{\"object\":\"scheduler\",\"threads\":{\"total\":4,\"busy\":3},\"memory\":{\"total_bytes\":100,"
                   "\"used_bytes\":40},\"running\":[{\"job\":\"job_a\",\"priority\":2,\"state\":\"training\",\"threads\":3,"
                   "\"memory_bytes\":40,\"eta_seconds\":1.5},{\"job\":\"job_b\",\"priority\":-1,\"state\":\"waiting\","
                   "\"threads\":0,\"memory_bytes\":0,\"eta_seconds\":null}],\"queue\":[{\"job\":\"job_c\",\"position\":1,"
                   "\"priority\":5,\"estimated_start\":\"1970-01-01T00:00:02.000Z\"},{\"job\":\"job_d\",\"position\":2,"
                   "\"priority\":0,\"estimated_start\":null}],\"queued\":9}");
}

static void an_idle_one_has_empty_lists(void **state)
{
    const struct scheduler_state scheduler = {.threads = 1, .memory_bytes = 5};
    struct json_writer writer = {0};
    (void)state;
    encode_scheduler(&scheduler, &writer);
    assert_written(&writer, "{\"object\":\"scheduler\",\"threads\":{\"total\":1,\"busy\":0},\"memory\":{\"total_bytes\":5,"
                            "\"used_bytes\":0},\"running\":[],\"queue\":[],\"queued\":0}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_told_the_next_job_first),
        cmocka_unit_test(an_idle_one_has_empty_lists),
    };
    return cmocka_run_group_tests_name("encode_scheduler", tests, NULL, NULL);
}
