/* kernels.c - which variant of the kernels a run uses: a choice of the configuration, asked for once. */
#include "backtest/kernels.h"

#include "backtest/kernels_avx2.h"

/* Asks the processor, not the build: the same program runs on machines without AVX2. */
static bool has_avx2(void)
{
#if defined(__x86_64__)
    return kernels_avx2 != NULL && __builtin_cpu_supports("avx2") != 0;
#else
    return false;
#endif
}

const struct kernels *kernels_choose(enum kernels_choice choice)
{
    if (choice == KERNELS_REF)
        return &kernels_ref;
    if (choice == KERNELS_AVX2)
        return has_avx2() ? kernels_avx2 : NULL;
    return has_avx2() ? kernels_avx2 : &kernels_ref;
}
