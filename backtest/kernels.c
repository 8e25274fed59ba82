/* kernels.c - which variant of the kernels a run uses: a choice of the configuration, asked for once. */
#include "backtest/kernels.h"

#include "backtest/kernels_variants.h"

/* These ask the processor, not the build: the same program runs on machines without. */
static const struct kernels *avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") != 0 ? kernels_avx2 : NULL;
#else
    return NULL;
#endif
}

static const struct kernels *avx512(void)
{
#if defined(__x86_64__)
    bool is_there = __builtin_cpu_supports("avx512f") != 0 &&
                    __builtin_cpu_supports("avx512dq") != 0 &&
                    __builtin_cpu_supports("avx512vl") != 0;
    return is_there ? kernels_avx512 : NULL;
#else
    return NULL;
#endif
}

const struct kernels *kernels_choose(enum kernels_choice choice)
{
    switch (choice) {
    case KERNELS_REF:
        return &kernels_ref;
    case KERNELS_AVX2:
        return avx2();
    case KERNELS_AVX512:
        return avx512();
    case KERNELS_AUTO:
        break;
    }
    const struct kernels *best = avx512() != NULL ? avx512() : avx2();
    return best != NULL ? best : &kernels_ref;
}
