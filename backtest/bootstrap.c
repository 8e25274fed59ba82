/* bootstrap.c - replicates of the headline metrics, and the intervals they span. */
#include "backtest/bootstrap.h"

#include "backtest/elementary.h"
#include "backtest/stats.h"

#include <math.h>

const char *const bootstrap_figure_names[BOOTSTRAP_FIGURE_COUNT] = {
    [BOOTSTRAP_CAGR] = "cagr",
    [BOOTSTRAP_VOLATILITY] = "volatility",
    [BOOTSTRAP_SHARPE] = "sharpe",
    [BOOTSTRAP_SORTINO] = "sortino",
    [BOOTSTRAP_MAX_DRAWDOWN] = "max_drawdown",
    [BOOTSTRAP_CALMAR] = "calmar",
    [BOOTSTRAP_TERMINAL_WEALTH] = "terminal_wealth",
};

/* A variance below this share of the mean square is the rounding of running sums. */
static const double ROUNDING = 1e-13;

/* Variance with divisor n - 1; 0 where it is rounding. */
static double variance_of(const struct resample_path *path, double n)
{
    double mean = path->sum / n, variance = (path->square - path->sum * mean) / (n - 1);
    return variance > ROUNDING * path->square / n ? variance : 0;
}

/* over: the same path of what returns have over the risk-free ones. */
static struct bootstrap_figures figures_of(const struct bootstrap_input *in,
                                           const struct resample_path *path,
                                           const struct resample_path *over)
{
    struct bootstrap_figures f;
    double n = (double)in->n, root = sqrt(in->periods_per_year), depth = path->depth - 1;
    double excess = over->sum / n - (in->risk_free != NULL ? 0 : in->rate);
    double spread = variance_of(over, n);

    f.value[BOOTSTRAP_CAGR] = elementary_pow(path->value, 1 / in->years) - 1;
    f.value[BOOTSTRAP_VOLATILITY] = sqrt(variance_of(path, n) * in->periods_per_year);
    f.value[BOOTSTRAP_SHARPE] = spread > 0 ? excess / sqrt(spread) * root : (double)NAN;
    f.value[BOOTSTRAP_SORTINO] =
        over->below > 0 ? excess * root / sqrt(over->below / n) : (double)NAN;
    f.value[BOOTSTRAP_MAX_DRAWDOWN] = depth;
    f.value[BOOTSTRAP_CALMAR] = depth < 0 ? f.value[BOOTSTRAP_CAGR] / -depth : (double)NAN;
    f.value[BOOTSTRAP_TERMINAL_WEALTH] = in->capital * path->value;
    return f;
}

/* A history, and with dated rates the same less what a saver got; otherwise over stays unused. */
struct history {
    struct resample_source returns, over;
};

static struct bootstrap_figures play(const struct bootstrap_input *in,
                                     const struct history *history,
                                     const struct resample_block *block, size_t n_blocks)
{
    struct resample_path path = resample_start(), over = path;
    for (size_t i = 0; i < n_blocks; i++)
        resample_advance(&history->returns, block[i].start, block[i].length, &path);
    for (size_t i = 0; i < n_blocks && in->risk_free != NULL; i++)
        resample_advance(&history->over, block[i].start, block[i].length, &over);
    return figures_of(in, &path, in->risk_free != NULL ? &over : &path);
}

static enum status history_init(struct history *history, const struct bootstrap_input *in,
                                const double *r, struct arena *arena, struct err *err)
{
    enum status s = resample_source_init(&history->returns, r, in->n, in->rate, arena, err);
    if (s != STATUS_OK || in->risk_free == NULL)
        return s;
    double *x = arena_array(arena, in->n, sizeof *x);
    if (x == NULL)
        return err_out_of_memory(err);
    for (size_t t = 0; t < in->n; t++)
        x[t] = r[t] - in->risk_free[t];
    return resample_source_init(&history->over, x, in->n, 0, arena, err);
}

