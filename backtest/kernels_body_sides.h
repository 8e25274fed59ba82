/* kernels_body_sides.h - sums and products over the elements on one side of a limit. Part of kernels_body.h. */

#define IS_ABOVE(x) ((vector_mask)((x) > 0))
#define IS_BELOW(x) ((vector_mask)((x) < 0))

static double multiply_lanes(const double lane[KERNEL_LANES])
{
    return ((lane[0] * lane[4]) * (lane[2] * lane[6])) *
           ((lane[1] * lane[5]) * (lane[3] * lane[7]));
}

static struct kernel_partials kernel_partials(const double *x, size_t n, double target)
{
    vector up[PARTS] = {{0}}, up2[PARTS] = {{0}}, down[PARTS] = {{0}}, down2[PARTS] = {{0}};
    vector down3[PARTS] = {{0}};
    vector_mask n_up[PARTS] = {{0}}, n_down[PARTS] = {{0}};
    double u1[KERNEL_LANES], u2[KERNEL_LANES], d1[KERNEL_LANES], d2[KERNEL_LANES], d3[KERNEL_LANES];
    int64_t n_ups[KERNEL_LANES], n_downs[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector d = LOAD(x + i + h * WIDTH) - target;
            vector_mask is_up = IS_ABOVE(d), is_down = IS_BELOW(d);
            vector above = WHERE(is_up, d), below = WHERE(is_down, d), square = below * below;
            up[h] += above;
            up2[h] += above * above;
            down[h] -= below;
            down2[h] += square;
            down3[h] -= square * below;
            n_up[h] -= is_up;
            n_down[h] -= is_down;
        }
    }
    memcpy(u1, up, sizeof u1);
    memcpy(u2, up2, sizeof u2);
    memcpy(d1, down, sizeof d1);
    memcpy(d2, down2, sizeof d2);
    memcpy(d3, down3, sizeof d3);
    memcpy(n_ups, n_up, sizeof n_ups);
    memcpy(n_downs, n_down, sizeof n_downs);
    for (size_t k = 0; i < n; k++, i++) {
        double d = x[i] - target, above = d > 0 ? d : 0, below = d < 0 ? d : 0;
        u1[k] += above;
        u2[k] += above * above;
        d1[k] -= below;
        d2[k] += below * below;
        d3[k] -= below * below * below;
        n_ups[k] += d > 0 ? 1 : 0;
        n_downs[k] += d < 0 ? 1 : 0;
    }
    return (struct kernel_partials){add_lanes(u1),       add_lanes(d1), add_lanes(u2),
                                    add_lanes(d2),       add_lanes(d3), count_lanes(n_ups),
                                    count_lanes(n_downs)};
}

static double kernel_growth(const double *x, size_t n)
{
    vector product[PARTS];
    double lane[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    EACH_PART(h)
    product[h] = (vector){0} + 1;
    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        product[h] *= 1 + LOAD(x + i + h * WIDTH);
    }
    memcpy(lane, product, sizeof lane);
    for (size_t k = 0; i < n; k++, i++)
        lane[k] *= 1 + x[i];
    return multiply_lanes(lane);
}

static double kernel_absolute(const double *x, size_t n, double centre)
{
    const vector_mask no_sign = (vector_mask){0} + INT64_MAX;
    vector sum[PARTS] = {{0}};
    double lane[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector d = LOAD(x + i + h * WIDTH) - centre;
            sum[h] += (vector)((vector_mask)d & no_sign);
        }
    }
    memcpy(lane, sum, sizeof lane);
    for (size_t k = 0; i < n; k++, i++)
        lane[k] += x[i] - centre < 0 ? centre - x[i] : x[i] - centre;
    return add_lanes(lane);
}

static struct kernel_below kernel_below(const double *x, size_t n, double limit)
{
    vector sum[PARTS] = {{0}};
    vector_mask count[PARTS] = {{0}};
    double sums[KERNEL_LANES];
    int64_t counts[KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector v = LOAD(x + i + h * WIDTH);
            vector_mask is_below = v < limit;
            sum[h] += WHERE(is_below, v);
            count[h] -= is_below;
        }
    }
    memcpy(sums, sum, sizeof sums);
    memcpy(counts, count, sizeof counts);
    for (size_t k = 0; i < n; k++, i++) {
        sums[k] += x[i] < limit ? x[i] : 0;
        counts[k] += x[i] < limit ? 1 : 0;
    }
    return (struct kernel_below){add_lanes(sums), count_lanes(counts)};
}

