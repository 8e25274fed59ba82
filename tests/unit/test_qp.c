/* test_qp.c - quadratic programs against optimality conditions, brute force, and limits that conflict. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/covariance.h"
#include "backtest/qp.h"

enum { N_MAX = 9, T = 40, N_PROBLEMS = 400 };

struct problem {
    size_t n;
    double h[N_MAX * N_MAX], gain[N_MAX];
    double lower[N_MAX], upper[N_MAX], group_min[2], group_max[2];
    size_t group[N_MAX];
    struct limits limits;
};

static double between(struct rng *rng, double from, double to)
{
    return from + (to - from) * rng_next_unit(rng);
}

static void random_h(struct rng *rng, size_t n, size_t n_returns, double *ret)
{
    double r[N_MAX * T], mean[N_MAX];
    for (size_t t = 0; t < n_returns; t++) {
        double common = between(rng, -0.01, 0.01);
        for (size_t a = 0; a < n; a++)
            r[a * n_returns + t] = common + between(rng, -0.01, 0.01) * (double)(a + 1);
    }
    covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, &kernels_ref, r, n,
                        n_returns, mean, ret);
}

/* Limits that may or may not be possible to meet. */
static void random_problem(struct rng *rng, struct problem *p)
{
    p->n = 2 + rng_next_below(rng, N_MAX - 1);
    bool is_long = rng_next_below(rng, 2) == 0;
    double floor = rng_next_below(rng, 4) == 0 ? 0.4 : 0.1;
    for (size_t i = 0; i < p->n; i++) {
        p->lower[i] = is_long ? between(rng, 0, floor) : between(rng, -0.5, 0.1);
        p->upper[i] = p->lower[i] + between(rng, 0, 0.8);
        p->group[i] = rng_next_below(rng, 3);
        p->group[i] = p->group[i] == 2 ? LIMITS_NO_GROUP : p->group[i];
        p->gain[i] = between(rng, -0.5, 1);
    }
    for (size_t g = 0; g < 2; g++) {
        p->group_min[g] = between(rng, is_long ? 0 : -0.4, 0.4);
        p->group_max[g] = p->group_min[g] + between(rng, 0, 0.6);
    }
    p->limits = (struct limits){.n = p->n,
                                .lower = p->lower,
                                .upper = p->upper,
                                .group = p->group,
                                .n_groups = rng_next_below(rng, 3),
                                .group_min = p->group_min,
                                .group_max = p->group_max,
                                .max_gross = rng_next_below(rng, 2) == 0 ? (double)INFINITY
                                                                         : between(rng, 1, 2),
                                .budget = 1};
    for (size_t i = 0; i < p->n; i++)
        p->group[i] = p->group[i] != LIMITS_NO_GROUP && p->group[i] >= p->limits.n_groups
                          ? LIMITS_NO_GROUP
                          : p->group[i];
    random_h(rng, p->n, T, p->h);
}

static struct qp_workspace new_workspace(struct world *w)
{
    struct qp_workspace ws;
    assert_int_equal(qp_workspace_init(&ws, N_MAX, &kernels_ref, &w->arena, NULL), STATUS_OK);
    return ws;
}

/* A point of the limits, near a corner when reach is large. */
static bool feasible_point(struct rng *rng, const struct problem *p, double reach,
                           struct qp_workspace *ws, double *ret)
{
    double aim[N_MAX];
    for (size_t i = 0; i < p->n; i++)
        aim[i] = between(rng, -reach, reach);
    return qp_project(&p->limits, aim, ws, ret) == QP_SOLVED;
}

static void assert_keeps(const struct problem *p, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++)
        sum += x[i];
    assert_true(fabs(sum - p->limits.budget) < 1e-9);
    assert_true(limits_hold(&p->limits, x, 1e-9));
}

/* x minimises a convex function over a convex set when no feasible direction y - x descends. */
static void solutions_keep_the_limits_and_no_feasible_direction_descends(void **state)
{
    struct world w;
    struct rng rng;
    size_t n_solved = 0;
    (void)state;
    world_init(&w);
    rng_init(&rng, 11, 0);
    struct qp_workspace ws = new_workspace(&w);
    for (size_t round = 0; round < N_PROBLEMS; round++) {
        struct problem p;
        double x[N_MAX], gradient[N_MAX], y[N_MAX], c[N_MAX];
        random_problem(&rng, &p);
        for (size_t i = 0; i < p.n; i++)
            c[i] = round % 2 == 0 ? 0 : between(&rng, -1e-4, 1e-4);
        struct qp_problem problem = {.limits = &p.limits, .h = p.h, .c = c};
        if (qp_solve(&problem, &ws, x) != QP_SOLVED)
            continue;
        n_solved++;
        assert_keeps(&p, x);
        covariance_times(p.h, p.n, x, gradient);
        for (size_t k = 0; k < 40; k++) {
            double slope = 0, length = 0;
            assert_true(feasible_point(&rng, &p, k % 2 == 0 ? 100 : 0.5, &ws, y));
            assert_keeps(&p, y);
            for (size_t i = 0; i < p.n; i++) {
                slope += (gradient[i] - c[i]) * (y[i] - x[i]);
                length += fabs(y[i] - x[i]);
            }
            assert_true(slope > -1e-12 * (1 + length));
        }
    }
    assert_true(n_solved > N_PROBLEMS / 4);
    world_clear(&w);
}

