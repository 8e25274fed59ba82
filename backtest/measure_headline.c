/* measure_headline.c - the rows that lists of many backtests show, without the passes that only others need. */
#include "backtest/measure_facts.h"
#include "backtest/order.h"

#include <math.h>

const enum measure_id measure_headlines[MEASURE_HEADLINE_COUNT] = {
    MEASURE_total_return,
    MEASURE_cagr,
    MEASURE_volatility,
    MEASURE_skewness,
    MEASURE_kurtosis_excess,
    MEASURE_sharpe,
    MEASURE_psr_0,
    MEASURE_sortino,
    MEASURE_calmar,
    MEASURE_max_drawdown,
    MEASURE_max_drawdown_days,
    MEASURE_ulcer_index,
    MEASURE_var_95,
    MEASURE_cvar_95,
    MEASURE_worst_day,
    MEASURE_best_day,
    MEASURE_best_month,
    MEASURE_worst_month,
    MEASURE_best_year,
    MEASURE_worst_year,
    MEASURE_positive_months,
    MEASURE_positive_years,
    MEASURE_turnover_annual,
    MEASURE_cost_ratio,
    MEASURE_exposure,
    MEASURE_effective_n,
    MEASURE_n_rebalances,
    MEASURE_beta,
    MEASURE_alpha,
    MEASURE_tracking_error,
    MEASURE_information_ratio,
    MEASURE_excess_return,
};

static const double TAIL = 0.05;

static void returns_rows(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    bool has_two = f->n >= 2, has_sharpe = has_two && f->excess_varies;
    bool varies = has_sharpe && !m->is_constant, has_down = has_two && f->downside > 0;
    double sharpe = has_sharpe ? f->excess_mean / f->excess_sd : 0; /* per session */

    measure_set(ROW(out, total_return), f->total, f->n);
    measure_set(ROW(out, cagr), f->cagr, f->n);
    measure_maybe(ROW(out, volatility), has_two, m->sd * f->root, REASON_TOO_SHORT, f->n);
    measure_moment(f, ROW(out, skewness), m->skew, 3);
    measure_moment(f, ROW(out, kurtosis_excess), m->excess, 4);
    measure_maybe(ROW(out, sharpe), has_sharpe, sharpe * f->root, f->flat, f->n);
    if (varies && f->n >= 4)
        measure_psr(f, MEASURE_psr_0, sharpe, 0, m->skew, m->excess);
    else
        measure_deny(ROW(out, psr_0), varies ? REASON_TOO_SHORT : f->flat, f->n);
    measure_maybe(ROW(out, sortino), has_down, has_down ? f->y_mean / f->downside * f->root : 0,
                  has_two ? REASON_NO_DOWNSIDE : REASON_TOO_SHORT, f->n);
    measure_set(ROW(out, best_day), m->max, f->n);
    measure_set(ROW(out, worst_day), m->min, f->n);
}

static void depth_rows(struct facts *f)
{
    struct measure_value *out = f->out;
    f->n_episodes = drawdown_deepest(f->k, f->drawdown - 1, f->path.n, &f->declines, f->episodes);
    bool is_any = f->n_episodes > 0;
    enum measure_reason why = REASON_NO_DRAWDOWN;

    f->depth = is_any ? -f->episodes[0].depth : 0;
    measure_set(ROW(out, max_drawdown), is_any ? f->episodes[0].depth : 0, f->n);
    if (f->path.date == NULL)
        measure_deny(ROW(out, max_drawdown_days), REASON_NO_DATES, f->n_episodes);
    else
        measure_maybe(ROW(out, max_drawdown_days), is_any, is_any ? measure_days_of_deepest(f) : 0,
                      why, f->n_episodes);
    measure_ratio(ROW(out, calmar), f->cagr, f->depth, why, f->n);
    measure_set(ROW(out, ulcer_index), sqrt(f->declines.squares / (double)f->n), f->n);
}

/* Only the lowest returns need an order: those up to the quantile, between two of them. */
static void tail_rows(struct facts *f)
{
    size_t wanted = (size_t)((double)(f->n - 1) * TAIL) + 2;
    size_t found = order_tail(f->k, f->r, f->n, wanted, f->sorted, f->spare, f->count);
    double quantile = order_quantile(f->sorted, f->n, TAIL);
    measure_set(ROW(f->out, var_95), quantile, f->n);
    measure_set(ROW(f->out, cvar_95), order_mean_to(f->sorted, found, quantile), f->n);
}

enum status measure_headline(struct facts *f, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++)
        measure_deny(&f->out[i], REASON_NOT_APPLICABLE, 0);
    returns_rows(f);
    depth_rows(f);
    tail_rows(f);
    measure_trades(f);
    enum status s = measure_calendar(f, arena, err);
    return s == STATUS_OK ? measure_relative(f, arena, err) : s;
}
