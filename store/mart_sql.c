/*
 * mart_sql.c - compiles a checked query to SQL of one dialect.
 *
 * Paging is by key: the rows after the last one seen, in a total order of mixed directions in which NULLs
 * come last ascending and first descending. A run of columns that are never NULL and share a direction is
 * one row comparison, (a, b) > ($1, $2), which both back ends answer from an index.
 */
#include "store/mart_sql.h"

#include "store/value.h"

enum { SQL_BYTES_MAX = 4 << 20 };

struct builder {
    const struct mart_query *query;
    enum db_kind kind;
    struct buf out;
    struct db_param *params;
    size_t n_params;
    size_t *after; /* parameter number of each order term's last value; 0: it was NULL */
};

void sql_identifier(struct buf *out, struct str name)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, name.ptr[i]);
    }
    buf_add_char(out, '"');
}

static const struct mart_column *column_at(const struct builder *b, size_t column)
{
    return &b->query->mart->columns[column];
}

/*
 * Values without an output are NULL here, the same wherever the column stands, so that what is shown, filtered
 * and paged over agrees: NaN and infinities, and in SQLite, which keeps whatever it is given, everything that is
 * not of the column's type. Only marts of other tools hold such values; ours are checked when published and keep
 * their bare columns, which indexes serve. "@" is the column.
 */
static const char *const foreign_forms[][COLUMN_OTHER + 1] = {
    [DB_SQLITE] =
        {
            [COLUMN_TEXT] = "(CASE WHEN typeof(@) = 'text' AND instr(@, char(0)) = 0 THEN @ END)",
            [COLUMN_INT] = "(CASE WHEN typeof(@) = 'integer' THEN @ END)",
            /* What decimal_is_valid takes. Length and GLOB end at a NUL, the bytes of a BLOB do not. */
            [COLUMN_DECIMAL] =
                /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one text on several lines */
            "(CASE WHEN typeof(@) = 'text' AND length(@) = length(CAST(@ AS BLOB)) "
            "AND (@ GLOB '[0-9]*' OR @ GLOB '-[0-9]*') AND @ GLOB '*[0-9]' "
            "AND substr(@, 2) NOT GLOB '*[^0-9.]*' AND @ NOT GLOB '*.*.*' "
            "AND length(replace(replace(@, '-', ''), '.', '')) <= 38 THEN @ END)",
            /* 9e999 is infinity. The cast keeps a large integer equal to the double it is shown as. */
            [COLUMN_FLOAT] =
                "(CASE WHEN typeof(@) IN ('integer', 'real') AND @ > -9e999 AND @ < 9e999 "
                "THEN CAST(@ AS REAL) END)",
            [COLUMN_BOOL] =
                "(CASE @ WHEN 1 THEN 1 WHEN 0 THEN 0 WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)",
            /* Counting no days on makes the 30th of February the 1st of March, so that it differs. */
            [COLUMN_DATE] = "(CASE WHEN typeof(@) = 'text' AND date(@, '+0 days') = @ THEN @ END)",
            [COLUMN_INSTANT] = "(CASE WHEN typeof(@) = 'text' AND @ GLOB '[0-9][0-9][0-9][0-9]-*' "
                               "THEN strftime('%Y-%m-%dT%H:%M:%fZ', @) END)",
            [COLUMN_OTHER] = "(CASE WHEN typeof(@) = 'blob' THEN '\\x' || lower(hex(@)) "
                             "WHEN instr(CAST(@ AS TEXT), char(0)) = 0 THEN CAST(@ AS TEXT) END)",
        },
    [DB_POSTGRESQL] =
        {
            [COLUMN_FLOAT] = "(CASE WHEN @ IN ('NaN', 'Infinity', '-Infinity') THEN NULL "
                             "ELSE CAST(@ AS DOUBLE PRECISION) END)",
            /* NaN before PostgreSQL 14, which cannot spell the infinity of a numeric, and both after. */
            [COLUMN_DECIMAL] = "(CASE WHEN @ - @ = 0 THEN @ END)",
        },
};

