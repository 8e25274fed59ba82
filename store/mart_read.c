/* mart_read.c - which statements a read takes, and why what they give is one generation. */
#include "store/mart_read.h"

#include "store/db_impl.h"
#include "store/generation.h"
#include "store/mart_sql.h"

/* Oldest and newest of a result of generation_range_sql. */
static enum status take_range(struct rows *rows, int64_t *ret_oldest, int64_t *ret_newest,
                              struct err *err)
{
    bool found = false;
    enum status s = rows_next(rows, &found, err);
    if (s == STATUS_OK && !found)
        s = err_set(err, STATUS_INTERNAL,
                    "The database did not answer which generations it holds.");
    if (s == STATUS_OK) {
        *ret_oldest = rows_i64(rows, 0);
        *ret_newest = rows_i64(rows, 1);
    }
    return s;
}

/*
 * Rows, then the range of generations, each with a snapshot of its own, in one round trip.
 *
 * Why this is the whole generation g: retiring g deletes its rows and its row in publication in one transaction,
 * and so does publishing g insert both. Snapshots of one server only move forward. When the second snapshot still
 * finds g kept, the transaction that retires it was not visible to it, hence not to the first one either: no row
 * of g was missing when the rows were read. When g was known to be published on this server before the first
 * snapshot was taken, none was missing that came with it. That is what newest_seen is for: a generation that this
 * connection has not met yet (a replica may be behind) is asked for in front as well.
 */
static enum status read_managed(struct db *db, int64_t generation, const struct mart_sql *sql,
                                struct rows *ret_rows, struct err *err)
{
    const struct db_statement range = {generation_range_sql, NO_PARAMS};
    const struct db_statement batch[] = {range, {sql->text, sql->params, sql->n_params}, range};
    size_t first = generation > db->newest_seen ? 0 : 1;
    size_t n = ARRAY_LEN(batch) - first;
    struct rows results[ARRAY_LEN(batch)] = {{0}};
    enum status s = db_query_batch(db, batch + first, n, results + first, err);
    if (s != STATUS_OK)
        return s;
    int64_t oldest = 0;
    int64_t newest = 0;
    if (first == 0)
        s = take_range(&results[0], &oldest, &newest, err);
    if (s == STATUS_OK && first == 0 && generation > newest)
        s = generation_check(generation, oldest, newest, err);
    if (s == STATUS_OK)
        s = take_range(&results[2], &oldest, &newest, err);
    if (s == STATUS_OK) {
        db->newest_seen = newest;
        s = generation_check(generation, oldest, newest, err);
    }
    rows_clear(&results[0]);
    rows_clear(&results[2]);
    if (s != STATUS_OK)
        rows_clear(&results[1]);
    else
        *ret_rows = results[1];
    return s;
}

/*
 * One row by its key, by one statement and nothing beside it. A version of a row that holds in g is never changed,
 * only deleted when no kept generation holds it: so what is found is g's, whether g is still kept or not, once the
 * server is known to have g (before that, a version that g closes could still be open there). When nothing is found,
 * the reason is found by asking once more; looking for a key costs little.
 */
static enum status read_one(struct db *db, int64_t generation, const struct mart_sql *sql,
                            struct rows *ret_rows, struct err *err)
{
    const struct db_statement statement = {sql->text, sql->params, sql->n_params};
    if (generation > db->newest_seen)
        return read_managed(db, generation, sql, ret_rows, err);
    enum status s = db_query_batch(db, &statement, 1, ret_rows, err);
    if (s != STATUS_OK || rows_held(ret_rows) > 0)
        return s;
    rows_clear(ret_rows);
    return read_managed(db, generation, sql, ret_rows, err);
}

static enum status read_rows(struct db *db, const struct mart_query *query, struct arena *arena,
                             struct rows *ret_rows, struct err *err)
{
    struct mart_sql sql;
    enum status s = mart_query_compile(query, DB_POSTGRESQL, arena, &sql, err);
    if (s != STATUS_OK)
        return s;
    return mart_sql_is_one_row(query) ? read_one(db, query->generation, &sql, ret_rows, err)
                                      : read_managed(db, query->generation, &sql, ret_rows, err);
}

enum status mart_read_stream(struct db *db, const struct mart_query *query, struct arena *arena,
                             struct rows *ret_rows, struct err *err)
{
    struct mart_sql sql;
    enum status s = mart_query_compile(query, db_kind(db), arena, &sql, err);
    if (s == STATUS_OK)
        s = generation_pin_mart(db, query->mart, query->generation, err);
    if (s == STATUS_OK && !db->in_transaction)
        s = db_begin(db, err); /* where db_limit's time is told to the server */
    if (s != STATUS_OK)
        return s;
    s = db_query_stream(db, sql.text, sql.params, sql.n_params, ret_rows, err);
    return mart_query_explain(query, s, err);
}

enum status mart_read_page(struct db *db, const struct mart_query *query, struct arena *arena,
                           struct rows *ret_rows, struct err *err)
{
    if (query->limit == MART_LIMIT_ALL || query->limit > MART_LIMIT_MAX)
        return mart_read_stream(db, query, arena, ret_rows, err);
    if (db_kind(db) == DB_SQLITE || db->in_transaction || !query->mart->is_managed)
        return mart_query_open(db, query, arena, ret_rows, err);
    enum status s = read_rows(db, query, arena, ret_rows, err);
    if (generation_needs_primary(db, s)) {
        s = db_to_primary(db, err);
        if (s == STATUS_OK)
            s = read_rows(db, query, arena, ret_rows, err);
    }
    return mart_query_explain(query, s, err);
}
