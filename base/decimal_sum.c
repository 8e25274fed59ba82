/* decimal_sum.c - sums and differences of decimal text, digit by digit: exact, whatever the length. */
#include "base/number.h"

#include <string.h>

enum { DIGITS = 2 * DECIMAL_PART_MAX + 1 }; /* one more in front for the carry */

/* Adds sign * text to digit[], whose decimal point lies before digit[DECIMAL_PART_MAX + 1]. */
static bool accumulate(int digit[DIGITS], struct str text, int sign)
{
    size_t from = 0;
    if (text.len > 0 && text.ptr[0] == '-') {
        sign = -sign;
        from = 1;
    }
    size_t point = str_find(text, '.', from);
    size_t n_fraction = point < text.len ? text.len - point - 1 : 0;
    if (point - from > DECIMAL_PART_MAX || n_fraction > DECIMAL_PART_MAX)
        return false;
    size_t at = DECIMAL_PART_MAX + 1 - (point - from);
    for (size_t i = from; i < text.len; i++)
        if (i != point)
            digit[at++] += sign * (text.ptr[i] - '0');
    return true;
}

/* Every digit to 0..9, or to -9..0 when the whole is negative and is_negative turns the signs. */
static void carry(int digit[DIGITS])
{
    for (size_t i = DIGITS - 1; i > 0; i--)
        while (digit[i] < 0 || digit[i] > 9) {
            int step = digit[i] < 0 ? -1 : 1;
            digit[i] -= 10 * step;
            digit[i - 1] += step;
        }
}

static bool is_below_zero(const int digit[DIGITS])
{
    size_t i = 0;
    while (i < DIGITS - 1 && digit[i] == 0)
        i++;
    return digit[i] < 0;
}

static struct str combine(struct str a, struct str b, int sign_b, char room[DECIMAL_ROOM_BYTES])
{
    int digit[DIGITS] = {0};
    if (!accumulate(digit, a, 1) || !accumulate(digit, b, sign_b))
        return STR_NONE;
    carry(digit); /* leaves a negative whole as a negative first digit */
    bool is_negative = is_below_zero(digit);
    if (is_negative) {
        for (size_t i = 0; i < DIGITS; i++)
            digit[i] = -digit[i];
        carry(digit);
    }
    if (digit[0] != 0)
        return STR_NONE;
    char text[DECIMAL_ROOM_BYTES];
    size_t len = 0;
    if (is_negative)
        text[len++] = '-';
    for (size_t i = 1; i < DIGITS; i++) {
        if (i == DECIMAL_PART_MAX + 1)
            text[len++] = '.';
        text[len++] = (char)('0' + digit[i]);
    }
    return decimal_canonical((struct str){text, len}, room);
}

struct str decimal_add(struct str a, struct str b, char room[DECIMAL_ROOM_BYTES])
{
    return combine(a, b, 1, room);
}

struct str decimal_subtract(struct str a, struct str b, char room[DECIMAL_ROOM_BYTES])
{
    return combine(a, b, -1, room);
}
