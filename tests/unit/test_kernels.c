/* test_kernels.c - every variant gives the bits of ref, and ref what textbook loops in long double give. */
#include "backtest/elementary.h"
#include "backtest/kernels.h"
#include "backtest/rng.h"
#include "base/attrs.h"
#include "base/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LONG = 7561, ROOM = LONG + 8, COLUMNS = 13, ROWS = KERNEL_PORTFOLIOS, KINDS = 4 };

static double x[ROOM], y[ROOM], prices[COLUMNS][ROOM];

/* kind 0: returns; 1: positive levels; 2: magnitudes from 1e-140 to 1e140; 3: zeros, equal values and subnormals */
static double draw(struct rng *rng, int kind)
{
    double u = rng_next_unit(rng) - 0.5;
    switch (kind) {
    case 0:
        return u * 0.06;
    case 1:
        return 100 * elementary_exp(u);
    case 2:
        return (u > 0 ? 1 : -1) * elementary_exp(u * 640);
    default:
        return (double[]){0.0, -0.0, 0.01, -0.01, 0x1p-1070, 1}[rng_next_below(rng, 6)];
    }
}

static void fill(double *to, size_t n, uint64_t seed, int kind)
{
    struct rng rng;
    rng_init(&rng, seed, (uint64_t)kind);
    for (size_t i = 0; i < n; i++)
        to[i] = draw(&rng, kind);
}

static void fill_all(uint64_t seed, int kind)
{
    fill(x, ROOM, seed, kind);
    fill(y, ROOM, seed + 1, kind);
    for (size_t j = 0; j < COLUMNS; j++)
        fill(prices[j], ROOM, seed + 2 + j, kind);
}

/* The lengths every kernel is tried with: 0 to 40, then long ones around whole rounds. */
static size_t length_of(size_t i)
{
    static const size_t more[] = {63, 64, 65, 252, 1000, 7559, 7560};
    return i <= 40 ? i : more[i - 41];
}

enum { LENGTHS = 41 + 7 };

/* Everything a table gives for one length and offset, as bytes to compare. */
struct outcome {
    double series[9][ROOM];
    double rows[ROWS][ROOM];
    double matrix[COLUMNS * COLUMNS];
    struct kernel_range range;
    struct kernel_powers powers;
    struct kernel_gains gains[2];
    struct kernel_declines declines;
    struct kernel_pair pair, split_pair[2];
    struct kernel_partials partials[2];
    struct kernel_below below;
    struct kernel_trend trend;
    struct kernel_side sides[3];
    struct kernel_wins wins;
    struct kernel_split split;
    struct kernel_runs runs;
    struct kernel_fall fall;
    double dot, growth, absolute, deepest, invested, squares;
    size_t live, found;
};

static struct outcome one, two;

static void value_all(const struct kernels *k, size_t from, size_t to, struct outcome *out)
{
    const double *column[COLUMNS];
    double *row[ROWS], cash[ROWS], units[ROWS * COLUMNS], first[COLUMNS];
    for (size_t j = 0; j < COLUMNS; j++)
        column[j] = prices[j];
    fill(units, ROWS * COLUMNS, 99, 0);
    for (size_t j = 0; j < COLUMNS; j++)
        first[j] = units[j * ROWS];
    for (size_t p = 0; p < ROWS; p++) {
        row[p] = out->rows[p];
        cash[p] = 1000.1 * (double)p;
    }
    k->value(column, first, COLUMNS, from, to, 12.34, out->series[0]);
    _Alignas(64) double tile[COLUMNS * KERNEL_TILE];
    struct kernel_holdings all = {column, COLUMNS, units, cash, ROWS, ROWS, row, tile};
    k->value_many(&all, from, to);
}

