/* kernels_body_fill.h - rebalancing of portfolios side by side. Part of kernels_body.h. */

/* One lane per portfolio; every lane does what engine.c and costs.c do with one, in their order. */
struct fill_lanes {
    vector cash[PARTS], invested[PARTS], budget[PARTS], after[PARTS];
};

static bool is_any(vector_mask is)
{
    int64_t lane[WIDTH], any = 0;
    memcpy(lane, &is, sizeof lane);
    for (size_t k = 0; k < WIDTH; k++)
        any |= lane[k];
    return any != 0;
}

static vector_mask is_nonzero(vector x)
{
    return (x > 0) | (x < 0);
}

/*
 * Where a portfolio leaves some of its names alone, the weights of the others are scaled so that they
 * keep the invested share, as the simulator does it. units are those before the fill.
 */
static void fill_scale(const struct kernel_fill *f, size_t at, const struct fill_lanes *lanes)
{
    const vector one = (vector){0} + 1;
    EACH_PART(h)
    {
        vector weight_sum = {0}, n_active = {0};
        for (size_t j = 0; j < f->n_assets; j++) {
            vector units = LOAD(f->units + j * f->stride + at + h * WIDTH);
            vector weight = LOAD(f->weight + j * f->stride + at + h * WIDTH);
            weight_sum += weight;
            n_active += WHERE(is_nonzero(units) | is_nonzero(weight), one);
        }
        vector_mask is_scaled =
            (n_active < LOAD(f->n_names + at + h * WIDTH)) & is_nonzero(weight_sum);
        if (!is_any(is_scaled))
            continue;
        vector scale = PICK(is_scaled, lanes->invested[h] / weight_sum, one);
        for (size_t j = 0; j < f->n_assets; j++) {
            double *weight = f->weight + j * f->stride + at + h * WIDTH;
            STORE(weight, LOAD(weight) * scale);
        }
    }
}

/* Values, weights and the budget. */
static void fill_open(const struct kernel_fill *f, size_t at, struct fill_lanes *lanes)
{
    const double *units = f->units + at, *target = f->target + at, *price = f->price;
    double *value = f->value + at, *weight = f->weight + at;
    size_t n = f->n_assets, stride = f->stride;
    vector sum[PARTS] = {{0}};

    for (size_t j = 0; j < n; j++) {
        EACH_PART(h)
        {
            size_t cell = j * stride + h * WIDTH;
            vector worth = LOAD(units + cell) * price[j];
            STORE(value + cell, worth);
            STORE(weight + cell, LOAD(target + cell));
            sum[h] += worth;
        }
    }
    EACH_PART(h)
    {
        lanes->cash[h] = LOAD(f->cash + at + h * WIDTH);
        lanes->invested[h] = LOAD(f->invested + at + h * WIDTH);
        lanes->budget[h] = lanes->cash[h] + sum[h];
    }
    if (f->n_names != NULL)
        fill_scale(f, at, lanes);
}

/* One round of costs_value_after: what is left when every trade has the sign it has at after. */
static void fill_round(const struct kernel_fill *f, size_t at, const struct fill_lanes *lanes,
                       const vector *after, vector *ret_next)
{
    const vector one = (vector){0} + 1;
    const double *value = f->value + at, *weight = f->weight + at;
    size_t n = f->n_assets, stride = f->stride;
    vector signed_value[PARTS] = {{0}}, signed_weight[PARTS] = {{0}};

    for (size_t j = 0; j < n; j++) {
        EACH_PART(h)
        {
            size_t cell = j * stride + h * WIDTH;
            vector v = LOAD(value + cell), w = LOAD(weight + cell);
            vector trade = w * after[h] - v;
            vector sign = WHERE(trade > 0, one) - WHERE(trade < 0, one);
            signed_value[h] += sign * v;
            signed_weight[h] += sign * w;
        }
    }
    EACH_PART(h)
    ret_next[h] = (lanes->budget[h] + f->rate * signed_value[h]) / (1 + f->rate * signed_weight[h]);
}

/* Rounds go on until no lane falls any more; a lane that has settled stays. */
static void fill_costs(const struct kernel_fill *f, size_t at, struct fill_lanes *lanes)
{
    vector after[PARTS], next[PARTS];
    vector_mask is_open[PARTS], is_going = (vector_mask){0} - 1;
    EACH_PART(h)
    {
        after[h] = lanes->after[h] = lanes->budget[h];
        is_open[h] = (vector_mask){0} - 1;
    }
    if (!(f->rate > 0))
        return;
    for (size_t round = 0; round <= f->n_assets + 1 && is_any(is_going); round++) {
        fill_round(f, at, lanes, after, next);
        is_going = (vector_mask){0};
        EACH_PART(h)
        {
            vector_mask is_lower = next[h] < after[h];
            lanes->after[h] = PICK(is_open[h], next[h], lanes->after[h]);
            is_open[h] &= is_lower;
            after[h] = PICK(is_open[h], next[h], after[h]);
            is_going |= is_open[h];
        }
    }
}

static void fill_trade(const struct kernel_fill *f, size_t at, const struct fill_lanes *lanes)
{
    const vector_mask no_sign = (vector_mask){0} + INT64_MAX;
    const double *value = f->value + at, *weight = f->weight + at, *price = f->price;
    double *units = f->units + at;
    size_t n = f->n_assets, stride = f->stride;
    vector after[PARTS], limit[PARTS];

    EACH_PART(h)
    {
        after[h] = lanes->after[h];
        limit[h] = f->rounding * after[h];
    }
    for (size_t j = 0; j < n; j++) {
        EACH_PART(h)
        {
            size_t cell = j * stride + h * WIDTH;
            vector target = LOAD(weight + cell) * after[h];
            vector change = target - LOAD(value + cell);
            vector_mask is_kept = (vector)((vector_mask)change & no_sign) <= limit[h];
            STORE(units + cell, PICK(is_kept, LOAD(units + cell), target / price[j]));
        }
    }
    EACH_PART(h)
    {
        STORE(f->cash + at + h * WIDTH, lanes->after[h] * (1 - lanes->invested[h]));
        STORE(f->after + at + h * WIDTH, lanes->after[h]);
    }
}

static bool kernel_fill_many(const struct kernel_fill *f)
{
    for (size_t at = 0; at < f->n_portfolios; at += KERNEL_LANES) {
        struct fill_lanes lanes;
        fill_open(f, at, &lanes);
        EACH_PART(h)
        {
            if (is_any(~(lanes.budget[h] > 0)))
                return false;
        }
        fill_costs(f, at, &lanes);
        fill_trade(f, at, &lanes);
    }
    return true;
}
