/*
 * test_goals.c - strategies of one goal each, over one window: against linear programs, what defines them, and random
 * portfolios of which none may be better.
 */
#include "tests/unit/test_backtest_world.h"

#include "backtest/kappa.h"
#include "backtest/measure.h"
#include "backtest/strategies/kinds.h"

enum { M_MAX = 40, N_MAX = 252, N_RANDOM = 2000 };

/* A window of m assets and a benchmark over n returns, and the limits 0 to cap each, sum 1. */
struct window {
    struct arena arena;
    size_t m, n;
    double *returns, *price;
    const double *column[M_MAX];
    double mean[M_MAX + 1], covariance[M_MAX * M_MAX], shared[M_MAX + 1];
    struct limits limits;
    struct qp_workspace qp;
    struct strategy strategy;
    struct strategy_input input;
};

static void *take(struct window *w, size_t n, size_t size)
{
    void *array = arena_array(&w->arena, n, size);
    assert_non_null(array);
    return array;
}

/* Returns of whole numbers, so that any program can make the same; those of the benchmark are made like asset m. */
static double return_at(size_t i, size_t t)
{
    size_t k = ((t + 1) * (7919 + 104 * i) + (i + 1) * (i + 3) * 1299709 + t * t * (31 + i)) % 2003;
    return ((double)k - 1000.5 + 3 * (double)i) / 40000.0;
}

static void estimate(struct window *w)
{
    size_t order = w->m + 1;
    double *centred = take(w, order * w->n, sizeof(double));
    double *all = take(w, order * order, sizeof(double));
    memcpy(centred, w->returns, order * w->n * sizeof *centred);
    covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, &kernels_ref, centred,
                        order, w->n, w->mean, all);
    for (size_t i = 0; i < w->m; i++)
        memcpy(w->covariance + i * w->m, all + i * order, w->m * sizeof *all);
    memcpy(w->shared, all + w->m * order, order * sizeof *all);
}

static void open_window(struct window *w, size_t m, size_t n, double cap)
{
    *w = (struct window){.m = m, .n = n};
    arena_init(&w->arena, 1 << 24);
    w->returns = take(w, (m + 1) * n, sizeof(double));
    w->price = take(w, m * (n + 1), sizeof(double));
    w->limits = (struct limits){.n = m,
                                .lower = take(w, m, sizeof(double)),
                                .upper = take(w, m, sizeof(double)),
                                .group = take(w, m, sizeof(size_t)),
                                .group_min = take(w, 1, sizeof(double)),
                                .group_max = take(w, 1, sizeof(double)),
                                .max_gross = 1,
                                .budget = 1};
    for (size_t i = 0; i <= m; i++) {
        for (size_t t = 0; t < n; t++)
            w->returns[i * n + t] = return_at(i, t);
        if (i == m)
            continue;
        double *price = w->price + i * (n + 1);
        w->limits.upper[i] = cap;
        w->limits.group[i] = LIMITS_NO_GROUP;
        w->column[i] = price;
        price[0] = 100;
        for (size_t t = 0; t < n; t++)
            price[t + 1] = price[t] * (1 + w->returns[i * n + t]);
    }
    assert_int_equal(qp_workspace_init(&w->qp, m, &kernels_ref, &w->arena, NULL), STATUS_OK);
    estimate(w);
}

static enum strategy_note weigh(struct window *w, const struct strategy_kind *kind, double param,
                                double *weight)
{
    w->strategy = (struct strategy){.kind = kind, .lookback = w->n, .param = {param}};
    w->input = (struct strategy_input){
        .strategy = &w->strategy,
        .m = w->m,
        .price = w->column,
        .returns = w->returns,
        .mean = w->mean,
        .covariance = w->covariance,
        .shared = w->shared,
        .path = take(w, STRATEGY_PATHS * w->n, sizeof(double)),
        .when = take(w, w->n, sizeof(size_t)),
        .kernels = &kernels_ref,
        .periods_per_year = 252,
        .scratch = take(w, kind->scratch * w->m + 1, sizeof(double)),
        .square = take(w, w->m * w->m, sizeof(double)),
        .index = take(w, STRATEGY_INDICES * w->m, sizeof(size_t)),
        .limits = &w->limits,
        .qp = &w->qp,
    };
    enum strategy_note note = kind->weigh(&w->input, weight);
    double sum = 0;
    for (size_t i = 0; i < w->m; i++) {
        assert_true(weight[i] >= -1e-11 && weight[i] <= w->limits.upper[i] + 1e-11);
        sum += weight[i];
    }
    assert_true(note == NOTE_NO_ANSWER || fabs(sum - 1) < 1e-10);
    return note;
}

