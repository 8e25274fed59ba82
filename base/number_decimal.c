/* number_decimal.c - decimals as databases store them: checked, spelled one way, compared. */
#include "base/number.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

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

size_t decimal_format(double value, char ret[DECIMAL_TEXT_BYTES])
{
    char text[32];
    enum { DIGITS = 15 };
    assert(value > -1e22 && value < 1e22);
    (void)snprintf(text, sizeof text, "%.*e", DIGITS - 1, value); /* -1.23456789012345e-05 */
    const char *at = text[0] == '-' ? text + 1 : text;
    char digits[DIGITS + 1];
    digits[0] = at[0];
    memcpy(digits + 1, at + 2, DIGITS - 1);
    digits[DIGITS] = '\0';
    int64_t exponent = 0;
    struct str power = str_of(at + DIGITS + 2);
    (void)str_to_i64(power.ptr[0] == '+' ? str_sub(power, 1, power.len) : power, &exponent);
    int n_digits = DIGITS;
    while (n_digits > 1 && digits[n_digits - 1] == '0')
        n_digits--;
    size_t n = 0;
    if (exponent < -30 || (n_digits == 1 && digits[0] == '0')) {
        ret[0] = '0';
        ret[1] = '\0';
        return 1;
    }
    if (text[0] == '-')
        ret[n++] = '-';
    int at_digit = 0;
    if (exponent < 0)
        ret[n++] = '0';
    for (; at_digit <= exponent; at_digit++)
        ret[n++] = at_digit < n_digits ? digits[at_digit] : '0';
    if (at_digit < n_digits)
        ret[n++] = '.';
    for (int64_t i = -1; i > exponent; i--)
        ret[n++] = '0';
    for (; at_digit < n_digits; at_digit++)
        ret[n++] = digits[at_digit];
    ret[n] = '\0';
    return n;
}
