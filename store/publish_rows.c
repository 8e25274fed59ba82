/*
 * publish_rows.c - the rows of one mart on their way into its stage, or into the mart that held nothing: given one by one and
 * checked, or pulled from the models of another server.
 */
#include "store/mart_sql.h"
#include "store/publish_impl.h"
#include "store/value.h"

#include <assert.h>
#include <string.h>

/* Beside them stand the generations of a row that goes straight into its mart. */
enum { STAGED_COLUMNS_MAX = DB_COPY_COLUMNS_MAX - 2 };

static enum status find_mart(struct publish *publish, struct str name, const struct mart **ret,
                             struct err *err)
{
    const struct mart *mart = catalog_mart(publish->catalog, name);
    if (mart == NULL)
        return catalog_unknown_mart(publish->catalog, name, err);
    enum status s = STATUS_OK;
    if (!mart->is_managed)
        s = err_set(err, STATUS_BAD_DATA,
                    "%.*s is not kept in generations: it cannot be published.", STR_ARG(name));
    else if (str_eq(name, STR("mart_freshness")))
        s = err_set(err, STATUS_BAD_DATA, "%.*s is written by publishing itself.", STR_ARG(name));
    else if (publish_stage_of(publish, name) != NULL)
        s = err_set(err, STATUS_BAD_DATA, "%.*s is staged twice in one publish.", STR_ARG(name));
    if (s == STATUS_OK)
        *ret = mart;
    return s;
}

/* Which mart column each staged field goes to; key columns must be among them. */
static enum status map_columns(struct stage *stage, struct arena *arena, const struct str *columns,
                               size_t n, struct err *err)
{
    const struct mart *mart = stage->mart;
    stage->columns = arena_array(arena, n, sizeof *stage->columns);
    if (stage->columns == NULL)
        return publish_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        int column = mart_column_index(mart, columns[i]);
        if (column < 0)
            return mart_unknown_column(mart, columns[i], "columns", err);
        if (publish_is_computed(mart->name, columns[i]))
            return err_set(err, STATUS_BAD_DATA,
                           "Column \"%.*s\" is computed when publishing; leave it out.",
                           STR_ARG(columns[i]));
        for (size_t k = 0; k < i; k++)
            if (stage->columns[k] == (size_t)column)
                return err_set(err, STATUS_BAD_DATA, "Column \"%.*s\" is given twice.",
                               STR_ARG(columns[i]));
        stage->columns[i] = (size_t)column;
    }
    stage->n_columns = n;
    for (size_t k = 0; k < mart->n_columns; k++) {
        bool is_given = mart->columns[k].is_nullable;
        for (size_t i = 0; i < n; i++)
            is_given = is_given || stage->columns[i] == k;
        if (!is_given)
            return err_set(err, STATUS_BAD_DATA, "Column \"%.*s\" of %.*s is required and missing.",
                           STR_ARG(mart->columns[k].name), STR_ARG(mart->name));
    }
    return STATUS_OK;
}

/* The names of what is copied into the stage, quoted. */
static enum status name_columns(struct publish *publish, const struct stage *stage,
                                const char *names[DB_COPY_COLUMNS_MAX], size_t *ret_n,
                                struct err *err)
{
    size_t n = stage->n_columns;
    for (size_t i = 0; i < n; i++) {
        struct buf name;
        buf_init(&name, &publish->arena, 1024);
        sql_identifier(&name, stage->mart->columns[stage->columns[i]].name);
        names[i] = buf_c_str(&name);
        if (names[i] == NULL)
            return publish_no_memory(err);
    }
    if (stage->is_direct) {
        names[n++] = "gen_from";
        names[n++] = "gen_to";
    }
    *ret_n = n;
    return STATUS_OK;
}

