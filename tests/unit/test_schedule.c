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

static void months_begin_where_the_civil_month_changes(void **state)
{
    static int32_t clock[N_SESSIONS];
    struct arena arena;
    struct calendar calendar;
    (void)state;
    arena_init(&arena, 1 << 20);
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t m = 0;
        make_clock(seed, clock);
        assert_int_equal(calendar_of(clock, N_SESSIONS, &arena, &calendar, NULL), STATUS_OK);
        for (size_t t = 0; t < N_SESSIONS; t++) {
            struct civil day = date_to_civil(clock[t]);
            if (t > 0 && t == calendar_end(&calendar, m))
                m++;
            assert_true(calendar.months[m].year == day.year &&
                        calendar.months[m].month == day.month);
        }
        assert_int_equal(calendar.n_months, m + 1);
        assert_int_equal(calendar_end(&calendar, m), N_SESSIONS);
    }
    arena_clear(&arena);
}

static void due_sessions_are_those_that_begin_a_period(void **state)
{
    static int32_t clock[N_SESSIONS];
    static uint32_t due[N_SESSIONS];
    struct arena arena;
    struct calendar calendar;
    (void)state;
    arena_init(&arena, 1 << 20);
    for (uint64_t seed = 0; seed < 20; seed++) {
        make_clock(seed, clock);
        assert_int_equal(calendar_of(clock, N_SESSIONS, &arena, &calendar, NULL), STATUS_OK);
        for (int every = REBALANCE_NEVER; every <= REBALANCE_HALF_YEARLY; every++) {
            struct rebalance_rule rule = rebalance_plain((enum rebalance_every)every);
            size_t n = 0, next = 1;
            schedule_build(&rule, &calendar, due, &n);
            assert_int_equal(due[0], 0);
            for (size_t t = 1; t < N_SESSIONS; t++)
                if (schedule_is_due(rule.every, clock[t - 1], clock[t]))
                    assert_int_equal(due[next++], t);
            assert_int_equal(n, next);
        }
    }
    arena_clear(&arena);
}

static void an_offset_moves_each_of_them_and_none_comes_twice(void **state)
{
    static int32_t clock[N_SESSIONS];
    static uint32_t due[N_SESSIONS];
    struct arena arena;
    struct calendar calendar;
    (void)state;
    arena_init(&arena, 1 << 20);
    make_clock(7, clock);
    assert_int_equal(calendar_of(clock, N_SESSIONS, &arena, &calendar, NULL), STATUS_OK);
    for (int every = REBALANCE_WEEKLY; every <= REBALANCE_HALF_YEARLY; every++) {
        for (unsigned offset = 1; offset < 70; offset += 4) {
            struct rebalance_rule rule = rebalance_plain((enum rebalance_every)every);
            size_t n = 0, next = 1;
            rule.offset = offset;
            if (every == REBALANCE_SESSIONS || every == REBALANCE_NEVER)
                continue;
            schedule_build(&rule, &calendar, due, &n);
            for (size_t t = 1; t + offset < N_SESSIONS; t++)
                if (schedule_is_due(rule.every, clock[t - 1], clock[t]))
                    assert_int_equal(due[next++], t + offset);
            assert_int_equal(n, next);
        }
    }
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_begin_where_the_civil_month_changes),
        cmocka_unit_test(due_sessions_are_those_that_begin_a_period),
        cmocka_unit_test(an_offset_moves_each_of_them_and_none_comes_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
