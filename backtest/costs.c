/* costs.c - self-consistent sizing: targets are met exactly after the costs of meeting them. */
#include "backtest/costs.h"

double costs_total_rate(struct cost_rates rates)
{
    return rates.commission + rates.slippage;
}

double costs_value_after(double budget, const double *value, const double *weight, size_t n,
                         double rate)
{
    double after = budget;

    if (!(rate > 0))
        return after;
    for (size_t round = 0; round <= n + 1; round++) {
        double signed_value = 0, signed_weight = 0;
        for (size_t i = 0; i < n; i++) {
            double trade = weight[i] * after - value[i];
            double sign = (double)((trade > 0) - (trade < 0)); /* no branch: signs look random */
            signed_value += sign * value[i];
            signed_weight += sign * weight[i];
        }
        double next = (budget + rate * signed_value) / (1 + rate * signed_weight);
        if (!(next < after))
            return next; /* the same signs give the same value: nothing changed */
        after = next;
    }
    return after;
}
