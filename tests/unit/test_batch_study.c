/* test_batch_study.c - a study that is written down and read back goes on as if nothing had happened. */
#include "handlers/batch_study.h"

#include "backtest/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 200, TRIALS = 24, CUT = 9 };

static struct arena arena;
static double returns[TRIALS][ROWS];

static int set_up(void **state)
{
    struct rng rng;
    (void)state;
    arena_init(&arena, (size_t)64 << 20);
    rng_init(&rng, 7, 0);
    for (size_t i = 0; i < TRIALS; i++)
        for (size_t t = 0; t < ROWS; t++)
            returns[i][t] = 0.02 * (rng_next_unit(&rng) - 0.48);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

/* Trials from..to; number 3 has failed and number 5 covers other sessions. */
static void add(struct batch_study *study, size_t from, size_t to)
{
    struct err err = {0};
    for (size_t i = from; i < to; i++) {
        const struct backtest_item item = {(int64_t)i, STR_NONE, STR_NONE};
        double standard[ROWS];
        struct batch_outcome outcome = {.item = &item,
                                        .standard = standard,
                                        .n_returns = i == 5 ? ROWS - 1 : ROWS,
                                        .first = 100,
                                        .last = i == 5 ? 399 : 400};
        overfit_condense(NULL, returns[i], outcome.n_returns, OVERFIT_BLOCKS, standard,
                         &outcome.column);
        outcome.row.error = i == 3 ? STR("no-data") : STR_NONE;
        assert_int_equal(batch_study_add(study, &outcome, &arena, &err), STATUS_OK);
    }
}

static struct backtest_study_kept keep(const struct batch_study *study, int64_t n_done)
{
    struct backtest_study_kept kept = {.n_done = n_done};
    struct err err = {0};
    assert_int_equal(batch_study_keep(study, 0, &arena, &kept.trials, &kept.state, &err),
                     STATUS_OK);
    return kept;
}

static bool recall(struct batch_study *study, const struct backtest_study_kept *kept,
                   int64_t n_done)
{
    bool is_whole = false;
    struct err err = {0};
    *study = (struct batch_study){.n_max = TRIALS};
    assert_int_equal(batch_study_recall(study, kept, n_done, &arena, &is_whole, &err), STATUS_OK);
    return is_whole;
}

static void a_study_read_back_goes_on_bit_for_bit(void **state)
{
    struct batch_study whole = {.n_max = TRIALS}, first = {.n_max = TRIALS}, second;
    (void)state;
    add(&whole, 0, TRIALS);
    add(&first, 0, CUT);
    struct backtest_study_kept kept = keep(&first, CUT);
    assert_true(recall(&second, &kept, CUT));
    add(&second, CUT, TRIALS);
    assert_int_equal(second.study.n, TRIALS - 2);
    assert_int_equal(second.n_others, 1);
    struct backtest_study_kept a = keep(&whole, TRIALS), b = keep(&second, TRIALS);
    assert_true(str_eq(a.trials, b.trials));
    assert_true(str_eq(a.state, b.state));
}

static void what_is_not_the_whole_study_is_not_taken(void **state)
{
    struct batch_study study = {.n_max = TRIALS}, other;
    (void)state;
    add(&study, 0, CUT);
    struct backtest_study_kept kept = keep(&study, CUT), cut = kept;
    assert_false(recall(&other, &kept, CUT + 1)); /* items were done after it */
    cut.trials.len /= 2;
    assert_false(recall(&other, &cut, CUT));
    cut = kept;
    cut.state.len -= sizeof(double);
    assert_false(recall(&other, &cut, CUT));
    cut.state = STR_NONE;
    assert_false(recall(&other, &cut, CUT));
    assert_false(other.is_begun);
}

static void a_study_without_a_trial_yet_is_whole(void **state)
{
    struct batch_study study = {.n_max = TRIALS}, other;
    (void)state;
    add(&study, 3, 4);
    struct backtest_study_kept kept = keep(&study, 1);
    assert_true(recall(&other, &kept, 1));
    assert_false(other.is_begun);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_study_read_back_goes_on_bit_for_bit),
        cmocka_unit_test(what_is_not_the_whole_study_is_not_taken),
        cmocka_unit_test(a_study_without_a_trial_yet_is_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
