/* kernels_avx2.c - the kernels for x86-64 with AVX2; the Makefile compiles this file alone with -mavx2. */
#include "backtest/kernels_variants.h"

#ifdef __AVX2__
#include <immintrin.h>

#define KERNELS_TABLE kernels_avx2_table
#define KERNELS_NAME "avx2"
#define KERNELS_WIDTH 4
#define KERNELS_MOST(x, y) ((vector)_mm256_max_pd((__m256d)(x), (__m256d)(y)))
#define KERNELS_LEAST(x, y) ((vector)_mm256_min_pd((__m256d)(x), (__m256d)(y)))
#define KERNELS_ANY(is) (_mm256_movemask_pd((__m256d)(is)) != 0)
#define KERNELS_BITS(is) ((unsigned)_mm256_movemask_pd((__m256d)(is)))
#include "backtest/kernels_body.h"

const struct kernels *const kernels_avx2 = &kernels_avx2_table;
#else
const struct kernels *const kernels_avx2 = NULL;
#endif
