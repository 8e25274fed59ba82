/* attribution.c - replays the ledger of trades and events, and links what each asset gained. */
#include "backtest/attribution.h"

#include "backtest/elementary.h"
#include "backtest/stats.h"

#include <math.h>

const char *const attribution_gap_codes[ATTRIBUTION_GAP_COUNT] = {"", "too_many_trades", "ruined"};

double attribution_factor(double r)
{
    /* ln(1 + r) / r loses digits near 0, its series does not. */
    if (fabs(r) < 1e-4)
        return 1 - r * (1.0 / 2 - r * (1.0 / 3 - r / 4));
    return elementary_log(1 + r) / r;
}

/* The replay: what each asset holds, and up to which session its gains are counted. */
struct replay {
    const struct panel *panel;
    struct attribution_asset *asset;
    double *units;
    size_t *counted;
    double *factor; /* per session: k_t / K / wealth before it */
    const double *wealth;
};

/* Is the asset's currency another than the run's? Its own is 1 from end to end. */
static bool is_converted(const struct panel *panel, size_t a)
{
    return fabs(panel_fx_rate(panel, a, 0) - 1) > 0 ||
           fabs(panel_fx_rate(panel, a, panel->n_sessions - 1) - 1) > 0;
}

/* What asset a holds at the closes of the sessions [from, end). */
static void weigh(struct replay *p, size_t a, size_t from, size_t end)
{
    double n = (double)(p->panel->n_sessions - 1);
    const double *price = p->panel->price + panel_cell(p->panel, a, 0);
    for (size_t s = from > 0 ? from : 1; s < end; s++) {
        double weight = p->units[a] * price[s] / p->wealth[s];
        p->asset[a].mean_weight += weight / n;
        p->asset[a].mean_gross += fabs(weight) / n;
    }
}

/* Price changes of what asset a holds, from where it was counted to session t. */
static void count_to(struct replay *p, size_t a, size_t t)
{
    double units = p->units[a], gain = 0, local = 0;
    size_t from = p->counted[a];
    p->counted[a] = t;
    if (!(fabs(units) > 0))
        return;
    weigh(p, a, from, t);
    bool is_foreign = is_converted(p->panel, a);
    const double *price = p->panel->price + panel_cell(p->panel, a, 0);
    for (size_t s = from + 1; s <= t; s++)
        gain += p->factor[s] * (price[s] - price[s - 1]);
    for (size_t s = from + 1; s <= t && is_foreign; s++) {
        double fx = panel_fx_rate(p->panel, a, s) / panel_fx_rate(p->panel, a, s - 1);
        local += p->factor[s] * (price[s] / fx - price[s - 1]);
    }
    p->asset[a].contribution += units * gain;
    p->asset[a].fx += is_foreign ? units * (gain - local) : 0;
}

static void play_trade(struct replay *p, const struct sim_trade *trade)
{
    size_t a = trade->asset, t = trade->session;
    double sign = trade->is_buy ? 1 : -1, units = sign * trade->quantity, paid = 0;
    count_to(p, a, t);
    double close = p->panel->price[panel_cell(p->panel, a, t)];
    p->asset[a].contribution += p->factor[t] * (units * close - sign * trade->value);
    for (size_t k = 0; k < COST_TRADE_COUNT; k++)
        paid += trade->paid[k];
    p->asset[a].costs -= p->factor[t] * paid;
    p->units[a] += units;
    if (fabs(p->units[a]) <= 1e-13 * fabs(units))
        p->units[a] = 0;
}

/* Units that a split left no whole share for were paid at the close before: the session's move was not theirs. */
static void pay_fraction(struct replay *p, size_t a, size_t t, double units)
{
    count_to(p, a, t);
    const double *price = p->panel->price + panel_cell(p->panel, a, 0);
    double fx = panel_fx_rate(p->panel, a, t) / panel_fx_rate(p->panel, a, t - 1);
    p->asset[a].contribution -= p->factor[t] * units * (price[t] - price[t - 1]);
    if (is_converted(p->panel, a))
        p->asset[a].fx -= p->factor[t] * units * (price[t] - price[t] / fx);
    p->units[a] -= units;
}

/* Cash that positions paid; of what was held before the session's trades. */
static void play_event(struct replay *p, const struct sim_recorder *r, size_t i)
{
    const struct panel_event *event = &p->panel->events[i];
    if (event->asset >= p->panel->n_positions)
        return;
    if (event->kind != ACTION_SPLIT)
        p->asset[event->asset].contribution +=
            p->factor[event->session] * p->units[event->asset] * event->amount;
    else if (r->fractions != NULL && fabs(r->fractions[i]) > 0)
        pay_fraction(p, event->asset, event->session, r->fractions[i]);
}

static void play(struct replay *p, const struct sim_recorder *r)
{
    size_t next = 0;
    for (size_t i = 0; i < r->n_trades; i++) {
        for (; next < p->panel->n_events && p->panel->events[next].session <= r->trades[i].session;
             next++)
            play_event(p, r, next);
        if (r->trades[i].asset < p->panel->n_positions)
            play_trade(p, &r->trades[i]);
    }
    for (; next < p->panel->n_events; next++)
        play_event(p, r, next);
    for (size_t a = 0; a < p->panel->n_positions; a++) {
        count_to(p, a, p->panel->n_sessions - 1);
        weigh(p, a, p->panel->n_sessions - 1, p->panel->n_sessions);
    }
}

