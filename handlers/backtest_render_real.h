/* backtest_render_real.h - the members "real" and "withdrawal_rates" of a backtest. Pure. */
#ifndef HANDLERS_BACKTEST_RENDER_REAL_H
#define HANDLERS_BACKTEST_RENDER_REAL_H

#include "backtest/backtest.h"
#include "base/json_out.h"

/* Null when they were not asked for. */
void backtest_render_real(const struct backtest_result *result, struct json_out *json);
void backtest_render_withdrawals(const struct backtest_result *result, struct json_out *json);

#endif
