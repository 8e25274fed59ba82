/* db_values.c - bulk inserts of values by the types of their columns; as text where a back end has nothing better. */
#include "store/db_impl.h"

#include "base/date.h"
#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

bool db_type_is_text(enum db_type type)
{
    return type == DB_TYPE_TEXT || type == DB_TYPE_DECIMAL || type == DB_TYPE_INSTANT;
}

static struct str text_of(enum db_type type, const union db_value *value,
                          char room[NUMBER_TEXT_BYTES])
{
    switch (type) {
    case DB_TYPE_TEXT:
    case DB_TYPE_DECIMAL:
    case DB_TYPE_INSTANT:
        return value->text;
    case DB_TYPE_DATE:
        date_format((int32_t)value->i64, room);
        return str_of(room);
    case DB_TYPE_BOOL:
        return value->i64 != 0 ? STR("1") : STR("0");
    case DB_TYPE_I64:
        (void)snprintf(room, NUMBER_TEXT_BYTES, "%lld", (long long)value->i64);
        return str_of(room);
    case DB_TYPE_F64:
        break;
    }
    return isfinite(value->f64) ? (struct str){room, number_format(value->f64, room)} : STR_NONE;
}

enum status db_copy_values_begin(struct db *db, const char *table, const struct db_column *columns,
                                 size_t n_columns, struct err *err)
{
    const char *names[DB_COPY_COLUMNS_MAX];
    assert(db->n_rows == 0 && !db->is_copying && n_columns <= DB_COPY_COLUMNS_MAX);
    for (size_t i = 0; i < n_columns; i++)
        names[i] = columns[i].name;
    db->copy_bad_row = 0;
    db->copy_columns = columns;
    db->n_copy_columns = n_columns;
    enum status s = db->backend->copy_values_begin != NULL
                        ? db->backend->copy_values_begin(db, table, names, n_columns, err)
                        : db->backend->copy_begin(db, table, names, n_columns, err);
    db->is_copying = s == STATUS_OK;
    return s;
}

enum status db_copy_values(struct db *db, const union db_value *values, struct err *err)
{
    struct str fields[DB_COPY_COLUMNS_MAX];
    char rooms[DB_COPY_COLUMNS_MAX][NUMBER_TEXT_BYTES];
    assert(db->is_copying);
    db->n_copied++;
    if (db->backend->copy_values != NULL)
        return db->backend->copy_values(db, values, err);
    for (size_t i = 0; i < db->n_copy_columns; i++)
        fields[i] = text_of(db->copy_columns[i].type, &values[i], rooms[i]);
    return db->backend->copy_row(db, fields, err);
}
