/* test_turn.c - a thread waits its turn while it answers very many requests and nobody else works. */
#define _GNU_SOURCE /* SCHED_BATCH */
#include "server/turn.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MS = 1000000, MANY = TURN_RATE * TURN_WINDOW_MS / 1000, START_MS = 5000 };

/* n requests by the end of the window that begins at *now_ms; the policy afterwards. */
static int policy_after(int *now_ms, int n, bool is_alone)
{
    for (int i = 1; i < n; i++)
        turn_note((int64_t)*now_ms * MS + i, is_alone);
    *now_ms += TURN_WINDOW_MS;
    turn_note((int64_t)*now_ms * MS, is_alone);
    return sched_getscheduler(0);
}

struct seen {
    bool is_allowed;
    int after_few, after_many, beside_work, after_many_again, after_a_pause;
};

static void *live(void *cls)
{
    struct seen *seen = cls;
    const struct sched_param none = {0};
    seen->is_allowed = sched_setscheduler(0, SCHED_BATCH, &none) == 0 &&
                       sched_setscheduler(0, SCHED_OTHER, &none) == 0;
    int now_ms = START_MS;
    (void)policy_after(&now_ms, 1, true); /* the first window began with the clock */
    seen->after_few = policy_after(&now_ms, MANY / 2, true);
    seen->after_many = policy_after(&now_ms, MANY, true);
    seen->beside_work = policy_after(&now_ms, MANY, false);
    seen->after_many_again = policy_after(&now_ms, MANY, true);
    now_ms += 1000;
    seen->after_a_pause = policy_after(&now_ms, MANY / 2, true);
    return NULL;
}

static void *live_as_batch(void *cls)
{
    int *after_few = cls, now_ms = START_MS;
    const struct sched_param none = {0};
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
    (void)policy_after(&now_ms, MANY, true);
    *after_few = policy_after(&now_ms, 1, true);
    return NULL;
}

/* In a thread of its own: what is counted is the thread's. */
static void run(void *(*body)(void *), void *cls)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, cls), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void waits_while_there_is_much_and_nothing_else(void **state)
{
    (void)state;
    struct seen seen = {0};
    run(live, &seen);
    if (!seen.is_allowed)
        skip();
    assert_int_equal(seen.after_few, SCHED_OTHER);
    assert_int_equal(seen.after_many, SCHED_BATCH);
    assert_int_equal(seen.beside_work, SCHED_OTHER);
    assert_int_equal(seen.after_many_again, SCHED_BATCH);
    assert_int_equal(seen.after_a_pause, SCHED_OTHER);
}

static void another_policy_is_left_alone(void **state)
{
    (void)state;
    struct seen seen = {0};
    run(live, &seen);
    if (!seen.is_allowed)
        skip();
    int after_few = -1;
    run(live_as_batch, &after_few);
    assert_int_equal(after_few, SCHED_BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_while_there_is_much_and_nothing_else),
        cmocka_unit_test(another_policy_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
