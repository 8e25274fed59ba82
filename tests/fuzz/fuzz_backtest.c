/*
 * fuzz_backtest.c - any bytes as a request, played on a small made-up market: parsed, simulated, measured
 * and rendered. Refused with a reason, or an answer without a number that JSON cannot hold.
 *
 * The market follows from the request: a series for each uid it names, whose currency, gaps, bad luck
 * and delisting follow from the uid. A few hundred bars reach over whatever window was asked for.
 */
#include "backtest/backtest.h"
#include "backtest/elementary.h"
#include "backtest/rng.h"
#include "backtest/succession.h"
#include "base/date.h"
#include "base/json_in.h"
#include "handlers/backtest_render.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BARS = 260, NAMES_MAX = 40, MONKEYS_MAX = 4, ARENA_MIB = 256 };

static const char currencies[][CURRENCY_TEXT_BYTES] = {"USD", "EUR", "KRW", "JPY"};

struct market_maker {
    struct arena *arena;
    struct market_data *market;
    struct price_series series[2 * NAMES_MAX + 1];
    struct fx_series fx[ARRAY_LEN(currencies)];
    int32_t from;
    int32_t step; /* days between bars */
    enum price_mode mode;
    bool is_odd; /* the series that is made now: one in eight has what no source should say */
};

static uint64_t seed_of(struct str uid)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < uid.len; i++)
        hash = (hash ^ (unsigned char)uid.ptr[i]) * UINT64_C(1099511628211);
    return hash;
}

/* One walk over the window: about one bar in ten is missing, and one name in eight jumps about wildly. */
static size_t walk(struct market_maker *maker, struct rng *rng, int32_t *date, double *price,
                   int64_t *known_at)
{
    double value = elementary_exp(rng_next_unit(rng) * 8 - 2);
    double wildness = rng_next_below(rng, 8) == 0 ? 3 : 0.05;
    bool has_gaps = rng_next_below(rng, 2) == 0;
    size_t n = 0;
    for (int32_t i = 0; i < BARS; i++) {
        value *= elementary_exp((rng_next_unit(rng) - 0.5) * wildness);
        value = fmin(fmax(value, 1e-9), 1e12);
        if (i > 0 && i < BARS - 1 && has_gaps && rng_next_below(rng, 10) == 0)
            continue;
        date[n] = maker->from + i * maker->step;
        price[n] = value;
        known_at[n] = (int64_t)date[n] * 86400 + 3600 * (int64_t)rng_next_below(rng, 48);
        n++;
    }
    return n;
}

static bool make_rows(struct market_maker *maker, struct rng *rng, struct price_series *ret)
{
    int32_t *date = arena_array(maker->arena, BARS, sizeof *date);
    double *price = arena_array(maker->arena, BARS, sizeof *price);
    int64_t *known_at = arena_array(maker->arena, BARS, sizeof *known_at);
    if (date == NULL || price == NULL || known_at == NULL)
        return false;
    *ret = (struct price_series){.date = date, .price = price, .known_at = known_at};
    ret->n = walk(maker, rng, date, price, known_at);
    ret->delisted_on = DATE_NONE;
    return true;
}

/* Now and then what no source should say, in a series that is odd. */
static double odd(const struct market_maker *maker, struct rng *rng, double usual)
{
    static const double strange[] = {0, -1, 1e-300, 1e300, 1e-9, 100, (double)NAN};
    return maker->is_odd && rng_next_below(rng, 400) == 0
               ? strange[rng_next_below(rng, ARRAY_LEN(strange))]
               : usual;
}

