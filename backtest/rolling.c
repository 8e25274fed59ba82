/* rolling.c - what two neighbouring stretches of sessions make together, and the windows made of them. */
#include "backtest/rolling.h"

#include "backtest/elementary.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

const char *const rolling_metric_names[ROLLING_METRIC_COUNT] = {
    "return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "beta", "correlation"};

/* A stretch of sessions. Paths start at 1. */
struct stretch {
    double count;
    double mean_x, mean_b, xx, xb, bb; /* sums of products of deviations */
    double low_x, high_x, low_b, high_b;
    double below; /* sum min(x, 0)^2 */
    double growth, peak, low,
        depth; /* highest and lowest value, the start counted; deepest decline */
};

static struct stretch one(const struct rolling_input *in, size_t t)
{
    double x = in->x[t], b = in->b != NULL ? in->b[t] : 0, down = x < 0 ? x : 0;
    double growth = 1 + in->r[t];
    return (struct stretch){
        .count = 1,
        .mean_x = x,
        .mean_b = b,
        .low_x = x,
        .high_x = x,
        .low_b = b,
        .high_b = b,
        .below = down * down,
        .growth = growth,
        .peak = growth > 1 ? growth : 1,
        .low = growth < 1 ? growth : 1,
        .depth = growth < 1 ? growth - 1 : 0,
    };
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

static struct stretch join(const struct stretch *a, const struct stretch *b)
{
    double count = a->count + b->count, dx = b->mean_x - a->mean_x, db = b->mean_b - a->mean_b;
    double share = b->count / count, weight = a->count * share;
    return (struct stretch){
        .count = count,
        .mean_x = a->mean_x + dx * share,
        .mean_b = a->mean_b + db * share,
        .xx = a->xx + b->xx + dx * dx * weight,
        .xb = a->xb + b->xb + dx * db * weight,
        .bb = a->bb + b->bb + db * db * weight,
        .low_x = least(a->low_x, b->low_x),
        .high_x = most(a->high_x, b->high_x),
        .low_b = least(a->low_b, b->low_b),
        .high_b = most(a->high_b, b->high_b),
        .below = a->below + b->below,
        .growth = a->growth * b->growth,
        .peak = most(a->peak, a->growth * b->peak),
        .low = least(a->low, a->growth * b->low),
        .depth = least(least(a->depth, b->depth), a->growth * b->low / a->peak - 1),
    };
}

/* The rule of stats.h: what differs by no more than rounding is constant. */
static bool varies(double low, double high)
{
    return high - low > 4 * DBL_EPSILON * most(fabs(low), fabs(high));
}

static void put(double *ret[ROLLING_METRIC_COUNT], enum rolling_metric metric, size_t at,
                bool is_known, double value)
{
    if (ret[metric] != NULL)
        ret[metric][at] = is_known && isfinite(value) ? value : (double)NAN;
}

static void write(const struct rolling_input *in, const struct stretch *s, size_t at,
                  double *ret[ROLLING_METRIC_COUNT])
{
    bool x_varies = varies(s->low_x, s->high_x);
    bool b_varies = in->b != NULL && varies(s->low_b, s->high_b);
    double root = sqrt(in->periods_per_year), sd = x_varies ? sqrt(s->xx / (s->count - 1)) : 0;
    put(ret, ROLLING_RETURN, at, true, s->growth - 1);
    if (ret[ROLLING_CAGR] != NULL)
        put(ret, ROLLING_CAGR, at, true,
            elementary_pow(s->growth, in->periods_per_year / s->count) - 1);
    put(ret, ROLLING_VOLATILITY, at, true, sd * root);
    put(ret, ROLLING_SHARPE, at, x_varies, s->mean_x / sd * root);
    put(ret, ROLLING_SORTINO, at, s->below > 0, s->mean_x / sqrt(s->below / s->count) * root);
    put(ret, ROLLING_MAX_DRAWDOWN, at, true, s->depth);
    put(ret, ROLLING_BETA, at, b_varies, s->xb / s->bb);
    put(ret, ROLLING_CORRELATION, at, b_varies && x_varies, s->xb / sqrt(s->xx * s->bb));
}

enum status rolling_compute(const struct rolling_input *in, struct arena *arena,
                            double *ret[ROLLING_METRIC_COUNT], struct err *err)
{
    size_t w = in->window;
    if (in->n < w)
        return STATUS_OK;
    struct stretch *ends = arena_array(arena, w, sizeof *ends); /* of the block before */
    if (ends == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the rolling statistics.");
    for (size_t block = 0; block + w <= in->n; block += w) {
        /* ends[i]: sessions block + i to the end of the block. */
        for (size_t i = w; i-- > 0;) {
            struct stretch s = one(in, block + i);
            ends[i] = i + 1 == w ? s : join(&s, &ends[i + 1]);
        }
        write(in, &ends[0], block, ret);
        struct stretch begin = {0};
        for (size_t i = 1; i < w && block + i + w <= in->n; i++) {
            struct stretch s = one(in, block + w + i - 1);
            begin = i == 1 ? s : join(&begin, &s);
            struct stretch whole = join(&ends[i], &begin);
            write(in, &whole, block + i, ret);
        }
    }
    return STATUS_OK;
}
