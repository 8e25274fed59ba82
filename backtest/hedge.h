/*
 * hedge.h - exchange rates as they are for one who hedges: forwards are sold again every day on a share of what is held.
 * Pure apart from the arena; callable from any thread.
 *
 * With S the rate of a currency in the run's and r the short rates known when the forward is sold, over d days
 *
 *   H_t / H_(t-1) = (1 - share) S_t / S_(t-1) + share ((1 + r_run) / (1 + r_currency))^(d / 365)
 *
 * and H = S at the first session of the run, before and after it. A position of return R in its own currency then earns
 * (1 + R) H_t / H_(t-1) - 1: what is gained or lost within the day is hedged too, and rolling costs nothing. The second term
 * is the forward premium by covered interest parity.
 * Source: C. Eun, B. Resnick, "Exchange rate uncertainty, forward contracts, and international portfolio selection",
 * Journal of Finance 43(1), 1988.
 */
#ifndef BACKTEST_HEDGE_H
#define BACKTEST_HEDGE_H

#include "backtest/panel.h"

/*
 * The market with those rates for its own: of every currency when hedge is NULL, as if all short rates were the same, or
 * of those that have a short rate, like the run's own. Before a series was published there is no premium.
 * Errors: STATUS_BAD_SPEC naming /currency_modes/rates when an asset's currency or the run's has no rate; STATUS_NO_DATA
 * when a series was not published yet at the first session; STATUS_BAD_DATA for rates below -50 or above 100 per cent;
 * STATUS_UNKNOWN_ASSET; STATUS_OUT_OF_MEMORY.
 */
enum status hedge_rates(const struct market_data *market, const struct panel *panel,
                        const struct spec_hedge *hedge, struct arena *arena,
                        struct market_data *ret, struct err *err) NODISCARD;

#endif
