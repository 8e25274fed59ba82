/*
 * db_pg_copy_values.c - COPY FROM STDIN (FORMAT binary): rows of typed values. Formats: PostgreSQL's manual on COPY, and the
 * receive functions of its types (numeric_recv, date_recv, timestamptz_recv): all integers big-endian.
 */
#include "store/db_pg.h"

#include "base/date.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DAYS_TO_2000 = 10957, /* PostgreSQL counts days and microseconds from 2000-01-01 */
    SECONDS_PER_DAY = 86400,
    FRACTION_AT = 20, /* "YYYY-MM-DDTHH:MM:SS.123456" */
    LENGTH_BYTES = 4,
    FIXED_BYTES = LENGTH_BYTES + 8, /* of a field that is no text, at most */
    GROUP_DIGITS = 4,               /* numeric has digits of base 10,000 */
    NUMERIC_HEAD = 8,
    NUMERIC_NEGATIVE = 0x4000
};

static char *put(char *to, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(value >> 8 * (n - 1 - i));
    return to + n;
}

static char *put_null(char *to)
{
    return put(to, UINT32_MAX, LENGTH_BYTES);
}

static char *put_text(char *to, struct str text)
{
    to = put(to, text.len, LENGTH_BYTES);
    memcpy(to, text.ptr, text.len);
    return to + text.len;
}

/* What a decimal's text consists of. */
struct decimal {
    bool is_negative;
    struct str whole, fraction; /* digits */
};

static bool split_decimal(struct str text, struct decimal *ret)
{
    size_t at = text.len > 0 && text.ptr[0] == '-' ? 1 : 0, dot = at;
    while (dot < text.len && text.ptr[dot] != '.')
        dot++;
    *ret = (struct decimal){at == 1, str_sub(text, at, dot),
                            dot < text.len ? str_sub(text, dot + 1, text.len) : STR("")};
    if (ret->whole.len == 0)
        return false;
    for (size_t i = at; i < text.len; i++)
        if (i != dot && (text.ptr[i] < '0' || text.ptr[i] > '9'))
            return false;
    return true;
}

/* Digit i of base 10,000 of the n that the whole part has, and then of the fraction's. */
static unsigned group_of(const struct decimal *d, size_t n, size_t i)
{
    unsigned value = 0;
    for (size_t k = 0; k < GROUP_DIGITS; k++) {
        size_t at = GROUP_DIGITS * i + k;             /* from the first group's begin */
        size_t pad = GROUP_DIGITS * n - d->whole.len; /* zeros before the whole part */
        bool is_whole = i < n;
        size_t place = is_whole ? at - pad : at - GROUP_DIGITS * n;
        struct str digits = is_whole ? d->whole : d->fraction;
        bool is_there = (!is_whole || at >= pad) && place < digits.len;
        value = 10 * value + (is_there ? (unsigned)(digits.ptr[place] - '0') : 0);
    }
    return value;
}

/* NULL for what is no decimal. */
static char *put_decimal(char *to, struct str text)
{
    struct decimal d;
    if (!split_decimal(text, &d))
        return NULL;
    size_t n = (d.whole.len + GROUP_DIGITS - 1) / GROUP_DIGITS;
    size_t end = n + (d.fraction.len + GROUP_DIGITS - 1) / GROUP_DIGITS, first = 0;
    while (first < end && group_of(&d, n, first) == 0)
        first++;
    while (end > first && group_of(&d, n, end - 1) == 0)
        end--;
    bool is_zero = first == end;
    to = put(to, NUMERIC_HEAD + 2 * (end - first), LENGTH_BYTES);
    to = put(to, end - first, 2);
    to = put(to, is_zero ? 0 : n - 1 - first,
             2); /* the weight of the first digit; wraps where it is negative */
    to = put(to, d.is_negative && !is_zero ? NUMERIC_NEGATIVE : 0, 2);
    to = put(to, d.fraction.len, 2);
    for (size_t i = first; i < end; i++)
        to = put(to, group_of(&d, n, i), 2);
    return to;
}

static char *put_instant(char *to, struct str text)
{
    int64_t seconds = 0, micros = 0, unit = 1000000;
    if (!instant_parse(text, &seconds))
        return NULL;
    bool has_fraction = text.len > FRACTION_AT && text.ptr[FRACTION_AT - 1] == '.';
    for (size_t i = FRACTION_AT; has_fraction && i < text.len && unit > 1; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            break;
        unit /= 10;
        micros += unit * (text.ptr[i] - '0');
    }
    seconds -= (int64_t)DAYS_TO_2000 * SECONDS_PER_DAY;
    return put(put(to, 8, LENGTH_BYTES), (uint64_t)(seconds * 1000000 + micros), 8);
}

static char *put_number(char *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return isfinite(value) ? put(put(to, sizeof bits, LENGTH_BYTES), bits, sizeof bits)
                           : put_null(to);
}

/* NULL for what is not of the type. */
static char *put_value(char *to, enum db_type type, const union db_value *value)
{
    if (db_type_is_text(type) && value->text.ptr == NULL)
        return put_null(to);
    switch (type) {
    case DB_TYPE_TEXT:
        return put_text(to, value->text);
    case DB_TYPE_DECIMAL:
        return put_decimal(to, value->text);
    case DB_TYPE_INSTANT:
        return put_instant(to, value->text);
    case DB_TYPE_DATE:
        return put(put(to, 4, LENGTH_BYTES), (uint64_t)(value->i64 - DAYS_TO_2000), 4);
    case DB_TYPE_BOOL:
        return put(put(to, 1, LENGTH_BYTES), value->i64 != 0, 1);
    case DB_TYPE_I64:
        return put(put(to, 8, LENGTH_BYTES), (uint64_t)value->i64, 8);
    case DB_TYPE_F64:
        break;
    }
    return put_number(to, value->f64);
}

enum status pg_copy_values_begin(struct db *db, const char *table, const char *const *columns,
                                 size_t n_columns, struct err *err)
{
    /* The signature, no flags, nothing more in the header. */
    static const char header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    enum status s = pg_copy_in_start(db, table, columns, n_columns, " (FORMAT binary)", err);
    if (s != STATUS_OK)
        return s;
    ((struct pg_wire *)db->conn)->is_copy_of_values = true;
    s = pg_copy_in_put(db, header, sizeof header, err);
    if (s != STATUS_OK)
        pg_copy_abort(db);
    return s;
}

/* A decimal has at most two bytes for each of its characters, and a head. */
static size_t bytes_at_most(const struct db *db, const union db_value *values)
{
    size_t n = 2;
    for (size_t i = 0; i < db->n_copy_columns; i++)
        n += FIXED_BYTES + NUMERIC_HEAD +
             (db_type_is_text(db->copy_columns[i].type) ? 2 * values[i].text.len : 0);
    return n;
}

enum status pg_copy_values(struct db *db, const union db_value *values, struct err *err)
{
    enum status s = pg_copy_line_room(db, bytes_at_most(db, values), err);
    if (s != STATUS_OK)
        return s;
    char *line = ((struct pg_wire *)db->conn)->copy_line;
    char *end = put(line, db->n_copy_columns, 2);
    for (size_t i = 0; i < db->n_copy_columns; i++) {
        end = put_value(end, db->copy_columns[i].type, &values[i]);
        if (end == NULL)
            return err_set(err, STATUS_BAD_DATA, "\"%.*s\" is not what %s takes.",
                           STR_ARG(values[i].text), db->copy_columns[i].name);
    }
    return pg_copy_in_put(db, line, (size_t)(end - line), err);
}
