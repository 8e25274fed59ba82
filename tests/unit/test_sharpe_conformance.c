/*
 * test_sharpe_conformance.c - conformance cases of what a Sharpe ratio is worth: probabilistic and deflated, its error and
 * its track record, and the best of many trials.
 */
#include "backtest/overfit.h"
#include "backtest/stats.h"
#include "tests/support/conformance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct conformance cases;

static double number(const struct conformance_case *one, const char *input)
{
    return conformance_number(one, input);
}

/* Cases give Pearson's kurtosis, or excess_kurtosis; neither: that of a normal distribution. */
static double excess_of(const struct conformance_case *one)
{
    return conformance_number_or(one, "excess_kurtosis",
                                 conformance_number_or(one, "kurtosis", 3) - 3);
}

static double skew_of(const struct conformance_case *one)
{
    return conformance_number_or(one, "skew", 0);
}

static void probability_of_a_ratio_above_another(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "psr", &i, &one);)
        conformance_check(&one, "",
                          stats_psr(number(&one, "sr"), conformance_number_or(&one, "benchmark", 0),
                                    (size_t)number(&one, "n"), skew_of(&one), excess_of(&one)));
    conformance_close(&cases);
}

/* Observations a year; the case says in words which they are. */
static double periods_of(const struct conformance_case *one)
{
    static const struct {
        const char *word;
        double periods;
    } words[] = {{"daily", 252}, {"weekly", 52}, {"monthly", 12}, {"quarterly", 4}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strstr(one->locator, words[i].word) != NULL)
            return words[i].periods;
    }
    return conformance_number_or(one, "periods", 1);
}

static void shortest_track_record(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "mintrl", &i, &one);) {
        double n = stats_min_track_record(
            number(&one, "sr"), conformance_number_or(&one, "benchmark", 0), skew_of(&one),
            excess_of(&one), conformance_number_or(&one, "confidence", 0.95));
        const struct conformance_figure figures[] = {{"observations", n},
                                                     {"years", n / periods_of(&one)}};
        if (jr_type(one.expected) != JR_OBJECT)
            conformance_check(&one, "", n);
        (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
    }
    conformance_close(&cases);
}

static void errors_and_annual_factors_of_lo(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "lo2002", &i, &one);) {
        double factor = stats_lo_factor(number(&one, "q"), number(&one, "rho"));
        bool is_ratio = conformance_has(&one, "sr"); /* it is annualised */
        if (conformance_has(&one, "rho") && !isnan(factor))
            conformance_check(&one, "", is_ratio ? factor * number(&one, "sr") : factor);
        else if (conformance_has(&one, "T"))
            conformance_check(&one, "",
                              stats_sharpe_se_iid(number(&one, "sr"), (size_t)number(&one, "T")));
    }
    conformance_close(&cases);
}

static void deflated_ratio_of_many_trials(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "dsr", &i, &one);) {
        double expected =
            overfit_expected_max(number(&one, "var_of_trial_sr"), number(&one, "n_trials"));
        const struct conformance_figure figures[] = {
            {"expected_max_sr", expected},
            {"dsr", stats_psr(number(&one, "sr"), expected, (size_t)number(&one, "n_obs"),
                              skew_of(&one), excess_of(&one))}};
        (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
    }
    conformance_close(&cases);
}

/* ffn's calc_deflated_sharpe_ratio with trial ratios given by the year. */
static void deflated_ratio_of_ffn(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "ffn", &i, &one);) {
        struct conformance_series trial =
            conformance_series(&cases, jr_member(one.inputs, "trial_sharpes_annualised"), NULL);
        struct conformance_series r =
            conformance_series(&cases, jr_member(one.inputs, "returns"), NULL);
        if (trial.n == 0 || r.n == 0 || strncmp(one.metric, "dsr", 3) != 0)
            continue;
        struct stats_moments m = stats_moments(r.value, r.n),
                             t = stats_moments(trial.value, trial.n);
        double variance = t.sd * t.sd / number(&one, "periods");
        double expected = overfit_expected_max(variance, (double)trial.n);
        conformance_check(&one, "", stats_psr(m.mean / m.sd, expected, r.n, m.skew, m.excess));
    }
    conformance_close(&cases);
}

enum { SPLITS_MAX = 12870 }; /* halves of OVERFIT_BLOCKS_MAX blocks */

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The matrix is given by rows; the logits may stand in any order. Those by rank / N are another's. */
static void check_splits(const struct conformance_case *one, struct json_val matrix)
{
    struct overfit_study study;
    struct overfit_splits splits;
    size_t n_rows = jr_length(matrix), n_columns = jr_length(jr_item(matrix, 0));
    double *r = arena_array(&cases.arena, n_rows, sizeof *r);
    assert_non_null(r);
    assert_int_equal(
        overfit_study_init(&study, n_rows, (size_t)number(one, "S"), n_columns, &cases.arena, NULL),
        STATUS_OK);
    for (size_t k = 0; k < n_columns; k++) {
        for (size_t t = 0; t < n_rows; t++)
            r[t] = conformance_item(jr_item(matrix, t), k);
        overfit_study_add(&study, r);
    }
    static double logit[SPLITS_MAX];
    assert_int_equal(overfit_splits(&study, &cases.arena, NULL, logit, &splits, NULL), STATUS_OK);
    const struct conformance_figure figures[] = {{"pbo", splits.pbo},
                                                 {"ols_slope_oos_on_is", splits.slope},
                                                 {"ols_intercept", splits.intercept}};
    if (jr_type(one->expected) != JR_OBJECT)
        conformance_check(one, "", splits.pbo);
    (void)conformance_check_figures(one, figures, ARRAY_LEN(figures));
    struct conformance_series logits =
        conformance_series(&cases, jr_member(one->expected, "logits_rank_over_N_plus_1"), NULL);
    if (logits.n == 0)
        return;
    double *expected = arena_array(&cases.arena, logits.n, sizeof *expected);
    assert_non_null(expected);
    memcpy(expected, logits.value, logits.n * sizeof *expected);
    qsort(expected, logits.n, sizeof *expected, rising);
    qsort(logit, splits.n, sizeof *logit, rising);
    conformance_compare(one, "splits", (double)logits.n, (double)splits.n);
    for (size_t i = 0; i < logits.n && i < splits.n; i++)
        conformance_compare(one, "logit", expected[i], logit[i]);
}

static void probability_of_overfitting(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "pbo", &i, &one);) {
        struct json_val matrix = jr_member(one.inputs, "M");
        if (jr_length(matrix) > 0)
            check_splits(&one, matrix);
    }
    conformance_close(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probability_of_a_ratio_above_another),
        cmocka_unit_test(shortest_track_record),
        cmocka_unit_test(errors_and_annual_factors_of_lo),
        cmocka_unit_test(deflated_ratio_of_many_trials),
        cmocka_unit_test(deflated_ratio_of_ffn),
        cmocka_unit_test(probability_of_overfitting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
