/*
 * figures.c - what bt 1.4.1 works out by itself after a run (ffn's PerformanceStats): the line, its returns and declines, the
 * calendar, and the figures of days, months and years, in ffn's forms. Left out are the logarithms of the returns and the
 * positions of every session, which bt keeps; ours has the trades' sums, the weights at the end and the fill of each decision.
 */
#include "tests/bench/engine/figures.h"

#include "backtest/backtest.h"
#include "backtest/profile.h"
#include "tests/bench/engine/timing.h"

#include <stdio.h>
#include <stdlib.h>

/* By the names of ffn. */
static const char *const daily[] = {"total_return", "cagr", "max_drawdown", "calmar", "mtd", "three_month", "six_month", "ytd", "one_year", "three_year", "five_year", "ten_year", "incep", "daily_sharpe", "daily_sortino", "daily_mean", "daily_vol", "daily_skew", "daily_kurt", "best_day", "worst_day", "avg_drawdown", "avg_drawdown_days", "avg_up_month", "avg_down_month", "pos_month_perc", "win_year_perc"};
static const enum measure_id periodic[] = {
    MEASURE_annual_mean, MEASURE_volatility,      MEASURE_sharpe,   MEASURE_sortino,
    MEASURE_skewness,    MEASURE_kurtosis_excess, MEASURE_best_day, MEASURE_worst_day};

enum { MONTHS = 12, DAILY = (int)ARRAY_LEN(daily) };

struct report {
    const struct backtest_result *run; /* the line, figures of days, declines, calendar, ledger */
    struct measure_value months[MEASURE_ALL_COUNT], years[MEASURE_ALL_COUNT];
    double twelve_month_win; /* share of the stretches of eleven months that gained */
};

struct wanted {
    struct backtest_selection run;
    struct measure_set periods;
    enum measure_id row[DAILY];
};

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct wanted wanted_rows(void)
{
    struct wanted wanted;
    for (size_t i = 0; i < ARRAY_LEN(daily); i++) {
        if (!profile_find(PROFILE_ffn, str_of(daily[i]), &wanted.row[i])) {
            (void)fprintf(stderr, "ffn has no %s here\n", daily[i]);
            exit(1);
        }
    }
    wanted.run = (struct backtest_selection){measure_set_of(wanted.row, ARRAY_LEN(wanted.row)), true};
    wanted.periods = profile_set(PROFILE_ffn, periodic, ARRAY_LEN(periodic));
    return wanted;
}

/* The last value of each month, or of each year: the first of them is where the first return begins. */
static enum status measure_periods(bool by_year, const struct measure_set *wanted,
                                   struct arena *arena, struct report *report, struct err *err)
{
    const struct backtest_result *run = report->run;
    const struct panel *panel = run->panel;
    const struct calendar *calendar = &panel->calendar;
    size_t n = 0, n_months = 0;
    double *value = arena_room(arena, calendar->n_months, sizeof *value);
    int32_t *date = arena_room(arena, calendar->n_months, sizeof *date);
    if (value == NULL || date == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for periods.");
    for (size_t m = 0; m < calendar->n_months; m++) {
        const struct calendar_month *month = &calendar->months[m];
        bool is_last = m + 1 == calendar->n_months;
        if (by_year && !is_last && month[1].year == month->year)
            continue;
        size_t end = calendar_end(calendar, m);
        date[n] = calendar->date[end - 1];
        value[n++] = run->equity[end - 1];
    }
    for (size_t i = MONTHS - 1; i < n && !by_year; i++)
        n_months += value[i] > value[i - (MONTHS - 1)] ? 1 : 0;
    if (!by_year && n >= MONTHS)
        report->twelve_month_win = (double)n_months / (double)(n - (MONTHS - 1));
    struct measure_input input = {.path = {date, value, n},
                                  .periods_per_year = by_year ? 1 : MONTHS,
                                  .kernels = panel->kernels,
                                  .wanted = wanted};
    return n < 2 ? STATUS_OK
                 : measure_compute(&input, arena, by_year ? report->years : report->months, err);
}

/* A request as bt's strategy is one, on a panel that an earlier run has left. */
static enum status report_make(struct world *world, struct str request, const struct panel *panel,
                               const struct wanted *wanted, struct arena *arena,
                               struct report *report, struct err *err)
{
    struct spec *spec = NULL;
    struct backtest_result *run = NULL;
    enum status s = spec_parse(request, arena, &spec, err);
    if (s == STATUS_OK)
        s = spec_resolve_dates(spec, &world->market, err);
    if (s == STATUS_OK)
        s = backtest_figures(spec, &world->market, panel, &wanted->run, arena, NULL, &run, err);
    report->run = run;
    if (s == STATUS_OK)
        s = measure_periods(false, &wanted->periods, arena, report, err);
    return s == STATUS_OK ? measure_periods(true, &wanted->periods, arena, report, err) : s;
}

static void print_figure(const char *name, const struct measure_value *value)
{
    if (value->reason == REASON_NONE)
        printf("\"%s\":%.17g,", name, value->value);
    else
        printf("\"%s\":null,", name);
}

static void print_figures(const struct wanted *wanted, const struct report *report)
{
    static const char *const names[ARRAY_LEN(periodic)][2] = {
        {"monthly_mean", "yearly_mean"},     {"monthly_vol", "yearly_vol"},
        {"monthly_sharpe", "yearly_sharpe"}, {"monthly_sortino", "yearly_sortino"},
        {"monthly_skew", "yearly_skew"},     {"monthly_kurt", "yearly_kurt"},
        {"best_month", "best_year"},         {"worst_month", "worst_year"}};
    for (size_t i = 0; i < ARRAY_LEN(daily); i++)
        print_figure(daily[i], &report->run->measures[wanted->row[i]]);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum measure_id row = profile_row(PROFILE_ffn, periodic[i]);
        print_figure(names[i][0], &report->months[row]);
        print_figure(names[i][1], &report->years[row]);
    }
    printf("\"twelve_month_win_perc\":%.17g", report->twelve_month_win);
}

int figures_print(struct world *world, size_t rounds)
{
    struct str request = world_request_of_ffn(world);
    const struct wanted wanted = wanted_rows();
    double *took = calloc(rounds, sizeof *took);
    struct arena arena;
    struct report report = {0};
    struct spec *spec = NULL;
    struct panel *panel = NULL;
    struct err err = {0};
    arena_init(&arena, (size_t)1 << 33);
    enum status s = took == NULL ? STATUS_OUT_OF_MEMORY
                                 : spec_parse(request, &world->arena, &spec, &err);
    if (s == STATUS_OK)
        s = panel_build(spec, &world->market, &world->arena, NULL, &panel, &err);
    for (size_t i = 0; i < rounds && s == STATUS_OK; i++) {
        arena_reset(&arena);
        double from = cpu_s();
        s = report_make(world, request, panel, &wanted, &arena, &report, &err);
        took[i] = cpu_s() - from;
    }
    if (s == STATUS_OK) {
        qsort(took, rounds, sizeof *took, rising);
        printf("{\"engine_s\":%.9f,\"best_s\":%.9f,\"terminal\":%.17g,\"figures\":{",
               took[rounds / 2], took[0], report.run->equity[world->n_sessions - 1] / 100000);
        print_figures(&wanted, &report);
        printf("}}\n");
    } else {
        (void)fprintf(stderr, "%s\n", err.detail);
    }
    arena_clear(&arena);
    free(took);
    return s == STATUS_OK ? 0 : 1;
}
