/* brinson.c - replays the ledger session by session beside a portfolio of fixed weights. */
#include "backtest/brinson.h"

#include "backtest/attribution.h"

#include <math.h>
#include <string.h>

struct beside {
    const struct spec *spec;
    const struct panel *panel;
    const struct sim_recorder *recorder;
    const double *equity, *wealth;
    double *units;                    /* [n_positions] */
    size_t *group_of;                 /* [n_positions] */
    double *benchmark;                /* [n_positions]: weights, sum 1 */
    double *amount;                   /* [n_positions]: what a unit paid at this session */
    double *fraction;                 /* [n_positions]: units paid out at the close before it */
    double *held, *gain, *b, *b_gain; /* per group: w_p, w_p R_p, w_b, w_b R_b of this session */
    double *r_b;                      /* [n_sessions]: the benchmark's returns */
    size_t next_trade, next_event, next_flow;
    struct brinson out;
};

static double price(const struct beside *s, size_t a, size_t t)
{
    return s->panel->price[panel_cell(s->panel, a, t)];
}

/* Shares received are in the group of the asset that brought them first. */
static void group_received(struct beside *s)
{
    const struct panel *panel = s->panel;
    for (size_t a = panel->n_held; a < panel->n_positions; a++) {
        size_t e = 0;
        while (e < panel->n_events && panel->events[e].into != a)
            e++;
        s->group_of[a] = e < panel->n_events ? s->group_of[panel->events[e].asset] : 0;
    }
}

/* The group of each held asset; those without one, and all by asset, stand alone. */
static void group_assets(struct beside *s)
{
    const struct spec *spec = s->spec;
    double sum = 0;
    for (size_t a = 0; a < s->panel->n_held; a++) {
        const struct spec_asset *asset = &spec->assets[s->panel->held[a]];
        bool is_grouped = spec->attribution_by_group && asset->group.ptr != NULL;
        size_t g = is_grouped ? 0 : s->out.n;
        while (g < s->out.n && !str_eq(s->out.group[g].name, asset->group))
            g++;
        if (g == s->out.n)
            s->out.group[s->out.n++].name = is_grouped ? asset->group : asset->uid;
        s->group_of[a] = g;
        s->benchmark[a] = spec->attribution_benchmark[s->panel->held[a]];
        sum += s->benchmark[a];
    }
    for (size_t a = 0; a < s->panel->n_held; a++) {
        s->benchmark[a] /= sum;
        s->b[s->group_of[a]] += s->benchmark[a];
    }
    for (size_t g = 0; g < s->out.n; g++)
        s->out.group[g].benchmark_weight = s->b[g];
    group_received(s);
}

/* What a unit of each asset paid at session t, and the units that a split left no whole share for. */
static void take_events(struct beside *s, size_t t)
{
    const double *fractions = s->recorder->fractions;
    memset(s->amount, 0, s->panel->n_positions * sizeof *s->amount);
    memset(s->fraction, 0, s->panel->n_positions * sizeof *s->fraction);
    for (; s->next_event < s->panel->n_events && s->panel->events[s->next_event].session <= t;
         s->next_event++) {
        const struct panel_event *event = &s->panel->events[s->next_event];
        if (event->asset >= s->panel->n_positions || event->session != t)
            continue;
        if (event->kind != ACTION_SPLIT)
            s->amount[event->asset] += event->amount;
        else if (fractions != NULL)
            s->fraction[event->asset] += fractions[s->next_event];
    }
}

/* The return of asset a in session t, its delisting with it; afterwards it stands still. */
static double asset_return(const struct beside *s, size_t a, size_t t)
{
    const struct panel_asset *asset = &s->panel->assets[a];
    double now = price(s, a, t), before = price(s, a, t - 1);
    if (asset->delisted_at == t)
        now *= 1 + asset->delisting_return;
    return asset->delisted_at < t ? 0 : (now + s->amount[a]) / before - 1;
}

/* r_b of every session; false when everything is lost. */
static bool play_benchmark(struct beside *s)
{
    double growth = 1;
    for (size_t t = 1; t < s->panel->n_sessions; t++) {
        take_events(s, t);
        for (size_t a = 0; a < s->panel->n_positions; a++)
            s->r_b[t] += s->benchmark[a] > 0 ? s->benchmark[a] * asset_return(s, a, t) : 0;
        growth *= 1 + s->r_b[t];
    }
    s->next_event = 0;
    s->out.benchmark_return = growth - 1;
    return growth > 0;
}

/* (ln(1 + p) - ln(1 + b)) / (p - b), 1 / (1 + b) where they are equal. */
static double link(double p, double b)
{
    return attribution_factor((p - b) / (1 + b)) / (1 + b);
}

