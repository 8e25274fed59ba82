/* test_determinism.c - the same request gives the same bytes: again, on two threads, with any kernels, from any compiler. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_repeats_give_the_same_bytes),
        cmocka_unit_test(two_threads_give_the_bytes_of_one),
        cmocka_unit_test(every_variant_of_the_kernels_gives_the_same_answer),
        cmocka_unit_test(equity_has_the_bits_of_every_other_build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
