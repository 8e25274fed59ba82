/* backtest_render_trust.c - intervals, monkeys, proofs and drawn futures as members of the answer. */
#include "handlers/backtest_render_trust.h"

#include "handlers/measure_render.h"

#include <math.h>

static void write_reason(enum measure_reason reason, struct json_out *json)
{
    if (reason != REASON_NONE)
        jw_key_c(json, "reason", measure_reason_codes[reason]);
}

static void write_pair(struct json_out *json, const char *key, const double pair[2])
{
    jw_key(json, key);
    jw_array(json);
    jw_f64(json, pair[0]);
    jw_f64(json, pair[1]);
    jw_end_array(json);
}

static void write_row(const struct bootstrap_row *row, struct json_out *json)
{
    jw_object(json);
    jw_key_f64(json, "estimate", row->estimate);
    if (row->n < 2) {
        static const char *const keys[] = {"standard_error", "bias", "percentile", "basic",
                                           "share_above_zero"};
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            jw_key_null(json, keys[i]);
    } else {
        jw_key_f64(json, "standard_error", row->standard_error);
        jw_key_f64(json, "bias", row->bias);
        write_pair(json, "percentile", row->percentile);
        write_pair(json, "basic", row->basic);
        jw_key_f64(json, "share_above_zero", row->share_above);
    }
    jw_key_i64(json, "n", (int64_t)row->n);
    jw_end_object(json);
}

static void write_rows(const char *key, const struct bootstrap_row *rows, struct json_out *json)
{
    if (rows == NULL) {
        jw_key_null(json, key);
        return;
    }
    jw_key(json, key);
    jw_object(json);
    for (size_t k = 0; k < BOOTSTRAP_FIGURE_COUNT; k++) {
        jw_key(json, bootstrap_figure_names[k]);
        write_row(&rows[k], json);
    }
    jw_end_object(json);
}

void bootstrap_write(const struct spec_bootstrap *asked, enum measure_reason reason,
                     const struct bootstrap_report *b, size_t n_common, struct json_out *json)
{
    if (asked->count == 0) {
        jw_key_null(json, "bootstrap");
        return;
    }
    jw_key(json, "bootstrap");
    jw_object(json);
    write_reason(reason, json);
    jw_key_i64(json, "count", (int64_t)b->count);
    jw_key_i64(json, "seed", (int64_t)asked->seed);
    jw_key_f64(json, "level", asked->level);
    jw_key_f64(json, "mean_block", b->mean_block);
    jw_key_i64(json, "n_returns", (int64_t)b->n_returns);
    jw_key_i64(json, "n_common", (int64_t)n_common);
    write_rows("figures", b->count > 0 ? b->row : NULL, json);
    write_rows("difference", b->count > 0 && b->has_difference ? b->difference : NULL, json);
    jw_end_object(json);
}

static void write_monkey_row(const struct monkey_row *row, struct json_out *json)
{
    static const char *const names[MONKEY_QUANTILE_COUNT] = {"p05", "p25", "p50", "p75", "p95"};
    bool is_ranked = row->n > 0 && !isnan(row->strategy);

    jw_object(json);
    jw_key_f64(json, "strategy", row->strategy);
    if (is_ranked) {
        jw_key_f64(json, "percentile", row->rank.percentile);
        jw_key_f64(json, "p_value", row->rank.p_value);
    } else {
        jw_key_null(json, "percentile");
        jw_key_null(json, "p_value");
    }
    jw_key(json, "quantiles");
    jw_object(json);
    for (size_t q = 0; q < MONKEY_QUANTILE_COUNT; q++) {
        if (row->n > 0)
            jw_key_f64(json, names[q], row->quantile[q]);
        else
            jw_key_null(json, names[q]);
    }
    jw_end_object(json);
    jw_key_i64(json, "n", (int64_t)row->n);
    jw_end_object(json);
}

void monkeys_write(const struct monkey_report *report, uint64_t seed, size_t n_universe,
                   struct json_out *json)
{
    jw_key(json, "monkeys");
    jw_object(json);
    jw_key_i64(json, "count", (int64_t)report->count);
    jw_key_i64(json, "seed", (int64_t)seed);
    jw_key_i64(json, "names_each", (int64_t)report->n_names);
    jw_key_i64(json, "universe_size", (int64_t)n_universe);
    jw_key(json, "statistics");
    jw_object(json);
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        jw_key(json, monkey_statistic_names[k]);
        write_monkey_row(&report->row[k], json);
    }
    jw_end_object(json);
    jw_end_object(json);
}

static void write_cut(const struct backtest_result *r, const struct prefix_cut *cut,
                      struct json_out *json)
{
    jw_object(json);
    jw_key_date(json, "date", cut->date);
    jw_key_i64(json, "session", (int64_t)cut->session);
    jw_key_i64(json, "rows_changed", (int64_t)cut->n_rows);
    jw_key_i64(json, "points", (int64_t)cut->n_points);
    jw_key_i64(json, "trades", (int64_t)cut->n_trades);
    jw_key_i64(json, "weights", (int64_t)cut->n_weights);
    jw_key_i64(json, "differ", (int64_t)cut->n_differ);
    if (cut->n_differ > 0)
        jw_key_date(json, "first_differ", r->panel->clock[cut->first_differ]);
    else
        jw_key_null(json, "first_differ");
    jw_key_i64(json, "later_changed", (int64_t)cut->n_later);
    jw_end_object(json);
}

