/*
 * spec_grid.h - the member "grid" of a walk-forward: one strategy at every point of some axes, as candidates.
 * Part of spec_nested.c; not for others. Errors name the JSON pointer. Pure apart from the arena.
 */
#ifndef BACKTEST_SPEC_GRID_H
#define BACKTEST_SPEC_GRID_H

#include "backtest/spec.h"
#include "base/json_in.h"

enum { GRID_AXES_MAX = 8 };

/*
 * The points in the order of the axes, the last one changing fastest: *ret_n strategies, at most max. Errors as of
 * spec_read_strategy, and STATUS_TOO_LARGE for more points.
 */
enum status spec_read_grid(struct json_val grid, const struct spec *spec, size_t max,
                           struct arena *arena, const struct strategy ***ret, size_t *ret_n,
                           struct err *err) NODISCARD;

#endif
