/* test_optimise.c - covariance estimators, factorisations and optimisers against what defines them. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/covariance.h"
#include "backtest/linear.h"
#include "backtest/risk_parity.h"
#include "backtest/stats.h"

enum { N_MAX = 12, T_MAX = 60 };

/* Correlated returns: every asset has a share of one common factor. */
static void random_returns(struct rng *rng, size_t n, size_t n_returns, double *r)
{
    for (size_t t = 0; t < n_returns; t++) {
        double common = rng_next_unit(rng) - 0.5;
        for (size_t a = 0; a < n; a++)
            r[a * n_returns + t] =
                0.02 * (double)(a + 1) * (rng_next_unit(rng) - 0.5) + 0.01 * common;
    }
}

static void random_covariance(struct rng *rng, size_t n, double *ret)
{
    double r[N_MAX * T_MAX], mean[N_MAX];
    random_returns(rng, n, T_MAX, r);
    covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, &kernels_ref, r, n, T_MAX,
                        mean, ret);
}

static void cholesky_factor_gives_the_matrix_back(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 1, 1);
    for (size_t n = 1; n <= N_MAX; n++) {
        double a[N_MAX * N_MAX], factor[N_MAX * N_MAX], x[N_MAX];
        random_covariance(&rng, n, a);
        memcpy(factor, a, sizeof a);
        assert_true(linear_cholesky(factor, n));
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                double sum = 0;
                for (size_t k = 0; k < n; k++)
                    sum += factor[k * n + i] * factor[k * n + j];
                assert_true(fabs(sum - a[j * n + i]) < 1e-16);
            }
        }
        for (size_t i = 0; i < n; i++)
            x[i] = (double)i + 1;
        linear_solve(factor, n, x);
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += a[k * n + i] * x[k];
            assert_close(sum, (double)i + 1, 1e-9);
        }
    }
}

/* Larger than a block and a strip, and of both kernels' bits. */
static void large_factors_and_their_inverses_give_the_matrix_back(void **state)
{
    enum { ORDER = 131 };
    static double a[ORDER * ORDER], factor[ORDER * ORDER], inverse[ORDER * ORDER];
    static double other[ORDER * ORDER], r[ORDER * 150], mean[ORDER];
    const struct kernels *best = kernels_choose(KERNELS_AUTO);
    struct rng rng;
    (void)state;
    rng_init(&rng, 1, 2);
    for (size_t n = 1; n <= ORDER; n += n < 30 ? 1 : 25) {
        random_returns(&rng, n, 150, r);
        covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, best, r, n, 150, mean,
                            a);
        memcpy(factor, a, sizeof a);
        memcpy(other, a, sizeof a);
        assert_true(linear_factor(best, factor, n));
        assert_true(linear_factor(&kernels_ref, other, n));
        assert_memory_equal(factor, other, n * n * sizeof *a);
        linear_invert_factor(best, factor, n, inverse);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j <= i; j++) {
                double sum = 0, unit = 0;
                for (size_t k = 0; k <= j; k++)
                    sum += factor[i * n + k] * factor[j * n + k];
                assert_true(fabs(sum - a[i * n + j]) < 1e-14 * a[i * n + i]);
                for (size_t k = j; k <= i; k++)
                    unit += factor[i * n + k] * inverse[j * n + k];
                assert_true(fabs(unit - (i == j ? 1 : 0)) < 1e-11);
                assert_true(i == j || inverse[i * n + j] == 0);
            }
        }
    }
}

/* Spans, strips and tiles change no sum beyond rounding, and the kernels no bit. */
static void covariance_of_many_assets_is_that_of_the_definition(void **state)
{
    enum { ORDER = 103, SESSIONS = 523 };
    static double r[ORDER * SESSIONS], x[ORDER * SESSIONS], one[ORDER * ORDER], two[ORDER * ORDER];
    double mean[ORDER];
    const struct kernels *tables[] = {&kernels_ref, kernels_choose(KERNELS_AUTO)};
    struct rng rng;
    (void)state;
    rng_init(&rng, 1, 3);
    random_returns(&rng, ORDER, SESSIONS, r);
    for (size_t e = 0; e < COVARIANCE_ESTIMATOR_COUNT; e++) {
        struct covariance_choice choice = {(enum covariance_estimator)e, 0.97};
        for (size_t k = 0; k < 2; k++) {
            memcpy(x, r, sizeof r);
            covariance_estimate(choice, tables[k], x, ORDER, SESSIONS, mean, k == 0 ? one : two);
        }
        assert_memory_equal(one, two, sizeof one);
        for (size_t i = 0; i < ORDER && e == COVARIANCE_SAMPLE; i++) {
            for (size_t j = 0; j < ORDER; j++) {
                double sum = 0;
                for (size_t t = 0; t < SESSIONS; t++)
                    sum += x[i * SESSIONS + t] * x[j * SESSIONS + t];
                double scale = sqrt(one[i * ORDER + i] * one[j * ORDER + j]);
                assert_true(fabs(sum / (SESSIONS - 1) - one[i * ORDER + j]) < 1e-14 * scale);
                assert_true(one[i * ORDER + j] == one[j * ORDER + i]);
            }
        }
    }
}

