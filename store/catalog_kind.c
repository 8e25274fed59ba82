/* catalog_kind.c - what a column holds, told from the type's name in each database. */
#include "store/catalog_impl.h"

static enum column_kind kind_pg(struct str type)
{
    if (str_eq(type, STR("text")) || str_starts(type, STR("character")))
        return COLUMN_TEXT;
    if (str_eq(type, STR("bigint")) || str_eq(type, STR("integer")) ||
        str_eq(type, STR("smallint")))
        return COLUMN_INT;
    if (str_starts(type, STR("numeric")) && type.ptr[type.len - 1] != ']')
        return COLUMN_DECIMAL;
    if (str_eq(type, STR("double precision")) || str_eq(type, STR("real")))
        return COLUMN_FLOAT;
    if (str_eq(type, STR("boolean")))
        return COLUMN_BOOL;
    if (str_eq(type, STR("date")))
        return COLUMN_DATE;
    return str_starts(type, STR("timestamp")) && type.ptr[type.len - 1] != ']' ? COLUMN_INSTANT
                                                                               : COLUMN_OTHER;
}

/* SQLite lets any name stand as a type; these are the common ones, everything else is served as text. */
static enum column_kind kind_sqlite(struct str type)
{
    static const struct {
        const char *name;
        enum column_kind kind;
    } known[] = {
        {"DECIMAL_TEXT", COLUMN_DECIMAL},
        {"DATE_TEXT", COLUMN_DATE},
        {"INSTANT_TEXT", COLUMN_INSTANT},
        {"TEXT", COLUMN_TEXT},
        {"BIGINT", COLUMN_INT},
        {"INTEGER", COLUMN_INT},
        {"INT", COLUMN_INT},
        {"SMALLINT", COLUMN_INT},
        {"BOOLEAN", COLUMN_BOOL},
        {"BOOL", COLUMN_BOOL},
        {"REAL", COLUMN_FLOAT},
        {"DOUBLE", COLUMN_FLOAT},
        {"DOUBLE PRECISION", COLUMN_FLOAT},
        {"FLOAT", COLUMN_FLOAT},
        {"DATE", COLUMN_DATE},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq_nocase(type, str_of(known[i].name)))
            return known[i].kind;
    struct str base = str_sub(type, 0, str_find(type, '(', 0));
    if (str_eq_nocase(base, STR("VARCHAR")) || str_eq_nocase(base, STR("CHAR")))
        return COLUMN_TEXT;
    if (str_eq_nocase(base, STR("NUMERIC")) || str_eq_nocase(base, STR("DECIMAL")))
        return COLUMN_FLOAT;
    return COLUMN_OTHER;
}

enum column_kind catalog_column_kind(enum db_kind kind, struct str type)
{
    return kind == DB_SQLITE ? kind_sqlite(type) : kind_pg(type);
}
