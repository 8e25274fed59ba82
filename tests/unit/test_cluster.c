/* test_cluster.c - trees of correlations and the strategies that stand on them: against what defines each. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/cluster.h"
#include "backtest/covariance.h"
#include "backtest/strategies/kinds.h"

enum { N_MAX = 24, T = 60, N_ROUNDS = 200 };
enum { LINKAGE, CLUSTERS, CHOICE }; /* params of both strategies */

/* Assets of one decision. */
struct window {
    struct arena arena;
    size_t m;
    double mean[N_MAX], covariance[N_MAX * N_MAX], square[N_MAX * N_MAX], scratch[8 * N_MAX];
    double lower[N_MAX], upper[N_MAX], returns[N_MAX * T];
    size_t group[N_MAX], index[STRATEGY_INDICES * N_MAX];
    struct limits limits;
    struct qp_workspace qp;
};

static double between(struct rng *rng, double low, double high)
{
    return low + (high - low) * rng_next_unit(rng);
}

static void open_window(struct window *w, size_t m)
{
    w->m = m;
    arena_init(&w->arena, 1 << 20);
    assert_int_equal(qp_workspace_init(&w->qp, N_MAX, &kernels_ref, &w->arena, NULL), STATUS_OK);
    w->limits = (struct limits){m,    w->lower, w->upper,       w->group,   0,
                                NULL, NULL,     .max_gross = 1, .budget = 1};
    for (size_t i = 0; i < m; i++) {
        w->lower[i] = 0;
        w->upper[i] = 1;
        w->group[i] = LIMITS_NO_GROUP;
    }
}

/* Means and covariance of random returns with a factor for all, and one for each third of the assets. */
static void draw(struct window *w, struct rng *rng)
{
    for (size_t t = 0; t < T; t++) {
        double common = between(rng, -0.01, 0.01), part[3];
        for (size_t i = 0; i < 3; i++)
            part[i] = between(rng, -0.01, 0.01);
        for (size_t i = 0; i < w->m; i++)
            w->returns[i * T + t] =
                (1 + (double)i / 7) * (common + part[i % 3]) + between(rng, -0.01, 0.011);
    }
    covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, &kernels_ref, w->returns,
                        w->m, T, w->mean, w->covariance);
}

static enum strategy_note weigh(struct window *w, const struct strategy_kind *kind,
                                const double param[3], double *weight)
{
    struct strategy strategy = {.kind = kind,
                                .limits = {.long_only = true, .max_weight = 1, .max_gross = 1}};
    memcpy(strategy.param, param, 3 * sizeof *param);
    struct strategy_input input = {.strategy = &strategy,
                                   .m = w->m,
                                   .mean = w->mean,
                                   .covariance = w->covariance,
                                   .kernels = &kernels_ref,
                                   .periods_per_year = 252,
                                   .scratch = w->scratch,
                                   .square = w->square,
                                   .index = w->index,
                                   .limits = &w->limits,
                                   .qp = &w->qp};
    assert_true(kind->scratch <= 8);
    enum strategy_note note = kind->weigh(&input, weight);
    double sum = 0;
    for (size_t i = 0; i < w->m; i++)
        sum += weight[i];
    assert_close(sum, 1, 1e-10);
    return note;
}

/* Two blocks of assets that move together: each block's leaves stay side by side, and share one half. */
static void clusters_keep_what_moves_together_side_by_side(void **state)
{
    enum { N = 6 };
    double s[N * N], square[N * N], inverse[N], weight[N], sum = 0;
    size_t index[CLUSTER_INDICES * N];
    struct cluster_tree tree;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++)
            s[i * N + j] = i == j ? 1 : i % 2 == j % 2 ? 0.9 : 0.1;
    }
    for (size_t k = 0; k < CLUSTER_LINKAGE_COUNT; k++) {
        cluster_grow(s, N, (enum cluster_linkage)k, square, index, &tree);
        const size_t *order = tree.order;
        for (size_t i = 1; i < N; i++)
            assert_true(order[i] % 2 == order[0] % 2 ? i < N / 2 : i >= N / 2);
        cluster_bisect(s, N, order, square, inverse, weight);
        sum = 0;
        for (size_t i = 0; i < N; i++)
            sum += weight[order[i]];
        assert_close(sum, 1, 1e-14);
        assert_close(weight[order[0]] + weight[order[1]] + weight[order[2]], 0.5, 1e-12);
    }
}

/* Members of the cluster of leaf `at` share a label; the labels of k clusters. */
static void label(const struct clusters *c, size_t *ret_label)
{
    for (size_t k = 0; k < c->k; k++) {
        for (size_t i = c->start[k]; i < c->start[k + 1]; i++)
            ret_label[c->tree.order[i]] = k;
    }
}

