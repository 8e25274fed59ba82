/* metrics_trust.c - how far a track record's figures could have come out otherwise, or by chance; a part of its answer. */
#include "handlers/metrics_parts.h"

#include "backtest/stats.h"
#include "backtest/trust.h"
#include "base/date.h"
#include "handlers/backtest_render_trust.h"

/* The rate that a return of the series must beat: of the year, or the mean of those given for each session. */
static double rate_of(const struct measure_input *in, const double *risk_free, size_t n)
{
    double sum = 0;
    if (risk_free == NULL)
        return measure_rate_per_period(in->risk_free_rate, in->periods_per_year);
    for (size_t t = 0; t < n; t++)
        sum += risk_free[t];
    return sum / (double)n;
}

/* By date where there are dates, else by count. */
static double years_of(const struct measure_path *path, double periods_per_year)
{
    return path->date != NULL ? date_years_between(path->date[0], path->date[path->n - 1])
                              : (double)(path->n - 1) / periods_per_year;
}

/* Returns of a path whose exact ones are not at hand. */
static enum status returns_of(const struct measure_path *path, const double *exact,
                              struct arena *arena, const double **ret, struct err *err)
{
    double *r = NULL;
    *ret = exact;
    if (exact != NULL)
        return STATUS_OK;
    r = arena_array(arena, path->n, sizeof *r);
    if (r == NULL)
        return err_out_of_memory(err);
    stats_returns(path->value, path->n, r);
    *ret = r;
    return STATUS_OK;
}

static enum status draw(const struct metrics_parts *p, struct bootstrap_report *ret, size_t *ret_n,
                        struct err *err)
{
    const struct spec_bootstrap *asked = &p->request->bootstrap;
    const struct measure_input *in = &p->ready->input;
    bool has_pair = in->benchmark.n > TRUST_RETURNS_MIN;
    bool is_common = has_pair && in->benchmark.n == in->path.n;
    struct bootstrap_report report = {.count = 0}, pair = {.count = 0};
    struct bootstrap_input b = {
        .n = in->path.n - 1,
        .periods_per_year = in->periods_per_year,
        .rate = rate_of(in, in->risk_free, in->path.n - 1),
        .risk_free = in->risk_free,
        .years = years_of(&in->path, in->periods_per_year),
        .capital = in->path.value[0],
        .count = asked->count,
        .seed = asked->seed,
        .level = asked->level,
    };
    enum status s = returns_of(&in->path, in->returns, p->arena, &b.r, err);
    if (s != STATUS_OK)
        return s;
    b.mean_block = trust_mean_block(asked->mean_block, asked->is_politis_white, b.r, b.n);
    if (!is_common)
        s = bootstrap_run(&b, p->arena, NULL, &report, err);
    if (s == STATUS_OK && has_pair) {
        b.n = in->benchmark.n - 1;
        b.risk_free = in->common_risk_free;
        b.years = years_of(&in->benchmark, in->periods_per_year);
        s = returns_of(&in->common, in->common_returns, p->arena, &b.r, err);
        if (s == STATUS_OK)
            s = returns_of(&in->benchmark, in->benchmark_returns, p->arena, &b.benchmark, err);
        if (s == STATUS_OK)
            s = bootstrap_run(&b, p->arena, NULL, &pair, err);
    }
    if (is_common)
        report = pair;
    for (size_t k = 0; k < BOOTSTRAP_FIGURE_COUNT && has_pair; k++)
        report.difference[k] = pair.difference[k];
    report.has_difference = has_pair;
    *ret_n = has_pair ? pair.n_returns : 0;
    *ret = report;
    return s;
}

enum status metrics_write_bootstrap(const struct metrics_parts *p, struct err *err)
{
    const struct spec_bootstrap *asked = &p->request->bootstrap;
    struct bootstrap_report report = {.count = 0};
    enum measure_reason reason = REASON_NONE;
    size_t n_common = 0;
    if (p->ready == NULL) {
        jw_key_null(p->json, "bootstrap");
        return STATUS_OK;
    }
    if (p->ready->is_ruined)
        reason = REASON_RUINED;
    else if (p->ready->input.path.n <= TRUST_RETURNS_MIN)
        reason = REASON_TOO_SHORT;
    enum status s = STATUS_OK;
    if (asked->count > 0 && reason == REASON_NONE)
        s = draw(p, &report, &n_common, err);
    if (s == STATUS_OK)
        bootstrap_write(asked, reason, &report, n_common, p->json);
    return s;
}

enum status metrics_write_monkeys(const struct metrics_parts *p, struct err *err)
{
    CLEANUP(market_hold_release) struct market_hold hold = {0};
    const struct monkey_record_ask *ask = &p->request->monkeys;
    struct monkey_report report = {.count = 0};
    struct market_data market = {.n_series = 0};
    if (ask->count == 0) {
        jw_key_null(p->json, "monkeys");
        return STATUS_OK;
    }
    const struct measure_input *in = &p->ready->input;
    const struct monkey_record record = {
        .path = in->path,
        .periods_per_year = in->periods_per_year,
        .rate = rate_of(in, in->risk_free, in->path.n - 1),
        .risk_free = in->risk_free,
    };
    enum status s = backtest_market_for(p->service, ask->spec, monkey_record_cells(ask, &in->path),
                                        p->arena, p->stop, &market, &hold, err);
    if (s == STATUS_OK)
        s = monkey_record_rank(ask, &record, &market, p->arena, p->stop, &report, err);
    if (s == STATUS_OK)
        monkeys_write(&report, ask->seed, ask->spec->n_universe, p->json);
    return s;
}
