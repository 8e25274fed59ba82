/* prefix.c - corrupts the future of a finished run, runs it again and compares the past. */
#include "backtest/prefix.h"

#include "backtest/backtest.h"
#include "backtest/elementary.h"
#include "backtest/rng.h"
#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Streams of the seed: 0 draws the cuts, k + 1 corrupts the data of cut k. */
enum { STREAM_CUTS = 0 };

static bool is_later(int32_t row_date, int64_t row_known_at, int32_t date, int64_t known_at)
{
    return row_date > date || row_known_at > known_at;
}

/* A copy of a column; NULL stays NULL. */
static bool copy_column(const double **column, size_t n, struct arena *arena, double **ret)
{
    *ret = NULL;
    if (*column == NULL)
        return true;
    *ret = arena_array(arena, n, sizeof **ret);
    if (*ret == NULL)
        return false;
    memcpy(*ret, *column, n * sizeof **ret);
    *column = *ret;
    return true;
}

static void scale(double *column, size_t row, double factor)
{
    if (column != NULL)
        column[row] *= factor;
}

/* Prices of a row move together, so that a payment stays smaller than the price it comes from. */
static enum status corrupt_series(struct price_series *s, int32_t date, int64_t known_at,
                                  struct rng *rng, struct arena *arena, size_t *n_rows,
                                  struct err *err)
{
    double *price, *open, *high, *low, *close, *volume, *dividend, *split;
    struct series_gift *gifts = arena_array(arena, s->n_gifts + 1, sizeof *gifts);
    if (!copy_column(&s->price, s->n, arena, &price) ||
        !copy_column(&s->open, s->n, arena, &open) || !copy_column(&s->high, s->n, arena, &high) ||
        !copy_column(&s->low, s->n, arena, &low) || !copy_column(&s->close, s->n, arena, &close) ||
        !copy_column(&s->volume, s->n, arena, &volume) ||
        !copy_column(&s->dividend, s->n, arena, &dividend) ||
        !copy_column(&s->split, s->n, arena, &split) || gifts == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < s->n_gifts; i++)
        gifts[i] = s->gifts[i];
    s->gifts = gifts;
    for (size_t i = 0; i < s->n; i++) {
        if (!is_later(s->date[i], s->known_at[i], date, known_at))
            continue;
        double level = elementary_exp(2 * rng_next_unit(rng) - 1), share = rng_next_unit(rng);
        scale(price, i, level);
        scale(open, i, level * (0.95 + 0.1 * share));
        scale(high, i, level * (1 + share));
        scale(low, i, level * (1 - share));
        scale(close, i, level);
        scale(volume, i, 2 * share);
        scale(dividend, i, level * share);
        scale(split, i, 1 + share);
        for (size_t g = 0; g < s->n_gifts; g++)
            gifts[g].worth *= gifts[g].row == i ? level : 1;
        ++*n_rows;
    }
    if (s->delisted_on != DATE_NONE && s->delisted_on > date)
        s->delisting_return = rng_next_unit(rng) - 1;
    return STATUS_OK;
}

static enum status corrupt_rates(struct fx_series *f, int32_t date, int64_t known_at,
                                 struct rng *rng, struct arena *arena, size_t *n_rows,
                                 struct err *err)
{
    double *rate;
    if (!copy_column(&f->rate, f->n, arena, &rate))
        return err_out_of_memory(err);
    assert(rate != NULL); /* a series of rates has them */
    for (size_t i = 0; i < f->n; i++) {
        if (!is_later(f->date[i], f->known_at[i], date, known_at))
            continue;
        rate[i] *= elementary_exp(2 * rng_next_unit(rng) - 1);
        ++*n_rows;
    }
    return STATUS_OK;
}

/* Economic series: every row is what became known at its moment, revisions included. */
static enum status corrupt_publications(struct rate_series *r, int32_t date, int64_t known_at,
                                        struct rng *rng, struct arena *arena, size_t *n_rows,
                                        struct err *err)
{
    double *value;
    if (!copy_column(&r->value, r->n, arena, &value))
        return err_out_of_memory(err);
    assert(value != NULL);
    for (size_t i = 0; i < r->n; i++) {
        if (!is_later(r->date[i], r->known_at[i], date, known_at))
            continue;
        value[i] *= elementary_exp(2 * rng_next_unit(rng) - 1);
        ++*n_rows;
    }
    return STATUS_OK;
}