/* value holds the replicates; it is reordered. */
static struct bootstrap_row summarise(double estimate, double *value, size_t count, double level)
{
    struct bootstrap_row row = {.estimate = estimate};
    double sum = 0, square = 0, above = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(value[i]))
            continue;
        sum += value[i];
        above += value[i] > 0 ? 1 : value[i] < 0 ? 0 : 0.5;
        value[row.n++] = value[i];
    }
    if (row.n < 2)
        return row;
    double n = (double)row.n, mean = sum / n;
    for (size_t i = 0; i < row.n; i++)
        square += (value[i] - mean) * (value[i] - mean);
    row.standard_error = sqrt(square / (n - 1));
    row.bias = mean - estimate;
    row.share_above = above / n;
    row.percentile[0] = stats_quantile(value, row.n, (1 - level) / 2);
    row.percentile[1] = stats_quantile(value, row.n, (1 + level) / 2);
    row.basic[0] = 2 * estimate - row.percentile[1];
    row.basic[1] = 2 * estimate - row.percentile[0];
    return row;
}

/* Figure k of replicate i stands at k * count + i; differences follow the figures. */
struct replicates {
    struct history source, benchmark;
    struct resample_plan plan;
    struct resample_block *block;
    double *value;
};

static enum status prepare(struct replicates *r, const struct bootstrap_input *in,
                           struct arena *arena, struct err *err)
{
    size_t n_figures = BOOTSTRAP_FIGURE_COUNT * (in->benchmark != NULL ? 2 : 1);
    r->block = arena_array(arena, in->n, sizeof *r->block);
    r->value = arena_array(arena, n_figures * in->count + 1, sizeof *r->value);
    if (r->block == NULL || r->value == NULL)
        return err_out_of_memory(err);
    enum status s = history_init(&r->source, in, in->r, arena, err);
    if (s == STATUS_OK && in->benchmark != NULL)
        s = history_init(&r->benchmark, in, in->benchmark, arena, err);
    if (s == STATUS_OK)
        s = resample_plan_init(&r->plan, RESAMPLE_STATIONARY, in->mean_block, in->n, in->n,
                               in->seed, arena, err);
    return s;
}

static void replicate(struct replicates *r, const struct bootstrap_input *in, size_t i)
{
    size_t n_blocks = resample_draw(&r->plan, i, r->block);
    struct bootstrap_figures own = play(in, &r->source, r->block, n_blocks);
    for (size_t k = 0; k < BOOTSTRAP_FIGURE_COUNT; k++)
        r->value[k * in->count + i] = own.value[k];
    if (in->benchmark == NULL)
        return;
    struct bootstrap_figures other = play(in, &r->benchmark, r->block, n_blocks);
    for (size_t k = 0; k < BOOTSTRAP_FIGURE_COUNT; k++)
        r->value[(BOOTSTRAP_FIGURE_COUNT + k) * in->count + i] = own.value[k] - other.value[k];
}

enum status bootstrap_run(const struct bootstrap_input *in, struct arena *arena,
                          const struct stop *stop, struct bootstrap_report *ret, struct err *err)
{
    struct replicates r = {0};
    struct bootstrap_report report = {.count = in->count,
                                      .mean_block = in->mean_block,
                                      .n_returns = in->n,
                                      .has_difference = in->benchmark != NULL};
    enum status s = prepare(&r, in, arena, err);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < in->count; i++) {
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        replicate(&r, in, i);
    }
    struct resample_block whole = {0, (uint32_t)in->n};
    struct bootstrap_figures own = play(in, &r.source, &whole, 1), other = own;
    if (in->benchmark != NULL)
        other = play(in, &r.benchmark, &whole, 1);
    for (size_t k = 0; k < BOOTSTRAP_FIGURE_COUNT; k++) {
        double *value = r.value + k * in->count;
        report.row[k] = summarise(own.value[k], value, in->count, in->level);
        if (in->benchmark != NULL)
            report.difference[k] =
                summarise(own.value[k] - other.value[k], value + BOOTSTRAP_FIGURE_COUNT * in->count,
                          in->count, in->level);
    }
    *ret = report;
    return STATUS_OK;
}
