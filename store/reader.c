/* reader.c - who may read marts, for cmmc migrate --reader. */
#include "store/reader.h"

#include "base/arena.h"
#include "store/mart_sql.h"
#include "store/statements.h"

static const char stmt_role_exists[] = "SELECT 1 FROM pg_roles WHERE rolname = $1";
static const char stmt_schema[] = "SELECT current_schema()";
static const char stmt_relations[] =
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
    "AND (c.relname ~ '^(mart|gen|meta)_' OR c.relname IN ('publication', 'publication_mart')) "
    "AND pg_has_role(c.relowner, 'USAGE') ORDER BY c.relname LIMIT 10000";

static enum status check_role(struct db *db, struct str role, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, stmt_role_exists, PARAMS(db_text(role)), &rows, &found, err);
    if (s != STATUS_OK || found)
        return s;
    s = err_set(err, STATUS_BAD_VALUE, "There is no role \"%.*s\" in the database.", STR_ARG(role));
    err_allow(err, "a role made before by CREATE ROLE ... LOGIN");
    return s;
}

static enum status add_relations(struct db *db, struct buf *sql, int64_t *ret_n, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    int64_t n = 0;
    enum status s = db_query(db, stmt_relations, NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        buf_add_c(sql, n++ > 0 ? ", " : "");
        sql_identifier(sql, rows_text(&rows, 0));
    }
    *ret_n = n;
    return s;
}

static enum status add_schema(struct db *db, struct buf *sql, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, stmt_schema, NO_PARAMS, &rows, &found, err);
    if (s == STATUS_OK && found)
        sql_identifier(sql, rows_text(&rows, 0));
    return s;
}

static enum status grant(struct db *db, struct str role, struct arena *arena, int64_t *ret_n,
                         struct err *err)
{
    struct buf sql;
    buf_init(&sql, arena, 1 << 20);
    buf_add_c(&sql, "GRANT USAGE ON SCHEMA ");
    enum status s = add_schema(db, &sql, err);
    buf_add_c(&sql, " TO ");
    sql_identifier(&sql, role);
    buf_add_c(&sql, "; GRANT SELECT ON ");
    if (s == STATUS_OK)
        s = add_relations(db, &sql, ret_n, err);
    buf_add_c(&sql, " TO ");
    sql_identifier(&sql, role);
    const char *text = buf_c_str(&sql);
    if (s == STATUS_OK && text == NULL)
        s = err_out_of_memory(err);
    return s == STATUS_OK ? db_exec_script(db, text, err) : s;
}

enum status reader_grant(struct db_pool *pool, struct str role, int64_t *ret_relations,
                         struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(arena_clear) struct arena arena;
    int64_t n = 0;
    arena_init(&arena, 4 << 20);
    enum status s = db_acquire(pool, DB_WRITE, NULL, &db, err);
    if (s == STATUS_OK && db_kind(db) != DB_POSTGRESQL)
        s = err_set(err, STATUS_CONFIG, "The embedded database has no roles: set database_url.");
    if (s == STATUS_OK)
        s = db_begin(db, err);
    if (s == STATUS_OK)
        s = check_role(db, role, err);
    if (s == STATUS_OK)
        s = grant(db, role, &arena, &n, err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s == STATUS_OK)
        *ret_relations = n;
    return s;
}

const struct statement reader_statements[] = {
    STATEMENT_FOR(DB_POSTGRESQL, stmt_role_exists),
    STATEMENT_FOR(DB_POSTGRESQL, stmt_schema),
    STATEMENT_FOR(DB_POSTGRESQL, stmt_relations),
    STATEMENTS_END,
};
