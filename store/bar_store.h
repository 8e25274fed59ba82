/*
 * bar_store.h - the whole history of one instrument as columns, for backtests. The read pins its generation
 * (generation.h).
 */
#ifndef STORE_BAR_STORE_H
#define STORE_BAR_STORE_H

#include "base/arena.h"
#include "store/db.h"

/*
 * Parallel columns of n rows, oldest first. From price on, a column is NULL when no row has a value, and NaN in
 * the rows without one. Rows of a halt (quality bit 4) have neither price nor close: nobody could trade at them.
 */
struct bar_columns {
    size_t n;
    int32_t *date;
    int64_t *known_at;                                             /* seconds since 1970 */
    double *price;                                                 /* adj_close */
    double *open, *high, *low, *close, *volume, *dividend, *split; /* as quoted */
    int quality;       /* the union of the rows' quality bits */
    bool is_simulated; /* any row's source is "simulated" */
};

/* n is 0 when there is none. Errors: those of db_query, GENERATION_RETIRED, DB_ERROR for a row that cannot be
 * read, OUT_OF_MEMORY. */
enum status bars_load(struct db *db, struct str uid, int64_t generation, struct arena *arena,
                      struct bar_columns *ret, struct err *err) NODISCARD;

#endif
