/* engine_events.c - what happens to a position by itself: step 2 of engine.h. */
#include "backtest/engine_state.h"

#include <math.h>

/* The earliest session at which a targeted asset that is still there will be delisted. */
void sim_find_next_delisting(struct sim *sim)
{
    sim->next_delisting = PANEL_NEVER;
    for (size_t j = 0; j < sim->plan->n; j++) {
        uint32_t at = sim->panel->assets[sim->plan->asset[j]].delisted_at;
        if (!sim->ws->is_gone[j] && at < sim->next_delisting)
            sim->next_delisting = at;
    }
}

/* The position of a panel column among the targets; plan->n: it is none. */
static size_t target_of(const struct sim *sim, uint32_t asset)
{
    size_t low = 0, high = sim->plan->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sim->plan->asset[middle] < asset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sim->plan->n && sim->plan->asset[low] == asset ? low : sim->plan->n;
}

/* Receivables up to and without session to are what they have been. */
void sim_record_receivables(struct sim *sim, size_t to)
{
    double *line = sim->recorder != NULL ? sim->recorder->receivables : NULL;
    for (size_t t = sim->receivable_since; line != NULL && t < to; t++)
        line[t] = sim->receivable;
    sim->receivable_since = to;
}

void sim_set_receivable(struct sim *sim, size_t t, double receivable)
{
    sim_record_receivables(sim, t);
    sim->receivable = receivable;
}

/* The session of the next event that concerns a target. */
static uint32_t next_of_targets(struct sim *sim)
{
    const struct panel *panel = sim->panel;
    while (sim->next_event < panel->n_events &&
           target_of(sim, panel->events[sim->next_event].asset) == sim->plan->n)
        sim->next_event++;
    return sim->next_event < panel->n_events ? panel->events[sim->next_event].session : PANEL_NEVER;
}

/* That, or the session of the next payment. */
uint32_t sim_next_event(struct sim *sim)
{
    const struct panel *panel = sim->panel;
    uint32_t event = next_of_targets(sim), payment = PANEL_NEVER;
    for (size_t p = sim->next_payment; sim->n_due > 0 && p < panel->n_payments; p++)
        if (fabs(sim->ws->due[panel->payments[p]]) > 0) {
            payment = panel->events[panel->payments[p]].paid_at;
            break;
        }
    return payment < event ? payment : event;
}

/* Of units of target j, those that make no whole share; none where shares need not be whole, and of money. */
static double fraction_of(const struct sim *sim, size_t j, size_t t, double units)
{
    if (sim->rules->shares == SHARES_FRACTIONAL || sim_is_money(sim, j))
        return 0;
    double per_unit = sim_shares_per_unit(sim, j, t), shares = units * per_unit;
    double fraction = fabs(shares) - floor(fabs(shares) * (1 + 1e-12));
    return fraction > 0 ? (shares < 0 ? -fraction : fraction) / per_unit : 0;
}

/*
 * After a split the broker pays for the fraction of a share what it was worth at the close before, so that only
 * whole ones are held; without whole shares nothing happens, since a unit keeps its value.
 */
static double split_fraction(struct sim *sim, size_t j, size_t t)
{
    double units = fraction_of(sim, j, t, sim->ws->units[j]);
    if (!(fabs(units) > 0))
        return 0;
    sim->ws->units[j] -= units;
    sim_record_units(sim, sim->plan->asset[j], t, -units);
    if (sim->recorder != NULL && sim->recorder->fractions != NULL)
        sim->recorder->fractions[sim->next_event] = units;
    return units *
           sim->ws->column[j][t - 1]; /* a unit's price knows no splits; no event is of session 0 */
}

/* Shares or money that came without a trade. */
static void record_receipt(struct sim *sim, size_t k, size_t t, double units)
{
    bool is_money = sim_is_money(sim, k);
    double value = units * sim->ws->column[k][t];
    if (sim->recorder == NULL || !(fabs(units) > 0))
        return;
    struct sim_trade *trade = sim_next_trade(sim);
    *trade = (struct sim_trade){.session = (uint32_t)t,
                                .asset = (uint32_t)sim->plan->asset[k],
                                .reason = is_money ? SIM_INCOME : SIM_SPIN_OFF,
                                .is_buy = units > 0,
                                .quantity = fabs(units),
                                .value = fabs(value)};
    sim_record_trade(sim, trade);
}

/* The position of the money that an event pays in; plan->n: it pays in the run's currency, or in shares. */
static size_t money_of(const struct sim *sim, const struct panel_event *event)
{
    size_t k = event->into == PANEL_NEVER ? sim->plan->n : target_of(sim, event->into);
    return k < sim->plan->n && sim_is_money(sim, k) ? k : sim->plan->n;
}

/*
 * What the units of target j are given: shares of another, added to ws->change, or cash. Returns the cash: the worth of a
 * fraction, and of all where the other is no target or is gone. What is owed for what is sold short is paid in cash: money of
 * another currency is never less than nothing.
 */
