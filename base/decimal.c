/* decimal.c - a fixed-point number of 63 digits before and 45 behind the point, in limbs of 9 digits. */
#include "base/decimal.h"

#include <string.h>

enum { LIMB = 1000000000, LIMB_DIGITS = 9, WHOLE_LIMBS = DECIMAL_LIMBS - DECIMAL_FRACTION_LIMBS };
_Static_assert((int)DECIMAL_WHOLE_MAX == (int)WHOLE_LIMBS * (int)LIMB_DIGITS, "see decimal.h");
_Static_assert((int)DECIMAL_FRACTION_MAX == (int)DECIMAL_FRACTION_LIMBS * (int)LIMB_DIGITS,
               "see decimal.h");
enum { CARRY_EVERY = 1 << 30 }; /* so many additions of less than LIMB fit into 63 bits */

/* Value of the at most nine digits s[0..len), as if it were padded to nine on the right when wanted. */
static int64_t digits_of(struct str s, bool is_padded)
{
    int64_t value = 0;
    for (size_t i = 0; i < s.len; i++)
        value = value * 10 + (s.ptr[i] - '0');
    for (size_t i = s.len; is_padded && i < LIMB_DIGITS; i++)
        value *= 10;
    return value;
}

static void carry(struct decimal_sum *sum)
{
    for (size_t i = DECIMAL_LIMBS - 1; i > 0; i--) {
        int64_t over = sum->limbs[i] / LIMB;
        sum->limbs[i] -= over * LIMB;
        sum->limbs[i - 1] += over;
    }
}

/* Whether all the digits of value have a place in the limbs. */
static bool fits(struct str value)
{
    size_t from = value.len > 0 && value.ptr[0] == '-' ? 1 : 0;
    size_t point = str_find(value, '.', from);
    return point - from <= DECIMAL_WHOLE_MAX &&
           (point == value.len || value.len - point - 1 <= DECIMAL_FRACTION_MAX);
}

/* Adds sign (1 or -1) times value to the limbs. */
static void accumulate(struct decimal_sum *sum, struct str value, int64_t sign)
{
    bool is_negative = value.len > 0 && value.ptr[0] == '-';
    size_t from = is_negative ? 1 : 0;
    size_t point = str_find(value, '.', from);
    sign = is_negative ? -sign : sign;
    size_t limb = WHOLE_LIMBS;
    for (size_t end = point; end > from && limb > 0;) {
        size_t begin = end - from > LIMB_DIGITS ? end - LIMB_DIGITS : from;
        sum->limbs[--limb] += sign * digits_of(str_sub(value, begin, end), false);
        end = begin;
    }
    limb = WHOLE_LIMBS;
    for (size_t begin = point + 1; begin < value.len && limb < DECIMAL_LIMBS;
         begin += LIMB_DIGITS) {
        size_t end = begin + LIMB_DIGITS < value.len ? begin + LIMB_DIGITS : value.len;
        sum->limbs[limb++] += sign * digits_of(str_sub(value, begin, end), true);
    }
}

void decimal_sum_add(struct decimal_sum *sum, struct str value)
{
    accumulate(sum, value, 1);
    if (++sum->n % CARRY_EVERY == 0)
        carry(sum);
}

/* The magnitude in limbs below LIMB, none of them negative; true when the sum is negative. */
static bool magnitude(const struct decimal_sum *sum, struct decimal_sum *ret)
{
    *ret = *sum;
    carry(ret);
    size_t top = 0;
    while (top < DECIMAL_LIMBS - 1 && ret->limbs[top] == 0)
        top++;
    bool is_negative = ret->limbs[top] < 0;
    for (size_t i = 0; i < DECIMAL_LIMBS && is_negative; i++)
        ret->limbs[i] = -ret->limbs[i];
    for (size_t i = DECIMAL_LIMBS - 1; i > 0; i--)
        if (ret->limbs[i] < 0) {
            ret->limbs[i] += LIMB;
            ret->limbs[i - 1]--;
        }
    return is_negative;
}

