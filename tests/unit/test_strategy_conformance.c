/* test_strategy_conformance.c - weights and risk contributions of the conformance cases. */
#include "tests/support/conformance.h"
#include "tests/unit/test_backtest_play.h"

#include "backtest/covariance.h"
#include "backtest/risk_parity.h"
#include "backtest/stats.h"

static struct conformance cases;

/* Assets, by name when they come from a data set of prices, and how they vary together. */
struct assets {
    size_t n;
    const char *name[PLAY_ASSETS_MAX];
    double covariance[PLAY_ASSETS_MAX * PLAY_ASSETS_MAX];
};

/* Covariance of the returns of a case's columns of prices: all lists of the data set but its dates. */
static void estimate(const struct conformance_case *one, struct json_val prices,
                     enum covariance_estimator estimator, struct assets *ret)
{
    const char *set = conformance_text(&cases, one, "prices");
    struct json_val columns, list;
    double mean[PLAY_ASSETS_MAX], *r = NULL;
    size_t n_returns = 0;
    struct str name;
    if (set == NULL)
        assert_int_equal(jr_read_str(jr_member(prices, "dataset"), 1, 64, &name, NULL), STATUS_OK);
    columns = jr_member(cases.datasets, set != NULL ? set : arena_dup(&cases.arena, name));
    for (size_t k = 0; jr_member_at(columns, k, &name, &list); k++) {
        if (jr_type(list) != JR_ARRAY || str_eq_c(name, "dates"))
            continue;
        struct conformance_series s = conformance_series(&cases, list, NULL);
        size_t n = conformance_rows(&cases, one, s.n);
        if (r == NULL)
            r = arena_array(&cases.arena, n * PLAY_ASSETS_MAX, sizeof *r);
        assert_true(r != NULL && n > 2 && ret->n < PLAY_ASSETS_MAX);
        n_returns = n - 1;
        stats_returns(s.value, n, r + ret->n * n_returns);
        ret->name[ret->n++] = arena_dup(&cases.arena, name);
    }
    covariance_estimate((struct covariance_choice){estimator, 0.94}, &kernels_ref, r, ret->n,
                        n_returns, mean, ret->covariance);
}

/* False when the case has neither prices nor a covariance. */
static bool read_assets(const struct conformance_case *one, struct assets *ret)
{
    struct json_val rows = jr_member(one->inputs, "cov"), prices = jr_member(one->inputs, "prices");
    ret->n = 0;
    if (jr_is_present(prices))
        estimate(one, prices,
                 strstr(one->metric, "Ledoit-Wolf") != NULL ? COVARIANCE_LEDOIT_WOLF
                                                            : COVARIANCE_SAMPLE,
                 ret);
    else if (jr_length(rows) <= PLAY_ASSETS_MAX)
        ret->n = jr_length(rows);
    for (size_t k = 0; k < ret->n * ret->n && jr_length(rows) > 0; k++)
        ret->covariance[k] = conformance_item(jr_item(rows, k / ret->n), k % ret->n);
    return ret->n > 0;
}

/* Expected: a list, a list in the member "weights", or a number for each name. */
static void check_weights(const struct conformance_case *one, const struct assets *assets,
                          const double *weight)
{
    if (jr_type(one->expected) == JR_ARRAY) {
        conformance_check_list(one, "", weight, assets->n);
    } else if (jr_is_present(jr_member(one->expected, "weights"))) {
        conformance_check_list(one, "weights", weight, assets->n);
    } else {
        for (size_t i = 0; i < assets->n; i++)
            conformance_check(one, assets->name[i], weight[i]);
    }
}

static void check_equal_risk(const struct conformance_case *one, const struct assets *assets)
{
    double weight[PLAY_ASSETS_MAX], share[PLAY_ASSETS_MAX];
    assert_true(risk_parity(&kernels_ref, assets->covariance, assets->n, weight));
    check_weights(one, assets, weight);
    (void)covariance_risk_shares(assets->covariance, assets->n, weight, share);
    if (jr_is_present(jr_member(one->expected, "risk_contribution_each")))
        conformance_check_list(one, "risk_contribution_each", share, assets->n);
}

