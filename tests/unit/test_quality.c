/*
 * test_quality.c - faults put into series whose truth is known are all found where they were put; clean ones,
 * made up and real, are left alone.
 */
#include "tests/unit/test_market_sample.h"

#include "backtest/quality.h"

enum { DAYS = 1500, OPEN_MAX = 2200, SEEDS = 40 };

/* A share with splits and dividends on the weekdays that are no holiday, and its calendar. */
struct made {
    int32_t open_day[OPEN_MAX];
    size_t n_open;
    size_t n;
    int32_t date[OPEN_MAX];
    int64_t known[OPEN_MAX];
    double open[OPEN_MAX], close[OPEN_MAX], volume[OPEN_MAX];
    double dividend[OPEN_MAX], split[OPEN_MAX], price[OPEN_MAX];
    bool has_action[OPEN_MAX];
};

static double draw_noise(struct rng *rng)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += rng_next_unit(rng);
    return sum - 6;
}

static void make_calendar(struct made *m, struct rng *rng)
{
    m->n_open = 0;
    for (int32_t d = day(2005, 1, 3); m->n_open < DAYS; d++)
        if (date_weekday(d) < 5 && rng_next_below(rng, 28) != 0)
            m->open_day[m->n_open++] = d;
}

static void make_clean(struct made *m, uint64_t seed)
{
    static const double splits[] = {2, 3, 1.5, 0.1};
    struct rng rng;
    double close = 40, shares = 1;
    rng_init(&rng, seed, 9);
    make_calendar(m, &rng);
    m->n = m->n_open;
    for (size_t i = 0; i < m->n; i++) {
        bool has_split = i > 5 && rng_next_below(&rng, 400) == 0;
        bool has_dividend = i > 5 && rng_next_below(&rng, 60) == 0;
        double before = close;
        m->date[i] = m->open_day[i];
        m->known[i] = (int64_t)m->date[i] * 86400 + 75600;
        m->split[i] = has_split ? splits[rng_next_below(&rng, 4)] : 1;
        double start = before / m->split[i];
        m->dividend[i] = has_dividend ? 0.01 * start : 0;
        m->open[i] = (start - m->dividend[i]) * (1 + 0.005 * draw_noise(&rng));
        close = m->open[i] * (1 + 0.014 * draw_noise(&rng));
        m->close[i] = close;
        m->volume[i] = (double)(10000 + rng_next_below(&rng, 90000));
        shares *= m->split[i] * (1 + m->dividend[i] / close);
        m->price[i] = shares * close;
        m->has_action[i] = has_split || has_dividend;
    }
}

static struct price_series series_of(const struct made *m)
{
    return (struct price_series){.uid = STR("x:A"),
                                 .currency = "USD",
                                 .n = m->n,
                                 .date = m->date,
                                 .price = m->price,
                                 .known_at = m->known,
                                 .open = m->open,
                                 .close = m->close,
                                 .volume = m->volume,
                                 .dividend = m->dividend,
                                 .split = m->split,
                                 .delisted_on = DATE_NONE};
}

static const struct series_quality *check(const struct price_series *series,
                                          struct quality_calendar calendar, struct arena *arena)
{
    const struct series_quality *q = NULL;
    struct err err = {0};
    assert_int_equal(quality_check(series, calendar, arena, &q, &err), STATUS_OK);
    return q;
}

static bool has(const struct series_quality *q, enum quality_kind kind, int32_t from, int32_t to)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->findings[i].kind == kind && q->findings[i].from == from && q->findings[i].to == to)
            return true;
    return false;
}

static void show(const struct series_quality *q)
{
    for (size_t i = 0; i < q->n; i++) {
        char from[DATE_TEXT_BYTES];
        date_format(q->findings[i].from, from);
        print_message("  %s %s %g\n", quality_names[q->findings[i].kind], from,
                      q->findings[i].size);
    }
}

