/* kernels_body_value.h - what holdings are worth, session by session. Part of kernels_body.h. */

/* At most so many vectors of sessions at a time; of several portfolios, so many of so many: their sums stay in registers. */
enum { TILE_MOST = 6, SHARED_MOST = WIDTH == 8 ? 3 : TILE_MOST, TOGETHER = 12 / SHARED_MOST };
_Static_assert(SHARED_MOST *WIDTH <= KERNEL_TILE && KERNEL_LANES % TOGETHER == 0,
               "tiles have room");

/* Calls with count, 1 to most, as a constant; most is one, up to 7. */
#define IF_COUNT(k, most, call) \
    case (k):                   \
        if ((k) <= (most))      \
            call(k);            \
        break
#define WITH_COUNT(count, most, call) \
    switch (count) {                  \
        IF_COUNT(1, most, call);      \
        IF_COUNT(2, most, call);      \
        IF_COUNT(3, most, call);      \
        IF_COUNT(4, most, call);      \
        IF_COUNT(5, most, call);      \
        IF_COUNT(6, most, call);      \
    default:                          \
        call(most);                   \
    }

/* Where vector v of count begins; the last ends with the span and may overlap the one before. */
static ALWAYS_INLINE size_t begin_of(size_t v, size_t count, size_t n_sessions)
{
    return v + 1 < count ? v * WIDTH : n_sessions - WIDTH;
}

static size_t vectors_for(size_t n_sessions)
{
    return (n_sessions + WIDTH - 1) / WIDTH;
}

/* [from, to) in count vectors, a constant: one pass over the prices. */
static ALWAYS_INLINE void value_tile(const double *const *column, const double *units, size_t n,
                                     size_t from, size_t to, double cash, double *equity,
                                     size_t count)
{
    vector sum[TILE_MOST] = {{0}};
    for (size_t j = 0; j < n; j++) {
        const double *price = column[j] + from;
        double held = units[j];
        UNROLLED
        for (size_t v = 0; v < count; v++)
            sum[v] += held * LOAD(price + begin_of(v, count, to - from));
    }
    UNROLLED
    for (size_t v = 0; v < count; v++)
        STORE(equity + from + begin_of(v, count, to - from), cash + sum[v]);
}

/*
 * Asks for the prices of the next sessions, as many as these, before the fill in between: it takes as long as
 * they need to come near.
 */
static void fetch_next(const double *const *column, size_t n_assets, size_t from, size_t to)
{
    enum { LINE = 8, MOST_LINES = 4 }; /* values to a line of the cache */
    size_t n_lines = (to - from) / LINE + 1;
    n_lines = n_lines < MOST_LINES ? n_lines : MOST_LINES;
    for (size_t j = 0; j < n_assets; j++) {
        for (size_t k = 0; k < n_lines; k++)
            __builtin_prefetch(column[j] + to + k * LINE, 0, 2);
    }
}

/* A rest shorter than a vector is valued with the vector that ends there; a span that short, one by one. */
static void kernel_value(const double *const *column, const double *units, size_t n_assets,
                         size_t from, size_t to, double cash, double *equity)
{
#define VALUE(count) value_tile(column, units, n_assets, t, to, cash, equity, count)
    const size_t most = (size_t)TILE_MOST * WIDTH;
    size_t t = from;

    for (; to - t > most; t += most)
        value_tile(column, units, n_assets, t, t + most, cash, equity, TILE_MOST);
    if (to - t < WIDTH && to - from >= WIDTH)
        t = to - WIDTH;
    if (to - t >= WIDTH) {
        WITH_COUNT(vectors_for(to - t), TILE_MOST, VALUE)
        return;
    }
    for (; t < to; t++) {
        double sum = 0;
        for (size_t j = 0; j < n_assets; j++)
            sum += units[j] * column[j][t];
        equity[t] = cash + sum;
    }
#undef VALUE
}

/* Sessions [from, from + count) of all portfolios, one lane each; count is a constant below WIDTH. */
static ALWAYS_INLINE void value_few(const struct kernel_holdings *h, size_t from, size_t count)
{
    for (size_t p = 0; p < h->n_portfolios; p += KERNEL_LANES) {
        vector sum[WIDTH][PARTS] = {{{0}}};
        const double *units = h->units + p;
        for (size_t j = 0; j < h->n_assets; j++, units += h->stride) {
            UNROLLED
            for (size_t s = 0; s < count; s++) {
                EACH_PART(q)
                sum[s][q] += LOAD(units + q * WIDTH) * h->column[j][from + s];
            }
        }
        for (size_t s = 0; s < count; s++) {
            double lane[KERNEL_LANES];
            memcpy(lane, sum[s], sizeof lane);
            for (size_t k = 0; k < KERNEL_LANES; k++)
                h->equity[p + k][from + s] = h->cash[p + k] + lane[k];
        }
    }
}

/* TOGETHER portfolios over the prices of a tile, count vectors of them an asset. */
static ALWAYS_INLINE void value_pair(const struct kernel_holdings *h, const double *tile, size_t p,
                                     size_t from, size_t count)
{
    vector sum[TOGETHER][SHARED_MOST] = {{{0}}};
    size_t n = h->n_assets, stride = h->stride;
    const double *units = h->units + p;
    for (size_t j = 0; j < n; j++, units += stride, tile += count * WIDTH) {
        UNROLLED
        for (size_t v = 0; v < count; v++) {
            UNROLLED
            for (size_t q = 0; q < TOGETHER; q++)
                sum[q][v] += units[q] * LOAD(tile + v * WIDTH);
        }
    }
    UNROLLED
    for (size_t q = 0; q < TOGETHER; q++) {
        double cash = h->cash[p + q], *equity = h->equity[p + q] + from;
        UNROLLED
        for (size_t v = 0; v < count; v++)
            STORE(equity + v * WIDTH, cash + sum[q][v]);
    }
}

/* All portfolios over count vectors of sessions, whose prices are laid side by side once for all of them. */
static void value_block(const struct kernel_holdings *h, size_t from, size_t count)
{
    double *tile = h->tile;
    for (size_t j = 0; j < h->n_assets; j++) {
        for (size_t v = 0; v < count; v++, tile += WIDTH)
            STORE(tile, LOAD(h->column[j] + from + v * WIDTH));
    }
#define PAIR(count) value_pair(h, h->tile, p, from, count)
    for (size_t p = 0; p < h->n_portfolios; p += TOGETHER) {
        WITH_COUNT(count, SHARED_MOST, PAIR)
    }
#undef PAIR
}

/* Whole vectors of sessions two portfolios at a time, the rest a lane each. */
static void kernel_value_many(const struct kernel_holdings *h, size_t from, size_t to)
{
    size_t n_vectors = (to - from) / WIDTH, t = from;
    fetch_next(h->column, h->n_assets, from, to);
    while (n_vectors > 0) {
        size_t count = n_vectors < SHARED_MOST ? n_vectors : SHARED_MOST;
        value_block(h, t, count);
        t += count * WIDTH;
        n_vectors -= count;
    }
#define FEW(count) value_few(h, t, count)
    if (t < to) {
        WITH_COUNT(to - t, WIDTH - 1, FEW)
    }
#undef FEW
}
