/*
 * database.h - how handlers get a database connection: within the request's time, measured, and traced.
 * The store knows no requests; this is the one place that joins the two.
 */
#ifndef HANDLERS_DATABASE_H
#define HANDLERS_DATABASE_H

#include "server/request.h"
#include "store/db.h"

/*
 * A connection for a worker of this request; db_release gives it back. Waiting for it shows as "pgwait" in
 * Server-Timing and in cmmc_pg_wait_seconds. Statements may run for as long as the request's lane allows
 * (db_statement_ms, db_stream_ms), and stop when the client leaves or the request's time is over. When the caller's
 * traceparent asks for sampling, each statement carries it as a comment.
 *   mode  DB_READ_MARTS for mart_read.h and whatever pins a generation: may be a replica
 *         DB_READ for everything else that only reads, DB_WRITE to write: always the primary
 * Errors: those of db_acquire.
 */
enum status database_acquire(struct request *request, enum db_mode mode, struct db **ret_db,
                             struct err *err) NODISCARD;

#endif
