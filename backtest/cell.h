/*
 * cell.h - a number of a series that keeps its exact spelling for as long as nothing is computed with it.
 * Decimals that pass through, and sums, first, last, lowest and highest of them, stay exact; what is scaled or
 * converted is a double. Pure; callable from any thread.
 */
#ifndef BACKTEST_CELL_H
#define BACKTEST_CELL_H

#include "base/arena.h"
#include "base/str.h"

#include <math.h>

struct cell {
    double value;    /* NaN: none */
    struct str text; /* exact; ptr NULL: value is all there is */
};

#define CELL_NONE ((struct cell){(double)NAN, STR_NONE})

struct cell cell_exact(struct str decimal); /* borrowed; ptr NULL is none */
struct cell cell_of(double value);          /* NaN and infinities are none */
bool cell_is_none(struct cell cell);
int cell_cmp(struct cell a, struct cell b); /* neither is none; exact when both are */

/* Exact when both are and the arena has room; none plus x is x. */
struct cell cell_add(struct cell a, struct cell b, struct arena *arena);

/* a * factor; a itself when factor is 1. */
struct cell cell_scale(struct cell a, double factor);

/* Exact spelling, or the shortest text that reads back as value; ptr NULL for none. Made in the arena. */
struct str cell_text(struct cell cell, struct arena *arena);

#endif