/* NULL: the column is taken as it stands. */
static const char *foreign_form(const struct builder *b, const struct mart_column *column)
{
    return b->query->mart->is_managed ? NULL : foreign_forms[b->kind][column->kind];
}

static bool may_be_null(const struct builder *b, size_t column)
{
    return column_at(b, column)->is_nullable || foreign_form(b, column_at(b, column)) != NULL;
}

/* The column as it is selected. */
static void add_column(struct builder *b, size_t at)
{
    const struct mart_column *column = column_at(b, at);
    const char *form = foreign_form(b, column);
    if (form == NULL)
        form = column->kind == COLUMN_OTHER ? "CAST(@ AS TEXT)" : "@";
    for (; *form != '\0'; form++) {
        if (*form == '@')
            sql_identifier(&b->out, column->name);
        else
            buf_add_char(&b->out, *form);
    }
}

/* The column as it is compared and sorted: by value, and text bytewise on both back ends. */
static void add_ordered(struct builder *b, size_t at)
{
    enum column_kind kind = column_at(b, at)->kind;
    bool is_foreign_text =
        kind == COLUMN_OTHER || (kind == COLUMN_TEXT && !b->query->mart->is_managed);
    add_column(b, at);
    if (kind == COLUMN_DECIMAL && b->kind == DB_SQLITE)
        buf_add_c(&b->out, " COLLATE decimal");
    else if (is_foreign_text)
        buf_add_c(&b->out, b->kind == DB_SQLITE ? " COLLATE BINARY" : " COLLATE \"C\"");
}

static size_t new_param(struct builder *b, struct db_param param)
{
    b->params[b->n_params++] = param;
    return b->n_params;
}

/*
 * A parameter where a value of the column's kind is compared. PostgreSQL takes an untyped one to be of the
 * column's type, which is right for dates and both kinds of timestamp, but must not narrow numbers.
 */
static void add_placeholder(struct builder *b, enum column_kind kind, size_t number)
{
    const char *type = NULL;
    if (b->kind == DB_SQLITE && kind == COLUMN_INSTANT && !b->query->mart->is_managed) {
        buf_add_c(&b->out, "strftime('%Y-%m-%dT%H:%M:%fZ', "); /* as in foreign_forms */
        buf_printf(&b->out, "$%zu)", number);
        return;
    }
    if (b->kind == DB_POSTGRESQL && kind == COLUMN_INT)
        type = "BIGINT";
    if (b->kind == DB_POSTGRESQL && kind == COLUMN_FLOAT)
        type = "DOUBLE PRECISION";
    if (b->kind == DB_POSTGRESQL && kind == COLUMN_DECIMAL)
        type = "NUMERIC";
    if (type == NULL)
        buf_printf(&b->out, "$%zu", number);
    else
        buf_printf(&b->out, "CAST($%zu AS %s)", number, type);
}

static void add_value(struct builder *b, enum column_kind kind, struct str value)
{
    add_placeholder(b, kind, new_param(b, value_param(kind, value)));
}

static void add_filter(struct builder *b, const struct filter *filter)
{
    static const char *const signs[] = {
        [OP_EQ] = " = ", [OP_NEQ] = " <> ", [OP_GT] = " > ",   [OP_GTE] = " >= ",
        [OP_LT] = " < ", [OP_LTE] = " <= ", [OP_IN] = " IN (", [OP_IS] = " IS "};
    static const char *const is[] = {
        [IS_NULL] = "NULL", [IS_NOT_NULL] = "NOT NULL", [IS_TRUE] = "TRUE", [IS_FALSE] = "FALSE"};
    enum column_kind kind = column_at(b, filter->column)->kind;
    if (filter->op == OP_IS)
        add_column(b, filter->column);
    else
        add_ordered(b, filter->column);
    buf_add_c(&b->out, signs[filter->op]);
    if (filter->op == OP_IS) {
        buf_add_c(&b->out, is[filter->is]);
        return;
    }
    for (size_t i = 0; i < filter->n_values; i++) {
        buf_add_c(&b->out, i > 0 ? ", " : "");
        add_value(b, kind, filter->values[i]);
    }
    if (filter->op == OP_IN)
        buf_add_char(&b->out, ')');
}

