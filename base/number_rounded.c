/* number_rounded.c - doubles with 12 digits as text. */
#include "base/number.h"
#include "base/number_digits.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { DIGITS = 12 };

/* digits has 12 of them. */
static size_t put_scientific(bool is_negative, uint64_t digits, int exponent, char *ret)
{
    sixteen_bytes text = sixteen_digits(digits * powers_of_ten[SIXTEEN - DIGITS]) | '0';
    unsigned left = (unsigned)(exponent < 0 ? -exponent : exponent);
    char *to = ret;
    if (is_negative)
        *to++ = '-';
    memcpy(to + 1, &text, sizeof text);
    to[0] = (char)text[0];
    to[1] = '.';
    to += 1 + DIGITS;
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    if (left >= 100)
        *to++ = (char)('0' + left / 100);
    *to++ = (char)('0' + left / 10 % 10);
    *to++ = (char)('0' + left % 10);
    *to = '\0';
    return (size_t)(to - ret);
}

/*
 * The shortest decimal of a double is on the same side of every decimal of 13 digits as the double is: one in between
 * would be shorter. So it rounds to the same 12 digits, unless it is such a decimal itself, half way between two, or
 * subnormal: those have fewer than 12.
 */
size_t number_format_rounded(double value, char ret[NUMBER_TEXT_BYTES])
{
    if (!(fabs(value) > 0))
        return put_scientific(false, 0, 0, ret);
    struct shortest shortest = number_shortest(value);
    int n = count_digits(shortest.digits), exponent = shortest.exponent + n - 1;
    uint64_t digits = shortest.digits, unit = n > DIGITS ? powers_of_ten[n - DIGITS] : 1;
    uint64_t rest = digits % unit;
    if (2 * rest == unit || fabs(value) < DBL_MIN)
        return (size_t)snprintf(ret, NUMBER_TEXT_BYTES, "%.11e", value);
    digits =
        n > DIGITS ? digits / unit + (2 * rest > unit ? 1 : 0) : digits * powers_of_ten[DIGITS - n];
    if (digits == powers_of_ten[DIGITS]) {
        digits /= 10;
        exponent++;
    }
    return put_scientific(value < 0, digits, exponent, ret);
}
