/* engine_flow.c - money that comes and goes: steps 3 and 6 of engine.h, and what is bought or sold for it. */
#include "backtest/engine_state.h"

#include <math.h>

enum { LEVEL_ROUNDS = 100, COST_ROUNDS = 60 };

/* Share of the wealth: sales that were sized to pay a withdrawal may miss it by what their sums round to. */
static const double OWED_ROUNDING = 1e-10;

/* A flow of amount leaves the time-weighted line where it is: the units change, not their value. */
static void move_money(struct sim *sim, size_t t, double before, double amount, bool at_start)
{
    struct sim_recorder *r = sim->recorder;
    double after = before + amount;

    sim->cash += amount;
    if (before > 0 && after > 0)
        sim->unit_scale *= before / after;
    else if (after > 0)
        sim->unit_scale = sim->unit / after;
    if (r == NULL)
        return;
    if (amount > 0)
        r->contributed += amount;
    else
        r->withdrawn -= amount;
    if (r->flows == NULL)
        return;
    struct sim_flow *last = r->n_flows > 0 ? &r->flows[r->n_flows - 1] : NULL;
    if (last != NULL && last->session == t && last->at_start == at_start)
        last->amount += amount;
    else
        r->flows[r->n_flows++] = (struct sim_flow){(uint32_t)t, at_start, amount};
}

/* Lists the positions that can be closed at t, those sold short when they are asked for; returns their worth at the fill's prices. */
static double list_closable(struct sim *sim, size_t t, bool at_close, bool with_short,
                            size_t *ret_n)
{
    struct sim_workspace *ws = sim->ws;
    size_t n = 0;
    double sum = 0;
    for (size_t j = 0; j < sim->plan->n; j++) {
        bool is_held = ws->units[j] > 0 || (with_short && ws->units[j] < 0);
        if (is_held && !ws->is_gone[j] && (sim_state(sim, j, t) & PANEL_TRADABLE))
            ws->active[n++] = j;
    }
    sim->open = NULL;
    if (!at_close)
        sim_choose_prices(sim, t, n);
    for (size_t i = 0; i < n; i++) {
        size_t j = ws->active[i];
        ws->value[i] = ws->units[j] * sim_fill_price(sim, j, t);
        sum += ws->value[i];
    }
    *ret_n = n;
    return sum;
}

/*
 * Shares amount out by distance: change[i] = clamp(room[i] - level, 0, most[i]) with the level at which
 * they add up to amount; the furthest comes first. room may be negative; most NULL: no upper limit.
 */
static void level_out(const double *room, const double *most, size_t n, double amount,
                      double *change)
{
    double low = 0, high = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        high = room[i] > high ? room[i] : high;
        low = room[i] < low ? room[i] : low;
    }
    low -= amount;
    for (size_t i = 0; i < n && most != NULL; i++)
        low = room[i] - most[i] < low ? room[i] - most[i] : low;
    for (size_t round = 0; round < LEVEL_ROUNDS; round++) {
        double level = 0.5 * (low + high);
        sum = 0;
        for (size_t i = 0; i < n; i++) {
            double x = room[i] - level;
            x = x > 0 ? x : 0;
            change[i] = most != NULL && x > most[i] ? most[i] : x;
            sum += change[i];
        }
        if (sum > amount)
            low = level;
        else
            high = level;
    }
    for (size_t i = 0; i < n && sum > 0; i++)
        change[i] *= amount / sum;
}

/* How far position i of the active ones lies below its target (negative: above), of value. */
static void set_rooms(struct sim *sim, size_t n, double value, double sign)
{
    const double *wanted = sim_wanted(sim);
    sim->full_row = NULL; /* ws->weight is written */
    for (size_t i = 0; i < n; i++) {
        double below = wanted[sim->ws->active[i]] * value - sim->ws->value[i];
        sim->ws->weight[i] = sign * below;
    }
}

/* Sales that bring in amount after their costs; everything when that is not enough. */
static void set_sales(struct sim *sim, size_t n, double worth, double value, double amount)
{
    struct sim_workspace *ws = sim->ws;
    bool by_level = sim->rules->allocation == FLOW_MOST_UNDERWEIGHT;
    double sold = amount < worth ? amount : worth;

    for (size_t round = 0; round < COST_ROUNDS; round++) {
        double paid = 0;
        if (by_level) {
            set_rooms(sim, n, value - amount, -1);
            level_out(ws->weight, ws->value, n, sold, ws->change);
        }
        for (size_t i = 0; i < n; i++) {
            ws->change[i] = by_level ? -ws->change[i] : -ws->value[i] * (sold / worth);
            if (sold >= worth)
                ws->change[i] = -ws->value[i];
            paid += sim_cost_of(sim, i, ws->change[i]);
        }
        double next = amount + paid < worth ? amount + paid : worth;
        if (fabs(next - sold) <= SIM_ROUNDING * worth)
            return;
        sold = next;
    }
}

