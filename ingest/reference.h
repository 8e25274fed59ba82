/*
 * reference.h - dimensions that are the same in every warehouse, which values of a row must be found in (REFERS of
 * contract.def). What a row refers to that is loaded itself is judged by gold (warehouse/gold/0085_quality.sql). One thread.
 */
#ifndef INGEST_REFERENCE_H
#define INGEST_REFERENCE_H

#include "ingest/silver_shape.h"
#include "store/db.h"

enum reference_set { REFERENCE_CURRENCY, REFERENCE_MARKET, REFERENCE_SETS };

struct references {
    struct arena arena;
    struct str *all[REFERENCE_SETS];
    size_t n[REFERENCE_SETS];
    size_t last[REFERENCE_SETS]; /* found last: rows of an object mostly say the same */
};

enum status references_read(struct db *db, struct references *ret, struct err *err) NODISCARD;
void references_clear(struct references *references);

/* False for a value that is none of its dimension's: the reason and the column. */
bool references_hold(struct references *references, const struct silver_row *row,
                     const char **ret_reason, const char **ret_column);

#endif
