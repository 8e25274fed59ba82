/* number.c - shortest doubles as text. */
#include "base/number.h"

#include "base/number_digits.h"
#include "base/wide.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const uint64_t zeros_as_text = UINT64_MAX / 255 * '0';

/* Integers below 2^53: most prices in won, volumes, counts, and what cost nothing. */
static size_t format_integer(double value, char ret[NUMBER_TEXT_BYTES])
{
    uint64_t left = (uint64_t)fabs(value), high = left / EIGHT_DIGITS;
    char *to = ret;
    if (value < 0)
        *to++ = '-';
    if (left < 10) {
        *to++ = (char)('0' + left);
    } else {
        uint64_t digits = eight_digits((uint32_t)(high > 0 ? high : left));
        int zeros = __builtin_ctzll(digits) / 8;
        put_word(to, (digits | zeros_as_text) >> 8 * zeros);
        to += WORD - zeros;
        if (high > 0) {
            put_word(to, eight_digits((uint32_t)(left % EIGHT_DIGITS)) | zeros_as_text);
            to += WORD;
        }
    }
    *to = '\0';
    return (size_t)(to - ret);
}

enum { POWER_MIN = -292, MANTISSA_BITS = 52, EXPONENT_BIAS = 1075 };

struct power {
    uint64_t high, low;
};

static const struct power powers[] = {
#define POWER(high, low) {high, low},
#include "base/number_powers.def"
#undef POWER
};

static int floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}

/* value * power / 2^128, its last bit set when anything was cut off: rounding to odd keeps comparisons right. */
static uint64_t scaled(struct power power, uint64_t value)
{
    u128 low = (u128)power.low * value;
    u128 high = (u128)power.high * value + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1 ? 1 : 0);
}

/*
 * The shortest decimal in the interval that rounds to value, the closest one of that length.
 * Source: R. Giulietti, "The Schubfach way to render doubles", 2020; names as in the paper: the interval's ends and
 * middle, four times as large so that they are integers, are scaled by 10^-k, and one of at most four candidates wins.
 */
static RARELY struct shortest find_exactly(uint64_t fraction, int biased)
{
    uint64_t c = biased == 0 ? fraction : fraction | (uint64_t)1 << MANTISSA_BITS;
    int q = (biased == 0 ? 1 : biased) - EXPONENT_BIAS;
    uint64_t is_odd = c & 1;
    bool is_lower_closer =
        fraction == 0 && biased > 1; /* below a power of two doubles are denser */
    int k = (q * 1262611 - (is_lower_closer ? 524031 : 0)) >> 22;
    int h = q + floor_log2_pow10(-k) + 1;
    struct power power = powers[-k - POWER_MIN];
    uint64_t lower = scaled(power, (4 * c - 2 + (is_lower_closer ? 1 : 0)) << h) + is_odd;
    uint64_t middle = scaled(power, (4 * c) << h);
    uint64_t upper = scaled(power, (4 * c + 2) << h) - is_odd;
    uint64_t s = middle / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool is_down = lower <= 40 * tens;
        bool is_up = 40 * tens + 40 <= upper;
        if (is_down != is_up)
            return (struct shortest){tens + (is_up ? 1 : 0), k + 1};
    }
    bool is_down = lower <= 4 * s;
    bool is_up = 4 * s + 4 <= upper;
    if (is_down == is_up)
        is_up = middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1) != 0);
    return (struct shortest){s + (is_up ? 1 : 0), k};
}

/*
 * The same for nearly every double with less work: value / 10^k as an integer of 16 or 17 digits and a fraction, from
 * one product instead of three; and half the interval, in 60 bits behind the point, beside the value's distance from
 * the multiples of ten. Which candidate wins is chosen without branches, for nobody can predict it. The few for which
 * the bits cut off could matter, powers of two, and subnormals are left to the whole algorithm.
 */
static struct shortest find_shortest(uint64_t fraction, int biased)
{
    const uint64_t one = (uint64_t)1 << 60, middle = (uint64_t)1 << 63, slack = 16;
    int q = biased - EXPONENT_BIAS, k = q * 1262611 >> 22;
    int h = q + floor_log2_pow10(-k) + 1;
    struct power power = powers[-k - POWER_MIN];
    uint64_t c = (fraction | (uint64_t)1 << MANTISSA_BITS) << h;
    u128 scaled = (u128)power.high * c + (uint64_t)((u128)power.low * c >> 64);
    uint64_t s = (uint64_t)(scaled >> 64), behind = (uint64_t)scaled;
    uint64_t half = power.high >> (5 - h), digit = s % 10;
    uint64_t above = digit * one + (behind >> 4), below = 10 * one - above;
    uint64_t nearer = below < above ? below : above; /* half is below 5: the other one is too far */
    bool is_near = (behind - middle + slack < 2 * slack) | (nearer - half + slack < 2 * slack);
    if (is_near || fraction == 0 || biased == 0)
        return find_exactly(fraction, biased);
    uint64_t nearest = s + (behind >> 63);
    uint64_t of_ten = s - digit + (below < above ? 10 : 0);
    return (struct shortest){nearer < half ? of_ten : nearest, k};
}

