/* ranking.c - past returns and their order; shared by the momentum strategies. */
#include "backtest/ranking.h"

void ranking_returns(const double *const *price, size_t m, size_t n_prices, double *ret)
{
    for (size_t i = 0; i < m; i++)
        ret[i] = price[i][n_prices - 1] / price[i][0] - 1;
}

size_t ranking_best(const double *score, size_t m, size_t left_out, size_t k, size_t *ret_best)
{
    size_t n = 0;
    for (size_t i = 0; i < m; i++) {
        if (i == left_out)
            continue;
        size_t at = n < k ? n : k;
        while (at > 0 && score[ret_best[at - 1]] < score[i])
            at--;
        if (at == k)
            continue;
        n = n < k ? n + 1 : k;
        for (size_t j = n - 1; j > at; j--)
            ret_best[j] = ret_best[j - 1];
        ret_best[at] = i;
    }
    return n;
}
