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

static void add_digits(struct buf *buf, uint64_t left, bool is_negative)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (is_negative)
        digits[--at] = '-';
    buf_add(buf, (struct str){digits + at, sizeof digits - at});
}

void buf_add_i64(struct buf *buf, int64_t value)
{
    add_digits(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
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

/* One conversion without flags or width; where the format goes on behind it, or NULL for any other. */
static const char *add_conversion(struct buf *buf, const char *at, va_list *args)
{
    if (strncmp(at, "lld", 3) == 0) {
        buf_add_i64(buf, va_arg(*args, long long));
        return at + 3;
    }
    if (strncmp(at, "zu", 2) == 0) {
        add_digits(buf, va_arg(*args, size_t), false);
        return at + 2;
    }
    if (strncmp(at, ".*s", 3) == 0) {
        int len = va_arg(*args, int);
        const char *text = va_arg(*args, const char *);
        if (len < 0 || (text == NULL && len > 0))
            return NULL;
        buf_add(buf, (struct str){text, len == 0 ? 0 : strnlen(text, (size_t)len)});
        return at + 3;
    }
    const char *text = NULL;
    switch (*at) {
    case 's':
        text = va_arg(*args, const char *);
        buf_add_c(buf, text == NULL ? "(null)" : text);
        return at + 1;
    case 'd':
        buf_add_i64(buf, va_arg(*args, int));
        return at + 1;
    case 'u':
        add_digits(buf, va_arg(*args, unsigned), false);
        return at + 1;
    default:
        return NULL;
    }
}

/* What most formats are made of, at a fraction of what the library takes. False: there is more in this one. */
static bool add_plain(struct buf *buf, const char *format, va_list *args)
{
    for (const char *mark; (mark = strchr(format, '%')) != NULL;) {
        buf_add(buf, (struct str){format, (size_t)(mark - format)});
        format = add_conversion(buf, mark + 1, args);
        if (format == NULL)
            return false;
    }
    buf_add_c(buf, format);
    return true;
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list plain, again;
    size_t start = buf->len;
    va_copy(plain, args);
    bool is_done = add_plain(buf, format, &plain);
    va_end(plain);
    if (is_done || buf->failed)
        return;
    buf->len = start;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        buf->failed = true;
    else if (reserve(buf, (size_t)n)) {
        (void)vsnprintf(buf->ptr + buf->len, (size_t)n + 1, format, args);
        buf->len += (size_t)n;
    }
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
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

void buf_add_quoted(struct buf *buf, struct str field)
{
    buf_add_char(buf, '"');
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] == '"')
            buf_add_char(buf, '"');
        buf_add_char(buf, field.ptr[i]);
    }
    buf_add_char(buf, '"');
}
