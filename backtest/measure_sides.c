/* measure_sides.c - rising and falling benchmarks apart: captures, counts, bull and bear beta. */
#include "backtest/measure_sides.h"

#include "backtest/elementary.h"
#include "backtest/order.h"

#include <math.h>

/* Ratio of the growth of r to that of b; each to the power P / count first when annual. */
static void capture(const struct relative *w, struct measure_value *out,
                    const struct kernel_side *side, enum measure_reason none, bool is_annual)
{
    if (side->n == 0) {
        measure_deny(out, none, 0);
        return;
    }
    double count = is_annual ? (double)side->n : w->periods;
    double above = measure_annualised(side->own, w->periods, count);
    double below = measure_annualised(side->other, w->periods, count);
    measure_maybe(out, fabs(below) > 0, above / below, REASON_ZERO_VARIANCE, side->n);
}

/* up / down, or the reason of the first that has no value. */
static void ratio_of(struct relative *w, enum measure_id id, const struct measure_value *up,
                     const struct measure_value *down)
{
    enum measure_reason why = up->reason != REASON_NONE     ? up->reason
                              : down->reason != REASON_NONE ? down->reason
                                                            : REASON_ZERO_VARIANCE;
    bool is_known =
        up->reason == REASON_NONE && down->reason == REASON_NONE && fabs(down->value) > 0;
    measure_maybe(&w->out[id], is_known, up->value / down->value, why, w->n);
}

/* empyrical's: a row where the portfolio has no return counts on its side, with what the benchmark did in it. */
static void captures_of_rows(struct relative *w, const struct kernel_side *rise,
                             const struct kernel_side *fall)
{
    struct measure_value *out = w->out;
    const struct measure_rows *rows = &w->rows;
    struct kernel_side up = *rise, down = *fall;
    if (rows->n > 0) {
        up.n = rows->n_rise;
        up.other = rows->rise;
        down.n = rows->n_fall;
        down.other = rows->fall;
    }
    capture(w, ROW(out, up_capture_rows), &up, REASON_NO_UPSIDE, true);
    capture(w, ROW(out, down_capture_rows), &down, REASON_NO_DOWNSIDE, true);
    ratio_of(w, MEASURE_capture_ratio_rows, ROW(out, up_capture_rows), ROW(out, down_capture_rows));
}

void measure_take_captures(struct facts *f)
{
    struct relative *w = f->relative;
    struct measure_value *out = f->out;
    if (w == NULL)
        return;
    struct kernel_side side[3];
    w->k->sides(w->r, w->b, w->n, side);
    const struct kernel_side *rise = &side[0], *fall = &side[1], *no_rise = &side[2];
    capture(w, ROW(out, up_capture), rise, REASON_NO_UPSIDE, true);
    capture(w, ROW(out, down_capture), fall, REASON_NO_DOWNSIDE, true);
    capture(w, ROW(out, up_capture_cumulative), rise, REASON_NO_UPSIDE, false);
    capture(w, ROW(out, down_capture_cumulative), no_rise, REASON_NO_DOWNSIDE, false);
    measure_ratio(ROW(out, up_number), (double)rise->n_same, (double)rise->n, REASON_NO_UPSIDE,
                  rise->n);
    measure_ratio(ROW(out, down_number), (double)fall->n_same, (double)fall->n, REASON_NO_DOWNSIDE,
                  fall->n);
    double whole = measure_annualised(w->rows.growth, w->periods, (double)w->n_rows);
    measure_maybe(ROW(out, capture_whole), fabs(whole) > 0,
                  measure_annualised(w->all_r, w->periods, (double)w->n_rows) / whole,
                  REASON_ZERO_VARIANCE, w->n);
    ratio_of(w, MEASURE_capture_ratio, ROW(out, up_capture), ROW(out, down_capture));
    captures_of_rows(w, rise, fall);
}

void measure_batting(struct relative *w, const double *active)
{
    struct measure_value *out = w->out;
    struct kernel_wins wins = w->k->wins(active, w->b, w->n);
    double n_wins[3] = {(double)wins.n_wins[0], (double)wins.n_wins[1], (double)wins.n_wins[2]};
    measure_set(ROW(out, batting_average), (double)wins.n_all_wins / (double)w->n, w->n);
    measure_set(ROW(out, batting_average_rows), (double)wins.n_all_wins / (double)w->n_rows, w->n);
    measure_ratio(ROW(out, batting_average_up), n_wins[0], (double)wins.n[0], REASON_NO_UPSIDE,
                  wins.n[0]);
    measure_ratio(ROW(out, batting_average_down), n_wins[1], (double)wins.n[1], REASON_NO_DOWNSIDE,
                  wins.n[1]);
    const struct measure_rows *rows = &w->rows;
    size_t n_level = rows->n > 0 ? rows->n - rows->n_fall : wins.n[2];
    size_t n_fall = rows->n > 0 ? rows->n_fall : wins.n[1];
    measure_ratio(ROW(out, batting_average_up_zero), n_wins[2], (double)n_level, REASON_NO_UPSIDE,
                  n_level);
    measure_ratio(ROW(out, batting_average_down_rows), n_wins[1], (double)n_fall,
                  REASON_NO_DOWNSIDE, n_fall);
}

