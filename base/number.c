/* number.c - shortest doubles and exact decimals as text. */
#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Integers below 2^53 print by division: most prices in won, volumes and counts take this path. */
static size_t format_integer(double value, char ret[NUMBER_TEXT_BYTES])
{
    char digits[NUMBER_TEXT_BYTES];
    size_t n = 0;
    uint64_t left = (uint64_t)fabs(value);
    do {
        digits[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    size_t len = 0;
    if (value < 0)
        ret[len++] = '-';
    while (n > 0)
        ret[len++] = digits[--n];
    ret[len] = '\0';
    return len;
}

size_t number_format(double value, char ret[NUMBER_TEXT_BYTES])
{
    assert(isfinite(value));
    if (fabs(value) < 9007199254740992.0 && !(value < trunc(value)) && !(value > trunc(value)))
        return format_integer(value, ret); /* also turns -0 into 0 */
    for (int precision = 15; precision <= 17; precision++) {
        int n = snprintf(ret, NUMBER_TEXT_BYTES, "%.*g", precision, value);
        double back = strtod(ret, NULL);
        bool is_same =
            !(back < value) && !(back > value); /* both are finite, and zero took the other path */
        if (is_same || precision == 17)
            return (size_t)n;
    }
    return 0; /* not reached: precision 17 always returns */
}

/* A decimal split into its parts, without sign, leading and trailing zeros. */
struct parts {
    bool is_negative;
    struct str whole, fraction;
};

static struct parts split(struct str s)
{
    struct parts p = {.is_negative = s.len > 0 && s.ptr[0] == '-'};
    size_t from = p.is_negative ? 1 : 0;
    size_t point = str_find(s, '.', from);
    p.whole = str_sub(s, from, point);
    p.fraction = point == s.len ? STR("") : str_sub(s, point + 1, s.len);
    while (p.whole.len > 1 && p.whole.ptr[0] == '0')
        p.whole = str_sub(p.whole, 1, p.whole.len);
    while (p.fraction.len > 0 && p.fraction.ptr[p.fraction.len - 1] == '0')
        p.fraction.len--;
    if (p.fraction.len == 0 && str_eq(p.whole, STR("0")))
        p.is_negative = false;
    return p;
}

bool decimal_is_valid(struct str s)
{
    size_t from = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    size_t digits = 0;
    bool has_point = false;
    for (size_t i = from; i < s.len; i++) {
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
            digits++;
        else if (s.ptr[i] == '.' && !has_point && digits > 0 && i + 1 < s.len)
            has_point = true;
        else
            return false;
    }
    return digits > 0 && digits <= 38;
}

struct str decimal_canonical(struct str s, char *room)
{
    struct parts p = split(s);
    size_t len = 0;
    if (p.is_negative)
        room[len++] = '-';
    memcpy(room + len, p.whole.ptr, p.whole.len);
    len += p.whole.len;
    if (p.fraction.len > 0) {
        room[len++] = '.';
        memcpy(room + len, p.fraction.ptr, p.fraction.len);
        len += p.fraction.len;
    }
    return (struct str){room, len};
}

static int magnitude_cmp(const struct parts *a, const struct parts *b)
{
    if (a->whole.len != b->whole.len)
        return a->whole.len < b->whole.len ? -1 : 1;
    int order = str_cmp(a->whole, b->whole);
    return order != 0 ? order : str_cmp(a->fraction, b->fraction);
}

int decimal_cmp(struct str a, struct str b)
{
    struct parts pa = split(a);
    struct parts pb = split(b);
    if (pa.is_negative != pb.is_negative)
        return pa.is_negative ? -1 : 1;
    int order = magnitude_cmp(&pa, &pb);
    return pa.is_negative ? -order : order;
}
