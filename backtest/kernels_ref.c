/* kernels_ref.c - the kernels for any machine; every other variant gives their bits. */
#define KERNELS_TABLE kernels_ref
#define KERNELS_NAME "ref"
#include "backtest/kernels_body.h"
