/* number.c - shortest doubles and exact decimals as text. */
#include "base/number.h"

#include "base/wide.h"

#include <assert.h>
#include <math.h>
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

enum { POWER_MIN = -292, MANTISSA_BITS = 52, EXPONENT_BIAS = 1075 };

struct power {
    uint64_t high, low;
};

static const struct power powers[] = {
#define POWER(high, low) {high, low},
#include "base/number_powers.def"
#undef POWER
};

/* digits * 10^exponent */
struct shortest {
    uint64_t digits;
    int exponent;
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
static struct shortest find_shortest(uint64_t fraction, int biased)
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

static int count_digits(uint64_t x)
{
    static const uint64_t powers_of_ten[] = {
        UINT64_C(1),
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
    };
    int bits = 64 - __builtin_clzll(x | 1);
    int n = bits * 1233 >> 12; /* floor(bits log10(2)): right, or one too low */
    return n + (x >= powers_of_ten[n] ? 1 : 0);
}

/* Two digits of x < 100. */
static void put_two(char *to, uint32_t x)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    memcpy(to, pairs + 2 * (size_t)x, 2);
}

static void put_eight(char *to, uint32_t x)
{
    uint32_t high = x / 10000, low = x % 10000;
    put_two(to, high / 100);
    put_two(to + 2, high % 100);
    put_two(to + 4, low / 100);
    put_two(to + 6, low % 100);
}

enum { DIGITS_MAX = 17 };

/* The digits of x < 10^17 without trailing zeros; *ret_n of them, and how many zeros were dropped. */
static const char *split_digits(uint64_t x, char room[DIGITS_MAX], int *ret_n, int *ret_dropped)
{
    const uint64_t eight = UINT64_C(100000000);
    room[0] = (char)('0' + x / (eight * eight));
    put_eight(room + 1, (uint32_t)(x / eight % eight));
    put_eight(room + 9, (uint32_t)(x % eight));
    int n = count_digits(x), last = DIGITS_MAX;
    while (room[last - 1] == '0')
        last--;
    *ret_dropped = DIGITS_MAX - last;
    *ret_n = n - *ret_dropped;
    return room + DIGITS_MAX - n;
}

static size_t put_exponent(char *to, int exponent)
{
    size_t n = 0;
    unsigned left = (unsigned)(exponent < 0 ? -exponent : exponent);
    to[n++] = 'e';
    to[n++] = exponent < 0 ? '-' : '+';
    if (left >= 100)
        to[n++] = (char)('0' + left / 100);
    put_two(to + n, left % 100);
    to[n + 2] = '\0';
    return n + 2;
}

/* Written as printf's %.17g would: 0.0001 and 123456789012345.6 plain, 1e-05 and 1e+16 with an exponent. */
static size_t lay_out(bool is_negative, struct shortest number, char ret[NUMBER_TEXT_BYTES])
{
    enum { PLAIN_DIGITS = 15, PLAIN_ZEROS = 4 };
    char room[DIGITS_MAX];
    int n = 0, dropped = 0;
    const char *digits = split_digits(number.digits, room, &n, &dropped);
    int point = n + number.exponent + dropped; /* digits before the point */
    int plain = n < PLAIN_DIGITS ? PLAIN_DIGITS : n;
    char *to = ret;
    if (is_negative)
        *to++ = '-';
    if (point - 1 < -PLAIN_ZEROS || point > plain) {
        *to++ = digits[0];
        if (n > 1)
            *to++ = '.';
        memcpy(to, digits + 1, (size_t)(n - 1));
        to += n - 1;
        return (size_t)(to - ret) + put_exponent(to, point - 1);
    }
    int before = point < n ? point : n;
    if (point <= 0) {
        memcpy(to, "0.0000", (size_t)(2 - point));
        to += 2 - point;
        before = 0;
    }
    memcpy(to, digits, (size_t)before);
    to += before;
    for (int i = n; i < point; i++)
        *to++ = '0';
    if (point > 0 && point < n)
        *to++ = '.';
    memcpy(to, digits + before, (size_t)(n - before));
    to += n - before;
    *to = '\0';
    return (size_t)(to - ret);
}

size_t number_format(double value, char ret[NUMBER_TEXT_BYTES])
{
    assert(isfinite(value));
    if (fabs(value) < 9007199254740992.0) {
        double whole = (double)(int64_t)value; /* trunc() would be a call */
        if (!(value < whole) && !(value > whole))
            return format_integer(value, ret); /* also turns -0 into 0 */
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << MANTISSA_BITS) - 1);
    int biased = (int)(bits >> MANTISSA_BITS & 0x7ff);
    return lay_out(bits >> 63 != 0, find_shortest(fraction, biased), ret);
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
