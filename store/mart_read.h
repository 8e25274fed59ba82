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
 * limit + 1 rows as mart_query_open gives them, held in memory as a whole on PostgreSQL. Managed marts cost one
 * round trip and no transaction; inside a transaction (generation_pin) the read joins its snapshot. A later read
 * on db that must see the same generation pins it first, or is a mart_read_page of the same generation.
 */
enum status mart_read_page(struct db *db, const struct mart_query *query, struct arena *arena,
                           struct rows *ret_rows, struct err *err) NODISCARD;

#endif
