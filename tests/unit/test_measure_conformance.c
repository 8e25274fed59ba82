/*
 * test_measure_conformance.c - the metric cases of other libraries, each in its profile and at its tolerance.
 * The names of the cases are short forms; the table below gives the library's own, which profile_find knows.
 */
#include "backtest/record.h"
#include "base/date.h"
#include "tests/support/conformance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Short names of cases whose library spells them out. */
static const struct {
    enum profile profile;
    const char *name, *metric;
} spelled[] = {
    {PROFILE_quantstats, "sharpe.rf3", "sharpe"},
    {PROFILE_pa, "BurkeRatio.mod", "BurkeRatio.modified"},
    {PROFILE_pa, "Return.ann.arith", "Return.annualized.arith"},
    {PROFILE_pa, "cumulative", "Return.cumulative"},
    {PROFILE_pa, "Sharpe", "SharpeRatio"},
    {PROFILE_pa, "SharpeAnn.rf", "SharpeRatio.annualized"},
    {PROFILE_pa, "SharpeAnn.rf.035/12", "SharpeRatio.annualized"},
    {PROFILE_pa, "SharpeAnn.0", "SharpeRatio.annualized"},
    {PROFILE_pa, "Sharpe.rf.035/12", "SharpeRatio"},
    {PROFILE_pa, "DownsideDeviation.MAR", "DownsideDeviation"},
    {PROFILE_pa, "DD.subset", "DownsideDeviation.subset"},
    {PROFILE_pa, "DD0", "DownsideDeviation"},
    {PROFILE_pa, "Sortino0", "SortinoRatio"},
    {PROFILE_pa, "Sortino.10pct", "SortinoRatio"},
    {PROFILE_pa, "OmegaSharpe", "OmegaSharpeRatio"},
    {PROFILE_pa, "Omega.LMAR", "Omega"},
    {PROFILE_pa, "BernardoLedoit", "BernardoLedoitRatio"},
    {PROFILE_pa, "Kappa.l2", "Kappa.2"},
    {PROFILE_pa, "VolSkew", "VolatilitySkewness"},
    {PROFILE_pa, "VarSkew", "VolatilitySkewness.variability"},
    {PROFILE_pa, "skew.fisher", "skewness.fisher"},
    {PROFILE_pa, "skew.sample", "skewness.sample"},
    {PROFILE_pa, "skew.moment", "skewness.moment"},
    {PROFILE_pa, "kurt.fisher", "kurtosis.fisher"},
    {PROFILE_pa, "kurt.sample", "kurtosis.sample"},
    {PROFILE_pa, "kurt.moment", "kurtosis.moment"},
    {PROFILE_pa, "kurt.sample_excess", "kurtosis.sample_excess"},
    {PROFILE_pa, "beta", "CAPM.beta"},
    {PROFILE_pa, "beta.0", "CAPM.beta"},
    {PROFILE_pa, "alpha", "CAPM.alpha"},
    {PROFILE_pa, "alpha.0", "CAPM.alpha"},
    {PROFILE_pa, "jensen", "CAPM.jensenAlpha"},
    {PROFILE_pa, "epsilon", "CAPM.epsilon"},
    {PROFILE_pa, "Treynor.mod", "TreynorRatio.modified"},
    {PROFILE_pa, "Treynor.rf", "TreynorRatio"},
    {PROFILE_pa, "OmegaExcess", "OmegaExcessReturn"},
    {PROFILE_pa, "VaR95.gaussian", "VaR.gaussian"},
    {PROFILE_pa, "VaR0.95gaussian", "VaR.gaussian"},
    {PROFILE_pa, "VaR0.99gaussian", "VaR.gaussian"},
    {PROFILE_pa, "ES0.95historical", "ES.historical"},
    {PROFILE_pa, "ES0.99historical", "ES.historical"},
    {PROFILE_pa, "ES0.95modified", "ES.modified"},
    {PROFILE_pa, "ES0.99modified", "ES.modified"},
    {PROFILE_pa, "KellyHalf", "KellyRatio"},
    {PROFILE_pa, "KellyFull", "KellyRatio.full"},
    {PROFILE_pa, "Rachev", "RachevRatio"},
    {PROFILE_pa, "Sterling", "SterlingRatio"},
    {PROFILE_pa, "PSR0.k", "ProbSharpeRatio"},
    {PROFILE_pa, "PSR.005", "ProbSharpeRatio"},
    {PROFILE_pa, "maxDD", "maxDrawdown"},
    {PROFILE_pa, "Ulcer", "UlcerIndex"},
    {PROFILE_pa, "Pain", "PainIndex"},
    {PROFILE_pa, "Martin", "MartinRatio"},
    {PROFILE_pa, "AP", "ActivePremium"},
    {PROFILE_pa, "upcap", "UpCapture"},
    {PROFILE_pa, "downcap", "DownCapture"},
    {PROFILE_pa, "upnum", "UpNumber"},
    {PROFILE_pa, "corr", "correlation"},
    {PROFILE_pa, "AvgLen", "AverageLength"},
    {PROFILE_pa, "AverageLen", "AverageLength"},
    {PROFILE_pa, "AvgDD", "AverageDrawdown"},
    {PROFILE_pa, "AvgRec", "AverageRecovery"},
    {PROFILE_pa, "DDDeviation", "DrawdownDeviation"},
    {PROFILE_pa, "SharpeAnn", "SharpeRatio.annualized"},
    {PROFILE_pa, "SharpeAnn.rf3", "SharpeRatio.annualized"},
    {PROFILE_pa, "AdjustedSharpe", "AdjustedSharpeRatio"},
    {PROFILE_pa, "DownsideSharpe", "DownsideSharpeRatio"},
    {PROFILE_pa, "Sortino", "SortinoRatio"},
    {PROFILE_pa, "Sortino.MAR", "SortinoRatio"},
    {PROFILE_pa, "SemiDev", "SemiDeviation"},
    {PROFILE_pa, "DD.MAR", "DownsideDeviation"},
    {PROFILE_pa, "DD.full", "DownsideDeviation"},
    {PROFILE_pa, "DD10", "DownsideDeviation"},
    {PROFILE_pa, "Omega.0", "Omega"},
    {PROFILE_pa, "Omega0", "Omega"},
    {PROFILE_pa, "Kappa.l1", "Kappa.1"},
    {PROFILE_pa, "Kappa.l3", "Kappa.3"},
    {PROFILE_pa, "UpsideRisk.var", "UpsideRisk.variance"},
    {PROFILE_pa, "UpsideVariance", "UpsideRisk.variance"},
    {PROFILE_pa, "UpsidePotential", "UpsideRisk.potential"},
    {PROFILE_pa, "SkewKurt", "SkewnessKurtosisRatio"},
    {PROFILE_pa, "MAD", "MeanAbsoluteDeviation"},
    {PROFILE_pa, "Hurst", "HurstIndex"},
    {PROFILE_pa, "kurt.excess", "kurtosis.excess"},
    {PROFILE_pa, "Calmar", "CalmarRatio"},
    {PROFILE_pa, "Burke", "BurkeRatio"},
    {PROFILE_pa, "UlcerIdx", "UlcerIndex"},
    {PROFILE_pa, "MinTRL", "MinTrackRecord.ignore_kurtosis"},
    {PROFILE_pa, "MinTRL.k", "MinTrackRecord"},
    {PROFILE_pa, "PSR0", "ProbSharpeRatio.ignore_kurtosis"},
    {PROFILE_pa, "TE", "TrackingError"},
    {PROFILE_pa, "IR", "InformationRatio"},
    {PROFILE_pa, "M2", "MSquared"},
    {PROFILE_pa, "M2Excess", "MSquaredExcess"},
    {PROFILE_pa, "Treynor", "TreynorRatio"},
    {PROFILE_pa, "Treynor.0", "TreynorRatio"},
    {PROFILE_pa, "Appraisal", "AppraisalRatio"},
    {PROFILE_pa, "Appraisal.mod", "AppraisalRatio.modified"},
    {PROFILE_pa, "Appraisal.alt", "AppraisalRatio.alternative"},
    {PROFILE_pa, "AppraisalRatio.mod", "AppraisalRatio.modified"},
    {PROFILE_pa, "AppraisalRatio.alt", "AppraisalRatio.alternative"},
    {PROFILE_pa, "beta.rf", "CAPM.beta"},
    {PROFILE_pa, "alpha.rf", "CAPM.alpha"},
    {PROFILE_pa, "beta.bull", "CAPM.beta.bull"},
    {PROFILE_pa, "beta.bear", "CAPM.beta.bear"},
    {PROFILE_pa, "bull", "CAPM.beta.bull"},
    {PROFILE_pa, "bear", "CAPM.beta.bear"},
    {PROFILE_pa, "Timing", "TimingRatio"},
    {PROFILE_pa, "jensen.rf", "CAPM.jensenAlpha"},
    {PROFILE_pa, "downnum", "DownNumber"},
    {PROFILE_pa, "uppct", "UpPercent"},
    {PROFILE_pa, "downpct", "DownPercent"},
    {PROFILE_pa, "avgDD", "AverageDrawdown"},
    {PROFILE_pa, "VaR95.historical", "VaR.historical"},
    {PROFILE_pa, "VaR95.modified", "VaR.modified"},
    {PROFILE_pa, "VaR0.95historical", "VaR.historical"},
    {PROFILE_pa, "VaR0.99historical", "VaR.historical"},
    {PROFILE_pa, "VaR0.95modified", "VaR.modified"},
    {PROFILE_pa, "VaR0.99modified", "VaR.modified"},
    {PROFILE_pa, "ES95.historical", "ES.historical"},
    {PROFILE_pa, "ES95.gaussian", "ES.gaussian"},
    {PROFILE_pa, "ES95.modified", "ES.modified"},
    {PROFILE_pa, "ES0.95gaussian", "ES.gaussian"},
    {PROFILE_pa, "ES0.99gaussian", "ES.gaussian"},
};

