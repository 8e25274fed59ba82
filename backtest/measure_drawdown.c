/* measure_drawdown.c - how deep, how long and how often the value lay below its peak. */
#include "backtest/measure_facts.h"
#include "backtest/order.h"

static const double TAIL = 0.05;

static double days_of(const struct facts *f, const struct drawdown *d)
{
    size_t to = d->recovery == DRAWDOWN_OPEN ? f->n : d->recovery;
    return (double)(f->path.date[to] - f->path.date[d->peak]);
}

void measure_take_depths(struct facts *f)
{
    struct measure_value *out = f->out;
    bool is_any = f->n_episodes > 0;
    measure_set(ROW(out, max_drawdown), is_any ? f->episodes[0].depth : 0, f->n);
    measure_set(ROW(out, max_drawdown_positive), f->depth, f->n);
    measure_set(ROW(out, n_drawdowns), (double)f->n_episodes, f->n);
    if (f->path.date == NULL)
        measure_deny(ROW(out, max_drawdown_days), REASON_NO_DATES, f->n_episodes);
    else
        measure_maybe(ROW(out, max_drawdown_days), is_any, is_any ? days_of(f, &f->episodes[0]) : 0,
                      REASON_NO_DRAWDOWN, f->n_episodes);
}

/* Sums over the list of declines. */
struct spans {
    double depth;
    double days, longest_days, recovered_days; /* peak to recovery; the longest recovered one */
    double days_below;                         /* from the first session below the peak */
    double sessions, longest_sessions;         /* likewise in sessions */
    double climb;                              /* sessions from trough to recovery */
};

static struct spans add_up(const struct facts *f)
{
    struct spans s = {0};
    for (size_t i = 0; i < f->n_episodes; i++) {
        struct drawdown d = f->episodes[i];
        bool is_open = d.recovery == DRAWDOWN_OPEN;
        size_t to = is_open ? f->n : d.recovery;
        double sessions = (double)(to - d.peak);
        s.depth += d.depth;
        s.sessions += sessions;
        s.longest_sessions = sessions > s.longest_sessions ? sessions : s.longest_sessions;
        s.climb += (double)(to - d.trough);
        if (f->path.date == NULL)
            continue;
        double days = (double)(f->path.date[to] - f->path.date[d.peak]);
        s.days += days;
        s.days_below += (double)(f->path.date[to] - f->path.date[d.peak + 1]);
        s.longest_days = days > s.longest_days ? days : s.longest_days;
        if (!is_open && days > s.recovered_days)
            s.recovered_days = days;
    }
    return s;
}

void measure_take_spans(struct facts *f)
{
    static const enum measure_id in_days[] = {MEASURE_average_drawdown_days,
                                              MEASURE_longest_drawdown_days,
                                              MEASURE_average_drawdown_days_ffn};
    struct measure_value *out = f->out;
    struct spans s = add_up(f);
    size_t n = f->n_episodes;
    bool is_any = n > 0;
    double count = is_any ? (double)n : 1;
    enum measure_reason why = REASON_NO_DRAWDOWN;

    measure_maybe(ROW(out, average_drawdown), is_any, s.depth / count, why, n);
    measure_maybe(ROW(out, average_drawdown_positive), is_any, -s.depth / count, why, n);
    measure_maybe(ROW(out, average_drawdown_sessions), is_any, s.sessions / count, why, n);
    measure_maybe(ROW(out, average_recovery_sessions), is_any, s.climb / count, why, n);
    measure_maybe(ROW(out, longest_drawdown_sessions), is_any, s.longest_sessions, why, n);
    /* One that is open recovers in the session after the last at the earliest. */
    bool is_open = f->drawdown[f->n - 1] < 0;
    measure_maybe(ROW(out, average_recovery_pa), is_any, (s.climb + (is_open ? 1 : 0)) / count, why,
                  n);
    if (f->path.date == NULL) {
        for (size_t i = 0; i < ARRAY_LEN(in_days); i++)
            measure_deny(&out[in_days[i]], REASON_NO_DATES, n);
        measure_deny(ROW(out, recovery_days_lean), REASON_NO_DATES, n);
        return;
    }
    measure_set(ROW(out, recovery_days_lean), s.recovered_days, n);
    measure_maybe(ROW(out, average_drawdown_days), is_any, s.days / count, why, n);
    measure_maybe(ROW(out, average_drawdown_days_ffn), is_any, s.days_below / count, why, n);
    measure_maybe(ROW(out, longest_drawdown_days), is_any, s.longest_days, why, n);
}

/*
 * PerformanceAnalytics lists the stretches below the peak and those at it, the latter with depth 0; its CDD is the
 * mean of the depths at or below the 5 % quantile of that list.
 */
void measure_take_conditional_depth(struct facts *f)
{
    size_t below_at_ends = f->drawdown[0] < 0 ? 1 : 0;
    below_at_ends += f->drawdown[f->n - 1] < 0 ? 1 : 0;
    size_t n_runs = 1 + 2 * f->n_episodes - below_at_ends;
    for (size_t i = 0; i < n_runs; i++)
        f->spare[i] = i < f->n_episodes ? f->episodes[i].depth : 0;
    double limit = order_quantile(f->spare, n_runs, 0.05);
    measure_maybe(ROW(f->out, cdd_95), f->n_episodes > 0, -order_mean_to(f->spare, n_runs, limit),
                  REASON_NO_DRAWDOWN, f->n_episodes);
}

void measure_take_underwater(struct facts *f)
{
    struct measure_value *out = f->out;
    measure_set(ROW(out, current_drawdown), f->drawdown[f->n - 1], f->n);
    measure_set(ROW(out, underwater_share), (double)f->declines.n_underwater / (double)f->n, f->n);
}

/* Only the deepest sessions need an order: those up to the 5 % quantile, between two of them. */
void measure_take_deep_sessions(struct facts *f)
{
    size_t wanted = (size_t)((double)(f->n - 1) * TAIL) + 2;
    size_t found = order_tail(f->k, f->drawdown, f->n, wanted, f->scratch, f->spare, f->count);
    measure_set(ROW(f->out, cdar_95),
                order_mean_to(f->scratch, found, order_quantile(f->scratch, f->n, TAIL)), f->n);
}
