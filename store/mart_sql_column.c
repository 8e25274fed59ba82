/*
 * mart_sql_column.c - columns and parameters in SQL. Identifiers come from the catalogue and are quoted.
 */
#include "store/mart_sql_impl.h"

void sql_identifier(struct buf *out, struct str name)
{
    buf_add_char(out, '"');
    for (size_t quote; (quote = str_find(name, '"', 0)) < name.len;) {
        buf_add(out, str_sub(name, 0, quote + 1));
        buf_add_char(out, '"');
        name = str_sub(name, quote + 1, name.len);
    }
    buf_add(out, name);
    buf_add_char(out, '"');
}

const struct mart_column *sql_column_at(const struct builder *b, size_t column)
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

bool sql_may_be_null(const struct builder *b, size_t column)
{
    const struct mart_column *at = sql_column_at(b, column);
    return at->is_nullable || foreign_form(b, at) != NULL;
}

void sql_add_column(struct builder *b, size_t at)
{
    const struct mart_column *column = sql_column_at(b, at);
    const char *form = foreign_form(b, column);
    if (form == NULL)
        form = column->kind == COLUMN_OTHER ? "CAST(@ AS TEXT)" : "@";
    for (; *form != '\0'; form++) {
        if (*form == '@')
            sql_identifier(&b->out, column->source.ptr != NULL ? column->source : column->name);
        else
            buf_add_char(&b->out, *form);
    }
}

void sql_add_collation(struct builder *b, size_t at)
{
    enum column_kind kind = sql_column_at(b, at)->kind;
    bool is_foreign_text =
        kind == COLUMN_OTHER || (kind == COLUMN_TEXT && !b->query->mart->is_managed);
    if (kind == COLUMN_DECIMAL && b->kind == DB_SQLITE)
        buf_add_c(&b->out, " COLLATE decimal");
    else if (is_foreign_text)
        buf_add_c(&b->out, b->kind == DB_SQLITE ? " COLLATE BINARY" : " COLLATE \"C\"");
}

void sql_add_ordered(struct builder *b, size_t at)
{
    sql_add_column(b, at);
    sql_add_collation(b, at);
}

size_t sql_new_param(struct builder *b, struct db_param param)
{
    b->params[b->n_params++] = param;
    return b->n_params;
}

/*
 * A parameter where a value of the column's kind is compared. PostgreSQL takes an untyped one to be of the
 * column's type, which is right for dates and both kinds of timestamp, but must not narrow numbers.
 */
void sql_add_placeholder(struct builder *b, enum column_kind kind, size_t number)
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