static struct kernel_trend kernel_trend(const double *y, size_t n, double centre_y)
{
    double centre = ((double)n + 1) / 2, place[KERNEL_LANES], xy[KERNEL_LANES], yy[KERNEL_LANES];
    vector dx[PARTS], sxy[PARTS] = {{0}}, syy[PARTS] = {{0}};
    size_t whole = whole_rounds(n), i = 0;

    for (size_t k = 0; k < KERNEL_LANES; k++)
        place[k] = (double)(k + 1) - centre;
    memcpy(dx, place, sizeof place);
    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector dy = LOAD(y + i + h * WIDTH) - centre_y;
            sxy[h] += dx[h] * dy;
            syy[h] += dy * dy;
            dx[h] += (double)KERNEL_LANES; /* halves of whole numbers: exact */
        }
    }
    memcpy(xy, sxy, sizeof xy);
    memcpy(yy, syy, sizeof yy);
    for (size_t k = 0; i < n; k++, i++) {
        double dy = y[i] - centre_y;
        xy[k] += ((double)(i + 1) - centre) * dy;
        yy[k] += dy * dy;
    }
    return (struct kernel_trend){add_lanes(xy), add_lanes(yy)};
}

/* The elements of one kind: how many, and what r and b grow to over them. */
struct kind_growth {
    vector own[PARTS], other[PARTS];
    vector_mask n[PARTS];
};

static void grow_part(struct kind_growth *g, size_t h, vector_mask is_here, vector r, vector b)
{
    g->n[h] -= is_here;
    g->own[h] *= 1 + WHERE(is_here, r);
    g->other[h] *= 1 + WHERE(is_here, b);
}

static void kernel_sides(const double *r, const double *b, size_t n, struct kernel_side ret[3])
{
    struct kind_growth g[3];
    double own[3][KERNEL_LANES], other[3][KERNEL_LANES];
    int64_t count[3][KERNEL_LANES], same[2][KERNEL_LANES];
    vector_mask n_same[2][PARTS] = {{{0}}};
    size_t whole = whole_rounds(n), i = 0;

    for (size_t q = 0; q < 3; q++)
        for (size_t h = 0; h < PARTS; h++) {
            g[q].own[h] = g[q].other[h] = (vector){0} + 1;
            g[q].n[h] = (vector_mask){0};
        }
    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector own_h = LOAD(r + i + h * WIDTH), other_h = LOAD(b + i + h * WIDTH);
            vector_mask is_up = IS_ABOVE(other_h), is_down = IS_BELOW(other_h);
            grow_part(&g[0], h, is_up, own_h, other_h);
            grow_part(&g[1], h, is_down, own_h, other_h);
            grow_part(&g[2], h, ~is_up, own_h, other_h);
            n_same[0][h] -= is_up & IS_ABOVE(own_h);
            n_same[1][h] -= is_down & IS_BELOW(own_h);
        }
    }
    for (size_t q = 0; q < 3; q++) {
        memcpy(own[q], g[q].own, sizeof own[q]);
        memcpy(other[q], g[q].other, sizeof other[q]);
        memcpy(count[q], g[q].n, sizeof count[q]);
    }
    memcpy(same, n_same, sizeof same);
    for (size_t k = 0; i < n; k++, i++) {
        const bool is_here[3] = {b[i] > 0, b[i] < 0, !(b[i] > 0)};
        for (size_t q = 0; q < 3; q++) {
            count[q][k] += is_here[q];
            own[q][k] *= is_here[q] ? 1 + r[i] : 1;
            other[q][k] *= is_here[q] ? 1 + b[i] : 1;
        }
        same[0][k] += is_here[0] && r[i] > 0;
        same[1][k] += is_here[1] && r[i] < 0;
    }
    for (size_t q = 0; q < 3; q++)
        ret[q] = (struct kernel_side){multiply_lanes(own[q]), multiply_lanes(other[q]),
                                      count_lanes(count[q]), q < 2 ? count_lanes(same[q]) : 0};
}

