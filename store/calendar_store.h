/*
 * calendar_store.h - markets and their open days as of one generation (generation.h), streamed.
 */
#ifndef STORE_CALENDAR_STORE_H
#define STORE_CALENDAR_STORE_H

#include "base/arena.h"
#include "store/db.h"

/* market, first date, last date, days, open days: one row a market, by name. */
enum status calendar_markets_open(struct db *db, int64_t generation, struct rows *ret_rows,
                                  struct err *err) NODISCARD;

/*
 * At most one row: date, is_open, is_half_day, prev_open, next_open, close_at. DAY is the date itself; the other
 * two are the nearest open days before and after it.
 */
enum calendar_day { CALENDAR_DAY, CALENDAR_PREVIOUS, CALENDAR_NEXT };
enum status calendar_day_open(struct db *db, struct str market, int64_t generation,
                              enum calendar_day which, int32_t date, struct rows *ret_rows,
                              struct err *err) NODISCARD;

/* The open days of a market, oldest first; *ret_n 0 when the mart does not know it. */
enum status calendar_open_days_load(struct db *db, struct str market, int64_t generation,
                                    struct arena *arena, int32_t **ret_days, size_t *ret_n,
                                    struct err *err) NODISCARD;

#endif
