/* generation.c - the check that stands before every read of a managed mart. */
#include "store/generation.h"

#include "base/date.h"
#include "store/catalog.h"
#include "store/db_impl.h"
#include "store/statements.h"

const char generation_range_sql[] =
    "SELECT COALESCE(min(generation), 0), COALESCE(max(generation), 0) FROM publication";

enum status generation_range(struct db *db, int64_t *ret_oldest, int64_t *ret_newest,
                             struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, generation_range_sql, NO_PARAMS, &rows, &found, err);
    if (s != STATUS_OK)
        return s;
    if (!found)
        return err_set(err, STATUS_INTERNAL,
                       "The database did not answer which generations it holds.");
    *ret_oldest = rows_i64(&rows, 0);
    *ret_newest = rows_i64(&rows, 1);
    return STATUS_OK;
}

enum status generation_set_due(struct db *db, struct str mart, int64_t due_s, struct err *err)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(due_s, text);
    return db_exec(db,
                   "UPDATE mart_generation SET next_due_at = $2 "
                   "WHERE mart = $1 AND next_due_at IS DISTINCT FROM $2",
                   PARAMS(db_text(mart), db_text(due_s == 0 ? STR_NONE : str_of(text))), NULL, err);
}

enum status generation_check(int64_t generation, int64_t oldest, int64_t newest, struct err *err)
{
    enum status s = STATUS_OK;
    if (generation > newest)
        s = err_set(err, STATUS_BAD_VALUE, "Generation %lld has not been published yet.",
                    (long long)generation);
    else if (generation < oldest)
        s = err_set(err, STATUS_GENERATION_RETIRED,
                    "Generation %lld of the data is no longer kept.", (long long)generation);
    if (s != STATUS_OK)
        err_allow(err, "%lld to %lld", (long long)oldest, (long long)newest);
    return s;
}

static enum status pin(struct db *db, int64_t generation, struct err *err)
{
    enum status s = db->in_transaction ? STATUS_OK : db_begin(db, err);
    if (s != STATUS_OK)
        return s;
    int64_t oldest = 0;
    int64_t newest = 0;
    s = generation_range(db, &oldest, &newest, err);
    if (s == STATUS_OK)
        s = generation_check(generation, oldest, newest, err);
    if (s == STATUS_OK)
        db->pinned_generation = generation;
    return s;
}

bool generation_needs_primary(const struct db *db, enum status s)
{
    return db_is_replica(db) && (s == STATUS_BAD_VALUE || s == STATUS_DB_UNAVAILABLE ||
                                 s == STATUS_DB_CONFLICT || s == STATUS_DB_ERROR);
}

enum status generation_pin(struct db *db, int64_t generation, struct err *err)
{
    if (db->in_transaction && db->pinned_generation == generation)
        return STATUS_OK;
    enum status s = pin(db, generation, err);
    if (!generation_needs_primary(db, s))
        return s;
    s = db_to_primary(db, err);
    return s == STATUS_OK ? pin(db, generation, err) : s;
}

enum status generation_pin_mart(struct db *db, const struct mart *mart, int64_t generation,
                                struct err *err)
{
    return mart->is_managed ? generation_pin(db, generation, err) : db_to_primary(db, err);
}

const struct statement generation_statements[] = {STATEMENT(generation_range_sql), STATEMENTS_END};