/* Flows before a session's opening belong to what it began with. */
static void take_factors(const struct sim_recorder *r, const double *equity, const double *wealth,
                         size_t n, double *factor)
{
    double whole = attribution_factor(equity[n - 1] / equity[0] - 1);
    size_t next = 0;
    for (size_t t = 1; t < n; t++) {
        double began = wealth[t - 1];
        for (; r->flows != NULL && next < r->n_flows && r->flows[next].session <= t; next++)
            began +=
                r->flows[next].session == t && r->flows[next].at_start ? r->flows[next].amount : 0;
        factor[t] = attribution_factor(equity[t] / equity[t - 1] - 1) / whole / began;
    }
    factor[0] =
        factor[1]; /* equity[0] is before any cost: those of session 0 are in the first return */
}

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the attribution.");
}

static enum status contributions(const struct panel *panel, const struct sim_recorder *recorder,
                                 const double *equity, const double *wealth, struct arena *arena,
                                 struct attribution *ret, struct err *err)
{
    size_t n = panel->n_sessions;
    struct replay p = {.panel = panel, .asset = ret->asset, .wealth = wealth};
    p.units = arena_array(arena, panel->n_positions, sizeof *p.units);
    p.counted = arena_array(arena, panel->n_positions, sizeof *p.counted);
    p.factor = arena_array(arena, n, sizeof *p.factor);
    if (p.units == NULL || p.counted == NULL || p.factor == NULL)
        return no_memory(err);
    take_factors(recorder, equity, wealth, n, p.factor);
    play(&p, recorder);
    ret->other = ret->total;
    for (size_t a = 0; a < ret->n; a++)
        ret->other -= ret->asset[a].contribution + ret->asset[a].costs;
    return STATUS_OK;
}

/* Risk of the final weights, were they held constant over the whole run. */
static enum status risks(const struct panel *panel, const double *weight, struct arena *arena,
                         struct attribution *ret, struct err *err)
{
    size_t n = panel->n_sessions - 1;
    double *r = arena_array(arena, n + 1, sizeof *r), *sum = arena_array(arena, n + 1, sizeof *sum);
    double spread = 0;
    if (r == NULL || sum == NULL)
        return no_memory(err);
    ret->diversification_ratio = (double)NAN;
    for (size_t a = 0; a < ret->n; a++) {
        stats_returns(panel->price + panel_cell(panel, a, 0), n + 1, r);
        for (size_t t = 0; t < n; t++)
            sum[t] += weight[a] * r[t];
        spread += fabs(weight[a]) * stats_moments_short(r, n).sd;
    }
    struct stats_moments m = stats_moments_short(sum, n);
    if (n < 2 || m.is_constant)
        return STATUS_OK;
    ret->has_risk = true;
    ret->diversification_ratio = spread / m.sd;
    for (size_t a = 0; a < ret->n; a++) {
        stats_returns(panel->price + panel_cell(panel, a, 0), n + 1, r);
        struct stats_pair pair = stats_pair(r, sum, n);
        ret->asset[a].risk = weight[a] * pair.covariance / pair.variance_y;
    }
    return STATUS_OK;
}

static struct attribution_class *class_of(struct attribution *a, struct str uid)
{
    struct str name = str_sub(uid, 0, str_find(uid, ':', 0));
    for (size_t i = 0; i < a->n_classes; i++)
        if (str_eq(a->class[i].name, name))
            return &a->class[i];
    a->class[a->n_classes] = (struct attribution_class){.name = name};
    return &a->class[a->n_classes++];
}

static enum status add_up_classes(const struct panel *panel, const double *weight,
                                  struct arena *arena, struct attribution *a, struct err *err)
{
    a->class = arena_array(arena, a->n, sizeof *a->class);
    if (a->class == NULL)
        return no_memory(err);
    for (size_t i = 0; i < a->n; i++) {
        struct attribution_class *c = class_of(a, panel->assets[i].series->uid);
        c->sum.contribution += a->asset[i].contribution;
        c->sum.fx += a->asset[i].fx;
        c->sum.costs += a->asset[i].costs;
        c->sum.risk += a->asset[i].risk;
        c->sum.mean_weight += a->asset[i].mean_weight;
        c->sum.mean_gross += a->asset[i].mean_gross;
        c->final_weight += weight[i];
    }
    return STATUS_OK;
}

enum status attribution_compute(const struct panel *panel, const struct sim_recorder *recorder,
                                const double *equity, const double *wealth, const double *weight,
                                struct arena *arena, struct attribution **ret, struct err *err)
{
    struct attribution *a = ARENA_NEW(arena, struct attribution);
    if (a == NULL)
        return no_memory(err);
    a->n = panel->n_positions;
    a->asset = arena_array(arena, a->n, sizeof *a->asset);
    if (a->asset == NULL)
        return no_memory(err);
    a->total = equity[panel->n_sessions - 1] / equity[0] - 1;
    a->gap = recorder->n_trades > recorder->max_trades                ? ATTRIBUTION_TOO_MANY_TRADES
             : recorder->ruined_at != PANEL_NEVER || !(a->total > -1) ? ATTRIBUTION_RUINED
                                                                      : ATTRIBUTION_KNOWN;
    enum status s = risks(panel, weight, arena, a, err);
    if (s == STATUS_OK && a->gap == ATTRIBUTION_KNOWN)
        s = contributions(panel, recorder, equity, wealth, arena, a, err);
    if (s == STATUS_OK)
        s = add_up_classes(panel, weight, arena, a, err);
    if (s == STATUS_OK)
        *ret = a;
    return s;
}
