/*
 * rows_answer.h - answers one read of a mart as JSON or CSV: validator first, then rows, then the link to
 * the next page. Every row-shaped resource (mart rows, instruments, prices) is this function with another
 * query in front.
 */
#ifndef HANDLERS_ROWS_ANSWER_H
#define HANDLERS_ROWS_ANSWER_H

#include "handlers/negotiate.h"
#include "store/mart_query.h"

/* Called when no row was found, with the connection still in hand: STATUS_OK lets an empty list stand. */
typedef enum status when_empty_fn(struct request *request, struct db *db, int64_t generation, struct err *err);

struct rows_request {
    struct catalog *catalog;    /* borrowed for the call */
    struct mart_query *query;   /* with select, filters, order and limit; not yet finished */
    bool is_single;             /* one object instead of a list; when_empty must then refuse */
    when_empty_fn *when_empty;  /* may be NULL */
};

enum { ROWS_FORMATS = (1 << FORMAT_JSON) | (1 << FORMAT_CSV) };

/* Parameters every row-shaped resource takes: format, cursor, generation, limit, select, order. */
enum status rows_answer(struct request *request, struct rows_request *rows, struct err *err);

/* The catalogue, or DB_UNAVAILABLE while none has been loaded. The caller unrefs it. */
enum status rows_catalog(struct request *request, struct catalog **ret, struct err *err) NODISCARD;

/* Reads select=, order= and limit= into the query. */
enum status rows_read_page(struct request *request, struct mart_query *query, struct err *err) NODISCARD;

/* Appends a filter; the query's filters have room for MART_FILTERS_MAX. */
enum status rows_add_filter(struct mart_query *query, struct filter filter, struct err *err) NODISCARD;

/* from=, to= and last= as filters on the mart's time column; the mart must have one if any is given. */
enum status rows_add_window(struct request *request, struct mart_query *query, struct err *err) NODISCARD;

/* A filter column = value, for a column the catalogue has. */
enum status rows_add_equal(struct request *request, struct mart_query *query, const char *column, struct str value,
                           struct err *err) NODISCARD;

/* A query over mart with an empty filter list of full size. */
enum status rows_query_new(struct request *request, const struct mart *mart, struct mart_query **ret,
                           struct err *err) NODISCARD;

#endif
