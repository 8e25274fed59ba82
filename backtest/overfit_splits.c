/*
 * overfit_splits.c - combinatorially symmetric cross-validation from block sums.
 * The sums of a set of blocks are those of its lower half of blocks plus those of its upper half, each
 * looked up in a table of all subsets; so a split costs one addition a column. Columns are taken in
 * strips whose tables fit a cache: once to find the best of each set, once to rank it in the other half.
 * Ratios are worked out only of strips where a comparison that needs none leaves something open.
 */
#include "backtest/overfit.h"

#include "backtest/elementary.h"
#include "backtest/kernels.h"
#include "backtest/stats.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

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

/* What one part works with: a share of the splits, and tables of its own. */
struct part {
    const struct overfit_parts *all;
    struct subset_sums *low, *high;
    struct set_result *result;
    size_t n_results;
};

struct overfit_parts {
    const struct overfit_study *study;
    const struct kernels *kernels;
    unsigned half_bits, half_mask;
    double n_in; /* rows of half of the blocks */
    struct set_result *result;
    size_t n_results, n_parts;
    struct part part[];
};

static unsigned count_bits(unsigned set)
{
    unsigned n = 0;
    for (; set != 0; set &= set - 1)
        n++;
    return n;
}

/* table[set] = table[set without its lowest block] + that block; 0 beyond the width. */
static void sum_subsets(const struct part *p, size_t first_block, size_t from, size_t width,
                        struct subset_sums *table)
{
    const struct overfit_study *study = p->all->study;
    for (size_t c = 0; c < STRIP; c++)
        table->sum[0][c] = table->square[0][c] = 0;
    for (unsigned set = 1; set <= p->all->half_mask; set++) {
        unsigned rest = set & (set - 1), lowest = set ^ rest;
        size_t block = first_block;
        for (; lowest > 1; lowest >>= 1)
            block++;
        const double *sum = study->sum + block * study->max_columns + from;
        const double *square = study->square + block * study->max_columns + from;
        memcpy(table->sum[set], table->sum[rest], sizeof table->sum[set]);
        memcpy(table->square[set], table->square[rest], sizeof table->square[set]);
        for (size_t c = 0; c < width; c++) {
            table->sum[set][c] += sum[c];
            table->square[set][c] += square[c];
        }
    }
}

/* Columns [from, from + width) of all, over the blocks of a set. */
struct strip {
    size_t from, width;
    double centre[STRIP], scale[STRIP]; /* 0 beyond the width */
};

static void load_strip(const struct part *p, struct strip *strip, size_t from, size_t width)
{
    const struct overfit_study *study = p->all->study;
    *strip = (struct strip){.from = from, .width = width};
    memcpy(strip->centre, study->centre + from, width * sizeof *strip->centre);
    memcpy(strip->scale, study->scale + from, width * sizeof *strip->scale);
    sum_subsets(p, 0, from, width, p->low);
    sum_subsets(p, p->all->half_bits, from, width, p->high);
}

/* Sharpe ratios of a strip over the blocks of set; 0 where what varies is rounding alone. */
static void strip_ratios(const struct part *p, unsigned set, const struct strip *strip, double *ret)
{
    unsigned low = set & p->all->half_mask, high = set >> p->all->half_bits;
    double n = p->all->n_in;
    for (size_t c = 0; c < strip->width; c++) {
        double sum = p->low->sum[low][c] + p->high->sum[high][c];
        double square = p->low->square[low][c] + p->high->square[high][c];
        double mean = sum / n;
        double variance = (square - sum * mean) / (n - 1);
        double rounding = 4 * DBL_EPSILON * strip->scale[c];
        ret[c] = variance > rounding * rounding ? (strip->centre[c] + mean) / sqrt(variance) : 0;
    }
}

/* How many of them are surely below or above a limit, without their values; columns beyond the width are neither. */
static struct kernel_ranks strip_ranks(const struct part *p, unsigned set,
                                       const struct strip *strip, double limit)
{
    unsigned low = set & p->all->half_mask, high = set >> p->all->half_bits;
    double n = p->all->n_in;
    struct kernel_ratios ratios = {{p->low->sum[low], p->high->sum[high]},
                                   {p->low->square[low], p->high->square[high]},
                                   strip->centre,
                                   strip->scale,
                                   STRIP,
                                   1 / n,
                                   1 / (n - 1)};
    return p->all->kernels->rank(&ratios, limit);
}

static unsigned other_half(const struct part *p, unsigned set)
{
    return ~set & ((1u << p->all->study->n_blocks) - 1);
}

/* First round: the best column of every set. */
static void find_best(struct part *p, const struct strip *strip)
{
    double ratio[STRIP];
    for (size_t i = 0; i < p->n_results; i++) {
        struct set_result *r = &p->result[i];
        if (strip_ranks(p, r->set, strip, r->in_sample).n_below == strip->width)
            continue;
        strip_ratios(p, r->set, strip, ratio);
        for (size_t c = 0; c < strip->width; c++) {
            if (ratio[c] > r->in_sample) {
                r->in_sample = ratio[c];
                r->best = strip->from + c;
            }
        }
    }
}

