/*
 * overfit_splits.c - combinatorially symmetric cross-validation from block sums.
 * The sums of a set of blocks are those of its lower half of blocks plus those of its upper half, each
 * looked up in a table of all subsets; so a split costs one addition a column. Columns are taken in
 * strips whose tables fit a cache: once to find the best of each set, once to rank it in the other half.
 */
#include "backtest/overfit.h"

#include "backtest/elementary.h"
#include "backtest/stats.h"

#include <assert.h>
#include <float.h>
#include <math.h>

enum { STRIP = 64, HALF_SETS_MAX = 1 << (OVERFIT_BLOCKS_MAX / 2) };

static const double quantiles[OVERFIT_QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95};

/* Sums of one strip of columns over every subset of one half of the blocks. */
struct subset_sums {
    double sum[HALF_SETS_MAX][STRIP], square[HALF_SETS_MAX][STRIP];
};

struct set_result {
    unsigned set;            /* in-sample blocks */
    size_t best;             /* column with the highest ratio in sample, the first of equals */
    double in_sample;        /* its ratio there */
    double out_sample;       /* and in the other blocks */
    size_t n_below, n_equal; /* columns out of sample, the best itself included in n_equal */
};

struct splitter {
    const struct overfit_study *study;
    unsigned half_bits, half_mask;
    struct subset_sums *low, *high;
    struct set_result *result;
    size_t n_results;
    double n_in; /* rows of half of the blocks */
};

static unsigned count_bits(unsigned set)
{
    unsigned n = 0;
    for (; set != 0; set &= set - 1)
        n++;
    return n;
}

/* table[set] = table[set without its lowest block] + that block. */
static void sum_subsets(const struct splitter *p, size_t first_block, size_t from, size_t width,
                        struct subset_sums *table)
{
    const struct overfit_study *study = p->study;
    for (size_t c = 0; c < width; c++)
        table->sum[0][c] = table->square[0][c] = 0;
    for (unsigned set = 1; set <= p->half_mask; set++) {
        unsigned rest = set & (set - 1), lowest = set ^ rest;
        size_t block = first_block;
        for (; lowest > 1; lowest >>= 1)
            block++;
        const double *sum = study->sum + block * study->max_columns + from;
        const double *square = study->square + block * study->max_columns + from;
        for (size_t c = 0; c < width; c++) {
            table->sum[set][c] = table->sum[rest][c] + sum[c];
            table->square[set][c] = table->square[rest][c] + square[c];
        }
    }
}

static void load_strip(const struct splitter *p, size_t from, size_t width)
{
    sum_subsets(p, 0, from, width, p->low);
    sum_subsets(p, p->half_bits, from, width, p->high);
}

/* Sharpe ratios of a strip over the blocks of set; 0 where what varies is rounding alone. */
static void strip_ratios(const struct splitter *p, unsigned set, size_t from, size_t width,
                         double *ret)
{
    unsigned low = set & p->half_mask, high = set >> p->half_bits;
    const double *centre = p->study->centre + from, *scale = p->study->scale + from;
    double n = p->n_in;
    for (size_t c = 0; c < width; c++) {
        double sum = p->low->sum[low][c] + p->high->sum[high][c];
        double square = p->low->square[low][c] + p->high->square[high][c];
        double mean = sum / n;
        double variance = (square - sum * mean) / (n - 1);
        double rounding = 4 * DBL_EPSILON * scale[c];
        ret[c] = variance > rounding * rounding ? (centre[c] + mean) / sqrt(variance) : 0;
    }
}

static unsigned other_half(const struct splitter *p, unsigned set)
{
    return ~set & ((1u << p->study->n_blocks) - 1);
}

/* First round: the best column of every set. */
static void find_best(struct splitter *p, size_t from, size_t width)
{
    double ratio[STRIP];
    for (size_t i = 0; i < p->n_results; i++) {
        struct set_result *r = &p->result[i];
        strip_ratios(p, r->set, from, width, ratio);
        for (size_t c = 0; c < width; c++) {
            if (ratio[c] > r->in_sample) {
                r->in_sample = ratio[c];
                r->best = from + c;
            }
        }
    }
}

/* Between the rounds: what the winners of this strip did in the other blocks. */
static void find_out_of_sample(struct splitter *p, size_t from, size_t width)
{
    double ratio[STRIP];
    for (size_t i = 0; i < p->n_results; i++) {
        struct set_result *r = &p->result[i];
        if (r->best < from || r->best >= from + width)
            continue;
        strip_ratios(p, other_half(p, r->set), from, width, ratio);
        r->out_sample = ratio[r->best - from];
    }
}

