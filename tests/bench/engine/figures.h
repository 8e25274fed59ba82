/* figures.h - one run that works out what bt's report of a run says, and nothing else. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include "tests/bench/engine/world.h"

/* Prints one line of JSON: median and best seconds of a run, what it ends with, and the figures. Returns the exit status. */
int figures_print(struct world *world, size_t rounds);

#endif
