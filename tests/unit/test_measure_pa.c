/*
 * test_measure_pa.c - measures of the profile pa by the names of PerformanceAnalytics, against figures of an independent
 * computation from their formulas (NumPy, SciPy: quadrature for the modified expected shortfall, least squares for market
 * timing) on made-up months.
 */
#include "backtest/record.h"
#include "base/date.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 36 };

static const double own[N] = {0.011,  -0.025, 0.004, 0.036, -0.008, -0.002, -0.003, 0.008,  0.01,
                              -0.001, 0.04,   0.025, 0.023, 0.028,  0.022,  0.007,  -0.015, -0.013,
                              0.013,  -0.005, 0.0,   0.027, 0.01,   0.025,  -0.032, -0.004, 0.02,
                              0.026,  0.029,  0.031, 0.036, -0.007, 0.017,  -0.009, -0.007, 0.004};
static const double other[N] = {
    0.02,   -0.034, 0.038, 0.046,  -0.07, -0.044, 0.013, -0.005, 0.007,  -0.026, 0.043, 0.039,
    0.011,  0.053,  0.027, -0.026, 0.023, -0.03,  0.043, 0.006,  0.001,  -0.019, 0.057, 0.002,
    -0.009, -0.006, 0.029, 0.023,  0.025, 0.025,  0.094, -0.008, -0.012, -0.025, 0.033, 0.053};
static const double cash[N] = {
    0.003,  0.0032, 0.0034, 0.0036, 0.0037, 0.0038, 0.0039, 0.004,  0.004,  0.004,  0.0039, 0.0038,
    0.0037, 0.0035, 0.0033, 0.0031, 0.0029, 0.0027, 0.0026, 0.0024, 0.0022, 0.0021, 0.002,  0.002,
    0.002,  0.002,  0.0021, 0.0022, 0.0024, 0.0025, 0.0027, 0.0029, 0.0031, 0.0033, 0.0035, 0.0037};

/* With a target of 0.4 % a month and a confidence of 90 %. */
static const struct {
    const char *name;
    double value;
} figures[] = {
    {"CAPM.RiskPremium", 0.005883333333333333},
    {"CAPM.CML", 0.0051533983375331265},
    {"CAPM.CML.slope", 0.23776429953642544},
    {"CAPM.SML.slope", 125.08686587908272},
    {"CoVariance", 0.000332224537037037},
    {"CoSkewness", 1.0115187757201761e-07},
    {"CoKurtosis", 1.0006508039534035e-06},
    {"BetaCoVariance", 0.3033169779819163},
    {"BetaCoSkewness", -0.04762521592519506},
    {"BetaCoKurtosis", 0.27808872598149725},
    {"MarketTiming.TM.alpha", 0.0031755458879937568},
    {"MarketTiming.TM.beta", 0.3005318667373531},
    {"MarketTiming.TM.gamma", 0.2624174466356774},
    {"MarketTiming.HM.alpha", 0.0029875740968593367},
    {"MarketTiming.HM.beta", 0.31886009295424245},
    {"MarketTiming.HM.gamma", -0.035143333598515944},
    {"CDaR.alpha", 0.11638425320438324},
    {"CDaR.beta", -0.028278060463647507},
    {"Return.annualized.excess", -0.0202736486272328},
    {"Return.annualized.excess.arithmetic", -0.022976755977945684},
    {"mean.arithmetic", 0.008916666666666666},
    {"mean.stderr", 0.002987905514750988},
    {"sd.annualized", 0.06210244991716741},
    {"SharpeRatio.VaR", 0.3910792966779194},
    {"SharpeRatio.ES", 0.261699682343276},
    {"SharpeRatio.SemiSD", 0.4617980735028926},
    {"SemiSD", 0.012740056035111375},
    {"SemiVariance", 0.018017160030247708},
    {"lpm", 0.0002580714285714286},
    {"Kappa.4", 0.2972519471954277},
    {"centeredmoment.2", 0.00031246527777777783},
    {"centeredmoment.3", -1.0652997685185186e-06},
    {"centeredmoment.4", 2.2419901953125e-07},
    {"CDaR", 0.035872000000000015},
    {"Return.annualized", 0.11035431828571385},
    {"SharpeRatio.annualized", 1.136426111527168},
    {"SortinoRatio", 0.49078133224565423},
    {"Omega", 1.9465240641711226},
    {"UpsidePotentialRatio", 1.132925690406654},
    {"ProspectRatio", 0.42492790489630794},
    {"AdjustedSharpeRatio", 1.1379438891293825},
    {"MartinRatio", 5.425969332107979},
    {"VaR.modified", -0.015043837358075903},
    {"ES.modified", -0.022481239872565315},
    {"VaR.gaussian", -0.013736919756787404},
    {"ES.historical", -0.021249999999999998},
    {"KellyRatio", 9.152868837278215},
    {"ProbSharpeRatio", 0.9679909416953889},
    {"MinTrackRecord", 17.758420378740176},
    {"TreynorRatio.modified", 2.006229711692324},
    {"NetSelectivity", 0.021897688122423143},
    {"AppraisalRatio", 0.8753756799083174},
    {"MSquaredExcess", 0.0361749616711311},
    {"M2Sortino", 0.12722194247923474},
    {"OmegaExcessReturn", 0.10316315224674631},
    {"InformationRatio", -0.23987923934488484},
    {"UpCapture", 0.4279472817382364},
    {"DownCapture", 0.15576680525058023},
    {"TimingRatio", 2.0026256859289377},
};

