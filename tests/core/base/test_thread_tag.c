/* Threads carry the tag of whoever made their team. */
#include "core/base/thread_tag.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/pool.h"

#define THREADS 4

struct noted {
    pthread_barrier_t all; /* so that each worker gets one task */
    const char *tags[THREADS];
};

static void note_tag(void *context, uint32_t task, uint32_t worker)
{
    struct noted *noted = context;
    (void)task;
    noted->tags[worker] = thread_tag;
    pthread_barrier_wait(&noted->all);
}

static void assert_tags(struct pool *pool, const char *tag)
{
    struct noted noted = {.tags = {"", "", "", ""}};
    assert_int_equal(pthread_barrier_init(&noted.all, NULL, pool_threads(pool)), 0);
    pool_run(pool, pool_threads(pool), note_tag, &noted);
    pthread_barrier_destroy(&noted.all);
    for (uint32_t i = 0; i < pool_threads(pool); i++) {
        assert_ptr_equal(noted.tags[i], tag);
    }
}

static void a_team_carries_the_tag_of_its_maker(void **state)
{
    static const char name[] = "job_a";
    struct pool *pool;
    (void)state;
    assert_null(thread_tag);
    thread_tag = name;
    assert_int_equal(pool_new(&pool, 2, NULL), STATUS_OK);
    assert_tags(pool, name);
    pool_resize(pool, THREADS); /* those that come later, too */
    assert_tags(pool, name);
    pool_free(pool);
    thread_tag = NULL;
    assert_int_equal(pool_new(&pool, THREADS, NULL), STATUS_OK);
    assert_tags(pool, NULL);
    pool_free(pool);
}

static void *look(void *seen)
{
    *(const char **)seen = thread_tag;
    thread_tag = "other";
    return NULL;
}

static void a_tag_is_one_threads_own(void **state)
{
    static const char name[] = "job_b";
    const char *seen = "";
    pthread_t thread;
    (void)state;
    thread_tag = name;
    assert_int_equal(pthread_create(&thread, NULL, look, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_null(seen);
    assert_ptr_equal(thread_tag, name);
    thread_tag = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_team_carries_the_tag_of_its_maker),
        cmocka_unit_test(a_tag_is_one_threads_own),
    };
    return cmocka_run_group_tests_name("thread_tag", tests, NULL, NULL);
}
