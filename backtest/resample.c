/* resample.c - block draws, and paths valued from tables of the history. */
#include "backtest/resample.h"

#include "backtest/elementary.h"
#include "backtest/rng.h"

#include <assert.h>
#include <math.h>

enum { LEVELS_MAX = 9, GUIDE = 256 };
enum { QUIET_LAGS = 5 }; /* max(5, sqrt(log10 n)) of the paper, for every n there is */

static const double LN_10 = 2.3025850929940457;

static struct resample_segment join(struct resample_segment a, struct resample_segment b)
{
    double across = b.low / a.high;
    double depth = a.depth < b.depth ? a.depth : b.depth;
    return (struct resample_segment){
        .low = a.low < b.low ? a.low : b.low,
        .high = a.high > b.high ? a.high : b.high,
        .depth = across < depth ? across : depth,
    };
}

static void fill_segments(struct resample_source *s)
{
    size_t steps = 2 * s->n;
    for (size_t i = 0; i < steps; i++)
        s->segment[i] = (struct resample_segment){s->value[i + 1], s->value[i + 1], 1};
    for (size_t k = 1; k < s->n_levels; k++) {
        size_t half = (size_t)1 << (k - 1);
        const struct resample_segment *shorter = s->segment + (k - 1) * steps;
        for (size_t i = 0; i + 2 * half <= steps; i++)
            s->segment[k * steps + i] = join(shorter[i], shorter[i + half]);
    }
}

enum status resample_source_init(struct resample_source *source, const double *r, size_t n,
                                 double target, struct arena *arena, struct err *err)
{
    struct resample_source s = {.n = n, .target = target, .n_levels = 1};
    while (s.n_levels < LEVELS_MAX && (size_t)1 << s.n_levels <= n)
        s.n_levels++;
    s.value = arena_array(arena, 2 * n + 1, sizeof *s.value);
    s.sum = arena_array(arena, 2 * n + 1, sizeof *s.sum);
    s.square = arena_array(arena, 2 * n + 1, sizeof *s.square);
    s.below = arena_array(arena, 2 * n + 1, sizeof *s.below);
    s.segment = arena_array(arena, s.n_levels * 2 * n, sizeof *s.segment);
    if (s.value == NULL || s.sum == NULL || s.square == NULL || s.below == NULL ||
        s.segment == NULL)
        return err_out_of_memory(err);
    s.value[0] = 1;
    for (size_t i = 0; i < 2 * n; i++) {
        double x = r[i < n ? i : i - n], short_of = x < target ? x - target : 0;
        s.value[i + 1] = s.value[i] * (1 + x);
        s.sum[i + 1] = s.sum[i] + x;
        s.square[i + 1] = s.square[i] + x * x;
        s.below[i + 1] = s.below[i] + short_of * short_of;
    }
    fill_segments(&s);
    *source = s;
    return STATUS_OK;
}

/* A draw u in [0, 2^32) has length k when survival[k] <= u < survival[k - 1]; short blocks are high draws. */
static enum status fill_lengths(struct resample_plan *plan, double mean_block, struct arena *arena,
                                struct err *err)
{
    double keep = 1 - 1 / mean_block, share = 1;
    plan->survival = arena_array(arena, plan->n + 1, sizeof *plan->survival);
    plan->guide = arena_array(arena, GUIDE, sizeof *plan->guide);
    if (plan->survival == NULL || plan->guide == NULL)
        return err_out_of_memory(err);
    plan->survival[0] = UINT32_MAX;
    for (size_t k = 1; k < plan->n; k++) {
        share *= keep;
        plan->survival[k] = (uint32_t)(share * 4294967296.0);
    }
    plan->survival[plan->n] = 0; /* none is longer than the source */
    uint32_t k = 1;
    for (uint32_t g = GUIDE; g-- > 0;) { /* lower draws have longer blocks */
        uint32_t highest = g << 24 | 0xffffffu;
        while (highest < plan->survival[k])
            k++;
        plan->guide[g] = k;
    }
    return STATUS_OK;
}

enum status resample_plan_init(struct resample_plan *plan, enum resample_kind kind,
                               double mean_block, size_t n, size_t horizon, uint64_t seed,
                               struct arena *arena, struct err *err)
{
    assert(n > 0 && n <= UINT32_MAX / 2 && mean_block >= 1);
    struct resample_plan p = {.kind = kind, .n = n, .horizon = horizon, .seed = seed, .length = 1};
    enum status s = STATUS_OK;
    if (kind == RESAMPLE_STATIONARY)
        s = fill_lengths(&p, mean_block, arena, err);
    else if (kind == RESAMPLE_BLOCK)
        p.length = (uint32_t)fmin(mean_block + 0.5, (double)n);
    if (s == STATUS_OK)
        *plan = p;
    return s;
}

