/* backtest_render.c - the document of POST /v1/backtests, written straight from the result. */
#include "handlers/backtest_render.h"

#include "handlers/backtest_render_accounts.h"
#include "handlers/backtest_render_attribution.h"
#include "handlers/backtest_render_passport.h"
#include "handlers/backtest_render_quality.h"
#include "handlers/backtest_render_real.h"
#include "handlers/backtest_render_trades.h"
#include "handlers/backtest_render_target.h"
#include "handlers/backtest_render_trust.h"
#include "handlers/measure_render.h"
#include "handlers/backtest_render_decisions.h"
#include "handlers/backtest_render_frontier.h"
#include "handlers/backtest_render_walk.h"
#include "handlers/regression_render.h"
#include "base/digest.h"

#include <math.h>

/* text: the same as JSON already, ptr NULL: it is not there. */
static void write_line(struct json_out *json, const char *key, struct str text, const double *line,
                       size_t n)
{
    jw_key(json, key);
    if (text.ptr != NULL)
        jw_raw(json, text);
    else if (line == NULL)
        jw_null(json);
    else
        jw_f64_array(json, line, n);
}

static void write_equity(const struct backtest_result *r, struct json_out *json)
{
    size_t n = r->panel->n_sessions;
    jw_key(json, "equity");
    jw_object(json);
    jw_key(json, "date");
    if (r->clock_text.ptr != NULL)
        jw_raw(json, r->clock_text);
    else
        jw_date_array(json, r->panel->clock, n);
    write_line(json, "equity", STR_NONE, r->equity, n);
    write_line(json, "drawdown", STR_NONE, r->drawdown, n);
    write_line(json, "benchmark", r->benchmark_text, r->benchmark, n);
    jw_end_object(json);
}

static void write_costs(const struct backtest_result *r, struct json_out *json)
{
    double net = r->wealth[r->panel->n_sessions - 1];
    jw_key(json, "costs");
    jw_object(json);
    for (size_t k = 0; k < COST_COUNT; k++)
        jw_key_f64(json, cost_kind_names[k], r->ledger.paid[k]);
    jw_key_f64(json, "total", sim_costs_paid(&r->ledger));
    jw_key_f64(json, "gross_terminal", r->gross_terminal);
    jw_key_f64(json, "net_terminal", net);
    jw_key_f64(json, "drag", r->gross_terminal - net);
    jw_key_f64(json, "delisting_gain", r->ledger.delisting_gain);
    jw_end_object(json);
}

static void write_factors(const struct backtest_result *r, struct json_out *json)
{
    const struct factor_report *report = &r->factors;
    struct str names[REGRESSION_FACTORS_MAX];
    jw_key(json, "factors");
    if (!report->is_asked) {
        jw_null(json);
        return;
    }
    for (size_t j = 0; j < r->spec->factors.n; j++)
        names[j] = r->spec->factors.factor[j].name;
    jw_object(json);
    jw_key_date(json, "first", report->first);
    jw_key_date(json, "last", report->last);
    regression_write(&report->fit, names, r->periods_per_year, json);
    jw_end_object(json);
}

static void write_monkeys(const struct backtest_result *r, struct json_out *json)
{
    if (r->spec->n_monkeys == 0)
        jw_key_null(json, "monkeys");
    else
        monkeys_write(&r->monkeys, r->spec->monkey_seed, r->panel->n_universe, json);
}

static void write_asset(struct str uid, double weight, double target, double equity,
                        struct json_out *json)
{
    jw_object(json);
    jw_key_text(json, "uid", uid);
    jw_key_f64(json, "weight", weight);
    jw_key_f64(json, "target_weight", target);
    jw_key_f64(json, "value", weight * equity);
    jw_end_object(json);
}

/* The last decision of a strategy that was acted on, and 1; 0 when the weights are those of the request. */
static size_t decisions_filled(const struct backtest_result *r)
{
    size_t n = r->strategy.n;
    while (n > 0 && r->ledger.filled_at[n - 1] == PANEL_NEVER)
        n--;
    return n;
}

/*
 * The held assets in request order (those asked for with weight 0 included), shares received, then cash, then what is to be
 * received.
 */
static void write_final_weights(const struct backtest_result *r, struct json_out *json)
{
    double equity = r->wealth[r->panel->n_sessions - 1];
    size_t a = 0, n_filled = decisions_filled(r);
    const double *wanted = n_filled > 0 ? plan_row(&r->plan, n_filled - 1) : NULL;
    double invested =
        n_filled > 0 ? plan_invested(&r->plan, n_filled - 1) : r->spec->invested_share;

    jw_key(json, "final_weights");
    jw_array(json);
    for (size_t i = 0; i < r->spec->n_assets; i++) {
        bool is_held = a < r->panel->n_held && r->panel->held[a] == i;
        double weight = is_held ? r->final_weight[a] : 0;
        double target = is_held && wanted != NULL ? wanted[a] : r->spec->assets[i].weight;
        write_asset(r->spec->assets[i].uid, weight, target, equity, json);
        a += is_held ? 1 : 0;
    }
    for (; a < r->panel->n_positions; a++)
        write_asset(r->panel->assets[a].series->uid, r->final_weight[a], 0, equity, json);
    write_asset(STR("cash"), r->final_cash_weight, 1 - invested, equity, json);
    if (r->ledger.receivables != NULL)
        write_asset(STR("receivables"), r->final_receivable_weight, 0, equity, json);
    jw_end_array(json);
}