static double correlation(const struct window *w, size_t i, size_t j)
{
    double scale = sqrt(w->covariance[i * (w->m + 1)] * w->covariance[j * (w->m + 1)]);
    return w->covariance[i * w->m + j] / scale;
}

/* With single linkage every member of a cluster of some is nearer to one of them than any two clusters are to each other. */
static void assert_apart(const struct window *w, const size_t *of)
{
    double across = -1;
    for (size_t i = 0; i < w->m; i++) {
        for (size_t j = 0; j < i; j++)
            across = of[i] != of[j] ? fmax(across, correlation(w, i, j)) : across;
    }
    for (size_t i = 0; i < w->m; i++) {
        double within = -1;
        size_t n = 0;
        for (size_t j = 0; j < w->m; j++) {
            if (j == i || of[i] != of[j])
                continue;
            within = fmax(within, correlation(w, i, j));
            n++;
        }
        assert_true(n == 0 || within >= across);
    }
}

static void cuts_are_nested_and_have_the_clusters_that_were_asked_for(void **state)
{
    struct window w;
    struct rng rng;
    (void)state;
    rng_init(&rng, 21, 0);
    for (size_t round = 0; round < N_ROUNDS; round++) {
        size_t of[N_MAX] = {0}, before[N_MAX] = {0};
        open_window(&w, 2 + round % (N_MAX - 1));
        draw(&w, &rng);
        for (size_t k = 1; k <= w.m; k++) {
            struct clusters c;
            enum cluster_linkage linkage = (enum cluster_linkage)(round % CLUSTER_LINKAGE_COUNT);
            cluster_cut(w.covariance, w.m, linkage, (double)k, w.square, w.index, &c);
            assert_int_equal(c.k, k);
            label(&c, of);
            for (size_t i = 0; i < w.m; i++) {
                for (size_t j = 0; j < i; j++)
                    assert_true(of[i] != of[j] || before[i] == before[j]);
            }
            if (linkage == CLUSTER_SINGLE)
                assert_apart(&w, of);
            memcpy(before, of, sizeof of);
        }
        arena_clear(&w.arena);
    }
}

/* Blocks that move together, apart from one another, are as many clusters, whatever the linkage. */
static void as_many_clusters_are_counted_as_there_are_blocks(void **state)
{
    struct window w;
    (void)state;
    for (size_t blocks = 2; blocks <= 6; blocks++) {
        open_window(&w, N_MAX);
        for (size_t i = 0; i < N_MAX; i++) {
            for (size_t j = 0; j < N_MAX; j++)
                w.covariance[i * N_MAX + j] = i == j ? 1 : i % blocks == j % blocks ? 0.8 : 0.1;
        }
        for (size_t linkage = 0; linkage < CLUSTER_LINKAGE_COUNT; linkage++) {
            struct clusters c;
            size_t of[N_MAX];
            cluster_cut(w.covariance, N_MAX, (enum cluster_linkage)linkage, (double)NAN, w.square,
                        w.index, &c);
            assert_int_equal(c.k, blocks);
            label(&c, of);
            for (size_t i = 0; i < N_MAX; i++)
                assert_int_equal(of[i], of[i % blocks]);
        }
        arena_clear(&w.arena);
    }
}

/*
 * Three clusters that do not depend on one another, of variances 1, 2 and 4 a name: in each the names weigh alike, the
 * two that meet first share inversely to their risk, and so do they together and the third.
 */
static void clusters_share_by_their_risk_down_the_tree(void **state)
{
    static const double variance[3] = {1, 2, 4};
    struct window w;
    (void)state;
    for (size_t is_volatility = 0; is_volatility < 2; is_volatility++) {
        double weight[N_MAX], risk[3];
        open_window(&w, 6);
        for (size_t i = 0; i < 6; i++) {
            for (size_t j = 0; j < 6; j++) {
                double same = i == j ? 1 : i / 2 == j / 2 ? 0.5 : i / 2 + j / 2 == 1 ? 0.2 : 0;
                w.covariance[i * 6 + j] = same * sqrt(variance[i / 2] * variance[j / 2]);
            }
        }
        for (size_t k = 0; k < 3; k++)
            risk[k] = is_volatility ? sqrt(0.75 * variance[k]) : 0.75 * variance[k];
        (void)weigh(&w, &strategy_hierarchical_equal_risk_contribution,
                    (const double[]){CLUSTER_WARD, 3, (double)is_volatility}, weight);
        double third = (risk[0] + risk[1]) / (risk[0] + risk[1] + risk[2]);
        double first = (1 - third) * risk[1] / (risk[0] + risk[1]);
        for (size_t i = 0; i < 2; i++) {
            assert_close(weight[i], first / 2, 1e-14);
            assert_close(weight[2 + i], (1 - third - first) / 2, 1e-14);
            assert_close(weight[4 + i], third / 2, 1e-14);
        }
        arena_clear(&w.arena);
    }
}

