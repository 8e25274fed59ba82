/*
 * spec_nested.h - the members of a strategy that hold more than a number: base, rows, candidates, grid.
 * Part of spec_strategy.c and spec_grid.c; not for others. Errors name the JSON pointer.
 */
#ifndef BACKTEST_SPEC_NESTED_H
#define BACKTEST_SPEC_NESTED_H

#include "backtest/spec.h"
#include "base/json_in.h"

enum { TABLE_ROWS_MAX = 1000 };

/* The members that strategy->kind needs; errors as of spec_read_strategy. */
enum status spec_read_nested(struct json_val object, const struct spec *spec, struct arena *arena,
                             struct strategy *strategy, struct err *err) NODISCARD;

/*
 * What may stand inside another: what weighs by itself; inside a search also what stands on another. refused: needs that
 * the strategy must not have.
 */
enum status spec_read_inner(struct json_val val, const struct spec *spec, struct arena *arena,
                            unsigned refused, const struct strategy **ret, struct err *err)
    NODISCARD;

/* Whether a strategy on a base may go beyond what the request allows. */
bool spec_is_levered(const struct spec *spec, const struct strategy *strategy);

void spec_write_nested(const struct spec *spec, const struct strategy *strategy,
                       struct json_out *json);

#endif
