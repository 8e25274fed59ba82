/*
 * mart_read.h - the reads of a finished mart_query: a page in one round trip, a stream in bounded memory, and
 * CSV as the server writes it. All three read the generation that the query names, completely or not at all.
 *
 * db was acquired with DB_READ or DB_READ_MARTS. When it is a replica that cannot serve the read (it has not got
 * the generation yet, or the mart is unmanaged), it is turned into a connection to the primary: see db_to_primary.
 *
 * Errors: those of mart_query_open.
 */
#ifndef STORE_MART_READ_H
#define STORE_MART_READ_H

#include "store/mart_query.h"

/*
 * limit + 1 rows as mart_query_open gives them, held in memory as a whole on PostgreSQL unless there is no limit or
 * one beyond MART_LIMIT_MAX: then it is mart_read_stream. Managed marts cost one
 * round trip and no transaction; inside a transaction (generation_pin) the read joins its snapshot. A later read
 * on db that must see the same generation pins it first, or is a mart_read_page of the same generation.
 */
enum status mart_read_page(struct db *db, const struct mart_query *query, struct arena *arena,
                           struct rows *ret_rows, struct err *err) NODISCARD;

/*
 * The same rows for answers of any length: in bounded memory, from one snapshot that stays open until db is
 * released, on PostgreSQL through COPY. query->limit may be beyond MART_LIMIT_MAX or MART_LIMIT_ALL. The time of
 * its one statement is what db_limit says when the call is made.
 */
enum status mart_read_stream(struct db *db, const struct mart_query *query, struct arena *arena,
                             struct rows *ret_rows, struct err *err) NODISCARD;

/*
 * The first query->limit rows as CSV lines of the selected columns, as table_csv.c would write them without
 * options: RFC 4180 with CRLF, NULL empty, empty text "", values in the spelling of mart_value_text. The server
 * makes the lines; only what it spells differently is rewritten. No header. sink gets whole lines, some 64 KiB at a
 * time, borrowed for the call; when it fails, its status is returned and the query is cancelled. *ret_has_gap: a float that is
 * NaN or infinite was given as NULL.
 */
typedef enum status mart_sink_fn(void *cls, struct str bytes, struct err *err);
enum status mart_read_csv(struct db *db, const struct mart_query *query, struct arena *arena,
                          mart_sink_fn *sink, void *cls, int64_t *ret_rows, bool *ret_has_gap,
                          struct err *err) NODISCARD;

/*
 * Whether mart_read_csv serves it: PostgreSQL, a mart of ours, whose decimals are stored as they are shown, and not
 * a backward page.
 */
bool mart_read_has_csv(const struct db *db, const struct mart_query *query);

#endif