static size_t longest_run(const double *values, size_t n, double sign)
{
    size_t run = 0, longest = 0;
    for (size_t i = 0; i < n; i++) {
        run = values[i] * sign > 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* The values below another one before them; equal ones, so that the first of the lowest is to be found. */
static void follow_fall(const struct kernels *k, const double *levels, size_t n,
                        struct kernel_fall *out)
{
    double value[ROOM];
    size_t end = 1, trough = 1;
    if (n < 2)
        return;
    for (size_t i = 0; i < n; i++)
        value[i] = fmin(floor(levels[i] * 200), 1000);
    value[0] = n % 3 == 0 ? 1e9 : value[1] + 1 + (double)(n % 5); /* every third never ends */
    while (end < n && value[end] < value[0]) {
        trough = value[end] < value[trough] ? end : trough;
        end++;
    }
    *out = k->fall(value, n);
    assert_int_equal(out->end, end);
    assert_int_equal(out->trough, trough);
    assert_true(out->lowest == value[trough]);
}

/* Places, runs, and one series beside another, each as a plain loop has it. */
static void run_places(const struct kernels *k, const double *r, const double *b, size_t n,
                       struct outcome *out)
{
    struct kernel_line line = {0.001, 0.7, 0.004};
    size_t sought = n * 2 / 3, first = 0;
    if (n > 0) {
        out->found = k->find(r, n, r[sought]);
        while (r[first] < r[sought] || r[first] > r[sought])
            first++;
        assert_int_equal(out->found, first);
    }
    assert_int_equal(k->find(r, n, 12345), n);
    out->runs = k->runs(r, n);
    assert_int_equal(out->runs.up, longest_run(r, n, 1));
    assert_int_equal(out->runs.down, longest_run(r, n, -1));
    out->invested = k->invested(r, b, n);
    k->levels(r, n, 3, 1000, out->series[7]);
    k->residuals(r, b, n, &line, out->series[8]);
    for (size_t i = 0; i < n; i++) {
        double off = r[i] - 0.001 - 0.7 * b[i];
        assert_true(out->series[7][i] == 1000 * (r[i] / 3));
        assert_true(out->series[8][i] == (fabs(off) > 0.004 ? off : 0));
    }
}

/* A run may be as long as several words of bits, and go from one to the next. */
static void runs_of_any_length_are_found(void **state)
{
    static double r[400];
    (void)state;
    for (size_t from = 0; from < 130; from += 1 + from / 9) {
        for (size_t n = 0; from + n <= ARRAY_LEN(r); n += 1 + n / 5) {
            for (size_t i = 0; i < ARRAY_LEN(r); i++)
                r[i] = i >= from && i < from + n ? 0.01 : i % 3 == 0 ? 0 : -0.01;
            struct kernel_runs found = kernels_ref.runs(r, ARRAY_LEN(r));
            assert_int_equal(found.up, n);
            assert_int_equal(found.down, longest_run(r, ARRAY_LEN(r), -1));
        }
    }
}

/* The share of wealth that is not cash, where there is wealth. */
static void invested_is_what_textbook_loops_say(void **state)
{
    double cash[100], wealth[100];
    (void)state;
    fill(cash, 100, 3, 1);
    fill(wealth, 100, 4, 1);
    wealth[40] = wealth[93] = 0;
    for (size_t n = 0; n <= 100; n++) {
        long double sum = 0, size = 0;
        for (size_t i = 0; i < n; i++) {
            bool has_any = wealth[i] > 0;
            long double share = has_any ? (long double)cash[i] / (long double)wealth[i] : 1;
            sum += 1 - share;
            size += 1 + share;
        }
        long double found = (long double)kernels_ref.invested(cash, wealth, n);
        assert_true(fabsl(found - sum) <= 1e-15L * size);
    }
}

/* One position out of n is outside, on either side, or none is. */
static void find_what_may_leave(const struct kernels *k, size_t n)
{
    static double units[ROOM], low[ROOM], high[ROOM], lower[ROOM], upper[ROOM];
    const struct kernel_bounds bounds = {units, low, high, lower, upper, n};
    for (size_t i = 0; i < n; i++) {
        units[i] = low[i] = 1;
        high[i] = 2;
        lower[i] = 0.5;
        upper[i] = 3;
    }
    assert_false(k->may_leave(&bounds, 1, 1));
    for (size_t at = 0; at < n; at = at < 40 ? at + 1 : n - 1 > at ? n - 1 : n) {
        upper[at] = 1.5;
        assert_true(k->may_leave(&bounds, 1, 1));
        assert_false(k->may_leave(&bounds, 1.5, 1.5));
        upper[at] = 3;
        lower[at] = 1.5;
        assert_true(k->may_leave(&bounds, 1, 1));
        assert_false(k->may_leave(&bounds, 1, 0.5));
        lower[at] = 0.5;
    }
}

static void run_all(const struct kernels *k, size_t from, size_t n, struct outcome *out)
{
    const double *column[COLUMNS];
    double centre[COLUMNS];
    memset(out, 0, sizeof *out);
    for (size_t j = 0; j < COLUMNS; j++) {
        column[j] = prices[j] + from;
        centre[j] = 0.001 * (double)j;
    }
    value_all(k, from, from + n, out);
    run_places(k, x + from, y + from, n, out);
    k->returns(x + from, n, out->series[1]);
    k->compound(x + from, n, 100, out->series[2]);
    struct kernel_target target = {1.5, 0.01, 40};
    k->deviations(x + from, y + from, n, &target, out->series[5], out->series[6]);
    for (size_t i = 0; i < n && isfinite(x[from + i] * y[from + i]); i++) {
        double off = fabs(1.5 * x[from + i] * y[from + i] - 0.01);
        assert_true(out->series[5][i] == off && out->series[6][i] == off * 40);
    }
    out->dot = k->dot(x + from, y + from, n);
    out->powers = k->powers(x + from, n, 0.0003);
    out->squares = k->squares(x + from, n, 0.0003);
    assert_true(number_is_same(out->squares, out->powers.p2));
    out->gains[0] = k->gains(x + from, n, 0);
    out->gains[1] = k->gains(x + from, n, 0.01);
    out->pair = k->pair(x + from, y + from, n, 0.0003, -0.0001);
    k->products(column, n > 1000 ? 6 : COLUMNS, n, centre, out->matrix);
    out->partials[0] = k->partials(x + from, n, 0);
    out->partials[1] = k->partials(x + from, n, 0.01);
    out->growth = k->growth(x + from, n);
    out->absolute = k->absolute(x + from, n, 0.0003);
    out->below = k->below(x + from, n, -0.01);
    out->trend = k->trend(x + from, n, 0.0003);
    k->sides(x + from, y + from, n, out->sides);
    out->wins = k->wins(x + from, y + from, n);
    out->split = k->split(x + from, y + from, n);
    struct kernel_split mean = {{0.0003, -0.0001}, {0.02, -0.02}, {0}};
    k->split_pair(x + from, y + from, n, &mean, out->split_pair);
    find_what_may_leave(k, n);
    if (n == 0)
        return;
    out->range = k->range(x + from, n);
    out->declines = k->declines(x + from, n, out->series[3]);
    out->live = k->live(x + from, n);
    size_t live = 0;
    while (live < n && x[from + live] > 0)
        live++;
    assert_int_equal(out->live, live);
    double levels[ROOM];
    for (size_t i = 0; i < n; i++)
        levels[i] = fabs(x[from + i]) > 0 ? fabs(x[from + i]) : 1;
    k->logs(levels, n, levels[0], out->series[4]);
    out->deepest = k->deepest(levels, n);
    follow_fall(k, levels, n, &out->fall);
    assert_true(out->deepest == k->declines(levels, n, levels).lowest);
}

/* The variants beside ref that this machine has; returns how many. */
static size_t variants(const struct kernels *ret[2])
{
    const struct kernels *all[] = {kernels_choose(KERNELS_AVX2), kernels_choose(KERNELS_AVX512)};
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        if (all[i] != NULL)
            ret[n++] = all[i];
    }
    return n;
}

static void assert_bits_of_ref(const struct kernels *other)
{
    for (int kind = 0; kind < KINDS; kind++) {
        fill_all((uint64_t)kind * 100, kind);
        for (size_t i = 0; i < LENGTHS; i++) {
            for (size_t offset = 0; offset < (length_of(i) > 100 ? 2 : 9); offset++) {
                if (offset + length_of(i) > ROOM)
                    continue;
                run_all(&kernels_ref, offset, length_of(i), &one);
                run_all(other, offset, length_of(i), &two);
                if (memcmp(&one, &two, sizeof one) != 0)
                    fail_msg("%s differs: kind %d, %zu from %zu", other->name, kind, length_of(i),
                             offset);
            }
        }
    }
}

static void every_variant_gives_the_bits_of_ref(void **state)
{
    const struct kernels *other[2];
    size_t n = variants(other);
    (void)state;
    if (n == 0)
        skip();
    for (size_t i = 0; i < n; i++)
        assert_bits_of_ref(other[i]);
}

static void assert_near(double actual, long double expected, long double scale)
{
    if (!(fabsl((long double)actual - expected) <= 4e-15L * scale))
        fail_msg("%.17g is not %.20Lg within %Lg", actual, expected, 4e-15L * scale);
}

static void assert_side(struct kernel_side side, const long double grown[2], size_t n,
                        size_t n_same)
{
    assert_near(side.own, grown[0], 100 * grown[0]);
    assert_near(side.other, grown[1], 100 * grown[1]);
    assert_true(side.n == n && side.n_same == n_same);
}

/* Products of thousands of factors carry a rounding each. */
static void sides_are_those_of_textbook_loops(void **state)
{
    const struct kernels *k = &kernels_ref;
    (void)state;
    fill_all(6, 0);
    for (size_t i = 0; i < LENGTHS; i++) {
        size_t len = length_of(i), n[3] = {0}, same[2] = {0}, wins[4] = {0}, n_below = 0;
        long double grown[3][2] = {{1, 1}, {1, 1}, {1, 1}}, all = 1, cubes = 0, above = 0, off = 0;
        long double sx[2] = {0}, sb[2] = {0}, xy[2] = {0}, xx[2] = {0}, size = 0, below = 0;
        long double slope = 0, spread = 0, steep = 0;
        for (size_t t = 0; t < len; t++) {
            const bool is_here[3] = {y[t] > 0, y[t] < 0, !(y[t] > 0)};
            long double d = (long double)x[t] - 0.01L, e = (long double)x[t] - 0.0003L;
            for (size_t q = 0; q < 3; q++) {
                n[q] += is_here[q];
                grown[q][0] *= is_here[q] ? 1 + (long double)x[t] : 1;
                grown[q][1] *= is_here[q] ? 1 + (long double)y[t] : 1;
            }
            for (size_t q = 0; q < 2; q++) {
                long double b = is_here[q] ? (long double)y[t] - (q == 0 ? 0.02L : -0.02L) : 0;
                sx[q] += is_here[q] ? (long double)x[t] : 0;
                sb[q] += is_here[q] ? (long double)y[t] : 0;
                xy[q] += ((long double)x[t] - (q == 0 ? 0.0003L : -0.0001L)) * b;
                xx[q] += b * b;
                same[q] += is_here[q] && (q == 0 ? x[t] > 0 : x[t] < 0);
                wins[q] += is_here[q] && x[t] > 0;
            }
            wins[2] += !is_here[1] && x[t] > 0;
            wins[3] += x[t] > 0;
            all *= 1 + (long double)x[t];
            cubes -= d < 0 ? d * d * d : 0;
            above += d > 0 ? d * d : 0;
            off += fabsl(e);
            n_below += x[t] < -0.01;
            below += x[t] < -0.01 ? (long double)x[t] : 0;
            long double place = (long double)(t + 1) - ((long double)len + 1) / 2;
            slope += place * e;
            steep += fabsl(place * e);
            spread += e * e;
            size += 1;
        }
        struct kernel_side side[3];
        struct kernel_pair pair[2];
        struct kernel_split mean = {{0.0003, -0.0001}, {0.02, -0.02}, {0}},
                            split = k->split(x, y, len);
        struct kernel_wins found = k->wins(x, y, len);
        struct kernel_partials partials = k->partials(x, len, 0.01);
        struct kernel_below low = k->below(x, len, -0.01);
        struct kernel_trend trend = k->trend(x, len, 0.0003);
        k->sides(x, y, len, side);
        k->split_pair(x, y, len, &mean, pair);
        for (size_t q = 0; q < 3; q++) {
            assert_side(side[q], grown[q], n[q], q < 2 ? same[q] : 0);
            assert_int_equal(found.n_wins[q], wins[q]);
            assert_int_equal(found.n[q], q < 2 ? n[q] : len - n[1]);
        }
        for (size_t q = 0; q < 2; q++) {
            assert_near(split.x[q], sx[q], size);
            assert_near(split.b[q], sb[q], size);
            assert_int_equal(split.n[q], n[q]);
            assert_near(pair[q].xy, xy[q], size);
            assert_near(pair[q].yy, xx[q], size);
        }
        assert_int_equal(found.n_all_wins, wins[3]);
        assert_near(k->growth(x, len), all, 100 * all);
        assert_near(k->absolute(x, len, 0.0003), off, size);
        assert_near(partials.losses_cubed, cubes, size);
        assert_near(partials.gains_squared, above, size);
        struct kernel_gains gains = k->gains(x, len, 0.01);
        assert_true(partials.gains == gains.gains && partials.losses == gains.losses);
        assert_true(partials.losses_squared == gains.losses_squared);
        assert_true(partials.n_gains == gains.n_gains && partials.n_losses == gains.n_losses);
        assert_near(low.sum, below, size);
        assert_int_equal(low.n, n_below);
        assert_near(trend.xy, slope, steep + 1);
        assert_near(trend.yy, spread, size);
    }
}

/* Sums stand within 4e-15 of the sum of magnitudes: eight lanes add fewer roundings than one. */
static void sums_are_those_of_textbook_loops(void **state)
{
    const struct kernels *k = &kernels_ref;
    (void)state;
    fill_all(5, 0);
    for (size_t i = 1; i < LENGTHS; i++) {
        size_t n = length_of(i);
        long double sum = 0, size = 0, p[5] = {0}, q[5] = {0}, xy = 0, sxy = 0, up = 0, down = 0;
        size_t n_up = 0, n_down = 0;
        double low = x[0], high = x[0];
        for (size_t t = 0; t < n; t++) {
            long double d = (long double)x[t] - 0.0003L, power = d;
            sum += (long double)x[t];
            size += fabsl((long double)x[t]);
            for (int e = 2; e <= 4; e++) {
                power *= d;
                p[e] += power;
                q[e] += fabsl(power);
            }
            xy += d * ((long double)y[t] + 0.0001L);
            sxy += fabsl(d * ((long double)y[t] + 0.0001L));
            up += d > 0 ? d : 0;
            down -= d < 0 ? d : 0;
            n_up += d > 0 ? 1 : 0;
            n_down += d < 0 ? 1 : 0;
            low = fmin(low, x[t]);
            high = fmax(high, x[t]);
        }
        struct kernel_range range = k->range(x, n);
        struct kernel_powers powers = k->powers(x, n, 0.0003);
        struct kernel_gains gains = k->gains(x, n, 0.0003);
        struct kernel_pair pair = k->pair(x, y, n, 0.0003, -0.0001);
        assert_near(range.sum, sum, size);
        assert_true(range.lowest == low && range.highest == high);
        assert_near(powers.p2, p[2], q[2]);
        assert_near(powers.p3, p[3], q[3]);
        assert_near(powers.p4, p[4], q[4]);
        assert_near(gains.gains, up, size + 0.0003L * (long double)n);
        assert_near(gains.losses, down, size + 0.0003L * (long double)n);
        assert_true(gains.n_gains == n_up && gains.n_losses == n_down);
        assert_near(pair.xy, xy, sxy);
        assert_true(pair.xx == powers.p2);
    }
}

/* Every shape around the tiles and the lanes, in both variants, beside a sum in long double. */
static void products_of_rows_are_those_of_textbook_loops(void **state)
{
    enum { ROWS_MAX = 10, STRIDE = 701 };
    static double ours[ROWS_MAX * ROWS_MAX], theirs[ROWS_MAX * ROWS_MAX], sum_one[ROOM],
        sum_two[ROOM];
    const struct kernels *other[2];
    size_t n_others = variants(other);
    (void)state;
    fill_all(8, 0);
    for (size_t n = 0; n < 40; n++) {
        for (size_t shape = 0; shape < ROWS_MAX * ROWS_MAX; shape++) {
            struct kernel_cross c = {.a = x,
                                     .b = y + n,
                                     .n_a = 1 + shape / ROWS_MAX,
                                     .n_b = 1 + shape % ROWS_MAX,
                                     .n = n < 39 ? n : 697,
                                     .stride = STRIDE,
                                     .factor = n % 2 == 0 ? -1 : 0.5,
                                     .ret = ours,
                                     .ret_stride = ROWS_MAX};
            for (size_t k = 0; k < ROWS_MAX * ROWS_MAX; k++)
                ours[k] = 3;
            kernels_ref.cross(&c);
            c.ret = theirs;
            for (size_t v = 0; v < n_others; v++) {
                for (size_t k = 0; k < ROWS_MAX * ROWS_MAX; k++)
                    theirs[k] = 3;
                other[v]->cross(&c);
                assert_memory_equal(ours, theirs, sizeof ours);
            }
            for (size_t k = 0; k < ROWS_MAX * ROWS_MAX; k++) {
                size_t i = k / ROWS_MAX, j = k % ROWS_MAX;
                long double sum = 0;
                for (size_t t = 0; i < c.n_a && j < c.n_b && t < c.n; t++)
                    sum += (long double)c.a[i * STRIDE + t] * (long double)c.b[j * STRIDE + t];
                assert_near(ours[k], 3 + (long double)c.factor * sum, 3);
            }
        }
        memcpy(sum_one, y, sizeof y);
        kernels_ref.add_scaled(0.7, x, n, sum_one);
        for (size_t v = 0; v < n_others; v++) {
            memcpy(sum_two, y, sizeof y);
            other[v]->add_scaled(0.7, x, n, sum_two);
            assert_memory_equal(sum_one, sum_two, sizeof y);
        }
        for (size_t t = 0; t < ROOM; t++)
            assert_true(sum_one[t] == (t < n ? y[t] + 0.7 * x[t] : y[t]));
    }
}

/* What is said to be below or above is; next to nothing is left open but what stands at the limit itself. */
static void ratios_are_ranked_as_their_values_are(void **state)
{
    enum { COUNT = 64, ROWS_IN = 500 };
    static double sum[2][COUNT], square[2][COUNT], centre[COUNT], scale[COUNT];
    const struct kernels *other[2];
    size_t n_others = variants(other);
    size_t n_open = 0, n_asked = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        double ratio[COUNT];
        fill(sum[0], COUNT, seed, 0);
        fill(sum[1], COUNT, seed + 1000, 0);
        fill(centre, COUNT, seed + 2000, seed % 3 == 0 ? 3 : 0);
        for (size_t c = 0; c < COUNT; c++) {
            bool is_flat = c % 16 == 5;
            scale[c] = 0.06;
            sum[0][c] = is_flat ? 0 : sum[0][c];
            sum[1][c] = is_flat ? 0 : sum[1][c];
            square[0][c] = is_flat ? 0 : 0.1 + fabs(sum[0][c]);
            square[1][c] = is_flat ? 0 : 0.1 + fabs(sum[1][c]);
            double both = sum[0][c] + sum[1][c], mean = both / ROWS_IN;
            double variance = (square[0][c] + square[1][c] - both * mean) / (ROWS_IN - 1);
            ratio[c] = variance > 0 ? (centre[c] + mean) / sqrt(variance) : 0;
        }
        struct kernel_ratios r = {{sum[0], sum[1]}, {square[0], square[1]}, centre, scale, COUNT,
                                  1.0 / ROWS_IN,    1.0 / (ROWS_IN - 1)};
        for (size_t c = 0; c < COUNT; c++) {
            struct kernel_ranks found = kernels_ref.rank(&r, ratio[c]);
            size_t n_below = 0, n_above = 0;
            for (size_t i = 0; i < COUNT; i++) {
                n_below += ratio[i] < ratio[c];
                n_above += ratio[i] > ratio[c];
            }
            assert_true(found.n_below <= n_below && found.n_above <= n_above);
            for (size_t v = 0; v < n_others; v++) {
                struct kernel_ranks theirs = other[v]->rank(&r, ratio[c]);
                assert_true(found.n_below == theirs.n_below && found.n_above == theirs.n_above);
            }
            n_open += COUNT - found.n_below - found.n_above;
            n_asked++;
        }
        assert_int_equal(kernels_ref.rank(&r, -(double)INFINITY).n_above, 0);
        assert_int_equal(kernels_ref.rank(&r, (double)NAN).n_below, 0);
    }
    assert_true(n_open < 8 * n_asked); /* itself, four that do not vary, and equal ones */
}

