/* test_determinism.c - the same request gives the same bytes: again, on two threads, with any kernels, from any compiler. */
#include "backtest/profile.h"
#include "base/number.h"
#include "handlers/backtest_render.h"
#include "tests/unit/test_backtest_world.h"

#include <pthread.h>
#include <stdlib.h>

enum { REQUESTS = 6, REPEATS = 100, BARS = 900, TAIL_BYTES = 20 };

static const char *const requests[REQUESTS] = {
    "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.3},{\"uid\":\"x:C\",\"weight\":0.2}],"
    "\"rebalance\":\"monthly\",\"costs\":{\"commission_bps\":5,\"slippage_bps\":5},\"benchmark\":\"x:D\","
    "\"monkeys\":{\"count\":20,\"seed\":3,\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\",\"x:E\"]}}",
    "{\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\"],\"strategy\":\"equal\",\"rebalance\":\"weekly\","
    "\"fill\":\"same_close\",\"monkeys\":{\"count\":5}}",
    "{\"universe\":[\"x:D\",\"x:E\"],\"strategy\":\"buy_and_hold\",\"capital\":12345.678,\"monkeys\":{\"count\":0}}",
    "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.4},{\"uid\":\"x:E\",\"weight\":0.3}],\"on_weight_sum\":\"cash\","
    "\"rebalance\":\"daily\",\"costs\":{\"commission_bps\":12.5},\"monkeys\":{\"count\":3}}",
    "{\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\",\"x:E\"],\"strategy\":\"equal\",\"rebalance\":\"yearly\","
    "\"risk_free_rate\":0.02,\"max_stale\":1,\"monkeys\":{\"count\":2,\"seed\":99}}",
    "{\"assets\":[{\"uid\":\"x:B\",\"weight\":1}],\"benchmark\":\"x:A\",\"rebalance\":\"quarterly\","
    "\"costs\":{\"slippage_bps\":30},\"monkeys\":{\"count\":0}}",
};

static void fill_market(struct world *w, enum kernels_choice choice)
{
    static const char *const names[] = {"x:A", "x:B", "x:C", "x:D", "x:E"};
    world_init(w);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        world_add_walk(w, names[i], day(2005, 1, 3), BARS, 40 + i, i == 2 ? 12 : 0);
    w->market.kernels = kernels_choose(choice);
}

/* The answer's text, in the arena given. */
static struct str answer(const struct market_data *market, const char *request, struct arena *arena)
{
    struct spec *spec = NULL;
    struct backtest_result *result = NULL;
    struct backtest_passport passport = {.engine_version = "x"};
    struct err err = {0};
    struct buf out;
    buf_init(&out, arena, SIZE_MAX / 4);
    if (spec_parse(str_of(request), arena, &spec, &err) != STATUS_OK ||
        backtest_run(spec, market, arena, NULL, &result, &err) != STATUS_OK)
        return STR_NONE;
    backtest_render(result, STR("id"), &passport, &out);
    return out.failed ? STR_NONE : buf_str(&out);
}

static void a_hundred_repeats_give_the_same_bytes(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, KERNELS_AUTO);
    for (size_t i = 0; i < REQUESTS; i++) {
        struct str first = answer(&w.market, requests[i], &w.arena);
        assert_true(first.len > 10000);
        for (size_t k = 0; k < REPEATS / REQUESTS + 1; k++) {
            struct arena arena;
            arena_init(&arena, (size_t)1 << 28);
            free(malloc(1000 * k + 1)); /* other addresses, other rubbish in fresh memory */
            assert_true(str_eq(answer(&w.market, requests[i], &arena), first));
            arena_clear(&arena);
        }
    }
    world_clear(&w);
}

struct worker {
    const struct market_data *market;
    const struct str *expected;
    size_t first;
    size_t n_different;
};

static void *work(void *cls)
{
    struct worker *worker = cls;
    for (size_t k = 0; k < 4 * REQUESTS; k++) {
        size_t i = (worker->first + k) % REQUESTS;
        struct arena arena;
        arena_init(&arena, (size_t)1 << 28);
        struct str text = answer(worker->market, requests[i], &arena);
        worker->n_different += str_eq(text, worker->expected[i]) ? 0 : 1;
        arena_clear(&arena);
    }
    return NULL;
}

static void two_threads_give_the_bytes_of_one(void **state)
{
    struct world w;
    struct str expected[REQUESTS];
    struct worker workers[2];
    pthread_t thread[2];
    (void)state;
    fill_market(&w, KERNELS_AUTO);
    for (size_t i = 0; i < REQUESTS; i++)
        expected[i] = answer(&w.market, requests[i], &w.arena);
    for (size_t k = 0; k < 2; k++) {
        workers[k] = (struct worker){&w.market, expected, 3 * k, 0};
        assert_int_equal(pthread_create(&thread[k], NULL, work, &workers[k]), 0);
    }
    for (size_t k = 0; k < 2; k++) {
        pthread_join(thread[k], NULL);
        assert_int_equal(workers[k].n_different, 0);
    }
    world_clear(&w);
}

