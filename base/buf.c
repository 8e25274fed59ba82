/* buf.c - the bounded string builder of str.h. */
#include "base/arena.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *buf, struct arena *arena, size_t max_bytes)
{
    *buf = (struct buf){.arena = arena, .max_bytes = max_bytes};
}

void buf_init_fixed(struct buf *buf, char *room, size_t size)
{
    *buf = (struct buf){.ptr = room, .cap = size, .max_bytes = size - 1};
}

/* Room for more bytes and one NUL; false, for good, when there is none. */
static bool reserve(struct buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more > buf->max_bytes || buf->len > buf->max_bytes - more ||
        (buf->arena == NULL && buf->cap != 0 && buf->len + more >= buf->cap)) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need <= buf->cap)
        return true;
    size_t cap = buf->cap == 0 ? 256 : buf->cap;
    while (cap < need)
        cap *= 2;
    char *grown = arena_grow(buf->arena, buf->ptr, buf->cap, cap);
    if (grown == NULL) {
        buf->failed = true;
        return false;
    }
    buf->ptr = grown;
    buf->cap = cap;
    return true;
}

char *buf_grow(struct buf *buf, size_t more)
{
    return reserve(buf, more) ? buf->ptr + buf->len : NULL;
}

void buf_add(struct buf *buf, struct str s)
{
    char *to = s.len == 0 ? NULL : buf_room(buf, s.len);
    if (to == NULL)
        return;
    memcpy(to, s.ptr, s.len);
    buf->len += s.len;
}

void buf_add_c(struct buf *buf, const char *c_string)
{
    buf_add(buf, str_of(c_string));
}

void buf_add_char(struct buf *buf, char c)
{
    char *to = buf_room(buf, 1);
    if (to == NULL)
        return;
    *to = c;
    buf->len++;
}

void buf_add_i64(struct buf *buf, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        digits[--at] = '-';
    buf_add(buf, (struct str){digits + at, sizeof digits - at});
}

void buf_add_ms(struct buf *buf, int64_t ns)
{
    int64_t us = ns < 0 ? 0 : (ns + 500) / 1000;
    buf_add_i64(buf, us / 1000);
    char *to = buf_room(buf, 4);
    if (to == NULL)
        return;
    to[0] = '.';
    to[1] = (char)('0' + us / 100 % 10);
    to[2] = (char)('0' + us / 10 % 10);
    to[3] = (char)('0' + us % 10);
    buf->len += 4;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        buf->failed = true;
    else if (reserve(buf, (size_t)n)) {
        (void)vsnprintf(buf->ptr + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
}

struct str buf_str(const struct buf *buf)
{
    return buf->ptr == NULL ? STR("") : (struct str){buf->ptr, buf->len};
}

const char *buf_c_str(struct buf *buf)
{
    if (!reserve(buf, 0))
        return NULL;
    buf->ptr[buf->len] = '\0';
    return buf->ptr;
}