/* "contains", byte by byte after folding ASCII letters, the same on both back ends. */
static void add_search(struct builder *b)
{
    const struct mart_query *query = b->query;
    size_t number =
        query->n_search_columns == 0 ? 0 : new_param(b, value_param(COLUMN_TEXT, query->search));
    for (size_t i = 0; i < query->n_search_columns; i++) {
        buf_add_c(&b->out, i == 0 ? " AND (" : " OR ");
        buf_add_c(&b->out, b->kind == DB_SQLITE ? "INSTR(LOWER(" : "STRPOS(LOWER(");
        add_column(b, query->search_columns[i]);
        buf_printf(&b->out, "%s), $%zu) > 0", b->kind == DB_SQLITE ? "" : " COLLATE \"C\"", number);
    }
    buf_add_c(&b->out, query->n_search_columns == 0 ? "" : ")");
}

/* (a, b) for the terms [from, to), as columns or as last values. */
static void add_tuple(struct builder *b, size_t from, size_t to, bool is_values)
{
    buf_add_char(&b->out, '(');
    for (size_t i = from; i < to; i++) {
        size_t column = b->query->order[i].column;
        buf_add_c(&b->out, i > from ? ", " : "");
        if (is_values)
            add_placeholder(b, column_at(b, column)->kind, b->after[i]);
        else
            add_ordered(b, column);
    }
    buf_add_char(&b->out, ')');
}

static void add_tuple_comparison(struct builder *b, size_t from, size_t to, const char *sign)
{
    add_tuple(b, from, to, false);
    buf_add_c(&b->out, sign);
    add_tuple(b, from, to, true);
}

/* End of the run of never-NULL terms in one direction that begins at from; from itself when it may be NULL. */
static size_t run_end(const struct builder *b, size_t from)
{
    const struct mart_query *query = b->query;
    size_t to = from;
    while (to < query->n_order && !may_be_null(b, query->order[to].column) && b->after[to] != 0 &&
           query->order[to].is_descending == query->order[from].is_descending)
        to++;
    return to;
}

/* "Strictly after the last value" for one term that may be NULL. */
static void add_strictly_after(struct builder *b, size_t i)
{
    const struct order_term *term = &b->query->order[i];
    if (b->after[i] == 0) {
        if (!term->is_descending) {
            buf_add_c(&b->out, "1 = 0"); /* NULLs come last */
            return;
        }
        add_column(b, term->column);
        buf_add_c(&b->out, " IS NOT NULL");
        return;
    }
    buf_add_char(&b->out, '(');
    add_tuple_comparison(b, i, i + 1, term->is_descending ? " < " : " > ");
    if (!term->is_descending) {
        buf_add_c(&b->out, " OR ");
        add_column(b, term->column);
        buf_add_c(&b->out, " IS NULL");
    }
    buf_add_char(&b->out, ')');
}

static void add_equal(struct builder *b, size_t i)
{
    if (b->after[i] == 0) {
        add_column(b, b->query->order[i].column);
        buf_add_c(&b->out, " IS NULL");
    } else {
        add_tuple_comparison(b, i, i + 1, " = ");
    }
}

/* The rows after the last one, by the terms from i on: a > x OR (a = x AND (b > y OR (b = y AND ...))). */
static void add_after(struct builder *b)
{
    size_t n = b->query->n_order;
    size_t depth = 0;
    for (size_t i = 0; i < n;) {
        size_t to = run_end(b, i);
        bool is_run = to > i;
        if (!is_run)
            to = i + 1;
        buf_add_char(&b->out, '(');
        depth++;
        if (is_run)
            add_tuple_comparison(b, i, to, b->query->order[i].is_descending ? " < " : " > ");
        else
            add_strictly_after(b, i);
        if (to < n) {
            buf_add_c(&b->out, " OR (");
            depth++;
            if (is_run)
                add_tuple_comparison(b, i, to, " = ");
            else
                add_equal(b, i);
            buf_add_c(&b->out, " AND ");
        }
        i = to;
    }
    while (depth-- > 0)
        buf_add_char(&b->out, ')');
}

