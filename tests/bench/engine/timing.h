/* timing.h - processor time of this thread: what others do on the machine meanwhile is left out. */
#ifndef BENCH_ENGINE_TIMING_H
#define BENCH_ENGINE_TIMING_H

#include <time.h>

static inline double cpu_s(void)
{
    struct timespec ts = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

#endif
