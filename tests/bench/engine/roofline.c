/* roofline.c - compiled with the options of AVX2 and FMA, and with contraction: the ceiling, not our rules. */
#define _GNU_SOURCE
#include "tests/bench/engine/roofline.h"

#include "base/attrs.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Processor time of this thread. */
static int64_t cpu_ns(void)
{
    struct timespec ts = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

enum { CHAINS = 10, TURNS = 8000000 };

/*
 * As many independent chains as hide the latency of one operation. Variables and no array, which the compiler would keep on
 * the stack: then it is the storing that is measured.
 */
double roofline_flops_per_s(void)
{
    typedef double VECTOR(32) wide;
    const wide f = {0.9999999, 0.9999998, 0.9999997, 0.9999996};
    wide a = f, b = 2 * f, c = 3 * f, d = 4 * f, e = 5 * f;
    wide g = 6 * f, h = 7 * f, i = 8 * f, j = 9 * f, k = 10 * f;
    int64_t from_ns = cpu_ns();
    for (size_t turn = 0; turn < TURNS; turn++) {
        a = a * f + f, b = b * f + f, c = c * f + f, d = d * f + f, e = e * f + f;
        g = g * f + f, h = h * f + f, i = i * f + f, j = j * f + f, k = k * f + f;
        __asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e));
        __asm__ volatile("" : "+x"(g), "+x"(h), "+x"(i), "+x"(j), "+x"(k));
    }
    double seconds = (double)(cpu_ns() - from_ns) / 1e9;
    wide sum = a + b + c + d + e + g + h + i + j + k;
    return sum[0] > 0 ? 2.0 * 4 * CHAINS * TURNS / seconds : 0;
}

double roofline_bytes_per_s(void)
{
    size_t n = (size_t)1 << 25; /* 256 MiB */
    double *x = malloc(n * sizeof *x), sum[8] = {0}, best = 0;
    for (size_t i = 0; x != NULL && i < n; i++)
        x[i] = (double)(i & 7);
    for (size_t round = 0; x != NULL && round < 3; round++) {
        int64_t from_ns = cpu_ns();
        for (size_t i = 0; i < n; i += 8)
            for (size_t k = 0; k < 8; k++)
                sum[k] += x[i + k];
        double rate = (double)(n * sizeof *x) / ((double)(cpu_ns() - from_ns) / 1e9);
        best = rate > best ? rate : best;
    }
    free(x);
    return sum[3] > 0 ? best : 0;
}
