/*
 * kernels_body.h - the arithmetic of every kernel, once. A variant includes it after defining
 * KERNELS_TABLE and KERNELS_NAME, and is compiled with the options of its instruction set.
 * Eight lanes are two vectors of four; the compiler turns them into what the machine has.
 */
#include "backtest/elementary_log.h"
#include "backtest/kernels.h"
#include "base/attrs.h"

#include <stdint.h>
#include <string.h>

typedef double VECTOR(32) four;
typedef int64_t VECTOR(32) four_mask;        /* all bits of a lane set: true */
typedef double VECTOR_LOOSE(32) four_memory; /* anywhere in an array */

enum { WIDTH = 4, TILE = 16 };

#define UNROLL(n) _Pragma(#n)
#define LOAD(pointer) (*(const four_memory *)(pointer))
#define STORE(pointer, x) (*(four_memory *)(pointer) = (x))
#define WHERE(mask, x) ((four)((mask) & (four_mask)(x)))
#define PICK(mask, x, y) ((four)(((mask) & (four_mask)(x)) | (~(mask) & (four_mask)(y))))
#define EACH_HALF(h) UNROLL(GCC unroll 2) for (size_t h = 0; h < 2; h++)
#define HALF(h) ((h)*WIDTH)

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
#include "backtest/kernels_body_series.h"
#include "backtest/kernels_body_sums.h"

const struct kernels KERNELS_TABLE = {
    .name = KERNELS_NAME,
    .value = kernel_value,
    .value_many = kernel_value_many,
    .returns = kernel_returns,
    .compound = kernel_compound,
    .logs = kernel_logs,
    .declines = kernel_declines,
    .range = kernel_range,
    .powers = kernel_powers,
    .gains = kernel_gains,
    .dot = kernel_dot,
    .pair = kernel_pair,
    .products = kernel_products,
};