static void measure(const struct record *record, struct measure_value *ret)
{
    struct record_ready ready;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, (size_t)1 << 24);
    assert_int_equal(record_prepare(record, &arena, &ready, &err), STATUS_OK);
    assert_int_equal(measure_compute(&ready.input, &arena, ret, &err), STATUS_OK);
    arena_clear(&arena);
}

static struct record record_of(const double *value, const double *benchmark, size_t n)
{
    return (struct record){.n = n,
                           .start = DATE_NONE,
                           .value = value,
                           .kind = RECORD_RETURNS,
                           .benchmark = benchmark,
                           .periods_per_year = 12,
                           .profile = PROFILE_pa,
                           .missing = MISSING_SKIP};
}

static const struct measure_value *named(const struct measure_value *all, const char *name)
{
    enum measure_id id;
    if (!profile_find(PROFILE_pa, str_of(name), &id))
        fail_msg("there is no %s", name);
    return &all[id];
}

static void every_name_has_the_figure_of_its_formula(void **state)
{
    struct measure_value all[MEASURE_ALL_COUNT];
    (void)state;
    struct record record = record_of(own, other, N);
    record.risk_free = cash;
    record.options = (struct measure_options){.mar = 0.004, .has_mar = true, .confidence = 0.9};
    measure(&record, all);
    for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
        const struct measure_value *v = named(all, figures[i].name);
        assert_int_equal(v->reason, REASON_NONE);
        if (!(fabs(v->value - figures[i].value) <= 1e-10 * fabs(figures[i].value)))
            fail_msg("%s: %.17g is not %.17g", figures[i].name, v->value, figures[i].value);
    }
}

static void a_benchmark_that_does_not_vary_or_fall_has_no_figure(void **state)
{
    static const char *const names[] = {"BetaCoSkewness", "BetaCoKurtosis", "CAPM.CML",
                                        "MarketTiming.TM.gamma", "MarketTiming.HM.alpha"};
    struct measure_value all[MEASURE_ALL_COUNT];
    double flat[N];
    (void)state;
    for (size_t t = 0; t < N; t++)
        flat[t] = 0.01;
    struct record record = record_of(own, flat, N);
    measure(&record, all);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(named(all, names[i])->reason, REASON_ZERO_VARIANCE);
    assert_int_equal(named(all, "CDaR.beta")->reason, REASON_NO_DRAWDOWN);
    assert_int_equal(named(all, "CDaR.alpha")->reason, REASON_NO_DRAWDOWN);
    record = record_of(own, other, 3);
    measure(&record, all);
    assert_int_equal(named(all, "MarketTiming.TM.beta")->reason, REASON_TOO_SHORT);
    record.benchmark = NULL;
    measure(&record, all);
    assert_int_equal(named(all, "CoSkewness")->reason, REASON_NO_BENCHMARK);
}

/* A benchmark that only rises has no losses for Henriksson and Merton: their third column is 0. */
static void timing_needs_a_fall(void **state)
{
    struct measure_value all[MEASURE_ALL_COUNT];
    double rising[N];
    (void)state;
    for (size_t t = 0; t < N; t++)
        rising[t] = fabs(other[t]) + 0.001;
    struct record record = record_of(own, rising, N);
    measure(&record, all);
    assert_int_equal(named(all, "MarketTiming.TM.gamma")->reason, REASON_NONE);
    assert_int_equal(named(all, "MarketTiming.HM.gamma")->reason, REASON_ZERO_VARIANCE);
}

static void a_portfolio_that_is_its_benchmark_has_betas_of_one(void **state)
{
    static const char *const ones[] = {"BetaCoVariance", "BetaCoSkewness", "BetaCoKurtosis",
                                       "CDaR.beta", "MarketTiming.TM.beta"};
    struct measure_value all[MEASURE_ALL_COUNT];
    (void)state;
    struct record record = record_of(other, other, N);
    measure(&record, all);
    for (size_t i = 0; i < ARRAY_LEN(ones); i++)
        assert_true(fabs(named(all, ones[i])->value - 1) < 1e-12);
    assert_true(fabs(named(all, "CDaR.alpha")->value) < 1e-12);
    assert_true(fabs(named(all, "MarketTiming.TM.gamma")->value) < 1e-10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_has_the_figure_of_its_formula),
        cmocka_unit_test(a_benchmark_that_does_not_vary_or_fall_has_no_figure),
        cmocka_unit_test(timing_needs_a_fall),
        cmocka_unit_test(a_portfolio_that_is_its_benchmark_has_betas_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
