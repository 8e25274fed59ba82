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

bool strategy_involves(const struct strategy *strategy, enum strategy_id kind)
{
    bool is_found = strategy->kind == strategy_kinds[kind];
    if (strategy->base != NULL)
        is_found = is_found || strategy_involves(strategy->base, kind);
    for (size_t i = 0; i < strategy->n_candidates && !is_found; i++)
        is_found = strategy_involves(strategy->candidates[i], kind);
    return is_found;
}

bool strategy_any_needs(const struct strategy *strategy, unsigned needs)
{
    bool is_found = (strategy->kind->needs & needs) != 0;
    if (strategy->base != NULL)
        is_found = is_found || strategy_any_needs(strategy->base, needs);
    for (size_t i = 0; i < strategy->n_candidates && !is_found; i++)
        is_found = strategy_any_needs(strategy->candidates[i], needs);
    return is_found;
}

void strategy_in_or_safe(const struct strategy_input *input, size_t safe, bool is_in,
                         double *ret_weight)
{
    size_t m = input->m, at = strategy_asset(input, safe);
    double part = 1 / (double)(at < m && m > 1 ? m - 1 : m);
    for (size_t i = 0; i < m; i++)
        ret_weight[i] = is_in && i != at ? part : 0;
    if (at < m && (!is_in || m == 1))
        ret_weight[at] = 1;
}

size_t strategy_table_row(const struct strategy_table *table, int32_t date)
{
    size_t n = 0;
    while (n < table->n && table->date[n] <= date)
        n++;
    return n > 0 ? n - 1 : table->n;
}
