/* json_out_text.c - what a string's bytes become inside the quotes of JSON. */
#include "base/json_out.h"

#include <string.h>

static void escape_char(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        buf_add(out, STR("\\\""));
        break;
    case '\\':
        buf_add(out, STR("\\\\"));
        break;
    case '\n':
        buf_add(out, STR("\\n"));
        break;
    case '\r':
        buf_add(out, STR("\\r"));
        break;
    case '\t':
        buf_add(out, STR("\\t"));
        break;
    default:
        buf_printf(out, "\\u%04x", c);
        break;
    }
}

/* A byte of these eight is not printable ASCII, or is a quote or backslash: Mycroft's test for small bytes. */
static bool has_special(uint64_t bytes)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
    uint64_t quotes = bytes ^ (ones * '"'), slashes = bytes ^ (ones * '\\'),
             dels = bytes ^ (ones * 0x7f);
    uint64_t is_small = (bytes - ones * 0x20) | (quotes - ones) | (slashes - ones) | (dels - ones);
    return ((is_small | bytes) & tops) != 0;
}

/* The first byte at or after from that cannot stand in a JSON string as it is. */
static size_t end_of_clean(struct str s, size_t from)
{
    size_t i = from;
    while (i < s.len) {
        uint64_t eight;
        if (s.len - i >= sizeof eight) {
            memcpy(&eight, s.ptr + i, sizeof eight);
            if (!has_special(eight)) {
                i += sizeof eight;
                continue;
            }
        }
        unsigned char c = (unsigned char)s.ptr[i];
        bool is_plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
        size_t n = is_plain ? 1 : c >= 0x80 ? str_utf8_char(s, i) : 0;
        if (n == 0)
            return i;
        i += n;
    }
    return i;
}

/* Fewer than eight bytes, some of them more than once, the rest filled with letters. */
static uint64_t few_bytes(struct str s)
{
    uint64_t bytes = UINT64_MAX / 255 * 'a';
    if (s.len >= 4) {
        uint32_t first, last;
        memcpy(&first, s.ptr, sizeof first);
        memcpy(&last, s.ptr + s.len - sizeof last, sizeof last);
        return (uint64_t)first << 32 | last;
    }
    for (size_t i = 0; i < s.len; i++)
        bytes = bytes << 8 | (unsigned char)s.ptr[i];
    return bytes;
}

bool jw_is_clean(struct str value)
{
    uint64_t eight = 0;
    bool is_special = false;
    if (value.len < sizeof eight)
        return !has_special(few_bytes(value)) || end_of_clean(value, 0) == value.len;
    for (size_t i = 0; !is_special && i + sizeof eight < value.len; i += sizeof eight) {
        memcpy(&eight, value.ptr + i, sizeof eight);
        is_special = has_special(eight);
    }
    if (!is_special) { /* the last eight, of which some may have been looked at */
        memcpy(&eight, value.ptr + value.len - sizeof eight, sizeof eight);
        is_special = has_special(eight);
    }
    return !is_special || end_of_clean(value, 0) == value.len;
}

void jw_escape(struct buf *out, struct str value)
{
    for (size_t from = 0; from < value.len;) {
        size_t end = end_of_clean(value, from);
        buf_add(out, (struct str){value.ptr + from, end - from});
        if (end == value.len)
            return;
        unsigned char c = (unsigned char)value.ptr[end];
        if (c >= 0x80)
            buf_add(out, STR("\xEF\xBF\xBD")); /* U+FFFD in place of a byte that is not UTF-8 */
        else
            escape_char(out, c);
        from = end + 1;
    }
}
