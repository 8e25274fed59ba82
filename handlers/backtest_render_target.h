/* backtest_render_target.h - the member "target_volatility" of a backtest: what was aimed at, and what came. Pure. */
#ifndef HANDLERS_BACKTEST_RENDER_TARGET_H
#define HANDLERS_BACKTEST_RENDER_TARGET_H

#include "backtest/backtest.h"
#include "base/json_out.h"

/* Appends "target_volatility": null for other strategies, else the figures since the first fill by a full window. */
void backtest_render_target(const struct backtest_result *result, struct json_out *json);

#endif