/* Between the rounds: what the winners of this strip did in the other blocks. */
static void find_out_of_sample(struct part *p, const struct strip *strip)
{
    double ratio[STRIP];
    for (size_t i = 0; i < p->n_results; i++) {
        struct set_result *r = &p->result[i];
        if (r->best < strip->from || r->best >= strip->from + strip->width)
            continue;
        strip_ratios(p, other_half(p, r->set), strip, ratio);
        r->out_sample = ratio[r->best - strip->from];
    }
}

/* Last round: how many columns did worse out of sample, and how many the same. */
static void rank_best(struct part *p, const struct strip *strip)
{
    double ratio[STRIP];
    for (size_t i = 0; i < p->n_results; i++) {
        struct set_result *r = &p->result[i];
        struct kernel_ranks n = strip_ranks(p, other_half(p, r->set), strip, r->out_sample);
        if (n.n_below + n.n_above < strip->width) {
            n = (struct kernel_ranks){0};
            strip_ratios(p, other_half(p, r->set), strip, ratio);
            for (size_t c = 0; c < strip->width; c++) {
                n.n_below += ratio[c] < r->out_sample ? 1 : 0;
                n.n_above += ratio[c] > r->out_sample ? 1 : 0;
            }
        }
        r->n_below += n.n_below;
        r->n_equal += strip->width - n.n_below - n.n_above;
    }
}

typedef void strip_fn(struct part *p, const struct strip *strip);

static enum status each_strip(struct part *p, strip_fn *fn, const struct stop *stop,
                              struct err *err)
{
    struct strip strip;
    size_t n = p->all->study->n;
    for (size_t from = 0; from < n; from += STRIP) {
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        load_strip(p, &strip, from, n - from < STRIP ? n - from : STRIP);
        fn(p, &strip);
    }
    return STATUS_OK;
}

/* Every part has a share of the results and tables of its own. */
static enum status share_out(struct overfit_parts *all, struct arena *arena, struct err *err)
{
    for (size_t k = 0; k < all->n_parts; k++) {
        size_t from = all->n_results * k / all->n_parts;
        size_t to = all->n_results * (k + 1) / all->n_parts;
        all->part[k] = (struct part){.all = all,
                                     .low = ARENA_NEW(arena, struct subset_sums),
                                     .high = ARENA_NEW(arena, struct subset_sums),
                                     .result = all->result + from,
                                     .n_results = to - from};
        if (all->part[k].low == NULL || all->part[k].high == NULL)
            return err_out_of_memory(err);
    }
    return STATUS_OK;
}

enum status overfit_parts_new(const struct overfit_study *study, size_t n_parts,
                              struct arena *arena, struct overfit_parts **ret, struct err *err)
{
    assert(study->n >= 2 && n_parts > 0);
    unsigned n_blocks = (unsigned)study->n_blocks, n_sets = 1u << n_blocks;
    struct overfit_parts *all = arena_alloc(arena, sizeof *all + n_parts * sizeof all->part[0]);
    if (all == NULL)
        return err_out_of_memory(err);
    *all = (struct overfit_parts){.study = study, .half_bits = n_blocks / 2, .n_parts = n_parts};
    all->kernels = study->kernels != NULL ? study->kernels : &kernels_ref;
    all->half_mask = (1u << all->half_bits) - 1;
    all->n_in = (double)(study->block_rows * all->half_bits);
    for (unsigned set = 0; set < n_sets; set++)
        all->n_results += count_bits(set) == all->half_bits ? 1 : 0;
    all->result = arena_array(arena, all->n_results, sizeof *all->result);
    if (all->result == NULL)
        return err_out_of_memory(err);
    size_t n = 0;
    for (unsigned set = 0; set < n_sets; set++) {
        if (count_bits(set) == all->half_bits)
            all->result[n++] = (struct set_result){.set = set, .in_sample = -(double)INFINITY};
    }
    *ret = all;
    return share_out(all, arena, err);
}

enum status overfit_parts_play(struct overfit_parts *all, size_t part, const struct stop *stop,
                               struct err *err)
{
    assert(all != NULL && part < all->n_parts);
    struct part *p = &all->part[part];
    enum status s = each_strip(p, find_best, stop, err);
    if (s == STATUS_OK)
        s = each_strip(p, find_out_of_sample, stop, err);
    return s == STATUS_OK ? each_strip(p, rank_best, stop, err) : s;
}

/* Least squares of the ratio out of sample on the one in sample. */
static void fit(const struct overfit_parts *p, struct overfit_splits *ret, double *x, double *y)
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

enum status overfit_parts_end(const struct overfit_parts *p, struct arena *arena, double *ret_logit,
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
    struct overfit_parts *all = NULL;
    if (study->n < 2) {
        *ret = (struct overfit_splits){0};
        return STATUS_OK;
    }
    enum status s = overfit_parts_new(study, 1, arena, &all, err);
    if (s == STATUS_OK)
        s = overfit_parts_play(all, 0, stop, err);
    return s == STATUS_OK ? overfit_parts_end(all, arena, ret_logit, ret, err) : s;
}
