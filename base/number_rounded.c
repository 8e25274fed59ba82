/* number_rounded.c - doubles with 12 digits as text. */
#include "base/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = 12 };

/* The digits of a decimal without zeros before and behind them, and the power of ten of the first one. */
struct scientific {
    char digits[NUMBER_TEXT_BYTES];
    int n, exponent;
};

/* Of what number_format writes. */
static struct scientific take_apart(struct str text)
{
    struct scientific parts = {.exponent = -1};
    bool is_behind = false;
    for (size_t i = 0; i < text.len && text.ptr[i] != 'e'; i++) {
        char c = text.ptr[i];
        bool is_leading = parts.n == 0 && c == '0';
        if (c == '.')
            is_behind = true;
        else if (is_leading)
            parts.exponent -= is_behind ? 1 : 0;
        else if (c != '-') {
            parts.digits[parts.n++] = c;
            parts.exponent += is_behind ? 0 : 1;
        }
    }
    size_t at = str_find(text, 'e', 0);
    int left = 0;
    for (size_t i = at + 2; i < text.len; i++)
        left = 10 * left + (text.ptr[i] - '0');
    if (at < text.len)
        parts.exponent += text.ptr[at + 1] == '-' ? -left : left;
    return parts;
}

static void round_off(struct scientific *parts)
{
    char *digits = parts->digits;
    int i = DIGITS - 1;
    if (parts->n <= DIGITS) {
        memset(digits + parts->n, '0', (size_t)(DIGITS - parts->n));
        return;
    }
    if (digits[DIGITS] < '5')
        return;
    for (; i >= 0 && digits[i] == '9'; i--)
        digits[i] = '0';
    if (i >= 0) {
        digits[i]++;
    } else {
        digits[0] = '1';
        parts->exponent++;
    }
}

/*
 * The shortest decimal of a double is on the same side of every decimal of 13 digits as the double is: one in between
 * would be shorter. So it rounds to the same 12 digits, unless it is such a decimal itself, half way between two, or
 * subnormal: those have fewer than 12.
 */
size_t number_format_rounded(double value, char ret[NUMBER_TEXT_BYTES])
{
    char text[NUMBER_TEXT_BYTES];
    struct str shortest = {text, number_format(value, text)};
    struct scientific parts = take_apart(shortest);
    bool is_half_way = parts.n == DIGITS + 1 && parts.digits[DIGITS] == '5';
    if (is_half_way || (parts.n > 0 && fabs(value) < DBL_MIN))
        return (size_t)snprintf(ret, NUMBER_TEXT_BYTES, "%.11e", value);
    if (parts.n == 0)
        parts.exponent = 0;
    round_off(&parts);
    char *to = ret;
    if (text[0] == '-')
        *to++ = '-';
    to[0] = parts.digits[0];
    to[1] = '.';
    memcpy(to + 2, parts.digits + 1, DIGITS - 1);
    to += 1 + DIGITS;
    int exponent = parts.exponent < 0 ? -parts.exponent : parts.exponent;
    *to++ = 'e';
    *to++ = parts.exponent < 0 ? '-' : '+';
    if (exponent >= 100)
        *to++ = (char)('0' + exponent / 100);
    *to++ = (char)('0' + exponent / 10 % 10);
    *to++ = (char)('0' + exponent % 10);
    *to = '\0';
    return (size_t)(to - ret);
}
