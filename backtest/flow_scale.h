/*
 * flow_scale.h - a payment that is shared out in proportion at flat costs moves every position by one factor. For the simulator
 * (engine_flow_scale.c) and the batch (batch_lanes.c), which give the same bits.
 *
 * With c the cost of a traded unit of value: a purchase for A trades A / (1 + c), a sale that brings in L trades L / (1 - c).
 * Pure. held > 0, c < 1.
 */
#ifndef BACKTEST_FLOW_SCALE_H
#define BACKTEST_FLOW_SCALE_H

#include "backtest/costs.h"

/* A portfolio's share of a payment as large as this is all there is. */
static const double FLOW_WHOLE = 1 - 1e-15;

struct flow_scale {
    double traded;
    double factor; /* of every position; not above 0: the sale takes them all */
};

static inline double flow_cost_rate(const struct cost_flat *flat)
{
    return flat->commission + flat->slippage;
}

static inline struct flow_scale flow_purchase(double amount, double held, double rate)
{
    double traded = amount / (1 + rate);
    return (struct flow_scale){traded, 1 + traded / held};
}

static inline struct flow_scale flow_sale(double lack, double held, double rate)
{
    double traded = lack / (1 - rate);
    return (struct flow_scale){traded, 1 - traded / held};
}

#endif