void backtest_render_warnings(const struct backtest_result *r, struct json_out *json)
{
    jw_key(json, "warnings");
    jw_array(json);
    for (size_t i = 0; i < r->n_warnings; i++) {
        const struct backtest_warning *w = &r->warnings[i];
        jw_object(json);
        jw_key_c(json, "code", w->code);
        jw_key_text(json, "detail", w->detail);
        jw_key(json, "uids");
        jw_array(json);
        for (size_t k = 0; k < w->n_uids; k++)
            jw_str(json, w->uids[k]);
        jw_end_array(json);
        jw_end_object(json);
    }
    jw_end_array(json);
}

static void write_meta(const struct backtest_result *r, struct json_out *json)
{
    jw_key(json, "meta");
    jw_object(json);
    backtest_render_warnings(r, json);
    jw_key_c(json, "kernels", r->panel->kernels->name);
    jw_end_object(json);
}

static void write_spec(const struct backtest_result *r, struct json_out *json)
{
    jw_key(json, "spec");
    spec_canonical(r->spec, json);
}

static void write_metrics(const struct backtest_result *r, struct json_out *json)
{
    measures_write(json, r->spec->metrics_profile, r->measures,
                   r->benchmark == NULL ? NULL : r->benchmark_measures);
}

static void write_drawdowns(const struct backtest_result *r, struct json_out *json)
{
    drawdowns_write(json, r->panel->clock, r->drawdowns, r->n_drawdowns);
}

static void write_monthly(const struct backtest_result *r, struct json_out *json)
{
    table_years_write(json, &r->years);
}

static void write_rolling(const struct backtest_result *r, struct json_out *json)
{
    rolling_write(json, &r->rolling);
}

/* The members of data between id and passport, in their order. One that is written has its name once, here and there. */
static const struct part {
    const char *name;
    void (*write)(const struct backtest_result *r, struct json_out *json);
} parts[] = {
    {"spec", write_spec},
    {"equity", write_equity},
    {"metrics", write_metrics},
    {"drawdowns", write_drawdowns},
    {"monthly", write_monthly},
    {"trades", render_trades},
    {"costs", write_costs},
    {"data_quality", backtest_render_quality},
    {"accounts", render_accounts},
    {"attribution", render_attribution},
    {"rolling", write_rolling},
    {"real", backtest_render_real},
    {"withdrawal_rates", backtest_render_withdrawals},
    {"factors", write_factors},
    {"monkeys", write_monkeys},
    {"bootstrap", render_bootstrap},
    {"verify", render_verify},
    {"offset_luck", render_offset_luck},
    {"capacity", render_capacity},
    {"dividend_modes", render_dividend_modes},
    {"destination_modes", render_destination_modes},
    {"currency_modes", render_currency_modes},
    {"monte_carlo", render_monte_carlo},
    {"final_weights", write_final_weights},
    {"decisions", backtest_render_decisions},
    {"target_volatility", backtest_render_target},
    {"walk_forward", backtest_render_walk},
    {"frontier", backtest_render_frontier},
};

static bool is_wanted(struct str select, const char *name)
{
    struct str part;
    if (select.ptr == NULL)
        return true;
    while (str_next_field(&select, ',', &part)) {
        struct str trimmed = str_trim(part);
        if (str_eq_c(str_sub(trimmed, 0, str_find(trimmed, '.', 0)), name))
            return true;
    }
    return false;
}

void backtest_part_names(struct buf *out)
{
    buf_add_c(out, "id");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        buf_printf(out, ", %s", parts[i].name);
    buf_add_c(out, ", passport");
}

/* An open document with the id, and data open in it. */
static void open_document(struct str id, struct buf *out, struct json_out *json)
{
    jw_init(json, out);
    jw_object(json);
    jw_key(json, "data");
    jw_object(json);
    jw_key_text(json, "id", id);
}

static void write_parts(const struct backtest_result *result, struct str select, size_t from,
                        size_t to, struct json_out *json)
{
    for (size_t i = from; i < to; i++)
        if (is_wanted(select, parts[i].name))
            parts[i].write(result, json);
}

static void close_document(const struct backtest_result *result, struct str id,
                           const struct backtest_passport *passport, struct str select,
                           struct json_out *json)
{
    if (is_wanted(select, "passport"))
        render_passport(result, id, passport, json);
    jw_end_object(json);
    write_meta(result, json);
    jw_end_object(json);
}

void backtest_render_parts(const struct backtest_result *result, struct str id,
                           const struct backtest_passport *passport, struct str select,
                           struct buf *out)
{
    struct json_out json;
    open_document(id, out, &json);
    write_parts(result, select, 0, ARRAY_LEN(parts), &json);
    close_document(result, id, passport, select, &json);
}

void backtest_render(const struct backtest_result *result, struct str id,
                     const struct backtest_passport *passport, struct buf *out)
{
    backtest_render_parts(result, id, passport, STR_NONE, out);
}

/* The trades are cut in two: what lies before that takes about as long as the rest. */
static size_t trades_at(void)
{
    size_t i = 0;
    while (parts[i].write != render_trades)
        i++;
    return i;
}

void backtest_render_first(const struct backtest_result *result, struct str id, struct buf *out)
{
    struct json_out json;
    open_document(id, out, &json);
    write_parts(result, STR_NONE, 0, trades_at(), &json);
    render_trades_first(result, &json);
}

void backtest_render_rest(const struct backtest_result *result, struct str id,
                          const struct backtest_passport *passport, struct buf *out)
{
    char room[4 * DIGEST_HEX_BYTES];
    struct buf elsewhere;
    struct json_out json;
    buf_init_fixed(&elsewhere, room, sizeof room);
    open_document(id, &elsewhere,
                  &json); /* the other piece has it; here, where the writer stands */
    render_trades_pass(&json);
    json.out = out;
    render_trades_rest(result, &json);
    write_parts(result, STR_NONE, trades_at() + 1, ARRAY_LEN(parts), &json);
    close_document(result, id, passport, STR_NONE, &json);
}
