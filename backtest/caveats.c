/* caveats.c - turns flags and counts of a finished run into sentences. */
#include "backtest/caveats_parts.h"

#include "backtest/quality.h"
#include "base/date.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void caveats_add(struct collector *c, const char *code, struct str detail, const struct str *uids,
                 size_t n)
{
    struct backtest_result *r = c->result;
    struct str *copy = arena_array(c->arena, n + 1, sizeof *copy);
    const char *text = arena_dup(c->arena, detail);

    if (copy == NULL || text == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    if (n > 0)
        memcpy(copy, uids, n * sizeof *copy);
    assert(r->n_warnings < BACKTEST_WARNINGS_MAX);
    r->warnings[r->n_warnings++] =
        (struct backtest_warning){code, {text, detail.len}, n > 0 ? copy : NULL, n};
}

/* One warning for all panel assets, and the benchmark, that carry flag. */
static void add_flag(struct collector *c, enum series_flag flag, const char *code,
                     struct str detail)
{
    const struct panel *panel = c->result->panel;
    struct str *uids = arena_array(c->arena, panel->n_assets + 1, sizeof *uids);
    size_t n = 0;

    if (uids == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    for (size_t a = 0; a < panel->n_assets; a++) {
        if (panel->assets[a].series->flags & flag)
            uids[n++] = panel->assets[a].series->uid;
    }
    const struct price_series *benchmark = panel->benchmark_series;
    bool is_listed = false;
    for (size_t i = 0; benchmark != NULL && i < n; i++)
        is_listed = is_listed || str_eq(uids[i], benchmark->uid);
    if (benchmark != NULL && !is_listed && benchmark->flags & flag)
        uids[n++] = benchmark->uid;
    if (n > 0)
        caveats_add(c, code, detail, uids, n);
}

static void add_data(struct collector *c, const struct market_data *market)
{
    bool fx_simulated = false;
    for (size_t i = 0; i < market->n_fx && c->result->panel->fx.uses_fx; i++)
        fx_simulated = fx_simulated || (market->fx[i].flags & SERIES_SIMULATED);

    add_flag(c, SERIES_SIMULATED, "simulated_data",
             STR("These prices are simulated, not observed."));
    if (fx_simulated)
        caveats_add(c, "simulated_fx", STR("The exchange rates are simulated, not observed."), NULL,
                    0);
    add_flag(
        c, SERIES_SYNTHETIC, "synthetic_prices",
        STR("These prices are worked out of published yields, by duration and convexity: nobody traded "
            "at them."));
    add_flag(c, SERIES_SURVIVOR_BIASED, "survivorship",
             STR("These instruments come from a list of survivors: results are too good."));
    add_flag(
        c, SERIES_ADJUSTED_ONLY, "adjusted_prices",
        STR("Only adjusted prices are known: price levels and quantities are not historical."));
    const struct price_series *benchmark = c->result->panel->benchmark_series;
    if (benchmark != NULL && benchmark->flags & SERIES_PRICE_INDEX)
        caveats_add(c, "benchmark_price_index",
                    STR("The benchmark leaves out dividends, which favours the portfolio."),
                    &benchmark->uid, 1);
}

static void add_rules(struct collector *c)
{
    const struct spec *spec = c->result->spec;
    const struct panel *panel = c->result->panel;
    struct buf text;

    if (spec->fill == FILL_SAME_CLOSE)
        caveats_add(
            c, "same_close",
            STR("lookahead: same_close. Decisions are filled at the prices they were made from."),
            NULL, 0);
    if (spec->alignment == ALIGNMENT_SAME_LABEL)
        caveats_add(
            c, "same_label",
            STR("lookahead: same_label. Bars are matched by date alone, so that prices of markets that close "
                "later are seen up to a day early."),
            NULL, 0);
    if (spec->invested_share < 1) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "%.4g %% of the portfolio stays in cash%s.",
                   100 * (1 - spec->invested_share),
                   spec->financing.day_basis > 0 ? "" : ", which earns nothing");
        caveats_add(c, "cash_residual", buf_str(&text), NULL, 0);
    }
    if (spec->trust.verify.cuts > 0 && c->result->trust != NULL && !c->result->trust->prefix.holds)
        caveats_add(
            c, "lookahead_found",
            STR("What came later changed what came before: this result must not be trusted."), NULL,
            0);
    if (panel->fx.stale_sessions > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "On %zu %s an exchange rate was older than %d days.",
                   panel->fx.stale_sessions,
                   str_plural(panel->fx.stale_sessions, "session", "sessions"), (int)FX_STALE_DAYS);
        caveats_add(c, "fx_stale", buf_str(&text), NULL, 0);
    }
    if (spec->trust.currency_modes && spec->trust.hedge.n_rates == 0 && panel->fx.uses_fx)
        caveats_add(
            c, "hedge_without_carry",
            STR("The local row of currency_modes is a hedge without the difference of the short rates; with rates "
                "in currency_modes there is a hedged row, which has it."),
            NULL, 0);
    if (date_add_months(panel->clock[0], 12) > panel->clock[panel->n_sessions - 1])
        caveats_add(c, "annualised_from_short_window",
                    STR("The window is shorter than a year: annual figures extrapolate."), NULL, 0);
    if (panel->n_excluded > 0)
        caveats_add(
            c, "universe_excluded",
            STR("These do not cover the window, or close after the portfolio's markets; no monkey drew them."),
            panel->excluded, panel->n_excluded);
    if (spec->n_monkeys > 0 && panel->n_universe < panel->n_held)
        caveats_add(
            c, "universe_too_small",
            STR("The universe has fewer usable names than the portfolio: monkeys hold fewer."),
            NULL, 0);
}