static void dot_and_products_are_those_of_textbook_loops(void **state)
{
    const double *column[COLUMNS];
    double centre[COLUMNS], matrix[COLUMNS * COLUMNS];
    (void)state;
    fill_all(6, 0);
    for (size_t j = 0; j < COLUMNS; j++) {
        column[j] = prices[j];
        centre[j] = 0.0002 * (double)j;
    }
    kernels_ref.products(column, COLUMNS, 1003, centre, matrix);
    for (size_t i = 0; i < COLUMNS; i++) {
        for (size_t j = 0; j < COLUMNS; j++) {
            long double sum = 0, size = 0;
            for (size_t t = 0; t < 1003; t++) {
                long double product = ((long double)prices[i][t] - (long double)centre[i]) *
                                      ((long double)prices[j][t] - (long double)centre[j]);
                sum += product;
                size += fabsl(product);
            }
            assert_near(matrix[i * COLUMNS + j], sum, size);
            assert_true(matrix[i * COLUMNS + j] == matrix[j * COLUMNS + i]);
        }
    }
    long double sum = 0, size = 0;
    for (size_t t = 0; t < 1003; t++) {
        sum += (long double)x[t] * (long double)y[t];
        size += fabsl((long double)x[t] * (long double)y[t]);
    }
    assert_near(kernels_ref.dot(x, y, 1003), sum, size);
}