/* Shares and gains of session t by group, over the wealth it began with. */
static void take_session(struct beside *s, size_t t, double began)
{
    memset(s->held, 0, s->out.n * sizeof *s->held);
    memset(s->gain, 0, s->out.n * sizeof *s->gain);
    memset(s->b_gain, 0, s->out.n * sizeof *s->b_gain);
    take_events(s, t);
    for (size_t a = 0; a < s->panel->n_positions; a++) {
        size_t g = s->group_of[a];
        double before = price(s, a, t - 1), units = s->units[a] / began;
        s->b_gain[g] += s->benchmark[a] > 0 ? s->benchmark[a] * asset_return(s, a, t) : 0;
        if (!(fabs(units) > 0))
            continue;
        s->units[a] -= s->fraction[a];
        s->held[g] += units * before;
        s->gain[g] += s->units[a] / began * (price(s, a, t) - before + s->amount[a]);
    }
}

/* The trades up to session t: what they gained until the close, and what is held then. */
static void take_trades(struct beside *s, size_t t, double began)
{
    for (; s->next_trade < s->recorder->n_trades; s->next_trade++) {
        const struct sim_trade *trade = &s->recorder->trades[s->next_trade];
        double sign = trade->is_buy ? 1 : -1;
        if (trade->session > t)
            return;
        if (trade->asset >= s->panel->n_positions)
            continue;
        s->gain[s->group_of[trade->asset]] +=
            sign * (trade->quantity * price(s, trade->asset, t) - trade->value) / began;
        s->units[trade->asset] += sign * trade->quantity;
        if (fabs(s->units[trade->asset]) <= 1e-13 * trade->quantity)
            s->units[trade->asset] = 0;
    }
}

/* The effects of session t, times its linking factor. */
static void add_effects(struct beside *s, size_t t, double factor)
{
    double cash = 1, other = s->equity[t] / s->equity[t - 1] - 1, r = s->r_b[t];
    for (size_t g = 0; g < s->out.n; g++) {
        struct brinson_group *out = &s->out.group[g];
        bool is_held = fabs(s->held[g]) > 0, is_in = s->b[g] > 0;
        double r_b = is_in ? s->b_gain[g] / s->b[g] : is_held ? s->gain[g] / s->held[g] : 0;
        double r_p = is_held ? s->gain[g] / s->held[g] : r_b;
        double allocation = (s->held[g] - s->b[g]) * (r_b - r), selection = s->b[g] * (r_p - r_b);
        double whole = s->gain[g] - s->b_gain[g] - (s->held[g] - s->b[g]) * r;
        out->allocation += factor * allocation;
        out->selection += factor * selection;
        out->interaction += factor * (whole - allocation - selection);
        out->weight += s->held[g] / (double)(s->panel->n_sessions - 1);
        cash -= s->held[g];
        other -= s->gain[g];
    }
    s->out.cash -= factor * cash * r;
    s->out.other += factor * other;
}

static void play(struct beside *s)
{
    size_t n = s->panel->n_sessions;
    const struct sim_recorder *r = s->recorder;
    double total = s->equity[n - 1] / s->equity[0] - 1;
    double whole = link(total, s->out.benchmark_return);
    s->out.active_return = total - s->out.benchmark_return;
    take_trades(s, 0, s->wealth[0]);
    for (size_t t = 1; t < n; t++) {
        double began = s->wealth[t - 1];
        for (; r->flows != NULL && s->next_flow < r->n_flows && r->flows[s->next_flow].session <= t;
             s->next_flow++) {
            const struct sim_flow *flow = &r->flows[s->next_flow];
            began += flow->session == t && flow->at_start ? flow->amount : 0;
        }
        take_session(s, t, began);
        take_trades(s, t, began);
        add_effects(s, t, link(s->equity[t] / s->equity[t - 1] - 1, s->r_b[t]) / whole);
    }
}

enum status brinson_compute(const struct spec *spec, const struct panel *panel,
                            const struct sim_recorder *recorder, const double *equity,
                            const double *wealth, struct arena *arena, const struct brinson **ret,
                            struct err *err)
{
    struct beside s = {
        .spec = spec, .panel = panel, .recorder = recorder, .equity = equity, .wealth = wealth};
    size_t n = panel->n_positions;
    struct brinson *out = ARENA_NEW(arena, struct brinson);
    double *lines = arena_array(arena, 8 * n, sizeof *lines);
    s.r_b = arena_array(arena, panel->n_sessions, sizeof *s.r_b);
    s.group_of = arena_array(arena, n, sizeof *s.group_of);
    s.out.group = arena_array(arena, n, sizeof *s.out.group);
    if (out == NULL || lines == NULL || s.r_b == NULL || s.group_of == NULL || s.out.group == NULL)
        return err_out_of_memory(err);
    s.units = lines;
    s.benchmark = lines + n;
    s.amount = lines + 2 * n;
    s.held = lines + 3 * n;
    s.gain = lines + 4 * n;
    s.b = lines + 5 * n;
    s.b_gain = lines + 6 * n;
    s.fraction = lines + 7 * n;
    group_assets(&s);
    if (!play_benchmark(&s))
        return STATUS_OK;
    play(&s);
    *out = s.out;
    *ret = out;
    return STATUS_OK;
}
