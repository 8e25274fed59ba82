/*
 * test_tail_risk.c - weights of least conditional value at risk and drawdown, against linear programs; views against
 * published numbers.
 */
#include "tests/unit/test_backtest_world.h"

#include "backtest/level.h"
#include "backtest/strategies/kinds.h"
#include "backtest/tail_risk.h"

enum { M_MAX = 80, N_MAX = 252 };

/* Returns of whole numbers, so that any program can make the same. */
static void fill(size_t m, size_t n, double *r)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t t = 0; t < n; t++) {
            size_t k =
                ((t + 1) * (7919 + 104 * i) + (i + 1) * (i + 3) * 1299709 + t * t * (31 + i)) %
                2003;
            r[i * n + t] = ((double)k - 1000.5 + 3 * (double)i) / 40000.0;
        }
    }
}

struct room {
    struct arena arena;
    struct limits limits;
    struct qp_workspace qp;
    double *returns, *path, *scratch, *weight, *slope;
    size_t *when;
};

static void *take(struct room *room, size_t n, size_t size)
{
    void *array = arena_array(&room->arena, n, size);
    assert_non_null(array);
    return array;
}

static void open_room(struct room *room, size_t m, size_t n, double cap)
{
    arena_init(&room->arena, 1 << 24);
    room->returns = take(room, m * n, sizeof(double));
    room->path = take(room, 3 * n, sizeof(double));
    room->scratch = take(room, LEVEL_ROOM * m, sizeof(double));
    room->weight = take(room, m, sizeof(double));
    room->slope = take(room, m, sizeof(double));
    room->when = take(room, n, sizeof(size_t));
    room->limits = (struct limits){.n = m,
                                   .lower = take(room, m, sizeof(double)),
                                   .upper = take(room, m, sizeof(double)),
                                   .group = take(room, m, sizeof(size_t)),
                                   .group_min = take(room, 1, sizeof(double)),
                                   .group_max = take(room, 1, sizeof(double)),
                                   .max_gross = 1,
                                   .budget = 1};
    for (size_t i = 0; i < m; i++) {
        room->limits.upper[i] = cap;
        room->limits.group[i] = LIMITS_NO_GROUP;
    }
    assert_int_equal(qp_workspace_init(&room->qp, m, &kernels_ref, &room->arena, NULL), STATUS_OK);
    fill(m, n, room->returns);
}

static struct tail_risk risk_of(const struct room *room, enum tail_kind kind, size_t n,
                                double confidence)
{
    return (struct tail_risk){.kind = kind,
                              .confidence = confidence,
                              .returns = room->returns,
                              .m = room->limits.n,
                              .n = n,
                              .kernels = &kernels_ref,
                              .path = room->path,
                              .when = room->when};
}

struct program {
    size_t m, n;
    double confidence, cap, least[4]; /* by tail_kind */
};

/*
 * The least values of the linear programs of Rockafellar and Uryasev 2000 and of Chekhlov, Uryasev and Zabarankin 2005
 * (uncompounded) over the same returns, sum 1, 0 to cap: scipy 1.17.1, linprog(method="highs"). The entropic ones as
 * programs over exponential cones (Ahmadi-Javid 2012; Cajas 2021): cvxpy 1.9.3 with Clarabel, to 1e-9 or so.
 */
static const struct program programs[] = {
    {5,
     60,
     0.9,
     1,
     {0.008662820633235256, 0.0153288522319698, 0.009250880221293, 0.016253035033475}},
    {5,
     60,
     0.95,
     0.4,
     {0.009378704947522222, 0.01666995869606793, 0.009378704947546, 0.016954390371373}},
    {8,
     127,
     0.95,
     1,
     {0.007875581252107975, 0.017214723508943038, 0.008610947950603, 0.018181423318849}},
    {12,
     252,
     0.97,
     0.25,
     {0.007914775587196042, 0.023281486279560826, 0.008231263201370, 0.023481178077276}},
    {80, 120, 0.9, 1, {-0.002617464064702505, 0, -0.002617464064702505, 0}},
};

static void check_program(const struct program *p, enum tail_kind kind, double expected)
{
    struct room room;
    double sum = 0;
    open_room(&room, p->m, p->n, p->cap);
    struct tail_risk risk = risk_of(&room, kind, p->n, p->confidence);
    assert_int_equal(
        level_minimise(tail_risk_value, &risk, &room.limits, &room.qp, room.scratch, room.weight),
        QP_SOLVED);
    double value = tail_risk_value(&risk, room.weight, room.slope);
    for (size_t i = 0; i < p->m; i++)
        sum += room.weight[i];
    if (!(fabs(value - expected) < 1e-9) || !limits_hold(&room.limits, room.weight, 1e-12) ||
        !(fabs(sum - 1) < 1e-9))
        fail_msg("%zu x %zu, kind %d: %.17g, and %.17g is the least; sum %.17g", p->m, p->n,
                 (int)kind, value, expected, sum);
    arena_clear(&room.arena);
}