static uint32_t draw_length(const struct resample_plan *plan, struct rng *rng)
{
    if (plan->kind != RESAMPLE_STATIONARY)
        return plan->length;
    uint32_t draw = rng_next_u32(rng), k = plan->guide[draw >> 24];
    while (draw < plan->survival[k])
        k++;
    return k;
}

size_t resample_draw(const struct resample_plan *plan, uint64_t index, struct resample_block *ret)
{
    struct rng rng;
    size_t n = 0;
    rng_init(&rng, plan->seed, index);
    for (size_t left = plan->horizon; left > 0; n++) {
        uint32_t start = rng_next_below(&rng, (uint32_t)plan->n);
        uint32_t length = draw_length(plan, &rng);
        if (length > left)
            length = (uint32_t)left;
        ret[n] = (struct resample_block){start, length};
        left -= length;
    }
    return n;
}

void resample_advance(const struct resample_source *source, size_t start, size_t length,
                      struct resample_path *path)
{
    size_t steps = 2 * source->n, at = start, end = start + length;
    size_t level = source->n_levels - 1;
    double scale = path->value / source->value[start];
    double peak = path->peak, depth = path->depth;

    while (at < end) {
        while ((size_t)1 << level > end - at)
            level--;
        const struct resample_segment *s = &source->segment[level * steps + at];
        double low = scale * s->low, high = scale * s->high;
        if (low < depth * peak)
            depth = low / peak;
        depth = s->depth < depth ? s->depth : depth;
        peak = high > peak ? high : peak;
        at += (size_t)1 << level;
    }
    path->value = scale * source->value[end];
    path->peak = peak;
    path->depth = depth;
    path->sum += source->sum[end] - source->sum[start];
    path->square += source->square[end] - source->square[start];
    path->below += source->below[end] - source->below[start];
}

double resample_mean_block(size_t n)
{
    return elementary_pow((double)n, 1.0 / 3);
}

static double autocovariance(const double *r, size_t n, double mean, size_t lag)
{
    double sum = 0;
    for (size_t t = lag; t < n; t++)
        sum += (r[t] - mean) * (r[t - lag] - mean);
    return sum / (double)n;
}

/*
 * The first of band lags in a row whose correlations are within what noise gives, most when there are
 * none: |rho| < 2 sqrt(log10(n) / n). The paper names the lag before it; the packages np (R) and arch
 * (Python) take this one, and so do we.
 */
static size_t first_quiet_lag(const double *r, size_t n, double mean, size_t band, size_t most)
{
    double variance = autocovariance(r, n, mean, 0);
    double limit = 2 * sqrt(elementary_log((double)n) / LN_10 / (double)n) * variance;
    size_t quiet = 0;
    for (size_t lag = 1; lag < most && lag < n; lag++) {
        quiet = fabs(autocovariance(r, n, mean, lag)) < limit ? quiet + 1 : 0;
        if (quiet == band)
            return lag - band + 1;
    }
    return most;
}

double resample_politis_white(const double *r, size_t n)
{
    double mean = 0, count = (double)n;
    for (size_t t = 0; t < n; t++)
        mean += r[t];
    mean /= count;
    size_t most = (size_t)ceil(sqrt(count)) + QUIET_LAGS;
    size_t width = 2 * first_quiet_lag(r, n, mean, QUIET_LAGS, most);
    width = width < most ? width : most;
    double spectrum = autocovariance(r, n, mean, 0), slope = 0;
    for (size_t k = 1; k <= width && k < n; k++) {
        double x = (double)k / (double)width;
        double weight = x <= 0.5 ? 1 : 2 * (1 - x);
        double r_k = autocovariance(r, n, mean, k);
        spectrum += 2 * weight * r_k;
        slope += 2 * weight * (double)k * r_k;
    }
    if (!(spectrum * spectrum > 0))
        return 1;
    double ratio = slope / spectrum; /* b^3 = 2 G^2 / (2 g^2) n */
    double block = elementary_pow(ratio * ratio * count, 1.0 / 3);
    double cap = ceil(fmin(3 * sqrt(count), count / 3));
    return fmax(1, fmin(block, cap));
}
