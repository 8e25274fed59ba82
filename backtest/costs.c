/* costs.c - cost of one trade by kind, and sizing that meets its targets after paying for them. */
#include "backtest/costs.h"

#include <math.h>

const char *const cost_kind_names[COST_COUNT] = {
    [COST_COMMISSION] = "commission",
    [COST_SPREAD] = "spread",
    [COST_SLIPPAGE] = "slippage",
    [COST_TAX] = "tax",
    [COST_FX] = "fx_cost",
    [COST_INTEREST] = "interest",
    [COST_BORROW] = "borrow",
    [COST_LIQUIDATION] = "liquidation",
    [COST_EXPENSE] = "expense",
};

enum { CONTRACTION_ROUNDS = 24, HALVING_ROUNDS = 64 };

static const double IMPACT_MAX = 0.5;

bool costs_are_flat(const struct cost_model *model)
{
    const struct cost_commission *c = &model->commission;
    bool is_flat_commission = !(c->per_share > 0) && !(c->fixed > 0) && !(c->minimum > 0) &&
                              !(c->maximum > 0) && c->n_tiers == 0;
    bool is_flat_slippage = model->slippage.model <= SLIPPAGE_HALF_SPREAD;
    return is_flat_commission && is_flat_slippage && !(model->slippage.volume_limit > 0) &&
           model->n_tax == 0 && !(model->fx_spread > 0);
}

double costs_flat_rate(const struct cost_model *model)
{
    return model->commission.percent + model->slippage.bps;
}

struct cost_flat costs_flat(const struct cost_model *model)
{
    double bps = model->slippage.bps;
    return (struct cost_flat){model->commission.percent, bps < IMPACT_MAX ? bps : IMPACT_MAX};
}

bool costs_are_free(const struct cost_model *model)
{
    return costs_are_flat(model) && !(costs_flat_rate(model) > 0);
}

static double commission_of(const struct cost_commission *c, const struct cost_context *context,
                            double value)
{
    double percent = c->percent;
    for (size_t i = 0; i < c->n_tiers && c->tiers[i].from <= context->month_traded; i++)
        percent = c->tiers[i].percent;
    double by_value = percent * value;
    double by_share = c->per_share > 0 ? c->per_share * (value / context->share_price) : 0;
    double fee = c->fixed + (by_value > by_share ? by_value : by_share);
    fee = fee < c->minimum ? c->minimum : fee;
    return c->maximum > 0 && fee > c->maximum ? c->maximum : fee;
}

bool costs_falls_back(const struct cost_model *model, const struct cost_context *context)
{
    if (context->is_money)
        return false;
    switch (model->slippage.model) {
    case SLIPPAGE_VOLUME_SHARE:
        return !(context->volume > 0);
    case SLIPPAGE_SQUARE_ROOT:
    case SLIPPAGE_ALMGREN_CHRISS:
        return !(context->average_volume > 0) || !(context->sigma >= 0);
    case SLIPPAGE_BPS:
    case SLIPPAGE_HALF_SPREAD:
    case SLIPPAGE_MODEL_COUNT:
        break;
    }
    return false;
}

/* As a fraction of the traded value. */
static double impact_rate(const struct cost_model *model, const struct cost_context *context,
                          double value)
{
    const struct cost_slippage *s = &model->slippage;
    double shares = value / context->share_price;

    if (costs_falls_back(model, context))
        return s->fallback_bps;
    switch (s->model) {
    case SLIPPAGE_VOLUME_SHARE: {
        double share = shares / context->volume;
        if (s->volume_limit > 0 && share > s->volume_limit)
            share = s->volume_limit;
        return s->price_impact * share * share;
    }
    case SLIPPAGE_SQUARE_ROOT:
        return 2.0 / 3.0 * s->y * context->sigma * sqrt(shares / context->average_volume);
    case SLIPPAGE_ALMGREN_CHRISS:
        return (0.5 * s->alpha + s->beta) * context->sigma * (shares / context->average_volume) +
               s->epsilon;
    case SLIPPAGE_BPS:
    case SLIPPAGE_HALF_SPREAD:
    case SLIPPAGE_MODEL_COUNT:
        break;
    }
    return s->bps;
}

