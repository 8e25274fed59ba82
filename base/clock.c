/* clock.c - the two clocks of the system. */
#define _GNU_SOURCE
#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now); /* cannot fail for these clocks */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_mono_coarse_ns(void)
{
    return read_ns(CLOCK_MONOTONIC_COARSE);
}

int64_t clock_wall_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME_COARSE,
                        &now); /* seconds need no more, at a tenth of the cost */
    return (int64_t)now.tv_sec;
}

int64_t clock_wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000;
}
