/* rolling_report.c - takes returns and their excess from a measured path and rolls windows over them. */
#include "backtest/rolling_report.h"

#include "backtest/stats.h"

/* Returns less the risk-free return of each session; NULL: no memory. *ret_returns: the returns themselves. */
static double *excess_of(const struct measure_input *in, const struct measure_path *path,
                         const double *exact, struct arena *arena, const double **ret_returns)
{
    double rate = measure_rate_per_period(in->risk_free_rate, in->periods_per_year);
    double *r = exact == NULL ? arena_array(arena, path->n, sizeof *r) : NULL;
    double *x = arena_array(arena, path->n, sizeof *x);
    if (x == NULL || (r == NULL && exact == NULL))
        return NULL;
    if (exact == NULL)
        stats_returns(path->value, path->n, r);
    *ret_returns = exact != NULL ? exact : r;
    for (size_t t = 0; t + 1 < path->n; t++)
        x[t] = (*ret_returns)[t] - (in->risk_free != NULL ? in->risk_free[t] : rate);
    return x;
}

enum status rolling_report_make(const struct measure_input *in, const struct spec_rolling *asked,
                                struct arena *arena, struct rolling_report *ret, struct err *err)
{
    size_t n = in->path.n - 1, w = asked->window;
    bool has_benchmark = in->benchmark.n == in->path.n;
    struct rolling_report report = {.window = w, .n = n >= w ? n - w + 1 : 0};
    struct rolling_input rolling = {.n = n, .window = w, .periods_per_year = in->periods_per_year};
    double *value[ROLLING_METRIC_COUNT] = {NULL};
    const double *ignored = NULL;
    rolling.x = excess_of(in, &in->path, in->returns, arena, &rolling.r);
    if (has_benchmark)
        rolling.b = excess_of(in, &in->benchmark, in->benchmark_returns, arena, &ignored);
    if (rolling.x == NULL || (has_benchmark && rolling.b == NULL))
        return err_out_of_memory(err);
    for (size_t m = 0; m < ROLLING_METRIC_COUNT; m++) {
        value[m] = asked->wanted[m] ? arena_array(arena, report.n + 1, sizeof(double)) : NULL;
        if (asked->wanted[m] && value[m] == NULL)
            return err_out_of_memory(err);
        report.value[m] = value[m];
    }
    enum status s = rolling_compute(&rolling, arena, value, err);
    if (in->path.date != NULL)
        report.date = in->path.date + (report.n > 0 ? w : 0);
    if (s == STATUS_OK)
        *ret = report;
    return s;
}
