/* engine_value.c - the value of what is held, session by session: step 5 of engine.h. */
#include "backtest/engine_state.h"

#include "backtest/kernels.h"

#include <math.h>

/* Sessions [from, to) without events. */
void sim_value_sessions(struct sim *sim, size_t from, size_t to)
{
    const struct sim_workspace *ws = sim->ws;
    sim->panel->kernels->value(ws->column, ws->units, sim->plan->n, from, to,
                               sim->cash + sim->receivable, ws->wealth);
    for (size_t t = from; sim->recorder != NULL && t < to; t++)
        sim->recorder->cash[t] = sim->cash;
    sim_record_shorts(sim, from, to);
}

void sim_record_shorts(struct sim *sim, size_t from, size_t to)
{
    const struct sim_workspace *ws = sim->ws;
    if (sim->recorder == NULL || !sim->rules->leverage.is_allowed)
        return; /* without leverage nothing is sold short */
    for (size_t t = from; t < to; t++)
        sim->recorder->shorts[t] = 0;
    for (size_t j = 0; j < sim->plan->n; j++) {
        for (size_t t = from; ws->units[j] < 0 && t < to; t++)
            sim->recorder->shorts[t] -= ws->units[j] * ws->column[j][t];
    }
}

double sim_position_value(const struct sim *sim, size_t t)
{
    double sum = 0;
    for (size_t j = 0; j < sim->plan->n; j++)
        sum += sim->ws->units[j] * sim->ws->column[j][t];
    return sum;
}

/* The time-weighted line of sessions [from, to); without flows it is the wealth itself. */
void sim_write_units(struct sim *sim, size_t from, size_t to)
{
    struct sim_workspace *ws = sim->ws;
    if (ws->equity == ws->wealth)
        return;
    const double *wealth = ws->wealth;
    double *equity = ws->equity, unit = sim->unit, scale = sim->unit_scale;
    bool is_free = !(scale > 0) || sim->is_ruined;
    for (size_t t = from; t < to; t++) {
        /* Nothing left after a withdrawal is no loss: the line stands still until money comes. */
        if (fabs(wealth[t]) > 0 || is_free)
            unit = wealth[t] * scale;
        equity[t] = unit;
    }
    sim->unit = unit;
}
