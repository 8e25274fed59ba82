/*
 * test_derived_conformance.c - conformance cases of one figure in several conventions, by rows of metrics: growth, tails,
 * moments, drawdowns, bets, and those of LEAN. Cases of ratios of Sharpe: test_sharpe_conformance.c.
 */
#include "backtest/elementary.h"
#include "backtest/monkey.h"
#include "backtest/record.h"
#include "backtest/stats.h"
#include "base/date.h"
#include "tests/support/conformance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct conformance cases;

static void measure(const struct record *record, struct measure_value *ret)
{
    struct record_ready ready;
    struct err err = {0};
    assert_int_equal(record_prepare(record, &cases.arena, &ready, &err), STATUS_OK);
    assert_int_equal(measure_compute(&ready.input, &cases.arena, ret, &err), STATUS_OK);
}

static struct record record_of(const double *value, size_t n, enum record_kind kind)
{
    return (struct record){.n = n,
                           .start = DATE_NONE,
                           .value = value,
                           .kind = kind,
                           .periods_per_year = 252,
                           .missing = MISSING_REFUSE};
}

static double value_of(const struct measure_value *all, enum measure_id id)
{
    return all[id].reason == REASON_NONE ? all[id].value : (double)NAN;
}

/* A path from v0 to v1 with one row a session; the member count_252 says how many sessions are a year. */
static void cagr_depends_on_how_years_are_counted(void **state)
{
    static const char COUNT[] = "count_";
    struct measure_value all[MEASURE_ALL_COUNT];
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "cagr", &i, &one);) {
        int32_t start, end;
        size_t rows = (size_t)conformance_number_or(&one, "trading_rows", 1);
        double from = conformance_number(&one, "v0"), to = conformance_number(&one, "v1");
        double *value = arena_array(&cases.arena, rows + 1, sizeof *value);
        int32_t *date = arena_array(&cases.arena, rows + 1, sizeof *date);
        const char *count = conformance_member(&cases, &one, COUNT);
        assert_true(value != NULL && date != NULL && rows > 0);
        assert_int_equal(jr_read_date(jr_member(one.inputs, "start"), &start, NULL), STATUS_OK);
        assert_int_equal(jr_read_date(jr_member(one.inputs, "end"), &end, NULL), STATUS_OK);
        for (size_t t = 0; t <= rows; t++) {
            double share = (double)t / (double)rows;
            date[t] = start + (int32_t)(share * (end - start));
            value[t] = from + (to - from) * share;
        }
        struct record record = record_of(value, rows + 1, RECORD_PRICES);
        record.date = date;
        if (count != NULL)
            record.periods_per_year = strtod(count + sizeof COUNT - 1, NULL);
        measure(&record, all);
        const struct conformance_figure figures[] = {
            {"act_365", value_of(all, MEASURE_cagr_365)},
            {"act_365_25", value_of(all, MEASURE_cagr_365_25)},
            {"act_act_or_anniversary", value_of(all, MEASURE_cagr)},
            {count != NULL ? count : COUNT, value_of(all, MEASURE_cagr_periods)}};
        (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
    }
    conformance_close(&cases);
}

enum { BETS_MAX = 1000 };

/* The fewest bets of which a share p are whole ones; an even number. */
static size_t bets_of(double p)
{
    size_t n = 2;
    while (n < BETS_MAX && fabs(p * (double)n - round(p * (double)n)) > 1e-9)
        n += 2;
    return n;
}

