/* backtest_render_decisions.h - the member "decisions" of a backtest: what was known, wanted and done. Pure. */
#ifndef HANDLERS_BACKTEST_RENDER_DECISIONS_H
#define HANDLERS_BACKTEST_RENDER_DECISIONS_H

#include "backtest/backtest.h"
#include "base/json_out.h"

/* Weights listed at most; the first decisions that fit are. */
enum { DECISIONS_WEIGHTS_MAX = 20000 };

/*
 * Appends "decisions": null when the request's own weights are the plan, else an object of count,
 * truncated, uids and rows. A row's weights are in the order of uids; "acted_at" is the session of the
 * fill, null when a newer decision came first or there was nothing to do.
 */
void backtest_render_decisions(const struct backtest_result *result, struct json_out *json);

#endif
