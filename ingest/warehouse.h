/*
 * warehouse.h - the warehouse between the lake and the serving database: stage, facts and dimensions (silver), models
 * (gold), and what is sent on to the marts. docs/warehouse.md says which tables there are and by which rules.
 *
 * A struct db_pool of its own: a SQLite file beside the embedded serving store, or a PostgreSQL database with the
 * schemas silver, gold and staging. Each call is one transaction of the warehouse on the calling thread; calls of several
 * threads and processes take turns. Memory does not depend on how much there is. Each is idempotent: a run that was
 * killed is simply run again.
 */
#ifndef INGEST_WAREHOUSE_H
#define INGEST_WAREHOUSE_H

#include "ingest/lake.h"
#include "store/db.h"

/* The schema, and the calendar of days; harmless when they are there. */
enum status warehouse_open(const struct db_options *options, struct db_pool **ret, struct err *err)
    NODISCARD;

struct warehouse_task {
    struct str dataset; /* "us_stock": what its rows are */
    struct str folder;  /* "us_stock", "us_stock_action": below bronze/ */
    int32_t from, to;   /* days of partitions, inclusive */
    bool force; /* silver: also what is loaded already; publish: also what fails its contract */
    int generations; /* publish: how many stay readable, at least 1 */
};

enum { WAREHOUSE_STALE_BYTES = 200 };

struct warehouse_report {
    int64_t load_id;    /* 0: there was nothing to do */
    int64_t n_objects;  /* silver: loaded */
    int64_t n_rows;     /* silver: read; gold and publish: written, sent */
    int64_t n_changed;  /* silver: new facts, or other than before */
    int64_t n_bad;      /* silver: in quarantine */
    int64_t generation; /* publish: of the serving database, afterwards */
    bool
        is_blocked; /* publish: some marts stay as they were, because data of theirs fail a contract */
    char stale
        [WAREHOUSE_STALE_BYTES]; /* publish: data sets whose newest day is older than they promise; "": none */
};

/*
 * Rows objects of the window that are not loaded yet become facts. The newest fetched_at wins by key, whatever the order
 * in which objects are loaded; a row that says what is known already changes nothing. Bad rows go to quarantine.
 * Errors: BAD_DATA for an object that is no rows object; those of the lake, the database and stop.
 */
enum status warehouse_silver(struct lake *lake, struct db_pool *warehouse,
                             const struct warehouse_task *task, const struct stop *stop,
                             struct warehouse_report *ret, struct err *err) NODISCARD;

/* What the loads since the last time touched is modelled again. */
enum status warehouse_gold(struct db_pool *warehouse, const struct stop *stop,
                           struct warehouse_report *ret, struct err *err) NODISCARD;

/*
 * Rows that gold has written since the last time are published as one generation. A mart that is fed by data which fail
 * their contract stays as it was: the others are published, is_blocked is set, and the answer is BAD_DATA saying why.
 */
enum status warehouse_publish(struct db_pool *warehouse, struct db_pool *serving,
                              const struct warehouse_task *task, const struct stop *stop,
                              struct warehouse_report *ret, struct err *err) NODISCARD;

#endif
