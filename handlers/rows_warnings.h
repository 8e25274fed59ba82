/*
 * rows_warnings.h - what the rows of a query must be accompanied by, asked of the database when the rows themselves
 * do not pass through this process one by one.
 */
#ifndef HANDLERS_ROWS_WARNINGS_H
#define HANDLERS_ROWS_WARNINGS_H

#include "store/mart_query.h"

/* Bits of warnings.h that hold for at least one row of the finished query. */
enum status rows_find_warnings(struct db *db, const struct mart_query *query, struct arena *arena,
                               unsigned *ret, struct err *err) NODISCARD;

#endif
