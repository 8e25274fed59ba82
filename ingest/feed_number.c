/* feed_number.c - a number is taken apart into digits and the place of its point, then written again in one spelling. */
#include "ingest/feed_number.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPONENT_MAX = 60 };

/* value = 0.d1 d2 d3 ... x 10^point; no leading zeros. */
struct digits {
    char digit[FEED_DIGITS_MAX];
    int n, point;
    bool is_negative;
};

static bool is_null(struct str text)
{
    static const char *const tokens[] = {"", "-", ".", "n/a", "na", "null", "nan"};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        if (str_eq_nocase(text, str_of(tokens[i])))
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* False when there are too many digits to keep; zeros behind the last other digit do not count. */
static bool add_digit(struct digits *d, char c, int *zeros, bool is_whole)
{
    if (d->n == 0 && c == '0') {
        d->point -= is_whole ? 0 : 1;
        return true;
    }
    if (is_whole)
        d->point++;
    if (c == '0') {
        (*zeros)++;
        return true;
    }
    if (d->n + *zeros + 1 > FEED_DIGITS_MAX)
        return false;
    for (; *zeros > 0; (*zeros)--)
        d->digit[d->n++] = '0';
    d->digit[d->n++] = c;
    return true;
}

/* Digits before the point; commas only where groups of three are. */
static bool read_whole(struct str text, size_t *at, struct digits *d, int *zeros)
{
    size_t group = 0;
    bool is_grouped = false;
    for (; *at < text.len; (*at)++) {
        char c = text.ptr[*at];
        if (c == ',') {
            if (group == 0 || group > 3 || (is_grouped && group != 3))
                return false;
            is_grouped = true;
            group = 0;
        } else if (is_digit(c)) {
            group++;
            if (!add_digit(d, c, zeros, true))
                return false;
        } else {
            break;
        }
    }
    return !is_grouped || group == 3;
}

static bool read_exponent(struct str text, size_t *at, struct digits *d)
{
    if (*at == text.len || (text.ptr[*at] != 'e' && text.ptr[*at] != 'E'))
        return true;
    size_t end = *at + 1;
    if (end < text.len && (text.ptr[end] == '+' || text.ptr[end] == '-'))
        end++;
    size_t from = *at + 1 + (text.ptr[*at + 1 < text.len ? *at + 1 : *at] == '+' ? 1 : 0);
    while (end < text.len && is_digit(text.ptr[end]))
        end++;
    int64_t exponent = 0;
    if (!str_to_i64(str_sub(text, from, end), &exponent) || exponent < -EXPONENT_MAX ||
        exponent > EXPONENT_MAX)
        return false;
    d->point += (int)exponent;
    *at = end;
    return true;
}

static bool read_unit(struct str text, size_t *at, struct digits *d)
{
    static const struct {
        char upper, lower;
        int power;
    } units[] = {{'K', 'k', 3}, {'M', 'm', 6}, {'B', 'b', 9}, {'T', 't', 12}, {'%', '%', 0}};
    if (*at == text.len)
        return true;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (text.ptr[*at] == units[i].upper || text.ptr[*at] == units[i].lower) {
            d->point += units[i].power;
            (*at)++;
            return true;
        }
    return true;
}

static bool read_digits(struct str text, struct digits *ret)
{
    size_t at = 0;
    int zeros = 0;
    if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+')) {
        ret->is_negative = text.ptr[at] == '-';
        at++;
    }
    size_t first = at;
    if (!read_whole(text, &at, ret, &zeros))
        return false;
    size_t n_digits = at - first;
    if (at < text.len && text.ptr[at] == '.')
        for (at++; at < text.len && is_digit(text.ptr[at]); at++, n_digits++)
            if (!add_digit(ret, text.ptr[at], &zeros, false))
                return false;
    return n_digits > 0 && read_exponent(text, &at, ret) && read_unit(text, &at, ret) &&
           at == text.len;
}

/* Without digits beyond FEED_DIGITS_MAX, zeros that only hold a place included. */
static bool write_digits(const struct digits *d, char *room, struct str *ret)
{
    if (d->n == 0) {
        room[0] = '0';
        *ret = (struct str){room, 1};
        return true;
    }
    int whole = d->point > 0 ? d->point : 0;
    int fraction = d->n > d->point ? d->n - d->point : 0;
    if (whole + fraction > FEED_DIGITS_MAX)
        return false;
    size_t len = 0;
    if (d->is_negative)
        room[len++] = '-';
    if (whole == 0)
        room[len++] = '0';
    for (int i = 0; i < whole; i++)
        room[len++] = i < d->n ? d->digit[i] : '0';
    if (fraction > 0)
        room[len++] = '.';
    for (int i = whole; i < whole + fraction; i++) {
        int at = d->point > 0 ? i : i + d->point;
        room[len++] = at >= 0 ? d->digit[at] : '0';
    }
    *ret = (struct str){room, len};
    return true;
}

enum feed_reading feed_number(struct str text, char room[FEED_NUMBER_BYTES], struct str *ret)
{
    struct digits digits = {0};
    text = str_trim(text);
    if (is_null(text))
        return FEED_NULL;
    return read_digits(text, &digits) && write_digits(&digits, room, ret) ? FEED_VALUE : FEED_BAD;
}

enum feed_reading feed_double(double value, char room[FEED_NUMBER_BYTES], struct str *ret)
{
    char text[FEED_NUMBER_BYTES];
    if (isnan(value))
        return FEED_NULL;
    if (isinf(value))
        return FEED_BAD;
    bool is_float = number_is_same((double)(float)value, value);
    for (int n = is_float ? 6 : 15;; n++) {
        (void)snprintf(text, sizeof text, "%.*g", n, value);
        if (!is_float || n >= 9 || number_is_same((double)strtof(text, NULL), value))
            break;
    }
    return feed_number(str_of(text), room, ret);
}