/* Trades the wanted changes of n listed positions; returns what they cost. */
static double trade_out(struct sim *sim, size_t t, size_t n, double value)
{
    struct sim_order order = {
        .t = t, .n = n, .reason = SIM_WITHDRAWAL, .before = value, .floor = -(double)INFINITY};
    return sim_execute(sim, &order).cost;
}

/* Sells n listed positions until the cash covers need; returns what the sales cost. */
static double raise_cash(struct sim *sim, size_t t, size_t n, double worth, double value,
                         double need)
{
    if (!(worth > 0))
        return 0;
    sim_fill_contexts(sim, t, n);
    set_sales(sim, n, worth, value, need - sim->cash);
    return trade_out(sim, t, n, value);
}

/* Closes n listed positions; returns what that costs. */
static double close_all(struct sim *sim, size_t t, size_t n, double value)
{
    sim_fill_contexts(sim, t, n);
    for (size_t i = 0; i < n; i++)
        sim->ws->change[i] = -sim->ws->value[i];
    return trade_out(sim, t, n, value);
}

static double value_at_fill(const struct sim *sim, size_t t)
{
    double sum = 0;
    for (size_t j = 0; j < sim->plan->n; j++) {
        bool is_open = sim->open != NULL && (sim_state(sim, j, t) & PANEL_TRADABLE);
        double price = is_open ? sim_fill_price(sim, j, t) : sim->ws->column[j][t];
        if (is_open && !(price > 0))
            price = sim->ws->column[j][t];
        sum += sim->ws->units[j] * price;
    }
    return sim->cash + sum;
}

/*
 * Pays amount (> 0) out of cash, then out of sales; at_close: of a session that has been valued, and is valued anew. More than there is: all of it, once. What closed
 * markets keep from being sold stays owed.
 */
static void pay_out(struct sim *sim, size_t t, double amount, bool at_close)
{
    size_t n = 0;
    double value = 0, cost = 0;
    if (at_close && sim_can_scale(sim, t, true) && sim_scale_down(sim, t, amount, &value)) {
        sim->owed = 0;
        move_money(sim, t, value, -amount, false);
        sim_set_wealth(sim, t, value - amount);
        return;
    }
    double worth = list_closable(sim, t, at_close, false, &n);
    value = value_at_fill(sim, t);
    bool takes_all = amount >= value * (1 - 1e-15);

    sim->owed = 0;
    if (!(value > 0)) {
        sim->open = NULL;
        if (at_close)
            sim_value_sessions(sim, t, t + 1);
        return;
    }
    if (takes_all && sim->recorder != NULL && sim->recorder->exhausted_at == PANEL_NEVER)
        sim->recorder->exhausted_at = (uint32_t)t;
    if (takes_all) {
        amount = value;
        (void)list_closable(sim, t, at_close, true, &n);
        cost = close_all(sim, t, n, value);
    } else if (sim->cash < amount)
        cost = raise_cash(sim, t, n, worth, value, amount);
    value -= cost - sim_round_cash(sim);
    amount -= takes_all ? cost : 0;
    double left = value_at_fill(sim, t) - sim->cash;
    left += sim->receivable; /* it stays, whatever is taken */
    value += sim->receivable;
    bool is_last = !(fabs(left) > SIM_ROUNDING * value);
    double paid = sim->cash < amount || (takes_all && is_last) ? sim->cash : amount;
    bool was_open = sim->open != NULL;
    sim->open = NULL;
    if (paid > 0)
        move_money(sim, t, is_last && takes_all ? paid : value, -paid, was_open);
    if (!is_last && amount - paid > OWED_ROUNDING * value)
        sim->owed = amount - paid;
    if (at_close)
        sim_value_sessions(sim, t, t + 1);
}

