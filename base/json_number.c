/* json_number.c - most numbers are four to sixteen digits, perhaps with a point: those are looked at eight at once. */
#include "base/json_number.h"

#include <stdint.h>
#include <string.h>

static const uint64_t ones = UINT64_MAX / 255;

static size_t skip_digits(struct str s, size_t at)
{
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at;
}

static bool is_number(struct str s)
{
    size_t from = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    size_t at = skip_digits(s, from);
    if (at > from && at < s.len && s.ptr[at] == '.') {
        from = at + 1;
        at = skip_digits(s, from);
    }
    if (at > from && at < s.len && s.ptr[at] == 'e') {
        from = at + 1;
        if (from < s.len && (s.ptr[from] == '+' || s.ptr[from] == '-'))
            from++;
        at = skip_digits(s, from);
    }
    return at > from && at == s.len;
}

/*
 * The top bit of each byte that is no digit. A carry may mark a digit, too, if the byte before it is none; never the
 * other way round. The first byte is the lowest: for little-endian machines.
 */
static uint64_t mark_others(uint64_t bytes)
{
    bytes ^= ones * '0';
    return ((bytes + ones * 0x76) | bytes) & ones * 0x80;
}

static bool is_one_at_most(uint64_t marks)
{
    return (marks & (marks - 1)) == 0;
}

/* The first and the last bytes of s, n of each: digits but for one point between others. */
static bool has_one_point(struct str s, uint64_t first, uint64_t last, size_t n)
{
    if (!is_one_at_most(first) || !is_one_at_most(last))
        return false;
    size_t in_first = first == 0 ? s.len : (size_t)__builtin_ctzll(first) / 8;
    size_t in_last = last == 0 ? s.len : s.len - n + (size_t)__builtin_ctzll(last) / 8;
    if (first != 0 && last != 0 && in_first != in_last)
        return false;
    size_t at = first != 0 ? in_first : in_last;
    return at > 0 && at + 1 < s.len && s.ptr[at] == '.';
}

/* False for many that are numbers as well. */
static bool is_plain_number(struct str s)
{
    const uint64_t zeros = (uint64_t)0x30303030 << 32;
    uint64_t first, last;
    uint32_t low, high;
    if (s.len >= sizeof first && s.len <= 2 * sizeof first) {
        memcpy(&first, s.ptr, sizeof first);
        memcpy(&last, s.ptr + s.len - sizeof last, sizeof last);
    } else if (s.len >= sizeof low && s.len < sizeof first) {
        memcpy(&low, s.ptr, sizeof low);
        memcpy(&high, s.ptr + s.len - sizeof high, sizeof high);
        first = zeros | low;
        last = zeros | high;
    } else {
        return false;
    }
    first = mark_others(first);
    last = mark_others(last);
    return (first | last) == 0 ||
           has_one_point(s, first, last, s.len >= sizeof first ? sizeof first : sizeof low);
}

bool json_number_is_valid(struct str text)
{
    return is_plain_number(text) || is_number(text);
}