/* Quotes beside the adjusted closes, with actions; or the terms of a bond. */
static bool add_quotes(struct market_maker *maker, struct rng *rng, struct price_series *series)
{
    static const unsigned usual[] = {0, 1, 2, 4, 12};
    double *column[6];
    for (size_t k = 0; k < ARRAY_LEN(column); k++)
        if ((column[k] = arena_array(maker->arena, BARS, sizeof **column)) == NULL)
            return false;
    for (size_t i = 0; i < series->n; i++) {
        bool has_action = rng_next_below(rng, 30) == 0;
        column[0][i] = rng_next_below(rng, 50) == 0 ? (double)NAN : series->price[i] * 3;
        column[1][i] = odd(maker, rng, column[0][i]);
        column[2][i] = odd(maker, rng, has_action ? 0.01 * series->price[i] : 0);
        column[3][i] = odd(maker, rng, has_action ? 2 : 1);
        column[4][i] = odd(maker, rng, 1e5);
        column[5][i] = rng_next_below(rng, 10) == 0
                           ? (double)NAN
                           : (double)(series->date[i] - 5 + (int32_t)rng_next_below(rng, 60));
    }
    series->close = column[0];
    series->open = column[1];
    series->dividend = column[2];
    series->split = column[3];
    series->volume = column[4];
    series->pay_date = rng_next_below(rng, 3) != 0 ? column[5] : NULL;
    if (rng_next_below(rng, 4) != 0)
        return true;
    struct bond_terms *bond = ARENA_NEW(maker->arena, struct bond_terms);
    if (bond == NULL)
        return false;
    *bond = (struct bond_terms){.maturity = series->date[0] + (int32_t)rng_next_below(rng, 4000),
                                .coupon_rate = odd(maker, rng, 0.04),
                                .coupons_per_year = maker->is_odd ? rng_next_below(rng, 14)
                                                                  : usual[rng_next_below(rng, 5)],
                                .day_count = (enum day_count)rng_next_below(rng, 2)};
    series->bond = bond;
    return true;
}

static bool add_series(struct market_maker *maker, struct str uid)
{
    struct price_series *series = &maker->series[maker->market->n_series];
    struct rng rng;
    if (market_find(maker->market, uid) != NULL)
        return true;
    rng_init(&rng, seed_of(uid), 1);
    if (!make_rows(maker, &rng, series))
        return false;
    series->uid = uid;
    uint32_t kind = rng_next_below(&rng, 16);
    size_t currency = kind < 10 ? 0 : kind % ARRAY_LEN(currencies);
    memcpy(series->currency, currencies[currency], CURRENCY_TEXT_BYTES);
    series->trades_24_7 = rng_next_below(&rng, 10) == 0;
    series->flags = rng_next_below(&rng, 32);
    if (rng_next_below(&rng, 6) == 0) {
        series->delisted_on = series->date[BARS / 2] + 1;
        series->delisting_return = -rng_next_unit(&rng);
    }
    maker->is_odd = rng_next_below(&rng, 8) == 0;
    bool has_quotes = rng_next_below(&rng, 3) != 0 || maker->mode == PRICES_RAW;
    if (has_quotes && !add_quotes(maker, &rng, series))
        return false;
    if (market_keep_priced(series, maker->mode, maker->arena, NULL) != STATUS_OK)
        return false;
    maker->market->n_series++;
    return true;
}

/* Another of the same currency, ptr NULL without one; of an odd series any, itself too. */
static struct str draw_other(const struct market_maker *maker, struct rng *rng, size_t i)
{
    size_t n = maker->market->n_series, j = rng_next_below(rng, (uint32_t)n);
    for (size_t k = 0; k < n; k++, j = (j + 1) % n)
        if (maker->is_odd ||
            (j != i && strcmp(maker->series[j].currency, maker->series[i].currency) == 0))
            return maker->series[j].uid;
    return STR_NONE;
}

/* Now and then the shares of one series become those of another, or bring some; in a circle, too. */
static bool add_changes(struct market_maker *maker)
{
    size_t n = maker->market->n_series;
    for (size_t i = 0; i < n; i++) {
        struct price_series *series = &maker->series[i];
        struct rng rng;
        rng_init(&rng, seed_of(series->uid), 3);
        maker->is_odd = rng_next_below(&rng, 8) == 0;
        if (series->close == NULL || rng_next_below(&rng, 4) != 0)
            continue;
        struct series_change *change = ARENA_NEW(maker->arena, struct series_change);
        if (change == NULL)
            return false;
        *change = (struct series_change){
            .date = series->date[rng_next_below(&rng, (uint32_t)series->n)],
            .kind = (enum change_kind)rng_next_below(&rng, CHANGE_KIND_COUNT),
            .into = draw_other(maker, &rng, i),
            .ratio = odd(maker, &rng, rng_next_below(&rng, 4) == 0 ? (double)NAN : 0.5),
            .cash = odd(maker, &rng, rng_next_below(&rng, 2) == 0 ? (double)NAN : 1)};
        series->changes = change;
        series->n_changes = change->into.ptr != NULL ? 1 : 0;
    }
    return true;
}

