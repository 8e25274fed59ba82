/*
 * engine_state.h - the state of one simulation, shared by the files engine*.c and by nobody else.
 * Each file owns one step of a session; engine.h lists them in order.
 */
#ifndef BACKTEST_ENGINE_STATE_H
#define BACKTEST_ENGINE_STATE_H

#include "backtest/engine.h"

enum { SIM_STRETCH = 64 }; /* sessions whose prices stay in the nearest cache for many plans */

#include <math.h>
#include <string.h>

struct sim {
    const struct panel *panel;
    const struct plan *plan;
    const struct sim_rules *rules;
    struct sim_workspace *ws;
    struct sim_recorder *recorder; /* NULL: equity only */
    double cash;                   /* may be spent */
    double receivable; /* dividends not paid yet: counted in the wealth, not to be spent */
    size_t at;         /* the session to be played next */

    bool is_pending;     /* a decision waits for its fill */
    bool is_carried;     /* it is what a volume limit left of an earlier fill */
    bool is_partial;     /* of the decision: bands moved it, so scope and destination apply */
    bool is_liquidation; /* a margin call waits for its fill */
    bool is_invested;    /* the first purchase has been made */
    bool is_ruined;
    bool is_flat;          /* costs are proportional and alike: sizes have a closed form */
    struct cost_flat flat; /* when is_flat */
    bool is_plain;         /* flat costs and fractional shares: an order is what was wanted */
    bool is_simple;        /* flat costs, every trade in full: the short way through a fill */
    bool is_quiet;         /* of what is watched, only bands: cash does not change by itself */
    bool is_end_only;      /* quiet days need no value but the last */
    bool is_watched;  /* something has to be looked at on every close, or cash changes by itself */
    size_t traded_at; /* the last session at whose close something was traded; SIZE_MAX: none */
    size_t ready_at;  /* first session at which the waiting decision may be filled */
    size_t next_due;  /* index into rules->due; the targets in force are those of the one before */
    size_t next_flow; /* index into rules->flows */
    uint32_t next_delisting;
    size_t next_event;       /* index into panel->events */
    size_t next_payment;     /* index into panel->payments */
    size_t n_due;            /* of ws->due that are not 0 */
    size_t receivable_since; /* the first session whose receivables have not been recorded */

    const double *banded; /* the targets that ws->band belongs to; NULL: none yet */
    bool is_short;        /* a target was negative */
    const double
        *full_row;        /* the targets that ws->weight holds: none of them is 0; NULL: none do */
    bool is_breach_known; /* the close being played is outside a band, as ws->is_breached says */
    size_t n_gone;        /* of ws->is_gone */

    const double *open;            /* prices of a fill at the open; NULL: at the close */
    double to_invest;              /* came in and is to be invested by rule */
    size_t invest_at;              /* first session at which it may be */
    double owed;                   /* a withdrawal that could not be paid yet */
    double unit_scale;             /* equity = wealth * unit_scale */
    double unit;                   /* last value of the equity line */
    double month_traded;           /* in the calendar month of month */
    int32_t month;                 /* year * 12 + month */
    double kept;                   /* share of the wealth that the costs of simple fills left */
    double proceeds, proceeds_low; /* sales less purchases, a sum and its rounding */
    struct sim_trade unlisted;     /* the trade being recorded when the list is full */
};

/* The targets in force, and the share of the value that they add up to. */
static inline const double *sim_wanted(const struct sim *sim)
{
    return plan_row(sim->plan, sim->next_due - 1);
}

static inline double sim_invested(const struct sim *sim)
{
    return plan_invested(sim->plan, sim->next_due - 1);
}

/* Sessions between a decision and the first at which it may be filled. */
static inline size_t sim_fill_lag(const struct sim *sim)
{
    return sim->rules->fill == FILL_SAME_CLOSE ? 0 : 1;
}

/* The price of target j at which a fill of session t takes place. */
static inline double sim_fill_price(const struct sim *sim, size_t j, size_t t)
{
    return sim->open != NULL ? sim->open[panel_cell(sim->panel, sim->plan->asset[j], t)]
                             : sim->ws->column[j][t];
}

/* Tradable, suspended or closed at t; delisted targets are ws->is_gone. */
static inline uint8_t sim_state(const struct sim *sim, size_t j, size_t t)
{
    return sim->panel->n_closed[t] == 0
               ? PANEL_TRADABLE
               : sim->panel->state[panel_cell(sim->panel, sim->plan->asset[j], t)];
}

/* Real shares that one unit of target j stands for at t. */
static inline double sim_shares_per_unit(const struct sim *sim, size_t j, size_t t)
{
    const double *shares = sim->panel->shares_per_unit;
    return shares != NULL ? shares[panel_cell(sim->panel, sim->plan->asset[j], t)] : 1;
}

static inline bool sim_is_foreign(const struct sim *sim, size_t a)
{
    const struct fx_table *fx = &sim->panel->fx;
    return memcmp(fx->currency[sim->panel->assets[a].currency], fx->base, 3) != 0;
}

/* Money of another currency, which is a position: nothing but its conversion costs anything. */
static inline bool sim_is_money(const struct sim *sim, size_t j)
{
    return sim->panel->assets[sim->plan->asset[j]].is_money;
}

/* What brings an amount of cash to the next whole unit. */
static inline double sim_rounding_of(const struct sim *sim, double cash)
{
    double units = sim->rules->cash_units;
    return units > 0 ? floor(cash * units + 0.5) / units - cash : 0;
}

