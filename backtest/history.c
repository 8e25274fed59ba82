/* history.c - aligns the sessions before a run in the same way as the run itself. */
#include "backtest/history.h"

#include "backtest/coverage.h"

#include <assert.h>

/* Calendar days that hold n sessions of any exchange, holidays and closures included. */
static int32_t days_for(size_t n)
{
    return (int32_t)(n * 8 / 5) + 30;
}

/* The first day on which every held asset has a price, at most `days` before the run; else its start. */
static int32_t first_day(const struct spec *spec, const struct market_data *market, int32_t days)
{
    struct spec early = *spec;
    early.start = DATE_NONE;
    if (coverage_resolve(&early, market, NULL) != STATUS_OK || early.start >= spec->start)
        return spec->start;
    int32_t wanted = spec->start - days;
    return early.start > wanted ? early.start : wanted;
}

enum status history_open(const struct spec *spec, const struct market_data *market,
                         const struct panel *run, size_t n_before, struct arena *arena,
                         const struct stop *stop, struct history *ret, struct err *err)
{
    struct spec early = *spec;
    struct panel *panel = NULL;

    *ret = (struct history){run, 0};
    early.start = first_day(spec, market, days_for(n_before));
    if (n_before == 0 || early.start == spec->start)
        return STATUS_OK;
    early.n_monkeys = 0;
    early.n_universe = 0;
    if (!strategy_any_needs(spec->model, STRATEGY_BENCHMARK))
        early.benchmark = STR_NONE;
    enum status s = panel_build(&early, market, arena, stop, &panel, err);
    if (s == STATUS_OUTSIDE_COVERAGE || s == STATUS_NO_DATA)
        return STATUS_OK; /* a rate or a price is missing before the run: there is no history */
    if (s != STATUS_OK)
        return s;
    size_t first = 0;
    while (panel->clock[first] < run->clock[0])
        first++;
    assert(panel->n_held == run->n_held && panel->n_sessions - first == run->n_sessions);
    *ret = (struct history){panel, first};
    return STATUS_OK;
}
