/*
 * lake_compact.h - the small objects of rows of a year's days as one object: for readers who pay for each (Athena, Glue, DuckDB).
 *
 * silver/{dataset}/year=YYYY/rows-{time}-{hash}.csv.gz has, day by day, the rows of all objects
 * bronze/{dataset}/ymd=YYYY-MM-DD/rows-*.csv.gz. A key that the objects of one day hold several times is there once, as it was
 * fetched last; of two as new it is the one whose fields sort last. hash is that of the names of the objects, which carry
 * hashes of their own: the same objects give the same name and bytes, and are not read again. time is that of the newest.
 * Bronze stays as it is. What the new object takes the place of is removed once it is there: whoever lists in between sees both, and takes
 * the later name.
 */
#ifndef INGEST_LAKE_COMPACT_H
#define INGEST_LAKE_COMPACT_H

#include "ingest/lake.h"

struct lake_compacted {
    int64_t n_years, n_written, n_removed; /* partitions looked at, objects */
    int64_t n_read, n_rows;                /* objects and rows that went into those written */
};

/*
 * Whole years that overlap the range, of data sets whose keys start with its prefix.
 *   visit  called for every object written, with its key and bytes; NULL: nobody is told
 * Memory: the keys of the range, and the rows of one day. Safe beside writers and another compaction.
 * Errors: BAD_VALUE for a prefix that names days; BAD_DATA for an object that is no table of rows, or has other columns
 * than those before; those of the lake, visit and stop.
 */
enum status lake_compact(struct lake *lake, const struct lake_range *range, lake_visit *visit,
                         void *to, const struct stop *stop, struct lake_compacted *ret,
                         struct err *err) NODISCARD;

#endif
