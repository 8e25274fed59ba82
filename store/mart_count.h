/*
 * mart_count.h - how many rows pass the filters of a finished query; its select, order, limit and after do not matter.
 * Each pins the generation of a managed mart, as mart_query_open does.
 */
#ifndef STORE_MART_COUNT_H
#define STORE_MART_COUNT_H

#include "store/mart_query.h"

/* Counts no further than max rows; max 0: to the end. */
enum status mart_count(struct db *db, const struct mart_query *query, int64_t max,
                       struct arena *arena, int64_t *ret, struct err *err) NODISCARD;

/* What PostgreSQL's planner expects; -1 when it does not say. Not on SQLite. */
enum status mart_count_planned(struct db *db, const struct mart_query *query, struct arena *arena,
                               int64_t *ret, struct err *err) NODISCARD;

#endif
