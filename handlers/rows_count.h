/*
 * rows_count.h - how many rows a query has in all, as exactly as the client asks: count=none, exact or estimated, or
 * Prefer: count=. Exact counts of managed marts are kept for as long as the version lives in the process.
 */
#ifndef HANDLERS_ROWS_COUNT_H
#define HANDLERS_ROWS_COUNT_H

#include "handlers/rows_answer.h"

/* Beyond so many rows an estimate on SQLite stops counting. */
enum { COUNT_ESTIMATE_MAX = 100000 };

/* count= wins over Prefer: count=, which is answered with Preference-Applied. */
enum status rows_count_read(struct request *request, enum count_mode *ret, struct err *err)
    NODISCARD;

/*
 * *ret_count is -1 for COUNT_NONE; *ret_quality becomes "none", "exact" or "estimated", for meta.count and
 * meta.count_quality. The query is finished and its generation is the one to read at. On SQLite an estimate of
 * COUNT_ESTIMATE_MAX means that there are at least so many. Needs db only when the count is not known without it.
 */
enum status rows_count(struct request *request, const struct rows_request *rows, struct db *db,
                       int64_t *ret_count, const char **ret_quality, struct err *err) NODISCARD;

/* Counts that are known, shared by threads; and other numbers that follow from a version and filters for good. */
struct counts;
struct counts *counts_new(void); /* NULL when out of memory */
void counts_free(struct counts *counts);

/*
 * The name of such a number: what it is, the mart's version and the filters. ptr NULL: it may change, so it is neither
 * kept nor found. Accept a counts of NULL.
 */
struct str counts_key(struct request *request, const struct rows_request *rows, struct str what);
bool counts_find(struct counts *counts, struct str key, int64_t *ret);
void counts_keep(struct counts *counts, struct str key, int64_t count);

#endif
