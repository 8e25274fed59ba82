/* backtest_render_attribution.h - the member attribution of a backtest's document; for backtest_render.c. */
#ifndef HANDLERS_BACKTEST_RENDER_ATTRIBUTION_H
#define HANDLERS_BACKTEST_RENDER_ATTRIBUTION_H

#include "backtest/backtest.h"

/* Contribution and risk of each held asset; null unless it was asked for. */
void render_attribution(const struct backtest_result *result, struct json_out *json);

#endif
