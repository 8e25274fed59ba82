/*
 * kernels_avx512.c - the kernels for x86-64 with AVX-512 (F, DQ and VL); the Makefile compiles this file alone with their
 * options. Eight lanes are one register.
 */
#include "backtest/kernels_variants.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <immintrin.h>

#define KERNELS_TABLE kernels_avx512_table
#define KERNELS_NAME "avx512"
#define KERNELS_WIDTH 8
#define KERNELS_MOST(x, y) ((vector)_mm512_max_pd((__m512d)(x), (__m512d)(y)))
#define KERNELS_LEAST(x, y) ((vector)_mm512_min_pd((__m512d)(x), (__m512d)(y)))
#define KERNELS_ANY(is) (KERNELS_BITS(is) != 0)
#define KERNELS_BITS(is) ((unsigned)_mm512_movepi64_mask((__m512i)(is)))
#include "backtest/kernels_body.h"

const struct kernels *const kernels_avx512 = &kernels_avx512_table;
#else
const struct kernels *const kernels_avx512 = NULL;
#endif
