#include "server/handlers/event_pages.h"

#include <pthread.h>

#include "tests/server/store/temporary_store.h"

static struct event_pages *pages;
static char job[ID_TEXT];

static int set_up(void **state)
{
    struct error error;

    open_fixture(state);
    add_job(((struct fixture *)*state)->store, "", "{}", 0, job);
    assert_ok(event_pages_new(&pages, &error));
    return 0;
}

static int tear_down(void **state)
{
    event_pages_free(pages);
    return close_fixture(state);
}

static const struct event_page *read_page(void **state, uint64_t after, uint64_t ticket)
{
    const struct event_page *page;
    struct error error;

    assert_ok(event_pages_read(pages, ((struct fixture *)*state)->store, job, after, ticket, &page, &error));
    return page;
}

static void release(const struct event_page *page)
{
    event_page_release((void *)(uintptr_t)page);
}

/* Makes the job run, or adds rows of its curves: an event each. */
static void add_rows(void **state, uint64_t first_step, size_t count)
{
    static struct metric_row rows[300];
    struct error error;
    struct jobs_change change = {
        .id = job, .from = JOB_SET(JOB_RUNNING), .to = JOB_STATUS_KEEP, .rows = rows, .row_count = count};

    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct metric_row){.point = {.step = first_step + i, .batch_loss = 0.5}};
    }
    assert_ok(store_wait(((struct fixture *)*state)->store, jobs_change(&change), &error));
}

static void a_page_is_what_comes_after_an_event(void **state)
{
    const struct event_page *page;

    set_status(((struct fixture *)*state)->store, job, JOB_RUNNING);
    page = read_page(state, 0, 1);
    assert_string_equal(page->text, "id: 1\nevent: state\ndata: {\"status\":\"queued\"}\n\n"
                                    "id: 2\nevent: state\ndata: {\"status\":\"running\"}\n\n");
    assert_int_equal(page->size, strlen(page->text));
    assert_int_equal(page->last, 2);
    assert_int_equal(page->has_more, 0);
    assert_int_equal(page->is_end, 0);
    release(page);
    page = read_page(state, 1, 1);
    assert_string_equal(page->text, "id: 2\nevent: state\ndata: {\"status\":\"running\"}\n\n");
    release(page);
    page = read_page(state, 2, 1);
    assert_int_equal(page->size, 0);
    assert_int_equal(page->last, 2);
    release(page);
}

static void done_is_the_end(void **state)
{
    const struct event_page *page;

    set_status(((struct fixture *)*state)->store, job, JOB_CANCELLED);
    page = read_page(state, 0, 1);
    assert_int_equal(page->is_end, 1);
    assert_non_null(strstr(page->text, "id: 3\nevent: done\ndata: {\"status\":\"cancelled\"}\n\n"));
    release(page);
}

static void pages_of_many_events_follow_one_another(void **state)
{
    uint64_t last = 0;
    size_t count = 0, more;

    set_status(((struct fixture *)*state)->store, job, JOB_RUNNING);
    add_rows(state, 1, 300);
    do {
        const struct event_page *page = read_page(state, last, 1);
        char begin[32];

        snprintf(begin, sizeof begin, "id: %llu\n", (unsigned long long)last + 1);
        assert_memory_equal(page->text, begin, strlen(begin));
        assert_in_range(page->size, 1, 70000);
        assert_true(page->last <= last + 100);
        last = page->last;
        more = (size_t)page->has_more;
        release(page);
        count++;
    } while (more);
    assert_int_equal(last, 302);
    assert_int_equal(count, 4);
}

static void a_page_of_long_events_is_cut_off_and_none_is_lost(void **state)
{
    enum { EVENTS = 40, LONG = 5000 };
    static char data[LONG];
    struct event_new events[EVENTS];
    struct jobs_change change = {
        .id = job, .from = JOB_SET_ACTIVE, .to = JOB_STATUS_KEEP, .events = events, .event_count = EVENTS};
    const struct event_page *page;
    struct error error;

    snprintf(data, sizeof data, "{\"message\":\"%04900d\"}", 7);
    for (size_t i = 0; i < EVENTS; i++) {
        events[i] = (struct event_new){.type = EVENT_LOG, .data = data};
    }
    assert_ok(store_wait(((struct fixture *)*state)->store, jobs_change(&change), &error));
    page = read_page(state, 0, 1);
    assert_in_range(page->size, 60000, 75000);
    assert_int_equal(page->has_more, 1);
    assert_in_range(page->last, 10, 20);
    uint64_t last = page->last;
    release(page);
    page = read_page(state, last, 1);
    assert_int_equal(page->last, 2 * last - 1); /* the first page has a short one besides */
    release(page);
}

static void readers_that_are_equally_far_share_a_page(void **state)
{
    const struct event_page *first = read_page(state, 0, 1), *second = read_page(state, 0, 1);

    assert_ptr_equal(first, second);
    release(first);
    assert_non_null(strstr(second->text, "queued"));
    release(second);
}

static void a_page_from_before_a_wake_is_not_given(void **state)
{
    const struct event_page *before = read_page(state, 0, 1), *after;

    set_status(((struct fixture *)*state)->store, job, JOB_RUNNING);
    after = read_page(state, 0, 2);
    assert_int_equal(before->last, 1);
    assert_int_equal(after->last, 2);
    release(before);
    release(after);
}

static void pages_of_other_jobs_are_not_confused(void **state)
{
    char others[40][ID_TEXT], first[ID_TEXT];
    struct error error;
    const struct event_page *page;

    memcpy(first, job, sizeof first);
    set_status(((struct fixture *)*state)->store, job, JOB_RUNNING);
    for (size_t i = 0; i < 40; i++) { /* more than there are places */
        add_job(((struct fixture *)*state)->store, "", "{}", 0, others[i]);
        assert_ok(event_pages_read(pages, ((struct fixture *)*state)->store, others[i], 0, 1, &page, &error));
        assert_int_equal(page->last, 1);
        release(page);
        page = read_page(state, 0, 1);
        assert_int_equal(page->last, 2);
        release(page);
    }
}

static void a_job_that_is_not_there_has_no_page(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    const struct event_page *page;
    struct error error;

    assert_status(STATUS_NOT_FOUND, event_pages_read(pages, store, "job_00000000000000000000", 0, 1, &page, &error));
    assert_null(page);
    set_status(store, job, JOB_CANCELLED);
    struct jobs_delete deletion = {.id = job};
    assert_ok(store_wait(store, jobs_delete(&deletion), &error));
    assert_status(STATUS_DELETED, event_pages_read(pages, store, job, 0, 2, &page, &error));
}

static void *read_often(void *argument)
{
    for (int i = 0; i < 3000; i++) {
        const struct event_page *page;
        struct error error = {0};

        if (event_pages_read(pages, argument, job, (uint64_t)i % 40, (uint64_t)i / 50, &page, &error) == STATUS_OK) {
            release(page);
        }
    }
    return NULL;
}

static void many_threads_read_at_once(void **state)
{
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, ((struct fixture *)*state)->store), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    release(read_page(state, 0, 1));
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_page_is_what_comes_after_an_event),
        WITH_STORE(done_is_the_end),
        WITH_STORE(pages_of_many_events_follow_one_another),
        WITH_STORE(a_page_of_long_events_is_cut_off_and_none_is_lost),
        WITH_STORE(readers_that_are_equally_far_share_a_page),
        WITH_STORE(a_page_from_before_a_wake_is_not_given),
        WITH_STORE(pages_of_other_jobs_are_not_confused),
        WITH_STORE(a_job_that_is_not_there_has_no_page),
        WITH_STORE(many_threads_read_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
