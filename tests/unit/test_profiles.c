/* test_profiles.c - rows that only a profile has: by hand, and at the lengths at which libraries differ. */
#include "backtest/record.h"
#include "base/date.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static void measure(struct record record, struct measure_value *values)
{
    struct record_ready ready;
    struct err err = {0};
    if (record.date == NULL)
        record.start = DATE_NONE;
    assert_int_equal(record_prepare(&record, &arena, &ready, &err), STATUS_OK);
    assert_int_equal(measure_compute(&ready.input, &arena, values, &err), STATUS_OK);
}

static void check(const struct measure_value *values, enum profile profile, const char *name,
                  double expected)
{
    enum measure_id id;
    if (!profile_find(profile, str_of(name), &id))
        fail_msg("%s has no %s", profile_names[profile], name);
    if (values[id].reason != REASON_NONE ||
        !(fabs(values[id].value - expected) <= 1e-12 * fmax(fabs(expected), 1)))
        fail_msg("%s %s: %.17g (reason %d) is not %.17g", profile_names[profile], name,
                 values[id].value, (int)values[id].reason, expected);
}

enum { N = 6 };
static const double own[N] = {0.02, -0.01, 0.03, -0.02, 0.01, -0.03};
static const double other[N] = {0.01, -0.02, 0.02, 0.01, -0.01, -0.02};

static double mean_of(const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += x[i];
    return sum / N;
}

static double product(const double *x, const double *y)
{
    double sum = 0, mean_x = mean_of(x), mean_y = mean_of(y);
    for (size_t i = 0; i < N; i++)
        sum += (x[i] - mean_x) * (y[i] - mean_y);
    return sum;
}

/* Common/Statistics of LEAN: figures of a year are those that the mean return compounds to. */
static void lean_compounds_the_mean_return(void **state)
{
    struct measure_value values[MEASURE_ALL_COUNT];
    double active[N], rf = 0.02;
    (void)state;
    measure((struct record){.n = N,
                            .value = own,
                            .kind = RECORD_RETURNS,
                            .benchmark = other,
                            .periods_per_year = 252,
                            .risk_free_rate = rf,
                            .profile = PROFILE_lean},
            values);
    for (size_t i = 0; i < N; i++)
        active[i] = own[i] - other[i];
    double year = pow(1 + mean_of(own), 252) - 1, market = pow(1 + mean_of(other), 252) - 1;
    double beta = product(own, other) / product(other, other);
    double error = sqrt(product(active, active) / (N - 1) * 252);
    check(values, PROFILE_lean, "beta", beta);
    check(values, PROFILE_lean, "alpha", year - (rf + beta * (market - rf)));
    check(values, PROFILE_lean, "information_ratio", (year - market) / error);
    check(values, PROFILE_lean, "treynor_ratio", (year - rf) / beta);
    /* of -0.01, -0.02, -0.03: variance 0.0001 */
    check(values, PROFILE_lean, "annual_downside_variance", 0.0001 * 252);
    check(values, PROFILE_lean, "downside_deviation", 0.01 * sqrt(252));
}

/* up_alpha_beta of empyrical: the regression over the sessions on which the benchmark rose, 0, 2 and 3. */
static void empyrical_regresses_on_either_side(void **state)
{
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    measure((struct record){.n = N,
                            .value = own,
                            .kind = RECORD_RETURNS,
                            .benchmark = other,
                            .periods_per_year = 252,
                            .profile = PROFILE_empyrical},
            values);
    double mean = (0.02 + 0.03 - 0.02) / 3, market = 0.04 / 3;
    double beta = ((0.02 - mean) * (0.01 - market) + (0.03 - mean) * (0.02 - market) +
                   (-0.02 - mean) * (0.01 - market)) /
                  (2 * pow(0.01 - market, 2) + pow(0.02 - market, 2));
    check(values, PROFILE_empyrical, "up_beta", beta);
    check(values, PROFILE_empyrical, "up_alpha", pow(1 + mean - beta * market, 252) - 1);
    double a = 1, b = 1;
    for (size_t i = 0; i < N; i++) {
        a *= 1 + own[i];
        b *= 1 + other[i];
    }
    check(values, PROFILE_empyrical, "capture", (pow(a, 252.0 / N) - 1) / (pow(b, 252.0 / N) - 1));
}

/* One session has a side and no spread. */
static void one_session_is_captured_and_not_regressed(void **state)
{
    struct measure_value values[MEASURE_ALL_COUNT];
    static const double one[1] = {0.01};
    (void)state;
    measure((struct record){.n = 1,
                            .value = one,
                            .kind = RECORD_RETURNS,
                            .benchmark = one,
                            .periods_per_year = 252,
                            .profile = PROFILE_empyrical},
            values);
    check(values, PROFILE_empyrical, "up_capture", 1);
    check(values, PROFILE_empyrical, "batting_average", 0);
    assert_int_equal(values[MEASURE_down_capture].reason, REASON_NO_DOWNSIDE);
    assert_int_equal(values[MEASURE_beta].reason, REASON_TOO_SHORT);
    assert_int_equal(values[MEASURE_tracking_error].reason, REASON_TOO_SHORT);
}

