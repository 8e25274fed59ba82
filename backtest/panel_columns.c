/* panel_columns.c - what some rules need beside closes, and what happens to held units; see panel_build. */
#include "backtest/panel_columns.h"

#include <math.h>
#include <string.h>

unsigned panel_columns(const struct spec *spec)
{
    const struct cost_slippage *slippage = &spec->costs.slippage;
    bool needs_volume = slippage->model >= SLIPPAGE_VOLUME_SHARE || slippage->volume_limit > 0;
    return (spec->prices == PRICES_RAW ? PANEL_SHARES : 0u) |
           (fill_is_before_close(spec->fill) ? PANEL_OPEN : 0u) |
           (spec->fill == FILL_NEXT_OHLC4 ? PANEL_OHLC4 : 0u) |
           (spec->fill == FILL_NEXT_HLC3 ? PANEL_HLC3 : 0u) | (needs_volume ? PANEL_VOLUME : 0u) |
           (spec->leverage.tests_extremes ? PANEL_EXTREMES : 0u);
}

bool panel_columns_init(struct panel *panel, const struct spec *spec, size_t max_assets,
                        struct arena *arena)
{
    unsigned wanted = panel_columns(spec);
    panel->fill = spec->fill;
    size_t n = max_assets * panel->n_sessions;
    if (wanted & PANEL_OPEN)
        panel->open = arena_array(arena, n, sizeof *panel->open);
    if (wanted & PANEL_VOLUME)
        panel->volume = arena_array(arena, n, sizeof *panel->volume);
    if (wanted & PANEL_EXTREMES) {
        panel->low = arena_array(arena, n, sizeof *panel->low);
        panel->high = arena_array(arena, n, sizeof *panel->high);
    }
    if (wanted & PANEL_SHARES)
        panel->shares_per_unit = arena_array(arena, n, sizeof *panel->shares_per_unit);
    if (!expenses_are_none(&spec->expenses)) {
        panel->kept = arena_array(arena, n, sizeof *panel->kept);
        panel->charged = arena_array(arena, n, sizeof *panel->charged);
        if (panel->kept == NULL || panel->charged == NULL)
            return false;
    }
    return (panel->open != NULL || !(wanted & PANEL_OPEN)) &&
           (panel->volume != NULL || !(wanted & PANEL_VOLUME)) &&
           ((panel->low != NULL && panel->high != NULL) || !(wanted & PANEL_EXTREMES)) &&
           (panel->shares_per_unit != NULL || !(wanted & PANEL_SHARES));
}

/* NaN where there is none. */
static double quote_at(const double *quoted, size_t row)
{
    return quoted != NULL && quoted[row] > 0 ? quoted[row] : (double)NAN;
}

/* Of the bar at row, at which fills before the close take place, on the scale of the unit's price; the rate is the close's. */
static double open_at(const struct panel_asset *asset, enum spec_fill fill, size_t row, double rate)
{
    const struct price_series *series = asset->series;
    double quote = quote_at(series->open, row);
    if (fill != FILL_NEXT_OPEN) {
        double range =
            quote_at(series->high, row) + quote_at(series->low, row) + quote_at(series->close, row);
        quote = fill == FILL_NEXT_OHLC4 ? (quote + range) / 4 : range / 3;
    }
    return basis_quote(&asset->basis, row, quote) * rate;
}

/* The worst that the price was in the session, from what is quoted over the close; a quote on its wrong side is none. */
static double extreme_at(const struct price_series *series, const double *quoted, size_t row,
                         double price, double side)
{
    if (quoted == NULL || series->close == NULL || !(quoted[row] > 0) || !(series->close[row] > 0))
        return price;
    double share = quoted[row] / series->close[row];
    return side * (share - 1) > 0 ? price * share : price;
}

