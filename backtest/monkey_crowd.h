/*
 * monkey_crowd.h - what a game's monkeys achieved, sorted: all that is needed to rank a strategy.
 * A crowd depends on the universe, dates, rules, seed and count, not on the strategy's weights, so it
 * may be kept and used again for every strategy of the same shape (monkey_crowd_key). Read-only once
 * made; any number of threads may rank by it. A strategy ranked by a kept crowd gets the same bits.
 */
#ifndef BACKTEST_MONKEY_CROWD_H
#define BACKTEST_MONKEY_CROWD_H

#include "backtest/monkey.h"

struct monkey_crowd {
    size_t count;                                 /* monkeys played */
    size_t n_names;                               /* that each held */
    size_t n[MONKEY_STATISTIC_COUNT];             /* monkeys with a value */
    const double *sorted[MONKEY_STATISTIC_COUNT]; /* [n], rising, no NaN */
};

/* Opens the game. Errors: those of monkey_game_open, STATUS_OUT_OF_MEMORY, the stop's own status (polled before every group of monkeys). */
enum status monkey_crowd_play(struct monkey_game *game, size_t count, struct arena *arena,
                              const struct stop *stop, struct monkey_crowd *ret, struct err *err)
    NODISCARD;

/* Where a strategy with that score stands. */
struct monkey_report monkey_crowd_rank(const struct monkey_crowd *crowd,
                                       const struct monkey_score *strategy);

/*
 * Text that is the same for two specs, dates resolved, exactly when their monkeys play the same game on
 * the same data: the canonical spec less weights, strategy, benchmark and what is asked about the
 * result, but with the names held and the invested share.
 */
void monkey_crowd_key(const struct spec *spec, struct json_out *json);

#endif