static void a_matrix_that_is_not_positive_definite_has_no_factor(void **state)
{
    double a[4] = {1, 2, 2, 1}, zero[1] = {0};
    (void)state;
    assert_false(linear_cholesky(a, 2));
    assert_false(linear_cholesky(zero, 1));
    a[0] = 1; /* the first call has left pieces */
    a[1] = a[2] = 2;
    a[3] = 1;
    assert_false(linear_factor(&kernels_ref, a, 2));
    assert_false(linear_factor(&kernels_ref, zero, 1));
}

static void estimators_follow_their_formulas(void **state)
{
    enum { N = 4, T = 30 };
    double r[N * T], x[N * T], mean[N], s[N * N], weight[T], sum = 0;
    struct rng rng;
    (void)state;
    rng_init(&rng, 5, 5);
    random_returns(&rng, N, T, r);
    memcpy(x, r, sizeof r);
    covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, &kernels_ref, x, N, T,
                        mean, s);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++)
            assert_close(s[i * N + j], stats_pair(r + i * T, r + j * T, T).covariance, 1e-12);
    }
    for (size_t t = T; t-- > 0;) {
        weight[t] = t == T - 1 ? 1 : weight[t + 1] * 0.9;
        sum += weight[t];
    }
    memcpy(x, r, sizeof r);
    covariance_estimate((struct covariance_choice){COVARIANCE_EWMA, 0.9}, &kernels_ref, x, N, T,
                        mean, s);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            double v = 0;
            for (size_t t = 0; t < T; t++)
                v += weight[t] / sum * (r[i * T + t] - mean[i]) * (r[j * T + t] - mean[j]);
            assert_true(fabs(v - s[i * N + j]) < 1e-15);
        }
    }
}

/* The definition, session by session: d2, b2 and the shrinkage of the paper's section 3. */
static void ledoit_wolf_is_the_paper_s_estimator(void **state)
{
    enum { N = 5, T = 40 };
    double r[N * T], x[N * T], mean[N], s[N * N], sample[N * N];
    struct rng rng;
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        double m = 0, d2 = 0, b2 = 0;
        rng_init(&rng, seed, 6);
        random_returns(&rng, N, T, r);
        memcpy(x, r, sizeof r);
        covariance_estimate((struct covariance_choice){COVARIANCE_LEDOIT_WOLF, 0}, &kernels_ref, x,
                            N, T, mean, s);
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j < N; j++)
                sample[i * N + j] =
                    stats_pair(r + i * T, r + j * T, T).covariance * (T - 1) / (double)T;
            m += sample[i * N + i] / N;
        }
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j < N; j++) {
                double target = i == j ? m : 0;
                d2 += (sample[i * N + j] - target) * (sample[i * N + j] - target) / N;
                for (size_t t = 0; t < T; t++) {
                    double product = (r[i * T + t] - mean[i]) * (r[j * T + t] - mean[j]);
                    b2 += (product - sample[i * N + j]) * (product - sample[i * N + j]) / N / T / T;
                }
            }
        }
        double share = fmin(b2, d2) / d2;
        assert_true(share > 0 && share < 1);
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j < N; j++) {
                double target = i == j ? m : 0;
                double expected = share * target + (1 - share) * sample[i * N + j];
                assert_true(fabs(s[i * N + j] - expected) < 1e-14 * m);
            }
        }
    }
}

static void equal_risk_contributions_are_equal(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 7, 7);
    for (size_t n = 1; n <= N_MAX; n++) {
        double s[N_MAX * N_MAX], w[N_MAX], share[N_MAX], sum = 0;
        random_covariance(&rng, n, s);
        assert_true(risk_parity(&kernels_ref, s, n, w));
        double volatility = risk_shares(s, n, w, share);
        assert_close(volatility * volatility, covariance_variance(s, n, w), 1e-12);
        for (size_t i = 0; i < n; i++) {
            assert_true(w[i] > 0);
            assert_close(share[i], 1 / (double)n, 1e-10);
            sum += w[i];
        }
        assert_close(sum, 1, 1e-14);
    }
}

/* Two assets of any correlation: weights are those of inverse volatility (Maillard et al. 2010, 2.3). */
static void two_assets_share_risk_by_inverse_volatility(void **state)
{
    (void)state;
    for (double correlation = -0.99; correlation < 1; correlation += 0.09) {
        double cross = correlation * 0.1 * 0.3;
        double s[4] = {0.01, cross, cross, 0.09}, w[2];
        assert_true(risk_parity(&kernels_ref, s, 2, w));
        assert_close(w[0], 0.75, 1e-9);
        assert_close(w[1], 0.25, 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cholesky_factor_gives_the_matrix_back),
        cmocka_unit_test(large_factors_and_their_inverses_give_the_matrix_back),
        cmocka_unit_test(covariance_of_many_assets_is_that_of_the_definition),
        cmocka_unit_test(a_matrix_that_is_not_positive_definite_has_no_factor),
        cmocka_unit_test(estimators_follow_their_formulas),
        cmocka_unit_test(ledoit_wolf_is_the_paper_s_estimator),
        cmocka_unit_test(equal_risk_contributions_are_equal),
        cmocka_unit_test(two_assets_share_risk_by_inverse_volatility),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
