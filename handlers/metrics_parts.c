/* metrics_parts.c - rolling windows, money-weighted return, calendar periods, trades, summary. */
#include "handlers/metrics_parts.h"

#include "backtest/elementary.h"
#include "backtest/stats.h"
#include "base/date.h"
#include "handlers/measure_render.h"

#include <math.h>

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this track record.");
}

enum status metrics_write_rolling(const struct metrics_parts *p, struct err *err)
{
    struct rolling_report report = {.n = 0};
    enum status s = STATUS_OK;
    if (p->request->rolling.window > 0 && p->ready != NULL)
        s = rolling_report_make(&p->ready->input, &p->request->rolling, p->arena, &report, err);
    if (s == STATUS_OK)
        rolling_write(p->json, &report);
    return s;
}

enum status metrics_write_money(const struct metrics_parts *p, struct err *err)
{
    struct xirr_roots roots;
    if (p->request->n_flows == 0) {
        jw_key_null(p->json, "money_weighted");
        return STATUS_OK;
    }
    enum status s = xirr_solve(p->request->flow, p->request->n_flows, p->arena, &roots, err);
    if (s != STATUS_OK)
        return s;
    jw_key(p->json, "money_weighted");
    jw_object(p->json);
    if (roots.n > 0) {
        jw_key_f64(p->json, "xirr", roots.preferred);
    } else {
        jw_key_null(p->json, "xirr");
        jw_key_c(p->json, "reason", "no_root");
    }
    jw_key(p->json, "roots");
    jw_f64_array(p->json, roots.rate, roots.n);
    jw_key_i64(p->json, "n", (int64_t)p->request->n_flows);
    jw_key_c(p->json, "convention", "sum CF (1 + rho)^(-days / 365) = 0 on (-1, 1e6)");
    jw_end_object(p->json);
    return STATUS_OK;
}

static const double DAILY = 300; /* more sessions a year than any exchange has */

/* A number that is the same within one calendar period and differs between neighbours. */
static int64_t period_of(int32_t date, enum metrics_aggregate aggregate)
{
    struct civil c = date_to_civil(date);
    switch (aggregate) {
    case AGGREGATE_WEEKLY:
        return date - date_weekday(date);
    case AGGREGATE_MONTHLY:
        return c.year * 12 + c.month;
    case AGGREGATE_QUARTERLY:
        return c.year * 4 + (c.month - 1) / 3;
    case AGGREGATE_YEARLY:
        return c.year;
    case AGGREGATE_NONE:
    case AGGREGATE_COUNT:
        break;
    }
    return 0;
}

/* A day after the last one would belong to the same period; weekends count where every day has its session. */
static bool is_open_ended(int32_t last, enum metrics_aggregate aggregate, double periods_per_year)
{
    int32_t next = last + 1;
    while (periods_per_year < DAILY && date_weekday(next) >= 5)
        next++;
    return period_of(next, aggregate) == period_of(last, aggregate);
}