/* Element by element the scalar formula, to the bit. */
static void written_series_are_the_scalar_formulas(void **state)
{
    static double ret[ROOM], depth[ROOM], logs[ROOM];
    (void)state;
    fill_all(7, 1);
    for (size_t i = 1; i < LENGTHS; i++) {
        size_t n = length_of(i);
        double peak = x[0], lowest = 0;
        size_t under = 0;
        kernels_ref.returns(x, n, ret);
        kernels_ref.logs(x, n, x[0], logs);
        struct kernel_declines d = kernels_ref.declines(x, n, depth);
        for (size_t t = 0; t < n; t++) {
            peak = fmax(peak, x[t]);
            double expected = x[t] < peak ? x[t] / peak - 1 : 0;
            lowest = fmin(lowest, expected);
            under += expected < 0 ? 1 : 0;
            assert_true(depth[t] == expected);
            assert_true(logs[t] == elementary_log(x[t] / x[0]));
            assert_true(t + 1 == n || ret[t] == x[t + 1] / x[t] - 1);
        }
        assert_true(d.lowest == lowest && d.n_underwater == under);
    }
}

static void compounding_stays_with_the_long_double_product(void **state)
{
    static double value[ROOM];
    long double product = 100;
    (void)state;
    fill_all(8, 0);
    kernels_ref.compound(x, LONG, 100, value);
    for (size_t t = 0; t < LONG; t++) {
        product *= 1 + (long double)x[t];
        assert_true(fabsl((long double)value[t] / product - 1) < 1e-16L * (long double)(t + 8));
    }
}