/* Buys for what came in; false: nothing was traded. *ret_valued: the wealth at t is known. */
static bool invest(struct sim *sim, size_t t, bool *ret_valued)
{
    struct sim_workspace *ws = sim->ws;
    double frozen = 0, held = 0, money = 0, wanted_sum = 0;
    size_t n = 0;

    if (!sim->is_invested || sim->is_pending)
        return false;
    double amount = sim->to_invest < sim->cash ? sim->to_invest : sim->cash;
    *ret_valued = sim_can_scale(sim, t, false) && sim_scale_up(sim, t, amount);
    if (*ret_valued) {
        sim->to_invest = 0;
        return true;
    }
    if (!sim_select_active(sim, t, &n, &frozen))
        return false;
    sim_choose_prices(sim, t, n);
    sim->to_invest = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = ws->active[i];
        ws->value[i] = ws->units[j] * sim_fill_price(sim, j, t);
        held += ws->value[i] > 0 && !sim_is_money(sim, j) ? ws->value[i] : 0;
        money += sim_is_money(sim, j) ? ws->value[i] : 0;
        wanted_sum += sim_wanted(sim)[j] > 0 ? sim_wanted(sim)[j] : 0;
    }
    double value = sim->cash + held + money + frozen;
    if (!(amount > 0) || !(held > 0 || wanted_sum > 0)) {
        sim->open = NULL;
        return false;
    }
    sim_fill_contexts(sim, t, n);
    if (sim->rules->allocation == FLOW_MOST_UNDERWEIGHT) {
        set_rooms(sim, n, value, 1);
        level_out(ws->weight, NULL, n, amount, ws->change);
    }
    for (size_t i = 0; i < n && sim->rules->allocation == FLOW_PRO_RATA; i++) {
        double by_wanted = wanted_sum > 0 ? sim_wanted(sim)[ws->active[i]] / wanted_sum : 0;
        double share = held > 0 ? ws->value[i] / held : by_wanted;
        ws->change[i] = share > 0 && !sim_is_money(sim, ws->active[i]) ? amount * share : 0;
    }
    struct sim_order order = {
        .t = t, .n = n, .reason = SIM_CONTRIBUTION, .before = value, .floor = sim->cash - amount};
    (void)sim_execute(sim, &order);
    (void)sim_round_cash(sim);
    sim->open = NULL;
    return true;
}

void sim_flow_orders(struct sim *sim, size_t t, bool *is_valued)
{
    bool is_known = false;
    if (sim->is_ruined)
        return;
    if (sim->to_invest > 0 && t >= sim->invest_at && invest(sim, t, &is_known))
        *is_valued = is_known;
    if (sim->owed > 0) {
        pay_out(sim, t, sim->owed, false);
        *is_valued = false;
    }
}

static double amount_of(const struct sim *sim, const struct flow *flow, double wealth)
{
    double amount = flow->is_share ? flow->amount * wealth : flow->amount;
    return amount + sim_rounding_of(sim, amount);
}

static void take_in(struct sim *sim, size_t t, double before, double amount, bool at_start)
{
    move_money(sim, t, before, amount, at_start);
    if (sim->rules->allocation == FLOW_TO_CASH || !sim->is_invested)
        return;
    sim->to_invest += amount;
    sim->invest_at = at_start ? t : t + sim_fill_lag(sim);
}

/*
 * Before the session opens: contributions. A withdrawal is paid at the session's fill (engine.h); the percentages of the
 * flows behind it are of what it leaves.
 */
void sim_flows_at_start(struct sim *sim, size_t t)
{
    const struct sim_rules *rules = sim->rules;
    double wealth = sim->ws->wealth[t - 1], to_pay = 0;

    while (sim->next_flow < rules->n_flows && rules->flows[sim->next_flow].session <= t &&
           rules->flows[sim->next_flow].at_start) {
        const struct flow *flow = &rules->flows[sim->next_flow++];
        double amount = amount_of(sim, flow, fmax(wealth - to_pay, 0));
        if (sim->is_ruined)
            continue;
        if (amount > 0) {
            take_in(sim, t, wealth, amount, true);
            wealth += amount;
        } else {
            to_pay -= amount;
        }
    }
    sim->owed += to_pay;
}

void sim_flows_at_end(struct sim *sim, size_t t)
{
    const struct sim_rules *rules = sim->rules;
    struct sim_workspace *ws = sim->ws;
    bool has_moved = false;

    while (sim->next_flow < rules->n_flows && rules->flows[sim->next_flow].session <= t) {
        const struct flow *flow = &rules->flows[sim->next_flow++];
        double amount = amount_of(sim, flow, ws->wealth[t]);
        if (sim->is_ruined || !(fabs(amount) > 0))
            continue;
        if (amount > 0) {
            take_in(sim, t, ws->wealth[t], amount, false);
            sim_set_wealth(sim, t, ws->wealth[t] + amount);
        } else {
            pay_out(sim, t, sim->owed - amount, true);
        }
        has_moved = true;
    }
    bool is_valued = false;
    if (has_moved && sim->to_invest > 0 && sim->invest_at <= t && invest(sim, t, &is_valued) &&
        !is_valued)
        sim_value_sessions(sim, t, t + 1);
}

size_t sim_next_flow_session(const struct sim *sim, size_t t)
{
    size_t at = sim->panel->n_sessions;
    if (sim->is_ruined)
        return at;
    if (sim->next_flow < sim->rules->n_flows)
        at = sim->rules->flows[sim->next_flow].session;
    if (sim->to_invest > 0 && sim->invest_at < at)
        at = sim->invest_at > t ? sim->invest_at : t;
    return sim->owed > 0 ? t : at;
}
