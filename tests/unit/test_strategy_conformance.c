/* test_strategy_conformance.c - weights and risk contributions of the conformance cases. */
#include "tests/support/conformance.h"
#include "tests/unit/test_backtest_world.h"

#include "backtest/covariance.h"
#include "backtest/risk_parity.h"
#include "backtest/stats.h"

enum { N = 3, N_PRICES_MAX = 64 };

static const char *const columns[N] = {"AAPL", "MSFT", "C"};

/* Covariance of the returns of a case's three columns of prices. */
static void estimate(struct conformance *c, const struct conformance_case *one,
                     enum covariance_estimator estimator, double *ret)
{
    double r[N * N_PRICES_MAX], mean[N];
    size_t n_returns = 0;
    for (size_t i = 0; i < N; i++) {
        struct conformance_series s =
            conformance_series(c, jr_member(one->inputs, "prices"), columns[i]);
        assert_true(s.n > 2 && s.n <= N_PRICES_MAX);
        n_returns = s.n - 1;
        stats_returns(s.value, s.n, r + i * n_returns);
    }
    covariance_estimate((struct covariance_choice){estimator, 0.94}, &kernels_ref, r, N, n_returns,
                        mean, ret);
}

static void read_covariance(const struct conformance_case *one, double *ret)
{
    struct json_val rows = jr_member(one->inputs, "cov");
    assert_int_equal(jr_length(rows), N);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(jr_read_f64_array(jr_item(rows, i), ret + i * N, NULL), STATUS_OK);
}

static void assert_items(const struct conformance_case *one, struct json_val list,
                         const double *actual)
{
    double expected[N];
    assert_int_equal(jr_length(list), N);
    assert_int_equal(jr_read_f64_array(list, expected, NULL), STATUS_OK);
    for (size_t i = 0; i < N; i++) {
        if (!conformance_agrees(one, expected[i], actual[i]))
            fail_msg("%s: %.17g is not %.17g", one->id, actual[i], expected[i]);
    }
}

static void inverse_volatility_weights_agree(void **state)
{
    struct conformance c;
    double s[N * N], w[N];
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "ffn.test.inv_vol");
    estimate(&c, &one, COVARIANCE_SAMPLE, s);
    risk_inverse_volatility(s, N, w);
    for (size_t i = 0; i < N; i++)
        conformance_check(&one, columns[i], w[i]);
    one = conformance_find(&c, "derived.inv_vol.ffn11");
    assert_items(&one, one.expected, w);
    conformance_close(&c);
}

static void equal_risk_contributions_agree(void **state)
{
    struct conformance c;
    double s[N * N], w[N], share[N];
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "ffn.test.erc_ledoit_wolf");
    estimate(&c, &one, COVARIANCE_LEDOIT_WOLF, s);
    assert_true(risk_parity(&kernels_ref, s, N, w));
    for (size_t i = 0; i < N; i++)
        conformance_check(&one, columns[i], w[i]);
    one = conformance_find(&c, "derived.erc3");
    read_covariance(&one, s);
    assert_true(risk_parity(&kernels_ref, s, N, w));
    assert_items(&one, jr_member(one.expected, "weights"), w);
    (void)covariance_risk_shares(s, N, w, share);
    assert_items(&one, jr_member(one.expected, "risk_contribution_each"), share);
    conformance_close(&c);
}

static void portfolio_volatility_and_its_parts_agree(void **state)
{
    struct conformance c;
    double s[N * N], w[N], share[N];
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "derived.risk_decomp3");
    read_covariance(&one, s);
    assert_int_equal(jr_read_f64_array(jr_member(one.inputs, "w"), w, NULL), STATUS_OK);
    conformance_check(&one, "vol", covariance_risk_shares(s, N, w, share));
    assert_items(&one, jr_member(one.expected, "pct"), share);
    conformance_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inverse_volatility_weights_agree),
        cmocka_unit_test(equal_risk_contributions_agree),
        cmocka_unit_test(portfolio_volatility_and_its_parts_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
