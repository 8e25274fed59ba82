/*
 * spec_market.h - the members of a request about its prices and its clock: prices, dividends, clock and
 * session_alignment. For spec.c and spec_canonical.c.
 */
#ifndef BACKTEST_SPEC_MARKET_H
#define BACKTEST_SPEC_MARKET_H

#include "backtest/spec.h"
#include "base/json_in.h"

/* Errors: BAD_SPEC for dividends beside adjusted prices, which contain them; those of json_in.h. */
enum status spec_read_market(struct json_val root, struct arena *arena, struct spec *spec,
                             struct err *err) NODISCARD;

/* The members that do not have their default. */
void spec_write_market(const struct spec *spec, struct json_out *json);

#endif