static const char *public_name(enum profile profile, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(spelled); i++) {
        if (spelled[i].profile == profile && strcmp(spelled[i].name, name) == 0)
            return spelled[i].metric;
    }
    return name;
}

static double periods_of(const struct conformance_case *one, const char *frequency)
{
    if (conformance_has(one, "periods"))
        return conformance_number(one, "periods");
    if (frequency == NULL || strcmp(frequency, "daily") == 0)
        return 252;
    return strcmp(frequency, "weekly") == 0 ? 52 : 12;
}

static double parameter(const struct conformance_case *one, const char *name, double otherwise)
{
    struct json_val val = jr_member(jr_member(one->inputs, "params"), name);
    double x = otherwise;
    if (jr_is_present(val))
        assert_int_equal(jr_read_f64(val, -1e9, 1e9, &x, NULL), STATUS_OK);
    return x;
}

/* risk_free and MAR: a number is per period for empyrical and PerformanceAnalytics, annual for quantstats. */
static void set_rates(struct conformance *c, const struct conformance_case *one,
                      struct record *record)
{
    static const char *const names[] = {"rf", "risk_free"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct json_val val = jr_member(one->inputs, names[i]);
        if (!jr_is_present(val))
            continue;
        struct conformance_series series = conformance_series(c, val, NULL);
        if (series.n > 0) {
            record->risk_free = series.value;
        } else if (record->profile == PROFILE_quantstats) {
            record->risk_free_rate = conformance_number(one, names[i]);
        } else {
            record->risk_free_per_session = conformance_number(one, names[i]);
            record->has_per_session = true;
        }
    }
}

