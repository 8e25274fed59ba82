/* test_monkey_record.c - a track record among random portfolios: on its own dates, from its own first value. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/monkey_record.h"

enum { N_SERIES = 12, MONTHS = 30 };

static const char *const names[N_SERIES] = {"x:A", "x:B", "x:C", "x:D", "x:E", "x:F",
                                            "x:G", "x:H", "x:I", "x:J", "x:K", "x:L"};
#define ALL \
    "[\"x:A\",\"x:B\",\"x:C\",\"x:D\",\"x:E\",\"x:F\",\"x:G\",\"x:H\",\"x:I\",\"x:J\",\"x:K\",\"x:L\"]"

struct scene {
    struct world w;
    int32_t date[MONTHS];
    double value[MONTHS];
};

static double price_on(const struct price_series *series, int32_t date)
{
    size_t i = series->n;
    while (i > 0 && series->date[i - 1] > date)
        i--;
    assert_true(i > 0);
    return series->price[i - 1];
}

/* Month ends, weekends among them, from a year after the prices begin; the record is one instrument, times 3. */
static void set_up(struct scene *s, const char *uid)
{
    world_init(&s->w);
    for (size_t i = 0; i < N_SERIES; i++)
        (void)world_add_walk(&s->w, names[i], day(2014, 1, 1), 1200, i, 0);
    for (int m = 0; m < MONTHS; m++) {
        s->date[m] = date_add_months(day(2015, 1, 1), m) - 1;
        s->value[m] = 3 * price_on(market_find(&s->w.market, str_of(uid)), s->date[m]);
    }
}

static enum status read_ask(struct scene *s, const char *json, struct monkey_record_ask *ret,
                            struct err *err)
{
    struct json_doc *doc = NULL;
    *ret = (struct monkey_record_ask){.count = 0};
    assert_int_equal(jr_parse(str_of(json), &s->w.arena, &doc, err), STATUS_OK);
    enum status status = monkey_record_read(jr_root(doc), &s->w.arena, ret, err);
    jr_free(doc);
    return status;
}

static enum status rank(struct scene *s, const char *json, size_t n, struct monkey_report *ret,
                        struct err *err)
{
    struct monkey_record_ask ask;
    assert_int_equal(read_ask(s, json, &ask, err), STATUS_OK);
    const struct monkey_record record = {{s->date, s->value, n}, 12, 0.001, NULL};
    return monkey_record_rank(&ask, &record, &s->w.market, &s->w.arena, NULL, ret, err);
}

static void monkeys_of_one_instrument_are_that_instrument_on_the_records_dates(void **state)
{
    struct scene s;
    struct monkey_report r;
    struct err err = {0};
    (void)state;
    set_up(&s, "x:E");
    assert_int_equal(rank(&s,
                          "{\"monkeys\":{\"universe\":[\"x:E\"],\"names\":1,\"count\":20,"
                          "\"rebalance\":\"never\"}}",
                          MONTHS, &r, &err),
                     STATUS_OK);
    assert_int_equal(r.count, 20);
    assert_int_equal(r.n_names, 1);
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        assert_int_equal(r.row[k].n, 20);
        assert_close(r.row[k].quantile[0], r.row[k].strategy, 1e-11);
        assert_close(r.row[k].quantile[4], r.row[k].strategy, 1e-11);
    }
    assert_close(r.row[MONKEY_TERMINAL_WEALTH].strategy, s.value[MONTHS - 1], 1e-15);
    double years = date_years_between(s.date[0], s.date[MONTHS - 1]);
    assert_close(r.row[MONKEY_CAGR].strategy, pow(s.value[MONTHS - 1] / s.value[0], 1 / years) - 1,
                 1e-13);
    world_clear(&s.w);
}

static void sharpe_and_drawdown_are_those_of_the_records_periods(void **state)
{
    struct scene s;
    struct monkey_report r;
    struct err err = {0};
    double mean = 0, square = 0, peak = 0, deepest = 0, n = MONTHS - 1;
    (void)state;
    set_up(&s, "x:E");
    assert_int_equal(rank(&s, "{\"monkeys\":{\"universe\":[\"x:E\"],\"names\":1,\"count\":4}}",
                          MONTHS, &r, &err),
                     STATUS_OK);
    for (size_t m = 0; m < MONTHS; m++) {
        peak = fmax(peak, s.value[m]);
        deepest = fmin(deepest, s.value[m] / peak - 1);
        mean += m > 0 ? (s.value[m] / s.value[m - 1] - 1) / n : 0;
    }
    for (size_t m = 1; m < MONTHS; m++)
        square += pow(s.value[m] / s.value[m - 1] - 1 - mean, 2);
    double sharpe = (mean - 0.001) / sqrt(square / (n - 1)) * sqrt(12);
    assert_close(r.row[MONKEY_SHARPE].strategy, sharpe, 1e-11);
    assert_close(r.row[MONKEY_SHARPE].quantile[2], sharpe, 1e-10);
    assert_close(r.row[MONKEY_MAX_DRAWDOWN].quantile[2], deepest, 1e-11);
    world_clear(&s.w);
}