/* When a run does not reach the end, its bound stands in front once more, where an index can use it. */
static void add_paging(struct builder *b)
{
    const struct mart_query *query = b->query;
    if (query->after == NULL || query->n_order == 0)
        return;
    for (size_t i = 0; i < query->n_order; i++) {
        enum column_kind kind = column_at(b, query->order[i].column)->kind;
        b->after[i] =
            query->after[i].ptr == NULL ? 0 : new_param(b, value_param(kind, query->after[i]));
    }
    size_t to = run_end(b, 0);
    if (to > 0 && to < query->n_order) {
        buf_add_c(&b->out, " AND ");
        add_tuple_comparison(b, 0, to, query->order[0].is_descending ? " <= " : " >= ");
    }
    buf_add_c(&b->out, " AND ");
    add_after(b);
}

static void add_select(struct builder *b)
{
    const struct mart_query *query = b->query;
    buf_add_c(&b->out, "SELECT ");
    for (size_t i = 0; i < query->n_select; i++) {
        buf_add_c(&b->out, i > 0 ? ", " : "");
        add_column(b, query->select[i]);
    }
    for (size_t i = 0; i < query->n_order; i++)
        if (mart_query_order_result_column(query, i) >= query->n_select) {
            buf_add_c(&b->out, ", ");
            add_column(b, query->order[i].column);
        }
    buf_add_c(&b->out, " FROM ");
    sql_identifier(&b->out, query->mart->source_table);
}

static void add_order(struct builder *b)
{
    const struct mart_query *query = b->query;
    for (size_t i = 0; i < query->n_order; i++) {
        const struct order_term *term = &query->order[i];
        buf_add_c(&b->out, i > 0 ? ", " : " ORDER BY ");
        add_ordered(b, term->column);
        buf_add_c(&b->out, term->is_descending ? " DESC" : "");
        if (b->kind == DB_SQLITE &&
            may_be_null(b, term->column)) /* what PostgreSQL does by itself */
            buf_add_c(&b->out, term->is_descending ? " NULLS FIRST" : " NULLS LAST");
    }
}

enum status mart_sql_build(const struct mart_query *query, enum db_kind kind, struct arena *arena,
                           struct mart_sql *ret, struct err *err)
{
    size_t n_values = query->n_order + 4;
    for (size_t i = 0; i < query->n_filters; i++)
        n_values += query->filters[i].n_values;
    struct builder b = {.query = query, .kind = kind};
    buf_init(&b.out, arena, SQL_BYTES_MAX);
    b.params = arena_array(arena, n_values, sizeof *b.params);
    b.after = arena_array(arena, query->n_order + 1, sizeof *b.after);
    if (b.params == NULL || b.after == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while preparing the query.");
    add_select(&b);
    buf_add_c(&b.out, " WHERE ");
    if (query->mart->is_managed)
        buf_printf(&b.out, "gen_from <= $%zu AND gen_to > $1",
                   new_param(&b, db_i64(query->generation)));
    else
        buf_add_c(&b.out, "1 = 1");
    for (size_t i = 0; i < query->n_filters; i++) {
        buf_add_c(&b.out, " AND ");
        add_filter(&b, &query->filters[i]);
    }
    add_search(&b);
    add_paging(&b);
    add_order(&b);
    buf_printf(&b.out, " LIMIT $%zu", new_param(&b, db_i64(query->limit + 1)));
    const char *text = buf_c_str(&b.out);
    if (text == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while preparing the query.");
    *ret = (struct mart_sql){text, b.params, b.n_params};
    return STATUS_OK;
}
