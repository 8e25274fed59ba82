/* backtest_render_quality.h - the member data_quality of a backtest's document; for backtest_render.c. */
#ifndef HANDLERS_BACKTEST_RENDER_QUALITY_H
#define HANDLERS_BACKTEST_RENDER_QUALITY_H

#include "backtest/backtest.h"

/* For each series that the run used: what is doubtful about it inside the window, and the actions applied. */
void backtest_render_quality(const struct backtest_result *result, struct json_out *json);

#endif
