/* engine_targets.c - targets of a fill that are not those of the plan: how far a band sends a position, and forced sales. */
#include "backtest/engine_state.h"

#include <math.h>

/*
 * Only the positions outside their band go to their destination. The others of the opposite side
 * give or take what that needs, in proportion to how far they are off; so does cash.
 */
static void share_out_breach(struct sim *sim, size_t n, const double *held, double budget,
                             double invested)
{
    struct sim_workspace *ws = sim->ws;
    double moved = 0, counterpart = 0;
    double cash_off = sim->cash / budget - (1 - invested);

    for (size_t i = 0; i < n; i++) {
        if (ws->is_breached[ws->active[i]])
            moved += ws->weight[i] - held[i];
    }
    double side = moved > 0 ? 1 : -1; /* what is bought is paid for by what is above its target */
    counterpart += side * cash_off > 0 ? fabs(cash_off) : 0;
    for (size_t i = 0; i < n; i++) {
        double off = held[i] - ws->target[i];
        if (!ws->is_breached[ws->active[i]] && side * off > 0)
            counterpart += fabs(off);
    }
    double share = counterpart > 0 ? fabs(moved) / counterpart : 0;
    share = share < 1 ? share : 1;
    for (size_t i = 0; i < n; i++) {
        double off = held[i] - ws->target[i];
        if (ws->is_breached[ws->active[i]])
            continue;
        ws->weight[i] = side * off > 0 ? held[i] - share * off : held[i];
    }
}

void sim_set_destinations(struct sim *sim, size_t n, double budget, double invested)
{
    const struct rebalance_rule *rule = &sim->rules->rebalance;
    struct sim_workspace *ws = sim->ws;
    double *held = ws->change;

    for (size_t i = 0; i < n; i++) {
        held[i] = ws->value[i] / budget;
        ws->target[i] = ws->weight[i];
        ws->weight[i] = rebalance_destination_of(rule, held[i], ws->weight[i]);
    }
    if (rule->scope == SCOPE_BREACHED)
        share_out_breach(sim, n, held, budget, invested);
}

void sim_set_liquidation(struct sim *sim, size_t n, double budget)
{
    struct sim_workspace *ws = sim->ws;
    double gross = 0, allowed = 0;

    for (size_t i = 0; i < n; i++) {
        gross += sim_is_money(sim, ws->active[i]) ? 0 : fabs(ws->value[i]);
        allowed += fabs(ws->weight[i]);
    }
    double keep = allowed * budget < gross ? allowed * budget / gross : 1;
    if (sim->rules->leverage.liquidation == LIQUIDATION_CLOSE)
        keep = 0;
    for (size_t i = 0; i < n; i++)
        ws->weight[i] = (sim_is_money(sim, ws->active[i]) ? 1 : keep) * ws->value[i] / budget;
}
