/* backtest_rate.c - a pace, measured and kept as a moving average. */
#include "handlers/backtest_rate.h"

#include "backtest/backtest.h"
#include "backtest/rng.h"
#include "base/clock.h"
#include "base/date.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAMES = 10, DAYS = 2520, ARENA_BYTES = 64 << 20, CELLS_MIN = 100000 };

static const double weight_of_new = 0.1;

/* Random walks of whole years of days; their numbers are nobody's. */
static enum status make_series(struct price_series *series, unsigned i, struct arena *arena,
                               struct err *err)
{
    char uid[16];
    struct rng rng;
    int32_t *date = arena_array(arena, DAYS, sizeof *date);
    double *price = arena_array(arena, DAYS, sizeof *price);
    int64_t *known_at = arena_array(arena, DAYS, sizeof *known_at);
    (void)snprintf(uid, sizeof uid, "made:%u", i);
    *series = (struct price_series){.uid = {arena_dup(arena, str_of(uid)), str_of(uid).len},
                                    .currency = "USD",
                                    .n = DAYS,
                                    .date = date,
                                    .price = price,
                                    .known_at = known_at,
                                    .delisted_on = DATE_NONE};
    if (date == NULL || price == NULL || known_at == NULL || series->uid.ptr == NULL)
        return err_out_of_memory(err);
    rng_init(&rng, 1, i);
    double value = 100;
    for (size_t t = 0; t < DAYS; t++) {
        value *= 1 + 0.02 * (rng_next_unit(&rng) - 0.49);
        date[t] = (int32_t)(10957 + t);
        price[t] = value;
        known_at[t] = (int64_t)date[t] * 86400 + 72000;
    }
    return STATUS_OK;
}

static enum status measure(struct arena *arena, uint64_t *ret_cells, double *ret_ms,
                           struct err *err)
{
    static const char request[] =
        "{\"universe\":[\"made:0\",\"made:1\",\"made:2\",\"made:3\",\"made:4\",\"made:5\",\"made:6\","
        "\"made:7\",\"made:8\",\"made:9\"],\"strategy\":\"equal\",\"rebalance\":\"monthly\","
        "\"monkeys\":{\"count\":20,\"seed\":1}}";
    struct price_series series[NAMES];
    struct spec *spec = NULL;
    struct backtest_result *result = NULL;
    const struct market_data market = {.series = series, .n_series = NAMES};
    enum status s = spec_parse(STR(request), arena, &spec, err);
    for (unsigned i = 0; i < NAMES && s == STATUS_OK; i++)
        s = make_series(&series[i], i, arena, err);
    int64_t from_ns = clock_mono_ns();
    if (s == STATUS_OK)
        s = backtest_run(spec, &market, arena, NULL, &result, err);
    *ret_ms = (double)(clock_mono_ns() - from_ns) / 1e6;
    *ret_cells = (uint64_t)NAMES * DAYS * 22;
    return s;
}

enum status backtest_rate_calibrate(struct backtest_rate *rate, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    uint64_t cells = 0;
    double ms = 0;
    arena_init(&arena, ARENA_BYTES);
    enum status s = measure(&arena, &cells, &ms, err);
    if (s == STATUS_OK)
        backtest_rate_note(rate, cells, ms);
    return s;
}

void backtest_rate_note(struct backtest_rate *rate, uint64_t cells, double ms)
{
    if (cells < CELLS_MIN || ms <= 0) /* too short to say anything about the engine */
        return;
    double now = (double)cells / ms * 1000;
    uint_least64_t old = atomic_load(&rate->cells_per_s), mixed;
    do {
        double kept = old == 0 ? now : (double)old + weight_of_new * (now - (double)old);
        mixed = kept < 1 ? 1 : (uint_least64_t)kept;
    } while (!atomic_compare_exchange_weak(&rate->cells_per_s, &old, mixed));
}

double backtest_rate_predict_ms(struct backtest_rate *rate, uint64_t cells, unsigned n_threads)
{
    uint64_t pace = atomic_load(&rate->cells_per_s);
    return pace == 0 ? (double)NAN
                     : (double)cells * 1000 / ((double)pace * (n_threads == 0 ? 1 : n_threads));
}
