/* backtest_render_frontier.h - the member "frontier" of a backtest. Pure. */
#ifndef HANDLERS_BACKTEST_RENDER_FRONTIER_H
#define HANDLERS_BACKTEST_RENDER_FRONTIER_H

#include "backtest/backtest.h"
#include "base/json_out.h"

/* Appends "frontier": null unless it was asked for. */
void backtest_render_frontier(const struct backtest_result *result, struct json_out *json);

#endif