enum status prefix_corrupt(const struct market_data *market, const struct prefix_future *future,
                           struct arena *arena, struct market_data *ret, size_t *ret_n_rows,
                           struct err *err)
{
    int32_t date = future->date;
    int64_t known_at = future->known_at;
    struct rng rng;
    struct price_series *series = arena_array(arena, market->n_series + 1, sizeof *series);
    struct fx_series *fx = arena_array(arena, market->n_fx + 1, sizeof *fx);
    enum status s = STATUS_OK;
    size_t n_rows = 0;
    struct rate_series *rates = arena_array(arena, market->n_rates + 1, sizeof *rates);
    if (series == NULL || fx == NULL || rates == NULL)
        return err_out_of_memory(err);
    rng_init(&rng, future->seed, future->stream);
    for (size_t i = 0; i < market->n_series && s == STATUS_OK; i++) {
        series[i] = market->series[i];
        s = corrupt_series(&series[i], date, known_at, &rng, arena, &n_rows, err);
    }
    for (size_t i = 0; i < market->n_fx && s == STATUS_OK; i++) {
        fx[i] = market->fx[i];
        s = corrupt_rates(&fx[i], date, known_at, &rng, arena, &n_rows, err);
    }
    for (size_t i = 0; i < market->n_rates && s == STATUS_OK; i++) {
        rates[i] = market->rates[i];
        s = corrupt_publications(&rates[i], date, known_at, &rng, arena, &n_rows, err);
    }
    if (s != STATUS_OK)
        return s;
    *ret = *market;
    ret->rates = rates;
    ret->series = series;
    ret->fx = fx;
    *ret_n_rows = n_rows;
    return STATUS_OK;
}

static void count(struct prefix_cut *cut, bool same, size_t session)
{
    if (same)
        return;
    if (cut->n_differ == 0 || session < cut->first_differ)
        cut->first_differ = session;
    cut->n_differ++;
}

static size_t n_trades_listed(const struct backtest_result *r)
{
    return r->ledger.n_trades < r->ledger.max_trades ? r->ledger.n_trades : r->ledger.max_trades;
}

static bool is_same_trade(const struct sim_trade *a, const struct sim_trade *b)
{
    return a->session == b->session && a->asset == b->asset && a->reason == b->reason &&
           a->is_buy == b->is_buy && number_is_same(a->quantity, b->quantity) &&
           number_is_same(a->local_price, b->local_price) && number_is_same(a->fx, b->fx) &&
           number_is_same(a->value, b->value);
}

/* One more or fewer trade is a difference too, at the session of the one that has no partner. */
static void compare_trades(const struct backtest_result *run, const struct backtest_result *again,
                           struct prefix_cut *cut)
{
    const struct sim_trade *a = run->ledger.trades, *b = again->ledger.trades;
    size_t n = n_trades_listed(run), m = n_trades_listed(again);
    for (size_t i = 0;; i++) {
        bool has_a = i < n && a[i].session <= cut->session;
        bool has_b = i < m && b[i].session <= cut->session;
        if (!has_a && !has_b)
            return;
        cut->n_trades++;
        count(cut, has_a && has_b && is_same_trade(&a[i], &b[i]),
              has_a ? a[i].session : b[i].session);
    }
}

static void compare_decisions(const struct backtest_result *run,
                              const struct backtest_result *again, struct prefix_cut *cut)
{
    for (size_t d = 0; d < run->n_due && run->due[d] <= cut->session; d++) {
        count(cut,
              d < again->n_due && again->due[d] == run->due[d] &&
                  number_is_same(plan_invested(&run->plan, d), plan_invested(&again->plan, d)),
              run->due[d]);
        if (d > 0 && run->plan.stride == 0)
            continue; /* the same row for all */
        for (size_t j = 0; j < run->plan.n; j++) {
            cut->n_weights++;
            count(cut, number_is_same(plan_row(&run->plan, d)[j], plan_row(&again->plan, d)[j]),
                  run->due[d]);
        }
    }
}