static size_t add_limb(int64_t limb, char *out)
{
    for (size_t i = LIMB_DIGITS; i > 0; i--) {
        out[i - 1] = (char)('0' + limb % 10);
        limb /= 10;
    }
    return LIMB_DIGITS;
}

static size_t text_of(const struct decimal_sum *number, bool is_negative,
                      char ret[DECIMAL_SUM_BYTES])
{
    char digits[DECIMAL_LIMBS * LIMB_DIGITS];
    size_t n = 0;
    for (size_t i = 0; i < DECIMAL_LIMBS; i++)
        n += add_limb(number->limbs[i], digits + n);
    size_t point = (size_t)WHOLE_LIMBS * LIMB_DIGITS;
    size_t from = 0;
    while (from + 1 < point && digits[from] == '0')
        from++;
    while (n > point && digits[n - 1] == '0')
        n--;
    size_t len = 0;
    bool is_zero = n == point && from + 1 == point && digits[from] == '0';
    if (is_negative && !is_zero)
        ret[len++] = '-';
    memcpy(ret + len, digits + from, point - from);
    len += point - from;
    if (n > point) {
        ret[len++] = '.';
        memcpy(ret + len, digits + point, n - point);
        len += n - point;
    }
    return len;
}

size_t decimal_sum_text(const struct decimal_sum *sum, char ret[DECIMAL_SUM_BYTES])
{
    struct decimal_sum number;
    bool is_negative = magnitude(sum, &number);
    return text_of(&number, is_negative, ret);
}

__extension__ typedef unsigned __int128 wide;

/* Schoolbook division by one word, limb by limb. What is left over is below the last limb: 33 digits below the scale. */
static void divide(struct decimal_sum *number, uint64_t by)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < DECIMAL_LIMBS; i++) {
        wide value = (wide)rest * LIMB + (uint64_t)number->limbs[i];
        number->limbs[i] = (int64_t)(value / by);
        rest = (uint64_t)(value % by);
    }
}

/* Cuts behind DECIMAL_AVERAGE_SCALE digits; a 5 or more in the first one cut counts up. */
static void round_to_scale(struct decimal_sum *number)
{
    enum {
        STEP = 1000000
    }; /* the scale ends after three of the nine digits of the second limb behind the point */
    _Static_assert((int)DECIMAL_AVERAGE_SCALE == LIMB_DIGITS + 3, "see STEP");
    int64_t *last = &number->limbs[WHOLE_LIMBS + 1];
    *last = (*last / STEP + (*last / (STEP / 10) % 10 >= 5 ? 1 : 0)) * STEP;
    for (size_t i = WHOLE_LIMBS + 2; i < DECIMAL_LIMBS; i++)
        number->limbs[i] = 0;
    carry(number);
}

size_t decimal_average_text(const struct decimal_sum *sum, char ret[DECIMAL_SUM_BYTES])
{
    struct decimal_sum number;
    bool is_negative = magnitude(sum, &number);
    divide(&number, (uint64_t)sum->n);
    round_to_scale(&number);
    return text_of(&number, is_negative, ret);
}

static struct str combine(struct str a, struct str b, int64_t sign_b, char room[DECIMAL_SUM_BYTES])
{
    struct decimal_sum sum = {0}, number;
    if (!fits(a) || !fits(b))
        return STR_NONE;
    accumulate(&sum, a, 1);
    accumulate(&sum, b, sign_b);
    bool is_negative = magnitude(&sum, &number);
    if (number.limbs[0] >= LIMB)
        return STR_NONE;
    return (struct str){room, text_of(&number, is_negative, room)};
}

struct str decimal_add(struct str a, struct str b, char room[DECIMAL_SUM_BYTES])
{
    return combine(a, b, 1, room);
}

struct str decimal_subtract(struct str a, struct str b, char room[DECIMAL_SUM_BYTES])
{
    return combine(a, b, -1, room);
}
