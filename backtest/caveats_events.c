/* caveats_events.c - warnings about what happened to held assets, and about the fills. */
#include "backtest/caveats_parts.h"

#include "base/date.h"

enum { NAMED_MAX = 5 };

/* Positions that stood still for longer than max_stale, and those that were delisted. */
static void add_events(struct collector *c)
{
    const struct panel *panel = c->result->panel;
    struct str *suspended = arena_array(c->arena, panel->n_positions + 1, sizeof *suspended);
    struct str *delisted = arena_array(c->arena, panel->n_positions + 1, sizeof *delisted);
    size_t n_suspended = 0, n_delisted = 0, asset_days = 0;
    struct buf text;

    if (suspended == NULL || delisted == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    for (size_t a = 0; a < panel->n_positions; a++) {
        const struct panel_asset *asset = &panel->assets[a];
        asset_days += asset->suspended_sessions;
        if (asset->suspended_sessions > 0)
            suspended[n_suspended++] = asset->series->uid;
        if (asset->delisted_at != PANEL_NEVER)
            delisted[n_delisted++] = asset->series->uid;
    }
    if (n_suspended > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "Valued at the last price for more than %u %s in a row; %zu %s in all.",
                   c->result->spec->max_stale,
                   str_plural(c->result->spec->max_stale, "session", "sessions"), asset_days,
                   str_plural(asset_days, "asset-session", "asset-sessions"));
        caveats_add(c, "suspended", buf_str(&text), suspended, n_suspended);
    }
    if (n_delisted > 0)
        caveats_add(c, "delisted", STR("Delisted during the backtest; the position became cash."),
                    delisted, n_delisted);
    if (c->result->ruined_on != DATE_NONE) {
        char day[DATE_TEXT_BYTES];
        date_format(c->result->ruined_on, day);
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "The portfolio lost everything on %s; metrics end there.", day);
        caveats_add(c, "ruined", buf_str(&text), NULL, 0);
    }
}

/* Held assets whose shares became others inside the window. */
static void add_changes(struct collector *c)
{
    const struct panel *panel = c->result->panel;
    struct str *uids = arena_array(c->arena, panel->n_held + 1, sizeof *uids);
    size_t n_uids = 0, n_named = 0;
    struct buf text;
    if (uids == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    buf_init(&text, c->arena, DETAIL_BYTES_MAX);
    buf_printf(&text, c->result->spec->spin_offs == SPIN_OFFS_KEEP
                          ? "Shares of others were received for these, and kept until a rebalance:"
                          : "Shares of others were received for these:");
    for (size_t a = 0; a < panel->n_held && c->result->spec->prices == PRICES_RAW; a++) {
        const struct price_series *series = panel->assets[a].series;
        size_t before = n_named;
        for (size_t i = 0; i < series->n_changes; i++) {
            const struct series_change *change = &series->changes[i];
            char day[DATE_TEXT_BYTES];
            if (change->date <= panel->clock[0] ||
                change->date > panel->clock[panel->n_sessions - 1])
                continue;
            date_format(change->date, day);
            if (n_named++ < NAMED_MAX)
                buf_printf(&text, "%s %.*s %s %s %.*s", n_named > 1 ? ";" : "",
                           STR_ARG(series->uid), day, change_kind_names[change->kind],
                           STR_ARG(change->into));
        }
        if (n_named > before)
            uids[n_uids++] = series->uid;
    }
    if (n_named > NAMED_MAX)
        buf_printf(&text, "; and %zu more", n_named - NAMED_MAX);
    buf_printf(&text, ".");
    if (n_named > 0)
        caveats_add(c, "shares_changed", buf_str(&text), uids, n_uids);
}

/* Dividends that came on their ex-date because nobody knows when they were paid. */
static void add_pay_dates(struct collector *c)
{
    const struct panel *panel = c->result->panel;
    struct str *uids = arena_array(c->arena, panel->n_held + 1, sizeof *uids);
    size_t n_uids = 0, n_unknown = 0;
    struct buf text;
    if (uids == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    for (size_t a = 0; a < panel->n_held && c->result->spec->pay_on == PAY_ON_PAY; a++) {
        const struct basis *basis = &panel->assets[a].basis;
        size_t before = n_unknown;
        for (size_t i = 0; i < basis->n_actions; i++) {
            const struct basis_action *action = &basis->actions[i];
            n_unknown += action->is_paid && action->kind != ACTION_SPIN_OFF &&
                                 action->pay_date == DATE_NONE && action->session > 0 &&
                                 action->session < panel->n_sessions
                             ? 1
                             : 0;
        }
        if (n_unknown > before)
            uids[n_uids++] = panel->assets[a].series->uid;
    }
    if (n_unknown == 0)
        return;
    buf_init(&text, c->arena, DETAIL_BYTES_MAX);
    buf_printf(&text, "%zu %s came on the ex-date, because the day of payment is not known.",
               n_unknown, str_plural(n_unknown, "dividend", "dividends"));
    caveats_add(c, "pay_date_missing", buf_str(&text), uids, n_uids);
}

/* What the fills had to do without, and what forced or ended them. */
static void add_trading(struct collector *c)
{
    const struct sim_recorder *l = &c->result->ledger;
    struct buf text;

    if (l->n_open_fallbacks > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text,
                   "%zu %s took place at the close for want of the price that fill asks for.",
                   l->n_open_fallbacks, str_plural(l->n_open_fallbacks, "fill", "fills"));
        caveats_add(c, "open_missing", buf_str(&text), NULL, 0);
    }
    if (l->n_volume_fallbacks > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "%zu %s charged fallback_bps for want of a volume.",
                   l->n_volume_fallbacks,
                   str_plural(l->n_volume_fallbacks, "trade was", "trades were"));
        caveats_add(c, "volume_missing", buf_str(&text), NULL, 0);
    }
    if (l->n_partial_fills > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "The volume limit cut %zu %s short.", l->n_partial_fills,
                   str_plural(l->n_partial_fills, "fill", "fills"));
        caveats_add(c, "partial_fills", buf_str(&text), NULL, 0);
    }
    if (l->n_margin_calls > 0) {
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "%zu margin %s forced trades.", l->n_margin_calls,
                   str_plural(l->n_margin_calls, "call", "calls"));
        caveats_add(c, "margin_call", buf_str(&text), NULL, 0);
    }
    if (l->exhausted_at != PANEL_NEVER) {
        char day[DATE_TEXT_BYTES];
        date_format(c->result->panel->clock[l->exhausted_at], day);
        buf_init(&text, c->arena, DETAIL_BYTES_MAX);
        buf_printf(&text, "A withdrawal on %s took everything that was left.", day);
        caveats_add(c, "exhausted", buf_str(&text), NULL, 0);
    }
}

void caveats_add_events(struct collector *c)
{
    add_events(c);
    add_changes(c);
    add_pay_dates(c);
    add_trading(c);
}
