/*
 * spec_nested.h - the members of a strategy that hold more than a number: base, rows, candidates.
 * Part of spec_strategy.c; not for others. Errors name the JSON pointer.
 */
#ifndef BACKTEST_SPEC_NESTED_H
#define BACKTEST_SPEC_NESTED_H

#include "backtest/spec.h"
#include "base/json_in.h"

enum { TABLE_ROWS_MAX = 1000 };

/* The members that strategy->kind needs; errors as of spec_read_strategy. */
enum status spec_read_nested(struct json_val object, const struct spec *spec, struct arena *arena,
                             struct strategy *strategy, struct err *err) NODISCARD;

void spec_write_nested(const struct spec *spec, const struct strategy *strategy,
                       struct json_out *json);

#endif