static void conflicts_are_found_exactly_when_no_weights_exist(void **state)
{
    struct world w;
    struct rng rng;
    size_t n_by_conflict[LIMITS_GROSS + 1] = {0};
    (void)state;
    world_init(&w);
    rng_init(&rng, 12, 0);
    struct qp_workspace ws = new_workspace(&w);
    for (size_t round = 0; round < 10 * N_PROBLEMS; round++) {
        struct problem p;
        double x[N_MAX], aim[N_MAX];
        random_problem(&rng, &p);
        for (size_t i = 0; i < p.n; i++)
            aim[i] = between(&rng, -1, 1);
        enum limits_conflict conflict = limits_check(&p.limits, NULL);
        enum qp_outcome outcome = qp_project(&p.limits, aim, &ws, x);
        n_by_conflict[conflict]++;
        assert_int_equal(outcome, conflict == LIMITS_OK ? QP_SOLVED : QP_INFEASIBLE);
        limits_relax(&p.limits);
        assert_int_equal(limits_check(&p.limits, NULL), LIMITS_OK);
        assert_int_equal(qp_project(&p.limits, aim, &ws, x), QP_SOLVED);
        assert_keeps(&p, x);
    }
    for (size_t k = 0; k <= LIMITS_GROSS; k++)
        if (k != LIMITS_ASSET && n_by_conflict[k] < 5)
            fail_msg("conflict %zu came %zu times", k, n_by_conflict[k]);
    world_clear(&w);
}

static double ratio(const struct problem *p, const double *x)
{
    double gain = 0;
    for (size_t i = 0; i < p->n; i++)
        gain += p->gain[i] * x[i];
    return gain / sqrt(covariance_variance(p->h, p->n, x));
}

static void no_feasible_weights_have_a_better_ratio(void **state)
{
    struct world w;
    struct rng rng;
    size_t n_solved = 0, n_hopeless = 0;
    (void)state;
    world_init(&w);
    rng_init(&rng, 13, 0);
    struct qp_workspace ws = new_workspace(&w);
    for (size_t round = 0; round < N_PROBLEMS; round++) {
        struct problem p;
        double x[N_MAX], y[N_MAX];
        random_problem(&rng, &p);
        if (limits_check(&p.limits, NULL) != LIMITS_OK)
            continue;
        struct qp_problem problem = {
            .limits = &p.limits, .h = p.h, .gain = p.gain, .is_ratio = true};
        enum qp_outcome outcome = qp_solve(&problem, &ws, x);
        assert_true(outcome != QP_STALLED);
        if (outcome == QP_SOLVED)
            assert_keeps(&p, x);
        n_solved += outcome == QP_SOLVED ? 1 : 0;
        n_hopeless += outcome == QP_INFEASIBLE ? 1 : 0;
        for (size_t k = 0; k < 40; k++) {
            assert_true(feasible_point(&rng, &p, k % 2 == 0 ? 100 : 0.5, &ws, y));
            if (outcome == QP_SOLVED)
                assert_true(ratio(&p, y) < ratio(&p, x) * (1 + 1e-9));
            else
                assert_true(ratio(&p, y) < 1e-6);
        }
    }
    assert_true(n_solved > 50 && n_hopeless > 0);
    world_clear(&w);
}

