/* kernels_body_value.h - what holdings are worth, session by session. Part of kernels_body.h. */

static double value_one(const double *const *column, const double *units, size_t n, size_t t)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += units[j] * column[j][t];
    return sum;
}

/* Sessions [t, t + KERNEL_LANES). */
static void value_eight(const double *const *column, const double *units, size_t n, size_t t,
                        double cash, double *equity)
{
    vector sum[PARTS] = {{0}};
    for (size_t j = 0; j < n; j++) {
        const double *price = column[j] + t;
        double held = units[j];
        EACH_PART(h)
        sum[h] += held * LOAD(price + h * WIDTH);
    }
    EACH_PART(h)
    STORE(equity + t + h * WIDTH, cash + sum[h]);
}

/* Four vectors of sessions from t on, so that additions of one do not wait for those of another. */
static void value_tile(const double *const *column, const double *units, size_t n, size_t t,
                       double cash, double *equity)
{
    vector sum[4] = {{0}};
    for (size_t j = 0; j < n; j++) {
        const double *price = column[j] + t;
        double held = units[j];
        UNROLLED
        for (size_t q = 0; q < 4; q++)
            sum[q] += held * LOAD(price + q * WIDTH);
    }
    UNROLLED
    for (size_t q = 0; q < 4; q++)
        STORE(equity + t + q * WIDTH, cash + sum[q]);
}

/* A rest of fewer than eight sessions is valued with the eight that end there, or one by one. */
static void kernel_value(const double *const *column, const double *units, size_t n_assets,
                         size_t from, size_t to, double cash, double *equity)
{
    size_t t = from;
    for (; t + 4 * WIDTH <= to; t += 4 * WIDTH)
        value_tile(column, units, n_assets, t, cash, equity);
    for (; t + KERNEL_LANES <= to; t += KERNEL_LANES)
        value_eight(column, units, n_assets, t, cash, equity);
    if (t < to && to - from >= KERNEL_LANES) {
        value_eight(column, units, n_assets, to - KERNEL_LANES, cash, equity);
        return;
    }
    for (; t < to; t++)
        equity[t] = cash + value_one(column, units, n_assets, t);
}

enum { TOGETHER = 4, BLOCK = 2 * WIDTH };

/* TOGETHER portfolios over BLOCK sessions: a price is loaded once for all of them. */
static void value_block(const struct kernel_holdings *h, size_t p, size_t t)
{
    vector sum[TOGETHER][2] = {{{0}}};
    for (size_t j = 0; j < h->n_assets; j++) {
        const double *price = h->column[j] + t, *units = h->units + j * h->stride + p;
        vector low = LOAD(price), high = LOAD(price + WIDTH);
        UNROLLED
        for (size_t q = 0; q < TOGETHER; q++) {
            sum[q][0] += units[q] * low;
            sum[q][1] += units[q] * high;
        }
    }
    UNROLLED
    for (size_t q = 0; q < TOGETHER; q++) {
        STORE(h->equity[p + q] + t, h->cash[p + q] + sum[q][0]);
        STORE(h->equity[p + q] + t + WIDTH, h->cash[p + q] + sum[q][1]);
    }
}

/* One session of all portfolios, one lane each: for spans shorter than a block. */
static void value_session(const struct kernel_holdings *h, size_t t)
{
    for (size_t p = 0; p < h->n_portfolios; p += WIDTH) {
        vector sum = {0};
        double lane[WIDTH];
        for (size_t j = 0; j < h->n_assets; j++)
            sum += LOAD(h->units + j * h->stride + p) * h->column[j][t];
        sum = LOAD(h->cash + p) + sum;
        memcpy(lane, &sum, sizeof lane);
        for (size_t k = 0; k < WIDTH; k++)
            h->equity[p + k][t] = lane[k];
    }
}

static void kernel_value_many(const struct kernel_holdings *h, size_t from, size_t to)
{
    if (to - from < BLOCK) {
        for (size_t t = from; t < to; t++)
            value_session(h, t);
        return;
    }
    for (size_t p = 0; p < h->n_portfolios; p += TOGETHER) {
        for (size_t t = from; t + BLOCK <= to; t += BLOCK)
            value_block(h, p, t);
        if ((to - from) % BLOCK != 0)
            value_block(h, p, to - BLOCK);
    }
}