static void least_tail_risk_is_that_of_the_program(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(programs); k++) {
        for (size_t kind = TAIL_CVAR; kind <= TAIL_EDAR; kind++)
            check_program(&programs[k], (enum tail_kind)kind, programs[k].least[kind]);
    }
}

/* z log(mean exp(loss / z) / (1 - confidence)), whose least value over z is the risk; losses in shares of the highest. */
static double bound_at(const double *loss, size_t n, double confidence, double z)
{
    double sum = 0, highest = loss[0];
    for (size_t t = 1; t < n; t++)
        highest = fmax(highest, loss[t]);
    for (size_t t = 0; t < n; t++)
        sum += exp((loss[t] - highest) / z);
    return highest + z * log(sum / (double)n / (1 - confidence));
}

/* No z gives less than the entropic risk, one gives it, and it is between the mean of the worst and the worst of all. */
static void entropic_risk_is_the_least_bound_and_its_slope_a_cut(void **state)
{
    enum { M = 8, N = 127 };
    struct room room;
    struct rng rng;
    (void)state;
    open_room(&room, M, N, 1);
    rng_init(&rng, 31, 0);
    for (size_t round = 0; round < 200; round++) {
        double loss[N], other[M], slope[M], least = INFINITY, cut = 0, highest = -INFINITY;
        double confidence = 0.5 + 0.49 * rng_next_unit(&rng);
        for (size_t i = 0; i < M; i++) {
            room.weight[i] = rng_next_unit(&rng);
            other[i] = rng_next_unit(&rng);
        }
        for (size_t t = 0; t < N; t++) {
            loss[t] = 0;
            for (size_t i = 0; i < M; i++)
                loss[t] -= room.weight[i] * room.returns[i * N + t];
            highest = fmax(highest, loss[t]);
        }
        struct tail_risk risk = risk_of(&room, TAIL_EVAR, N, confidence);
        struct tail_risk conditional = risk_of(&room, TAIL_CVAR, N, confidence);
        double value = tail_risk_value(&risk, room.weight, room.slope);
        assert_true(value >= tail_risk_value(&conditional, room.weight, slope) && value <= highest);
        for (size_t k = 0; k < 4000; k++)
            least = fmin(least, bound_at(loss, N, confidence, highest * exp(-8 + (double)k / 400)));
        assert_true(least >= value - 1e-14 && least < value * (1 + 1e-4));
        for (size_t i = 0; i < M; i++)
            cut += room.slope[i] * other[i];
        assert_true(cut <= tail_risk_value(&risk, other, slope) + 1e-13);
        struct tail_risk deep = risk_of(&room, TAIL_EDAR, N, confidence);
        struct tail_risk conditional_deep = risk_of(&room, TAIL_CDAR, N, confidence);
        assert_true(tail_risk_value(&deep, other, slope) >=
                    tail_risk_value(&conditional_deep, other, slope));
    }
    arena_clear(&room.arena);
}

/* The first two names make up half: the same program with w_0 + w_1 >= 0.5 and a cap of 0.6. */
static void groups_bind(void **state)
{
    struct room room;
    (void)state;
    open_room(&room, 8, 127, 0.6);
    room.limits.n_groups = 1;
    room.limits.group[0] = room.limits.group[1] = 0;
    room.limits.group_min[0] = 0.5;
    room.limits.group_max[0] = 1;
    struct tail_risk risk = risk_of(&room, TAIL_CVAR, 127, 0.95);
    assert_int_equal(
        level_minimise(tail_risk_value, &risk, &room.limits, &room.qp, room.scratch, room.weight),
        QP_SOLVED);
    assert_true(fabs(tail_risk_value(&risk, room.weight, room.slope) - 0.0094186019315569) < 1e-9);
    assert_true(room.weight[0] + room.weight[1] > 0.5 - 1e-9);
    arena_clear(&room.arena);
}

