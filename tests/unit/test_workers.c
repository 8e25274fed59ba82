/* test_workers.c - workers.h: every job comes back exactly once, whatever happens to it. */
#include "server/workers.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

struct task {
    struct job job; /* first */
    struct stop stop;
    atomic_int n_run, n_skipped;
};

static atomic_bool gate; /* closed: jobs that run wait */
static atomic_int n_running, n_back;

static void pause_ms(long ms)
{
    struct timespec time = {0, ms * 1000000};
    (void)nanosleep(&time, NULL);
}

static void run(struct job *job)
{
    struct task *task = (struct task *)(void *)job;
    atomic_fetch_add(&n_running, 1);
    while (!atomic_load(&gate))
        pause_ms(1);
    atomic_fetch_add(&task->n_run, 1);
    atomic_fetch_add(&n_back, 1);
}

static void pass_over(struct job *job)
{
    struct task *task = (struct task *)(void *)job;
    atomic_fetch_add(&task->n_skipped, 1);
    atomic_fetch_add(&n_back, 1);
}

static struct workers *start_workers(unsigned n_threads, unsigned queue_max)
{
    struct workers_options options = {"test", n_threads, queue_max, run, pass_over, 0};
    struct workers *workers = NULL;
    atomic_store(&gate, false);
    atomic_store(&n_running, 0);
    atomic_store(&n_back, 0);
    assert_int_equal(workers_new(&options, &workers, NULL), STATUS_OK);
    return workers;
}

static bool push(struct workers *workers, struct task *task)
{
    task->job.stop = &task->stop;
    if (!workers_admit(workers))
        return false;
    workers_push(workers, &task->job);
    return true;
}

static void wait_for(atomic_int *count, int wanted)
{
    for (int i = 0; i < 2000 && atomic_load(count) < wanted; i++)
        pause_ms(1);
    assert_int_equal(atomic_load(count), wanted);
}

static void full_queue_admits_nobody_until_a_place_is_free(void **state)
{
    (void)state;
    struct task tasks[4] = {0};
    struct workers *workers = start_workers(1, 2);
    assert_true(push(workers, &tasks[0]));
    wait_for(&n_running, 1); /* it has left the queue */
    assert_true(push(workers, &tasks[1]));
    assert_true(push(workers, &tasks[2]));
    assert_false(push(workers, &tasks[3]));
    assert_int_equal(workers_load(workers).waiting, 2);
    assert_int_equal(workers_load(workers).running, 1);
    assert_in_range(workers_retry_after_s(workers), 1, 60);
    atomic_store(&gate, true);
    wait_for(&n_back, 3);
    assert_true(push(workers, &tasks[3]));
    workers_free(workers);
    for (int i = 0; i < 4; i++)
        assert_int_equal(atomic_load(&tasks[i].n_run), 1);
}

static void stopped_jobs_are_skipped_by_a_sweep_or_by_their_turn(void **state)
{
    (void)state;
    struct task tasks[5] = {0};
    struct workers *workers = start_workers(1, 8);
    for (int i = 0; i < 5; i++)
        assert_true(push(workers, &tasks[i]));
    wait_for(&n_running, 1);
    stop_raise(&tasks[1].stop, STOP_CLIENT_GONE); /* first, last and one in the middle */
    stop_raise(&tasks[3].stop, STOP_DEADLINE);
    stop_raise(&tasks[4].stop, STOP_CLIENT_GONE);
    workers_sweep(workers);
    assert_int_equal(atomic_load(&n_back), 3);
    assert_int_equal(workers_load(workers).waiting, 1);
    stop_raise(&tasks[2].stop, STOP_DRAINING);
    atomic_store(&gate, true);
    workers_free(workers);
    static const int runs[] = {1, 0, 0, 0, 0};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(atomic_load(&tasks[i].n_run), runs[i]);
        assert_int_equal(atomic_load(&tasks[i].n_skipped), 1 - runs[i]);
    }
}

enum { PUSHERS = 4, EACH = 2000 };

struct pusher {
    struct workers *workers;
    struct task *tasks;
    int n_pushed;
};

static void *push_many(void *cls)
{
    struct pusher *pusher = cls;
    for (int i = 0; i < EACH; i++) {
        if (i % 3 == 0)
            stop_raise(&pusher->tasks[i].stop, STOP_CLIENT_GONE);
        while (!push(pusher->workers, &pusher->tasks[i]))
            workers_sweep(pusher->workers);
        if (i % 3 == 1)
            stop_raise(&pusher->tasks[i].stop, STOP_DEADLINE);
        pusher->n_pushed++;
    }
    return NULL;
}

static void every_job_comes_back_exactly_once_under_contention(void **state)
{
    (void)state;
    static struct task tasks[PUSHERS][EACH];
    struct pusher pushers[PUSHERS];
    pthread_t threads[PUSHERS];
    struct workers *workers = start_workers(3, 16);
    atomic_store(&gate, true);
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){workers, tasks[i], 0};
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, &pushers[i]), 0);
    }
    for (int i = 0; i < PUSHERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    workers_free(workers);
    assert_int_equal(atomic_load(&n_back), PUSHERS * EACH);
    for (int i = 0; i < PUSHERS; i++)
        for (int k = 0; k < EACH; k++)
            assert_int_equal(atomic_load(&tasks[i][k].n_run) + atomic_load(&tasks[i][k].n_skipped),
                             1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_queue_admits_nobody_until_a_place_is_free),
        cmocka_unit_test(stopped_jobs_are_skipped_by_a_sweep_or_by_their_turn),
        cmocka_unit_test(every_job_comes_back_exactly_once_under_contention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