static struct kernel_wins kernel_wins(const double *x, const double *b, size_t n)
{
    vector_mask sum[6][PARTS] = {{{0}}};
    int64_t lane[6][KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector other = LOAD(b + i + h * WIDTH);
            vector_mask is_win = IS_ABOVE(LOAD(x + i + h * WIDTH));
            vector_mask is_up = IS_ABOVE(other), is_down = IS_BELOW(other);
            sum[0][h] -= is_up;
            sum[1][h] -= is_down;
            sum[2][h] -= is_up & is_win;
            sum[3][h] -= is_down & is_win;
            sum[4][h] -= ~is_down & is_win;
            sum[5][h] -= is_win;
        }
    }
    memcpy(lane, sum, sizeof lane);
    for (size_t k = 0; i < n; k++, i++) {
        bool is_win = x[i] > 0;
        lane[0][k] += b[i] > 0;
        lane[1][k] += b[i] < 0;
        lane[2][k] += b[i] > 0 && is_win;
        lane[3][k] += b[i] < 0 && is_win;
        lane[4][k] += !(b[i] < 0) && is_win;
        lane[5][k] += is_win;
    }
    size_t n_down = count_lanes(lane[1]);
    return (struct kernel_wins){
        .n = {count_lanes(lane[0]), n_down, n - n_down},
        .n_wins = {count_lanes(lane[2]), count_lanes(lane[3]), count_lanes(lane[4])},
        .n_all_wins = count_lanes(lane[5]),
    };
}

static struct kernel_split kernel_split(const double *x, const double *b, size_t n)
{
    vector sx[2][PARTS] = {{{0}}}, sb[2][PARTS] = {{{0}}};
    vector_mask count[2][PARTS] = {{{0}}};
    double lx[2][KERNEL_LANES], lb[2][KERNEL_LANES];
    int64_t counts[2][KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector vx = LOAD(x + i + h * WIDTH), vb = LOAD(b + i + h * WIDTH);
            vector_mask is_up = IS_ABOVE(vb), is_down = IS_BELOW(vb);
            sx[0][h] += WHERE(is_up, vx);
            sb[0][h] += WHERE(is_up, vb);
            count[0][h] -= is_up;
            sx[1][h] += WHERE(is_down, vx);
            sb[1][h] += WHERE(is_down, vb);
            count[1][h] -= is_down;
        }
    }
    memcpy(lx, sx, sizeof lx);
    memcpy(lb, sb, sizeof lb);
    memcpy(counts, count, sizeof counts);
    for (size_t k = 0; i < n; k++, i++) {
        const bool is_here[2] = {b[i] > 0, b[i] < 0};
        for (size_t q = 0; q < 2; q++) {
            lx[q][k] += is_here[q] ? x[i] : 0;
            lb[q][k] += is_here[q] ? b[i] : 0;
            counts[q][k] += is_here[q];
        }
    }
    return (struct kernel_split){.x = {add_lanes(lx[0]), add_lanes(lx[1])},
                                 .b = {add_lanes(lb[0]), add_lanes(lb[1])},
                                 .n = {count_lanes(counts[0]), count_lanes(counts[1])}};
}

static void kernel_split_pair(const double *x, const double *b, size_t n,
                              const struct kernel_split *mean, struct kernel_pair ret[2])
{
    vector sxy[2][PARTS] = {{{0}}}, syy[2][PARTS] = {{{0}}};
    double xy[2][KERNEL_LANES], yy[2][KERNEL_LANES];
    size_t whole = whole_rounds(n), i = 0;

    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        {
            vector vx = LOAD(x + i + h * WIDTH), vb = LOAD(b + i + h * WIDTH);
            vector up = WHERE(IS_ABOVE(vb), vb - mean->b[0]);
            vector down = WHERE(IS_BELOW(vb), vb - mean->b[1]);
            sxy[0][h] += (vx - mean->x[0]) * up;
            syy[0][h] += up * up;
            sxy[1][h] += (vx - mean->x[1]) * down;
            syy[1][h] += down * down;
        }
    }
    memcpy(xy, sxy, sizeof xy);
    memcpy(yy, syy, sizeof yy);
    for (size_t k = 0; i < n; k++, i++) {
        const bool is_here[2] = {b[i] > 0, b[i] < 0};
        for (size_t q = 0; q < 2; q++) {
            double d = is_here[q] ? b[i] - mean->b[q] : 0;
            xy[q][k] += (x[i] - mean->x[q]) * d;
            yy[q][k] += d * d;
        }
    }
    for (size_t q = 0; q < 2; q++)
        ret[q] = (struct kernel_pair){.xy = add_lanes(xy[q]), .yy = add_lanes(yy[q])};
}