static void kelly_fraction_has_three_forms(void **state)
{
    struct measure_value all[MEASURE_ALL_COUNT];
    struct conformance_case one;
    double bet[BETS_MAX];
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "kelly", &i, &one);) {
        if (conformance_has(&one, "p")) { /* losses of 1 %, and gains of the payoff */
            double p = conformance_number(&one, "p"), payoff = conformance_number(&one, "payoff");
            size_t n = bets_of(p);
            for (size_t t = 0; t < n; t++)
                bet[t] = (double)t < round(p * (double)n) ? 0.01 * payoff : -0.01;
            struct record record = record_of(bet, n, RECORD_RETURNS);
            measure(&record, all);
            conformance_check(&one, "discrete", value_of(all, MEASURE_kelly));
        }
        if (conformance_has(&one,
                            "mean")) { /* to both sides of the mean, so that the variance is met */
            size_t n = 20;
            double mean = conformance_number(&one, "mean");
            double side = sqrt(conformance_number(&one, "var") * (double)(n - 1) / (double)n);
            for (size_t t = 0; t < n; t++)
                bet[t] = mean + (t % 2 == 0 ? side : -side);
            struct record record = record_of(bet, n, RECORD_RETURNS);
            measure(&record, all);
            const struct conformance_figure figures[] = {
                {"continuous", value_of(all, MEASURE_kelly_continuous)},
                {"half", value_of(all, MEASURE_kelly_half)}};
            (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
        }
    }
    conformance_close(&cases);
}

static void place_among_monkeys_counts_ties_half(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "monkey", &i, &one);) {
        struct conformance_series m =
            conformance_series(&cases, jr_member(one.inputs, "monkeys"), NULL);
        struct monkey_rank rank = monkey_rank(conformance_number(&one, "stat"), m.value, m.n);
        const struct conformance_figure figures[] = {
            {"ge", round(rank.p_value * (double)(m.n + 1)) - 1},
            {"p_value", rank.p_value},
            {"percentile_mid", rank.percentile}};
        (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
    }
    conformance_close(&cases);
}

/* One row of a table of drawdowns; rows of a drawdown that is open have no recovery. */
static void check_drawdown(const struct conformance_case *one, struct json_val row,
                           const struct drawdown *found)
{
    static const char *const members[] = {"peak", "trough", "recovery", "depth"};
    bool is_open = found->recovery == DRAWDOWN_OPEN;
    double figures[] = {(double)found->peak, (double)found->trough,
                        is_open ? (double)NAN : (double)found->recovery, found->depth};
    for (size_t k = 0; k < ARRAY_LEN(members); k++) {
        double expected = (double)NAN;
        struct json_val val = jr_member(row, members[k]);
        if (jr_is_present(val))
            assert_int_equal(jr_read_f64(val, -1e9, 1e9, &expected, NULL), STATUS_OK);
        conformance_compare(one, members[k], expected, figures[k]);
    }
}

/* All rows of the case count, the first without a decline: it stands once more before them. */
static void drawdowns_of_a_path_are_listed_deepest_first(void **state)
{
    struct measure_value all[MEASURE_ALL_COUNT];
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "dd", &i, &one);) {
        struct conformance_series line =
            conformance_series(&cases, jr_member(one.inputs, "equity"), NULL);
        double *value = arena_array(&cases.arena, line.n + 1, sizeof *value);
        struct drawdown *found = arena_array(&cases.arena, line.n, sizeof *found);
        struct json_val table = jr_member(one.expected, "table");
        if (line.n == 0)
            continue;
        assert_true(value != NULL && found != NULL);
        value[0] = line.value[0];
        memcpy(value + 1, line.value, line.n * sizeof *value);
        struct record record = record_of(value, line.n + 1, RECORD_PRICES);
        measure(&record, all);
        const struct conformance_figure figures[] = {
            {"max_drawdown", value_of(all, MEASURE_max_drawdown)},
            {"ulcer", value_of(all, MEASURE_ulcer_index)},
            {"pain", value_of(all, MEASURE_pain_index)}};
        (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
        size_t n = drawdown_list(&kernels_ref, line.value, line.n, found);
        drawdown_sort(found, n);
        if (jr_is_present(table))
            conformance_compare(&one, "drawdowns", (double)jr_length(table), (double)n);
        for (size_t k = 0; k < n && k < jr_length(table); k++)
            check_drawdown(&one, jr_item(table, k), &found[k]);
    }
    conformance_close(&cases);
}

