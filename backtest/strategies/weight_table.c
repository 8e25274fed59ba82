/* weight_table.c - dated weights of the request: the last row dated on or before the decision. */
#include "backtest/strategies/kinds.h"

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    const struct strategy_table *table = &input->strategy->table;
    size_t row = strategy_table_row(table, input->today);
    for (size_t i = 0; i < input->m; i++)
        ret_weight[i] = row < table->n ? table->weight[row * table->n_assets + input->asset[i]] : 0;
    return NOTE_NONE;
}

const struct strategy_kind strategy_weight_table = {
    .name = "weight_table",
    .needs = STRATEGY_TABLE,
    .weigh = weigh,
};