void panel_columns_fill(struct panel *panel, size_t a, const uint32_t *row)
{
    const struct panel_asset *asset = &panel->assets[a];
    const double *rate = panel->fx.rate[asset->currency];
    size_t from = panel_cell(panel, a, 0);

    if (panel->open == NULL && panel->volume == NULL && panel->low == NULL &&
        panel->shares_per_unit == NULL)
        return;
    for (size_t t = 0; t < panel->n_sessions; t++) {
        bool is_open = panel->state[from + t] & PANEL_TRADABLE;
        if (panel->open != NULL)
            panel->open[from + t] =
                is_open ? open_at(asset, panel->fill, row[t], rate[t]) : (double)NAN;
        if (panel->volume != NULL)
            panel->volume[from + t] = is_open && asset->series->volume != NULL
                                          ? asset->series->volume[row[t]]
                                          : (double)NAN;
        if (panel->low != NULL) {
            double price = panel->price[from + t];
            panel->low[from + t] =
                is_open ? extreme_at(asset->series, asset->series->low, row[t], price, -1) : price;
            panel->high[from + t] =
                is_open ? extreme_at(asset->series, asset->series->high, row[t], price, 1) : price;
        }
        if (panel->shares_per_unit != NULL)
            panel->shares_per_unit[from + t] =
                row[t] == ALIGN_NO_ROW ? 1 : basis_shares(&asset->basis, row[t]);
    }
}

static void scale(double *column, size_t from, size_t n, const double *by)
{
    for (size_t t = 0; column != NULL && t < n; t++)
        column[from + t] *= by[t];
}

void panel_expense_apply(struct panel *panel, size_t a, const struct expenses *expenses)
{
    size_t n = panel->n_sessions, from = panel_cell(panel, a, 0);
    if (panel->kept == NULL)
        return;
    double *kept = panel->kept + from, *charged = panel->charged + from;
    for (size_t t = 0; panel->assets[a].is_money && t < n; t++) {
        kept[t] = 1;
        charged[t] = 0;
    }
    if (panel->assets[a].is_money)
        return; /* nobody charges for money */
    expenses_kept(expenses, panel->assets[a].series->uid, panel->clock, n, kept);
    charged[0] = 0;
    for (size_t t = 1; t < n; t++)
        charged[t] = charged[t - 1] + panel->price[from + t] * (kept[t - 1] - kept[t]);
    scale(panel->price, from, n, kept);
    scale(panel->open, from, n, kept);
    scale(panel->low, from, n, kept);
    scale(panel->high, from, n, kept);
    scale(panel->shares_per_unit, from, n, kept);
}

/* Actions at session 0 are over before anything is bought. */
static bool is_event(const struct panel *panel, const struct basis_action *action)
{
    return action->session > 0 && action->session < panel->n_sessions &&
           (action->is_paid || action->kind == ACTION_SPLIT);
}

/* The first session on or after the day of payment, if that comes after the action's own. */
static uint32_t paid_at(const struct panel *panel, const struct basis_action *action,
                        enum spec_pay_on pay_on)
{
    if (pay_on != PAY_ON_PAY || !action->is_paid || action->pay_date == DATE_NONE)
        return action->session;
    size_t at = dates_until(panel->clock, panel->n_sessions, action->pay_date - 1);
    if (at >= panel->n_sessions)
        return PANEL_NEVER;
    return at > action->session ? (uint32_t)at : action->session;
}

/* What a holding unit of a brings of another column at the action's session; cash where there is no such column. */
static void take_gift(const struct panel *panel, size_t a, const struct basis_action *action,
                      struct panel_event *event)
{
    const struct price_series *series = panel->assets[a].series;
    const struct series_gift *gift = &series->gifts[action->gift - 1];
    size_t into = panel_column_of(panel, gift->into), t = action->session;
    if (into == panel->n_assets || panel->assets[into].first_at > t)
        return;
    const struct panel_asset *other = &panel->assets[into];
    size_t rows = dates_until(other->series->date, other->n_bars, series->date[gift->row]);
    double per_share = rows > 0 ? 1 / basis_shares(&other->basis, rows - 1) : 1;
    event->into = (uint32_t)into;
    event->units = gift->ratio * action->shares * per_share;
    if (panel->kept != NULL)
        event->units *=
            panel->kept[panel_cell(panel, a, t)] / panel->kept[panel_cell(panel, into, t)];
    event->amount = event->units * panel->price[panel_cell(panel, into, t)];
}

