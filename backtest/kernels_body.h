/*
 * kernels_body.h - the arithmetic of every kernel, once. A variant includes it after defining
 * KERNELS_TABLE, KERNELS_NAME and KERNELS_WIDTH, and is compiled with the options of its instruction set.
 * Eight lanes are PARTS vectors of WIDTH, as many as fit one register; operators work lane by lane.
 */
#include "backtest/elementary_log.h"
#include "backtest/kernels.h"
#include "base/attrs.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

enum { WIDTH = KERNELS_WIDTH, PARTS = KERNEL_LANES / WIDTH };

typedef double VECTOR(8 * KERNELS_WIDTH) vector;
typedef int64_t VECTOR(8 * KERNELS_WIDTH) vector_mask;        /* all bits of a lane set: true */
typedef double VECTOR_LOOSE(8 * KERNELS_WIDTH) vector_memory; /* anywhere in an array */

#define LOAD(pointer) (*(const vector_memory *)(pointer))
#define STORE(pointer, x) (*(vector_memory *)(pointer) = (x))
#define WHERE(is, x) ((vector)((is) & (vector_mask)(x)))
#define PICK(is, x, y) ((vector)(((is) & (vector_mask)(x)) | (~(is) & (vector_mask)(y))))
#define MOST(x, y) KERNELS_MOST(x, y)   /* x > y ? x : y: y where one is a NaN */
#define LEAST(x, y) KERNELS_LEAST(x, y) /* x < y ? x : y */
#define IS_ANY(is) KERNELS_ANY(is)
#define UNROLLED _Pragma("GCC unroll 16")
/* NOLINTNEXTLINE(bugprone-macro-parentheses): h is the name of a variable that this declares */
#define EACH_PART(h) UNROLLED for (size_t h = 0; h < PARTS; h++)

/* How many of the n elements come in whole rounds of eight lanes. */
static size_t whole_rounds(size_t n)
{
    return n - n % KERNEL_LANES;
}

static double add_lanes(const double lane[KERNEL_LANES])
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static size_t count_lanes(const int64_t lane[KERNEL_LANES])
{
    int64_t sum = 0;
    for (size_t k = 0; k < KERNEL_LANES; k++)
        sum += lane[k];
    return (size_t)sum;
}

#include "backtest/kernels_body_value.h"
#include "backtest/kernels_body_fill.h"
#include "backtest/kernels_body_series.h"
#include "backtest/kernels_body_runs.h"
#include "backtest/kernels_body_sums.h"
#include "backtest/kernels_body_cross.h"
#include "backtest/kernels_body_sides.h"
#include "backtest/kernels_body_rank.h"

const struct kernels KERNELS_TABLE = {
    .name = KERNELS_NAME,
    .value = kernel_value,
    .value_many = kernel_value_many,
    .fill_many = kernel_fill_many,
    .rebalance = kernel_rebalance,
    .deviations = kernel_deviations,
    .may_leave = kernel_may_leave,
    .returns = kernel_returns,
    .compound = kernel_compound,
    .logs = kernel_logs,
    .declines = kernel_declines,
    .deepest = kernel_deepest,
    .fall = kernel_fall,
    .live = kernel_live,
    .find = kernel_find,
    .runs = kernel_runs,
    .invested = kernel_invested,
    .levels = kernel_levels,
    .residuals = kernel_residuals,
    .range = kernel_range,
    .powers = kernel_powers,
    .squares = kernel_squares,
    .gains = kernel_gains,
    .partials = kernel_partials,
    .dot = kernel_dot,
    .growth = kernel_growth,
    .absolute = kernel_absolute,
    .below = kernel_below,
    .trend = kernel_trend,
    .sides = kernel_sides,
    .wins = kernel_wins,
    .split = kernel_split,
    .split_pair = kernel_split_pair,
    .pair = kernel_pair,
    .products = kernel_products,
    .add_scaled = kernel_add_scaled,
    .cross = kernel_cross,
    .rank = kernel_rank,
};
