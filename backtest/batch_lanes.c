/* batch_lanes.c - from one fill or flow to the next: the days between are valued, then every lane is moved. */
#include "backtest/batch_lanes.h"

#include "backtest/flow_scale.h"

#include "backtest/kernels.h"

#include <string.h>

struct lanes {
    const struct batch_group *group;
    const struct kernels *kernels;
    struct batch_workspace *ws;
    size_t
        n; /* lanes that are played: the group's portfolios, and its last one again up to whole fills */
    bool is_fixed; /* every plan has one row of targets for all decisions */
    size_t at;     /* session to be valued next */
    size_t next_due, next_flow;
    size_t invest_at; /* session at which what came in is invested; SIZE_MAX: nothing waits */
    double cash[BATCH_GROUP], invested[BATCH_GROUP], n_names[BATCH_GROUP];
    double wealth[BATCH_GROUP]; /* money at the last session valued */
    double scale[BATCH_GROUP];  /* equity = wealth * scale */
    double waiting[BATCH_GROUP], amount[BATCH_GROUP];
    struct kernel_holdings held;
    struct kernel_fill fill;
    struct cost_flat flat;
};

enum targets { TARGETS_SHORT, TARGETS_SOME_ZERO, TARGETS_FULL };

static const struct plan *plan_of(const struct batch_group *group, size_t p)
{
    return &group->plans[p < group->n ? p : group->n - 1]; /* the last fills up the group */
}

/* Lays decision d of every plan out as the kernels want it, and says what is among the targets. */
static enum targets lay_targets(struct lanes *lanes, size_t d)
{
    struct batch_workspace *ws = lanes->ws;
    double lowest = 1;
    memset(ws->target, 0, lanes->group->n_columns * BATCH_GROUP * sizeof *ws->target);
    for (size_t p = 0; p < lanes->n; p++) {
        const struct plan *plan = plan_of(lanes->group, p);
        const double *row = plan_row(plan, d);
        lanes->invested[p] = plan_invested(plan, d);
        for (size_t j = 0; j < plan->n; j++) {
            ws->target[(ws->place[plan->asset[j]] - 1) * BATCH_GROUP + p] = row[j];
            lowest = row[j] < lowest ? row[j] : lowest;
        }
    }
    lanes->fill.n_names = lowest > 0 ? NULL : lanes->n_names;
    return lowest < 0 ? TARGETS_SHORT : lowest > 0 ? TARGETS_FULL : TARGETS_SOME_ZERO;
}

static bool have_one_row(const struct batch_group *group)
{
    for (size_t p = 0; p < group->n; p++) {
        if (group->plans[p].stride != 0)
            return false;
    }
    return true;
}

static void lanes_init(struct lanes *lanes, const struct batch_group *group,
                       struct batch_workspace *ws)
{
    const struct sim_rules *rules = group->batch->rules;
    size_t n = group->n_columns;
    *lanes = (struct lanes){.group = group,
                            .kernels = group->batch->panel->kernels,
                            .ws = ws,
                            .n = (group->n + KERNEL_PORTFOLIOS - 1) / KERNEL_PORTFOLIOS *
                                 KERNEL_PORTFOLIOS,
                            .is_fixed = have_one_row(group),
                            .invest_at = SIZE_MAX};
    lanes->held = (struct kernel_holdings){ws->column, n,           ws->units,  lanes->cash,
                                           lanes->n,   BATCH_GROUP, ws->equity, ws->tile};
    lanes->fill = (struct kernel_fill){.price = ws->price,
                                       .n_assets = n,
                                       .before = lanes->wealth,
                                       .n_portfolios = lanes->n,
                                       .stride = BATCH_GROUP,
                                       .target = ws->target,
                                       .invested = lanes->invested,
                                       .rate = costs_flat_rate(&rules->costs),
                                       .rounding = SIM_ROUNDING,
                                       .units = ws->units,
                                       .cash = lanes->cash,
                                       .after = lanes->wealth,
                                       .value = ws->value,
                                       .weight = ws->weight};
    lanes->flat = costs_flat(&rules->costs);
    memset(ws->units, 0, n * BATCH_GROUP * sizeof *ws->units);
    for (size_t p = 0; p < lanes->n; p++) {
        lanes->cash[p] = lanes->wealth[p] = rules->capital;
        lanes->scale[p] = 1;
        lanes->n_names[p] = (double)plan_of(group, p)->n;
    }
}

