/* Jobs that wait: by priority, then age. */
#include "server/jobs/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void insert(struct queue *queue, const char *id, int32_t priority)
{
    struct job_ticket job = {.priority = priority};
    snprintf(job.id, sizeof job.id, "%s", id);
    assert_true(queue_insert(queue, &job));
}

/* The ids in order, without spaces; head, tail and count fit. */
static void assert_queue(const struct queue *queue, const char *ids)
{
    char got[64] = "";
    size_t length = 0;
    const struct ticket *last = NULL;
    for (const struct ticket *ticket = queue->head; ticket != NULL; ticket = ticket->next) {
        got[length++] = ticket->job.id[0];
        last = ticket;
    }
    assert_string_equal(got, ids);
    assert_int_equal(queue->count, strlen(ids));
    assert_ptr_equal(queue->tail, last);
}

static void jobs_stand_by_priority_then_age(void **state)
{
    struct queue queue = {.count = 0};
    (void)state;
    insert(&queue, "a", 0);
    insert(&queue, "b", 5);
    insert(&queue, "c", 0);
    insert(&queue, "d", -2);
    insert(&queue, "e", 5);
    insert(&queue, "f", -2);
    assert_queue(&queue, "beacdf");
    assert_string_equal(queue_take(&queue).id, "b");
    assert_queue(&queue, "eacdf");
    queue_release(&queue);
    assert_queue(&queue, "");
}

static void any_job_can_be_taken_out(void **state)
{
    static const char *const outs[] = {"c", "a", "b"}; /* the last one, the first, the only one */
    static const char *const left[] = {"ab", "b", ""};
    struct queue queue = {.count = 0};
    struct job_ticket job;
    (void)state;
    insert(&queue, "a", 1);
    insert(&queue, "b", 1);
    insert(&queue, "c", 1);
    assert_false(queue_remove(&queue, "x", &job));
    for (int i = 0; i < 3; i++) {
        assert_true(queue_remove(&queue, outs[i], &job));
        assert_string_equal(job.id, outs[i]);
        assert_queue(&queue, left[i]);
    }
    insert(&queue, "d", 1); /* an emptied queue is as good as a new one */
    assert_queue(&queue, "d");
    queue_release(&queue);
}

static void a_ticket_is_found_in_its_place(void **state)
{
    struct queue queue = {.count = 0};
    (void)state;
    assert_null(queue_find(&queue, "a"));
    insert(&queue, "a", 0);
    insert(&queue, "b", 0);
    queue_find(&queue, "b")->version = 7;
    assert_null(queue_find(&queue, "c"));
    assert_string_equal(queue_take(&queue).id, "a");
    assert_int_equal(queue_take(&queue).version, 7);
    assert_queue(&queue, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_stand_by_priority_then_age),
        cmocka_unit_test(any_job_can_be_taken_out),
        cmocka_unit_test(a_ticket_is_found_in_its_place),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
