/* value.c - checks and spellings by column kind; the query parser and publishing share them. */
#include "store/value.h"

#include "base/date.h"
#include "base/number.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)VALUE_ROOM_BYTES >= (int)NUMBER_TEXT_BYTES, "a double must fit into the room");
_Static_assert((int)VALUE_ROOM_BYTES >= 45, "a decimal of 38 digits must fit into the room");

/* What each kind takes, for messages; indexed by kind. */
static const char *const allowed_by_kind[] = {
    [COLUMN_TEXT] = "text in UTF-8",
    [COLUMN_INT] = "an integer of 64 bits",
    [COLUMN_DECIMAL] = "a decimal number of at most 38 digits, such as -12.5",
    [COLUMN_FLOAT] = "a number, such as 1.5 or 1e-7",
    [COLUMN_BOOL] = "true or false",
    [COLUMN_DATE] = "a date YYYY-MM-DD from 1900-01-01 to 2199-12-31",
    [COLUMN_INSTANT] =
        "an instant YYYY-MM-DDTHH:MM:SSZ, in a filter also with an offset as %2B09:00",
    [COLUMN_OTHER] = "text in UTF-8",
};

static bool is_text(struct str value, size_t max_bytes)
{
    return value.len <= max_bytes &&
           (value.len == 0 || memchr(value.ptr, '\0', value.len) == NULL) && str_is_utf8(value);
}

static bool is_of_kind(enum column_kind kind, struct str value, size_t max_bytes)
{
    int64_t integer;
    int32_t date;
    double real;
    switch (kind) {
    case COLUMN_INT:
        return str_to_i64(value, &integer);
    case COLUMN_DECIMAL:
        return decimal_is_valid(value);
    case COLUMN_FLOAT:
        return str_to_f64(value, &real);
    case COLUMN_BOOL:
        return str_eq_c(value, "true") || str_eq_c(value, "false");
    case COLUMN_DATE:
        return date_parse(value, &date);
    case COLUMN_INSTANT:
        return value.len < VALUE_ROOM_BYTES && instant_parse(value, &integer);
    case COLUMN_TEXT:
    case COLUMN_OTHER:
        break;
    }
    return is_text(value, max_bytes);
}

enum status value_check(const struct mart_column *column, struct str value, size_t max_bytes,
                        struct err *err)
{
    return is_of_kind(column->kind, value, max_bytes) ? STATUS_OK
                                                      : value_refuse(column, value, max_bytes, err);
}

enum status value_refuse(const struct mart_column *column, struct str value, size_t max_bytes,
                         struct err *err)
{
    bool is_textual = column->kind == COLUMN_TEXT || column->kind == COLUMN_OTHER;
    bool is_long = is_textual && value.len > max_bytes;
    enum status s =
        err_set(err, STATUS_BAD_VALUE, "Column \"%.*s\" needs %s.", STR_ARG(column->name),
                is_long ? "a shorter text" : allowed_by_kind[column->kind]);
    err_at(err, ERR_PARAMETER, column->name, str_is_utf8(value) ? value : STR("(not UTF-8)"));
    if (is_textual)
        err_allow(err, "%s, at most %zu bytes, without NUL", allowed_by_kind[column->kind],
                  max_bytes);
    else
        err_allow(err, "%s", allowed_by_kind[column->kind]);
    return s;
}

bool value_can_follow(enum column_kind kind, struct str value)
{
    bool is_bound_by_type = kind == COLUMN_INT || kind == COLUMN_FLOAT || kind == COLUMN_BOOL;
    if (is_bound_by_type)
        return is_of_kind(kind, value, VALUE_AFTER_BYTES_MAX);
    return value.len <= VALUE_AFTER_BYTES_MAX &&
           (value.len == 0 || memchr(value.ptr, '\0', value.len) == NULL);
}

struct str value_canonical(enum column_kind kind, struct str value, char room[VALUE_ROOM_BYTES])
{
    int64_t integer = 0;
    double real = 0;
    switch (kind) {
    case COLUMN_DECIMAL:
        assert(value.len + 2 <= VALUE_ROOM_BYTES);
        return decimal_canonical(value, room);
    case COLUMN_INT:
        if (!str_to_i64(value, &integer))
            return value;
        (void)snprintf(room, VALUE_ROOM_BYTES, "%lld", (long long)integer);
        return str_of(room);
    case COLUMN_FLOAT:
        if (!str_to_f64(value, &real))
            return value;
        return (struct str){room, number_format(real, room)};
    case COLUMN_INSTANT:
        if (!instant_parse(value, &integer))
            return value;
        instant_format(integer, room);
        return str_of(room);
    case COLUMN_BOOL:
    case COLUMN_DATE:
    case COLUMN_TEXT:
    case COLUMN_OTHER:
        break;
    }
    return value;
}

struct db_param value_param(enum column_kind kind, struct str value)
{
    int64_t integer = 0;
    double real = 0;
    switch (kind) {
    case COLUMN_INT:
        return str_to_i64(value, &integer) ? db_i64(integer) : db_text(value);
    case COLUMN_FLOAT:
        return str_to_f64(value, &real) ? db_f64(real) : db_text(value);
    case COLUMN_BOOL:
        return db_bool(str_eq_c(value, "true"));
    case COLUMN_DECIMAL:
    case COLUMN_DATE:
    case COLUMN_INSTANT:
    case COLUMN_TEXT:
    case COLUMN_OTHER:
        break;
    }
    return db_text(value);
}