static double receive_gift(struct sim *sim, size_t j, const struct panel_event *event, size_t t)
{
    size_t k = event->into == PANEL_NEVER ? sim->plan->n : target_of(sim, event->into);
    bool waits = event->paid_at != event->session; /* what it is worth now is owed */
    if (k == sim->plan->n || sim->ws->is_gone[k] ||
        (sim_is_money(sim, k) && (waits || sim->ws->units[j] < 0)))
        return sim->ws->units[j] * event->amount;
    double given = sim->ws->units[j] * event->units, price = sim->ws->column[k][t];
    double fraction = fraction_of(sim, k, t, given), kept = given - fraction;
    sim->ws->change[k] += kept;
    record_receipt(sim, k, t, kept);
    if (sim->recorder != NULL && sim_is_money(sim, k))
        sim->recorder->dividends += kept * price;
    return fraction * price;
}

/* What was owed becomes cash, or money of its currency. With the last of it nothing is left, whatever the sums rounded to. */
static void receive(struct sim *sim, size_t t)
{
    const struct panel *panel = sim->panel;
    double receivable = sim->receivable, paid = 0;
    for (; sim->next_payment < panel->n_payments; sim->next_payment++) {
        const struct panel_event *event = &panel->events[panel->payments[sim->next_payment]];
        double *due = &sim->ws->due[panel->payments[sim->next_payment]];
        if (event->paid_at > t)
            break;
        size_t k = *due > 0 ? money_of(sim, event) : sim->plan->n;
        if (k < sim->plan->n) {
            double units = *due / event->amount * event->units;
            sim_add_proceeds(sim,
                             -*due); /* they were counted, and now are what these units bring */
            sim->ws->units[k] += units;
            record_receipt(sim, k, t, units);
        } else {
            sim->cash += *due;
        }
        paid += *due;
        sim->n_due -= fabs(*due) > 0 ? 1 : 0;
        *due = 0;
    }
    if (fabs(paid) > 0)
        sim_set_receivable(sim, t, sim->n_due > 0 ? receivable - paid : 0);
}

static void pay_events(struct sim *sim, size_t t)
{
    const struct panel *panel = sim->panel;
    double *given = sim->ws->change;
    bool is_given = false;
    for (; sim->next_event < panel->n_events; sim->next_event++) {
        const struct panel_event *event = &panel->events[sim->next_event];
        if (event->session > t)
            break;
        size_t j = target_of(sim, event->asset);
        if (j == sim->plan->n || sim->ws->is_gone[j])
            continue;
        if (event->into != PANEL_NEVER && !is_given) {
            memset(given, 0, sim->plan->n * sizeof *given);
            is_given = true;
        }
        double paid = event->kind == ACTION_SPLIT ? split_fraction(sim, j, t)
                                                  : receive_gift(sim, j, event, t);
        if (event->paid_at == event->session || !(fabs(paid) > 0)) {
            sim->cash += paid;
        } else {
            sim->ws->due[sim->next_event] = paid;
            sim->n_due++;
            sim_set_receivable(sim, t, sim->receivable + paid);
        }
        sim_add_proceeds(sim, paid);
        if (sim->recorder != NULL)
            sim->recorder->dividends += paid;
    }
    /* Whoever is given shares today has no part in what they bring today: their close is without it. */
    for (size_t k = 0; is_given && k < sim->plan->n; k++)
        sim->ws->units[k] += given[k];
}

/* What a position that is gone has left: cash, or money of its currency where that is kept; what it owes is paid in cash. */
static void take_proceeds(struct sim *sim, uint32_t money, size_t t, double value)
{
    size_t k = money == PANEL_NEVER ? sim->plan->n : target_of(sim, money);
    if (k == sim->plan->n || value < 0) {
        sim_add_proceeds(sim, value);
        sim->cash += value;
        return;
    }
    double units = value / sim->ws->column[k][t];
    sim->ws->units[k] += units;
    record_receipt(sim, k, t, units);
}

/* Positions delisted by session t become cash. */
static void delist(struct sim *sim, size_t t)
{
    for (size_t j = 0; j < sim->plan->n; j++) {
        size_t a = sim->plan->asset[j];
        const struct panel_asset *asset = &sim->panel->assets[a];
        if (sim->ws->is_gone[j] || asset->delisted_at > t)
            continue;
        double units = sim->ws->units[j];
        double value = units * sim->ws->column[j][t];
        double gain = value * asset->delisting_return;
        if (sim->recorder != NULL && fabs(units) > 0) {
            struct sim_trade *trade = sim_next_trade(sim);
            *trade = (struct sim_trade){.session = (uint32_t)t,
                                        .asset = (uint32_t)a,
                                        .reason = SIM_DELISTING,
                                        .is_buy = units < 0,
                                        .quantity = fabs(units),
                                        .value = fabs(value + gain)};
            sim_record_trade(sim, trade);
            sim->recorder->delisting_gain += gain;
        }
        sim->ws->units[j] = 0;
        take_proceeds(sim, asset->money, t, value + gain);
        sim->ws->is_gone[j] = true;
        sim->n_gone++;
    }
    sim_find_next_delisting(sim);
}

void sim_apply_events(struct sim *sim, size_t t)
{
    if (sim->panel->n_payments > 0)
        receive(sim, t);
    if (sim->next_event < sim->panel->n_events)
        pay_events(sim, t);
    if (sim->next_delisting <= t)
        delist(sim, t);
    (void)sim_round_cash(sim);
}
