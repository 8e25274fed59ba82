/* panel_builder.c - one column of a panel: prices and states at every session, and what there was of them. */
#include "backtest/panel_builder.h"

#include "backtest/coverage.h"
#include "backtest/panel_clock.h"
#include "backtest/panel_columns.h"

#include <math.h>
#include <string.h>

enum status panel_too_large(const struct panel_builder *b, struct err *err)
{
    return err_set(
        err, STATUS_TOO_LARGE,
        "A backtest of %zu assets over %zu sessions needs more memory than a request may use.",
        b->max_assets, b->panel->n_sessions);
}

enum status panel_find_series(const struct panel_builder *b, struct str uid,
                              const struct price_series **ret, struct err *err)
{
    const struct price_series *series = market_find(b->market, uid);
    if (series == NULL)
        return market_unknown(b->market, uid, err);
    *ret = series;
    return market_check_series(series, b->spec->prices, err);
}

enum status panel_fill_column(struct panel_builder *b, size_t a, bool *ret_is_covered,
                              struct err *err)
{
    struct panel *panel = b->panel;
    struct panel_asset *asset = &panel->assets[a];
    const struct price_series *series = asset->series;
    double *price = panel->price + panel_cell(panel, a, 0);
    uint8_t *state = panel->state + panel_cell(panel, a, 0);

    asset->n_bars = coverage_bars(series);
    enum status s =
        fx_table_add(&panel->fx, b->market, b->clock, series->currency, &asset->currency, err);
    if (s == STATUS_OK)
        s = basis_init(&asset->basis, series, asset->n_bars, basis_mode(b->spec), b->arena, err);
    if (s != STATUS_OK)
        return s;
    const double *rate = panel->fx.rate[asset->currency];
    asset->is_local = strcmp(series->currency, panel->fx.base) == 0;
    align_rows((struct dated){asset->n_bars, series->date, series->known_at}, b->clock, b->row);
    while (asset->is_received && asset->first_at < panel->n_sessions &&
           b->row[asset->first_at] == ALIGN_NO_ROW)
        asset->first_at++;
    basis_gather(&asset->basis, b->row, panel->n_sessions, price);
    basis_place(&asset->basis, b->row, panel->n_sessions);

    double redemption = basis_redemption(&asset->basis);
    bool is_redeemed = !isnan(redemption) && series->delisted_on == series->bond->maturity;
    asset->delisting_return = is_redeemed ? 0 : series->delisting_return;
    unsigned stale = 0;
    bool is_covered = asset->first_at < panel->n_sessions;
    for (size_t t = asset->first_at; t < panel->n_sessions; t++) {
        bool is_open = panel_clock_has_bar(panel, b->spec, series, b->row, t);
        price[t] *= rate[t];
        is_covered = is_covered && isfinite(price[t]);
        stale = is_open ? 0 : stale + 1;
        state[t] = (uint8_t)(is_open                      ? PANEL_TRADABLE
                             : stale > b->spec->max_stale ? PANEL_SUSPENDED
                                                          : 0);
    }
    for (size_t t = 0; is_covered && t < asset->first_at; t++) {
        price[t] = price[asset->first_at];
        state[t] = 0; /* neither open nor counted as closed: nobody has any */
    }
    size_t gone = series->delisted_on == DATE_NONE
                      ? panel->n_sessions
                      : dates_until(panel->clock, panel->n_sessions, series->delisted_on - 1);
    asset->delisted_at = gone < panel->n_sessions ? (uint32_t)gone : PANEL_NEVER;
    for (size_t t = gone; t < panel->n_sessions; t++) {
        state[t] = PANEL_DELISTED;
        price[t] = is_redeemed ? redemption * rate[t] : price[t];
    }
    panel_columns_fill(panel, a, b->row);
    panel_expense_apply(panel, a, &b->spec->expenses);
    *ret_is_covered = is_covered;
    return STATUS_OK;
}

void panel_count_column(struct panel *panel, size_t a)
{
    struct panel_asset *asset = &panel->assets[a];
    const uint8_t *state = panel->state + panel_cell(panel, a, 0);
    const struct price_series *series = asset->series;
    int32_t from = panel->clock[0], to = panel->clock[panel->n_sessions - 1];

    size_t first = dates_until(series->date, asset->n_bars, from - 1);
    size_t end = dates_until(series->date, asset->n_bars, to);
    asset->n_bars_used = end - first;
    asset->first_used = end > first ? series->date[first] : DATE_NONE;
    asset->last_used = end > first ? series->date[end - 1] : DATE_NONE;
    for (size_t t = asset->first_at; t < panel->n_sessions; t++) {
        if (state[t] & (PANEL_TRADABLE | PANEL_DELISTED))
            continue;
        panel->n_closed[t]++;
        asset->stale_sessions++;
        asset->suspended_sessions += state[t] & PANEL_SUSPENDED ? 1 : 0;
    }
}