/* rar of quantstats takes the annual rate off every session. */
static void quantstats_takes_the_annual_rate_off_every_session(void **state)
{
    struct measure_value values[MEASURE_ALL_COUNT];
    double growth = 1, whole = 1;
    (void)state;
    struct record record = {.n = N,
                            .value = own,
                            .kind = RECORD_RETURNS,
                            .periods_per_year = 252,
                            .profile = PROFILE_quantstats};
    for (size_t i = 0; i < N; i++) {
        growth *= 1 + own[i] - 0.03;
        whole *= 1 + own[i];
    }
    measure(record, values);
    check(values, PROFILE_quantstats, "rar", pow(whole, 252.0 / N) - 1);
    record.risk_free_rate = 0.03;
    measure(record, values);
    /* 0.03 less the rate is 0: five of six, 84 % rounded up. */
    check(values, PROFILE_quantstats, "rar", (pow(growth, 252.0 / N) - 1) / 0.84);
}

/* PerformanceAnalytics leaves kurtosis out unless told otherwise: Phi(SR sqrt(n - 1) / sqrt(1 - g1 SR + SR^2 / 2)). */
static void performanceanalytics_leaves_kurtosis_out(void **state)
{
    struct measure_value values[MEASURE_ALL_COUNT];
    static const double up[N] = {0.02, -0.01, 0.03, 0.02, 0.01, -0.005};
    double m3 = 0, mean = mean_of(up), ratio = mean / sqrt(product(up, up) / (N - 1));
    (void)state;
    measure((struct record){.n = N,
                            .value = up,
                            .kind = RECORD_RETURNS,
                            .periods_per_year = 12,
                            .profile = PROFILE_pa},
            values);
    for (size_t i = 0; i < N; i++)
        m3 += pow(up[i] - mean, 3) / N;
    double spread = 1 - m3 / pow(product(up, up) / N, 1.5) * ratio + ratio * ratio / 2;
    check(values, PROFILE_pa, "ProbSharpeRatio.ignore_kurtosis",
          0.5 * erfc(-ratio * sqrt(N - 1) / sqrt(spread) / sqrt(2)));
    check(values, PROFILE_pa, "MinTrackRecord.ignore_kurtosis",
          1 + spread * pow(1.6448536269514722 / ratio, 2));
}

/* Months of ffn are those with a value in the month before: V_0 in January leaves January out, in December it does not. */
static void ffn_leaves_out_the_month_of_the_first_value(void **state)
{
    struct measure_value values[MEASURE_ALL_COUNT];
    int32_t date[N + 1];
    double price[N + 1] = {100, 102, 101, 103, 104, 102, 107};
    (void)state;
    for (int i = 0; i <= N; i++)
        date[i] = date_from_civil((struct civil){2021, 1 + i, 4});
    struct record record = {.n = N + 1,
                            .date = date,
                            .value = price,
                            .kind = RECORD_PRICES,
                            .periods_per_year = 12,
                            .profile = PROFILE_ffn};
    measure(record, values);
    check(values, PROFILE_ffn, "pos_month_perc", 4.0 / 6);
    check(values, PROFILE_ffn, "avg_down_month", (101.0 / 102 + 102.0 / 104 - 2) / 2);
    date[0] = date_from_civil((struct civil){2021, 2, 1});
    date[1] = date_from_civil((struct civil){2021, 2, 4}); /* 102 / 100, in the month of V_0 */
    measure(record, values);
    check(values, PROFILE_ffn, "pos_month_perc", 3.0 / 5);
    /* From the first session below the peak: 4 March to 4 April, and 4 June to 4 July. */
    check(values, PROFILE_ffn, "avg_drawdown_days", (31 + 30) / 2.0);
}

/* From the first value on or after the same day three years ago, by the days between. */
static void ffn_counts_years_by_the_days_between(void **state)
{
    struct measure_value values[MEASURE_ALL_COUNT];
    enum { MONTHS = 40 };
    int32_t date[MONTHS];
    double price[MONTHS];
    (void)state;
    for (int i = 0; i < MONTHS; i++) {
        date[i] = date_add_months(date_from_civil((struct civil){2018, 1, 5}), i) + (i % 3);
        price[i] = 100 + i + (i % 5);
    }
    measure((struct record){.n = MONTHS,
                            .date = date,
                            .value = price,
                            .kind = RECORD_PRICES,
                            .periods_per_year = 12,
                            .profile = PROFILE_ffn},
            values);
    size_t from = 0;
    while (date[from] < date_add_months(date[MONTHS - 1], -36))
        from++;
    double days = (double)(date[MONTHS - 1] - date[from]);
    check(values, PROFILE_ffn, "three_year",
          pow(price[MONTHS - 1] / price[from], 365.25 / days) - 1);
    assert_int_equal(values[MEASURE_cagr_5y_ffn].reason, REASON_TOO_SHORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lean_compounds_the_mean_return),
        cmocka_unit_test(empyrical_regresses_on_either_side),
        cmocka_unit_test(one_session_is_captured_and_not_regressed),
        cmocka_unit_test(quantstats_takes_the_annual_rate_off_every_session),
        cmocka_unit_test(performanceanalytics_leaves_kurtosis_out),
        cmocka_unit_test(ffn_leaves_out_the_month_of_the_first_value),
        cmocka_unit_test(ffn_counts_years_by_the_days_between),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
