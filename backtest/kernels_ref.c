/* kernels_ref.c - the kernels for any machine; every other variant gives their bits. */
#define KERNELS_TABLE kernels_ref
#define KERNELS_NAME "ref"
#define KERNELS_WIDTH 2
#define KERNELS_MOST(x, y) PICK((x) > (y), x, y)
#define KERNELS_LEAST(x, y) PICK((x) < (y), x, y)
#define KERNELS_ANY(is) (((is)[0] | (is)[1]) != 0)
#define KERNELS_BITS(is) ((unsigned)(((is)[0] & 1) | ((is)[1] & 2)))
#include "backtest/kernels_body.h"
