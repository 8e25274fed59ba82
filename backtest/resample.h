/*
 * resample.h - draws a new history from an old one, block by block, and values it without visiting its days.
 * Stationary bootstrap: D. Politis, J. Romano, "The Stationary Bootstrap", J. of the American
 * Statistical Association 89(428), 1994: blocks start anywhere and wrap around, their lengths are
 * geometric. Fixed lengths give the circular block bootstrap (Politis, Romano 1992), length 1 the
 * bootstrap of independent draws (Efron 1979).
 *
 * Path k of a seed uses the random stream (seed, k) alone, so it is the same alone or in a batch.
 * Pure: the caller brings the arena; sources and plans are read-only once made, any number of threads
 * may play from them. Shape: n returns, oldest first, finite and above -1.
 */
#ifndef BACKTEST_RESAMPLE_H
#define BACKTEST_RESAMPLE_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum resample_kind { RESAMPLE_STATIONARY, RESAMPLE_BLOCK, RESAMPLE_IID, RESAMPLE_KIND_COUNT };

/* Of the values after steps i+1 .. i+2^k of the doubled history. */
struct resample_segment {
    double low, high;
    double depth; /* lowest value / earlier value, at most 1 */
};

/*
 * The history twice over, so that no block wraps: values, running sums, and low, high and depth of every
 * run of 2^k steps. A block then costs a few look-ups, whatever its length.
 */
struct resample_source {
    size_t n;
    double target;                    /* what returns must reach not to count as a loss */
    double *value;                    /* [2 n + 1]: 1, then the product of 1 + r */
    double *sum;                      /* [2 n + 1] of r */
    double *square;                   /* [2 n + 1] of r^2 */
    double *below;                    /* [2 n + 1] of min(r - target, 0)^2 */
    size_t n_levels;                  /* runs of up to 2^(n_levels - 1) steps */
    struct resample_segment *segment; /* level k, step i at k * 2 n + i */
};

/* Errors: STATUS_OUT_OF_MEMORY. n > 0. */
enum status resample_source_init(struct resample_source *source, const double *r, size_t n,
                                 double target, struct arena *arena, struct err *err) NODISCARD;

struct resample_block {
    uint32_t start, length; /* steps; start < n, length <= n */
};

struct resample_plan {
    enum resample_kind kind;
    size_t n;       /* steps of the source */
    size_t horizon; /* steps of a path */
    uint64_t seed;
    uint32_t length;    /* of fixed blocks */
    uint32_t *survival; /* [k]: 2^32 P(length > k), for k >= 1 */
    uint32_t *guide;    /* shortest length for each value of the draw's high byte */
};

/*
 * mean_block >= 1; rounded for RESAMPLE_BLOCK, not looked at for RESAMPLE_IID. No block is longer than
 * the source. Errors: STATUS_OUT_OF_MEMORY.
 */
enum status resample_plan_init(struct resample_plan *plan, enum resample_kind kind,
                               double mean_block, size_t n, size_t horizon, uint64_t seed,
                               struct arena *arena, struct err *err) NODISCARD;

/* The blocks of path index, horizon steps in all; ret has room for horizon. Returns how many. */
size_t resample_draw(const struct resample_plan *plan, uint64_t index, struct resample_block *ret);

/* A path on its way. Starts at {.value = 1, .peak = 1, .depth = 1}. */
struct resample_path {
    double value, peak;
    double depth; /* lowest value / peak before it, so far */
    double sum, square, below;
};

static inline struct resample_path resample_start(void)
{
    return (struct resample_path){.value = 1, .peak = 1, .depth = 1};
}

/* Takes the steps [start, start + length) of the doubled history. */
void resample_advance(const struct resample_source *source, size_t start, size_t length,
                      struct resample_path *path);

/*
 * Mean block lengths for n returns: n^(1/3), and the choice that minimises the mean squared error of the
 * mean's variance: D. Politis, H. White, "Automatic Block-Length Selection for the Dependent
 * Bootstrap", Econometric Reviews 23(1), 2004, as corrected by A. Patton, D. Politis, H. White, ibid.
 * 28(4), 2009. At least 1.
 */
double resample_mean_block(size_t n);
double resample_politis_white(const double *r, size_t n);

#endif
