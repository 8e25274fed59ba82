/*
 * rows_answer.h - answers one read of a mart as a table (table.h): validator first, then rows, then the link
 * to the next page. Every row-shaped resource (mart rows, instruments, prices) is this function with another
 * query in front.
 */
#ifndef HANDLERS_ROWS_ANSWER_H
#define HANDLERS_ROWS_ANSWER_H

#include "handlers/table.h"
#include "store/mart_query.h"

/* Called when no row was found, with the connection still in hand: STATUS_OK lets an empty list stand. */
typedef enum status when_empty_fn(struct request *request, struct db *db, int64_t generation,
                                  struct err *err);

/* How exactly rows are to be counted: count= or Prefer: count=. See rows_count.h. */
enum count_mode { COUNT_NONE, COUNT_EXACT, COUNT_ESTIMATED };

struct rows_request {
    struct catalog *catalog;  /* a reference of our own, given back by rows_end */
    struct mart_query *query; /* with select, filters, order and limit; not yet finished */
    struct mart_version
        version;     /* what is read: the mart's version that the request names, else its newest */
    int64_t read_at; /* a kept generation that shows it */
    enum count_mode count;
    bool has_parent; /* the path without its last segment is the collection of what is answered */
    struct str describedby; /* of an internal table: its documentation; ptr NULL: the mart's page */
    bool is_single;         /* one object instead of a list; when_empty must then refuse */
    when_empty_fn *when_empty; /* may be NULL */
};

enum { ROWS_FORMATS = TABLE_FORMATS };

/* Parameters every row-shaped resource takes: cursor, generation, limit, select, order, TABLE_PARAMETERS. */
enum status rows_answer(struct request *request, struct rows_request *rows, struct err *err);

/* The catalogue, or DB_UNAVAILABLE while none has been loaded. The caller unrefs it. */
enum status rows_catalog(struct request *request, struct catalog **ret, struct err *err) NODISCARD;

/*
 * Begins a read of a mart: finds it, resolves generation= and cursor= to a version, and makes an empty query.
 * rows starts zeroed; rows_end is called whatever happens.
 */
enum status rows_begin(struct request *request, struct str mart, struct rows_request *rows,
                       struct err *err) NODISCARD;
void rows_end(struct rows_request *rows); /* also for CLEANUP */

/* A generation of the catalogue was retired before it could be read: DB_CONFLICT, to be asked again. */
enum status rows_moved_on(struct err *err);

/*
 * Reads select=, order=, limit= (a number, "max", or "all" as MART_LIMIT_ALL), offset= and count= into rows. Whoever
 * answers decides whether all rows can be had at once.
 */
enum status rows_read_page(struct request *request, struct rows_request *rows, struct err *err)
    NODISCARD;

/*
 * Reads every parameter that is not in names[]: {column}={op}.{value}, or=, and= as filters; others are refused with
 * the nearest name there is. Those in names[] may stand once.
 */
enum status rows_read_filters(struct request *request, struct rows_request *rows,
                              const char *const *names, size_t n_names, struct err *err) NODISCARD;

/*
 * TOO_LARGE when the mart has more than scan_rows_max rows and no index serves the query: none of its filters compares
 * a column with which an index begins, and there are other filters, it is sorted by something else, or the answer is
 * made of all rows that there are. Of an unmanaged mart the rows are PostgreSQL's estimate. Call when the query is
 * finished.
 */
enum status rows_check_scan(struct request *request, const struct rows_request *rows,
                            bool needs_all, struct err *err) NODISCARD;

/* Appends a filter; there may be MART_FILTERS_MAX. */
enum status rows_add_filter(struct rows_request *rows, struct filter filter, struct err *err)
    NODISCARD;

/* from=, to= and last= as filters on the mart's time column; the mart must have one if any is given. */
enum status rows_add_window(struct request *request, struct rows_request *rows, struct err *err)
    NODISCARD;

/* A filter column = value, for a column the catalogue has. */
enum status rows_add_equal(struct request *request, struct rows_request *rows, const char *column,
                           struct str value, struct err *err) NODISCARD;

#endif
