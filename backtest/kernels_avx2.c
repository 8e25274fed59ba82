/* kernels_avx2.c - the kernels for x86-64 with AVX2; the Makefile compiles this file alone with -mavx2. */
#include "backtest/kernels_avx2.h"

#ifdef __AVX2__
#define KERNELS_TABLE kernels_avx2_table
#define KERNELS_NAME "avx2"
#define KERNELS_WIDTH 4
#include "backtest/kernels_body.h"

const struct kernels *const kernels_avx2 = &kernels_avx2_table;
#else
const struct kernels *const kernels_avx2 = NULL;
#endif
