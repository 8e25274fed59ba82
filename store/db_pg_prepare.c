/*
 * db_pg_prepare.c - prepared statements, kept per connection under their text, and batches of queries in one
 * round trip. A text that comes once is sent as it is; from the second time on it is parsed no more.
 */
#include "store/db_pg.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *sql, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)sql[i]) * 0x100000001b3u;
    return hash;
}

/* The slot of sql, or else the one unused for longest. */
static struct pg_prepared *find_slot(struct pg_wire *wire, const char *sql, uint64_t hash)
{
    struct pg_prepared *oldest = &wire->prepared[0];
    for (size_t i = 0; i < PG_PREPARED_MAX; i++) {
        struct pg_prepared *slot = &wire->prepared[i];
        if (slot->sql != NULL && slot->hash == hash && strcmp(slot->sql, sql) == 0)
            return slot;
        if (slot->used_at < oldest->used_at)
            oldest = slot;
    }
    return oldest;
}

/* Runs what was just sent to its end. */
static bool settle(struct db *db)
{
    return pg_flush(db, NULL) == STATUS_OK && pg_drain(db, NULL) == STATUS_OK;
}

/* Gives slot to sql, which is prepared when it comes again. */
static void take_over(struct db *db, struct pg_prepared *slot, const char *sql, uint64_t hash)
{
    struct pg_wire *wire = db->conn;
    char command[48];
    (void)snprintf(command, sizeof command, "DEALLOCATE %s", slot->name);
    bool was_prepared = slot->name[0] != '\0';
    free(slot->sql);
    *slot = (struct pg_prepared){.hash = hash, .sql = strdup(sql), .used_at = wire->prepared_tick};
    if (was_prepared && PQsendQuery(wire->handle, command) != 0)
        (void)settle(db);
}

const char *pg_prepared_name(struct db *db, const char *sql)
{
    struct pg_wire *wire = db->conn;
    size_t len = strlen(sql);
    if (db->in_transaction || db->mode != DB_READ || db->comment[0] != '\0' ||
        len > PG_PREPARED_SQL_BYTES_MAX)
        return NULL;
    uint64_t hash = hash_of(sql, len);
    struct pg_prepared *slot = find_slot(wire, sql, hash);
    wire->prepared_tick++;
    if (slot->sql == NULL || slot->hash != hash || strcmp(slot->sql, sql) != 0) {
        take_over(db, slot, sql, hash);
        return NULL;
    }
    slot->used_at = wire->prepared_tick;
    if (slot->name[0] != '\0')
        return slot->name;
    char name[sizeof slot->name];
    (void)snprintf(name, sizeof name, "s%llu", (unsigned long long)wire->prepared_tick);
    /* What is wrong with the statement is said when it is sent as text. */
    if (PQsendPrepare(wire->handle, name, sql, 0, NULL) == 0 || !settle(db))
        return NULL;
    memcpy(slot->name, name, sizeof name);
    return slot->name;
}

bool pg_prepared_forget(struct db *db)
{
    struct pg_wire *wire = db->conn;
    if (!wire->is_plan_stale || db->is_broken || db->in_transaction)
        return false;
    wire->is_plan_stale = false;
    if (PQsendQuery(wire->handle, "DEALLOCATE ALL") == 0 || !settle(db))
        return false;
    pg_prepared_clear(wire);
    return true;
}

void pg_prepared_clear(struct pg_wire *wire)
{
    for (size_t i = 0; i < PG_PREPARED_MAX; i++) {
        free(wire->prepared[i].sql);
        wire->prepared[i] = (struct pg_prepared){0};
    }
}

/* One result of a pipeline; afterwards libpq has moved on to the next statement. */
static enum status take_result(struct db *db, PGresult **ret, struct err *err)
{
    PGresult *end = NULL;
    enum status s = pg_take(db, ret, err);
    if (s == STATUS_OK && PQresultStatus(*ret) != PGRES_PIPELINE_SYNC)
        s = pg_take(db, &end, err);
    PQclear(end);
    return s;
}

/* Reads the answers of n statements and the end of the pipeline. The first refusal is the one that counts. */
static enum status take_results(struct db *db, size_t n, PGresult **results, struct err *err)
{
    enum status first = STATUS_OK;
    for (size_t i = 0; i < n + 1; i++) {
        PGresult *result = NULL;
        enum status s = take_result(db, &result, err);
        if (s != STATUS_OK) {
            PQclear(result);
            return s;
        }
        ExecStatusType type = PQresultStatus(result);
        if (type == PGRES_TUPLES_OK && i < n) {
            results[i] = result;
        } else if (type == PGRES_PIPELINE_ABORTED || type == PGRES_PIPELINE_SYNC) {
            PQclear(result);
        } else {
            enum status failed = pg_fail(db, result, first == STATUS_OK ? err : NULL);
            if (first == STATUS_OK)
                first = failed;
            if (db->is_broken)
                return first;
        }
    }
    return first;
}

/*
 * libpq leaves row by row mode when a statement is sent, but in a pipeline only when it comes to the second entry:
 * an empty first one keeps the mode away from our statements.
 */
static bool enter_pipeline(struct pg_wire *wire, bool was_single_row)
{
    return PQenterPipelineMode(wire->handle) != 0 &&
           (!was_single_row || PQpipelineSync(wire->handle) != 0);
}

static enum status skip_empty_entry(struct db *db, struct err *err)
{
    PGresult *result = NULL;
    enum status s = pg_take(db, &result, err);
    if (s == STATUS_OK && PQresultStatus(result) != PGRES_PIPELINE_SYNC)
        return pg_fail(db, result, err);
    PQclear(result);
    return s;
}

static enum status run_batch(struct db *db, const struct db_statement *statements, size_t n,
                             bool may_prepare, PGresult **results, struct err *err)
{
    struct pg_wire *wire = db->conn;
    const char *names[DB_BATCH_MAX] = {NULL};
    bool was_single_row = wire->was_single_row;
    enum status s = pg_start(db, err);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < n && may_prepare; i++)
        names[i] = pg_prepared_name(db, statements[i].sql);
    if (!enter_pipeline(wire, was_single_row))
        return pg_fail(db, NULL, err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = pg_submit(db, &statements[i], names[i], err);
    if (s == STATUS_OK && PQpipelineSync(wire->handle) == 0)
        s = pg_fail(db, NULL, err);
    if (s == STATUS_OK)
        s = pg_flush(db, err);
    if (s != STATUS_OK) {
        db->is_broken = true; /* half a pipeline may be on its way */
        return s;
    }
    if (was_single_row)
        s = skip_empty_entry(db, err);
    if (s == STATUS_OK)
        s = take_results(db, n, results, err);
    if (!db->is_broken && PQexitPipelineMode(wire->handle) == 0)
        db->is_broken = true;
    return s;
}

static void clear_results(PGresult **results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        PQclear(results[i]);
        results[i] = NULL;
    }
}

enum status pg_query_batch(struct db *db, const struct db_statement *statements, size_t n,
                           void **ret_impls, struct err *err)
{
    PGresult *results[DB_BATCH_MAX] = {NULL};
    enum status s = run_batch(db, statements, n, true, results, err);
    if (s != STATUS_OK && pg_prepared_forget(db)) {
        clear_results(results, n);
        s = run_batch(db, statements, n, false, results, err);
    }
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        s = pg_rows_of(results[i], &ret_impls[i], err);
        results[i] = NULL;
    }
    if (s == STATUS_OK)
        return s;
    clear_results(results, n);
    for (size_t i = 0; i < n; i++)
        pg_rows_free(ret_impls[i]);
    return s;
}
