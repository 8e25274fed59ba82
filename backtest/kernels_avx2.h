/* kernels_avx2.h - the variant for AVX2, for kernels.c alone. */
#ifndef BACKTEST_KERNELS_AVX2_H
#define BACKTEST_KERNELS_AVX2_H

#include "backtest/kernels.h"

extern const struct kernels kernels_avx2_table;  /* where the build has it */
extern const struct kernels *const kernels_avx2; /* NULL where it does not */

#endif
