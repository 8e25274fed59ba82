/* backtest_render_trades.h - the list of trades in the document of a backtest. */
#ifndef HANDLERS_BACKTEST_RENDER_TRADES_H
#define HANDLERS_BACKTEST_RENDER_TRADES_H

#include "backtest/backtest.h"
#include "base/json_out.h"

void render_trades(const struct backtest_result *r, struct json_out *json);

#endif
