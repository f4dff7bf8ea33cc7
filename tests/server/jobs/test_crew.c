/* Threads that take up one task after the other. */
#include "server/jobs/crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct task {
    struct world *world;
    struct task *next; /* begun when this one is done */
    pthread_t thread;
    int done;
};

struct world {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct crew *crew;
    unsigned working, most, refused;
    int held; /* tasks do not end */
};

static void work(void *context)
{
    struct task *task = context;
    struct world *world = task->world;

    pthread_mutex_lock(&world->lock);
    task->thread = pthread_self();
    world->working++;
    world->most = world->working > world->most ? world->working : world->most;
    pthread_cond_broadcast(&world->changed);
    while (world->held) {
        pthread_cond_wait(&world->changed, &world->lock);
    }
    world->working--;
    pthread_mutex_unlock(&world->lock);
}

static void end_work(void *context)
{
    struct task *task = context;

    task->done = 1;
    if (task->next != NULL) {
        task->world->refused += !crew_begin(task->world->crew, task->next);
    }
    pthread_cond_broadcast(&task->world->changed);
}

static void begin_world(struct world *world)
{
    const struct crew_setup setup = {.name = "crew", .lock = &world->lock, .run = work, .done = end_work};
    struct error error;

    *world = (struct world){.held = 0};
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->changed, NULL);
    assert_int_equal(crew_new(&world->crew, &setup, &error), STATUS_OK);
}

static void end_world(struct world *world)
{
    crew_free(world->crew);
    assert_int_equal(world->refused, 0);
    pthread_cond_destroy(&world->changed);
    pthread_mutex_destroy(&world->lock);
}

static void a_task_that_follows_another_is_done_by_the_same_thread(void **state)
{
    struct world world;
    struct task tasks[50];
    (void)state;
    begin_world(&world);
    for (int i = 0; i < 50; i++) {
        tasks[i] = (struct task){.world = &world, .next = i < 49 ? &tasks[i + 1] : NULL};
    }
    pthread_mutex_lock(&world.lock);
    assert_true(crew_begin(world.crew, &tasks[0]));
    while (!tasks[49].done) {
        pthread_cond_wait(&world.changed, &world.lock);
    }
    pthread_mutex_unlock(&world.lock);
    end_world(&world);
    for (int i = 1; i < 50; i++) {
        assert_true(pthread_equal(tasks[i].thread, tasks[0].thread));
    }
}

static void tasks_never_wait_for_one_another(void **state)
{
    struct world world;
    struct task tasks[40]; /* more than there are threads kept */
    (void)state;
    begin_world(&world);
    for (int round = 0; round < 3; round++) {
        pthread_mutex_lock(&world.lock);
        world.held = 1;
        for (int i = 0; i < 40; i++) {
            tasks[i] = (struct task){.world = &world};
            assert_true(crew_begin(world.crew, &tasks[i]));
        }
        while (world.working < 40) {
            pthread_cond_wait(&world.changed, &world.lock);
        }
        world.held = 0;
        pthread_cond_broadcast(&world.changed);
        for (int i = 0; i < 40; i++) {
            while (!tasks[i].done) {
                pthread_cond_wait(&world.changed, &world.lock);
            }
        }
        pthread_mutex_unlock(&world.lock);
    }
    end_world(&world);
    assert_int_equal(world.most, 40);
}

static void a_crew_is_freed_after_its_last_task(void **state)
{
    struct world world;
    struct task tasks[3];
    (void)state;
    begin_world(&world);
    pthread_mutex_lock(&world.lock);
    for (int i = 0; i < 3; i++) {
        tasks[i] = (struct task){.world = &world};
        assert_true(crew_begin(world.crew, &tasks[i]));
    }
    pthread_mutex_unlock(&world.lock);
    end_world(&world);
    assert_true(tasks[0].done && tasks[1].done && tasks[2].done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_that_follows_another_is_done_by_the_same_thread),
        cmocka_unit_test(tasks_never_wait_for_one_another),
        cmocka_unit_test(a_crew_is_freed_after_its_last_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