static enum status open_stage(struct publish *publish, struct str mart_name, enum publish_mode mode,
                              const struct str *columns, size_t n_columns, struct err *err)
{
    assert(publish->open == NULL);
    const struct mart *mart = NULL;
    struct stage *stage = NULL;
    enum status s = find_mart(publish, mart_name, &mart, err);
    if (s == STATUS_OK && n_columns > STAGED_COLUMNS_MAX)
        s = err_set(err, STATUS_TOO_LARGE, "At most %d columns can be staged.",
                    (int)STAGED_COLUMNS_MAX);
    if (s == STATUS_OK)
        s = publish_stage_open(publish, mart, mode, &stage, err);
    if (s == STATUS_OK)
        s = map_columns(stage, &publish->arena, columns, n_columns, err);
    if (s != STATUS_OK)
        return s;
    stage->scopes = publish->scopes;
    stage->n_scopes = publish->n_scopes;
    publish->scopes = NULL;
    publish->n_scopes = 0;
    publish->open = stage;
    publish->n_staged_open = 0;
    publish->bad_row = 0;
    return STATUS_OK;
}

void publish_within(struct publish *publish, const struct str *scopes, size_t n)
{
    assert(publish->open == NULL);
    publish->scopes = scopes;
    publish->n_scopes = n;
}

enum status publish_mart_begin(struct publish *publish, struct str mart, enum publish_mode mode,
                               const struct str *columns, size_t n_columns, struct err *err)
{
    const char *names[DB_COPY_COLUMNS_MAX];
    size_t n = 0;
    enum status s = open_stage(publish, mart, mode, columns, n_columns, err);
    if (s == STATUS_OK)
        s = name_columns(publish, publish->open, names, &n, err);
    return s == STATUS_OK ? db_copy_begin(publish->db, publish->open->table, names, n, err) : s;
}

/* One field in the spelling that both back ends store; booleans as 0 and 1, which both read. */
static enum status canonical_field(const struct mart_column *column, struct str field,
                                   char room[VALUE_ROOM_BYTES], struct str *ret, struct err *err)
{
    if (field.ptr == NULL) {
        *ret = field;
        if (column->is_nullable)
            return STATUS_OK;
        enum status s = err_set(err, STATUS_BAD_DATA, "Column \"%.*s\" must not be empty.",
                                STR_ARG(column->name));
        err_at(err, ERR_PARAMETER, column->name, STR_NONE);
        return s;
    }
    if (value_check(column, field, PUBLISH_TEXT_BYTES_MAX, err) != STATUS_OK) {
        if (err != NULL)
            err->status = STATUS_BAD_DATA;
        return STATUS_BAD_DATA;
    }
    *ret = value_canonical(column->kind, field, room);
    if (column->kind == COLUMN_BOOL)
        *ret = str_eq(field, STR("true")) ? STR("1") : STR("0");
    return STATUS_OK;
}

/* A repeated key: the database knows the row, the message is ours. */
static enum status explain(struct publish *publish, enum status s, struct err *err)
{
    publish->bad_row = db_copy_bad_row(publish->db);
    if (s == STATUS_BAD_DATA)
        return err_set(err, s, "A row of %.*s repeats the key of an earlier row.",
                       STR_ARG(publish->open->mart->name));
    return s;
}

enum status publish_row(struct publish *publish, const struct str *fields, struct err *err)
{
    const struct stage *stage = publish->open;
    assert(stage != NULL);
    char rooms[DB_COPY_COLUMNS_MAX][VALUE_ROOM_BYTES];
    struct str canonical[DB_COPY_COLUMNS_MAX];
    publish->n_staged_open++;
    for (size_t i = 0; i < stage->n_columns; i++) {
        enum status s = canonical_field(&stage->mart->columns[stage->columns[i]], fields[i],
                                        rooms[i], &canonical[i], err);
        if (s != STATUS_OK) {
            publish->bad_row = publish->n_staged_open;
            return s;
        }
    }
    if (stage->is_direct) {
        canonical[stage->n_columns] = str_of(publish->next_text);
        canonical[stage->n_columns + 1] = str_of(publish->open_text);
    }
    enum status s = db_copy_row(publish->db, canonical, err);
    return s == STATUS_OK ? s : explain(publish, s, err);
}

