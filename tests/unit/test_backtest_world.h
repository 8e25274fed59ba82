/*
 * test_backtest_world.h - a small made-up market for the unit tests of backtest/.
 * Series are built in an arena from literal prices or from a seeded random walk.
 */
#ifndef TEST_BACKTEST_WORLD_H
#define TEST_BACKTEST_WORLD_H

#include "tests/unit/test_numbers.h"

#include "backtest/backtest.h"
#include "backtest/elementary.h"
#include "backtest/rng.h"
#include "base/date.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WORLD_SERIES_MAX = 40, WORLD_FX_MAX = 4 };

struct world {
    struct arena arena;
    struct price_series series[WORLD_SERIES_MAX];
    struct fx_series fx[WORLD_FX_MAX];
    struct market_data market;
};

static UNUSED void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    arena_init(&w->arena, (size_t)1 << 30);
    w->market.series = w->series;
    w->market.fx = w->fx;
}

static UNUSED void world_clear(struct world *w)
{
    arena_clear(&w->arena);
}

static UNUSED int32_t day(int year, int month, int d)
{
    return date_from_civil((struct civil){year, month, d});
}

/* n rows on the dates given, each known at 21:00 UTC of its day. */
static UNUSED struct price_series *world_add(struct world *w, const char *uid, const char *currency,
                                             const int32_t *date, const double *price, size_t n)
{
    struct price_series *s = &w->series[w->market.n_series++];
    int32_t *dates = arena_array(&w->arena, n, sizeof *dates);
    double *prices = arena_array(&w->arena, n, sizeof *prices);
    int64_t *known = arena_array(&w->arena, n, sizeof *known);
    assert_true(dates != NULL && prices != NULL && known != NULL);
    for (size_t i = 0; i < n; i++) {
        dates[i] = date[i];
        prices[i] = price[i];
        known[i] = (int64_t)date[i] * 86400 + 21 * 3600;
    }
    *s = (struct price_series){.uid = str_of(uid),
                               .n = n,
                               .date = dates,
                               .price = prices,
                               .known_at = known,
                               .delisted_on = DATE_NONE};
    memcpy(s->currency, currency, CURRENCY_TEXT_BYTES);
    return s;
}

/* Prices on consecutive days from first. */
static UNUSED struct price_series *world_add_days(struct world *w, const char *uid, int32_t first,
                                                  const double *price, size_t n)
{
    int32_t date[4096];
    assert_true(n <= 4096);
    for (size_t i = 0; i < n; i++)
        date[i] = first + (int32_t)i;
    return world_add(w, uid, "USD", date, price, n);
}

/* A random walk on the weekdays from first, with about one bar in gap left out (0: none). */
static UNUSED struct price_series *world_add_walk(struct world *w, const char *uid, int32_t first,
                                                  size_t n, uint64_t seed, uint32_t gap)
{
    int32_t date[8192];
    double price[8192];
    double value = 100;
    size_t count = 0;
    struct rng rng;
    rng_init(&rng, seed, 77);
    assert_true(n <= 8192);
    for (int32_t d = first; count < n; d++) {
        if (date_weekday(d) > 4)
            continue;
        value *= elementary_exp((rng_next_unit(&rng) - 0.499) * 0.04);
        if (count > 0 && gap > 0 && rng_next_below(&rng, gap) == 0)
            continue;
        date[count] = d;
        price[count++] = value;
    }
    return world_add(w, uid, "USD", date, price, n);
}

static UNUSED void world_add_fx(struct world *w, const char *quote, const int32_t *date,
                                const double *rate, size_t n)
{
    struct price_series *s = world_add(w, "fx", "EUR", date, rate, n);
    struct fx_series *fx = &w->fx[w->market.n_fx++];
    *fx = (struct fx_series){
        .base = "EUR", .n = n, .date = s->date, .rate = s->price, .known_at = s->known_at};
    memcpy(fx->quote, quote, CURRENCY_TEXT_BYTES);
    w->market.n_series--;
}