struct shortest number_shortest(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return find_shortest(bits & (((uint64_t)1 << MANTISSA_BITS) - 1),
                         (int)(bits >> MANTISSA_BITS & 0x7ff));
}

/* 17 digits as text; n without trailing zeros. */
struct digits {
    char first;
    sixteen_bytes rest;
    int n;
};

enum { DIGITS_MAX = 17 };
_Static_assert(NUMBER_TEXT_BYTES >= 1 + DIGITS_MAX + 1 + SIXTEEN + 1,
               "sign, digits, point, rest, NUL");

/* x < 10^17 with n digits, and zeros behind them. */
static struct digits split_digits(uint64_t x, int n)
{
    x *= powers_of_ten[DIGITS_MAX - n];
    uint64_t first = x / powers_of_ten[SIXTEEN];
    sixteen_bytes rest = sixteen_digits(x - first * powers_of_ten[SIXTEEN]);
    return (struct digits){(char)('0' + first), rest | '0', 1 + count_without_zeros(rest)};
}

static inline void put_rest(char *to, sixteen_bytes rest)
{
    memcpy(to, &rest, sizeof rest);
}

/* The word's first n bytes, a point, and as many of the others as there is room for. */
static inline uint64_t with_point(uint64_t word, int n)
{
    uint64_t before = ((uint64_t)1 << 8 * n) - 1;
    return (word & before) | (uint64_t)'.' << 8 * n | (word & ~before) << 8;
}

/* The rest behind n_before of which there is a point: all one place further on, then what is before the point again. */
static inline void put_rest_with_point(char *to, sixteen_bytes rest, int n_before)
{
    put_rest(to + 1, rest);
    if (n_before < WORD) {
        put_word(to, with_point(word_of(rest, 0), n_before));
    } else {
        put_word(to, word_of(rest, 0));
        put_word(to + WORD, with_point(word_of(rest, 1), n_before - WORD));
    }
}

/* 1.5e-07: an exponent has a sign and two digits or three. */
static RARELY size_t put_with_exponent(char *to, struct digits digits, int exponent)
{
    unsigned left = (unsigned)(exponent < 0 ? -exponent : exponent);
    to[0] = digits.first;
    to[1] = '.';
    put_rest(to + 2, digits.rest);
    char *at = to + (digits.n > 1 ? digits.n + 1 : 1);
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    if (left >= 100)
        *at++ = (char)('0' + left / 100);
    *at++ = (char)('0' + left / 10 % 10);
    *at++ = (char)('0' + left % 10);
    return (size_t)(at - to);
}

/*
 * Written as printf's %.17g would: 0.0001 and 123456789012345.6 plain, 1e-05 and 1e+16 with an exponent. Everything is
 * stored from registers at lengths that the compiler knows: reading digits back to move them would wait for the stores.
 */
static size_t lay_out(bool is_negative, struct shortest number, char ret[NUMBER_TEXT_BYTES])
{
    enum { PLAIN_DIGITS = 15, PLAIN_ZEROS = 4 };
    int n_all = count_digits(number.digits);
    struct digits digits = split_digits(number.digits, n_all);
    int n = digits.n, point = n_all + number.exponent; /* digits before the point */
    char *to = ret + (is_negative ? 1 : 0);
    size_t len;
    ret[0] = '-';
    if (point - 1 < -PLAIN_ZEROS || point > (n < PLAIN_DIGITS ? PLAIN_DIGITS : n)) {
        len = put_with_exponent(to, digits, point - 1);
    } else if (point <= 0) {
        memcpy(to, "0.0000", 6);
        to[2 - point] = digits.first;
        put_rest(to + 3 - point, digits.rest);
        len = (size_t)n + 2 - (size_t)point;
    } else {
        to[0] = digits.first;
        len = point < n ? (size_t)n + 1 : (size_t)point;
        if (point < n)
            put_rest_with_point(to + 1, digits.rest, point - 1);
        else
            put_rest(to + 1, digits.rest);
    }
    to[len] = '\0';
    return (size_t)(to - ret) + len;
}

/* Integers below 2^32 end in these bits of 0, and what is larger is looked at again. */
static bool may_be_integer(uint64_t fraction, int biased)
{
    enum { BITS = 32, ONE = EXPONENT_BIAS - MANTISSA_BITS };
    return (fraction & (((uint64_t)1 << (MANTISSA_BITS - BITS + 1)) - 1)) == 0 ||
           biased >= ONE + BITS;
}

size_t number_format(double value, char ret[NUMBER_TEXT_BYTES])
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << MANTISSA_BITS) - 1);
    int biased = (int)(bits >> MANTISSA_BITS & 0x7ff);
    assert(biased < 0x7ff); /* it is finite */
    if (may_be_integer(fraction, biased) && fabs(value) < 9007199254740992.0) {
        double whole = (double)(int64_t)value; /* trunc() would be a call */
        if (!(value < whole) && !(value > whole))
            return format_integer(value, ret); /* also turns -0 into 0 */
    }
    return lay_out(bits >> 63 != 0, find_shortest(fraction, biased), ret);
}
