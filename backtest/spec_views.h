/*
 * spec_views.h - the members views and market of a strategy: what a client expects, and of which market.
 * Part of spec_nested.c; not for others. Errors name the JSON pointer and what is allowed.
 */
#ifndef BACKTEST_SPEC_VIEWS_H
#define BACKTEST_SPEC_VIEWS_H

#include "backtest/spec.h"
#include "base/json_in.h"

/* Both may be absent: no views, equal parts. Errors: as spec_parse. */
enum status spec_read_views(struct json_val object, const struct spec *spec, struct arena *arena,
                            struct strategy_views *ret, struct err *err) NODISCARD;

void spec_write_views(const struct spec *spec, const struct strategy_views *views,
                      struct json_out *json);

#endif