/* Last round: how many columns did worse out of sample, and how many the same. */
static void rank_best(struct splitter *p, size_t from, size_t width)
{
    double ratio[STRIP];
    for (size_t i = 0; i < p->n_results; i++) {
        struct set_result *r = &p->result[i];
        size_t n_below = 0, n_above = 0;
        strip_ratios(p, other_half(p, r->set), from, width, ratio);
        for (size_t c = 0; c < width; c++) {
            n_below += ratio[c] < r->out_sample ? 1 : 0;
            n_above += ratio[c] > r->out_sample ? 1 : 0;
        }
        r->n_below += n_below;
        r->n_equal += width - n_below - n_above;
    }
}

typedef void strip_fn(struct splitter *p, size_t from, size_t width);

static enum status each_strip(struct splitter *p, strip_fn *fn, const struct stop *stop,
                              struct err *err)
{
    for (size_t from = 0; from < p->study->n; from += STRIP) {
        size_t left = p->study->n - from, width = left < STRIP ? left : STRIP;
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        load_strip(p, from, width);
        fn(p, from, width);
    }
    return STATUS_OK;
}

static enum status splitter_init(struct splitter *p, const struct overfit_study *study,
                                 struct arena *arena, struct err *err)
{
    unsigned n_blocks = (unsigned)study->n_blocks, n_sets = 1u << n_blocks;
    *p = (struct splitter){.study = study, .half_bits = n_blocks / 2};
    p->half_mask = (1u << p->half_bits) - 1;
    p->n_in = (double)(study->block_rows * p->half_bits);
    for (unsigned set = 0; set < n_sets; set++)
        p->n_results += count_bits(set) == p->half_bits ? 1 : 0;
    p->low = ARENA_NEW(arena, struct subset_sums);
    p->high = ARENA_NEW(arena, struct subset_sums);
    p->result = arena_array(arena, p->n_results, sizeof *p->result);
    if (p->low == NULL || p->high == NULL || p->result == NULL)
        return err_out_of_memory(err);
    size_t n = 0;
    for (unsigned set = 0; set < n_sets; set++) {
        if (count_bits(set) == p->half_bits)
            p->result[n++] = (struct set_result){.set = set, .in_sample = -(double)INFINITY};
    }
    return STATUS_OK;
}

/* Least squares of the ratio out of sample on the one in sample. */
static void fit(const struct splitter *p, struct overfit_splits *ret, double *x, double *y)
{
    ret->slope = ret->intercept = ret->r_squared = (double)NAN;
    for (size_t i = 0; i < p->n_results; i++) {
        x[i] = p->result[i].in_sample;
        y[i] = p->result[i].out_sample;
    }
    struct stats_pair pair = stats_pair(x, y, p->n_results);
    if (!(pair.variance_x > 0))
        return;
    ret->slope = pair.covariance / pair.variance_x;
    ret->intercept = pair.mean_y - ret->slope * pair.mean_x;
    if (pair.variance_y > 0)
        ret->r_squared = ret->slope * pair.covariance / pair.variance_y;
}

static enum status summarise(const struct splitter *p, struct arena *arena, double *ret_logit,
                             struct overfit_splits *ret, struct err *err)
{
    struct overfit_splits s = {.n = p->n_results};
    double *logit = arena_array(arena, 2 * p->n_results, sizeof *logit);
    double n = (double)p->study->n;
    if (logit == NULL)
        return err_out_of_memory(err);
    size_t n_overfit = 0, n_loss = 0;
    fit(p, &s, logit, logit + p->n_results);
    for (size_t i = 0; i < p->n_results; i++) {
        const struct set_result *r = &p->result[i];
        double rank = (double)r->n_below + ((double)r->n_equal + 1) / 2;
        logit[i] = elementary_log(rank / (n + 1 - rank));
        n_overfit += 2 * rank <= n + 1 ? 1 : 0; /* logit <= 0, without its rounding */
        n_loss += r->out_sample < 0 ? 1 : 0;
        if (ret_logit != NULL)
            ret_logit[i] = logit[i];
    }
    s.pbo = (double)n_overfit / (double)p->n_results;
    s.loss = (double)n_loss / (double)p->n_results;
    for (size_t q = 0; q < OVERFIT_QUANTILES; q++)
        s.logit[q] = stats_quantile(logit, p->n_results, quantiles[q]);
    *ret = s;
    return STATUS_OK;
}

enum status overfit_splits(const struct overfit_study *study, struct arena *arena,
                           const struct stop *stop, double *ret_logit, struct overfit_splits *ret,
                           struct err *err)
{
    struct splitter p;
    if (study->n < 2) {
        *ret = (struct overfit_splits){0};
        return STATUS_OK;
    }
    enum status s = splitter_init(&p, study, arena, err);
    if (s == STATUS_OK)
        s = each_strip(&p, find_best, stop, err);
    if (s == STATUS_OK)
        s = each_strip(&p, find_out_of_sample, stop, err);
    if (s == STATUS_OK)
        s = each_strip(&p, rank_best, stop, err);
    if (s == STATUS_OK)
        s = summarise(&p, arena, ret_logit, ret, err);
    return s;
}
