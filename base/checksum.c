/* checksum.c - four lanes of 16 bytes, each folded by a multiplication into 64 bits, as in wyhash. */
#include "base/checksum.h"

#include "base/wide.h"

#include <string.h>

enum { LANES = 4, LANE_BYTES = 16, STRIPE_BYTES = LANES * LANE_BYTES };

/* Bits of the fraction of pi. */
static const uint64_t keys[LANES] = {0x243f6a8885a308d3u, 0x13198a2e03707344u, 0xa4093822299f31d0u,
                                     0x082efa98ec4e6c89u};

uint64_t checksum_fold(uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word_at(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* A factor of zero would forget the other, so the lane's state is added once more. */
static void take_stripe(uint64_t lanes[LANES], const char *at)
{
    for (size_t i = 0; i < LANES; i++) {
        uint64_t first = word_at(at + i * LANE_BYTES), second = word_at(at + i * LANE_BYTES + 8);
        lanes[i] = checksum_fold(first ^ keys[i], second ^ lanes[i]) + (lanes[i] << 1 | 1);
    }
}

void checksum(struct str bytes, unsigned char ret[CHECKSUM_BYTES])
{
    uint64_t lanes[LANES] = {keys[1], keys[2], keys[3], keys[0]};
    size_t at = 0;
    for (; bytes.len - at >= STRIPE_BYTES; at += STRIPE_BYTES)
        take_stripe(lanes, bytes.ptr + at);
    char last[STRIPE_BYTES] = {0};
    if (bytes.len > at)
        memcpy(last, bytes.ptr + at, bytes.len - at);
    take_stripe(lanes, last);
    uint64_t size = bytes.len;
    uint64_t sums[2] = {
        checksum_fold(lanes[0] ^ keys[2], lanes[1] ^ size) ^ checksum_fold(lanes[2], lanes[3]),
        checksum_fold(lanes[0] + size, lanes[2] ^ keys[0]) ^
            checksum_fold(lanes[1] ^ keys[3], lanes[3]),
    };
    memcpy(ret, sums, sizeof sums);
}