static UNUSED struct spec *world_spec(struct world *w, const char *json)
{
    struct spec *spec = NULL;
    struct err err = {0};
    enum status s = spec_parse(str_of(json), &w->arena, &spec, &err);
    if (s != STATUS_OK)
        fail_msg("%s: %s", status_name(s), err.detail);
    return spec;
}

/* The panel of a request whose dates are not resolved yet. */
static UNUSED struct panel *world_panel_of(struct world *w, struct spec *spec)
{
    struct panel *panel = NULL;
    struct err err = {0};
    assert_int_equal(spec_resolve_dates(spec, &w->market, &err), STATUS_OK);
    enum status s = panel_build(spec, &w->market, &w->arena, NULL, &panel, &err);
    if (s != STATUS_OK)
        fail_msg("%s: %s", status_name(s), err.detail);
    return panel;
}

static UNUSED struct panel *world_panel(struct world *w, const char *json)
{
    return world_panel_of(w, world_spec(w, json));
}

/* A copy of a column with noise after cut; NULL stays NULL. */
static UNUSED const double *world_noise_after(struct world *w, const struct price_series *s,
                                              const double *column, int32_t cut, struct rng *rng)
{
    double *copy = column == NULL ? NULL : arena_array(&w->arena, s->n, sizeof *copy);
    for (size_t k = 0; copy != NULL && k < s->n; k++)
        copy[k] = s->date[k] > cut ? 0.1 + 1000 * rng_next_unit(rng) : column[k];
    return copy;
}

/* Corrupts every number of every series that is dated after cut. */
static UNUSED void world_corrupt_future(struct world *w, int32_t cut, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed, 99);
    for (size_t i = 0; i < w->market.n_series; i++) {
        struct price_series *s = &w->series[i];
        const double **column[] = {&s->price, &s->open, &s->high, &s->low, &s->close, &s->volume};
        for (size_t c = 0; c < ARRAY_LEN(column); c++)
            *column[c] = world_noise_after(w, s, *column[c], cut, &rng);
        const double *close = s->close != NULL ? s->close : s->price;
        double *dividend =
            s->dividend == NULL ? NULL : arena_array(&w->arena, s->n, sizeof *dividend);
        for (size_t k = 0; dividend != NULL && k < s->n; k++) /* less than the share is worth */
            dividend[k] =
                k > 0 && s->date[k] > cut ? 0.01 * fmin(close[k], close[k - 1]) : s->dividend[k];
        s->dividend = dividend;
    }
}

static UNUSED struct backtest_result *world_run(struct world *w, const char *json)
{
    struct backtest_result *result = NULL;
    struct err err = {0};
    enum status s = backtest_run(world_spec(w, json), &w->market, &w->arena, NULL, &result, &err);
    if (s != STATUS_OK)
        fail_msg("%s: %s", status_name(s), err.detail);
    return result;
}

/* The status of a run that must not succeed; *err describes it. */
static UNUSED enum status world_fails(struct world *w, const char *json, struct err *err)
{
    struct backtest_result *result = NULL;
    return backtest_run(world_spec(w, json), &w->market, &w->arena, NULL, &result, err);
}

/* That a request is refused, where, and with what would be allowed. */
static UNUSED void assert_refused(const char *json, enum status status, const char *pointer)
{
    struct world w;
    struct spec *spec = NULL;
    struct err err = {0};
    world_init(&w);
    enum status s = spec_parse(str_of(json), &w.arena, &spec, &err);
    if (s != status || strcmp(err.name, pointer) != 0 || err.allowed[0] == '\0')
        fail_msg("%s: %s at %s", json, status_name(s), err.name);
    world_clear(&w);
}

static UNUSED bool has_warning(const struct backtest_result *result, const char *code)
{
    for (size_t i = 0; i < result->n_warnings; i++) {
        if (strcmp(result->warnings[i].code, code) == 0)
            return true;
    }
    return false;
}

#endif
