/* kernels_body_series.h - series made from series, element by element. Part of kernels_body.h. */

static bool kernel_may_leave(const struct kernel_bounds *b, double least, double most)
{
    size_t whole = whole_rounds(b->n), i = 0;
    vector_mask is_out = {0};
    for (; i < whole; i += WIDTH) {
        vector units = LOAD(b->units + i);
        is_out |= units * LOAD(b->high + i) > LOAD(b->upper + i) * least;
        is_out |= units * LOAD(b->low + i) < LOAD(b->lower + i) * most;
    }
    bool is_any = IS_ANY(is_out);
    for (; i < b->n; i++) {
        is_any |= b->units[i] * b->high[i] > b->upper[i] * least;
        is_any |= b->units[i] * b->low[i] < b->lower[i] * most;
    }
    return is_any;
}

static void kernel_deviations(const double *price, const double *per_value, size_t n,
                              const struct kernel_target *target, double *sum, double *worst)
{
    const vector_mask no_sign = (vector_mask){0} + INT64_MAX;
    double units = target->units, weight = target->weight, per_band = target->per_band;
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        vector off = units * LOAD(price + i) * LOAD(per_value + i) - weight;
        off = (vector)((vector_mask)off & no_sign);
        vector bands = off * per_band, most = LOAD(worst + i);
        STORE(sum + i, LOAD(sum + i) + off);
        STORE(worst + i, PICK(bands > most, bands, most));
    }
    for (; i < n; i++) {
        double off = units * price[i] * per_value[i] - weight;
        off = off < 0 ? -off : off;
        sum[i] += off;
        worst[i] = off * per_band > worst[i] ? off * per_band : worst[i];
    }
}

static void kernel_returns(const double *value, size_t n_values, double *ret)
{
    size_t n = n_values > 0 ? n_values - 1 : 0, i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        STORE(ret + i, LOAD(value + i + 1) / LOAD(value + i) - 1);
    for (; i < n; i++)
        ret[i] = value[i + 1] / value[i] - 1;
}

/*
 * Within a block of eight, growth[k] is the product of factors 0..k in the order of Hillis and
 * Steele's scan: neighbours, then two, then vector apart. The block's own base is the last value before it.
 */
static void compound_block(const double growth_of[KERNEL_LANES], double base,
                           double ret[KERNEL_LANES])
{
    double growth[KERNEL_LANES], next[KERNEL_LANES];
    memcpy(growth, growth_of, sizeof growth);
    for (size_t step = 1; step < KERNEL_LANES; step *= 2) {
        memcpy(next, growth, sizeof next);
        for (size_t k = step; k < KERNEL_LANES; k++)
            next[k] = growth[k - step] * growth[k];
        memcpy(growth, next, sizeof growth);
    }
    for (size_t k = 0; k < KERNEL_LANES; k++)
        ret[k] = base * growth[k];
}

static void kernel_compound(const double *r, size_t n, double base, double *ret)
{
    for (size_t i = 0; i < n; i += KERNEL_LANES) {
        size_t count = n - i < KERNEL_LANES ? n - i : KERNEL_LANES;
        double factor[KERNEL_LANES], value[KERNEL_LANES];
        for (size_t k = 0; k < KERNEL_LANES; k++)
            factor[k] = k < count ? 1 + r[i + k] : 1;
        compound_block(factor, base, value);
        memcpy(ret + i, value, count * sizeof *value);
        base = value[count - 1];
    }
}

/* elementary_log of WIDTH normal numbers > 0, operation by operation. */
static void log_vector(const vector *x, vector *ret)
{
    const vector_mask fraction = (vector_mask){0} + INT64_C(0x000fffffffffffff);
    const vector_mask half = (vector_mask){0} + INT64_C(0x3fe0000000000000);
    const vector_mask magic = (vector_mask){0} + INT64_C(0x4330000000000000); /* 2^52 as a double */
    vector_mask bits = (vector_mask)*x;
    vector m = (vector)((bits & fraction) | half);
    vector exponent = (vector)((bits >> 52) | magic) - (0x1p52 + 1022);
    vector_mask is_low = m < ELEMENTARY_ROOT_HALF;
    m += WHERE(is_low, m);
    exponent -= WHERE(is_low, (vector){0} + 1);
    vector f = m - 1;
    vector s = f / (m + 1);
    vector z = s * s;
    vector sum = {0};
    UNROLLED
    for (size_t k = 0; k < ELEMENTARY_LOG_TERMS; k++)
        sum = (sum + elementary_log_coefficients[k]) * z;
    vector tail = 2 * s * sum - s * f;
    *ret = exponent * ELEMENTARY_LN2_HIGH + (f + (tail + exponent * ELEMENTARY_LN2_LOW));
}

static void kernel_logs(const double *x, size_t n, double base, double *ret)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        vector quotient = LOAD(x + i) / base, logs;
        vector_mask is_normal = (quotient >= DBL_MIN) & (quotient <= DBL_MAX);
        if (IS_ANY(~is_normal)) {
            for (size_t k = 0; k < WIDTH; k++)
                ret[i + k] = elementary_log(quotient[k]);
            continue;
        }
        log_vector(&quotient, &logs);
        STORE(ret + i, logs);
    }
    for (; i < n; i++)
        ret[i] = elementary_log(x[i] / base);
}

