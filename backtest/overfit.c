/* overfit.c - condenses the trials of a sweep and judges the best of them. */
#include "backtest/overfit.h"

#include "backtest/elementary.h"
#include "backtest/stats.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double EULER_GAMMA = 0.57721566490153286;
static const double E = 2.71828182845904524;

double overfit_expected_max(double variance, double n_trials)
{
    if (!(n_trials >= 2) || !(variance > 0))
        return 0;
    return sqrt(variance) * ((1 - EULER_GAMMA) * elementary_normal_quantile(1 - 1 / n_trials) +
                             EULER_GAMMA * elementary_normal_quantile(1 - 1 / (n_trials * E)));
}

enum status overfit_study_init(struct overfit_study *study, size_t n_rows, size_t n_blocks,
                               size_t max_columns, struct arena *arena, struct err *err)
{
    assert(n_blocks >= 2 && n_blocks <= OVERFIT_BLOCKS_MAX && n_blocks % 2 == 0);
    struct overfit_study s = {.n_rows = n_rows, .n_blocks = n_blocks, .max_columns = max_columns};
    s.block_rows = n_rows / n_blocks;
    if (s.block_rows < 2)
        return err_set(err, STATUS_BAD_SPEC, "%zu %s too few for %zu blocks of at least two.",
                       n_rows, str_plural(n_rows, "return is", "returns are"), n_blocks);
    if (max_columns > OVERFIT_TRIALS_MAX)
        return err_set(err, STATUS_TOO_LARGE, "%zu trials are more than %d.", max_columns,
                       (int)OVERFIT_TRIALS_MAX);
    s.trial = arena_array(arena, max_columns, sizeof *s.trial);
    s.centre = arena_array(arena, max_columns, sizeof *s.centre);
    s.scale = arena_array(arena, max_columns, sizeof *s.scale);
    s.sum = arena_array(arena, n_blocks * max_columns, sizeof *s.sum);
    s.square = arena_array(arena, n_blocks * max_columns, sizeof *s.square);
    s.standard = arena_array(arena, n_rows, sizeof *s.standard);
    s.line = arena_array(arena, n_rows, sizeof *s.line);
    if (s.trial == NULL || s.centre == NULL || s.scale == NULL || s.sum == NULL ||
        s.square == NULL || s.standard == NULL || s.line == NULL)
        return err_out_of_memory(err);
    *study = s;
    return STATUS_OK;
}

/* Block by block in the order of its rows; all blocks at once, so that no sum waits for itself. */
static void sum_blocks(const double *r, size_t block_rows, size_t n_blocks,
                       struct overfit_column *ret)
{
    double centre = ret->centre, *sum = ret->sum, *square = ret->square;
    memset(sum, 0, sizeof ret->sum);
    memset(square, 0, sizeof ret->square);
    for (size_t t = 0; t < block_rows; t++) {
        for (size_t b = 0; b < n_blocks; b++) {
            double x = r[b * block_rows + t] - centre;
            sum[b] += x;
            square[b] += x * x;
        }
    }
}

void overfit_condense(const struct kernels *kernels, const double *r, size_t n_rows,
                      size_t n_blocks, double *standard, struct overfit_column *ret)
{
    struct stats_moments m =
        kernels != NULL ? stats_moments_with(kernels, r, n_rows) : stats_moments(r, n_rows);
    size_t block_rows = n_rows / n_blocks;
    ret->trial = (struct overfit_trial){(double)NAN, m.skew, m.excess};
    ret->centre = m.mean;
    ret->scale = fmax(fabs(m.min), fabs(m.max));
    ret->varies = !m.is_constant;
    sum_blocks(r + (n_rows - n_blocks * block_rows), block_rows, n_blocks, ret);
    if (m.is_constant)
        return;
    ret->trial.sharpe = m.mean / m.sd;
    for (size_t t = 0; t < n_rows; t++)
        standard[t] = (r[t] - m.mean) / m.sd;
}

