/* test_schedule.c - the days that are due are those on which a period begins, whatever days a clock leaves out. */
#include "backtest/rng.h"
#include "backtest/schedule.h"
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { N_SESSIONS = 600 };

/* Steps of one to six days, and now and then of months or years. */
static void make_clock(uint64_t seed, int32_t *clock)
{
    struct rng rng;
    rng_init(&rng, seed, 5);
    clock[0] = date_from_civil((struct civil){1999, 12, 1}) + (int32_t)rng_next_below(&rng, 90);
    for (size_t t = 1; t < N_SESSIONS; t++) {
        uint32_t most = rng_next_below(&rng, 40) == 0 ? 800 : 6;
        clock[t] = clock[t - 1] + 1 + (int32_t)rng_next_below(&rng, most);
    }
}

static void due_sessions_are_those_that_begin_a_period(void **state)
{
    static int32_t clock[N_SESSIONS];
    static uint32_t due[N_SESSIONS];
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        make_clock(seed, clock);
        for (int every = REBALANCE_NEVER; every <= REBALANCE_HALF_YEARLY; every++) {
            struct rebalance_rule rule = rebalance_plain((enum rebalance_every)every);
            size_t n = 0, next = 1;
            schedule_build(&rule, clock, N_SESSIONS, due, &n);
            assert_int_equal(due[0], 0);
            for (size_t t = 1; t < N_SESSIONS; t++)
                if (schedule_is_due(rule.every, clock[t - 1], clock[t]))
                    assert_int_equal(due[next++], t);
            assert_int_equal(n, next);
        }
    }
}

static void an_offset_moves_each_of_them_and_none_comes_twice(void **state)
{
    static int32_t clock[N_SESSIONS];
    static uint32_t due[N_SESSIONS];
    (void)state;
    make_clock(7, clock);
    for (int every = REBALANCE_WEEKLY; every <= REBALANCE_HALF_YEARLY; every++) {
        for (unsigned offset = 1; offset < 70; offset += 4) {
            struct rebalance_rule rule = rebalance_plain((enum rebalance_every)every);
            size_t n = 0, next = 1;
            rule.offset = offset;
            if (every == REBALANCE_SESSIONS || every == REBALANCE_NEVER)
                continue;
            schedule_build(&rule, clock, N_SESSIONS, due, &n);
            for (size_t t = 1; t + offset < N_SESSIONS; t++)
                if (schedule_is_due(rule.every, clock[t - 1], clock[t]))
                    assert_int_equal(due[next++], t + offset);
            assert_int_equal(n, next);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_sessions_are_those_that_begin_a_period),
        cmocka_unit_test(an_offset_moves_each_of_them_and_none_comes_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
