/*
 * spec_strategy.h - the member "strategy" of a request: a name, or an object of a name and parameters.
 * Part of spec_parse and spec_canonical; not for others. Errors name the JSON pointer.
 */
#ifndef BACKTEST_SPEC_STRATEGY_H
#define BACKTEST_SPEC_STRATEGY_H

#include "backtest/spec.h"
#include "base/json_in.h"

/*
 * Fills spec->strategy and spec->model, every default in place. Absent: fixed when the assets have
 * weights, else equal. Errors: STATUS_WRONG_TYPE, STATUS_OUT_OF_RANGE, STATUS_UNKNOWN_FIELD,
 * STATUS_BAD_SPEC, STATUS_OUT_OF_MEMORY.
 */
enum status spec_read_strategy(struct json_val root, struct arena *arena, struct spec *spec,
                               struct err *err) NODISCARD;

/* The same for a strategy inside another; val has to be there. */
enum status spec_read_strategy_value(struct json_val val, const struct spec *spec,
                                     struct arena *arena, struct strategy **ret, struct err *err)
    NODISCARD;

/* The value of the canonical "strategy": a name when it has no parameters, else an object. */
void spec_write_strategy(const struct spec *spec, const struct strategy *strategy,
                         struct json_out *json);

#endif
