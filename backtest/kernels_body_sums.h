/* kernels_body_sums.h - sums over series, in the order of eight lanes. Part of kernels_body.h. */

static struct kernel_range kernel_range(const double *x, size_t n)
{
    struct kernel_range r = {.lowest = x[0], .highest = x[0]};
    vector sum[PARTS] = {{0}}, low[PARTS], high[PARTS];
    double sums[KERNEL_LANES], lows[KERNEL_LANES], highs[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    EACH_PART(h)
    low[h] = high[h] = (vector){0} + x[0];
    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector v = LOAD(x + i + h * WIDTH);
            sum[h] += v;
            low[h] = LEAST(v, low[h]);
            high[h] = MOST(v, high[h]);
        }
    }
    memcpy(sums, sum, sizeof sums);
    memcpy(lows, low, sizeof lows);
    memcpy(highs, high, sizeof highs);
    for (size_t k = 0; i < n; k++, i++) {
        sums[k] += x[i];
        lows[k] = x[i] < lows[k] ? x[i] : lows[k];
        highs[k] = x[i] > highs[k] ? x[i] : highs[k];
    }
    r.sum = add_lanes(sums);
    for (size_t k = 0; k < KERNEL_LANES; k++) {
        r.lowest = lows[k] < r.lowest ? lows[k] : r.lowest;
        r.highest = highs[k] > r.highest ? highs[k] : r.highest;
    }
    return r;
}

static struct kernel_powers kernel_powers(const double *x, size_t n, double centre)
{
    vector p2[PARTS] = {{0}}, p3[PARTS] = {{0}}, p4[PARTS] = {{0}};
    double l2[KERNEL_LANES], l3[KERNEL_LANES], l4[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector d = LOAD(x + i + h * WIDTH) - centre, square = d * d;
            p2[h] += square;
            p3[h] += square * d;
            p4[h] += square * square;
        }
    }
    memcpy(l2, p2, sizeof l2);
    memcpy(l3, p3, sizeof l3);
    memcpy(l4, p4, sizeof l4);
    for (size_t k = 0; i < n; k++, i++) {
        double d = x[i] - centre, square = d * d;
        l2[k] += square;
        l3[k] += square * d;
        l4[k] += square * square;
    }
    return (struct kernel_powers){add_lanes(l2), add_lanes(l3), add_lanes(l4)};
}

static double kernel_squares(const double *x, size_t n, double centre)
{
    vector sum[PARTS] = {{0}};
    double lane[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector d = LOAD(x + i + h * WIDTH) - centre;
            sum[h] += d * d;
        }
    }
    memcpy(lane, sum, sizeof lane);
    for (size_t k = 0; i < n; k++, i++)
        lane[k] += (x[i] - centre) * (x[i] - centre);
    return add_lanes(lane);
}

static struct kernel_gains kernel_gains(const double *x, size_t n, double target)
{
    vector up[PARTS] = {{0}}, down[PARTS] = {{0}}, squares[PARTS] = {{0}};
    vector_mask n_up[PARTS] = {{0}}, n_down[PARTS] = {{0}};
    double ups[KERNEL_LANES], downs[KERNEL_LANES], square[KERNEL_LANES];
    int64_t n_ups[KERNEL_LANES], n_downs[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector d = LOAD(x + i + h * WIDTH) - target;
            vector_mask is_up = d > 0, is_down = d < 0;
            vector below = WHERE(is_down, d);
            up[h] += WHERE(is_up, d);
            down[h] -= below;
            squares[h] += below * below;
            n_up[h] -= is_up;
            n_down[h] -= is_down;
        }
    }
    memcpy(ups, up, sizeof ups);
    memcpy(downs, down, sizeof downs);
    memcpy(square, squares, sizeof square);
    memcpy(n_ups, n_up, sizeof n_ups);
    memcpy(n_downs, n_down, sizeof n_downs);
    for (size_t k = 0; i < n; k++, i++) {
        double d = x[i] - target, below = d < 0 ? d : 0;
        ups[k] += d > 0 ? d : 0;
        downs[k] -= below;
        square[k] += below * below;
        n_ups[k] += d > 0 ? 1 : 0;
        n_downs[k] += d < 0 ? 1 : 0;
    }
    return (struct kernel_gains){add_lanes(ups), add_lanes(downs), add_lanes(square),
                                 count_lanes(n_ups), count_lanes(n_downs)};
}

static double kernel_dot(const double *x, const double *y, size_t n)
{
    vector sum[PARTS] = {{0}};
    double lane[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        sum[h] += LOAD(x + i + h * WIDTH) * LOAD(y + i + h * WIDTH);
    }
    memcpy(lane, sum, sizeof lane);
    for (size_t k = 0; i < n; k++, i++)
        lane[k] += x[i] * y[i];
    return add_lanes(lane);
}

static struct kernel_pair kernel_pair(const double *x, const double *y, size_t n, double centre_x,
                                      double centre_y)
{
    vector xy[PARTS] = {{0}}, xx[PARTS] = {{0}}, yy[PARTS] = {{0}};
    double lxy[KERNEL_LANES], lxx[KERNEL_LANES], lyy[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector dx = LOAD(x + i + h * WIDTH) - centre_x, dy = LOAD(y + i + h * WIDTH) - centre_y;
            xy[h] += dx * dy;
            xx[h] += dx * dx;
            yy[h] += dy * dy;
        }
    }
    memcpy(lxy, xy, sizeof lxy);
    memcpy(lxx, xx, sizeof lxx);
    memcpy(lyy, yy, sizeof lyy);
    for (size_t k = 0; i < n; k++, i++) {
        double dx = x[i] - centre_x, dy = y[i] - centre_y;
        lxy[k] += dx * dy;
        lxx[k] += dx * dx;
        lyy[k] += dy * dy;
    }
    return (struct kernel_pair){add_lanes(lxy), add_lanes(lxx), add_lanes(lyy)};
}

/* One column against four others: its deviations are taken once. */
static void products_four(const double *x, double centre_x, const double *const *y,
                          const double *centre_y, size_t n, double ret[4])
{
    vector sum[4][PARTS] = {{{0}}};
    double lane[4][KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector dx = LOAD(x + i + h * WIDTH) - centre_x;
            UNROLLED
            for (size_t q = 0; q < 4; q++)
                sum[q][h] += dx * (LOAD(y[q] + i + h * WIDTH) - centre_y[q]);
        }
    }
    memcpy(lane, sum, sizeof lane);
    for (size_t k = 0; i < n; k++, i++)
        for (size_t q = 0; q < 4; q++)
            lane[q][k] += (x[i] - centre_x) * (y[q][i] - centre_y[q]);
    for (size_t q = 0; q < 4; q++)
        ret[q] = add_lanes(lane[q]);
}

static void kernel_products(const double *const *column, size_t n_columns, size_t n,
                            const double *centre, double *ret)
{
    for (size_t i = 0; i < n_columns; i++) {
        size_t j = i;
        for (; j + 4 <= n_columns; j += 4)
            products_four(column[i], centre[i], column + j, centre + j, n, ret + i * n_columns + j);
        for (; j < n_columns; j++)
            ret[i * n_columns + j] = kernel_pair(column[i], column[j], n, centre[i], centre[j]).xy;
        for (j = 0; j < i; j++)
            ret[i * n_columns + j] = ret[j * n_columns + i];
    }
}
