/*
 * caveats.h - what a reader must know before trusting a result; the last step of backtest_run.
 * Pure apart from the arena; callable from any thread.
 */
#ifndef BACKTEST_CAVEATS_H
#define BACKTEST_CAVEATS_H

#include "backtest/backtest.h"

/*
 * Fills result->warnings from its spec, panel, ledger and series flags, in a fixed order.
 * Errors: STATUS_OUT_OF_MEMORY.
 */
enum status caveats_collect(struct backtest_result *result, const struct market_data *market,
                            struct arena *arena, struct err *err) NODISCARD;

#endif