/* One cluster of all assets is inverse variance. */
static void one_cluster_of_equal_risk_weighs_inversely_to_variance(void **state)
{
    struct window w;
    struct rng rng;
    (void)state;
    rng_init(&rng, 22, 0);
    for (size_t round = 0; round < N_ROUNDS; round++) {
        double weight[N_MAX], total = 0;
        open_window(&w, 1 + round % N_MAX);
        draw(&w, &rng);
        enum strategy_note note =
            weigh(&w, &strategy_hierarchical_equal_risk_contribution,
                  (const double[]){(double)(round % CLUSTER_LINKAGE_COUNT), 1, 0}, weight);
        assert_int_equal(note, NOTE_NONE);
        for (size_t i = 0; i < w.m; i++)
            total += 1 / w.covariance[i * (w.m + 1)];
        for (size_t i = 0; i < w.m; i++)
            assert_close(weight[i], 1 / w.covariance[i * (w.m + 1)] / total, 1e-12);
        arena_clear(&w.arena);
    }
}

static void assert_same_weights(const double *one, const double *two, size_t m)
{
    for (size_t i = 0; i < m; i++)
        assert_true(fabs(one[i] - two[i]) < 1e-6);
}

/* All in one cluster, or each in its own, is the objective over all assets. */
static void nesting_nothing_is_the_objective_itself(void **state)
{
    static const struct strategy_kind *const flat[2] = {&strategy_minimum_variance,
                                                        &strategy_maximum_sharpe};
    static const double none[3] = {0};
    struct window w;
    struct rng rng;
    size_t n_ratios = 0;
    (void)state;
    rng_init(&rng, 23, 0);
    for (size_t round = 0; round < N_ROUNDS; round++) {
        double whole[N_MAX], nested[N_MAX], goal = (double)(round % 2);
        open_window(&w, 1 + round % N_MAX);
        draw(&w, &rng);
        enum strategy_note note = weigh(&w, flat[round % 2], none, whole);
        n_ratios += round % 2 == 1 && note == NOTE_NONE;
        for (size_t k = 1; k <= 500; k += 499) {
            const double param[3] = {CLUSTER_WARD, (double)k, goal};
            assert_int_equal(weigh(&w, &strategy_nested_clustered_optimization, param, nested),
                             note);
            assert_same_weights(nested, whole, w.m);
        }
        arena_clear(&w.arena);
    }
    assert_true(n_ratios > N_ROUNDS / 4);
}

/* Where clusters do not vary together, the best of their best portfolios is the best of all. */
static void nested_portfolios_of_independent_clusters_are_optimal(void **state)
{
    struct window w;
    struct rng rng;
    (void)state;
    rng_init(&rng, 24, 0);
    for (size_t round = 0; round < N_ROUNDS; round++) {
        double whole[N_MAX], nested[N_MAX], goal = (double)(round % 2);
        open_window(&w, 9);
        draw(&w, &rng);
        for (size_t i = 0; i < w.m; i++) {
            w.mean[i] = fabs(w.mean[i]) +
                        1e-5; /* a cluster without excess would be left out by the whole */
            for (size_t j = 0; j < w.m; j++)
                w.covariance[i * w.m + j] *= i % 3 == j % 3 ? 1 : 0;
        }
        (void)weigh(&w, round % 2 ? &strategy_maximum_sharpe : &strategy_minimum_variance,
                    (const double[3]){0}, whole);
        (void)weigh(&w, &strategy_nested_clustered_optimization,
                    (const double[]){CLUSTER_WARD, 3, goal}, nested);
        assert_same_weights(nested, whole, w.m);
        arena_clear(&w.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_keep_what_moves_together_side_by_side),
        cmocka_unit_test(cuts_are_nested_and_have_the_clusters_that_were_asked_for),
        cmocka_unit_test(as_many_clusters_are_counted_as_there_are_blocks),
        cmocka_unit_test(clusters_share_by_their_risk_down_the_tree),
        cmocka_unit_test(one_cluster_of_equal_risk_weighs_inversely_to_variance),
        cmocka_unit_test(nesting_nothing_is_the_objective_itself),
        cmocka_unit_test(nested_portfolios_of_independent_clusters_are_optimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