static void rank_is_that_of_the_instruments_when_each_monkey_holds_one(void **state)
{
    struct scene s;
    struct monkey_report r;
    struct err err = {0};
    double n_below = 0, lowest = INFINITY, highest = -INFINITY;
    (void)state;
    set_up(&s, "x:E");
    s.value[MONTHS - 1] *= 1.0001; /* not a tie, whatever the rounding */
    double own = s.value[MONTHS - 1] / s.value[0];
    for (size_t i = 0; i < N_SERIES; i++) {
        const struct price_series *series = market_find(&s.w.market, str_of(names[i]));
        double growth = price_on(series, s.date[MONTHS - 1]) / price_on(series, s.date[0]);
        n_below += growth < own ? 1 : 0;
        lowest = fmin(lowest, growth);
        highest = fmax(highest, growth);
    }
    assert_int_equal(
        rank(&s, "{\"monkeys\":{\"universe\":" ALL ",\"names\":1,\"count\":2000,\"seed\":5}}",
             MONTHS, &r, &err),
        STATUS_OK);
    const struct monkey_row *row = &r.row[MONKEY_TERMINAL_WEALTH];
    assert_close(row->rank.percentile, n_below / N_SERIES, 0.04); /* 3.5 standard errors */
    assert_true(row->quantile[0] >= lowest * s.value[0] * (1 - 1e-9));
    assert_true(row->quantile[4] <= highest * s.value[0] * (1 + 1e-9));
    assert_close(row->rank.p_value, (1 + 2000 * (1 - row->rank.percentile)) / 2001, 1e-12);
    world_clear(&s.w);
}

static void record_that_no_monkey_matches_has_the_least_p(void **state)
{
    struct scene s;
    struct monkey_report r, again;
    struct err err = {0};
    static const char ask[] = "{\"monkeys\":{\"universe\":" ALL ",\"names\":4,\"count\":99}}";
    (void)state;
    set_up(&s, "x:E");
    for (int m = 0; m < MONTHS; m++)
        s.value[m] = 100 * pow(1.2, m);
    assert_int_equal(rank(&s, ask, MONTHS, &r, &err), STATUS_OK);
    assert_int_equal(rank(&s, ask, MONTHS, &again, &err), STATUS_OK);
    assert_int_equal(r.n_names, 4);
    assert_close(r.row[MONKEY_CAGR].rank.p_value, 0.01, 1e-15);
    assert_close(r.row[MONKEY_CAGR].rank.percentile, 1, 0);
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++)
        assert_memory_equal(r.row[k].quantile, again.row[k].quantile, sizeof r.row[k].quantile);
    world_clear(&s.w);
}

static void what_monkeys_cannot_do_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *json, *at;
        enum status status;
    } cases[] = {
        {"{\"monkeys\":{\"names\":1}}", "/monkeys/universe", STATUS_WRONG_TYPE},
        {"{\"monkeys\":{\"universe\":[\"x:A\"]}}", "/monkeys/names", STATUS_WRONG_TYPE},
        {"{\"monkeys\":{\"universe\":[\"x:A\"],\"names\":2}}", "/monkeys/names",
         STATUS_OUT_OF_RANGE},
        {"{\"monkeys\":{\"universe\":[\"x:A\"],\"names\":1,\"count\":10001}}", "/monkeys/count",
         STATUS_OUT_OF_RANGE},
        {"{\"monkeys\":{\"universe\":[\"x:A\"],\"names\":1,\"currency\":\"usd\"}}",
         "/monkeys/currency", STATUS_WRONG_TYPE},
        {"{\"monkeys\":{\"universe\":[\"x:A\"],\"names\":1,\"rebalance\":\"often\"}}",
         "/monkeys/rebalance", STATUS_OUT_OF_RANGE},
        {"{\"monkeys\":{\"universe\":[\"x:A\",\"x:A\"],\"names\":1}}", "/monkeys/universe/1",
         STATUS_BAD_SPEC},
        {"{\"monkeys\":{\"universe\":[\"x:A\"],\"names\":1,\"sed\":1}}", "/monkeys/sed",
         STATUS_UNKNOWN_FIELD},
    };
    struct scene s;
    struct monkey_record_ask ask;
    struct monkey_report r;
    (void)state;
    set_up(&s, "x:E");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        enum status status = read_ask(&s, cases[i].json, &ask, &err);
        if (status != cases[i].status || strcmp(err.name, cases[i].at) != 0)
            fail_msg("%s: %s at %s", cases[i].json, status_name(status), err.name);
    }
    struct err err = {0};
    for (int m = 0; m < MONTHS; m++)
        s.date[m] -= 500;
    assert_int_equal(
        rank(&s, "{\"monkeys\":{\"universe\":[\"x:A\",\"x:B\"],\"names\":1}}", MONTHS, &r, &err),
        STATUS_OUTSIDE_COVERAGE);
    assert_string_equal(err.name, "/monkeys/universe");
    world_clear(&s.w);
}

static void request_without_monkeys_has_none(void **state)
{
    struct scene s;
    struct monkey_record_ask ask;
    struct err err = {0};
    (void)state;
    set_up(&s, "x:E");
    assert_int_equal(read_ask(&s, "{}", &ask, &err), STATUS_OK);
    assert_int_equal(ask.count, 0);
    world_clear(&s.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monkeys_of_one_instrument_are_that_instrument_on_the_records_dates),
        cmocka_unit_test(sharpe_and_drawdown_are_those_of_the_records_periods),
        cmocka_unit_test(rank_is_that_of_the_instruments_when_each_monkey_holds_one),
        cmocka_unit_test(record_that_no_monkey_matches_has_the_least_p),
        cmocka_unit_test(what_monkeys_cannot_do_is_refused_with_its_place),
        cmocka_unit_test(request_without_monkeys_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
