/* spec_frontier.h - the member "frontier" of a request. Part of spec_parse and spec_canonical. */
#ifndef BACKTEST_SPEC_FRONTIER_H
#define BACKTEST_SPEC_FRONTIER_H

#include "backtest/spec.h"
#include "base/json_in.h"

/* Absent: none. Errors name the JSON pointer. */
enum status spec_read_frontier(struct json_val root, struct spec *spec, struct err *err) NODISCARD;

void spec_write_frontier(const struct spec *spec, struct json_out *json); /* nothing when absent */

#endif
