/* trust.h - what the questions about a result cost: monkeys, intervals, drawn futures, splits of a sweep. */
#ifndef BENCH_ENGINE_TRUST_H
#define BENCH_ENGINE_TRUST_H

#include "tests/bench/engine/world.h"

/* One line of JSON, seconds of one core, the best of rounds. Returns the exit code. */
int trust_print(struct world *world, size_t rounds);

#endif