/* By hand: of 10 returns at 85 %, the worst whole and half of the next; drawdowns 0, .02, .01, .06 .. of sums. */
static void tail_risk_of_one_name_is_the_mean_of_its_worst(void **state)
{
    static const double r[10] = {0.01, -0.02, 0.01, -0.05, 0.03, 0.04, -0.01, 0.02, 0.01, -0.03};
    struct room room;
    double one = 1;
    (void)state;
    open_room(&room, 1, 10, 1);
    memcpy(room.returns, r, sizeof r);
    struct tail_risk risk = risk_of(&room, TAIL_CVAR, 10, 0.85);
    assert_close(tail_risk_value(&risk, &one, room.slope), (0.05 + 0.5 * 0.03) / 1.5, 1e-12);
    assert_close(room.slope[0], (0.05 + 0.5 * 0.03) / 1.5, 1e-12);
    risk.kind =
        TAIL_CDAR; /* sums .01 -.01 0 -.05 -.02 .02 .01 .03 .04 .01: falls 0 .02 .01 .06 .03 0 .01 0 0 .03 */
    assert_close(tail_risk_value(&risk, &one, room.slope), (0.06 + 0.5 * 0.03) / 1.5, 1e-12);
    assert_close(room.slope[0], (0.06 + 0.5 * 0.03) / 1.5, 1e-12);
    arena_clear(&room.arena);
}

/*
 * G. He, R. Litterman, "The intuition behind Black-Litterman model portfolios", 1999: correlations and volatilities of
 * table 1 and 2, Australia, Canada, France, Germany, Japan, UK, USA; delta 2.5, tau 0.05.
 */
enum { COUNTRIES = 7 };
static const double correlation[COUNTRIES][COUNTRIES] = {
    {1},
    {0.488, 1},
    {0.478, 0.664, 1},
    {0.515, 0.655, 0.861, 1},
    {0.439, 0.310, 0.355, 0.354, 1},
    {0.512, 0.608, 0.783, 0.777, 0.405, 1},
    {0.491, 0.779, 0.668, 0.653, 0.306, 0.652, 1}};
static const double volatility[COUNTRIES] = {0.160, 0.203, 0.248, 0.271, 0.210, 0.200, 0.187};
static double market[COUNTRIES] = {0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615};
static double germany[COUNTRIES] = {0, 0, -0.295, 1, 0, -0.705, 0};
static double canada[COUNTRIES] = {0, 1, 0, 0, 0, 0, -1};

/* Expected returns, in per cent to one digit, that the weights of the strategy are the best for. */
static void check_views(size_t n_views, const double *expected)
{
    struct room room;
    double covariance[COUNTRIES * COUNTRIES], implied[COUNTRIES], most = 0;
    size_t asset[COUNTRIES];
    struct strategy_view views[2] = {{germany, 0.05, 0.5}, {canada, 0.03, 0.5}};
    struct strategy strategy = {.param = {2.5, 0.05}, .views = {n_views, COUNTRIES, views, market}};
    open_room(&room, COUNTRIES, 10, 2);
    double *scratch = take(&room, strategy_black_litterman.scratch * COUNTRIES, sizeof(double));
    for (size_t i = 0; i < COUNTRIES; i++) {
        asset[i] = i;
        room.limits.lower[i] = -2;
        for (size_t j = 0; j < COUNTRIES; j++)
            covariance[i * COUNTRIES + j] =
                correlation[i > j ? i : j][i > j ? j : i] * volatility[i] * volatility[j];
    }
    room.limits.max_gross = 10;
    struct strategy_input input = {.strategy = &strategy,
                                   .m = COUNTRIES,
                                   .asset = asset,
                                   .covariance = covariance,
                                   .kernels = &kernels_ref,
                                   .periods_per_year = 1,
                                   .scratch = scratch,
                                   .limits = &room.limits,
                                   .qp = &room.qp};
    assert_int_equal(strategy_black_litterman.weigh(&input, room.weight), NOTE_NONE);
    covariance_times(covariance, COUNTRIES, room.weight, implied);
    for (size_t i = 0; i < COUNTRIES; i++) {
        if (n_views == 0)
            assert_true(fabs(room.weight[i] - market[i]) < 1e-7);
        most = fmax(most, fabs(100 * 2.5 * implied[i] - expected[i]));
    }
    assert_true(most < 0.0501);
    arena_clear(&room.arena);
}

static void views_move_returns_as_he_and_litterman_print_them(void **state)
{
    static const double none[COUNTRIES] = {3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6};
    static const double one[COUNTRIES] = {4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1};
    static const double two[COUNTRIES] = {4.4, 8.7, 9.5, 11.2, 4.6, 7.0, 7.5};
    (void)state;
    check_views(0, none);
    check_views(1, one);
    check_views(2, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_tail_risk_is_that_of_the_program),
        cmocka_unit_test(entropic_risk_is_the_least_bound_and_its_slope_a_cut),
        cmocka_unit_test(groups_bind),
        cmocka_unit_test(tail_risk_of_one_name_is_the_mean_of_its_worst),
        cmocka_unit_test(views_move_returns_as_he_and_litterman_print_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
