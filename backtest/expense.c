/* expense.c - accrues the yearly expense of a fund day by day. */
#include "backtest/expense.h"

static const double DAYS_A_YEAR = 365;

/* Rates in force; *ret_n 0: none are. */
static const struct dated_rate *rates_of(const struct expenses *expenses, struct str uid,
                                         size_t *ret_n)
{
    for (size_t i = 0; i < expenses->n_own; i++) {
        if (str_eq(expenses->own[i].uid, uid)) {
            *ret_n = expenses->own[i].n;
            return expenses->own[i].rates;
        }
    }
    *ret_n = expenses->n;
    return expenses->rates;
}

void expenses_kept(const struct expenses *expenses, struct str uid, const int32_t *clock, size_t n,
                   double *kept)
{
    size_t n_rates = 0;
    const struct dated_rate *rates = rates_of(expenses, uid, &n_rates);
    double left = 1;
    for (size_t t = 0; t < n; t++) {
        for (int32_t day = t > 0 ? clock[t - 1] + 1 : clock[0] + 1; n_rates > 0 && day <= clock[t];
             day++)
            left *= 1 - dated_rate_on(rates, n_rates, day) / (100 * DAYS_A_YEAR);
        kept[t] = left;
    }
}
