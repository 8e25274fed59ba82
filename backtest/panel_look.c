/* panel_look.c - looks up names and single cells of a finished panel. */
#include "backtest/panel.h"

#include "backtest/align.h"

#include <math.h>

const char *panel_role(const struct panel *panel, size_t a)
{
    if (panel->assets[a].is_received)
        return panel->assets[a].is_money ? "money" : "received";
    return a < panel->n_held ? "held" : "universe";
}

size_t panel_column_of(const struct panel *panel, struct str uid)
{
    size_t a = 0;
    while (a < panel->n_assets && !str_eq(panel->assets[a].series->uid, uid))
        a++;
    return a;
}

static uint32_t row_of(const struct panel *panel, size_t asset, size_t session)
{
    const struct panel_asset *a = &panel->assets[asset];
    struct dated rows = {a->n_bars, a->series->date, a->series->known_at};
    return align_row_at(rows, panel->clock[session], panel->visible_until[session]);
}

static double panel_kept(const struct panel *panel, size_t asset, size_t session)
{
    return panel->kept != NULL ? panel->kept[panel_cell(panel, asset, session)] : 1;
}

double panel_local_price(const struct panel *panel, size_t asset, size_t session)
{
    const struct panel_asset *a = &panel->assets[asset];
    if (a->is_local && session < a->delisted_at)
        return panel->price[panel_cell(panel, asset, session)];
    uint32_t row = row_of(panel, asset, session);
    double kept = panel_kept(panel, asset, session);
    return row == ALIGN_NO_ROW ? (double)NAN : basis_value(&panel->assets[asset].basis, row) * kept;
}