static void set_options(struct conformance *c, const struct conformance_case *one,
                        struct record *record)
{
    struct measure_options *o = &record->options;
    o->mar = parameter(one, "MAR", 0);
    o->has_mar = jr_is_present(jr_member(jr_member(one->inputs, "params"), "MAR"));
    o->confidence = parameter(one, "p", 0);
    o->target_sharpe = parameter(one, "benchmark_sr", 0);
    o->tail = parameter(one, "alpha", 0);
    struct json_val required = jr_member(one->inputs, "required_return");
    if (!jr_is_present(required))
        return;
    struct conformance_series series = conformance_series(c, required, NULL);
    if (series.n > 0) {
        record->mar_series = series.value;
        return;
    }
    o->required_return = conformance_number(one, "required_return");
    if (strcmp(one->metric, "omega_ratio") != 0) {
        o->mar = o->required_return;
        o->has_mar = true;
    }
}

static const double *benchmark_of(struct conformance *c, const struct conformance_case *one,
                                  size_t n)
{
    static const char *const names[] = {"benchmark", "factor_returns"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct json_val val = jr_member(one->inputs, names[i]);
        struct conformance_series series = conformance_series(c, val, NULL);
        if (series.n == n && n > 0)
            return series.value;
        if (jr_type(val) == JR_INT || jr_type(val) == JR_REAL) {
            double *constant = arena_array(&c->arena, n + 1, sizeof *constant);
            for (size_t t = 0; t < n; t++)
                constant[t] = conformance_number(one, names[i]);
            return constant;
        }
    }
    return NULL;
}