enum status metrics_write_periods(const struct metrics_parts *p, struct err *err)
{
    enum metrics_aggregate aggregate = p->request->aggregate;
    if (aggregate == AGGREGATE_NONE || p->ready == NULL || p->ready->input.path.date == NULL) {
        jw_key_null(p->json, "periods");
        return STATUS_OK;
    }
    struct measure_path path = p->ready->input.path;
    double *total = arena_array(p->arena, path.n, sizeof *total);
    int32_t *end = arena_array(p->arena, path.n, sizeof *end);
    if (total == NULL || end == NULL)
        return no_memory(err);
    size_t n = 0;
    double base = path.value[0];
    path.n = measure_live_length(path);
    for (size_t t = 1; t < path.n; t++) {
        bool is_last = t + 1 == path.n ||
                       period_of(path.date[t], aggregate) != period_of(path.date[t + 1], aggregate);
        if (!is_last)
            continue;
        total[n] = path.value[t] / base - 1;
        end[n++] = path.date[t];
        base = path.value[t];
    }
    jw_key(p->json, "periods");
    jw_object(p->json);
    jw_key_c(p->json, "aggregate", metrics_aggregate_names[aggregate]);
    jw_key(p->json, "end");
    jw_date_array(p->json, end, n);
    jw_key(p->json, "return");
    jw_f64_array(p->json, total, n);
    jw_key(p->json, "is_partial");
    jw_array(p->json);
    bool begins_inside =
        path.n > 1 && period_of(path.date[0], aggregate) == period_of(path.date[1], aggregate);
    for (size_t i = 0; i < n; i++)
        jw_bool(p->json, (i == 0 && begins_inside) ||
                             (i + 1 == n &&
                              is_open_ended(end[i], aggregate, p->ready->input.periods_per_year)));
    jw_end_array(p->json);
    jw_end_object(p->json);
    return STATUS_OK;
}

void metrics_write_trades(const struct metrics_parts *p)
{
    size_t n = p->request->n_trades;
    if (n == 0) {
        jw_key_null(p->json, "trades");
        return;
    }
    const double *x = p->request->trade;
    struct stats_moments m = stats_moments_short(x, n);
    struct stats_gains g = stats_gains(x, n, 0);
    double wins = (double)g.n_gains, losses = (double)g.n_losses, count = (double)n;
    double payoff = g.gains / wins / (g.losses / losses), rate = wins / (wins + losses);
    double root = sqrt(count), spread = m.is_constant ? (double)NAN : m.sd;
    jw_key(p->json, "trades");
    jw_object(p->json);
    jw_key_i64(p->json, "n", (int64_t)n);
    number_write(p->json, "total", m.sum);
    number_write(p->json, "mean", m.mean);
    number_write(p->json, "win_rate", rate);
    number_write(p->json, "profit_factor", g.gains / g.losses);
    number_write(p->json, "payoff", payoff);
    number_write(p->json, "expectancy", rate * payoff - (1 - rate));
    number_write(p->json, "kelly", rate - (1 - rate) / payoff);
    number_write(p->json, "system_quality", root * m.mean / spread);
    number_write(p->json, "system_quality_population",
                 root * m.mean / (m.is_constant ? (double)NAN : m.sd_population));
    jw_end_object(p->json);
}

void metrics_write_summary(const struct metrics_parts *p)
{
    const struct metrics_summary *s = &p->request->summary;
    if (!s->is_given) {
        jw_key_null(p->json, "summary");
        return;
    }
    double excess = s->kurtosis - 3, n = (double)s->n;
    double variance = stats_sharpe_variance(s->sharpe, s->skewness, excess);
    bool has_n = s->n > 0, has_track = s->sharpe > s->target_sharpe && variance > 0;
    double track = has_track ? stats_min_track_record(s->sharpe, s->target_sharpe, s->skewness,
                                                      excess, s->confidence)
                             : (double)NAN;
    double factor = stats_lo_factor(s->periods_per_year, s->autocorrelation);
    jw_key(p->json, "summary");
    jw_object(p->json);
    number_write(p->json, "psr",
                 has_n && variance > 0
                     ? stats_psr(s->sharpe, s->target_sharpe, (size_t)s->n, s->skewness, excess)
                     : (double)NAN);
    number_write(p->json, "min_track_record_length", track);
    number_write(p->json, "min_track_record_years", track / s->periods_per_year);
    number_write(p->json, "sharpe_se", has_n ? sqrt(variance / (n - 1)) : (double)NAN);
    number_write(p->json, "sharpe_se_iid",
                 has_n ? stats_sharpe_se_iid(s->sharpe, (size_t)s->n) : (double)NAN);
    number_write(p->json, "lo_factor", factor);
    number_write(p->json, "sharpe_lo", s->sharpe * factor);
    jw_end_object(p->json);
}
