/*
 * spool.h - rows of one task between the sources and the lake: a file of SQLite, so that memory does not depend on their
 * number and a run that was killed goes on behind its last answer. One thread, and one process at a time.
 */
#ifndef INGEST_SPOOL_H
#define INGEST_SPOOL_H

#include "base/arena.h"
#include "ingest/feed.h"
#include "store/db.h"

struct spool;

/* Where rows come from: the last three columns of an object. */
struct spool_origin {
    const char *source;
    int64_t fetched_at; /* seconds since 1970 */
    const char *raw_key;
};

/*
 * Opens the spool of a name in folder, which is made when missing; what a run left there less than a day ago is gone on with.
 * Errors: BUSY while another process has it; IO; the database's.
 */
enum status spool_open(const char *folder, const char *name, int64_t now_s, const struct stop *stop,
                       struct spool **ret, struct err *err) NODISCARD;

/* Closes it; removed unless it is kept for the next run. NULL is fine. */
void spool_close(struct spool *spool, bool is_kept);

/* Was this answer taken already? A unit names source, symbol, window and page. */
enum status spool_has(struct spool *spool, const char *unit, bool *ret_has, bool *ret_has_more,
                      struct err *err) NODISCARD;

/* An answer: rows and rejects between begin and commit are taken together with their unit, or not at all. */
enum status spool_begin(struct spool *spool, struct err *err) NODISCARD;
enum status spool_row(struct spool *spool, struct arena *arena, const struct feed_row *row,
                      const struct spool_origin *origin, struct err *err) NODISCARD;
enum status spool_reject(struct spool *spool, struct arena *arena, const struct feed_row *row,
                         const struct feed_reject *why, const struct spool_origin *origin,
                         struct err *err) NODISCARD;
enum status spool_commit(struct spool *spool, const char *unit, bool has_more, struct err *err)
    NODISCARD;
void spool_rollback(struct spool *spool);

/* The days of rows of a shape; *ret_n rows, those of one key counted each. */
enum status spool_days(struct spool *spool, enum feed_shape shape, int32_t *ret_first,
                       int32_t *ret_last, int64_t *ret_n, struct err *err) NODISCARD;

/* One partition: its rows by key, the newest of each; and the same with their origin. Borrowed for the call. */
struct spool_day {
    int32_t ymd;
    int64_t n_rows;
    struct str fields; /* lines of the shape's columns */
    struct str lines;  /* the same with source, fetched_at, raw_key */
};
struct spool_visitor {
    void *cls;
    enum status (*visit)(void *cls, const struct spool_day *day, struct err *err);
    int64_t (*fetched_at)(void *cls, int32_t ymd,
                          int64_t at); /* what is written for a row fetched then */
};
enum status spool_each_day(struct spool *spool, enum feed_shape shape, struct arena *arena,
                           const struct spool_visitor *visitor, struct err *err) NODISCARD;

/* Lines of the rejects: reason, column, value, shape, key, source, fetched_at, raw_key; at most so many. */
enum status spool_rejects(struct spool *spool, int64_t max, struct buf *out, int64_t *ret_n,
                          struct err *err) NODISCARD;

/* A field of CSV as RFC 4180 has it; nothing for none. */
void spool_field(struct buf *out, struct str value);

/* The header of objects of a shape, and of rejects (SHAPE_COUNT). */
void spool_header(enum feed_shape shape, struct buf *out);

#endif