static double return_of(const struct window *w, const double *weight, size_t t)
{
    double sum = 0;
    for (size_t i = 0; i < w->m; i++)
        sum += weight[i] * w->returns[i * w->n + t];
    return sum;
}

/* Mean and deviation of what weights return beyond the benchmark, or beyond 0; session by session. */
static double active(const struct window *w, const double *weight, bool has_benchmark,
                     double *ret_sd)
{
    double sum = 0, squares = 0;
    for (size_t t = 0; t < w->n; t++) {
        double x = return_of(w, weight, t) - (has_benchmark ? w->returns[w->m * w->n + t] : 0);
        sum += x;
        squares += x * x;
    }
    double mean = sum / (double)w->n;
    *ret_sd = sqrt((squares - sum * mean) / (double)(w->n - 1));
    return mean;
}

static double kappa_of(const struct window *w, const double *weight, double target, unsigned order)
{
    double sum = 0, moment = 0;
    for (size_t t = 0; t < w->n; t++) {
        double x = return_of(w, weight, t) - target;
        sum += x;
        moment += pow(fmax(-x, 0), order);
    }
    return sum / (double)w->n / pow(moment / (double)w->n, 1.0 / order);
}

/*
 * The highest ratios over the same returns, sum 1, 0 to cap, target a session. Omega - 1: the linear program of Kapsos and
 * others 2014, scipy 1.13.1, linprog(method="highs"); Sortino: the best of six SLSQP runs.
 */
static const struct {
    size_t m, n;
    double cap, target, omega, sortino;
} programs[] = {
    {5, 60, 1, 0, 0.9284014067784663, 0.4262179752618446},
    {5, 60, 0.4, 0.0001, 0.8465235675919502, 0.3952913115332639},
    {8, 127, 1, -0.0002, 0.9546881285593554, 0.4846631233271838},
    {12, 252, 0.25, 0.0001, 0.41726095581763734, 0.22539190816648796},
    {40, 60, 1, 0.004, 0.06155477624792536, 0.03389389618310277},
};

static void omega_and_sortino_are_those_of_the_programs(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(programs); k++) {
        struct window w;
        double weight[M_MAX], annual = pow(1 + programs[k].target, 252) - 1;
        open_window(&w, programs[k].m, programs[k].n, programs[k].cap);
        assert_int_equal(weigh(&w, &strategy_maximum_omega, annual, weight), NOTE_NONE);
        double omega = kappa_of(&w, weight, programs[k].target, 1);
        assert_int_equal(weigh(&w, &strategy_maximum_sortino, annual, weight), NOTE_NONE);
        double sortino = kappa_of(&w, weight, programs[k].target, 2);
        if (fabs(omega - programs[k].omega) > 1e-8 || sortino < programs[k].sortino - 1e-9 ||
            sortino > programs[k].sortino + 1e-6)
            fail_msg("%zu: omega %.17g, sortino %.17g", k, omega, sortino);
        arena_clear(&w.arena);
    }
}

/* A target that nothing reaches, one that nothing misses, and one asset alone. */
static void ratios_without_a_downside_or_an_upside_have_an_answer(void **state)
{
    struct window w;
    double weight[M_MAX], other[M_MAX];
    (void)state;
    open_window(&w, 6, 60, 1);
    assert_int_equal(weigh(&w, &strategy_maximum_omega, 9.9, weight), NOTE_NO_EXCESS);
    assert_int_equal(weigh(&w, &strategy_maximum_sortino, 9.9, other), NOTE_NO_EXCESS);
    assert_int_equal(weigh(&w, &strategy_maximum_omega, -0.99, weight), NOTE_NONE);
    for (size_t t = 0; t < w.n; t++)
        w.returns[2 * w.n + t] = 0.001 + 0.0001 * (double)(t % 3);
    assert_int_equal(weigh(&w, &strategy_maximum_sortino, 0, weight), NOTE_NONE);
    for (size_t t = 0; t < w.n; t++)
        assert_true(return_of(&w, weight, t) > -1e-9);
    arena_clear(&w.arena);
    open_window(&w, 1, 60, 1);
    (void)weigh(&w, &strategy_maximum_omega, (double)NAN, weight);
    assert_close(weight[0], 1, 1e-12);
    arena_clear(&w.arena);
}

/* Uniform on the simplex, moved under the caps by the projection. */
static void draw(struct window *w, struct rng *rng, double *weight)
{
    double sum = 0;
    for (size_t i = 0; i < w->m; i++)
        sum += weight[i] = -log(1 - rng_next_unit(rng)) * (rng_next_unit(rng) < 0.4 ? 1 : 0.02);
    for (size_t i = 0; i < w->m; i++)
        weight[i] /= sum;
    assert_int_equal(qp_project(&w->limits, weight, &w->qp, weight), QP_SOLVED);
}

