/* kernels_body_fill.h - rebalancing of portfolios side by side. Part of kernels_body.h. */

/* Two vectors of portfolios at least: the sums of one alone would wait for each other. */
enum { FILL_PARTS = PARTS < 2 ? 2 : PARTS, FILL_LANES = FILL_PARTS * WIDTH };
_Static_assert(KERNEL_PORTFOLIOS % FILL_LANES == 0, "portfolios come in whole fills");
/* NOLINTNEXTLINE(bugprone-macro-parentheses): h is the name of a variable that this declares */
#define EACH_FILL_PART(h) UNROLLED for (size_t h = 0; h < FILL_PARTS; h++)

/* One lane per portfolio; every lane does what engine.c and costs.c do with one, in their order. */
struct fill_lanes {
    const double
        *weight; /* of the first lane's portfolio: the targets, or the kernel's own scaled ones */
    vector invested[FILL_PARTS], budget[FILL_PARTS], after[FILL_PARTS];
};

static vector_mask is_nonzero(vector x)
{
    return (x > 0) | (x < 0);
}

/*
 * Where a portfolio leaves some of its names alone, the weights of the others are scaled so that they
 * keep the invested share, as the simulator does it. units are those before the fill.
 */
static void fill_scale(const struct kernel_fill *f, size_t at, struct fill_lanes *lanes)
{
    const vector one = (vector){0} + 1;
    EACH_FILL_PART(h)
    {
        vector weight_sum = {0}, n_active = {0};
        for (size_t j = 0; j < f->n_assets; j++) {
            vector units = LOAD(f->units + j * f->stride + at + h * WIDTH);
            vector weight = LOAD(f->target + j * f->stride + at + h * WIDTH);
            weight_sum += weight;
            n_active += WHERE(is_nonzero(units) | is_nonzero(weight), one);
        }
        vector_mask is_scaled =
            (n_active < LOAD(f->n_names + at + h * WIDTH)) & is_nonzero(weight_sum);
        vector scale = PICK(is_scaled, lanes->invested[h] / weight_sum, one);
        for (size_t j = 0; j < f->n_assets; j++) {
            size_t cell = j * f->stride + at + h * WIDTH;
            STORE(f->weight + cell, LOAD(f->target + cell) * scale);
        }
    }
    lanes->weight = f->weight + at;
}

/* Weights and the budget. */
static void fill_open(const struct kernel_fill *f, size_t at, struct fill_lanes *lanes)
{
    EACH_FILL_PART(h)
    {
        lanes->invested[h] = LOAD(f->invested + at + h * WIDTH);
        lanes->budget[h] = LOAD(f->before + at + h * WIDTH);
    }
    lanes->weight = f->target + at;
    if (f->n_names != NULL)
        fill_scale(f, at, lanes);
}

/*
 * One round of costs_value_after: what is left when every trade has the sign it has at after. The first, a constant,
 * works the values out.
 */
static ALWAYS_INLINE void fill_round(const struct kernel_fill *f, size_t at,
                                     const struct fill_lanes *lanes, const vector *after,
                                     vector *ret_next, bool is_first)
{
    const vector_mask sign_only = (vector_mask){0} + INT64_MIN;
    const double *units = f->units + at, *weight = lanes->weight;
    double *value = f->value + at;
    size_t n = f->n_assets, stride = f->stride;
    vector signed_value[FILL_PARTS] = {{0}}, signed_weight[FILL_PARTS] = {{0}};

    for (size_t j = 0; j < n; j++) {
        EACH_FILL_PART(h)
        {
            size_t cell = j * stride + h * WIDTH;
            vector w = LOAD(weight + cell), v;
            if (is_first)
                STORE(value + cell, LOAD(units + cell) * f->price[j]);
            v = LOAD(value + cell);
            vector_mask sign = (vector_mask)(w * after[h] - v) & sign_only;
            signed_value[h] += (vector)((vector_mask)v ^ sign);
            signed_weight[h] += (vector)((vector_mask)w ^ sign);
        }
    }
    EACH_FILL_PART(h)
    ret_next[h] = (lanes->budget[h] + f->rate * signed_value[h]) / (1 + f->rate * signed_weight[h]);
}

/* Rounds go on until no lane falls any more; a lane that has settled stays. */
static void fill_costs(const struct kernel_fill *f, size_t at, struct fill_lanes *lanes)
{
    vector after[FILL_PARTS], next[FILL_PARTS];
    vector_mask is_open[FILL_PARTS];
    EACH_FILL_PART(h)
    {
        after[h] = lanes->after[h] = lanes->budget[h];
        is_open[h] = (vector_mask){0} - 1;
    }
    fill_round(f, at, lanes, after, next, true);
    for (size_t round = 0; f->rate > 0; round++) {
        vector_mask is_going = {0};
        EACH_FILL_PART(h)
        {
            vector_mask is_lower = next[h] < after[h];
            lanes->after[h] = PICK(is_open[h], next[h], lanes->after[h]);
            is_open[h] &= is_lower;
            after[h] = PICK(is_open[h], next[h], after[h]);
            is_going |= is_open[h];
        }
        if (!IS_ANY(is_going) || round > f->n_assets)
            return;
        fill_round(f, at, lanes, after, next, false);
    }
}