static bool has_flows(const struct lanes *lanes)
{
    return lanes->group->batch->rules->n_flows > 0;
}

/* Sessions up to `to` without events. */
static void value_until(struct lanes *lanes, size_t to)
{
    size_t from = lanes->at;
    lanes->at = to;
    if (from >= to)
        return;
    lanes->kernels->value_many(&lanes->held, from, to);
    for (size_t p = 0; p < lanes->n; p++) {
        double *equity = lanes->ws->equity[p];
        lanes->wealth[p] = equity[to - 1];
        for (size_t t = from; t < to && has_flows(lanes); t++)
            equity[t] *= lanes->scale[p];
    }
}

static void take_prices(struct lanes *lanes, size_t t)
{
    for (size_t c = 0; c < lanes->group->n_columns; c++)
        lanes->ws->price[c] = lanes->ws->column[c][t];
}

static bool fill_at(struct lanes *lanes, size_t d, size_t t)
{
    if ((d == 0 || !lanes->is_fixed) && lay_targets(lanes, d) == TARGETS_SHORT)
        return false;
    take_prices(lanes, t);
    if (!lanes->kernels->fill_many(&lanes->fill))
        return false;
    for (size_t p = 0; p < lanes->n; p++) {
        lanes->ws->equity[p][t] =
            has_flows(lanes) ? lanes->wealth[p] * lanes->scale[p] : lanes->wealth[p];
        lanes->waiting[p] = 0;
    }
    lanes->invest_at = SIZE_MAX;
    return true;
}

/* What every lane's positions are worth at the close of t. */
static void value_positions(const struct lanes *lanes, size_t t, double *ret)
{
    const double *units = lanes->ws->units;
    memset(ret, 0, lanes->n * sizeof *ret);
    for (size_t c = 0; c < lanes->group->n_columns; c++, units += BATCH_GROUP) {
        double price = lanes->ws->column[c][t];
        for (size_t p = 0; p < lanes->n; p++)
            ret[p] += units[p] * price;
    }
}

static void scale_positions(struct lanes *lanes, const double *factor)
{
    double *units = lanes->ws->units;
    for (size_t c = 0; c < lanes->group->n_columns; c++, units += BATCH_GROUP)
        for (size_t p = 0; p < lanes->n; p++)
            units[p] *= factor[p];
}

/* What came in is invested at the close of t; the lanes do what engine_flow_scale.c does. */
static bool invest_at(struct lanes *lanes, size_t t)
{
    double held[BATCH_GROUP], factor[BATCH_GROUP];
    lanes->invest_at = SIZE_MAX;
    value_positions(lanes, t, held);
    for (size_t p = 0; p < lanes->n; p++) {
        double amount = lanes->waiting[p] < lanes->cash[p] ? lanes->waiting[p] : lanes->cash[p];
        lanes->waiting[p] = 0;
        if (!(held[p] > 0) || !(amount > 0))
            return false;
        struct flow_scale scale = flow_purchase(amount, held[p], flow_cost_rate(&lanes->flat));
        factor[p] = scale.factor;
        lanes->cash[p] -= amount;
        lanes->wealth[p] = lanes->cash[p] + (held[p] + scale.traded);
        lanes->ws->equity[p][t] = lanes->wealth[p] * lanes->scale[p];
    }
    scale_positions(lanes, factor);
    lanes->at = t + 1;
    return true;
}