/* An impact model is not meant for orders that would move the price by half. */
static double slippage_rate(const struct cost_model *model, const struct cost_context *context,
                            double value)
{
    double rate = impact_rate(model, context, value);
    return rate < IMPACT_MAX ? rate : IMPACT_MAX;
}

double costs_of_trade(const struct cost_model *model, const struct cost_context *context,
                      double change, double *paid)
{
    double value = fabs(change), sum = 0;
    double part[COST_TRADE_COUNT] = {0};

    if (value > 0 && !context->is_money) {
        bool is_spread = model->slippage.model == SLIPPAGE_HALF_SPREAD;
        part[COST_COMMISSION] = commission_of(&model->commission, context, value);
        part[is_spread ? COST_SPREAD : COST_SLIPPAGE] =
            slippage_rate(model, context, value) * value;
        part[COST_TAX] = change < 0 ? context->tax * value : 0;
    }
    if (value > 0 && context->is_foreign)
        part[COST_FX] = model->fx_spread * value;
    for (size_t k = 0; k < COST_TRADE_COUNT; k++) {
        sum += part[k];
        if (paid != NULL)
            paid[k] = part[k];
    }
    return sum;
}

double costs_value_limit(const struct cost_model *model, const struct cost_context *context)
{
    if (!(model->slippage.volume_limit > 0) || !(context->volume >= 0))
        return (double)INFINITY;
    return model->slippage.volume_limit * context->volume * context->share_price;
}

double costs_value_after(double budget, const double *value, const double *weight, size_t n,
                         double rate)
{
    double after = budget;

    if (!(rate > 0))
        return after;
    for (size_t round = 0; round <= n + 1; round++) {
        double signed_value = 0, signed_weight = 0;
        for (size_t i = 0; i < n; i++) {
            double trade = weight[i] * after - value[i];
            double sign = 1 - 2 * (double)(trade < 0); /* no branch: signs look random */
            signed_value += sign * value[i];
            signed_weight += sign * weight[i];
        }
        double next = (budget + rate * signed_value) / (1 + rate * signed_weight);
        if (!(next < after))
            return next; /* the same signs give the same value: nothing changed */
        after = next;
    }
    return after;
}

/* What is wanted of n positions, and what trading costs. */
struct move {
    double budget;
    const double *value, *weight;
    size_t n;
    const struct cost_model *model;
    const struct cost_context *context;
};

/* A position that stays where it is pays no minimum for the last digit of its target. */
static double cost_of_moving(const struct move *move, double after)
{
    double paid = 0, least = COSTS_ROUNDING * move->budget;
    for (size_t i = 0; i < move->n; i++) {
        double change = move->weight[i] * after - move->value[i];
        if (fabs(change) > least)
            paid += costs_of_trade(move->model, &move->context[i], change, NULL);
    }
    return paid;
}

double costs_value_after_model(double budget, const double *value, const double *weight, size_t n,
                               const struct cost_model *model, const struct cost_context *context)
{
    const struct move move = {budget, value, weight, n, model, context};
    double after = budget, low = 0, high = budget;

    for (size_t round = 0; round < CONTRACTION_ROUNDS; round++) {
        double next = budget - cost_of_moving(&move, after);
        if (fabs(next - after) <= 1e-16 * budget)
            return next;
        after = next > 0 ? next : 0;
    }
    for (size_t round = 0; round < HALVING_ROUNDS; round++) {
        double middle = 0.5 * (low + high);
        if (middle + cost_of_moving(&move, middle) > budget)
            high = middle;
        else
            low = middle;
    }
    return low;
}
