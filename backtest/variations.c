/* variations.c - runs a finished request again with other amounts and other uses of dividends. */
#include "backtest/variations.h"

#include "backtest/backtest.h"

#include <string.h>

unsigned variations_count(const struct spec_trust *trust)
{
    return (unsigned)trust->n_capacity + (trust->dividend_modes ? VARIATIONS_MODES : 0);
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
                              .n_partial_fills = r->ledger.n_partial_fills};
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

static enum status play_all(const struct spec *given, const struct market_data *market,
                            struct arena *scratch, const struct stop *stop,
                            struct variations_report *report, struct err *err)
{
    static const enum spec_dividends modes[VARIATIONS_MODES] = {DIVIDENDS_REINVEST, DIVIDENDS_CASH,
                                                                DIVIDENDS_DROP};
    const struct spec_trust *asked = &given->trust;
    enum status s = STATUS_OK;
    for (size_t i = 0; i < asked->n_capacity && s == STATUS_OK; i++) {
        struct spec spec = *given;
        spec.capital = asked->capacity[i];
        s = scale_flows(&spec, spec.capital / given->capital, scratch, err);
        if (s == STATUS_OK)
            s = play(&spec, market, scratch, stop, &report->capacity[i], err);
    }
    for (size_t i = 0; i < VARIATIONS_MODES && asked->dividend_modes && s == STATUS_OK; i++) {
        struct spec spec = *given;
        spec.dividends = modes[i];
        spec.pay_on = modes[i] == DIVIDENDS_CASH ? given->pay_on : PAY_ON_EX;
        s = play(&spec, market, scratch, stop, &report->mode[i], err);
    }
    return s;
}

enum status variations_run(const struct backtest_result *run, const struct market_data *market,
                           struct arena *arena, const struct stop *stop,
                           struct variations_report *ret, struct err *err)
{
    struct variations_report report = {.n_capacity = run->spec->trust.n_capacity,
                                       .has_modes = run->spec->trust.dividend_modes};
    struct arena scratch;
    if (variations_count(&run->spec->trust) == 0)
        return STATUS_OK;
    arena_init(&scratch, arena->limit_bytes - arena->used_bytes);
    enum status s = play_all(run->spec, market, &scratch, stop, &report, err);
    arena_clear(&scratch);
    if (s == STATUS_OK)
        *ret = report;
    return s;
}
