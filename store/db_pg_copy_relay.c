/*
 * db_pg_copy_relay.c - from one server to another: COPY TO STDOUT of the one is COPY FROM STDIN of the other, message by
 * message, in the binary form: neither side writes or reads a number as text.
 */
#include "store/db_pg.h"

#include <libpq-fe.h>

static const char form[] = " (FORMAT binary)";

static enum status relay(struct db *to, struct db *from, struct err *err)
{
    for (;;) {
        char *bytes = NULL;
        size_t n = 0;
        enum status s = pg_copy_out_take(from, &bytes, &n, err);
        if (s != STATUS_OK || bytes == NULL)
            return s;
        s = stop_is_raised(from->stop) ? stop_status(from->stop, err)
                                       : pg_copy_in_put(to, bytes, n, err);
        PQfreemem(bytes);
        if (s != STATUS_OK) {
            pg_cancel(from);
            from->is_broken = true; /* the COPY goes on, unread */
            return s;
        }
    }
}

enum status pg_copy_relay(struct db *to, const char *table, const char *const *columns,
                          size_t n_columns, struct db *from, const char *sql, int64_t *ret_rows,
                          struct err *err)
{
    enum status s = pg_copy_in_start(to, table, columns, n_columns, form, err);
    if (s != STATUS_OK)
        return s;
    s = pg_copy_out_start(from, sql, NO_PARAMS, form, err);
    if (s == STATUS_OK)
        s = relay(to, from, err);
    if (s == STATUS_OK)
        return pg_copy_in_finish(to, NULL, ret_rows, err);
    pg_copy_abort(to);
    return s;
}
