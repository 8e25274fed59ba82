/*
 * panel.h - prices of many assets aligned on one clock, in one currency, without looking ahead.
 * Built once per run in an arena, read-only afterwards; any number of threads may read it.
 *
 * Clock     union (default): the dates on which at least one held asset has a bar, within [start, end].
 *           Assets that only monkeys may draw and the benchmark add no date. When every held asset's
 *           bars end before a delisting, the delisting date is added too, so that it takes place.
 *           daily_24_7: every day. base: the dates on which one named asset has a bar.
 * Known at  T(t): the latest known_at among the held assets' bars dated clock[t] (union); the end of
 *           the day in UTC (daily_24_7); the known_at of the base's bar.
 * Price     of an asset at t: its last bar with date <= clock[t] and known_at <= T(t), times the
 *           exchange rate chosen by the same rule. Nothing is filled backwards. Aligned by label, a bar
 *           needs only date <= clock[t]: that looks ahead of T(t), and is flagged.
 * Units     price is what one holding unit is worth. It stands for shares_per_unit real shares, which
 *           change at splits and reinvested dividends, so that units held change by trades alone.
 * Expenses  a unit of a fund that charges for itself (expense.h) is less of it by the day: price and the columns
 *           below are those of what is left.
 * Received  shares that a held asset brings and that are kept (spin_offs) have a column of their own unless the request
 *           has one. Before their first price it holds that price: nothing of them is held then.
 * Money     of a currency that the assets pay in and that is kept (cash_currency) has a column too: a unit is 1 of it.
 * Shape     column by column: cell (asset a, session t) is at a * n_sessions + t.
 */
#ifndef BACKTEST_PANEL_H
#define BACKTEST_PANEL_H

#include "backtest/basis.h"
#include "backtest/calendar.h"
#include "backtest/fx_table.h"
#include "backtest/spec.h"
#include "base/stop.h"

#define PANEL_NEVER UINT32_MAX /* a session that does not come */

/* What a run needs beyond closes; see panel_columns. */
enum panel_column {
    PANEL_OPEN = 1u << 0,
    PANEL_VOLUME = 1u << 1,
    PANEL_SHARES = 1u << 2,
    PANEL_EXTREMES = 1u << 3,
    PANEL_OHLC4 = 1u << 4, /* beside PANEL_OPEN: what stands for it */
    PANEL_HLC3 = 1u << 5,
};

enum panel_state {
    PANEL_TRADABLE = 1u << 0, /* has a bar dated this session, or, off the union clock, a new one */
    PANEL_SUSPENDED = 1u << 1, /* last bar more than max_stale sessions ago */
    PANEL_DELISTED = 1u << 2,  /* at or after the session of its delisting */
};

/*
 * What happens to every holding unit at a session, before anything is traded. It takes place at the first
 * session whose price already knows it, which is when price falls by it.
 */
struct panel_event {
    uint32_t session;
    uint32_t asset; /* panel column */
    enum action_kind kind;
    double
        amount; /* cash, or worth of the shares, for one holding unit, base currency; 0 for a split */
    uint32_t
        paid_at;  /* the session whose cash it is; later than session: a receivable until then */
    double ratio; /* of a split: new shares for one old one; 1 otherwise */
    uint32_t
        into; /* column of the shares or the money that a holding unit brings; PANEL_NEVER: cash */
    double units; /* holding units of it; their worth is amount */
};

struct panel_asset {
    const struct price_series *series;
    struct basis basis;
    size_t n_bars;     /* bars up to the delisting; later ones are not looked at */
    size_t currency;   /* index into panel.fx */
    bool is_local;     /* its currency is the run's: no rate is looked at */
    uint32_t first_at; /* of shares received: the first session with a price; of others 0 */
    bool is_received, is_money;
    uint32_t money;       /* column of the money that it pays in; PANEL_NEVER: the run's currency */
    uint32_t delisted_at; /* session, or PANEL_NEVER; a bond is redeemed there */
    double delisting_return;       /* of the price at delisted_at, fraction */
    int32_t first_used, last_used; /* dates of the bars used inside the window */
    size_t n_bars_used;
    size_t stale_sessions;     /* valued at an older bar, suspended sessions included */
    size_t suspended_sessions; /* delisted sessions are not counted in either */
};

struct panel {
    size_t n_sessions;
    const int32_t *clock;
    struct calendar calendar;     /* of clock */
    const int64_t *known_at;      /* T(t) */
    const int64_t *visible_until; /* T(t), or INT64_MAX when sessions are aligned by label */

    size_t n_assets;    /* columns: held assets in request order, what they bring, the others */
    size_t n_held;      /* columns [0, n_held): spec assets with a weight above 0 */
    size_t n_positions; /* columns [0, n_positions) may be held: these and what they bring */
    bool has_money;     /* some column is one of money */
    struct panel_asset *assets;
    double *price;      /* value of one holding unit, base currency; > 0 */
    uint8_t *state;     /* of enum panel_state */
    uint32_t *n_closed; /* per session: assets that are not tradable, delisted ones left out */

    /* Cell by cell as price; NULL unless panel_columns asks for it. */
    double *
        open; /* of a fill before the close, on the scale of price; NaN where not tradable or unknown */
    enum spec_fill fill; /* which price of the session that is */
    double *low,
        *high;      /* on the scale of price, which they hold where there is none of that session */
    double *volume; /* shares traded that session; NaN likewise */
    double *shares_per_unit; /* real shares that one holding unit stands for; 1 where unknown */

    /* Cell by cell; NULL unless funds charge an expense. */
    double *kept;    /* the share of a unit that is left, see expenses_kept() */
    double *charged; /* what holding a unit since session 0 has cost, base currency */

    struct panel_event *events; /* by session, then asset, then order of happening; all columns */
    size_t n_events;
    uint32_t *payments; /* events that are paid later, by session of payment, then in their order */
    size_t n_payments;  /* some may come after the last session: see has_receivables */
    bool has_receivables;

    struct fx_table fx; /* base currency for one unit of an asset's currency */

    size_t *held;     /* column of the i-th held asset's spec entry: spec->assets[held[i]] */
    size_t *universe; /* columns that monkeys draw from, in the order of spec->universe */
    size_t n_universe;
    struct str *excluded; /* universe assets left out: they do not cover the window, or
                            their market closes too late for the clock */
    size_t n_excluded;

    const struct price_series *benchmark_series; /* NULL: none asked for */
    double *benchmark; /* per session, base currency; NaN where missing or older than max_stale */
    bool trades_every_day; /* sessions are all days of the year, not weekdays */
    const struct kernels *kernels;
};

/* Which of the optional arrays the rules of spec read, as bits of enum panel_column. */
unsigned panel_columns(const struct spec *spec);

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

/* "held", "received", "money" or "universe". */
const char *panel_role(const struct panel *panel, size_t a);

/* The first column of an instrument; n_assets: it has none. */
size_t panel_column_of(const struct panel *panel, struct str uid);

static inline size_t panel_cell(const struct panel *panel, size_t asset, size_t session)
{
    return asset * panel->n_sessions + session;
}

/*
 * At session: what one holding unit of asset is worth in its own currency, and the rate it is converted with. By
 * search: for the few sessions of trades.
 */
double panel_local_price(const struct panel *panel, size_t asset, size_t session);
static inline double panel_fx_rate(const struct panel *panel, size_t asset, size_t session)
{
    return panel->fx.rate[panel->assets[asset].currency][session];
}

#endif
