/* sweep_grid.h - the items of a sweep from its axes; for sweep.c alone. Pure. */
#ifndef HANDLERS_SWEEP_GRID_H
#define HANDLERS_SWEEP_GRID_H

#include "handlers/sweep.h"

enum { SWEEP_TEXT_BYTES_MAX = 1 << 20 };

/* TOO_LARGE: pointer asks for n items of at most max. */
enum status sweep_too_many(struct err *err, const char *pointer, uint64_t n, size_t max);

/* n empty items in the arena. Errors: OUT_OF_MEMORY. */
enum status sweep_new_items(struct sweep *sweep, size_t n, struct arena *arena, struct err *err)
    NODISCARD;

/* Parameters and items from "axes" and "random" of the body; sweep->base is set. Errors: as sweep_parse. */
enum status sweep_take_grid(struct json_val root, size_t items_max, struct arena *arena,
                            struct sweep *sweep, struct err *err) NODISCARD;

#endif