/* Rounds the cash; returns what that has added. */
static inline double sim_round_cash(struct sim *sim)
{
    double rounding = sim_rounding_of(sim, sim->cash);
    sim->cash += rounding;
    if (sim->recorder != NULL)
        sim->recorder->rounding += rounding;
    return rounding;
}

/* What a change of the i-th active position costs; flat costs need no context. */
static inline double sim_cost_of(const struct sim *sim, size_t i, double change)
{
    return sim->is_flat ? costs_flat_of(&sim->flat, fabs(change))
                        : costs_of_trade(&sim->rules->costs, &sim->ws->context[i], change, NULL);
}

/* engine.c: whether nothing happens at t before its close has been valued; then sim_close() plays it. */
bool sim_acts_at_close_only(struct sim *sim, size_t t);

/* engine_value.c */
void sim_value_sessions(struct sim *sim, size_t from, size_t to);
void sim_record_shorts(struct sim *sim, size_t from, size_t to);
double sim_position_value(const struct sim *sim, size_t t);
void sim_write_units(struct sim *sim, size_t from, size_t to);

/* engine_events.c */
void sim_find_next_delisting(struct sim *sim);
void sim_apply_events(struct sim *sim, size_t t);
uint32_t sim_next_event(struct sim *sim);
void sim_set_receivable(struct sim *sim, size_t t, double receivable);
void sim_record_receivables(struct sim *sim, size_t to);

/* Nothing waits to be paid. */
static inline bool sim_has_receivable(const struct sim *sim)
{
    return fabs(sim->receivable) > 0;
}

/* engine_targets.c: ws->weight of the n active positions, whose values are ws->value */
/* Replaces the targets by how far the rule goes; ws->change is scratch: weights held. */
void sim_set_destinations(struct sim *sim, size_t n, double budget, double invested);
/* Those of a forced sale: every position shrinks alike, or to nothing. Money of other currencies stays. */
void sim_set_liquidation(struct sim *sim, size_t n, double budget);

/* engine_fill.c */
bool sim_fill(struct sim *sim, size_t t);
bool sim_select_active(struct sim *sim, size_t t, size_t *ret_n, double *ret_frozen);
void sim_choose_prices(struct sim *sim, size_t t, size_t n);
struct sim_trade *sim_next_trade(struct sim *sim);
void sim_record_trade(struct sim *sim, struct sim_trade *trade);
void sim_add_proceeds(struct sim *sim, double value);

/*
 * A change of what is held of a panel column at t. What the units held from a to b were charged is units * (charged[b] -
 * charged[a]), so that the sum over all changes of -change * charged, and what is left at the end, is the whole expense.
 */
static inline void sim_record_units(struct sim *sim, size_t a, size_t t, double change)
{
    const double *charged = sim->panel->charged;
    if (charged != NULL && sim->recorder != NULL)
        sim->recorder->paid[COST_EXPENSE] -= change * charged[panel_cell(sim->panel, a, t)];
}

/* What a fill came to. */
struct sim_traded {
    double value, cost;
    bool is_cut; /* by a volume limit */
};

/* engine_rebalance.c */
bool sim_can_rebalance(struct sim *sim, size_t t);
struct sim_traded sim_rebalance(struct sim *sim, size_t t, double *ret_before);

/* Lists a trade at flat costs, and adds it to the ledgers. */
void sim_record_flat(struct sim *sim, size_t t, size_t j, double change, enum sim_reason reason);

/* The wealth on a close, after money has come or gone. */
void sim_set_wealth(struct sim *sim, size_t t, double wealth);

/* engine_flow_scale.c: whether payments at t move every position by one factor; then the purchase and the sale. */
bool sim_can_scale(const struct sim *sim, size_t t, bool at_close);
/* False, and nothing is done: there is nothing to scale. */
bool sim_scale_up(struct sim *sim, size_t t, double amount);
/*
 * At a close that has been valued. Cash is at least amount afterwards; *ret_value: the value before it is paid. False, and
 * nothing is done: it takes all.
 */
bool sim_scale_down(struct sim *sim, size_t t, double amount, double *ret_value);

/* engine_orders.c: what ws->change[0..n) asks of the active positions */
struct sim_order {
    size_t t, n;
    enum sim_reason reason;
    double before; /* the portfolio's value */
    double floor;  /* cash may not fall below this: purchases are scaled to keep it */
    double min_trade;
    double fee_rate; /* a liquidation's */
};
void sim_fill_contexts(struct sim *sim, size_t t, size_t n);
struct sim_traded sim_execute(struct sim *sim, const struct sim_order *order);

/* engine_carry.c */
void sim_carry(struct sim *sim, size_t t);
size_t sim_play_block(struct sim *sim, size_t from, size_t to);

/* engine_flow.c */
void sim_flows_at_start(struct sim *sim, size_t t);
void sim_flow_orders(struct sim *sim, size_t t,
                     bool *is_valued); /* is the wealth at t known? before and after */
void sim_flows_at_end(struct sim *sim, size_t t);
size_t sim_next_flow_session(const struct sim *sim, size_t t);

/* engine_watch.c, engine_bands.c */
struct sim_block {
    size_t from, to;
    const double *gross; /* per session: sum of abs(position); set when leverage is allowed */
    const double *cash;  /* per session; NULL: it stays as it is */
};
size_t sim_first_fire(struct sim *sim, const struct sim_block *block);
void sim_close(struct sim *sim, size_t t);
bool sim_watches_bands(const struct sim *sim);
bool sim_is_breached(struct sim *sim, size_t t);
bool sim_may_be_breached(struct sim *sim, size_t t);
size_t sim_first_breach(struct sim *sim, const struct sim_block *block, size_t end);
size_t sim_play_bands(struct sim *sim, size_t from, size_t to);

#endif
