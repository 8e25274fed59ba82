/* engine_carry.c - interest, borrow fees, and blocks of sessions on which every close is looked at. */
#include "backtest/engine_state.h"

#include <math.h>

/* What one session's carry is made of; all of it >= 0 but what rounds the cash afterwards. */
struct carry {
    double cash_interest, debt_interest, borrow, rounding;
};

/* What is sold short: value at the common rate, and fees a year of what has a rate of its own. */
struct short_side {
    double value, fees;
};

/* The asset's own rate, a fraction a year; NaN: the common one. */
static double own_rate(const struct sim *sim, size_t j)
{
    const struct financing *f = &sim->rules->financing;
    for (size_t i = 0; i < f->n_asset_fees; i++) {
        struct str uid = sim->panel->assets[sim->plan->asset[j]].series->uid;
        if (str_eq(f->asset_fees[i].uid, uid))
            return f->asset_fees[i].percent / 100;
    }
    return (double)NAN;
}

static double carry_total(struct carry carry)
{
    return carry.cash_interest - carry.debt_interest - carry.borrow + carry.rounding;
}

/* For the calendar days from session t - 1 to t, on cash and what is sold short at t - 1. */
static struct carry carry_of(const struct sim *sim, size_t t, double cash, struct short_side shorts)
{
    const struct financing *f = &sim->rules->financing;
    struct carry carry = {0, 0, 0, 0};

    if (!(f->day_basis > 0))
        return carry;
    int32_t date = sim->panel->clock[t];
    double years = (double)(date - sim->panel->clock[t - 1]) / f->day_basis;
    if (cash > 0)
        carry.cash_interest = cash * f->cash_rate * years;
    else
        carry.debt_interest = -cash * f->debt_rate * years;
    if (shorts.value > 0)
        carry.borrow = shorts.value * dated_rate_on(f->borrow_fee, f->n_borrow_fee, date) * years;
    carry.borrow += shorts.fees * years;
    carry.rounding = sim_rounding_of(sim, cash + carry_total(carry));
    return carry;
}

static void book_carry(struct sim *sim, struct carry carry)
{
    if (sim->recorder == NULL)
        return;
    sim->recorder->cash_interest += carry.cash_interest;
    sim->recorder->rounding += carry.rounding;
    sim->recorder->paid[COST_INTEREST] += carry.debt_interest;
    sim->recorder->paid[COST_BORROW] += carry.borrow;
}

static struct short_side shorts_at(const struct sim *sim, size_t t)
{
    struct short_side sum = {0, 0};
    for (size_t j = 0; j < sim->plan->n; j++) {
        if (!(sim->ws->units[j] < 0))
            continue;
        double rate = own_rate(sim, j), value = -sim->ws->units[j] * sim->ws->column[j][t];
        if (isnan(rate))
            sum.value += value;
        else
            sum.fees += value * rate;
    }
    return sum;
}

void sim_carry(struct sim *sim, size_t t)
{
    if (sim->is_ruined)
        return;
    struct short_side shorts = {0, 0};
    if (sim->rules->leverage.is_allowed)
        shorts = shorts_at(sim, t - 1);
    struct carry carry = carry_of(sim, t, sim->cash, shorts);
    book_carry(sim, carry);
    sim->cash += carry_total(carry);
}

/* Adds the positions of one sign per session, money left out: line[k] is sum abs(units) * price at from + k. */
static void add_signed(const struct sim *sim, size_t from, size_t n, bool shorts, double *line)
{
    for (size_t k = 0; k < n; k++)
        line[k] = 0;
    for (size_t j = 0; j < sim->plan->n; j++) {
        double units = shorts ? -sim->ws->units[j] : sim->ws->units[j];
        if (!(units > 0) || sim_is_money(sim, j))
            continue;
        const double *price = sim->ws->column[j] + from;
        for (size_t k = 0; k < n; k++)
            line[k] += units * price[k];
    }
}

/*
 * Sessions [from, to) have no event. At most SIM_BLOCK of them are valued with the cash that the carry
 * leaves, then a watcher names the first close at which something happens; the ones after it are
 * valued again later. Returns the first session that has not been played.
 */
size_t sim_play_block(struct sim *sim, size_t from, size_t to)
{
    struct sim_workspace *ws = sim->ws;
    double *longs = ws->block, *shorts = longs + SIM_BLOCK, *gross = shorts + SIM_BLOCK;
    double *cash_at = gross + SIM_BLOCK, cash = sim->cash;
    struct carry carry[SIM_BLOCK];
    bool is_leveraged = sim->rules->leverage.is_allowed;

    to = to - from > SIM_BLOCK ? from + SIM_BLOCK : to;
    size_t n = to - from;
    sim->cash = 0;
    sim_value_sessions(sim, from, to);
    if (is_leveraged) {
        add_signed(sim, from, n, false, longs);
        add_signed(sim, from, n, true, shorts);
    }
    struct short_side sold = {0, 0};
    bool has_own_rates = is_leveraged && sim->rules->financing.n_asset_fees > 0;
    if (is_leveraged && from > 0)
        sold = shorts_at(sim, from - 1);
    for (size_t k = 0; k < n; k++) {
        carry[k] = (struct carry){0, 0, 0, 0};
        if (from + k > 0 && !sim->is_ruined)
            carry[k] = carry_of(sim, from + k, cash, sold);
        cash += carry_total(carry[k]);
        cash_at[k] = cash;
        ws->wealth[from + k] = cash + ws->wealth[from + k];
        if (is_leveraged) {
            sold = has_own_rates ? shorts_at(sim, from + k) : (struct short_side){shorts[k], 0};
            gross[k] = longs[k] + shorts[k];
        }
    }
    size_t fire = sim_first_fire(sim, &(struct sim_block){from, to, gross, cash_at});
    size_t end = fire < to ? fire + 1 : to;
    for (size_t t = from; t < end; t++) {
        book_carry(sim, carry[t - from]);
        if (sim->recorder != NULL)
            sim->recorder->cash[t] = cash_at[t - from];
    }
    sim->cash = cash_at[end - from - 1];
    sim_write_units(sim, from, fire < to ? fire : to);
    if (fire < to)
        sim_close(sim, fire);
    return end;
}
