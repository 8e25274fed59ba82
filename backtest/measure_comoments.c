/* measure_comoments.c - how r goes with the second to fourth powers of the benchmark, market timing, and r in its drawdowns. */
#include "backtest/drawdown.h"
#include "backtest/elementary.h"
#include "backtest/measure_sides.h"
#include "backtest/order.h"

#include <math.h>

/*
 * Source: L. Martellini, M. Vaissie, V. Ziemann, "Investing in Hedge Funds: Adding Value through Active Style Allocation
 * Decisions", EDHEC 2005, in the form of PerformanceAnalytics: only deviations of r enter once.
 */
void measure_take_comoments(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    struct measure_value *out = f->out;
    if (w == NULL)
        return;
    double n = (double)w->n, mean_b = w->raw.mean_y, power[2];
    struct kernel_powers b = w->k->powers(w->b, w->n, mean_b);
    bool varies = w->sd_b > 0;
    for (size_t t = 0; t < w->n; t++)
        w->scratch[t] = (w->b[t] - mean_b) * (w->b[t] - mean_b);
    power[0] = w->k->pair(w->r, w->scratch, w->n, w->mean_r, 0).xy;
    for (size_t t = 0; t < w->n; t++)
        w->scratch[t] *= w->b[t] - mean_b;
    power[1] = w->k->pair(w->r, w->scratch, w->n, w->mean_r, 0).xy;
    measure_set(ROW(out, covariance_population), w->raw.covariance * (n - 1) / n, w->n);
    measure_set(ROW(out, coskewness), power[0] / n, w->n);
    measure_set(ROW(out, cokurtosis), power[1] / n, w->n);
    measure_maybe(ROW(out, beta_coskewness), varies && fabs(b.p3) > 0, power[0] / b.p3,
                  REASON_ZERO_VARIANCE, w->n);
    measure_maybe(ROW(out, beta_cokurtosis), varies, power[1] / b.p4, REASON_ZERO_VARIANCE, w->n);
}

/* x = alpha + beta bx + gamma z by least squares, z in scratch; id: the row of alpha, before those of beta and gamma. */
static void timing(struct relative *w, enum measure_id id)
{
    double mean_z = w->k->range(w->scratch, w->n_x).sum / (double)w->n_x;
    double mean_x = w->excess.mean_x, mean_b = w->excess.mean_y;
    struct kernel_pair bz = w->k->pair(w->bx, w->scratch, w->n_x, mean_b, mean_z);
    struct kernel_pair xz = w->k->pair(w->x, w->scratch, w->n_x, mean_x, mean_z);
    double xb = w->excess.covariance * ((double)w->n_x - 1),
           alike = bz.xy * bz.xy / (bz.xx * bz.yy);
    bool is_known = w->n_x > 3 && w->has_beta && bz.yy > 0 && alike < 1 - 1e-12;
    double determinant = bz.xx * bz.yy - bz.xy * bz.xy;
    double beta = is_known ? (xb * bz.yy - xz.xy * bz.xy) / determinant : 0;
    double gamma = is_known ? (xz.xy * bz.xx - xb * bz.xy) / determinant : 0;
    double values[3] = {mean_x - beta * mean_b - gamma * mean_z, beta, gamma};
    enum measure_reason why = w->n_x <= 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE;
    for (size_t i = 0; i < 3; i++)
        measure_maybe(&w->out[(size_t)id + i], is_known, values[i], why, w->n_x);
}

/*
 * Sources: J. Treynor, K. Mazuy, "Can Mutual Funds Outguess the Market?", Harvard Business Review 44, 1966; R. Henriksson,
 * R. Merton, "On Market Timing and Investment Performance II", Journal of Business 54, 1981.
 */
void measure_take_market_timing(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    if (w == NULL)
        return;
    for (size_t t = 0; t < w->n_x; t++)
        w->scratch[t] = w->bx[t] * w->bx[t];
    timing(w, MEASURE_treynor_mazuy_alpha);
    for (size_t t = 0; t < w->n_x; t++)
        w->scratch[t] = fmin(w->bx[t], 0);
    timing(w, MEASURE_henriksson_merton_alpha);
}

/* The declines of the benchmark, and the rises between them with depth 0, as PerformanceAnalytics lists both. */
static size_t list_depths(const struct drawdown *list, size_t n_list, size_t n, double *ret)
{
    size_t n_at_peak = n_list + 1;
    if (n_list > 0 && list[0].peak == 0)
        n_at_peak--;
    if (n_list > 0 && list[n_list - 1].recovery == DRAWDOWN_OPEN)
        n_at_peak--;
    for (size_t i = 0; i < n_list; i++)
        ret[i] = list[i].depth;
    for (size_t i = 0; i < n_at_peak && n_list + i < n; i++)
        ret[n_list + i] = 0;
    return n_list + n_at_peak < n ? n_list + n_at_peak : n;
}

/*
 * Source: M. Zabarankin, K. Pavlikov, S. Uryasev, "Capital Asset Pricing Model (CAPM) with Drawdown Measure", European
 * Journal of Operational Research 234, 2014, in the form of PerformanceAnalytics.
 */
void measure_take_in_drawdowns(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_cdar_beta, MEASURE_cdar_alpha};
    struct relative *w = measure_two_pairs(f);
    struct measure_value *out = f->out;
    struct arena *arena = f->arena;
    if (w == NULL)
        return;
    size_t n_room = w->n + 2, n_taken = 0;
    double *path = arena_room(arena, w->n + 1, sizeof *path);
    double *depth = arena_room(arena, n_room, sizeof *depth);
    double *sorted = arena_room(arena, n_room, sizeof *sorted);
    uint32_t *count = arena_room(arena, 2 * n_room + 1, sizeof *count);
    struct drawdown *list = arena_room(arena, w->n / 2 + 2, sizeof *list);
    if (path == NULL || depth == NULL || sorted == NULL || count == NULL || list == NULL) {
        measure_out_of_memory(f);
        return;
    }
    path[0] = 1;
    w->k->compound(w->b, w->n, 1, path + 1);
    size_t n_list = drawdown_list(w->k, path, w->n + 1, list);
    size_t n_depths = list_depths(list, n_list, n_room, depth);
    order_sort(w->k, depth, n_depths, sorted, count);
    double limit = order_quantile(sorted, n_depths, 1 - measure_confidence(f)), own = 0;
    for (size_t i = 0; i < n_list; i++) {
        if (list[i].depth > limit)
            continue;
        own += w->k->growth(w->r + list[i].peak, list[i].trough - list[i].peak) - 1;
        n_taken++;
    }
    if (n_taken == 0) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            measure_deny(&out[rows[i]], REASON_NO_DRAWDOWN, w->n);
        return;
    }
    double beta = own / (double)n_taken / order_mean_to(sorted, n_depths, limit);
    measure_set(ROW(out, cdar_beta), beta, n_taken);
    measure_set(ROW(out, cdar_alpha),
                elementary_pow(1 + w->mean_r, w->periods) - 1 -
                    beta * (elementary_pow(1 + w->raw.mean_y, w->periods) - 1),
                w->n);
}