static void quantiles_are_of_type_seven(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "quantile", &i, &one);) {
        struct conformance_series series =
            conformance_series(&cases, jr_member(one.inputs, "x"), NULL);
        double *x = arena_array(&cases.arena, series.n + 1, sizeof *x);
        size_t n = 0;
        assert_non_null(x);
        for (size_t t = 0; t < series.n; t++) {
            if (!isnan(series.value[t]))
                x[n++] = series.value[t];
        }
        double found = n > 0 ? stats_quantile(x, n, conformance_number(&one, "p")) : (double)NAN;
        const struct conformance_figure figures[] = {{"type7_linear_numpy", found}};
        if (jr_type(one.expected) != JR_OBJECT)
            conformance_check(&one, "", found);
        (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
    }
    conformance_close(&cases);
}

/* Figures of a series of returns by group and member; where there is no member, by the beginning of the metric. */
static const struct {
    const char *group, *member, *metric;
    enum measure_id row;
} rows[] = {
    {"var", "hist_type7", NULL, MEASURE_var_at},
    {"var", "empyrical_cvar", NULL, MEASURE_cvar_first},
    {"var", "normal_ddof1", NULL, MEASURE_var_normal_at},
    {"var", "normal_ddof0", NULL, MEASURE_var_normal_population_at},
    {"var", "normal_es_ddof1", NULL, MEASURE_cvar_normal_at},
    {"var", "normal_es_ddof0", NULL, MEASURE_cvar_normal_population_at},
    {"var", "cornish_fisher_var", NULL, MEASURE_var_cornish_fisher_at},
    {"var", "cornish_fisher_es", NULL, MEASURE_cvar_cornish_fisher_at},
    {"moments", "g1_population", NULL, MEASURE_skewness_population},
    {"moments", "G1_adjusted", NULL, MEASURE_skewness},
    {"moments", "g2_population_excess", NULL, MEASURE_kurtosis_excess_population},
    {"moments", "G2_adjusted_excess", NULL, MEASURE_kurtosis_excess},
    {"kratio", "k1996", NULL, MEASURE_k_ratio_1996},
    {"kratio", "k2003", NULL, MEASURE_k_ratio_2003},
    {"kratio", "k2013", NULL, MEASURE_k_ratio_2013},
    {"lean", "correct_with_pearson", NULL, MEASURE_psr},
    {"lean", "lean", NULL, MEASURE_psr_excess},
    {"lean", "annual_variance", NULL, MEASURE_annual_variance},
    {"lean", "annual_sd", NULL, MEASURE_volatility},
    {"lean", "annual_downside_variance", NULL, MEASURE_downside_variance_lean},
    {"lean", "tracking_error", NULL, MEASURE_tracking_error},
    {"lean", "information_ratio", NULL, MEASURE_information_ratio_lean},
    {"lean", "alpha", NULL, MEASURE_alpha_lean},
    {"lean", "beta", NULL, MEASURE_beta_no_rf},
    {"lean", "treynor_ratio", NULL, MEASURE_treynor_lean},
    {"lean", "sharpe_ratio", NULL, MEASURE_sharpe_lean},
    {"lean", "sortino_ratio", NULL, MEASURE_sortino_lean},
    {"ref", "", "probabilistic Sharpe ratio", MEASURE_psr},
    {"derived", "", "normal 95% VaR, sd with n-1", MEASURE_var_95_normal},
    {"derived", "", "normal 99% VaR, sd with n-1", MEASURE_var_normal_at},
};

static void check_rows(const struct conformance_case *one, const struct measure_value *all)
{
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        if (strcmp(rows[k].group, one->group) != 0)
            continue;
        bool is_asked = rows[k].metric != NULL
                            ? strncmp(rows[k].metric, one->metric, strlen(rows[k].metric)) == 0
                            : jr_is_present(jr_member(one->expected, rows[k].member));
        if (is_asked)
            conformance_check(one, rows[k].member, value_of(all, rows[k].row));
    }
    enum measure_id id;
    if (jr_type(one->expected) != JR_OBJECT && strcmp(one->group, "lean") == 0 &&
        profile_find(PROFILE_lean, str_of(one->metric), &id))
        conformance_check(one, "", value_of(all, id));
}

