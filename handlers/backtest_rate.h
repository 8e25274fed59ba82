/*
 * backtest_rate.h - how many cells (names x days x portfolios) this server's engine visits a second: measured once at
 * the start on a market made up for it, then corrected by every backtest that runs. Lock-free; any thread.
 */
#ifndef HANDLERS_BACKTEST_RATE_H
#define HANDLERS_BACKTEST_RATE_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

struct backtest_rate {
    atomic_uint_least64_t cells_per_s; /* 0: not known */
};

/* Takes a few milliseconds. */
enum status backtest_rate_calibrate(struct backtest_rate *rate, struct err *err) NODISCARD;

/* A backtest of so many cells took so long. */
void backtest_rate_note(struct backtest_rate *rate, uint64_t cells, double ms);

/* NaN while nothing is known. n_threads that share the work. */
double backtest_rate_predict_ms(struct backtest_rate *rate, uint64_t cells, unsigned n_threads);

#endif