/* Row i away, the others closed up: for gaps. */
static void remove_rows(struct made *m, size_t from, size_t count)
{
    for (size_t i = from; i + count < m->n; i++) {
        m->date[i] = m->date[i + count];
        m->known[i] = m->known[i + count];
        m->open[i] = m->open[i + count];
        m->close[i] = m->close[i + count];
        m->volume[i] = m->volume[i + count];
        m->dividend[i] = m->dividend[i + count];
        m->split[i] = m->split[i + count];
        m->price[i] = m->price[i + count];
        m->has_action[i] = m->has_action[i + count];
    }
    m->n -= count;
}

/* A place without actions near it, away from both ends. */
static size_t quiet_place(const struct made *m, uint64_t seed, size_t width)
{
    for (size_t i = 50 + (size_t)(seed * 131 % 1200);; i = i + 7 < m->n - 60 ? i + 7 : 50) {
        bool is_quiet = true;
        for (size_t k = i - 2; k < i + width + 2; k++)
            is_quiet = is_quiet && !m->has_action[k];
        if (is_quiet)
            return i;
    }
}

/* Each fault at its place; returns what has to be found. */
enum fault {
    ONE_DAY_GAP,
    LONG_GAP,
    STALE,
    ZERO_VOLUME,
    SPIKE_UP,
    SPIKE_DOWN,
    MISSED_SPLIT,       /* the adjusted close knows it */
    MISSED_SPLIT_OPEN,  /* no adjusted close at all; open and close jump */
    MISSED_SPLIT_CLOSE, /* nothing but adjusted closes, which forget it */
    MISSED_DIVIDEND,
    EXTRA_BAR,
    FAULTS
};

struct expectation {
    enum quality_kind kind;
    int32_t from, to;
};

static void scale_from(double *values, size_t from, size_t to, double factor)
{
    for (size_t i = from; i < to; i++)
        values[i] *= factor;
}

static struct expectation inject_gap(struct made *m, size_t at, size_t count)
{
    struct expectation e = {QUALITY_GAP, m->date[at], m->date[at + count - 1]};
    remove_rows(m, at, count);
    return e;
}

/* A bar on the first closed day after at; its close is its neighbour's, a little moved. */
static struct expectation inject_extra(struct made *m, size_t at)
{
    while (m->date[at + 1] == m->date[at] + 1)
        at++;
    for (size_t i = m->n; i > at + 1; i--) {
        m->date[i] = m->date[i - 1];
        m->known[i] = m->known[i - 1];
        m->open[i] = m->open[i - 1];
        m->close[i] = m->close[i - 1];
        m->volume[i] = m->volume[i - 1];
        m->dividend[i] = m->dividend[i - 1];
        m->split[i] = m->split[i - 1];
        m->price[i] = m->price[i - 1];
    }
    m->n++;
    m->date[at + 1] = m->date[at] + 1;
    m->dividend[at + 1] = 0;
    m->split[at + 1] = 1;
    m->close[at + 1] = m->close[at] * 1.001;
    m->price[at + 1] = m->price[at] * 1.001;
    return (struct expectation){QUALITY_MISFIT, m->date[at + 1], m->date[at + 1]};
}