void overfit_study_take(struct overfit_study *study, const struct overfit_column *column,
                        const double *standard)
{
    assert(study->n < study->max_columns);
    size_t c = study->n++;
    study->trial[c] = column->trial;
    study->centre[c] = column->centre;
    study->scale[c] = column->scale;
    for (size_t b = 0; b < study->n_blocks; b++) {
        study->sum[b * study->max_columns + c] = column->sum[b];
        study->square[b * study->max_columns + c] = column->square[b];
    }
    if (!column->varies)
        return;
    study->n_standard++;
    for (size_t t = 0; t < study->n_rows; t++)
        study->standard[t] += standard[t];
}

void overfit_study_add(struct overfit_study *study, const double *r)
{
    struct overfit_column column;
    overfit_condense(study->kernels, r, study->n_rows, study->n_blocks, study->line, &column);
    overfit_study_take(study, &column, study->line);
}

/*
 * Mean correlation of the pairs of columns, from the variance of their standardised sum: that sum
 * has N + N (N - 1) c for its variance. NaN for fewer than two columns.
 */
static double mean_correlation(const struct overfit_study *study)
{
    double n = (double)study->n_standard, square = 0;
    if (study->n_standard < 2)
        return (double)NAN;
    for (size_t t = 0; t < study->n_rows; t++)
        square += study->standard[t] * study->standard[t];
    return (square / (double)(study->n_rows - 1) - n) / (n * (n - 1));
}

/* Mean and variance over the trials that have a Sharpe ratio, and the best of them. */
static void judge_trials(const struct overfit_study *study, struct overfit_report *r)
{
    double sum = 0, square = 0;
    size_t n = 0;
    r->best = study->n;
    for (size_t c = 0; c < study->n; c++) {
        if (isnan(study->trial[c].sharpe))
            continue;
        sum += study->trial[c].sharpe;
        n++;
        if (r->best == study->n || study->trial[c].sharpe > study->trial[r->best].sharpe)
            r->best = c;
    }
    r->mean_sharpe = n > 0 ? sum / (double)n : (double)NAN;
    for (size_t c = 0; c < study->n; c++) {
        double x = study->trial[c].sharpe - r->mean_sharpe;
        square += isnan(x) ? 0 : x * x;
    }
    r->variance_sharpe = n > 1 ? square / (double)(n - 1) : (double)NAN;
}

/* The best among n trials: what luck would have given, and the probability that it is more. */
static void deflate(struct overfit_report *r, size_t n_rows)
{
    const struct overfit_trial *t = &r->best_trial;
    double share = fmin(fmax(r->mean_correlation, 0), 1); /* NaN: 0 */
    r->effective_trials = share + (1 - share) * (double)r->n_trials;
    r->expected_max = overfit_expected_max(r->variance_sharpe, (double)r->n_trials);
    r->effective_expected_max = overfit_expected_max(r->variance_sharpe, r->effective_trials);
    r->psr = stats_psr(t->sharpe, 0, n_rows, t->skew, t->excess);
    r->deflated = stats_psr(t->sharpe, r->expected_max, n_rows, t->skew, t->excess);
    r->effective_deflated =
        stats_psr(t->sharpe, r->effective_expected_max, n_rows, t->skew, t->excess);
    r->min_track_record =
        t->sharpe > r->expected_max
            ? stats_min_track_record(t->sharpe, r->expected_max, t->skew, t->excess, 0.95)
            : (double)NAN;
}

void overfit_study_judge(const struct overfit_study *study, size_t n_trials,
                         struct overfit_report *ret)
{
    assert(n_trials >= study->n);
    struct overfit_report r = {.n_trials = n_trials, .n_columns = study->n};
    judge_trials(study, &r);
    r.mean_correlation = mean_correlation(study);
    r.best_trial = r.best < study->n
                       ? study->trial[r.best]
                       : (struct overfit_trial){(double)NAN, (double)NAN, (double)NAN};
    deflate(&r, study->n_rows);
    *ret = r;
}

enum status overfit_study_report(const struct overfit_study *study, size_t n_trials,
                                 struct arena *arena, const struct stop *stop,
                                 struct overfit_report *ret, struct err *err)
{
    struct overfit_report r;
    overfit_study_judge(study, n_trials, &r);
    enum status s = overfit_splits(study, arena, stop, NULL, &r.splits, err);
    if (s == STATUS_OK)
        *ret = r;
    return s;
}
