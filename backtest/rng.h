/*
 * rng.h - Philox4x32-10, a counter-based random number generator.
 * Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers: As Easy as
 * 1, 2, 3", SC'11, 2011. A stream is named by (seed, stream): draw k of a stream is the same whether
 * the stream is used alone or with others, on any number of threads and on any machine.
 * Plain data, one thread at a time; copy freely.
 */
#ifndef BACKTEST_RNG_H
#define BACKTEST_RNG_H

#include <stdint.h>

struct rng {
    uint32_t key[2];
    uint32_t counter[4]; /* [0] and [1] count blocks; [2] and [3] hold the stream */
    uint32_t block[4];
    unsigned n_left; /* unused words of block */
};

/* The bijection itself: ten rounds of Philox on one counter. */
void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret[4]);

void rng_init(struct rng *rng, uint64_t seed, uint64_t stream);
uint32_t rng_next_u32(struct rng *rng);

/* Uniform on (0, 1], a multiple of 2^-53: its logarithm is always finite. */
double rng_next_unit(struct rng *rng);

/* Uniform on 0..n-1 without bias (Lemire's multiply and reject); n > 0. */
uint32_t rng_next_below(struct rng *rng, uint32_t n);

#endif