/* What the public interface would answer: the value of one metric, or NaN where it has none. */
static double value_of(struct conformance *c, const struct conformance_case *one,
                       enum profile profile, const char *column, const char *metric)
{
    struct conformance_series series =
        conformance_series(c, jr_member(one->inputs, "returns"), column);
    struct record record = {.n = series.n,
                            .date = series.date,
                            .start = DATE_NONE,
                            .value = series.value,
                            .kind = RECORD_RETURNS,
                            .benchmark = benchmark_of(c, one, series.n),
                            .periods_per_year = periods_of(one, series.frequency),
                            .profile = profile,
                            .missing = profile_missing(profile)};
    struct record_ready ready;
    struct measure_value values[MEASURE_ALL_COUNT];
    struct err err = {0};
    enum measure_id id;
    if (profile == PROFILE_ffn) /* its cases start the price index 31 days before the first date */
        record.start = series.date[0] - 31;
    set_rates(c, one, &record);
    set_options(c, one, &record);
    enum status s = record_prepare(&record, &c->arena, &ready, &err);
    if (s == STATUS_NO_DATA)
        return (double)NAN;
    assert_int_equal(s, STATUS_OK);
    assert_int_equal(measure_compute(&ready.input, &c->arena, values, &err), STATUS_OK);
    if (!profile_find(profile, str_of(public_name(profile, metric)), &id))
        fail_msg("%s: there is no metric %s", one->id, metric);
    return values[id].reason == REASON_NONE ? values[id].value : (double)NAN;
}

/* Cases that are answered elsewhere than in the table of metrics. */
static bool is_elsewhere(const char *metric)
{
    static const char *const others[] = {"aggregate_returns", "dsr.trials", "calendar_year"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(metric, others[i]) == 0)
            return true;
    }
    return strchr(metric, ' ') != NULL;
}

static size_t n_failed;

static void compare(struct conformance *c, const struct conformance_case *one, enum profile profile)
{
    if (jr_type(one->expected) == JR_OBJECT) {
        struct str key;
        struct json_val val;
        for (size_t i = 0; jr_member_at(one->expected, i, &key, &val); i++) {
            const char *name = arena_dup(&c->arena, key);
            double got = value_of(c, one, profile, NULL, name);
            conformance_check(one, name, got);
        }
        return;
    }
    static const char *const columns[] = {"one", "two"};
    size_t n = jr_type(one->expected) == JR_ARRAY ? 2 : 1;
    for (size_t i = 0; i < n; i++) {
        double expected = conformance_expected(one, ""), got;
        if (n == 2)
            assert_int_equal(jr_read_f64(jr_item(one->expected, i), -1e9, 1e9, &expected, NULL),
                             STATUS_OK);
        got = value_of(c, one, profile, n == 2 ? columns[i] : NULL, one->metric);
        if (conformance_has(one, "starting_value") && conformance_number(one, "starting_value") > 0)
            got = conformance_number(one, "starting_value") * (1 + got);
        if (!conformance_agrees(one, expected, got)) {
            print_error("%s: %.17g is not %.17g\n", one->id, got, expected);
            n_failed++;
        }
    }
}

static void check_group(const char *group, enum profile profile, size_t least)
{
    struct conformance c;
    struct conformance_case one;
    size_t n = 0;
    if (!conformance_open(&c))
        skip();
    n_failed = 0;
    for (size_t i = 0; conformance_next(&c, group, &i, &one);) {
        if (is_elsewhere(one.metric) || !conformance_has(&one, "returns"))
            continue;
        compare(&c, &one, profile);
        n++;
    }
    assert_true(n >= least);
    assert_int_equal(n_failed, 0);
    conformance_close(&c);
}

static void quantstats_figures(void **state)
{
    (void)state;
    check_group("quantstats", PROFILE_quantstats, 53);
}

static void empyrical_figures(void **state)
{
    (void)state;
    check_group("empyrical", PROFILE_empyrical, 60);
}

static void performanceanalytics_figures(void **state)
{
    (void)state;
    check_group("pa", PROFILE_pa, 90);
}

static void ffn_figures(void **state)
{
    (void)state;
    check_group("ffn", PROFILE_ffn, 5);
}

static void nautilus_figures(void **state)
{
    (void)state;
    check_group("nautilus", PROFILE_nautilus, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantstats_figures),
        cmocka_unit_test(empyrical_figures),
        cmocka_unit_test(performanceanalytics_figures),
        cmocka_unit_test(ffn_figures),
        cmocka_unit_test(nautilus_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