static struct expectation inject(struct made *m, struct price_series *s, enum fault fault,
                                 uint64_t seed)
{
    static const double ratios[] = {2, 3, 4, 5, 10, 20, 0.5, 0.1};
    double ratio = ratios[seed % ARRAY_LEN(ratios)];
    size_t at = quiet_place(m, seed, 12);
    struct expectation e = {QUALITY_SPIKE, m->date[at], m->date[at]};
    switch (fault) {
    case ONE_DAY_GAP:
        e = inject_gap(m, at, 1);
        break;
    case LONG_GAP:
        e = inject_gap(m, at, 2 + seed % 8);
        break;
    case STALE:
        for (size_t i = at + 1; i <= at + 5; i++) {
            m->close[i] = m->close[at];
            m->price[i] = m->price[at];
        }
        e = (struct expectation){QUALITY_STALE_RUN, m->date[at], m->date[at + 5]};
        break;
    case ZERO_VOLUME:
        m->volume[at] = m->volume[at + 1] = 0;
        e = (struct expectation){QUALITY_ZERO_VOLUME, m->date[at], m->date[at + 1]};
        break;
    case SPIKE_UP:
    case SPIKE_DOWN:
        scale_from(m->close, at, at + 1, fault == SPIKE_UP ? 10 : 0.1);
        scale_from(m->price, at, at + 1, fault == SPIKE_UP ? 10 : 0.1);
        break;
    case MISSED_SPLIT:
        scale_from(m->close, at, m->n, 1 / ratio);
        scale_from(m->open, at, m->n, 1 / ratio);
        e.kind = QUALITY_MISMATCH;
        break;
    case MISSED_SPLIT_OPEN:
        scale_from(m->close, at, m->n, 1 / ratio);
        scale_from(m->open, at, m->n, 1 / ratio);
        s->price = NULL;
        e.kind = QUALITY_JUMP;
        break;
    case MISSED_SPLIT_CLOSE:
        scale_from(m->price, at, m->n, 1 / ratio);
        s->open = s->close = s->volume = s->dividend = s->split = NULL;
        e.kind = QUALITY_JUMP;
        break;
    case MISSED_DIVIDEND:
        while (!(m->dividend[at] > 0))
            at++;
        m->dividend[at] = 0;
        e = (struct expectation){QUALITY_MISMATCH, m->date[at], m->date[at]};
        break;
    case EXTRA_BAR:
        e = inject_extra(m, at);
        break;
    case FAULTS:
        break;
    }
    s->n = m->n;
    return e;
}

static void clean_series_have_no_findings(void **state)
{
    struct made *m = malloc(sizeof *m);
    (void)state;
    assert_non_null(m);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct arena arena;
        arena_init(&arena, 64 << 20);
        make_clean(m, seed);
        struct price_series s = series_of(m);
        const struct series_quality *q =
            check(&s, (struct quality_calendar){m->n_open, m->open_day}, &arena);
        show(q);
        assert_int_equal(q->n, 0);
        assert_true(q->has_calendar);
        arena_clear(&arena);
    }
    free(m);
}

static void every_injected_fault_is_found_where_it_was_put(void **state)
{
    struct made *m = malloc(sizeof *m);
    size_t n_found = 0;
    (void)state;
    assert_non_null(m);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (int fault = 0; fault < FAULTS; fault++) {
            struct arena arena;
            arena_init(&arena, 64 << 20);
            make_clean(m, seed);
            struct price_series s = series_of(m);
            struct expectation e = inject(m, &s, (enum fault)fault, seed);
            const struct series_quality *q =
                check(&s, (struct quality_calendar){m->n_open, m->open_day}, &arena);
            if (!has(q, e.kind, e.from, e.to)) {
                show(q);
                fail_msg("seed %d fault %d is not found as %s", (int)seed, fault,
                         quality_names[e.kind]);
            }
            n_found++;
            arena_clear(&arena);
        }
    }
    print_message("%zu injected faults, all found\n", n_found);
    free(m);
}

/* What makes a series unusable is refused before it is looked over, with the day it happened on. */
static void duplicates_disorder_and_negative_prices_are_refused(void **state)
{
    struct made *m = malloc(sizeof *m);
    struct err err = {0};
    (void)state;
    assert_non_null(m);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        make_clean(m, seed);
        size_t at = quiet_place(m, seed, 3);
        struct price_series s = series_of(m);
        assert_int_equal(market_check_series(&s, PRICES_RAW, &err), STATUS_OK);
        int32_t date = m->date[at];
        m->date[at] = m->date[at - 1];
        assert_int_equal(market_check_series(&s, PRICES_RAW, &err), STATUS_BAD_DATA);
        m->date[at] = m->date[at - 1] - 1;
        assert_int_equal(market_check_series(&s, PRICES_RAW, &err), STATUS_BAD_DATA);
        m->date[at] = date;
        m->close[at] = -m->close[at];
        assert_int_equal(market_check_series(&s, PRICES_RAW, &err), STATUS_BAD_DATA);
        char day_text[DATE_TEXT_BYTES];
        date_format(date, day_text);
        assert_non_null(strstr(err.detail, day_text));
    }
    free(m);
}