/* A portfolio's value does not depend on where its spans begin, or on who is valued beside it. */
static void value_is_the_sum_in_column_order_for_any_span(void **state)
{
    (void)state;
    fill_all(9, 1);
    for (size_t from = 0; from < 20; from++) {
        for (size_t to = from; to < from + 60; to++) {
            double units[ROWS * COLUMNS];
            fill(units, ROWS * COLUMNS, 99, 0);
            memset(&one, 0, sizeof one);
            value_all(&kernels_ref, from, to, &one);
            for (size_t t = 0; t < 100; t++) {
                double sum[ROWS] = {0};
                for (size_t p = 0; p < ROWS; p++)
                    for (size_t j = 0; j < COLUMNS; j++)
                        sum[p] += units[j * ROWS + p] * prices[j][t];
                bool is_inside = t >= from && t < to;
                assert_true(one.series[0][t] == (is_inside ? 12.34 + sum[0] : 0));
                for (size_t p = 0; p < ROWS; p++)
                    assert_true(one.rows[p][t] == (is_inside ? 1000.1 * (double)p + sum[p] : 0));
            }
        }
    }
}

static void nan_becomes_nan_in_every_variant(void **state)
{
    const struct kernels *tables[3] = {&kernels_ref};
    size_t n = 1 + variants(tables + 1);
    (void)state;
    fill_all(10, 0);
    x[11] = (double)NAN;
    for (size_t i = 0; i < n; i++) {
        const struct kernels *k = tables[i];
        assert_true(isnan(k->range(x, 40).sum) && isnan(k->powers(x, 40, 0).p3));
        assert_true(isnan(k->dot(x, y, 40)) && isnan(k->pair(x, y, 40, 0, 0).xy));
        assert_true(k->gains(x, 40, 0).n_gains + k->gains(x, 40, 0).n_losses == 39);
    }
}

