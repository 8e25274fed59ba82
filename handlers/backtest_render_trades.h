/* backtest_render_trades.h - the list of trades in the document of a backtest. */
#ifndef HANDLERS_BACKTEST_RENDER_TRADES_H
#define HANDLERS_BACKTEST_RENDER_TRADES_H

#include "backtest/backtest.h"
#include "base/json_out.h"

void render_trades(const struct backtest_result *r, struct json_out *json);

/* The same in two pieces: what is known of the order, then what came of it, most of which are numbers. */
void render_trades_first(const struct backtest_result *r, struct json_out *json);
void render_trades_rest(const struct backtest_result *r, struct json_out *json);

/* Brings another writer to where render_trades_first leaves one; what it writes for that is of no use. */
void render_trades_pass(struct json_out *json);

#endif