static void fill_trade(const struct kernel_fill *f, size_t at, const struct fill_lanes *lanes)
{
    const vector_mask no_sign = (vector_mask){0} + INT64_MAX;
    const double *value = f->value + at, *weight = lanes->weight;
    double *units = f->units + at;
    size_t n = f->n_assets, stride = f->stride;
    vector after[FILL_PARTS], limit[FILL_PARTS];

    EACH_FILL_PART(h)
    {
        after[h] = lanes->after[h];
        limit[h] = f->rounding * after[h];
    }
    for (size_t j = 0; j < n; j++) {
        double per_price = 1 / f->price[j];
        EACH_FILL_PART(h)
        {
            size_t cell = j * stride + h * WIDTH;
            vector target = LOAD(weight + cell) * after[h];
            vector change = target - LOAD(value + cell);
            vector_mask is_kept = (vector)((vector_mask)change & no_sign) <= limit[h];
            STORE(units + cell, PICK(is_kept, LOAD(units + cell), target * per_price));
        }
    }
    EACH_FILL_PART(h)
    {
        STORE(f->cash + at + h * WIDTH, lanes->after[h] * (1 - lanes->invested[h]));
        STORE(f->after + at + h * WIDTH, lanes->after[h]);
    }
}

static bool kernel_fill_many(const struct kernel_fill *f)
{
    for (size_t at = 0; at < f->n_portfolios; at += FILL_LANES) {
        struct fill_lanes lanes;
        fill_open(f, at, &lanes);
        EACH_FILL_PART(h)
        {
            if (IS_ANY(~(lanes.budget[h] > 0)))
                return false;
        }
        fill_costs(f, at, &lanes);
        fill_trade(f, at, &lanes);
    }
    return true;
}

/*
 * Gives values and weights the signs of their trades at after; whether any sign is another than before. The sums
 * of one portfolio are added in order, so that only the signs are worked out side by side.
 */
static bool turn_signs(const struct kernel_rebalance *r, double after)
{
    const vector_mask sign_only = (vector_mask){0} + INT64_MIN;
    double *signed_value = r->change, *signed_weight = r->turned;
    vector_mask is_turned = {0};

    for (size_t j = 0; j < r->n; j += WIDTH) {
        vector v = LOAD(r->value + j), w = LOAD(r->weight + j);
        vector_mask sign = (vector_mask)(w * after - v) & sign_only;
        vector_mask weight = (vector_mask)w ^ sign;
        is_turned |= weight ^ (vector_mask)LOAD(signed_weight + j);
        STORE(signed_weight + j, (vector)weight);
        STORE(signed_value + j, (vector)((vector_mask)v ^ sign));
    }
    return IS_ANY(is_turned);
}

/* costs_value_after; signs that have not turned would give the same value once more. */
static double rebalance_costs(const struct kernel_rebalance *r)
{
    double after = r->before;
    if (!(r->rate > 0))
        return after;
    for (size_t round = 0; round <= r->n + 1; round++) {
        double signed_value = 0, signed_weight = 0;
        if (!turn_signs(r, after) && round > 0)
            return after;
        for (size_t j = 0; j < r->n_names; j++) {
            signed_value += r->change[j];
            signed_weight += r->turned[j];
        }
        double next = (r->before + r->rate * signed_value) / (1 + r->rate * signed_weight);
        if (!(next < after))
            return next;
        after = next;
    }
    return after;
}

static struct kernel_traded kernel_rebalance(const struct kernel_rebalance *r)
{
    double after = rebalance_costs(r), limit = r->rounding * after;
    vector bought[PARTS] = {{0}}, sold[PARTS] = {{0}};
    vector_mask count[PARTS] = {{0}};
    double ups[KERNEL_LANES], downs[KERNEL_LANES];
    int64_t counts[KERNEL_LANES];

    for (size_t i = 0; i < r->n; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            size_t j = i + h * WIDTH;
            vector target = LOAD(r->weight + j) * after, units = target * (1 / LOAD(r->price + j));
            vector change = target - LOAD(r->value + j);
            vector_mask is_bought = change > limit, is_sold = change < -limit;
            vector_mask is_traded = is_bought | is_sold;
            STORE(r->units + j, PICK(is_traded, units, LOAD(r->units + j)));
            STORE(r->change + j, WHERE(is_traded, change));
            bought[h] += WHERE(is_bought, change);
            sold[h] -= WHERE(is_sold, change);
            count[h] -= is_traded;
        }
    }
    memcpy(ups, bought, sizeof ups);
    memcpy(downs, sold, sizeof downs);
    memcpy(counts, count, sizeof counts);
    return (struct kernel_traded){after, add_lanes(ups), add_lanes(downs), count_lanes(counts)};
}