#if KERNELS_WIDTH == 8
#define ONE_LATER(v) __builtin_shufflevector(v, v, 0, 0, 1, 2, 3, 4, 5, 6)
#define TWO_LATER(v) __builtin_shufflevector(v, v, 0, 1, 0, 1, 2, 3, 4, 5)
#define FOUR_LATER(v) __builtin_shufflevector(v, v, 0, 1, 2, 3, 0, 1, 2, 3)
#define LAST_LANE(v) __builtin_shufflevector(v, v, 7, 7, 7, 7, 7, 7, 7, 7)
#elif KERNELS_WIDTH == 4
#define ONE_LATER(v) __builtin_shufflevector(v, v, 0, 0, 1, 2)
#define TWO_LATER(v) __builtin_shufflevector(v, v, 0, 1, 0, 1)
#define FOUR_LATER(v) (v)
#define LAST_LANE(v) __builtin_shufflevector(v, v, 3, 3, 3, 3)
#else
#define ONE_LATER(v) __builtin_shufflevector(v, v, 0, 0)
#define TWO_LATER(v) (v)
#define FOUR_LATER(v) (v)
#define LAST_LANE(v) __builtin_shufflevector(v, v, 1, 1)
#endif

/* The highest so far of the WIDTH values in each place; a NaN is no peak. */
static vector peaks_within(vector v)
{
    v = MOST(v, (vector){0} - DBL_MAX);
    v = MOST(ONE_LATER(v), v);
    v = MOST(TWO_LATER(v), v);
    return MOST(FOUR_LATER(v), v);
}

/* The running peak of eight values after *peak, which has it in every lane; it moves on. */
static void follow_peak(const double *value, vector *peak, vector ret[PARTS])
{
    vector before = {0};
    EACH_PART(h)
    {
        vector within = peaks_within(LOAD(value + h * WIDTH));
        within = h > 0 ? MOST(within, before) : within;
        before = LAST_LANE(within);
        ret[h] = MOST(within, *peak);
    }
    *peak = MOST(before, *peak);
}

static struct kernel_declines kernel_declines(const double *value, size_t n, double *ret)
{
    struct kernel_declines d = {0};
    vector peaks = (vector){0} + value[0];
    vector sum[PARTS] = {{0}}, squares[PARTS] = {{0}}, lowest[PARTS] = {{0}};
    vector_mask under[PARTS] = {{0}};
    double sums[KERNEL_LANES], square[KERNEL_LANES], low[KERNEL_LANES];
    int64_t count[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        vector top[PARTS];
        follow_peak(value + i, &peaks, top);
        EACH_PART(h)
        {
            vector v = LOAD(value + i + h * WIDTH);
            vector_mask is_below = v < top[h];
            vector depth = WHERE(is_below, v / top[h] - 1);
            STORE(ret + i + h * WIDTH, depth);
            under[h] -= is_below;
            sum[h] += depth;
            squares[h] += depth * depth;
            lowest[h] = LEAST(depth, lowest[h]);
        }
    }
    double peak = peaks[0];
    memcpy(sums, sum, sizeof sums);
    memcpy(square, squares, sizeof square);
    memcpy(low, lowest, sizeof low);
    memcpy(count, under, sizeof count);
    for (size_t k = 0; i < n; k++, i++) {
        peak = value[i] > peak ? value[i] : peak;
        ret[i] = value[i] < peak ? value[i] / peak - 1 : 0;
        count[k] += value[i] < peak ? 1 : 0;
        sums[k] += ret[i];
        square[k] += ret[i] * ret[i];
        low[k] = ret[i] < low[k] ? ret[i] : low[k];
    }
    d.sum = add_lanes(sums);
    d.squares = add_lanes(square);
    d.n_underwater = count_lanes(count);
    for (size_t k = 0; k < KERNEL_LANES; k++)
        d.lowest = low[k] < d.lowest ? low[k] : d.lowest;
    return d;
}

/* The lower of lowest and the declines of eight values from their peaks. */
static double lowest_of(const double *value, const vector top[PARTS], double lowest)
{
    double depth[KERNEL_LANES];
    EACH_PART(h)
    {
        vector v = LOAD(value + h * WIDTH);
        STORE(depth + h * WIDTH, WHERE(v < top[h], v / top[h] - 1));
    }
    for (size_t k = 0; k < KERNEL_LANES; k++)
        lowest = depth[k] < lowest ? depth[k] : lowest;
    return lowest;
}

/* kernel_declines().lowest. Most values are not divided: they lie above what the lowest so far comes to. */
static double kernel_deepest(const double *value, size_t n)
{
    const double slack = 1e-15; /* more than the roundings of the test and of the decline */
    vector peaks = (vector){0} + value[0], top[PARTS];
    double lowest = 0;
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        vector_mask may_be_lower = {0};
        follow_peak(value + i, &peaks, top);
        EACH_PART(h)
        may_be_lower |= LOAD(value + i + h * WIDTH) < top[h] * (1 + lowest + slack);
        if (IS_ANY(may_be_lower))
            lowest = lowest_of(value + i, top, lowest);
    }
    double peak = peaks[0];
    for (; i < n; i++) {
        peak = value[i] > peak ? value[i] : peak;
        double depth = value[i] < peak ? value[i] / peak - 1 : 0;
        lowest = depth < lowest ? depth : lowest;
    }
    return lowest;
}

static size_t kernel_live(const double *x, size_t n)
{
    size_t whole = whole_rounds(n), i = 0;
    for (; i < whole; i += KERNEL_LANES) {
        vector_mask is_live = ~(vector_mask){0};
        EACH_PART(h)
        is_live &= (vector_mask)(LOAD(x + i + h * WIDTH) > 0);
        if (IS_ANY(~is_live))
            break;
    }
    while (i < n && x[i] > 0)
        i++;
    return i;
}
