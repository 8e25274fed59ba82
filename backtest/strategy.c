/* strategy.c - the table of strategies and the words they share. */
#include "backtest/strategy.h"

#include "backtest/strategies/kinds.h"

const struct strategy_kind *const strategy_kinds[STRATEGY_COUNT] = {
#define STRATEGY(id, name) [STRATEGY_##id] = &strategy_##name,
#include "backtest/strategies.def"
#undef STRATEGY
};

const char *const strategy_fallback_names[STRATEGY_FALLBACK_COUNT] = {
    [FALLBACK_EQUAL] = "equal",
    [FALLBACK_CASH] = "cash",
};

const char *const strategy_note_names[STRATEGY_NOTE_COUNT] = {
    [NOTE_SHORT_HISTORY] = "short_history",
    [NOTE_NO_ANSWER] = "no_answer",
    [NOTE_NO_EXCESS] = "no_excess",
};
