/* silver_impl.h - a load in progress; for the silver*.c files alone. */
#ifndef INGEST_SILVER_IMPL_H
#define INGEST_SILVER_IMPL_H

#include "base/digest.h"
#include "ingest/reference.h"
#include "ingest/silver_shape.h"
#include "ingest/warehouse_impl.h"

/* What is staged for a table of silver: its own columns (key first), then dataset, source, fetched_at, row_hash, load_id. */
struct silver_merge {
    const char *table, *stage;
    const char *names[SILVER_COLUMNS_MAX + 6];
    const char *types[SILVER_COLUMNS_MAX + 6];
    const char *key[6];
    size_t n_key, n; /* n without the last one, seq, which only the stage has */
    bool may_repeat; /* a key may stand in the stage twice */
    /* The table held nothing: now it is the stage, in the order of its keys and known to planners. */
    bool is_first;
};

/* The names and types of a shape's table, or of fact_instrument. */
void silver_merge_init(struct silver_merge *merge, const struct silver_shape *shape,
                       const char *stage);
void silver_merge_init_instruments(struct silver_merge *merge);

/* Makes the temporary stage anew, and drops it. */
enum status silver_stage_make(struct db *db, const struct silver_merge *merge, struct err *err)
    NODISCARD;
enum status silver_stage_drop(struct db *db, const struct silver_merge *merge, struct err *err)
    NODISCARD;

/*
 * From the stage to the table: by key the newest fetched_at wins, and of two as new the greater row_hash. A row that
 * says what the table says already keeps the load that brought it first.
 */
enum status silver_merge_run(struct db *db, struct silver_merge *merge, int64_t load_id,
                             int64_t *ret_changed, struct err *err) NODISCARD;

/* The newest description of each instrument of a load. Bounded by their number. */
struct instrument_book;
struct instrument_note {
    struct str uid, symbol, name, market, isin, currency, source;
    int32_t day;
};
enum status instrument_book_new(struct instrument_book **ret, struct err *err) NODISCARD;
void instrument_book_freep(struct instrument_book **book);
enum status instrument_book_add(struct instrument_book *book, const struct instrument_note *note,
                                struct err *err) NODISCARD;
enum status instrument_book_merge(struct instrument_book *book, struct db *db, struct str dataset,
                                  int64_t load_id, struct err *err) NODISCARD;

/* A sum of values as a number above 0 in text. */
enum { SILVER_HASH_BYTES = 24 };
void silver_hash(const struct str *values, size_t n, char ret[SILVER_HASH_BYTES]);

/* One object being loaded, and what is counted in it. */
struct silver_object {
    const char *key;
    int32_t ymd;
    char sha256[DIGEST_HEX_BYTES]; /* of the object, as it was read */
    int64_t n_rows, n_bad, n_repeated, n_nulls, n_out_of_range;
    char fetched_at[24]; /* the newest of its rows */
};

struct silver_load {
    struct lake *lake;
    struct db *db;
    const struct warehouse_task *task;
    const struct stop *stop;
    int64_t load_id, seq, n_rows, n_bad, n_objects, n_changed;
    bool is_staging;                  /* rows are on their way into the stage */
    const struct silver_shape *shape; /* of the first object; NULL before */
    struct silver_merge merge;
    struct instrument_book *book;
    struct references *references;
    int32_t first_day, last_day; /* of the partitions of its objects */
    char name[80]; /* of what is loaded: dataset, and "_action" for the actions beside its bars */
};

/*
 * Stages one object's rows, so that the database takes them while the next ones are read; bad ones go to quarantine. When all are
 * staged, silver_stage_end; then they are noted in load_object.
 */
enum status silver_object_stage(struct silver_load *load, struct silver_object *object,
                                struct err *err) NODISCARD;
enum status silver_stage_end(struct silver_load *load, struct err *err) NODISCARD;
enum status silver_objects_book(const struct silver_load *load, const struct silver_object *all,
                                size_t n, struct err *err) NODISCARD;

/* Before all that: what an earlier load of an object that is forced has left. */
enum status silver_object_forget(const struct silver_load *load, const char *object_key,
                                 struct err *err) NODISCARD;

/* The load's days, and those whose verdict they change, in load_quality. */
enum status silver_judge(const struct silver_load *load, struct err *err) NODISCARD;

#endif
