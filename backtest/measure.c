/* measure.c - the table of metrics: prepares what the families share, then fills their rows. */
#include "backtest/measure.h"

#include "backtest/elementary.h"
#include "backtest/kernels.h"
#include "backtest/measure_facts.h"
#include "base/date.h"

#include <math.h>

const struct measure_info measure_infos[MEASURE_ALL_COUNT] = {
#define METRIC(name, step, unit, needs_benchmark, convention) \
    [MEASURE_##name] = {#name, unit, convention, needs_benchmark},
#include "backtest/metrics.def"
#include "backtest/variants.def"
#undef METRIC
};

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

const char *const measure_reason_codes[REASON_COUNT] = {
#define REASON(name, code, text) [REASON_##name] = (code),
#include "backtest/reasons.def"
#undef REASON
};

void measure_set(struct measure_value *out, double value, size_t n)
{
    if (isfinite(value))
        *out = (struct measure_value){value + 0.0, n, REASON_NONE};
    else
        measure_deny(out, REASON_NOT_FINITE, n);
}

void measure_deny(struct measure_value *out, enum measure_reason reason, size_t n)
{
    *out = (struct measure_value){0, n, reason};
}

void measure_ratio(struct measure_value *out, double numerator, double denominator,
                   enum measure_reason reason, size_t n)
{
    measure_maybe(out, denominator > 0, numerator / denominator, reason, n);
}

void measure_maybe(struct measure_value *out, bool is_known, double value,
                   enum measure_reason reason, size_t n)
{
    if (is_known)
        measure_set(out, value, n);
    else
        measure_deny(out, reason, n);
}

size_t measure_live_length_with(const struct kernels *kernels, struct measure_path path)
{
    size_t n = kernels->live(path.value, path.n);
    return n < path.n ? n + 1 : n;
}

size_t measure_live_length(struct measure_path path)
{
    return measure_live_length_with(&kernels_ref, path);
}

double measure_rate_per_period(double annual, double periods_per_year)
{
    return elementary_pow(1 + annual, 1 / periods_per_year) - 1;
}

double measure_cagr(struct measure_path path)
{
    double years = date_years_between(path.date[0], path.date[path.n - 1]);
    return elementary_pow(path.value[path.n - 1] / path.value[0], 1 / years) - 1;
}

double measure_annualised(double total, double periods, double n)
{
    return elementary_pow(total, periods / n) - 1;
}

size_t measure_subtract(const double *r, size_t n, double rate, const double *series, double *ret)
{
    size_t n_known = 0;
    for (size_t t = 0; t < n; t++) {
        double each = series != NULL ? series[t] : rate;
        if (!isnan(each))
            ret[n_known++] = r[t] - each;
    }
    return n_known;
}

double measure_confidence(const struct facts *f)
{
    return f->in->options.confidence > 0 ? f->in->options.confidence : 0.95;
}

/* Which step writes a row. */
static const uint8_t step_of[MEASURE_ALL_COUNT] = {
#define METRIC(name, step, unit, needs_benchmark, convention) [MEASURE_##name] = STEP_##step,
#include "backtest/metrics.def"
#include "backtest/variants.def"
#undef METRIC
};

enum { NEEDS_MAX = 3 };

static const struct step {
    void (*take)(struct facts *f);
    uint8_t needs[NEEDS_MAX]; /* STEP_NOTHING after the last */
    bool is_named;            /* only for rows that are asked for by name */
} steps[STEP_COUNT] = {
#define STEP(name, ...) [STEP_##name] = {measure_take_##name, {__VA_ARGS__}, false},
#define NAMED_STEP(name, ...) [STEP_##name] = {measure_take_##name, {__VA_ARGS__}, true},
#include "backtest/measure_steps.def"
};

const struct measure_set measure_every_row = {{
#define METRIC(name, step, unit, needs_benchmark, convention) [MEASURE_##name] = true,
#include "backtest/metrics.def"
#include "backtest/variants.def"
#undef METRIC
}};

bool measure_set_needs_trading(const struct measure_set *set)
{
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++) {
        if (set->has[i] && step_of[i] == STEP_trades)
            return true;
    }
    return false;
}

struct measure_set measure_set_of(const enum measure_id *rows, size_t n)
{
    struct measure_set set = {{false}};
    for (size_t i = 0; i < n; i++)
        set.has[rows[i]] = true;
    return set;
}

/* Steps of the wanted rows, of the lines that are to be shown, and what those need. */
static void choose_steps(struct facts *f)
{
    const struct measure_set *wanted = f->in->wanted;
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++) {
        if (wanted != NULL ? wanted->has[i] : !steps[step_of[i]].is_named)
            f->is_due[step_of[i]] = true;
    }
    if (f->in->details != NULL)
        f->is_due[STEP_declines] = f->is_due[STEP_episodes] = f->is_due[STEP_years] = true;
    for (size_t s = STEP_COUNT; s-- > 1;) {
        for (size_t k = 0; k < NEEDS_MAX && f->is_due[s]; k++)
            f->is_due[steps[s].needs[k]] = true;
    }
}

/* What a step has written beside the wanted rows is not what they are: its own needs may be missing. */
static void deny_unwanted(struct facts *f)
{
    const struct measure_set *wanted = f->in->wanted;
    for (size_t i = 0; wanted != NULL && i < MEASURE_ALL_COUNT; i++) {
        if (!wanted->has[i])
            measure_deny(&f->out[i], REASON_NOT_APPLICABLE, 0);
    }
}

enum status measure_compute(const struct measure_input *input, struct arena *arena,
                            struct measure_value ret[MEASURE_ALL_COUNT], struct err *err)
{
    struct facts f = {.in = input, .path = input->path, .out = ret, .arena = arena, .err = err};
    enum status s = measure_facts_open(&f);
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++)
        measure_deny(&ret[i], REASON_NOT_APPLICABLE, 0);
    choose_steps(&f);
    for (size_t i = STEP_NOTHING + 1; i < STEP_COUNT && s == STATUS_OK; i++) {
        if (f.is_due[i])
            steps[i].take(&f);
        s = f.status;
    }
    if (s != STATUS_OK)
        return s;
    deny_unwanted(&f);
    if (input->details != NULL)
        *input->details = (struct measure_details){f.path.n, f.drawdown - 1, f.episodes,
                                                   f.n_episodes, f.calendar};
    return STATUS_OK;
}
