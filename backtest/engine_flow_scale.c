/* engine_flow_scale.c - the common payments: every position is open, and moved by one factor. Part of steps 3 and 6 of engine.h. */
#include "backtest/engine_state.h"

#include "backtest/flow_scale.h"

#include <math.h>

void sim_set_wealth(struct sim *sim, size_t t, double wealth)
{
    sim->ws->wealth[t] = wealth;
    if (sim->recorder != NULL)
        sim->recorder->cash[t] = sim->cash;
}

bool sim_can_scale(const struct sim *sim, size_t t, bool at_close)
{
    const struct sim_rules *rules = sim->rules;
    if (!sim->is_plain || rules->leverage.is_allowed || sim->n_gone > 0 ||
        sim_has_receivable(sim) || rules->allocation == FLOW_MOST_UNDERWEIGHT ||
        (fill_is_before_close(rules->fill) && !at_close))
        return false;
    for (size_t j = 0; sim->panel->n_closed[t] > 0 && j < sim->plan->n; j++) {
        if (!(sim_state(sim, j, t) & PANEL_TRADABLE))
            return false;
    }
    return true;
}

static double worth_at(const struct sim *sim, size_t t)
{
    double sum = 0;
    for (size_t j = 0; j < sim->plan->n; j++)
        sum += sim->ws->units[j] * sim->ws->column[j][t];
    return sum;
}

static void scale_positions(struct sim *sim, size_t t, double factor, enum sim_reason reason)
{
    struct sim_workspace *ws = sim->ws;
    for (size_t j = 0; sim->recorder != NULL && j < sim->plan->n; j++) {
        double change = ws->units[j] * ws->column[j][t] * (factor - 1);
        if (fabs(change) > 0)
            sim_record_flat(sim, t, j, change, reason);
    }
    double *units = ws->units;
    for (size_t j = 0, n = sim->plan->n; j < n; j++)
        units[j] *= factor;
}

bool sim_scale_up(struct sim *sim, size_t t, double amount)
{
    double held = worth_at(sim, t);
    if (!(held > 0) || !(amount > 0))
        return false;
    struct flow_scale scale = flow_purchase(amount, held, flow_cost_rate(&sim->flat));
    scale_positions(sim, t, scale.factor, SIM_CONTRIBUTION);
    sim->cash -= amount;
    sim_set_wealth(sim, t, sim->cash + (held + scale.traded));
    return true;
}

bool sim_scale_down(struct sim *sim, size_t t, double amount, double *ret_value)
{
    double value = sim->ws->wealth[t], held = value - sim->cash;
    if (!(held > 0) || amount >= value * FLOW_WHOLE)
        return false;
    if (sim->cash < amount) {
        struct flow_scale scale = flow_sale(amount - sim->cash, held, flow_cost_rate(&sim->flat));
        if (!(scale.factor > 0))
            return false;
        scale_positions(sim, t, scale.factor, SIM_WITHDRAWAL);
        value -= costs_flat_of(&sim->flat, scale.traded);
        sim->cash = amount;
    }
    *ret_value = value;
    return true;
}