static struct panel_event event_of(const struct panel *panel, size_t a,
                                   const struct basis_action *action, enum spec_pay_on pay_on)
{
    const struct panel_asset *asset = &panel->assets[a];
    double rate = panel->fx.rate[asset->currency][action->session];
    double amount = action->is_paid ? action->amount * action->shares * rate : 0;
    if (panel->kept != NULL)
        amount *= panel->kept[panel_cell(panel, a, action->session)];
    struct panel_event event = {.session = action->session,
                                .asset = (uint32_t)a,
                                .kind = action->kind,
                                .amount = amount,
                                .paid_at = paid_at(panel, action, pay_on),
                                .ratio = action->ratio,
                                .into = PANEL_NEVER};
    if (action->gift > 0)
        take_gift(panel, a, action, &event);
    if (event.into == PANEL_NEVER && action->is_paid && asset->money != PANEL_NEVER) {
        event.into = asset->money;
        event.units = amount / rate;
    }
    return event;
}

/* Sorts by counting: the events that are paid later by the session of their payment. */
static bool build_payments(struct panel *panel, size_t *next, struct arena *arena)
{
    size_t n = panel->n_sessions, count = 0;
    memset(next, 0, (n + 1) * sizeof *next);
    for (size_t e = 0; e < panel->n_events; e++) {
        const struct panel_event *event = &panel->events[e];
        if (event->paid_at == event->session)
            continue;
        count++;
        if (event->paid_at != PANEL_NEVER)
            next[event->paid_at + 1]++;
    }
    if (count == 0)
        return true;
    panel->payments = arena_array(arena, count, sizeof *panel->payments);
    if (panel->payments == NULL)
        return false;
    for (size_t t = 0; t < n; t++)
        next[t + 1] += next[t];
    for (size_t e = 0; e < panel->n_events; e++) {
        const struct panel_event *event = &panel->events[e];
        if (event->paid_at != event->session && event->paid_at != PANEL_NEVER)
            panel->payments[next[event->paid_at]++] = (uint32_t)e;
    }
    panel->n_payments = next[n];
    panel->has_receivables = true;
    return true;
}

bool panel_events_build(struct panel *panel, enum spec_pay_on pay_on, struct arena *arena)
{
    size_t n = panel->n_sessions, count = 0;
    size_t *next = arena_array(arena, n + 1, sizeof *next); /* of each session's events */
    if (next == NULL)
        return false;
    for (size_t a = 0; a < panel->n_assets; a++) {
        const struct basis *basis = &panel->assets[a].basis;
        for (size_t i = 0; i < basis->n_actions; i++)
            if (is_event(panel, &basis->actions[i])) {
                next[basis->actions[i].session + 1]++;
                count++;
            }
    }
    if (count == 0)
        return true;
    panel->events = arena_array(arena, count, sizeof *panel->events);
    if (panel->events == NULL)
        return false;
    for (size_t t = 0; t < n; t++)
        next[t + 1] += next[t];
    for (size_t a = 0; a < panel->n_assets; a++) {
        const struct basis *basis = &panel->assets[a].basis;
        for (size_t i = 0; i < basis->n_actions; i++)
            if (is_event(panel, &basis->actions[i]))
                panel->events[next[basis->actions[i].session]++] =
                    event_of(panel, a, &basis->actions[i], pay_on);
    }
    panel->n_events = count;
    return build_payments(panel, next, arena);
}