static void without_a_calendar_weekends_and_long_gaps_are_found(void **state)
{
    struct made *m = malloc(sizeof *m);
    struct arena arena;
    (void)state;
    assert_non_null(m);
    arena_init(&arena, 64 << 20);
    make_clean(m, 3);
    struct price_series s = series_of(m);
    const struct series_quality *q = check(&s, (struct quality_calendar){0}, &arena);
    assert_int_equal(q->n, 0);
    assert_false(q->has_calendar);
    struct expectation extra = inject_extra(m, 100);
    struct expectation gap = inject_gap(m, 300, 9);
    s.n = m->n;
    q = check(&s, (struct quality_calendar){0}, &arena);
    assert_true(date_weekday(extra.from) < 5 || has(q, QUALITY_MISFIT, extra.from, extra.to));
    assert_int_equal(q->findings[0].kind, QUALITY_GAP);
    assert_true(q->findings[0].from <= gap.from && q->findings[0].to >= gap.to);
    s.trades_24_7 = true; /* then every weekend is missing */
    q = check(&s, (struct quality_calendar){0}, &arena);
    assert_int_equal(q->n_unlisted[QUALITY_GAP] > 0 || q->n > 250, 1);
    arena_clear(&arena);
    free(m);
}

static void real_prices_have_less_than_one_finding_in_ten_thousand(void **state)
{
    struct sample_symbols all = sample_symbols();
    size_t n_days = 0, n_findings = 0;
    (void)state;
    if (all.n < 2)
        skip();
    for (size_t k = 0; k < all.n; k++) {
        struct world w;
        world_init(&w);
        struct sample *s = sample_load(&w, all.name[k]);
        struct sample *other = sample_load(&w, all.name[(k + 1) % all.n]);
        struct price_series *series = sample_add(&w, s, "x:A");
        struct quality_calendar calendars[] = {{0}, {other->n, other->date}};
        for (size_t i = 0; i < ARRAY_LEN(calendars); i++) {
            const struct series_quality *q = check(series, calendars[i], &w.arena);
            show(q);
            n_findings += q->n;
            n_days += s->n;
        }
        world_clear(&w);
    }
    print_message("%zu findings in %zu asset-days\n", n_findings, n_days);
    assert_true(n_findings * 10000 < n_days);
}

/* Every split of s forgotten in turn: found by the adjusted close, or by open and close alone. Returns how many. */
static size_t forget_splits(struct sample *s, struct price_series *series, struct arena *arena)
{
    const double *price = series->price;
    size_t n_splits = 0;
    for (size_t i = 1; i < s->n; i++) {
        double split = s->split[i];
        if (!(fabs(split - 1) > 0.2)) /* stock dividends of a few per cent are no splits */
            continue;
        s->split[i] = 1;
        const struct series_quality *q = check(series, (struct quality_calendar){0}, arena);
        assert_true(has(q, QUALITY_MISMATCH, s->date[i], s->date[i]));
        series->price = NULL;
        q = check(series, (struct quality_calendar){0}, arena);
        if (fabs(split - 1.25) > 0.01) /* 5 for 4 looks like a fall of a fifth */
            assert_true(has(q, QUALITY_JUMP, s->date[i], s->date[i]));
        series->price = price;
        s->split[i] = split;
        n_splits++;
    }
    return n_splits;
}

static void forgotten_splits_of_real_prices_are_found(void **state)
{
    struct sample_symbols all = sample_symbols();
    size_t n_splits = 0;
    (void)state;
    if (all.n == 0)
        skip();
    for (size_t k = 0; k < all.n; k++) {
        struct world w;
        world_init(&w);
        struct sample *s = sample_load(&w, all.name[k]);
        n_splits += forget_splits(s, sample_add(&w, s, "x:A"), &w.arena);
        world_clear(&w);
    }
    assert_true(n_splits >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_series_have_no_findings),
        cmocka_unit_test(every_injected_fault_is_found_where_it_was_put),
        cmocka_unit_test(duplicates_disorder_and_negative_prices_are_refused),
        cmocka_unit_test(without_a_calendar_weekends_and_long_gaps_are_found),
        cmocka_unit_test(forgotten_splits_of_real_prices_are_found),
        cmocka_unit_test(real_prices_have_less_than_one_finding_in_ten_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
