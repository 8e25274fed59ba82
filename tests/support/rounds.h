/*
 * rounds.h - how often tests of random inputs repeat.
 * What many inputs find is found by the build without a sanitizer. Each input is some ten times as slow under AddressSanitizer and
 * some thirty times under ThreadSanitizer, which finds nothing more in what one thread computes.
 */
#ifndef TEST_ROUNDS_H
#define TEST_ROUNDS_H

#include "base/attrs.h"

#include <stdint.h>

/* n in a build without a sanitizer; a part of it, at least 1, in others. */
static UNUSED uint64_t rounds_of(uint64_t n)
{
#if defined(__SANITIZE_THREAD__)
    uint64_t per_mille = 3;
#elif defined(__SANITIZE_ADDRESS__)
    uint64_t per_mille = 30;
#else
    uint64_t per_mille = 1000;
#endif
    uint64_t part = n * per_mille / 1000;
    return part > 0 ? part : 1;
}

#endif