/* Decisions that a strategy's formula alone would not have made. */
static void add_strategy(struct collector *c)
{
    const struct strategy_report *report = &c->result->strategy;
    const char *decisions = str_plural(report->n, "decision", "decisions");
    struct buf text;

    if (report->n_noted[NOTE_SHORT_HISTORY] > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text,
                   "%zu of %zu %s came before the look-back window was full and took the "
                   "strategy's fallback, \"%s\".",
                   report->n_noted[NOTE_SHORT_HISTORY], report->n, decisions,
                   strategy_fallback_names[c->result->spec->model->fallback]);
        caveats_add(c, "strategy_short_history", buf_str(&text), NULL, 0);
    }
    if (report->n_noted[NOTE_NO_ANSWER] > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text,
                   "For %zu of %zu %s the window has no answer: the strategy's fallback, \"%s\", "
                   "took its place.",
                   report->n_noted[NOTE_NO_ANSWER], report->n, decisions,
                   strategy_fallback_names[c->result->spec->model->fallback]);
        caveats_add(c, "strategy_no_answer", buf_str(&text), NULL, 0);
    }
    if (report->n_noted[NOTE_NO_EXCESS] > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(
            &text,
            "At %zu of %zu %s no allowed portfolio had beaten the rate or benchmark that the "
            "strategy measures it by: the one of least risk was taken.",
            report->n_noted[NOTE_NO_EXCESS], report->n, decisions);
        caveats_add(c, "strategy_no_excess", buf_str(&text), NULL, 0);
    }
}

