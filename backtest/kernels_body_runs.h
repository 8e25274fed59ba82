/* kernels_body_runs.h - places and runs in a series, and series beside another one. Part of kernels_body.h. */

static size_t kernel_find(const double *x, size_t n, double value)
{
    size_t i = 0;
    for (; i + KERNEL_LANES <= n; i += KERNEL_LANES) {
        vector_mask is_found = {0};
        EACH_PART(h)
        {
            vector v = LOAD(x + i + h * WIDTH);
            is_found |= (vector_mask)((v <= value) & (v >= value));
        }
        if (IS_ANY(is_found))
            break;
    }
    while (i < n && !(x[i] <= value && x[i] >= value))
        i++;
    return i;
}

/* A long stretch goes by eights, of which each lane has its lowest; a short one, and the end of a long one, by ones. */
static struct kernel_fall kernel_fall(const double *value, size_t n)
{
    double top = value[0], lowest = top, lows[KERNEL_LANES];
    vector low[PARTS];
    size_t i = 1;
    EACH_PART(h)
    low[h] = (vector){0} + top;
    for (; i + KERNEL_LANES <= n; i += KERNEL_LANES) {
        vector_mask is_back = {0};
        EACH_PART(h)
        is_back |= (vector_mask)(LOAD(value + i + h * WIDTH) >= top);
        if (IS_ANY(is_back))
            break;
        EACH_PART(h)
        low[h] = LEAST(LOAD(value + i + h * WIDTH), low[h]);
    }
    memcpy(lows, low, sizeof lows);
    for (size_t k = 0; k < KERNEL_LANES && i > 1; k++)
        lowest = lows[k] < lowest ? lows[k] : lowest;
    for (; i < n && value[i] < top; i++)
        lowest = value[i] < lowest ? value[i] : lowest;
    return (struct kernel_fall){i, 1 + kernel_find(value + 1, i - 1, lowest), lowest};
}

/* Of a word of bits, the lowest first: the longest run, together with *run from the words before; it moves on. */
static size_t longest_in(uint64_t bits, size_t *run, size_t longest)
{
    enum { BITS = 64 };
    size_t head = *run, inside = 0;
    if (~bits == 0) {
        *run += BITS;
        return *run > longest ? *run : longest;
    }
    head += (size_t)__builtin_ctzll(~bits);
    *run = (size_t)__builtin_clzll(~bits);
    for (; bits != 0; inside++)
        bits &= bits << 1;
    longest = head > longest ? head : longest;
    return inside > longest ? inside : longest;
}

static struct kernel_runs kernel_runs(const double *x, size_t n)
{
    enum { BITS = 64 };
    struct kernel_runs longest = {0, 0};
    size_t up = 0, down = 0, i = 0;
    for (; i + BITS <= n; i += BITS) {
        uint64_t ups = 0, downs = 0;
        for (size_t k = 0; k < BITS; k += WIDTH) {
            vector v = LOAD(x + i + k);
            ups |= (uint64_t)KERNELS_BITS(v > 0) << k;
            downs |= (uint64_t)KERNELS_BITS(v < 0) << k;
        }
        longest.up = longest_in(ups, &up, longest.up);
        longest.down = longest_in(downs, &down, longest.down);
    }
    for (; i < n; i++) {
        up = x[i] > 0 ? up + 1 : 0;
        down = x[i] < 0 ? down + 1 : 0;
        longest.up = up > longest.up ? up : longest.up;
        longest.down = down > longest.down ? down : longest.down;
    }
    return longest;
}

static double kernel_invested(const double *cash, const double *wealth, size_t n)
{
    vector sum[PARTS] = {{0}};
    double lane[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;
    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector value = LOAD(wealth + i + h * WIDTH);
            sum[h] += WHERE(value > 0, 1 - LOAD(cash + i + h * WIDTH) / value);
        }
    }
    memcpy(lane, sum, sizeof lane);
    for (size_t k = 0; i < n; k++, i++)
        lane[k] += wealth[i] > 0 ? 1 - cash[i] / wealth[i] : 0;
    return add_lanes(lane);
}

static void kernel_levels(const double *x, size_t n, double base, double level, double *ret)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        STORE(ret + i, level * (LOAD(x + i) / base));
    for (; i < n; i++)
        ret[i] = level * (x[i] / base);
}

static void kernel_residuals(const double *x, const double *y, size_t n,
                             const struct kernel_line *line, double *ret)
{
    const vector_mask no_sign = (vector_mask){0} + INT64_MAX;
    double alpha = line->alpha, beta = line->beta, least = line->least;
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        vector off = LOAD(x + i) - alpha - beta * LOAD(y + i);
        STORE(ret + i, WHERE((vector)((vector_mask)off & no_sign) > least, off));
    }
    for (; i < n; i++) {
        double off = x[i] - alpha - beta * y[i];
        ret[i] = off > least || off < -least ? off : 0;
    }
}
