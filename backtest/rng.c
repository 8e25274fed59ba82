/* rng.c - Philox4x32-10 and the three ways monkeys draw from it. */
#include "backtest/rng.h"

enum { PHILOX_ROUNDS = 10 };

static const uint32_t MULTIPLIER_0 = 0xD2511F53u;
static const uint32_t MULTIPLIER_1 = 0xCD9E8D57u;
static const uint32_t WEYL_0 = 0x9E3779B9u; /* the golden ratio */
static const uint32_t WEYL_1 = 0xBB67AE85u; /* sqrt(3) - 1 */

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t product_0 = (uint64_t)MULTIPLIER_0 * c0;
        uint64_t product_1 = (uint64_t)MULTIPLIER_1 * c2;
        c0 = (uint32_t)(product_1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product_1;
        c2 = (uint32_t)(product_0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product_0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    ret[0] = c0;
    ret[1] = c1;
    ret[2] = c2;
    ret[3] = c3;
}

void rng_init(struct rng *rng, uint64_t seed, uint64_t stream)
{
    *rng = (struct rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, 0, (uint32_t)stream, (uint32_t)(stream >> 32)},
    };
}

uint32_t rng_next_u32(struct rng *rng)
{
    if (rng->n_left == 0) {
        rng_philox(rng->counter, rng->key, rng->block);
        rng->n_left = 4;
        if (++rng->counter[0] == 0)
            rng->counter[1]++;
    }
    return rng->block[4 - rng->n_left--];
}

double rng_next_unit(struct rng *rng)
{
    uint64_t high = rng_next_u32(rng) >> 5;
    uint64_t low = rng_next_u32(rng) >> 6;
    return (double)((high << 26 | low) + 1) * 0x1p-53;
}

uint32_t rng_next_below(struct rng *rng, uint32_t n)
{
    uint32_t threshold = (uint32_t)(0u - n) % n; /* 2^32 mod n: the share that would be biased */
    for (;;) {
        uint64_t product = (uint64_t)rng_next_u32(rng) * n;
        if ((uint32_t)product >= threshold)
            return (uint32_t)(product >> 32);
    }
}