static void every_variant_of_the_kernels_gives_the_same_answer(void **state)
{
    struct world plain, best;
    (void)state;
    fill_market(&plain, KERNELS_REF);
    fill_market(&best, KERNELS_AUTO);
    for (size_t i = 0; i < REQUESTS; i++) {
        struct str one = answer(&plain.market, requests[i], &plain.arena);
        struct str two = answer(&best.market, requests[i], &best.arena);
        size_t head = one.len - TAIL_BYTES; /* the tail of meta names the kernels */
        assert_true(one.len > 10000 && str_find(str_sub(one, head, one.len), 'k', 0) < TAIL_BYTES);
        assert_memory_equal(one.ptr, two.ptr, head);
    }
    world_clear(&plain);
    world_clear(&best);
}

static uint64_t fold(uint64_t hash, const double *value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &value[i], sizeof bits);
        for (size_t b = 0; b < 64; b += 8)
            hash = (hash ^ (bits >> b & 0xff)) * UINT64_C(1099511628211); /* FNV-1a */
    }
    return hash;
}

/*
 * Every build of every compiler has to come to these bits. When a change to the simulation is meant
 * to move them, BACKTEST_ENGINE_VERSION moves too, and the failing case prints the new value.
 */
static void equity_has_the_bits_of_every_other_build(void **state)
{
    static const uint64_t expected = UINT64_C(0x52afc3be3a8fe55e);
    uint64_t hash = UINT64_C(14695981039346656037);
    struct world w;
    (void)state;
    fill_market(&w, KERNELS_AUTO);
    for (size_t i = 0; i < REQUESTS; i++) {
        struct backtest_result *result = world_run(&w, requests[i]);
        hash = fold(hash, result->equity, result->panel->n_sessions);
        for (size_t k = 0; k < MONKEY_STATISTIC_COUNT && result->monkeys.count > 0; k++)
            hash = fold(hash, result->monkeys.row[k].quantile, MONKEY_QUANTILE_COUNT);
    }
    if (hash != expected)
        fail_msg("the bits are those of 0x%016llx", (unsigned long long)hash);
    world_clear(&w);
}

static void assert_same_tables(const struct backtest_result *few, const struct backtest_result *all)
{
    assert_int_equal(few->n_drawdowns, all->n_drawdowns);
    for (size_t i = 0; i < all->n_drawdowns; i++) {
        assert_int_equal(few->drawdowns[i].peak, all->drawdowns[i].peak);
        assert_int_equal(few->drawdowns[i].recovery, all->drawdowns[i].recovery);
        assert_true(number_is_same(few->drawdowns[i].depth, all->drawdowns[i].depth));
    }
    assert_int_equal(few->years.n, all->years.n);
    for (size_t y = 0; y < all->years.n; y++)
        assert_true(number_is_same(few->years.rows[y].total, all->years.rows[y].total));
}

/* The line, and of the measures those that were asked for. */
static void assert_is_part_of(const struct backtest_result *few, const struct measure_set *wanted,
                              const struct backtest_result *all)
{
    for (size_t t = 0; t < all->panel->n_sessions; t++)
        assert_true(number_is_same(few->equity[t], all->equity[t]));
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++) {
        const struct measure_value *own = &few->measures[i], *whole = &all->measures[i];
        if (!wanted->has[i])
            assert_int_equal(own->reason, REASON_NOT_APPLICABLE);
        else if (!number_is_same(own->value, whole->value) || own->reason != whole->reason ||
                 own->n != whole->n)
            fail_msg("%s: %.17g is not %.17g", measure_infos[i].name, own->value, whole->value);
    }
}

/* With figures of trades and without, with tables and without. */
static void a_selection_has_the_bits_of_the_whole_run(void **state)
{
    static const enum measure_id plain[] = {MEASURE_cagr, MEASURE_average_drawdown, MEASURE_var_95,
                                            MEASURE_tail_ratio, MEASURE_treynor};
    struct world w;
    (void)state;
    fill_market(&w, KERNELS_AUTO);
    for (size_t i = 0; i < REQUESTS; i++) {
        struct spec *spec = NULL;
        struct backtest_result *all = NULL, *few = NULL;
        struct err err = {0};
        assert_int_equal(spec_parse(str_of(requests[i]), &w.arena, &spec, &err), STATUS_OK);
        assert_int_equal(backtest_run(spec, &w.market, &w.arena, NULL, &all, &err), STATUS_OK);
        const struct measure_set headlines =
            profile_set(spec->metrics_profile, measure_headlines, MEASURE_HEADLINE_COUNT);
        assert_int_equal(backtest_figures(spec, &w.market, NULL, NULL, &w.arena, NULL, &few, &err),
                         STATUS_OK);
        assert_is_part_of(few, &headlines, all);
        const struct backtest_selection wanted = {measure_set_of(plain, ARRAY_LEN(plain)), true};
        assert_int_equal(
            backtest_figures(spec, &w.market, NULL, &wanted, &w.arena, NULL, &few, &err),
            STATUS_OK);
        assert_is_part_of(few, &wanted.measures, all);
        assert_same_tables(few, all);
    }
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_repeats_give_the_same_bytes),
        cmocka_unit_test(two_threads_give_the_bytes_of_one),
        cmocka_unit_test(every_variant_of_the_kernels_gives_the_same_answer),
        cmocka_unit_test(a_selection_has_the_bits_of_the_whole_run),
        cmocka_unit_test(equity_has_the_bits_of_every_other_build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