/* Doubts about the series of held assets and the benchmark inside the window; quiet bars alone are no warning. */
static void add_quality(struct collector *c)
{
    const struct panel *panel = c->result->panel;
    struct str *uids = arena_array(c->arena, panel->n_positions + 1, sizeof *uids);
    size_t n_uids = 0, n_findings = 0;
    struct buf text;
    if (uids == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    for (size_t a = 0; a <= panel->n_positions; a++) {
        const struct price_series *series =
            a < panel->n_positions ? panel->assets[a].series : panel->benchmark_series;
        size_t n[QUALITY_KINDS], sum = 0;
        if (series == NULL || series->quality == NULL)
            continue;
        quality_count(series->quality, panel->clock[0], panel->clock[panel->n_sessions - 1], n);
        for (size_t k = 0; k < QUALITY_KINDS; k++)
            sum += k == QUALITY_ZERO_VOLUME || k == QUALITY_MISMATCH ? 0 : n[k];
        if (sum > 0)
            uids[n_uids++] = series->uid;
        n_findings += sum;
    }
    if (n_uids == 0)
        return;
    buf_init(&text, c->arena, DETAIL_BYTES_MAX);
    buf_printf(&text,
               "%zu %s in the prices (gaps, stale runs, jumps or days off the calendar); see "
               "data_quality.",
               n_findings, str_plural(n_findings, "finding", "findings"));
    caveats_add(c, "data_quality", buf_str(&text), uids, n_uids);
}

/* Adjusted closes that do not follow from closes and actions, by more than a basis point on some day. */
static void add_mismatch(struct collector *c)
{
    const struct panel *panel = c->result->panel;
    const struct quality_finding *worst = NULL;
    struct str *uids = arena_array(c->arena, panel->n_positions + 1, sizeof *uids);
    struct str named = STR_NONE;
    size_t n = 0;
    struct buf text;
    if (uids == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    for (size_t a = 0; a < panel->n_positions; a++) {
        const struct price_series *series = panel->assets[a].series;
        bool is_listed = false;
        for (size_t i = 0; series->quality != NULL && i < series->quality->n; i++) {
            const struct quality_finding *f = &series->quality->findings[i];
            if (f->kind != QUALITY_MISMATCH ||
                !quality_is_within(f, panel->clock[0], panel->clock[panel->n_sessions - 1]))
                continue;
            is_listed = true;
            if (worst == NULL || f->size > worst->size) {
                worst = f;
                named = series->uid;
            }
        }
        if (is_listed)
            uids[n++] = series->uid;
    }
    if (worst == NULL)
        return;
    char day[DATE_TEXT_BYTES];
    date_format(worst->from, day);
    buf_init(&text, c->arena, DETAIL_BYTES_MAX);
    buf_printf(&text,
               "Close, dividends and splits do not give the return of the adjusted close; worst: "
               "%.*s on %s, %.4g basis points apart.",
               STR_ARG(named), day, worst->size);
    caveats_add(c, "return_mismatch", buf_str(&text), uids, n);
}

static void add_benchmark(struct collector *c)
{
    const struct panel *panel = c->result->panel;
    size_t first = 0, last = panel->n_sessions - 1;
    char day[DATE_TEXT_BYTES];
    struct buf text;

    if (panel->benchmark == NULL)
        return;
    const struct str *uid = &panel->benchmark_series->uid;
    if (c->result->benchmark == NULL) {
        caveats_add(c, "benchmark_unusable",
                    STR("The benchmark has fewer than two usable prices in this window."), uid, 1);
        return;
    }
    while (isnan(panel->benchmark[first]))
        first++;
    while (isnan(panel->benchmark[last]))
        last--;
    if (first > 0) {
        date_format(panel->clock[first], day);
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text,
                   "The benchmark has no usable price before %s; what compares starts there.", day);
        caveats_add(c, "benchmark_starts_late", buf_str(&text), uid, 1);
    }
    if (last + 1 < panel->n_sessions) {
        date_format(panel->clock[last], day);
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "The benchmark has no usable price after %s; what compares ends there.",
                   day);
        caveats_add(c, "benchmark_ends_early", buf_str(&text), uid, 1);
    }
}

enum status caveats_collect(struct backtest_result *result, const struct market_data *market,
                            struct arena *arena, struct err *err)
{
    struct collector c = {.result = result, .arena = arena};
    add_data(&c, market);
    add_rules(&c);
    add_strategy(&c);
    add_quality(&c);
    add_mismatch(&c);
    caveats_add_events(&c);
    add_benchmark(&c);
    if (c.is_out_of_memory)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the warnings of this run.");
    return STATUS_OK;
}
