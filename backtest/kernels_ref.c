/* kernels_ref.c - the kernels for any machine; every other variant gives their bits. */
#define KERNELS_TABLE kernels_ref
#define KERNELS_NAME "ref"
#define KERNELS_WIDTH 2
#include "backtest/kernels_body.h"
