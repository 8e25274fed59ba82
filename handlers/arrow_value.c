/* arrow_value.c - decimals, dates and instants of the database as Arrow's integers. */
#include "handlers/arrow_value.h"

#include "base/date.h"

#include <string.h>

static bool read_decimal(struct str text, u128 *ret)
{
    u128 value = 0;
    size_t from = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
    size_t point = str_find(text, '.', from);
    size_t n_fraction = point == text.len ? 0 : text.len - point - 1;
    if (point - from > ARROW_DECIMAL_DIGITS - ARROW_DECIMAL_SCALE ||
        n_fraction > ARROW_DECIMAL_SCALE)
        return false;
    for (size_t i = from; i < text.len; i++) {
        if (i == point)
            continue;
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    for (size_t i = n_fraction; i < ARROW_DECIMAL_SCALE; i++)
        value *= 10;
    *ret = from == 1 ? -value : value;
    return true;
}

static bool read_digits(struct str text, size_t at, size_t n, int *ret)
{
    *ret = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= text.len || text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *ret = *ret * 10 + (text.ptr[i] - '0');
    }
    return true;
}

/* Any YYYY-MM-DD: what the database holds may lie outside the dates that this server takes as parameters. */
static bool read_date(struct str text, int32_t *ret)
{
    struct civil c;
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' ||
        !read_digits(text, 0, 4, &c.year) || !read_digits(text, 5, 2, &c.month) ||
        !read_digits(text, 8, 2, &c.day) || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > date_days_in_month(c.year, c.month))
        return false;
    *ret = date_from_civil(c);
    return true;
}

/* YYYY-MM-DDTHH:MM:SS[.ffffff]Z as microseconds. */
static bool read_instant(struct str text, int64_t *ret)
{
    enum { SECONDS_END = 19, MICRO_DIGITS = 6 };
    int32_t date;
    int hour, minute, second, micros = 0;
    if (text.len < SECONDS_END + 1 || text.ptr[text.len - 1] != 'Z' ||
        !read_date(str_sub(text, 0, 10), &date) || !read_digits(text, 11, 2, &hour) ||
        !read_digits(text, 14, 2, &minute) || !read_digits(text, 17, 2, &second))
        return false;
    size_t n = text.len - 1 - SECONDS_END;
    if (n > 0) {
        n--; /* the point */
        if (text.ptr[SECONDS_END] != '.' || n > MICRO_DIGITS ||
            !read_digits(text, SECONDS_END + 1, n, &micros))
            return false;
    }
    for (; n < MICRO_DIGITS; n++)
        micros *= 10;
    *ret = ((int64_t)date * 86400 + hour * 3600 + minute * 60 + second) * 1000000 + micros;
    return true;
}

bool arrow_read_value(enum arrow_type type, struct str text, u128 *ret)
{
    int64_t integer = 0;
    int32_t date = 0;
    double real = 0;
    uint64_t bits;
    switch (type) {
    case ARROW_DECIMAL:
        return read_decimal(text, ret);
    case ARROW_INT64:
        if (!str_to_i64(text, &integer))
            return false;
        break;
    case ARROW_FLOAT64:
        if (!str_to_f64(text, &real))
            return false;
        memcpy(&bits, &real, sizeof bits);
        *ret = bits;
        return true;
    case ARROW_DATE:
        if (!read_date(text, &date))
            return false;
        integer = date;
        break;
    case ARROW_INSTANT:
        if (!read_instant(text, &integer))
            return false;
        break;
    case ARROW_BOOL:
    case ARROW_UTF8:
        break;
    }
    *ret = (uint64_t)integer;
    return true;
}
