/* kernels_variants.h - the variants for more than any machine has, for kernels.c alone; NULL where the build has none. */
#ifndef BACKTEST_KERNELS_VARIANTS_H
#define BACKTEST_KERNELS_VARIANTS_H

#include "backtest/kernels.h"

extern const struct kernels kernels_avx2_table, kernels_avx512_table;
extern const struct kernels *const kernels_avx2, *const kernels_avx512;

#endif