static void no_random_portfolio_is_better(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 3, 4);
    for (size_t m = 3; m <= 9; m += 3) {
        struct window w;
        double best[M_MAX], track[M_MAX], ratio[M_MAX], other[M_MAX], sd, most, least;
        open_window(&w, m, 80, m == 3 ? 1 : 0.5);
        double limit = sqrt(w.covariance[0]) * (m == 3 ? 0.8 : 0.55);
        assert_int_equal(weigh(&w, &strategy_maximum_return, limit * sqrt(252), best), NOTE_NONE);
        double gain = active(&w, best, false, &sd);
        assert_true(sd <= limit * (1 + 1e-9));
        assert_int_equal(weigh(&w, &strategy_minimum_tracking_error, 0, track), NOTE_NONE);
        enum strategy_note note = weigh(&w, &strategy_maximum_information_ratio, 0, ratio);
        double information = active(&w, ratio, true, &most);
        assert_int_equal(note, information > 0 ? NOTE_NONE : NOTE_NO_EXCESS);
        information /= most;
        (void)active(&w, track, true, &least);
        for (size_t k = 0; k < N_RANDOM; k++) {
            draw(&w, &rng, other);
            double mean = active(&w, other, false, &sd);
            assert_true(sd > limit || mean <= gain + 1e-12);
            mean = active(&w, other, true, &sd);
            assert_true(sd >= least - 1e-12);
            assert_true(information <= 0 || mean / sd <= information + 1e-9);
        }
        arena_clear(&w.arena);
    }
}

/* Volatility binds while it can; below the least there is no answer, beyond the most none of it is needed. */
static void most_return_uses_the_volatility_it_may(void **state)
{
    struct window w;
    double weight[M_MAX], sd, before = -1;
    (void)state;
    open_window(&w, 8, 120, 1);
    struct qp_problem problem = {.limits = &w.limits, .h = w.covariance};
    assert_int_equal(qp_solve(&problem, &w.qp, weight), QP_SOLVED);
    double least = sqrt(252 * covariance_variance(w.covariance, w.m, weight));
    assert_int_equal(weigh(&w, &strategy_maximum_return, least * 0.999, weight), NOTE_NO_ANSWER);
    for (size_t k = 0; k < 20; k++) {
        double share = 1.001 + 0.07 * (double)k;
        assert_int_equal(weigh(&w, &strategy_maximum_return, least * share, weight), NOTE_NONE);
        double mean = active(&w, weight, false, &sd);
        assert_true(mean >= before - 1e-12);
        bool is_one = false;
        for (size_t i = 0; i < w.m; i++)
            is_one = is_one || weight[i] > 1 - 1e-6;
        if (!is_one)
            assert_close(sd * sqrt(252), least * share, 1e-9);
        before = mean;
    }
    assert_int_equal(weigh(&w, &strategy_maximum_return, 2, weight), NOTE_NONE);
    before = active(&w, weight, false, &sd);
    for (size_t i = 0; i < w.m; i++)
        assert_true(w.mean[i] <= before + 1e-9);
    arena_clear(&w.arena);
}

/* An asset that is the benchmark tracks it without error, up to its cap; a mix with it has no better ratio. */
static void a_benchmark_among_the_assets_is_tracked_by_itself(void **state)
{
    struct window w;
    double weight[M_MAX];
    (void)state;
    open_window(&w, 5, 60, 1);
    memcpy(w.returns + 5 * w.n, w.returns + 2 * w.n, w.n * sizeof *w.returns);
    estimate(&w);
    assert_int_equal(weigh(&w, &strategy_minimum_tracking_error, 0, weight), NOTE_NONE);
    assert_true(fabs(weight[2] - 1) < 1e-9);
    assert_int_equal(weigh(&w, &strategy_maximum_information_ratio, 0, weight), NOTE_NONE);
    assert_true(weight[2] < 1e-9);
    w.limits.upper[2] = 0.4;
    assert_int_equal(weigh(&w, &strategy_minimum_tracking_error, 0, weight), NOTE_NONE);
    assert_true(fabs(weight[2] - 0.4) < 1e-12);
    arena_clear(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(omega_and_sortino_are_those_of_the_programs),
        cmocka_unit_test(ratios_without_a_downside_or_an_upside_have_an_answer),
        cmocka_unit_test(no_random_portfolio_is_better),
        cmocka_unit_test(most_return_uses_the_volatility_it_may),
        cmocka_unit_test(a_benchmark_among_the_assets_is_tracked_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
