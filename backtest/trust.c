/* trust.c - gives the finished run's returns to what the request asked for. */
#include "backtest/trust.h"

#include "backtest/backtest.h"
#include "backtest/stats.h"
#include "base/date.h"

#include <math.h>

struct judge {
    const struct backtest_result *run;
    struct arena *arena;
    const struct stop *stop;
    double *r; /* session returns */
    size_t n;
    double rate; /* risk-free, per session */
    struct trust_report *report;
};

double trust_mean_block(double asked, bool is_politis_white, const double *r, size_t n)
{
    double length = asked > 0          ? asked
                    : is_politis_white ? resample_politis_white(r, n)
                                       : resample_mean_block(n);
    return length > 1 ? length : 1;
}

static enum status take_returns(struct judge *j, struct err *err)
{
    const struct backtest_result *run = j->run;
    struct measure_path path = {run->panel->clock, run->equity, run->panel->n_sessions};
    size_t live = measure_live_length(path);
    j->n = live - 1;
    j->rate = measure_rate_per_period(run->spec->risk_free_rate, run->periods_per_year);
    j->r = arena_array(j->arena, live, sizeof *j->r);
    if (j->r == NULL)
        return err_out_of_memory(err);
    stats_returns(path.value, live, j->r);
    j->report->reason = run->ruined_on != DATE_NONE ? REASON_RUINED
                        : j->n < TRUST_RETURNS_MIN  ? REASON_TOO_SHORT
                                                    : REASON_NONE;
    return STATUS_OK;
}

static struct bootstrap_input input_of(const struct judge *j)
{
    const struct backtest_result *run = j->run;
    const struct spec_bootstrap *asked = &run->spec->trust.bootstrap;
    const int32_t *clock = run->panel->clock;
    return (struct bootstrap_input){
        .r = j->r,
        .n = j->n,
        .periods_per_year = run->periods_per_year,
        .rate = j->rate,
        .risk_free = run->risk_free.session,
        .years = date_years_between(clock[0], clock[j->n]),
        .capital = run->equity[0],
        .count = asked->count,
        .seed = asked->seed,
        .mean_block = trust_mean_block(asked->mean_block, asked->is_politis_white, j->r, j->n),
        .level = asked->level,
    };
}

/* The returns of both between the sessions at which the benchmark has a price; false: too few of them. */
static enum status pair_returns(const struct judge *j, struct bootstrap_input *pair, bool *ret_ok,
                                struct err *err)
{
    const struct backtest_result *run = j->run;
    double *own = arena_array(j->arena, j->n + 1, sizeof *own);
    double *other = arena_array(j->arena, j->n + 1, sizeof *other);
    double *saver = arena_array(j->arena, j->n + 1, sizeof *saver);
    size_t n = 0, first = 0, last = 0;
    if (own == NULL || other == NULL || saver == NULL)
        return err_out_of_memory(err);
    for (size_t t = 0; t <= j->n; t++) {
        if (isnan(run->benchmark[t]))
            continue;
        if (n > 0) {
            own[n - 1] = run->equity[t] / run->equity[last] - 1;
            other[n - 1] = run->benchmark[t] / run->benchmark[last] - 1;
            saver[n - 1] = risk_free_between(&run->risk_free, last, t);
        } else {
            first = t;
        }
        last = t;
        n++;
    }
    *ret_ok = n > TRUST_RETURNS_MIN;
    pair->r = own;
    pair->benchmark = other;
    pair->risk_free = run->risk_free.session != NULL ? saver : NULL;
    pair->n = *ret_ok ? n - 1 : 0;
    pair->years = date_years_between(run->panel->clock[first], run->panel->clock[last]);
    return STATUS_OK;
}