/* Every long-only portfolio of three assets on a grid of half per cents. */
static void brute_force_finds_nothing_better(void **state)
{
    struct world w;
    struct rng rng;
    (void)state;
    world_init(&w);
    rng_init(&rng, 14, 0);
    struct qp_workspace ws = new_workspace(&w);
    for (size_t round = 0; round < 20; round++) {
        struct problem p = {.n = 3};
        double x[3], best_variance = (double)INFINITY, best_ratio = -(double)INFINITY;
        for (size_t i = 0; i < 3; i++) {
            p.upper[i] = 0.6;
            p.group[i] = LIMITS_NO_GROUP;
            p.gain[i] = between(&rng, 0, 1);
        }
        p.limits = (struct limits){3, p.lower, p.upper, p.group, 0, NULL, NULL, 1, 1};
        random_h(&rng, 3, T, p.h);
        for (int a = 0; a <= 120; a++) {
            for (int b = 0; b <= 120 && a + b <= 200; b++) {
                double y[3] = {a / 200.0, b / 200.0, (200 - a - b) / 200.0};
                if (y[2] > 0.6)
                    continue;
                best_variance = fmin(best_variance, covariance_variance(p.h, 3, y));
                best_ratio = fmax(best_ratio, ratio(&p, y));
            }
        }
        struct qp_problem least = {.limits = &p.limits, .h = p.h};
        assert_int_equal(qp_solve(&least, &ws, x), QP_SOLVED);
        double variance = covariance_variance(p.h, 3, x);
        assert_true(variance <= best_variance && variance > best_variance * 0.999);
        struct qp_problem most = {.limits = &p.limits, .h = p.h, .gain = p.gain, .is_ratio = true};
        assert_int_equal(qp_solve(&most, &ws, x), QP_SOLVED);
        assert_true(ratio(&p, x) >= best_ratio && ratio(&p, x) < best_ratio * 1.001);
    }
    world_clear(&w);
}

static void a_gain_that_must_be_reached_is_reached(void **state)
{
    struct world w;
    struct rng rng;
    (void)state;
    world_init(&w);
    rng_init(&rng, 15, 0);
    struct qp_workspace ws = new_workspace(&w);
    for (size_t round = 0; round < 50; round++) {
        struct problem p = {.n = 5};
        double x[5], least = 0, last = 0;
        for (size_t i = 0; i < 5; i++) {
            p.upper[i] = 1;
            p.group[i] = LIMITS_NO_GROUP;
            p.gain[i] = (double)i / 4;
        }
        p.limits = (struct limits){5, p.lower, p.upper, p.group, 0, NULL, NULL, 1, 1};
        random_h(&rng, 5, T, p.h);
        for (double gain = 0; gain <= 1; gain += 0.25) {
            struct qp_problem problem = {
                .limits = &p.limits, .h = p.h, .gain = p.gain, .gain_min = gain};
            assert_int_equal(qp_solve(&problem, &ws, x), QP_SOLVED);
            double reached = x[1] / 4 + x[2] / 2 + x[3] * 0.75 + x[4];
            assert_true(reached > gain - 1e-10);
            double variance = covariance_variance(p.h, 5, x);
            assert_true(variance >= last - 1e-18);
            last = variance;
            least = gain > 0 ? least : variance;
        }
        assert_true(last > least);
        struct qp_problem beyond = {
            .limits = &p.limits, .h = p.h, .gain = p.gain, .gain_min = 1.01};
        assert_int_equal(qp_solve(&beyond, &ws, x), QP_INFEASIBLE);
    }
    world_clear(&w);
}

/* Neither another point nor weight moved from one name to another gains more. */
static void a_climb_ends_at_the_most(void **state)
{
    struct world w;
    struct rng rng;
    size_t n_climbed = 0;
    (void)state;
    world_init(&w);
    rng_init(&rng, 19, 0);
    struct qp_workspace ws = new_workspace(&w);
    for (size_t round = 0; round < 3 * N_PROBLEMS; round++) {
        struct problem p;
        double x[N_MAX], y[N_MAX], aim[N_MAX];
        random_problem(&rng, &p);
        if (!feasible_point(&rng, &p, 1, &ws, x))
            continue;
        qp_climb(&p.limits, p.gain, &ws, aim, x);
        assert_keeps(&p, x);
        double most = kernels_ref.dot(p.gain, x, p.n);
        for (size_t i = 0; i < 20 && feasible_point(&rng, &p, 100, &ws, y); i++)
            assert_true(kernels_ref.dot(p.gain, y, p.n) < most + 1e-4);
        for (size_t i = 0; i < p.n * p.n; i++) {
            size_t from = i / p.n, to = i % p.n;
            memcpy(y, x, sizeof y);
            y[from] -= 1e-3;
            y[to] += 1e-3;
            assert_true(!limits_hold(&p.limits, y, 1e-12) || p.gain[to] < p.gain[from] + 1e-2 ||
                        from == to);
        }
        n_climbed++;
    }
    assert_true(n_climbed > N_PROBLEMS / 4);
    world_clear(&w);
}

