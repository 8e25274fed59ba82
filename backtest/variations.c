/* variations.c - runs a finished request again with other money, dividends, destinations and exchange rates. */
#include "backtest/variations.h"

#include "backtest/align.h"
#include "backtest/backtest.h"

#include <string.h>

unsigned variations_count(const struct spec_trust *trust)
{
    return (unsigned)trust->n_capacity + (trust->dividend_modes ? VARIATIONS_MODES : 0) +
           (trust->destination_modes ? REBALANCE_DESTINATION_COUNT : 0) +
           (trust->currency_modes ? VARIATIONS_CURRENCIES : 0);
}

static struct variation row_of(const struct backtest_result *r)
{
    double wealth = r->wealth[r->panel->n_sessions - 1];
    return (struct variation){.capital = r->spec->capital,
                              .dividends = r->spec->dividends,
                              .total_return = r->measures[MEASURE_total_return],
                              .cagr = r->measures[MEASURE_cagr],
                              .max_drawdown = r->measures[MEASURE_max_drawdown],
                              .cost_ratio = r->measures[MEASURE_cost_ratio],
                              .income_yield = r->measures[MEASURE_income_yield],
                              .terminal_wealth = wealth,
                              .drag = r->gross_terminal - wealth,
                              .n_partial_fills = r->ledger.n_partial_fills,
                              .destination = r->spec->rebalance.destination,
                              .n_rebalances = r->ledger.n_rebalances,
                              .turnover = r->ledger.turnover,
                              .costs = sim_costs_paid(&r->ledger)};
}

/* The flows of a request whose capital is `share` times what it was. */
static enum status scale_flows(struct spec *spec, double share, struct arena *arena,
                               struct err *err)
{
    struct flow_rule *flows = arena_array(arena, spec->n_flows + 1, sizeof *flows);
    if (flows == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < spec->n_flows; i++) {
        flows[i] = spec->flows[i];
        flows[i].amount *= flows[i].is_share ? 1 : share;
    }
    spec->flows = flows;
    return STATUS_OK;
}

/* One run, its memory given back. */
static enum status play(const struct spec *spec, const struct market_data *market,
                        struct arena *scratch, const struct stop *stop, struct variation *ret,
                        struct err *err)
{
    struct backtest_result *other = NULL;
    struct spec varied = *spec;
    varied.wants_attribution = false;
    varied.rolling.window = 0;
    varied.frontier.n_points = 0;
    enum status s = backtest_run_bare(&varied, market, scratch, stop, &other, err);
    if (s == STATUS_OK)
        *ret = row_of(other);
    arena_reset(scratch);
    return s;
}

/* What every run of a report shares. */
struct player {
    const struct spec *spec;
    const struct market_data *market;
    struct arena *scratch;
    const struct stop *stop;
};

static enum status play_capacity(const struct player *p, struct variation *ret, struct err *err)
{
    const struct spec_trust *asked = &p->spec->trust;
    enum status s = STATUS_OK;
    for (size_t i = 0; i < asked->n_capacity && s == STATUS_OK; i++) {
        struct spec spec = *p->spec;
        spec.capital = asked->capacity[i];
        s = scale_flows(&spec, spec.capital / p->spec->capital, p->scratch, err);
        if (s == STATUS_OK)
            s = play(&spec, p->market, p->scratch, p->stop, &ret[i], err);
    }
    return s;
}

static enum status play_dividends(const struct player *p, struct variation *ret, struct err *err)
{
    static const enum spec_dividends modes[VARIATIONS_MODES] = {DIVIDENDS_REINVEST, DIVIDENDS_CASH,
                                                                DIVIDENDS_DROP};
    enum status s = STATUS_OK;
    for (size_t i = 0; i < VARIATIONS_MODES && s == STATUS_OK; i++) {
        struct spec spec = *p->spec;
        spec.dividends = modes[i];
        spec.pay_on = modes[i] == DIVIDENDS_CASH ? p->spec->pay_on : PAY_ON_EX;
        s = play(&spec, p->market, p->scratch, p->stop, &ret[i], err);
    }
    return s;
}

static enum status play_destinations(const struct player *p, struct variation *ret, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < REBALANCE_DESTINATION_COUNT && s == STATUS_OK; i++) {
        struct spec spec = *p->spec;
        spec.rebalance.destination = (enum rebalance_destination)i;
        s = play(&spec, p->market, p->scratch, p->stop, &ret[i], err);
    }
    return s;
}

/* Every rate is the one that was known at a moment, or the first one, throughout. */
static enum status freeze_rates(const struct market_data *market, int32_t date, int64_t known_at,
                                struct arena *arena, struct market_data *ret, struct err *err)
{
    struct fx_series *fx = arena_array(arena, market->n_fx + 1, sizeof *fx);
    if (fx == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < market->n_fx; i++) {
        fx[i] = market->fx[i];
        double *rate = arena_array(arena, fx[i].n, sizeof *rate);
        if (rate == NULL)
            return err_out_of_memory(err);
        struct dated rows = {fx[i].n, fx[i].date, fx[i].known_at};
        uint32_t row = align_row_at(rows, date, known_at);
        for (size_t k = 0; k < fx[i].n; k++)
            rate[k] = fx[i].rate[row == ALIGN_NO_ROW ? 0 : row];
        fx[i].rate = rate;
    }
    *ret = *market;
    ret->fx = fx;
    return STATUS_OK;
}

/* As they are, and at the rates of the first session. */
static enum status play_currencies(const struct player *p, const struct panel *panel,
                                   struct variation *ret, struct err *err)
{
    struct market_data local;
    enum status s = play(p->spec, p->market, p->scratch, p->stop, &ret[0], err);
    if (s == STATUS_OK)
        s = freeze_rates(p->market, panel->clock[0], panel->visible_until[0], p->scratch, &local,
                         err);
    return s == STATUS_OK ? play(p->spec, &local, p->scratch, p->stop, &ret[1], err) : s;
}

enum status variations_run(const struct backtest_result *run, const struct market_data *market,
                           struct arena *arena, const struct stop *stop,
                           struct variations_report *ret, struct err *err)
{
    struct variations_report report = {.n_capacity = run->spec->trust.n_capacity,
                                       .has_modes = run->spec->trust.dividend_modes,
                                       .has_destinations = run->spec->trust.destination_modes,
                                       .has_currencies = run->spec->trust.currency_modes};
    struct arena scratch;
    if (variations_count(&run->spec->trust) == 0)
        return STATUS_OK;
    arena_init(&scratch, arena->limit_bytes - arena->used_bytes);
    struct player p = {run->spec, market, &scratch, stop};
    enum status s = play_capacity(&p, report.capacity, err);
    if (s == STATUS_OK && report.has_modes)
        s = play_dividends(&p, report.mode, err);
    if (s == STATUS_OK && report.has_destinations)
        s = play_destinations(&p, report.destination, err);
    if (s == STATUS_OK && report.has_currencies)
        s = play_currencies(&p, run->panel, report.currency, err);
    arena_clear(&scratch);
    if (s == STATUS_OK)
        *ret = report;
    return s;
}
