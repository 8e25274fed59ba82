/* measure_trades.c - the rows that only a traded portfolio has. */
#include "backtest/measure_facts.h"

/* turnover_annual to n_rebalances. */
void measure_take_trades(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_turnover_annual,
                                           MEASURE_exposure,
                                           MEASURE_effective_n,
                                           MEASURE_cost_ratio,
                                           MEASURE_n_rebalances,
                                           MEASURE_concentration,
                                           MEASURE_largest_weight,
                                           MEASURE_five_largest_weights,
                                           MEASURE_final_gross_exposure,
                                           MEASURE_final_net_exposure,
                                           MEASURE_average_gross_exposure,
                                           MEASURE_average_net_exposure,
                                           MEASURE_income_yield};
    const struct measure_trading *t = f->in->trading;
    struct measure_value *out = f->out;

    if (t == NULL) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            measure_deny(&out[rows[i]], REASON_NOT_APPLICABLE, 0);
        return;
    }
    measure_set(ROW(out, turnover_annual), t->turnover / f->years, t->n_rebalances);
    measure_set(ROW(out, exposure), t->exposure, f->n);
    measure_set(ROW(out, cost_ratio), t->cost_ratio / f->years, f->n);
    measure_set(ROW(out, n_rebalances), (double)t->n_rebalances, f->n);
    bool is_held = t->effective_n > 0;
    measure_maybe(ROW(out, effective_n), is_held, t->effective_n, REASON_NO_NONZERO, f->n);
    measure_maybe(ROW(out, concentration), is_held, 1 / t->effective_n, REASON_NO_NONZERO, f->n);
    measure_set(ROW(out, largest_weight), t->largest, f->n);
    measure_set(ROW(out, five_largest_weights), t->five_largest, f->n);
    measure_set(ROW(out, average_gross_exposure), t->mean_gross, f->n);
    measure_set(ROW(out, average_net_exposure), t->exposure, f->n);
    measure_set(ROW(out, final_gross_exposure), t->gross, f->n);
    measure_set(ROW(out, final_net_exposure), t->net, f->n);
    measure_set(ROW(out, income_yield), t->income_ratio / f->years, f->n);
}
