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
static void value_block(const double *const *column, const double *units, size_t n,
                        const double *cash, size_t t, double *const *equity)
{
    vector sum[TOGETHER][2] = {{{0}}};
    for (size_t j = 0; j < n; j++) {
        const double *price = column[j] + t;
        vector low = LOAD(price), high = LOAD(price + WIDTH);
        UNROLLED
        for (size_t p = 0; p < TOGETHER; p++) {
            double held = units[p * n + j];
            sum[p][0] += held * low;
            sum[p][1] += held * high;
        }
    }
    UNROLLED
    for (size_t p = 0; p < TOGETHER; p++) {
        STORE(equity[p] + t, cash[p] + sum[p][0]);
        STORE(equity[p] + t + WIDTH, cash[p] + sum[p][1]);
    }
}

static void kernel_value_many(const double *const *column, const double *units, size_t n_assets,
                              const double *cash, size_t n_portfolios, size_t from, size_t to,
                              double *const *equity)
{
    size_t p = 0;
    for (; p + TOGETHER <= n_portfolios && to - from >= BLOCK; p += TOGETHER) {
        const double *row = units + p * n_assets;
        for (size_t t = from; t + BLOCK <= to; t += BLOCK)
            value_block(column, row, n_assets, cash + p, t, equity + p);
        if ((to - from) % BLOCK != 0)
            value_block(column, row, n_assets, cash + p, to - BLOCK, equity + p);
    }
    for (; p < n_portfolios; p++)
        kernel_value(column, units + p * n_assets, n_assets, from, to, cash[p], equity[p]);
}
