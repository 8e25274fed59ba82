/* test_strategy_conformance.c - weights and risk contributions of the conformance cases. */
#include "tests/support/conformance.h"
#include "tests/unit/test_backtest_play.h"

#include "backtest/covariance.h"
#include "backtest/qp.h"
#include "backtest/risk_parity.h"
#include "backtest/stats.h"

static struct conformance cases;

/* Assets, by name when they come from a data set of prices, and how they vary together. */
struct assets {
    size_t n;
    const char *name[PLAY_ASSETS_MAX];
    double mean[PLAY_ASSETS_MAX];
    double covariance[PLAY_ASSETS_MAX * PLAY_ASSETS_MAX];
};

/* Covariance of the returns of a case's columns of prices: all lists of the data set but its dates. */
static void estimate(const struct conformance_case *one, struct json_val prices,
                     enum covariance_estimator estimator, struct assets *ret)
{
    const char *set = conformance_text(&cases, one, "prices");
    struct json_val columns, list;
    double *r = NULL;
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
                        n_returns, ret->mean, ret->covariance);
}

/* What the metric says; ffn takes that of Ledoit and Wolf for its means and variances unless it is told "standard". */
static enum covariance_estimator estimator_of(const struct conformance_case *one)
{
    bool is_plain =
        strstr(one->metric, "standard") != NULL || strstr(one->metric, "sample") != NULL;
    bool is_shrunk =
        strstr(one->metric, "Ledoit") != NULL || strncmp(one->metric, "mean-variance", 13) == 0;
    return is_shrunk && !is_plain ? COVARIANCE_LEDOIT_WOLF : COVARIANCE_SAMPLE;
}

/* False when the case has neither prices nor a covariance. */
static bool read_assets(const struct conformance_case *one, struct assets *ret)
{
    struct json_val rows = jr_member(one->inputs, "cov"), prices = jr_member(one->inputs, "prices");
    ret->n = 0;
    if (jr_is_present(prices))
        estimate(one, prices, estimator_of(one), ret);
    else if (jr_length(rows) <= PLAY_ASSETS_MAX)
        ret->n = jr_length(rows);
    for (size_t k = 0; k < ret->n * ret->n && jr_length(rows) > 0; k++)
        ret->covariance[k] = conformance_item(jr_item(rows, k / ret->n), k % ret->n);
    for (size_t i = 0; i < ret->n && conformance_has(one, "mu"); i++)
        ret->mean[i] = conformance_item(jr_member(one->inputs, "mu"), i);
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
    (void)risk_shares(assets->covariance, assets->n, weight, share);
    if (jr_is_present(jr_member(one->expected, "risk_contribution_each")))
        conformance_check_list(one, "risk_contribution_each", share, assets->n);
}

/* Long only: of the least variance, or of the most mean return for its root. */
static void check_optimum(const struct conformance_case *one, const struct assets *assets,
                          bool is_ratio)
{
    static const double zero[PLAY_ASSETS_MAX];
    double upper[PLAY_ASSETS_MAX], lower[PLAY_ASSETS_MAX] = {0}, weight[PLAY_ASSETS_MAX];
    size_t group[PLAY_ASSETS_MAX];
    struct qp_workspace ws;
    for (size_t i = 0; i < assets->n; i++) {
        upper[i] = 1;
        group[i] = LIMITS_NO_GROUP;
    }
    const struct limits limits = {assets->n, lower, upper, group, 0, NULL, NULL, INFINITY, 1};
    const struct qp_problem problem = {.limits = &limits,
                                       .h = assets->covariance,
                                       .c = zero,
                                       .gain = is_ratio ? assets->mean : NULL,
                                       .is_ratio = is_ratio};
    assert_int_equal(qp_workspace_init(&ws, assets->n, &kernels_ref, &cases.arena, NULL),
                     STATUS_OK);
    assert_int_equal(qp_solve(&problem, &ws, weight), QP_SOLVED);
    check_weights(one, assets, weight);
}

/* Which weights the metric asks for, by words of it. */
static void check_kind(const struct conformance_case *one, const struct assets *assets)
{
    enum kind { INVERSE, EQUAL_RISK, LEAST_VARIANCE, BEST_RATIO };
    static const struct {
        const char *word;
        enum kind kind;
    } words[] = {
        {"inverse-vol", INVERSE},       {"inv_vol", INVERSE},        {"inverse vol", INVERSE},
        {"equal-risk", EQUAL_RISK},     {"equal risk", EQUAL_RISK},  {"ERC", EQUAL_RISK},
        {"risk-parity", EQUAL_RISK},    {"risk parity", EQUAL_RISK}, {"inimum-var", LEAST_VARIANCE},
        {"inimum var", LEAST_VARIANCE}, {"ean-var", BEST_RATIO},     {"mean_var", BEST_RATIO},
        {"ean var", BEST_RATIO},        {"Sharpe", BEST_RATIO},      {"tangency", BEST_RATIO}};
    double weight[PLAY_ASSETS_MAX];
    size_t at = 0;
    while (at < ARRAY_LEN(words) && strstr(one->metric, words[at].word) == NULL)
        at++;
    if (at == ARRAY_LEN(words))
        return; /* weights of a kind that nobody drives */
    switch (words[at].kind) {
    case INVERSE:
        risk_inverse_volatility(assets->covariance, assets->n, weight);
        check_weights(one, assets, weight);
        break;
    case EQUAL_RISK:
        check_equal_risk(one, assets);
        break;
    case LEAST_VARIANCE:
    case BEST_RATIO:
        check_optimum(one, assets, words[at].kind == BEST_RATIO);
        break;
    }
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
    double vol = risk_shares(assets->covariance, w.n, w.value, share);
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
            if (has_parts)
                check_parts(&one, &assets);
            else
                check_kind(&one, &assets);
        }
    }
    conformance_close(&cases);
}

/* The row of a figure of a column that is told in words; MEASURE_COUNT: of another kind. */
static enum measure_id row_of_column(const char *metric)
{
    static const struct {
        const char *word;
        enum measure_id id;
    } words[] = {{"CAGR", MEASURE_cagr_365_25},
                 {"total return", MEASURE_total_return},
                 {"drawdown", MEASURE_max_drawdown}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strstr(metric, words[i].word) != NULL)
            return words[i].id;
    }
    return MEASURE_COUNT;
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
        if (column == NULL)
            continue;
        enum measure_id id = row_of_column(one.metric);
        if (id == MEASURE_COUNT)
            continue;
        struct conformance_series s =
            conformance_series(&cases, jr_member(one.inputs, "prices"), column);
        struct measure_input in = {.path = {s.date, s.value, conformance_rows(&cases, &one, s.n)},
                                   .periods_per_year = 252};
        assert_int_equal(measure_compute(&in, &cases.arena, all, &err), STATUS_OK);
        conformance_check(&one, "", all[id].value);
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