static bool withdraw(struct lanes *lanes)
{
    double factor[BATCH_GROUP];
    for (size_t p = 0; p < lanes->n; p++) {
        double amount = lanes->amount[p], value = lanes->wealth[p], held = value - lanes->cash[p];
        factor[p] = 1;
        if (!(held > 0) || amount >= value * FLOW_WHOLE)
            return false;
        if (lanes->cash[p] < amount) {
            struct flow_scale scale =
                flow_sale(amount - lanes->cash[p], held, flow_cost_rate(&lanes->flat));
            if (!(scale.factor > 0))
                return false;
            factor[p] = scale.factor;
            value -= costs_flat_of(&lanes->flat, scale.traded);
            lanes->cash[p] = amount;
        }
        double after = value - amount;
        if (!(after > 0))
            return false;
        lanes->cash[p] -= amount;
        lanes->scale[p] *= value / after;
        lanes->wealth[p] = after;
    }
    scale_positions(lanes, factor);
    return true;
}

/* One contribution or withdrawal after the close of t. */
static bool flow_at(struct lanes *lanes, const struct flow *flow, size_t t)
{
    bool waits = lanes->group->batch->rules->allocation != FLOW_TO_CASH;
    if (!(flow->amount < 0 || flow->amount > 0))
        return true;
    for (size_t p = 0; p < lanes->n; p++) {
        double wealth = lanes->wealth[p];
        double amount = flow->is_share ? flow->amount * wealth : flow->amount;
        if (!(wealth > 0))
            return false;
        lanes->amount[p] = amount > 0 ? amount : -amount;
        if (!(amount > 0))
            continue;
        lanes->cash[p] += amount;
        lanes->scale[p] *= wealth / (wealth + amount);
        lanes->wealth[p] = wealth + amount;
        lanes->waiting[p] += waits ? amount : 0;
        lanes->invest_at = waits ? t + 1 : lanes->invest_at;
    }
    return flow->amount > 0 || withdraw(lanes);
}

/* The next session at which something other than valuation happens; a decision that is replaced before it is filled goes. */
static size_t next_event(struct lanes *lanes)
{
    const struct sim_rules *rules = lanes->group->batch->rules;
    size_t event = lanes->invest_at;
    while (lanes->next_due + 1 < rules->n_due && batch_fill_session(rules, lanes->next_due + 1) ==
                                                     batch_fill_session(rules, lanes->next_due))
        lanes->next_due++;
    if (lanes->next_due < rules->n_due && batch_fill_session(rules, lanes->next_due) < event)
        event = batch_fill_session(rules, lanes->next_due);
    if (lanes->next_flow < rules->n_flows && rules->flows[lanes->next_flow].session < event)
        event = rules->flows[lanes->next_flow].session;
    return event;
}

/* False: a portfolio does what lanes cannot. */
static bool play_session(struct lanes *lanes, size_t t)
{
    const struct sim_rules *rules = lanes->group->batch->rules;
    bool is_fill =
        lanes->next_due < rules->n_due && batch_fill_session(rules, lanes->next_due) == t;
    value_until(lanes, is_fill ? t + 1 : t);
    if (is_fill && !fill_at(lanes, lanes->next_due++, t))
        return false;
    if (lanes->invest_at == t && !invest_at(lanes, t))
        return false;
    value_until(lanes, t + 1);
    for (; lanes->next_flow < rules->n_flows && rules->flows[lanes->next_flow].session == t;
         lanes->next_flow++) {
        if (!flow_at(lanes, &rules->flows[lanes->next_flow], t))
            return false;
    }
    return true;
}

enum status batch_play_lanes(const struct batch_group *group, struct batch_workspace *ws,
                             bool *ret_done, struct err *err)
{
    const struct panel *panel = group->batch->panel;
    struct lanes lanes;
    lanes_init(&lanes, group, ws);
    for (size_t t; (t = next_event(&lanes)) < panel->n_sessions;) {
        if (stop_is_raised(group->stop))
            return stop_status(group->stop, err);
        if (!play_session(&lanes, t))
            return STATUS_OK;
    }
    value_until(&lanes, panel->n_sessions);
    for (size_t p = 0; p < lanes.n; p++) {
        ws->equity[p][0] = group->batch->rules->capital;
        ws->terminal[p] = lanes.wealth[p];
    }
    *ret_done = true;
    return STATUS_OK;
}