/* More assets than returns: the covariance has no factor of its own, and two assets may be twins. */
static void singular_covariances_have_an_answer(void **state)
{
    struct world w;
    struct rng rng;
    (void)state;
    world_init(&w);
    rng_init(&rng, 16, 0);
    struct qp_workspace ws = new_workspace(&w);
    for (size_t round = 0; round < 50; round++) {
        struct problem p = {.n = N_MAX};
        double x[N_MAX];
        for (size_t i = 0; i < N_MAX; i++) {
            p.upper[i] = 1;
            p.group[i] = LIMITS_NO_GROUP;
        }
        p.limits = (struct limits){N_MAX, p.lower, p.upper, p.group, 0, NULL, NULL, 1, 1};
        random_h(&rng, N_MAX, 4, p.h);
        struct qp_problem problem = {.limits = &p.limits, .h = p.h};
        assert_int_equal(qp_solve(&problem, &ws, x), QP_SOLVED);
        assert_keeps(&p, x);
    }
    double twins[4] = {1e-4, 1e-4, 1e-4, 1e-4}, x[2];
    double lower[2] = {0, 0}, upper[2] = {1, 1};
    size_t group[2] = {LIMITS_NO_GROUP, LIMITS_NO_GROUP};
    struct limits limits = {2, lower, upper, group, 0, NULL, NULL, 1, 1};
    struct qp_problem problem = {.limits = &limits, .h = twins};
    assert_int_equal(qp_solve(&problem, &ws, x), QP_SOLVED);
    assert_true(fabs(x[0] - 0.5) < 1e-5 && fabs(x[1] - 0.5) < 1e-5);
    world_clear(&w);
}

/*
 * Many names, none below 0, few with a weight: the answer is the one that is found when a bound just below 0
 * keeps every name in.
 */
static void names_without_a_weight_are_left_out_and_change_nothing(void **state)
{
    enum { MANY = 90, SESSIONS = 150 };
    static double r[MANY * SESSIONS], h[MANY * MANY], mean[MANY], gain[MANY];
    double lower[MANY] = {0}, upper[MANY], one[MANY], two[MANY], group_min = 0.3, group_max = 0.6;
    double aim[MANY];
    size_t group[MANY], n_zero = 0;
    struct world w;
    struct qp_workspace ws;
    struct rng rng;
    (void)state;
    world_init(&w);
    rng_init(&rng, 5, 0);
    assert_int_equal(qp_workspace_init(&ws, MANY, kernels_choose(KERNELS_AUTO), &w.arena, NULL),
                     STATUS_OK);
    for (size_t round = 0; round < 60; round++) {
        for (size_t t = 0; t < SESSIONS; t++) {
            double common = between(&rng, -0.02, 0.02);
            for (size_t a = 0; a < MANY; a++)
                r[a * SESSIONS + t] =
                    common * (0.4 + (double)(a * 37 % MANY) / MANY) + between(&rng, -0.02, 0.0205);
        }
        covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, &kernels_ref, r, MANY,
                            SESSIONS, mean, h);
        double cap = round % 3 == 0 ? 1 : between(&rng, 0.02, 0.2);
        for (size_t a = 0; a < MANY; a++) {
            gain[a] = mean[a] * 1000;
            upper[a] = cap;
            group[a] = a < MANY / 3 ? 0 : LIMITS_NO_GROUP;
        }
        lower[0] = 0;
        struct limits limits = {MANY, lower, upper, group, round % 2, &group_min, &group_max, 1, 1};
        bool has_gain = round % 6 > 1;
        struct qp_problem problem = {
            .limits = &limits, .h = h, .gain = has_gain ? gain : NULL, .is_ratio = round % 6 > 3};
        if (has_gain && !problem.is_ratio) { /* between that of the least variance and the most */
            struct qp_problem least = {.limits = &limits, .h = h};
            assert_int_equal(qp_solve(&least, &ws, one), QP_SOLVED);
            double low = kernels_ref.dot(gain, one, MANY);
            qp_climb(&limits, gain, &ws, aim, one);
            problem.gain_min = low + (kernels_ref.dot(gain, one, MANY) - low) * (double)round / 60;
        }
        assert_int_equal(qp_solve(&problem, &ws, one), QP_SOLVED);
        lower[0] = -1e-13;
        assert_int_equal(qp_solve(&problem, &ws, two), QP_SOLVED);
        assert_true(limits_hold(&limits, one, 1e-9));
        for (size_t a = 0; a < MANY; a++) {
            if (!(fabs(one[a] - two[a]) < 1e-8))
                fail_msg("round %zu, name %zu: %.17g is not %.17g", round, a, one[a], two[a]);
            n_zero += one[a] > 0 ? 0 : 1;
        }
    }
    assert_true(n_zero > 60 * MANY / 3);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions_keep_the_limits_and_no_feasible_direction_descends),
        cmocka_unit_test(conflicts_are_found_exactly_when_no_weights_exist),
        cmocka_unit_test(no_feasible_weights_have_a_better_ratio),
        cmocka_unit_test(brute_force_finds_nothing_better),
        cmocka_unit_test(a_gain_that_must_be_reached_is_reached),
        cmocka_unit_test(a_climb_ends_at_the_most),
        cmocka_unit_test(singular_covariances_have_an_answer),
        cmocka_unit_test(names_without_a_weight_are_left_out_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
