/* metrics_parts.c - rolling windows, money-weighted return, calendar periods, trades, summary. */
#include "handlers/metrics_parts.h"

#include "backtest/period_returns.h"
#include "backtest/stats.h"
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

/*
 * The rows of the calendar: those with a return; of empyrical also those without, which it takes for 0. Its weeks are
 * ISO's numbers within a calendar year.
 */
static struct period_rows rows_of(const struct metrics_parts *p, bool is_empyrical)
{
    static const enum frequency frequencies[AGGREGATE_COUNT] = {
        [AGGREGATE_WEEKLY] = FREQUENCY_WEEK,
        [AGGREGATE_MONTHLY] = FREQUENCY_MONTH,
        [AGGREGATE_QUARTERLY] = FREQUENCY_QUARTER,
        [AGGREGATE_YEARLY] = FREQUENCY_YEAR,
    };
    const struct record *record = &p->request->record;
    bool has_all = is_empyrical && record->kind == RECORD_RETURNS && !p->ready->is_ruined;
    struct measure_path path = p->ready->input.path;
    path.n = measure_live_length(path);
    return (struct period_rows){
        .path = path,
        .date = has_all ? record->date : path.date + 1,
        .n = has_all ? record->n : path.n - 1,
        .frequency = frequencies[p->request->aggregate],
        .has_weeks_of_year = is_empyrical,
    };
}

enum status metrics_write_periods(const struct metrics_parts *p, struct err *err)
{
    enum metrics_aggregate aggregate = p->request->aggregate;
    if (aggregate == AGGREGATE_NONE || p->ready == NULL || p->ready->input.path.date == NULL) {
        jw_key_null(p->json, "periods");
        return STATUS_OK;
    }
    struct period_rows rows = rows_of(p, p->request->record.profile == PROFILE_empyrical);
    struct period_return *found = arena_array(p->arena, rows.n + 1, sizeof *found);
    double *total = arena_array(p->arena, rows.n + 1, sizeof *total);
    int32_t *end = arena_array(p->arena, rows.n + 1, sizeof *end);
    if (found == NULL || total == NULL || end == NULL)
        return no_memory(err);
    size_t n = period_returns(&rows, p->ready->input.periods_per_year, found);
    for (size_t i = 0; i < n; i++) {
        total[i] = found[i].growth - 1;
        end[i] = found[i].end;
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
    for (size_t i = 0; i < n; i++)
        jw_bool(p->json, found[i].is_partial);
    jw_end_array(p->json);
    jw_end_object(p->json);
    return STATUS_OK;
}

/* The largest and the smallest on each side; null on a side that has none. */
static void write_extremes(struct json_out *json, const double *x, size_t n)
{
    double win[2] = {(double)NAN, (double)NAN}, loss[2] = {(double)NAN, (double)NAN};
    for (size_t i = 0; i < n; i++) {
        if (x[i] > 0) {
            win[0] = fmax(win[0], x[i]);
            win[1] = fmin(win[1], x[i]);
        } else if (x[i] < 0) {
            loss[0] = fmin(loss[0], x[i]);
            loss[1] = fmax(loss[1], x[i]);
        }
    }
    number_write(json, "largest_win", win[0]);
    number_write(json, "smallest_win", win[1]);
    number_write(json, "largest_loss", loss[0]);
    number_write(json, "smallest_loss", loss[1]);
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
    number_write(p->json, "average_win", g.gains / wins);
    number_write(p->json, "average_loss", -g.losses / losses);
    write_extremes(p->json, x, n);
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
