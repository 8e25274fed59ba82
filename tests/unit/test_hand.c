/* test_hand.c - an errand is run once, by the hand or by its owner, whoever is free. */
#include "handlers/hand.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct count {
    int n_runs;
    pthread_t runner;
};

static void run_count(void *cls)
{
    struct count *count = cls;
    count->n_runs++;
    count->runner = pthread_self();
}

static struct hand *hand_of(void)
{
    struct hand *hand = NULL;
    assert_int_equal(hand_new(&hand, NULL), STATUS_OK);
    return hand;
}

static void without_a_hand_the_owner_runs_it(void **state)
{
    struct count count = {0};
    struct errand errand = {.run = run_count, .cls = &count};
    (void)state;
    hand_offer(NULL, &errand);
    hand_finish(NULL, &errand);
    assert_int_equal(count.n_runs, 1);
    assert_true(pthread_equal(count.runner, pthread_self()));
    hand_free(NULL);
}

static void an_errand_is_run_once_whether_or_not_it_was_begun(void **state)
{
    struct hand *hand = hand_of();
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct count count = {0};
        struct errand errand = {.run = run_count, .cls = &count};
        if (i % 3 != 0)
            hand_offer(hand, &errand);
        hand_finish(hand, &errand);
        assert_int_equal(count.n_runs, 1);
        assert_int_equal(errand.state, ERRAND_DONE);
    }
    hand_free(hand);
}

/* Stays at work until it is told. */
struct gate {
    atomic_bool has_begun, may_end;
};

static void run_gate(void *cls)
{
    struct gate *gate = cls;
    atomic_store(&gate->has_begun, true);
    while (!atomic_load(&gate->may_end))
        continue;
}

static void a_busy_hand_takes_nothing_else(void **state)
{
    struct hand *hand = hand_of();
    struct gate gate = {0};
    struct count count = {0};
    struct errand first = {.run = run_gate, .cls = &gate};
    struct errand second = {.run = run_count, .cls = &count};
    (void)state;
    hand_offer(hand, &first);
    while (!atomic_load(&gate.has_begun))
        continue;
    hand_offer(hand, &second);
    assert_int_equal(second.state, ERRAND_OWN);
    hand_finish(hand, &second);
    assert_int_equal(count.n_runs, 1);
    assert_true(pthread_equal(count.runner, pthread_self()));
    atomic_store(&gate.may_end, true);
    hand_finish(hand, &first);
    assert_int_equal(first.state, ERRAND_DONE);
    hand_free(hand);
}

static void *give_many(void *cls)
{
    for (int i = 0; i < 2000; i++) {
        struct count count = {0};
        struct errand errand = {.run = run_count, .cls = &count};
        hand_offer(cls, &errand);
        hand_finish(cls, &errand);
        if (count.n_runs != 1)
            return cls;
    }
    return NULL;
}

static void several_owners_share_a_hand(void **state)
{
    struct hand *hand = hand_of();
    pthread_t thread[4];
    void *wrong = NULL;
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, give_many, hand), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        assert_null(wrong);
    }
    hand_free(hand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_hand_the_owner_runs_it),
        cmocka_unit_test(an_errand_is_run_once_whether_or_not_it_was_begun),
        cmocka_unit_test(a_busy_hand_takes_nothing_else),
        cmocka_unit_test(several_owners_share_a_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