void render_verify(const struct backtest_result *r, struct json_out *json)
{
    const struct prefix_report *p = &r->trust->prefix;
    if (r->spec->trust.verify.cuts == 0) {
        jw_key_null(json, "verify");
        return;
    }
    jw_key(json, "verify");
    jw_object(json);
    jw_key_c(json, "kind", "prefix");
    jw_key_c(json, "verdict", p->holds ? "holds" : "violated");
    jw_key_i64(json, "seed", (int64_t)r->spec->trust.verify.seed);
    jw_key_c(json, "proved",
             "Equity, cash, trades and target weights up to each cut are the same bits whatever "
             "prices, rates, volumes and payments became known later.");
    jw_key(json, "not_proved");
    jw_array(json);
    jw_str(json, STR("that prices were recorded when they are said to have been known"));
    jw_str(json, STR("that the instruments would have been chosen at the time"));
    if (r->spec->fill == FILL_SAME_CLOSE)
        jw_str(json, STR("that one could trade: same_close fills at the closes it decides from"));
    if (r->spec->alignment == ALIGNMENT_SAME_LABEL)
        jw_str(json, STR("that closes of one date were known together, which same_label supposes"));
    jw_end_array(json);
    jw_key(json, "cuts");
    jw_array(json);
    for (size_t i = 0; i < p->n_cuts; i++)
        write_cut(r, &p->cuts[i], json);
    jw_end_array(json);
    jw_end_object(json);
}

static void write_spread(const char *key, const struct montecarlo_spread *spread,
                         struct json_out *json)
{
    static const char *const names[MONTECARLO_QUANTILES] = {"p01", "p05", "p25", "p50",
                                                            "p75", "p95", "p99"};
    jw_key(json, key);
    jw_object(json);
    jw_key_f64(json, "mean", spread->mean);
    for (size_t q = 0; q < MONTECARLO_QUANTILES; q++)
        jw_key_f64(json, names[q], spread->quantile[q]);
    jw_end_object(json);
}

static void write_goals(const struct montecarlo_rules *rules, const struct montecarlo_report *m,
                        struct json_out *json)
{
    jw_key(json, "goals");
    jw_array(json);
    for (size_t i = 0; i < rules->n_goals; i++) {
        jw_object(json);
        jw_key_f64(json, "amount", rules->goals[i]);
        jw_key_f64(json, "shortfall", m->below_goal[i]);
        jw_end_object(json);
    }
    jw_end_array(json);
}

void render_monte_carlo(const struct backtest_result *r, struct json_out *json)
{
    const struct montecarlo_report *m = &r->trust->monte_carlo;
    const struct montecarlo_rules *rules = &r->trust->monte_carlo_rules;
    if (r->spec->trust.monte_carlo.count == 0) {
        jw_key_null(json, "monte_carlo");
        return;
    }
    jw_key(json, "monte_carlo");
    jw_object(json);
    write_reason(r->trust->reason, json);
    jw_key_c(json, "model", montecarlo_model_names[r->spec->trust.monte_carlo.model]);
    jw_key_i64(json, "count", (int64_t)m->count);
    jw_key_i64(json, "seed", (int64_t)r->spec->trust.monte_carlo.seed);
    if (m->count > 0) {
        jw_key_f64(json, "mean_block", rules->mean_block);
        jw_key_i64(json, "sessions", (int64_t)rules->horizon);
        write_spread("terminal_wealth", &m->terminal, json);
        write_spread("cagr", &m->cagr, json);
        write_spread("max_drawdown", &m->max_drawdown, json);
        jw_key_f64(json, "shortfall", m->loss);
        jw_key_f64(json, "exhausted", m->exhausted);
        write_goals(rules, m, json);
    }
    jw_end_object(json);
}

static void write_band(const struct offset_band *band, struct json_out *json)
{
    double nothing = (double)NAN;
    jw_object(json);
    jw_key_f64(json, "own", band->own);
    jw_key_f64(json, "percentile", band->n > 0 ? band->percentile : nothing);
    jw_key_f64(json, "lowest", band->n > 0 ? band->lowest : nothing);
    jw_key_f64(json, "median", band->n > 0 ? band->median : nothing);
    jw_key_f64(json, "highest", band->n > 0 ? band->highest : nothing);
    jw_key_i64(json, "n", (int64_t)band->n);
    jw_end_object(json);
}

void render_offset_luck(const struct backtest_result *r, struct json_out *json)
{
    const struct offset_report *o = &r->trust->offsets;
    if (!r->spec->trust.offset_luck || o->n == 0) {
        jw_key_null(json, "offset_luck");
        return;
    }
    jw_key(json, "offset_luck");
    jw_object(json);
    jw_key_i64(json, "own", o->own);
    jw_key(json, "statistics");
    jw_object(json);
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        jw_key(json, monkey_statistic_names[k]);
        write_band(&o->band[k], json);
    }
    jw_end_object(json);
    jw_key(json, "rows");
    jw_array(json);
    for (size_t i = 0; i < o->n; i++) {
        jw_object(json);
        jw_key_i64(json, "offset", o->rows[i].offset);
        for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++)
            jw_key_f64(json, monkey_statistic_names[k], o->rows[i].score.value[k]);
        jw_end_object(json);
    }
    jw_end_array(json);
    jw_end_object(json);
}

void render_bootstrap(const struct backtest_result *result, struct json_out *json)
{
    const struct trust_report *trust = result->trust;
    bootstrap_write(&result->spec->trust.bootstrap, trust->reason, &trust->bootstrap,
                    trust->n_common, json);
}
