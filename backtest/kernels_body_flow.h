/* kernels_body_flow.h - money into and out of portfolios side by side. Part of kernels_body.h. */

enum {
    FLOW_SCALING_ROUNDS = 40,
    FLOW_COST_ROUNDS = 60
}; /* those of engine_orders.c and engine_flow.c */

/* One lane per portfolio; every lane does what engine_flow.c and engine_orders.c do with one, in their order. */
struct flow_lanes {
    vector cash[PARTS], worth[PARTS]; /* worth: of what is held */
    vector wanted[PARTS], before[PARTS], limit[PARTS];
    vector factor[PARTS]; /* of a purchase; of a sale: the share of every position */
    vector_mask trades[PARTS];
};

static vector size_of(vector x)
{
    const vector_mask no_sign = (vector_mask){0} + INT64_MAX;
    return (vector)((vector_mask)x & no_sign);
}

static vector flow_cost(const struct kernel_flow *f, vector size)
{
    return f->commission * size + f->slippage * size;
}

/* Values of the positions, their sum, and a change smaller than rounding. False: some lane has nothing. */
static bool flow_open(const struct kernel_flow *f, size_t at, struct flow_lanes *lanes)
{
    EACH_PART(h)
    lanes->worth[h] = (vector){0};
    for (size_t j = 0; j < f->n_assets; j++) {
        EACH_PART(h)
        {
            size_t cell = j * f->stride + at + h * WIDTH;
            vector worth = LOAD(f->units + cell) * f->price[j];
            STORE(f->value + cell, worth);
            lanes->worth[h] += worth;
        }
    }
    vector_mask is_bad = {0};
    EACH_PART(h)
    {
        lanes->cash[h] = LOAD(f->cash + at + h * WIDTH);
        lanes->wanted[h] = LOAD(f->amount + at + h * WIDTH);
        lanes->before[h] = lanes->cash[h] + lanes->worth[h];
        lanes->limit[h] = f->rounding * lanes->before[h];
        is_bad |= ~(lanes->worth[h] > 0) | ~(lanes->before[h] > 0);
    }
    return !IS_ANY(is_bad);
}

/* Carries the changes out; ret_cost: what they cost. */
static void flow_book(const struct kernel_flow *f, size_t at, struct flow_lanes *lanes,
                      vector *ret_cost)
{
    EACH_PART(h)
    ret_cost[h] = (vector){0};
    for (size_t j = 0; j < f->n_assets; j++) {
        EACH_PART(h)
        {
            size_t cell = j * f->stride + at + h * WIDTH;
            vector change = LOAD(f->change + cell) * lanes->factor[h], size = size_of(change);
            vector left = LOAD(f->value + cell) + change, cost = flow_cost(f, size);
            vector_mask is_trade = lanes->trades[h] & (size > lanes->limit[h]);
            vector units = WHERE(size_of(left) > lanes->limit[h], left / f->price[j]);
            STORE(f->units + cell, PICK(is_trade, units, LOAD(f->units + cell)));
            lanes->cash[h] = PICK(is_trade, lanes->cash[h] - (change + cost), lanes->cash[h]);
            ret_cost[h] += WHERE(is_trade, cost);
        }
    }
}

/* One round: cash left, and what was spent, when purchases are scaled. */
static void flow_afford(const struct kernel_flow *f, size_t at, const struct flow_lanes *lanes,
                        vector *ret_cash, vector *ret_bought)
{
    EACH_PART(h)
    {
        ret_cash[h] = lanes->cash[h];
        ret_bought[h] = (vector){0};
    }
    for (size_t j = 0; j < f->n_assets; j++) {
        EACH_PART(h)
        {
            vector change = LOAD(f->change + j * f->stride + at + h * WIDTH) * lanes->factor[h];
            change = WHERE(change > lanes->limit[h], change);
            vector spent = change + flow_cost(f, change);
            ret_cash[h] -= spent;
            ret_bought[h] += spent;
        }
    }
}

/* Purchases that the amount does not reach with their costs are cut by one factor. */
static void flow_scale(const struct kernel_flow *f, size_t at, const vector *amount,
                       struct flow_lanes *lanes)
{
    const vector one = (vector){0} + 1;
    vector cash[PARTS], bought[PARTS];
    vector_mask is_open[PARTS], is_going = (vector_mask){0} - 1;
    EACH_PART(h)
    {
        lanes->factor[h] = one;
        is_open[h] = (vector_mask){0} - 1;
    }
    for (size_t round = 0; round < FLOW_SCALING_ROUNDS && IS_ANY(is_going); round++) {
        flow_afford(f, at, lanes, cash, bought);
        is_going = (vector_mask){0};
        EACH_PART(h)
        {
            vector floor = lanes->cash[h] - amount[h], missing = floor - cash[h];
            vector cut = (1 - missing / bought[h]) * (1 - 1e-13);
            is_open[h] &= ~(cash[h] >= floor - lanes->limit[h]) & (bought[h] > 0);
            vector next = lanes->factor[h] * WHERE(missing < bought[h], cut);
            lanes->factor[h] = PICK(is_open[h], next, lanes->factor[h]);
            is_going |= is_open[h];
        }
    }
}

