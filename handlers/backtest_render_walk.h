/* backtest_render_walk.h - the member "walk_forward" of a backtest: what a search chose, and what it is worth. Pure. */
#ifndef HANDLERS_BACKTEST_RENDER_WALK_H
#define HANDLERS_BACKTEST_RENDER_WALK_H

#include "backtest/backtest.h"
#include "base/json_out.h"

/* Fits listed at most; the first ones are. */
enum { WALK_FITS_MAX = 1000 };

/* Appends "walk_forward": null without a search, else fits in the order made and the figures of the trials. */
void backtest_render_walk(const struct backtest_result *result, struct json_out *json);

#endif