/* The share of returns above a tail, under the names that cases have for it; 0: not said. */
static double confidence_of(const struct conformance_case *one)
{
    static const char *const names[] = {"p", "confidence", "alpha", "cutoff"};
    double share = strstr(one->metric, " 99%") != NULL ? 0.99 : 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        share = conformance_number_or(one, names[i], share);
    return share > 0 && share < 0.5 ? 1 - share : share;
}

/* slope and se of the logarithm of the value on 1..n. */
static void check_trend(const struct conformance_case *one, const struct conformance_series *r)
{
    double *line = arena_array(&cases.arena, r->n, sizeof *line), log_value = 0;
    struct stats_trend trend = {0};
    assert_non_null(line);
    for (size_t t = 0; t < r->n; t++)
        line[t] = log_value += elementary_log(1 + r->value[t]);
    (void)stats_trend(&kernels_ref, line, r->n, &trend);
    const struct conformance_figure figures[] = {{"slope", trend.slope}, {"se", trend.slope_error}};
    (void)conformance_check_figures(one, figures, ARRAY_LEN(figures));
}

static void conventions_stand_side_by_side(void **state)
{
    static const char *const groups[] = {"var", "moments", "kratio", "ref", "derived", "lean"};
    struct measure_value all[MEASURE_ALL_COUNT];
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        for (size_t i = 0; conformance_next(&cases, groups[g], &i, &one);) {
            struct conformance_series r =
                conformance_series(&cases, jr_member(one.inputs, "returns"), NULL);
            struct conformance_series b =
                conformance_series(&cases, jr_member(one.inputs, "benchmark"), NULL);
            bool is_monthly = r.frequency != NULL && strcmp(r.frequency, "monthly") == 0;
            if (r.n == 0)
                continue;
            struct record record = record_of(r.value, r.n, RECORD_RETURNS);
            record.benchmark = b.n == r.n ? b.value : NULL;
            record.periods_per_year = conformance_number_or(
                &one, "trading_days",
                conformance_number_or(&one, "periods", is_monthly ? 12 : 252));
            record.risk_free_rate = conformance_number_or(&one, "risk_free", 0);
            record.options.target_sharpe = conformance_number_or(&one, "benchmark_sr", 0);
            record.options.confidence = confidence_of(&one);
            measure(&record, all);
            check_rows(&one, all);
            check_trend(&one, &r);
        }
    }
    conformance_close(&cases);
}

static void recovery_times_of_lean(void **state)
{
    struct measure_value all[MEASURE_ALL_COUNT];
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "lean", &i, &one);) {
        struct conformance_series equity =
            conformance_series(&cases, jr_member(one.inputs, "equity_daily"), NULL);
        int32_t *date = arena_array(&cases.arena, equity.n + 1, sizeof *date);
        assert_non_null(date);
        for (size_t t = 0; t < equity.n; t++)
            date[t] = (int32_t)t;
        if (!conformance_has(&one, "equity_daily"))
            continue;
        struct record record = record_of(equity.value, equity.n, RECORD_PRICES);
        record.date = date;
        if (equity.n >= 2)
            measure(&record, all);
        conformance_check(&one, "", equity.n < 2 ? 0 : value_of(all, MEASURE_recovery_days_lean));
    }
    conformance_close(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cagr_depends_on_how_years_are_counted),
        cmocka_unit_test(kelly_fraction_has_three_forms),
        cmocka_unit_test(place_among_monkeys_counts_ties_half),
        cmocka_unit_test(drawdowns_of_a_path_are_listed_deepest_first),
        cmocka_unit_test(quantiles_are_of_type_seven),
        cmocka_unit_test(conventions_stand_side_by_side),
        cmocka_unit_test(recovery_times_of_lean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
