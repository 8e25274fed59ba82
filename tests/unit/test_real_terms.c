/* test_real_terms.c - runs in money of their first session, by prices as they were published, and withdrawal rates. */
#include "tests/unit/test_backtest_world.h"

enum { N_PRICES = 6 };

/* Consumer prices of a month, out in the middle of the next one; the last one is a revision. */
static void add_prices(struct world *w, struct rate_series *series)
{
    static int32_t date[N_PRICES];
    static int64_t known[N_PRICES];
    static const double value[N_PRICES] = {200, 202, 201, 204, 206, 206.5};
    for (size_t i = 0; i < N_PRICES; i++) {
        date[i] = day(2010, 1 + 2 * (int)i, 15);
        known[i] = (int64_t)date[i] * 86400 + 13 * 3600;
    }
    *series = (struct rate_series){.uid = STR("indicator:CPI:USA:M"),
                                   .n = N_PRICES,
                                   .date = date,
                                   .known_at = known,
                                   .value = value};
    w->market.rates = series;
    w->market.n_rates = 1;
}

static const char *const request =
    "{\"universe\":[\"x:A\",\"x:B\"],\"start\":\"2010-02-01\",\"end\":\"2010-12-31\",\"monkeys\":{"
    "\"count\":0},\"flows\":[{\"amount\":100,\"every\":\"month\"}],\"inflation\":"
    "\"indicator:CPI:USA:M\"}";

static void fill(struct world *w, struct rate_series *series)
{
    world_init(w);
    (void)world_add_walk(w, "x:A", day(2010, 1, 4), 300, 1, 0);
    (void)world_add_walk(w, "x:B", day(2010, 1, 4), 300, 2, 0);
    add_prices(w, series);
}

static void money_is_measured_by_the_prices_known_at_each_session(void **state)
{
    struct world w;
    struct rate_series series;
    (void)state;
    fill(&w, &series);
    struct backtest_result *r = world_run(&w, request);
    size_t n = r->panel->n_sessions;
    for (size_t t = 0; t < n; t++) {
        double known = 0;
        for (size_t i = 0; i < N_PRICES; i++)
            known = series.date[i] <= r->panel->clock[t] ? series.value[i] : known;
        assert_close(r->real.level[t], known / 200, 1e-15);
        assert_close(r->real.equity[t], r->equity[t] * 200 / known, 1e-15);
    }
    assert_close(r->real.inflation, 0.0325, 1e-12);
    assert_close(r->real.terminal_wealth, r->wealth[n - 1] * 200 / 206.5, 1e-15);
    assert_close(r->real.measures[MEASURE_total_return].value,
                 (1 + r->measures[MEASURE_total_return].value) / 1.0325 - 1, 1e-12);
    assert_close(1 + r->real.measures[MEASURE_cagr].value,
                 (1 + r->measures[MEASURE_cagr].value) / (1 + r->real.inflation_annual), 1e-12);
    world_clear(&w);
}

/* What is published after a session moves nothing at it. */
static void later_publications_move_nothing_before_them(void **state)
{
    struct world w;
    struct rate_series series;
    double changed[N_PRICES] = {200, 202, 201, 999, 999, 999};
    (void)state;
    fill(&w, &series);
    struct backtest_result *one = world_run(&w, request);
    series.value = changed;
    struct backtest_result *two = world_run(&w, request);
    size_t t = 0;
    for (; one->panel->clock[t] < day(2010, 7, 15); t++)
        assert_true(one->real.equity[t] <= two->real.equity[t] &&
                    one->real.equity[t] >= two->real.equity[t]);
    assert_true(one->real.equity[t] > 2 * two->real.equity[t]);
    world_clear(&w);
}

static void prices_that_cannot_measure_are_refused_by_name(void **state)
{
    struct world w;
    struct rate_series series;
    double zero[N_PRICES] = {200, 202, 0, 204, 206, 206.5};
    struct err err = {0};
    (void)state;
    fill(&w, &series);
    series.value = zero;
    assert_int_equal(world_fails(&w, request, &err), STATUS_BAD_DATA);
    assert_string_equal(err.name, "/inflation");
    series.value += 1;
    series.date += 1;
    series.known_at += 1;
    series.n = 1; /* from 15 March on */
    assert_int_equal(world_fails(&w, request, &err), STATUS_NO_DATA);
    assert_string_equal(err.name, "/inflation");
    assert_non_null(strstr(err.allowed, "2010-03-15"));
    world_clear(&w);
}

