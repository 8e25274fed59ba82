/* test_record_gaps.c - rows of a track record that lack a return, the benchmark's, or a rate. */
#include "backtest/record.h"
#include "base/date.h"
#include "tests/unit/test_numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 12 };
static const double r[ROWS] = {0.02,  -0.01, 0.03,  0.01,  -0.04, 0.02,
                               0.015, 0.03,  -0.02, 0.005, 0.01,  -0.03};
static const double b[ROWS] = {0.01,  -0.02, 0.02, 0.015, -0.03, 0.03,
                               -0.01, 0.02,  0.01, 0.02,  -0.01, -0.02};
static const double rf[ROWS] = {0.001, 0.002, 0.001, 0.003,  0.001, 0.002,
                                0.001, 0.002, 0.003, 0.0015, 0.001, 0.002};

static struct arena arena;

static struct record record_of(const double *value, size_t n, enum profile profile)
{
    return (struct record){.n = n,
                           .start = DATE_NONE,
                           .value = value,
                           .kind = RECORD_RETURNS,
                           .periods_per_year = 252,
                           .profile = profile,
                           .missing = profile_missing(profile)};
}

static struct record_ready measure(const struct record *record, struct measure_value *ret)
{
    struct record_ready ready;
    struct err err = {0};
    assert_int_equal(record_prepare(record, &arena, &ready, &err), STATUS_OK);
    assert_int_equal(measure_compute(&ready.input, &arena, ret, &err), STATUS_OK);
    return ready;
}

static double value_of(const struct measure_value *all, enum measure_id id)
{
    assert_int_equal(all[id].reason, REASON_NONE);
    return all[id].value;
}

/* What needs a rate is that of a record which has these rows alone; what needs none is that of all rows. */
static void a_row_without_a_rate_has_no_excess_return(void **state)
{
    static const enum measure_id excess[] = {
        MEASURE_sharpe,    MEASURE_omega_required,      MEASURE_risk_premium,
        MEASURE_beta,      MEASURE_alpha_compounded,    MEASURE_beta_bull,
        MEASURE_beta_bear, MEASURE_treynor_mazuy_gamma, MEASURE_return_annualised_excess};
    static const enum measure_id plain[] = {MEASURE_total_return, MEASURE_volatility,
                                            MEASURE_max_drawdown, MEASURE_up_capture,
                                            MEASURE_tracking_error};
    double gapped[ROWS], some[3][ROWS];
    struct measure_value all[MEASURE_ALL_COUNT], few[MEASURE_ALL_COUNT], whole[MEASURE_ALL_COUNT];
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        bool is_known = i != 2 && i != 4;
        gapped[i] = is_known ? rf[i] : (double)NAN;
        some[0][n] = r[i];
        some[1][n] = b[i];
        some[2][n] = rf[i];
        n += is_known ? 1 : 0;
    }
    struct record record = record_of(r, ROWS, PROFILE_empyrical);
    record.benchmark = b;
    record.risk_free = rf;
    measure(&record, whole);
    record.risk_free = gapped;
    assert_int_equal(measure(&record, all).n_unrated, 2);
    record = record_of(some[0], n, PROFILE_empyrical);
    record.benchmark = some[1];
    record.risk_free = some[2];
    assert_int_equal(measure(&record, few).n_unrated, 0);
    for (size_t i = 0; i < sizeof excess / sizeof *excess; i++) {
        assert_close(value_of(all, excess[i]), value_of(few, excess[i]), 1e-12);
        assert_true(fabs(value_of(all, excess[i]) - value_of(whole, excess[i])) > 1e-9);
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(!(fabs(value_of(all, plain[i]) - value_of(whole, plain[i])) > 0));
    assert_int_equal(all[MEASURE_sharpe].n, n);
    assert_int_equal(all[MEASURE_volatility].n, ROWS);
}

static void no_rate_at_all_is_no_excess_return(void **state)
{
    double none[ROWS];
    struct measure_value all[MEASURE_ALL_COUNT];
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        none[i] = (double)NAN;
    struct record record = record_of(r, ROWS, PROFILE_pa);
    record.benchmark = b;
    record.risk_free = none;
    assert_int_equal(measure(&record, all).n_unrated, ROWS);
    assert_true(all[MEASURE_sharpe].reason != REASON_NONE &&
                all[MEASURE_beta].reason != REASON_NONE &&
                all[MEASURE_risk_premium].reason != REASON_NONE &&
                all[MEASURE_omega_required].reason != REASON_NONE &&
                all[MEASURE_treynor].reason != REASON_NONE);
    (void)value_of(all, MEASURE_volatility);
}

