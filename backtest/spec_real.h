/*
 * spec_real.h - the members inflation and withdrawals of a request. Part of spec.c; not for others.
 * Errors name the JSON pointer and what is allowed.
 */
#ifndef BACKTEST_SPEC_REAL_H
#define BACKTEST_SPEC_REAL_H

#include "backtest/spec.h"
#include "base/json_in.h"

enum status spec_read_real(struct json_val root, struct arena *arena, struct spec *spec,
                           struct err *err) NODISCARD;

/* Writes those that were asked for. */
void spec_real_canonical(const struct spec *spec, struct json_out *json);

#endif