/* The figures come from every session, their differences from those shared with the benchmark. */
static enum status draw_intervals(struct judge *j, struct err *err)
{
    struct bootstrap_input in = input_of(j), pair = in;
    struct bootstrap_report *report = &j->report->bootstrap;
    bool has_pair = false;
    enum status s = STATUS_OK;
    if (j->run->benchmark != NULL)
        s = pair_returns(j, &pair, &has_pair, err);
    if (s == STATUS_OK && has_pair)
        s = bootstrap_run(&pair, j->arena, j->stop, report, err);
    if (s != STATUS_OK || (has_pair && pair.n == in.n))
        goto done;
    struct bootstrap_report alone;
    s = bootstrap_run(&in, j->arena, j->stop, &alone, err);
    if (s != STATUS_OK)
        return s;
    for (size_t k = 0; k < BOOTSTRAP_FIGURE_COUNT && has_pair; k++)
        alone.difference[k] = report->difference[k];
    alone.has_difference = has_pair;
    *report = alone;
done:
    j->report->n_common = pair.n;
    return s;
}

static enum status draw_futures(struct judge *j, struct err *err)
{
    const struct spec_monte_carlo *asked = &j->run->spec->trust.monte_carlo;
    double periods = j->run->periods_per_year;
    size_t horizon = asked->years > 0 ? (size_t)(asked->years * periods + 0.5) : j->n;
    struct montecarlo_rules rules = {
        .model = asked->model,
        .mean_block = trust_mean_block(asked->mean_block, false, j->r, j->n),
        .horizon = horizon,
        .seed = asked->seed,
        .capital = j->run->spec->capital,
        .flow = asked->flow,
        .flow_every = asked->flow_every,
        .periods_per_year = periods,
        .n_goals = asked->n_goals,
    };
    for (size_t i = 0; i < asked->n_goals; i++)
        rules.goals[i] = asked->goals[i];
    struct montecarlo mc;
    struct montecarlo_path *paths = arena_array(j->arena, asked->count, sizeof *paths);
    struct resample_block *blocks = arena_array(j->arena, horizon, sizeof *blocks);
    if (paths == NULL || blocks == NULL)
        return err_out_of_memory(err);
    enum status s = montecarlo_init(&mc, &rules, j->r, j->n, j->arena, err);
    if (s == STATUS_OK)
        s = montecarlo_play(&mc, 0, asked->count, blocks, j->stop, paths, err);
    if (s == STATUS_OK)
        s = montecarlo_summarise(&mc, paths, asked->count, j->arena, &j->report->monte_carlo, err);
    j->report->monte_carlo_rules = rules;
    return s;
}

enum status trust_run(const struct backtest_result *run, const struct market_data *market,
                      struct arena *arena, const struct stop *stop, struct trust_report **ret,
                      struct err *err)
{
    const struct spec_trust *asked = &run->spec->trust;
    struct judge j = {.run = run, .arena = arena, .stop = stop};
    j.report = ARENA_NEW(arena, struct trust_report);
    if (j.report == NULL)
        return err_out_of_memory(err);
    bool is_drawn = asked->bootstrap.count > 0 || asked->monte_carlo.count > 0;
    enum status s = is_drawn ? take_returns(&j, err) : STATUS_OK;
    is_drawn = is_drawn && j.report->reason == REASON_NONE;
    if (s == STATUS_OK && is_drawn && asked->bootstrap.count > 0)
        s = draw_intervals(&j, err);
    if (s == STATUS_OK && is_drawn && asked->monte_carlo.count > 0)
        s = draw_futures(&j, err);
    if (s == STATUS_OK && asked->verify.cuts > 0)
        s = prefix_verify(run, market, arena, stop, &j.report->prefix, err);
    if (s == STATUS_OK && asked->offset_luck)
        s = offset_luck_run(run, market, arena, stop, &j.report->offsets, err);
    if (s == STATUS_OK)
        s = variations_run(run, market, arena, stop, &j.report->variations, err);
    if (s == STATUS_OK)
        *ret = j.report;
    return s;
}