static bool add_rates(struct market_maker *maker)
{
    for (size_t c = 0; c < ARRAY_LEN(currencies); c++) {
        struct price_series rows;
        struct rng rng;
        rng_init(&rng, c, 2);
        if (!make_rows(maker, &rng, &rows))
            return false;
        struct fx_series *fx = &maker->fx[maker->market->n_fx++];
        *fx = (struct fx_series){.base = "EUR",
                                 .n = rows.n,
                                 .date = rows.date,
                                 .rate = rows.price,
                                 .known_at = rows.known_at};
        memcpy(fx->quote, currencies[c], CURRENCY_TEXT_BYTES);
    }
    return true;
}

/* False when the request names more than is worth playing here, or memory runs out. */
static bool make_market(const struct spec *spec, struct market_maker *maker)
{
    int32_t end = spec->end != DATE_NONE ? spec->end : date_from_civil((struct civil){2021, 6, 30});
    int32_t start = spec->start != DATE_NONE ? spec->start : end - 400;
    if (spec->n_assets > NAMES_MAX || spec->n_universe > NAMES_MAX)
        return false;
    maker->mode = spec->prices;
    maker->from = start - 3;
    maker->step = (end - start) / (BARS - 5) + 1;
    maker->market->series = maker->series;
    maker->market->fx = maker->fx;
    bool is_made = add_rates(maker);
    for (size_t i = 0; i < spec->n_assets; i++)
        is_made = is_made && add_series(maker, spec->assets[i].uid);
    for (size_t i = 0; i < spec->n_universe; i++)
        is_made = is_made && add_series(maker, spec->universe[i]);
    if (spec->benchmark.ptr != NULL)
        is_made = is_made && add_series(maker, spec->benchmark);
    return is_made && (maker->mode != PRICES_RAW || add_changes(maker));
}

/* What a reader of the answer may rely on, whatever was asked for. */
static void check_answer(const struct backtest_result *result, struct arena *arena)
{
    struct backtest_passport passport = {.engine_version = BACKTEST_ENGINE_VERSION};
    struct buf *out = ARENA_NEW(arena, struct buf);
    struct json_doc *doc = NULL;
    struct err err = {0};
    assert(out != NULL);
    for (size_t t = 0; t < result->panel->n_sessions; t++)
        assert(isfinite(result->equity[t]));
    for (size_t i = 0; i < MEASURE_COUNT; i++)
        assert(result->measures[i].reason != REASON_NONE || isfinite(result->measures[i].value));
    buf_init(out, arena, SIZE_MAX / 4);
    backtest_render(result, STR("fuzz"), &passport, out);
    assert(!out->failed);
    enum status s = jr_parse(buf_str(out), arena, &doc, &err); /* nan and inf are no JSON */
    assert(s == STATUS_OK && jr_is_present(jr_member(jr_member(jr_root(doc), "data"), "metrics")));
    (void)s;
    jr_freep(&doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct spec *spec = NULL;
    struct backtest_result *result = NULL;
    struct market_data market = {0};
    struct err err = {0};

    arena_init(&arena, (size_t)ARENA_MIB << 20);
    struct market_maker *maker = ARENA_NEW(&arena, struct market_maker);
    assert(maker != NULL);
    maker->arena = &arena;
    maker->market = &market;
    enum status s = spec_parse((struct str){(const char *)data, size}, &arena, &spec, &err);
    if (s == STATUS_OK && make_market(spec, maker)) {
        spec->n_monkeys = spec->n_monkeys < MONKEYS_MAX ? spec->n_monkeys : MONKEYS_MAX;
        s = spec->prices == PRICES_RAW ? market_follow(&market, &arena, &err) : STATUS_OK;
        if (s == STATUS_OK)
            s = backtest_run(spec, &market, &arena, NULL, &result, &err);
        if (s == STATUS_OK)
            check_answer(result, &arena);
    }
    assert(s == STATUS_OK || err.detail[0] != '\0');
    arena_clear(&arena);
    return 0;
}