void prefix_compare(const struct backtest_result *run, const struct backtest_result *again,
                    struct prefix_cut *cut)
{
    size_t n = run->panel->n_sessions, last = cut->session;
    for (size_t t = 0; t <= last; t++) {
        bool is_there =
            t < again->panel->n_sessions && again->panel->clock[t] == run->panel->clock[t];
        count(cut, is_there && number_is_same(run->equity[t], again->equity[t]), t);
        count(cut, is_there && number_is_same(run->ledger.cash[t], again->ledger.cash[t]), t);
        cut->n_points += 2;
        if (run->ledger.receivables != NULL) {
            const double *line = again->ledger.receivables;
            count(cut,
                  is_there &&
                      number_is_same(run->ledger.receivables[t], line != NULL ? line[t] : 0),
                  t);
            cut->n_points++;
        }
        if (run->wealth == run->equity)
            continue;
        count(cut, is_there && number_is_same(run->wealth[t], again->wealth[t]), t);
        cut->n_points++;
    }
    compare_trades(run, again, cut);
    compare_decisions(run, again, cut);
    for (size_t t = last + 1; t < n && t < again->panel->n_sessions; t++)
        cut->n_later += number_is_same(run->equity[t], again->equity[t]) ? 0 : 1;
}

/* Different sessions before the last one, rising. */
static void draw_cuts(struct prefix_report *report, size_t n_sessions, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed, STREAM_CUTS);
    for (size_t n = 0; n < report->n_cuts;) {
        size_t session = rng_next_below(&rng, (uint32_t)(n_sessions - 1)), at = n;
        bool is_new = true;
        for (size_t i = 0; i < n; i++)
            is_new = is_new && report->cuts[i].session != session;
        if (!is_new)
            continue;
        for (; at > 0 && report->cuts[at - 1].session > session; at--)
            report->cuts[at] = report->cuts[at - 1];
        report->cuts[at] = (struct prefix_cut){.session = session};
        n++;
    }
}

static enum status verify_cut(const struct backtest_result *run, const struct market_data *market,
                              size_t i, struct arena *arena, const struct stop *stop,
                              struct prefix_cut *cut, struct err *err)
{
    const struct panel *panel = run->panel;
    struct market_data corrupted;
    struct backtest_result *again = NULL;
    int64_t known_at = panel->known_at[0];
    cut->date = panel->clock[cut->session];
    for (size_t t = 1; t <= cut->session; t++)
        known_at = panel->known_at[t] > known_at ? panel->known_at[t] : known_at;
    if (run->spec->alignment == ALIGNMENT_SAME_LABEL)
        known_at = INT64_MAX; /* a row counts as known on its own date */
    struct prefix_future future = {cut->date, known_at, run->spec->trust.verify.seed, i + 1};
    enum status s = prefix_corrupt(market, &future, arena, &corrupted, &cut->n_rows, err);
    if (s == STATUS_OK)
        s = backtest_run_bare(run->spec, &corrupted, arena, stop, &again, err);
    if (s == STATUS_OK)
        prefix_compare(run, again, cut);
    return s;
}

enum status prefix_verify(const struct backtest_result *run, const struct market_data *market,
                          struct arena *arena, const struct stop *stop, struct prefix_report *ret,
                          struct err *err)
{
    struct prefix_report report = {.n_cuts = run->spec->trust.verify.cuts, .holds = true};
    size_t n_sessions = run->panel->n_sessions;
    struct arena scratch; /* given back after every cut: cuts do not add up */
    if (report.n_cuts > n_sessions - 1)
        report.n_cuts = n_sessions - 1;
    report.cuts = arena_array(arena, report.n_cuts + 1, sizeof *report.cuts);
    if (report.cuts == NULL)
        return err_out_of_memory(err);
    draw_cuts(&report, n_sessions, run->spec->trust.verify.seed);
    enum status s = STATUS_OK;
    arena_init(&scratch, arena->limit_bytes - arena->used_bytes);
    for (size_t i = 0; i < report.n_cuts && s == STATUS_OK; i++) {
        arena_reset(&scratch);
        s = verify_cut(run, market, i, &scratch, stop, &report.cuts[i], err);
        report.holds = report.holds && report.cuts[i].n_differ == 0;
    }
    arena_clear(&scratch);
    if (s == STATUS_OK)
        *ret = report;
    return s;
}