static void a_missing_rate_is_refused_or_zero_as_asked(void **state)
{
    double gapped[ROWS], filled[ROWS];
    struct measure_value a[MEASURE_ALL_COUNT], c[MEASURE_ALL_COUNT];
    struct record_ready ready;
    struct err err = {0};
    (void)state;
    memcpy(gapped, rf, sizeof gapped);
    memcpy(filled, rf, sizeof filled);
    gapped[4] = (double)NAN;
    filled[4] = 0;
    struct record record = record_of(r, ROWS, PROFILE_native);
    record.risk_free = gapped;
    assert_int_equal(record_prepare(&record, &arena, &ready, &err), STATUS_BAD_SPEC);
    assert_non_null(strstr(err.detail, "Row 5"));
    record.missing = MISSING_ZERO;
    measure(&record, a);
    record.risk_free = filled;
    measure(&record, c);
    assert_true(!(fabs(value_of(a, MEASURE_sharpe) - value_of(c, MEASURE_sharpe)) > 0));
    record.risk_free = NULL;
    record.mar_series = gapped;
    record.missing = MISSING_REFUSE;
    assert_int_equal(record_prepare(&record, &arena, &ready, &err), STATUS_BAD_SPEC);
}

/* empyrical: rows where only the benchmark has a return count on their side, and what it did there compounds. */
static void captures_count_rows_of_the_benchmark_alone(void **state)
{
    double own[ROWS], rise = 1, other_rise = 1, n_rise = 0, n_fall = 0, n_wins = 0, n_win_rows = 0;
    struct measure_value all[MEASURE_ALL_COUNT];
    (void)state;
    memcpy(own, r, sizeof own);
    own[0] = own[4] = own[8] = (double)NAN;
    for (size_t i = 0; i < ROWS; i++) {
        bool is_rise = b[i] > 0;
        n_rise += is_rise;
        n_fall += b[i] < 0;
        rise *= is_rise && !isnan(own[i]) ? 1 + own[i] : 1;
        other_rise *= is_rise ? 1 + b[i] : 1;
        n_wins += is_rise && own[i] > b[i];
        n_win_rows += b[i] < 0 && own[i] > b[i];
    }
    struct record record = record_of(own, ROWS, PROFILE_empyrical);
    record.benchmark = b;
    measure(&record, all);
    assert_close(value_of(all, profile_row(PROFILE_empyrical, MEASURE_up_capture)),
                 (pow(rise, 252 / n_rise) - 1) / (pow(other_rise, 252 / n_rise) - 1), 1e-12);
    assert_close(value_of(all, MEASURE_batting_average_up_zero), n_wins / n_rise, 1e-15);
    assert_close(value_of(all, MEASURE_batting_average_down_rows), n_win_rows / n_fall, 1e-15);
    assert_true(fabs(value_of(all, MEASURE_up_capture) - value_of(all, MEASURE_up_capture_rows)) >
                1e-6);
    record.value = r; /* without a gap the two are one */
    measure(&record, all);
    assert_close(value_of(all, MEASURE_up_capture), value_of(all, MEASURE_up_capture_rows), 1e-12);
    assert_close(value_of(all, MEASURE_capture_ratio), value_of(all, MEASURE_capture_ratio_rows),
                 1e-12);
}

/* The t of scipy.stats.t.ppf(0.975, 11) is 2.200985160082949; that of 0.95 and one degree, tan(pi 0.45). */
static void bounds_of_the_mean_are_those_of_student(void **state)
{
    struct measure_value all[MEASURE_ALL_COUNT];
    (void)state;
    struct record record = record_of(r, ROWS, PROFILE_pa);
    measure(&record, all);
    double reach = 2.200985160082949 * value_of(all, MEASURE_mean_standard_error);
    double mean = value_of(all, MEASURE_mean_return);
    assert_close(value_of(all, MEASURE_mean_lower_bound), mean - reach, 1e-9);
    assert_close(value_of(all, MEASURE_mean_upper_bound), mean + reach, 1e-9);
    record.n = 2;
    record.options.confidence = 0.9;
    measure(&record, all);
    reach = 6.313751514675043 * value_of(all, MEASURE_mean_standard_error);
    assert_close(value_of(all, MEASURE_mean_upper_bound),
                 value_of(all, MEASURE_mean_return) + reach, 1e-9);
    record.n = 1;
    measure(&record, all);
    assert_int_equal(all[MEASURE_mean_lower_bound].reason, REASON_TOO_SHORT);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 16 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_without_a_rate_has_no_excess_return),
        cmocka_unit_test(no_rate_at_all_is_no_excess_return),
        cmocka_unit_test(a_missing_rate_is_refused_or_zero_as_asked),
        cmocka_unit_test(captures_count_rows_of_the_benchmark_alone),
        cmocka_unit_test(bounds_of_the_mean_are_those_of_student),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