static bool kernel_invest_many(const struct kernel_flow *f)
{
    for (size_t at = 0; at < f->n_portfolios; at += KERNEL_LANES) {
        struct flow_lanes lanes;
        vector amount[PARTS], cost[PARTS];
        vector_mask is_bad = {0};
        if (!flow_open(f, at, &lanes))
            return false;
        EACH_PART(h)
        {
            amount[h] = PICK(lanes.wanted[h] < lanes.cash[h], lanes.wanted[h], lanes.cash[h]);
            lanes.trades[h] = (vector_mask){0} - 1;
            is_bad |= ~(amount[h] > 0);
        }
        if (IS_ANY(is_bad))
            return false;
        for (size_t j = 0; j < f->n_assets; j++) {
            EACH_PART(h)
            {
                size_t cell = j * f->stride + at + h * WIDTH;
                STORE(f->change + cell, amount[h] * (LOAD(f->value + cell) / lanes.worth[h]));
            }
        }
        flow_scale(f, at, amount, &lanes);
        flow_book(f, at, &lanes, cost);
        EACH_PART(h)
        STORE(f->cash + at + h * WIDTH, lanes.cash[h]);
    }
    return true;
}

/* What selling this share of every position costs. */
static void flow_sales_cost(const struct kernel_flow *f, size_t at, const vector *share,
                            vector *ret)
{
    EACH_PART(h)
    ret[h] = (vector){0};
    for (size_t j = 0; j < f->n_assets; j++) {
        EACH_PART(h)
        ret[h] += flow_cost(f, LOAD(f->value + j * f->stride + at + h * WIDTH) * share[h]);
    }
}

/* The share that brings in what cash lacks, after its costs. False when some lane would sell everything. */
static bool flow_share(const struct kernel_flow *f, size_t at, struct flow_lanes *lanes)
{
    vector lack[PARTS], sold[PARTS], share[PARTS], paid[PARTS];
    vector_mask is_open[PARTS], is_going = {0}, is_bad = {0};
    EACH_PART(h)
    {
        is_open[h] = lanes->trades[h] = lanes->cash[h] < lanes->wanted[h];
        sold[h] = lack[h] = lanes->wanted[h] - lanes->cash[h];
        lanes->factor[h] = (vector){0};
        is_going |= is_open[h];
        is_bad |= is_open[h] & (sold[h] >= lanes->worth[h]);
    }
    for (size_t round = 0; round < FLOW_COST_ROUNDS && IS_ANY(is_going & ~is_bad); round++) {
        EACH_PART(h)
        share[h] = sold[h] / lanes->worth[h];
        flow_sales_cost(f, at, share, paid);
        is_going = (vector_mask){0};
        EACH_PART(h)
        {
            vector next = lack[h] + paid[h];
            lanes->factor[h] = PICK(is_open[h], share[h], lanes->factor[h]);
            is_bad |= is_open[h] & ~(next < lanes->worth[h]);
            is_open[h] &= size_of(next - sold[h]) > f->rounding * lanes->worth[h];
            sold[h] = PICK(is_open[h], next, sold[h]);
            is_going |= is_open[h];
        }
    }
    return !IS_ANY(is_bad);
}

static bool kernel_withdraw_many(const struct kernel_flow *f)
{
    for (size_t at = 0; at < f->n_portfolios; at += KERNEL_LANES) {
        struct flow_lanes lanes;
        vector cost[PARTS];
        vector_mask is_bad = {0};
        if (!flow_open(f, at, &lanes))
            return false;
        EACH_PART(h)
        is_bad |= lanes.wanted[h] >= lanes.before[h] * (1 - 1e-15);
        if (IS_ANY(is_bad) || !flow_share(f, at, &lanes))
            return false;
        for (size_t j = 0; j < f->n_assets; j++) {
            EACH_PART(h)
            {
                size_t cell = j * f->stride + at + h * WIDTH;
                STORE(f->change + cell, -LOAD(f->value + cell));
            }
        }
        flow_book(f, at, &lanes, cost);
        EACH_PART(h)
        {
            vector wanted = lanes.wanted[h], cash = lanes.cash[h];
            vector value = lanes.before[h] - cost[h], paid = PICK(cash < wanted, cash, wanted);
            vector after = value - paid;
            is_bad |= (wanted - paid > f->rounding * value) | ~(paid > 0) | ~(after > 0);
            STORE(f->cash + at + h * WIDTH, cash - paid);
            STORE(f->scale + at + h * WIDTH, LOAD(f->scale + at + h * WIDTH) * (value / after));
        }
        if (IS_ANY(is_bad))
            return false;
    }
    return true;
}