static void requests_name_what_is_wrong(void **state)
{
    static const struct {
        const char *members, *pointer;
        enum status status;
    } cases[] = {
        {"\"inflation\":3", "/inflation", STATUS_WRONG_TYPE},
        {"\"inflation\":\"CPI\"", "/inflation", STATUS_WRONG_TYPE},
        {"\"withdrawals\":30", "/withdrawals", STATUS_WRONG_TYPE},
        {"\"withdrawals\":{\"years\":0}", "/withdrawals/years", STATUS_OUT_OF_RANGE},
        {"\"withdrawals\":{\"rate\":0.04}", "/withdrawals/rate", STATUS_UNKNOWN_FIELD},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[256];
        (void)snprintf(body, sizeof body, "{\"universe\":[\"x:A\"],%s}", cases[i].members);
        assert_refused(body, cases[i].status, cases[i].pointer);
    }
}

/* Value after k years of paying rate at the beginning of each, by playing it. */
static double play(double rate, unsigned years, const size_t *at, const double *value)
{
    double worth = 1;
    for (unsigned k = 0; k < years; k++)
        worth = (worth - rate) * value[at[k + 1]] / value[at[k]];
    return worth;
}

/* The rate that leaves `left`, by halving. */
static double search(double left, unsigned years, const size_t *at, const double *value)
{
    double low = -1, high = 1;
    for (unsigned i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (play(middle, years, at, value) > left)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void withdrawal_rates_are_those_that_a_search_finds(void **state)
{
    enum { N = 3000, YEARS = 4 };
    static int32_t clock[N];
    static double value[N];
    struct withdrawal_rates rates = {0};
    struct arena arena;
    struct rng rng;
    size_t n = 0;
    (void)state;
    arena_init(&arena, 1 << 20);
    rng_init(&rng, 5, 5);
    for (int32_t d = day(2000, 1, 3); n < N; d++) {
        if (date_weekday(d) > 4)
            continue;
        clock[n] = d;
        value[n] = n == 0 ? 1 : value[n - 1] * (1 + (rng_next_unit(&rng) - 0.49) * 0.03);
        n++;
    }
    assert_int_equal(withdrawal_rates_take(YEARS, clock, value, N, &arena, &rates, NULL),
                     STATUS_OK);
    assert_int_equal(rates.n, 90); /* January 2000 to June 2007; the last session is 1 July 2011 */
    for (size_t i = 0; i < rates.n; i++) {
        size_t at[YEARS + 1];
        for (int k = 0; k <= YEARS; k++) {
            at[k] = 0;
            while (clock[at[k]] < date_add_months(rates.start[i], 12 * k))
                at[k]++;
        }
        assert_close(rates.safe[i], search(0, YEARS, at, value), 1e-9);
        assert_true(fabs(rates.perpetual[i] - search(1, YEARS, at, value)) < 1e-9);
        assert_true(rates.safe[i] >= rates.safe[rates.worst]);
        assert_true(rates.perpetual[i] >= rates.perpetual[rates.worst_perpetual]);
    }
    assert_int_equal(withdrawal_rates_take(30, clock, value, N, &arena, &rates, NULL), STATUS_OK);
    assert_int_equal(rates.n, 0);
    assert_true(isnan(rates.median) && rates.worst == 0);
    value[2000] = 0;
    assert_int_equal(withdrawal_rates_take(YEARS, clock, value, N, &arena, &rates, NULL),
                     STATUS_OK);
    assert_true(rates.safe[rates.worst] <= 0 && isnan(rates.perpetual[rates.worst]));
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_is_measured_by_the_prices_known_at_each_session),
        cmocka_unit_test(later_publications_move_nothing_before_them),
        cmocka_unit_test(prices_that_cannot_measure_are_refused_by_name),
        cmocka_unit_test(requests_name_what_is_wrong),
        cmocka_unit_test(withdrawal_rates_are_those_that_a_search_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