/* How the final weights of a portfolio that holds these are spread. */
static void check_spread(const struct conformance_case *one, const double *weight, size_t n)
{
    static const double flat[] = {1, 1};
    char body[2048] = "{\"assets\":[";
    struct world w;
    world_init(&w);
    for (size_t a = 0; a < n; a++) {
        world_add_days(&w, play_uids[a], 18000, flat, 2);
        play_say_asset(body, sizeof body, a, weight[a]);
    }
    play_say(body, sizeof body, "],\"fill\":\"same_close\",\"monkeys\":{\"count\":0}}");
    const struct measure_value *all = world_run(&w, body)->measures;
    const struct conformance_figure figures[] = {{"hhi", all[MEASURE_concentration].value},
                                                 {"effective_n", all[MEASURE_effective_n].value}};
    (void)conformance_check_figures(one, figures, ARRAY_LEN(figures));
    world_clear(&w);
}

static void check_parts(const struct conformance_case *one, const struct assets *assets)
{
    double share[PLAY_ASSETS_MAX], spread = 0;
    struct conformance_series w = conformance_series(&cases, jr_member(one->inputs, "w"), NULL);
    assert_int_equal(w.n, assets->n);
    double vol = covariance_risk_shares(assets->covariance, w.n, w.value, share);
    for (size_t i = 0; i < w.n; i++)
        spread += w.value[i] * sqrt(assets->covariance[i * w.n + i]);
    conformance_check_list(one, "pct", share, w.n);
    const struct conformance_figure figures[] = {{"vol", vol},
                                                 {"diversification_ratio", spread / vol}};
    (void)conformance_check_figures(one, figures, ARRAY_LEN(figures));
    check_spread(one, w.value, w.n);
}

static void weights_and_risks_agree(void **state)
{
    static const char *const groups[] = {"ffn", "derived"};
    static struct assets assets;
    double weight[PLAY_ASSETS_MAX];
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        for (size_t i = 0; conformance_next(&cases, groups[g], &i, &one);) {
            bool has_weights = strstr(one.metric, "weights") != NULL;
            bool has_parts = conformance_has(&one, "w");
            if ((!has_weights && !has_parts) || !read_assets(&one, &assets))
                continue;
            if (has_parts) {
                check_parts(&one, &assets);
            } else if (strncmp(one.metric, "inverse-volatility", 18) == 0) {
                risk_inverse_volatility(assets.covariance, assets.n, weight);
                check_weights(&one, &assets, weight);
            } else if (strncmp(one.metric, "equal-risk", 10) == 0) {
                check_equal_risk(&one, &assets);
            }
        }
    }
    conformance_close(&cases);
}

/* The first rows of one column of prices, by their dates. */
static void growth_of_the_first_rows_is_annualised_as_ffn_does(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "ffn", &i, &one);) {
        const char *column = conformance_text(&cases, &one, "column");
        struct measure_value all[MEASURE_ALL_COUNT];
        struct err err = {0};
        if (column == NULL || strncmp(one.metric, "CAGR", 4) != 0)
            continue;
        struct conformance_series s =
            conformance_series(&cases, jr_member(one.inputs, "prices"), column);
        struct measure_input in = {.path = {s.date, s.value, conformance_rows(&cases, &one, s.n)},
                                   .periods_per_year = 252};
        assert_int_equal(measure_compute(&in, &cases.arena, all, &err), STATUS_OK);
        conformance_check(&one, "", all[MEASURE_cagr_365_25].value);
    }
    conformance_close(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_and_risks_agree),
        cmocka_unit_test(growth_of_the_first_rows_is_annualised_as_ffn_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