static void choice_is_what_was_asked_for_or_what_the_machine_has(void **state)
{
    (void)state;
    assert_ptr_equal(kernels_choose(KERNELS_REF), &kernels_ref);
    assert_string_equal(kernels_ref.name, "ref");
    const struct kernels *avx2 = kernels_choose(KERNELS_AVX2);
    const struct kernels *avx512 = kernels_choose(KERNELS_AVX512);
    assert_ptr_equal(kernels_choose(KERNELS_AUTO), avx512 != NULL ? avx512
                                                   : avx2 != NULL ? avx2
                                                                  : &kernels_ref);
    assert_true(avx2 == NULL || strcmp(avx2->name, "avx2") == 0);
    assert_true(avx512 == NULL || strcmp(avx512->name, "avx512") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_any_length_are_found),
        cmocka_unit_test(invested_is_what_textbook_loops_say),
        cmocka_unit_test(every_variant_gives_the_bits_of_ref),
        cmocka_unit_test(sums_are_those_of_textbook_loops),
        cmocka_unit_test(sides_are_those_of_textbook_loops),
        cmocka_unit_test(products_of_rows_are_those_of_textbook_loops),
        cmocka_unit_test(ratios_are_ranked_as_their_values_are),
        cmocka_unit_test(dot_and_products_are_those_of_textbook_loops),
        cmocka_unit_test(written_series_are_the_scalar_formulas),
        cmocka_unit_test(compounding_stays_with_the_long_double_product),
        cmocka_unit_test(value_is_the_sum_in_column_order_for_any_span),
        cmocka_unit_test(nan_becomes_nan_in_every_variant),
        cmocka_unit_test(choice_is_what_was_asked_for_or_what_the_machine_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
