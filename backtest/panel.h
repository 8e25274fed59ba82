/*
 * panel.h - prices of many assets aligned on one clock, in one currency, without looking ahead.
 * Built once per run in an arena, read-only afterwards; any number of threads may read it.
 *
 * Clock     the dates on which at least one held asset has a bar, within [start, end]. Assets that
 *           only monkeys may draw and the benchmark add no date. When every held asset's bars end
 *           before a delisting, the delisting date is added too, so that it takes place.
 * Known at  T(t): the latest known_at among the held assets' bars dated clock[t].
 * Price     of an asset at t: its last bar with date <= clock[t] and known_at <= T(t), times the
 *           exchange rate chosen by the same rule. Nothing is filled backwards.
 * Shape     column by column: cell (asset a, session t) is at a * n_sessions + t.
 */
#ifndef BACKTEST_PANEL_H
#define BACKTEST_PANEL_H

#include "backtest/fx_table.h"
#include "backtest/spec.h"
#include "base/stop.h"

#define PANEL_NEVER UINT32_MAX /* a session that does not come */

enum panel_state {
    PANEL_TRADABLE = 1u << 0,  /* has a bar dated this session */
    PANEL_SUSPENDED = 1u << 1, /* last bar more than max_stale sessions ago */
    PANEL_DELISTED = 1u << 2,  /* at or after the session of its delisting */
};

struct panel_asset {
    const struct price_series *series;
    size_t n_bars;                 /* bars up to the delisting; later ones are not looked at */
    size_t currency;               /* index into panel.fx */
    uint32_t delisted_at;          /* session, or PANEL_NEVER */
    int32_t first_used, last_used; /* dates of the bars used inside the window */
    size_t n_bars_used;
    size_t stale_sessions;     /* valued at an older bar, suspended sessions included */
    size_t suspended_sessions; /* delisted sessions are not counted in either */
};

struct panel {
    size_t n_sessions;
    const int32_t *clock;
    const int64_t *known_at;

    size_t n_assets; /* columns: the held assets in request order, then the others */
    size_t n_held;   /* columns [0, n_held) are spec assets with a weight above 0 */
    struct panel_asset *assets;
    double *price;      /* base currency; > 0 */
    uint8_t *state;     /* of enum panel_state */
    uint32_t *n_closed; /* per session: assets that are not tradable, delisted ones left out */

    struct fx_table fx; /* base currency for one unit of an asset's currency */

    size_t *held;     /* column of the i-th held asset's spec entry: spec->assets[held[i]] */
    size_t *universe; /* columns that monkeys draw from, in the order of spec->universe */
    size_t n_universe;
    struct str *excluded; /* universe assets left out: they do not cover the window, or
                            their market closes too late for the clock */
    size_t n_excluded;

    const struct price_series *benchmark_series; /* NULL: none asked for */
    double *benchmark; /* per session, base currency; NaN where missing or older than max_stale */
    bool trades_24_7;  /* some held asset does */
    const struct kernels *kernels;
};

/*
 * Aligns the market data for spec, whose start and end must be set.
 * Errors: STATUS_UNKNOWN_ASSET when a series is missing; STATUS_NO_DATA and STATUS_BAD_DATA from
 * market.h, or fewer than two sessions; STATUS_OUTSIDE_COVERAGE when a held asset or an exchange rate
 * does not reach the whole window, naming it and what it covers; STATUS_TOO_LARGE when the arena is
 * too small for the panel; the stop's own status.
 */
enum status panel_build(const struct spec *spec, const struct market_data *market,
                        struct arena *arena, const struct stop *stop, struct panel **ret_panel,
                        struct err *err) NODISCARD;

static inline size_t panel_cell(const struct panel *panel, size_t asset, size_t session)
{
    return asset * panel->n_sessions + session;
}

/* The bar used for asset at session, in its own currency, and the rate it was converted with. */
double panel_local_price(const struct panel *panel, size_t asset, size_t session);
double panel_fx_rate(const struct panel *panel, size_t asset, size_t session);

#endif
