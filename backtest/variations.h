/*
 * variations.h - the same request with other money, other uses of its dividends, other ways back to its targets, and without
 * what currencies did, side by side. Pure apart from the arena.
 *
 * capacity           the run at each amount of capital, flows of money in proportion: what larger trades cost by the cost
 *                    model, volume limits and minimum fees of the request
 * dividend_modes     reinvested at the close, paid as cash and dropped, the last of them the price return, from the same raw
 *                    prices
 * destination_modes  positions outside their band go to the target, to the edge of the band, half of the way: what each
 *                    saves of the costs of going to the target
 * currency_modes     converted at the rates of each day; local: at those of the first session throughout, where each
 *                    position earns its local return; hedged: at those of hedge.h, where short rates are given
 */
#ifndef BACKTEST_VARIATIONS_H
#define BACKTEST_VARIATIONS_H

#include "backtest/market.h"
#include "backtest/measure.h"
#include "backtest/spec.h"

struct backtest_result;

enum { VARIATIONS_MODES = 3, VARIATIONS_CURRENCIES = 3 };

struct variation {
    double capital;
    enum spec_dividends dividends;
    struct measure_value total_return, cagr, max_drawdown, cost_ratio, income_yield;
    double terminal_wealth, drag; /* money; drag: what costs took from the terminal wealth */
    size_t n_partial_fills;
    enum rebalance_destination destination;
    size_t n_rebalances;
    double turnover, costs; /* sum over rebalances, one-way; money, all ledgers */
};

struct variations_report {
    size_t n_capacity; /* 0: not asked for */
    struct variation capacity[SPEC_CAPACITY_MAX];
    bool has_modes;
    struct variation mode[VARIATIONS_MODES];
    bool has_destinations;
    struct variation destination[REBALANCE_DESTINATION_COUNT];
    size_t n_currencies;                              /* 0: not asked for */
    struct variation currency[VARIATIONS_CURRENCIES]; /* converted, local, hedged */
};

/* Runs of its own that spec asks for. */
unsigned variations_count(const struct spec_trust *trust);

/* Errors: STATUS_OUT_OF_MEMORY, the stop's own status, and those of backtest_run. */
enum status variations_run(const struct backtest_result *run, const struct market_data *market,
                           struct arena *arena, const struct stop *stop,
                           struct variations_report *ret, struct err *err) NODISCARD;

#endif