/* beta on one side; false when the benchmark does not vary there. */
static bool beta_on_side(struct kernel_pair side, size_t n, double *ret)
{
    if (n < 2 || !(side.yy > 1e-30 * (double)n))
        return false;
    *ret = side.xy / side.yy;
    return true;
}

/* alpha of a regression whose beta and means are known, compounded as empyrical does it. */
static void alpha_on_side(const struct relative *w, struct measure_value *out, double alpha,
                          const struct measure_value *beta)
{
    if (beta->reason != REASON_NONE)
        measure_deny(out, beta->reason, beta->n);
    else
        measure_set(out, elementary_pow(1 + alpha, w->periods) - 1, beta->n);
}

void measure_take_bull_and_bear(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    if (w == NULL)
        return;
    double bull = 0, bear = 0;
    struct kernel_split mean = w->k->split(w->x, w->bx, w->n_x);
    struct kernel_pair side[2];
    size_t n_bull = mean.n[0], n_bear = mean.n[1];
    for (size_t q = 0; q < 2; q++) {
        mean.x[q] = mean.n[q] > 0 ? mean.x[q] / (double)mean.n[q] : 0;
        mean.b[q] = mean.n[q] > 0 ? mean.b[q] / (double)mean.n[q] : 0;
    }
    w->k->split_pair(w->x, w->bx, w->n_x, &mean, side);
    bool has_bull = beta_on_side(side[0], n_bull, &bull);
    bool has_bear = beta_on_side(side[1], n_bear, &bear);
    enum measure_reason why = REASON_ZERO_VARIANCE;
    measure_maybe(ROW(w->out, beta_bull), has_bull, bull, n_bull < 2 ? REASON_TOO_SHORT : why,
                  n_bull);
    measure_maybe(ROW(w->out, beta_bear), has_bear, bear, n_bear < 2 ? REASON_TOO_SHORT : why,
                  n_bear);
    alpha_on_side(w, ROW(w->out, alpha_bull_compounded), mean.x[0] - bull * mean.b[0],
                  ROW(w->out, beta_bull));
    alpha_on_side(w, ROW(w->out, alpha_bear_compounded), mean.x[1] - bear * mean.b[1],
                  ROW(w->out, beta_bear));
    measure_maybe(ROW(w->out, timing_ratio), has_bull && has_bear && fabs(bear) > 0, bull / bear,
                  n_bull < 2 || n_bear < 2 ? REASON_TOO_SHORT : why, w->n);
}

/* n / 2 rounded half to even, as NumPy does. */
static size_t middle(size_t n)
{
    return n % 2 == 0 ? n / 2 : (n / 2) + (n / 2) % 2;
}

/* Where value stands in x after so many others of it; it does. */
static size_t occurrence(const struct relative *w, double value, size_t n_before)
{
    size_t i = w->k->find(w->b, w->n, value);
    for (; n_before > 0; n_before--)
        i += 1 + w->k->find(w->b + i + 1, w->n - i - 1, value);
    return i;
}

static size_t last_occurrence(const struct relative *w, double value)
{
    size_t last = 0;
    for (size_t i = w->k->find(w->b, w->n, value); i < w->n;) {
        last = i++;
        i += w->k->find(w->b + i, w->n - i, value);
    }
    return last;
}

/*
 * Source: N. Taleb and others, "A New Heuristic Measure of Fragility and Tail Risks", IMF Working Paper 12/216,
 * in the form of empyrical.
 */
void measure_take_fragility(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    struct measure_value *out = ROW(f->out, beta_fragility);
    if (w == NULL)
        return;
    if (w->n < 3) {
        measure_deny(out, REASON_TOO_SHORT, w->n);
        return;
    }
    /* In the order by benchmark, then by time: the first session, the last, and the one in the middle. */
    struct kernel_range range = w->k->range(w->b, w->n);
    size_t place = middle(w->n);
    double b = order_at(w->k, w->b, w->n, place, w->scratch);
    place -= w->k->below(w->b, w->n, b).n;
    size_t low = occurrence(w, range.lowest, 0), mid = occurrence(w, b, place);
    size_t high = last_occurrence(w, range.highest);
    double width = range.highest - range.lowest, start = 0.5, end = 0.5;
    if (width > 0) {
        start = (b - range.lowest) / width;
        end = (range.highest - b) / width;
    }
    measure_set(out, start * w->r[low] + end * w->r[high] - w->r[mid], w->n);
}