static enum status close_stage(struct publish *publish, struct err *err)
{
    struct stage *stage = publish->open;
    enum status s = STATUS_OK;
    stage->n_rows = publish->n_staged_open;
    publish->n_staged += stage->n_rows;
    publish->open = NULL;
    /* Temporary tables have no statistics of their own until they are asked for. */
    if (db_kind(publish->db) == DB_POSTGRESQL && !stage->is_direct)
        s = publish_exec(publish, NO_PARAMS, NULL, err, "ANALYZE %s", stage->table);
    if (s != STATUS_OK || str_eq(stage->mart->name, STR("mart_instrument")))
        return s; /* instruments wait for their prices */
    if (str_eq(stage->mart->name, STR("mart_price_daily")))
        return coverage_diff_prices(publish, stage, err);
    return publish_diff(publish, stage, err);
}

enum status publish_mart_end(struct publish *publish, struct err *err)
{
    assert(publish->open != NULL);
    enum status s = db_copy_end(publish->db, err);
    return s == STATUS_OK ? close_stage(publish, err) : explain(publish, s, err);
}

/* Each column in the type that the mart has, for its bytes are taken as they are; what is not finite is NULL. */
static void select_column(const struct mart_column *column, struct buf *out)
{
    bool is_float = column->kind == COLUMN_FLOAT;
    if (is_float) {
        buf_add_c(out, "CASE WHEN ");
        sql_identifier(out, column->name);
        buf_add_c(out, " < 'Infinity' AND ");
        sql_identifier(out, column->name);
        buf_add_c(out, " > '-Infinity' THEN ");
    }
    buf_add_c(out, "CAST(");
    sql_identifier(out, column->name);
    buf_printf(out, " AS %.*s)%s", STR_ARG(column->type), is_float ? " END" : "");
}

static const char *pull_sql(struct publish *publish, const struct stage *stage, const char *from)
{
    struct buf out;
    buf_init(&out, &publish->arena, PUBLISH_SQL_BYTES_MAX);
    for (size_t i = 0; i < stage->n_columns; i++) {
        buf_add_c(&out, i == 0 ? "SELECT " : ", ");
        select_column(&stage->mart->columns[stage->columns[i]], &out);
    }
    if (stage->is_direct)
        buf_printf(&out, ", CAST(%s AS BIGINT), CAST(%s AS BIGINT)", publish->next_text,
                   publish->open_text);
    buf_printf(&out, " FROM %s", from);
    return buf_c_str(&out);
}

bool publish_can_pull(const struct publish *publish, const struct db *from)
{
    return db_can_relay(publish->db, from);
}

enum status publish_mart_pull(struct publish *publish, struct str mart, const struct str *columns,
                              size_t n_columns, struct db *from, const char *what, struct err *err)
{
    const char *names[DB_COPY_COLUMNS_MAX];
    size_t n = 0;
    enum status s = open_stage(publish, mart, PUBLISH_MERGE, columns, n_columns, err);
    if (s == STATUS_OK)
        s = name_columns(publish, publish->open, names, &n, err);
    if (s != STATUS_OK)
        return s;
    const char *sql = pull_sql(publish, publish->open, what);
    if (sql == NULL)
        return publish_no_memory(err);
    s = db_copy_relay(publish->db, publish->open->table, names, n, from, sql,
                      &publish->n_staged_open, err);
    return s == STATUS_OK ? close_stage(publish, err) : explain(publish, s, err);
}

int64_t publish_staged(const struct publish *publish)
{
    return publish->n_staged;
}

int64_t publish_bad_row(const struct publish *publish)
{
    return publish->bad_row;
}
