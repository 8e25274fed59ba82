/* variations.c - runs a finished request again with other money, dividends, destinations and exchange rates. */
#include "backtest/variations.h"

#include "backtest/backtest.h"
#include "backtest/hedge.h"

#include <string.h>

static unsigned variations_currencies(const struct spec_trust *trust)
{
    return !trust->currency_modes ? 0 : trust->hedge.n_rates > 0 ? 3 : 2;
}

unsigned variations_count(const struct spec_trust *trust)
{
    return (unsigned)trust->n_capacity + (trust->dividend_modes ? VARIATIONS_MODES : 0) +
           (trust->destination_modes ? REBALANCE_DESTINATION_COUNT : 0) +
           variations_currencies(trust);
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

/* As they are, at the rates of the first session, and hedged where short rates are given. */
static enum status play_currencies(const struct player *p, const struct panel *panel,
                                   struct variation *ret, struct err *err)
{
    const struct spec_hedge *hedge = &p->spec->trust.hedge;
    struct market_data market;
    enum status s = play(p->spec, p->market, p->scratch, p->stop, &ret[0], err);
    if (s == STATUS_OK)
        s = hedge_rates(p->market, panel, NULL, p->scratch, &market, err);
    if (s == STATUS_OK)
        s = play(p->spec, &market, p->scratch, p->stop, &ret[1], err);
    if (s == STATUS_OK && hedge->n_rates > 0) {
        s = hedge_rates(p->market, panel, hedge, p->scratch, &market, err);
        if (s == STATUS_OK)
            s = play(p->spec, &market, p->scratch, p->stop, &ret[2], err);
    }
    return s;
}

enum status variations_run(const struct backtest_result *run, const struct market_data *market,
                           struct arena *arena, const struct stop *stop,
                           struct variations_report *ret, struct err *err)
{
    struct variations_report report = {.n_capacity = run->spec->trust.n_capacity,
                                       .has_modes = run->spec->trust.dividend_modes,
                                       .has_destinations = run->spec->trust.destination_modes,
                                       .n_currencies = variations_currencies(&run->spec->trust)};
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
    if (s == STATUS_OK && report.n_currencies > 0)
        s = play_currencies(&p, run->panel, report.currency, err);
    arena_clear(&scratch);
    if (s == STATUS_OK)
        *ret = report;
    return s;
}
