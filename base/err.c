/* err.c - the status table and the filling of struct err. */
#include "base/err.h"

#include "base/json_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct status_row {
    int http;
    const char *name, *code, *slug, *title;
};

static const struct status_row rows[STATUS_COUNT] = {
#define STATUS(name, http, code, slug, title) [STATUS_##name] = {http, #name, code, slug, title},
#include "base/status.def"
#undef STATUS
};

int status_http(enum status s)
{
    return rows[s].http;
}

const char *status_name(enum status s)
{
    return rows[s].name;
}

const char *status_code(enum status s)
{
    return rows[s].code;
}

const char *status_slug(enum status s)
{
    return rows[s].slug;
}

const char *status_title(enum status s)
{
    return rows[s].title;
}

/* A sentence may quote bytes from outside, or be cut inside a character: what is not UTF-8 becomes '?'. */
static void make_utf8(char *text)
{
    if (str_is_utf8(str_of(text)))
        return;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            *text = '?';
}

enum status err_set(struct err *err, enum status s, const char *format, ...)
{
    if (err == NULL)
        return s;
    va_list args;
    va_start(args, format);
    struct err fresh = {.status = s};
    (void)vsnprintf(fresh.detail, sizeof fresh.detail, format, args);
    va_end(args);
    make_utf8(fresh.detail);
    *err = fresh;
    return s;
}

static void copy_cut(char *to, size_t size, struct str from)
{
    struct str cut = str_utf8_cut(from, size - 1);
    if (cut.len > 0)
        memcpy(to, cut.ptr, cut.len);
    to[cut.len] = '\0';
}

enum status err_out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
}

enum status err_request_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "The request needs more memory than it may use.");
}

static void put(struct err *err, enum err_where where, struct str name, struct str value)
{
    static const char more[] = "...";
    err->where = where;
    copy_cut(err->name, sizeof err->name, name);
    if (value.len < sizeof err->value) {
        copy_cut(err->value, sizeof err->value, value);
    } else {
        copy_cut(err->value, sizeof err->value - (sizeof more - 1), value);
        memcpy(err->value + strlen(err->value), more, sizeof more);
    }
}

void err_at_json(struct err *err, struct str pointer, struct str json)
{
    if (err != NULL)
        put(err, ERR_POINTER, pointer, json);
}

/* A string's JSON text, as much of it as an err holds and one byte more. */
static void put_string(struct err *err, struct str pointer, struct str value)
{
    char text[6 * sizeof err->value + sizeof "''"]; /* six bytes for the longest escape */
    struct buf quoted;
    buf_init_fixed(&quoted, text, sizeof text);
    buf_add_char(&quoted, '"');
    jw_escape(&quoted, str_utf8_cut(value, sizeof err->value));
    buf_add_char(&quoted, '"');
    put(err, ERR_POINTER, pointer, buf_str(&quoted));
}

void err_at(struct err *err, enum err_where where, struct str name, struct str value)
{
    if (err != NULL && where == ERR_POINTER && value.ptr != NULL)
        put_string(err, name, value);
    else if (err != NULL)
        put(err, where, name, value);
}

void err_suggest(struct err *err, struct str suggestion)
{
    if (err != NULL)
        copy_cut(err->suggestion, sizeof err->suggestion, suggestion);
}

void err_allow(struct err *err, const char *format, ...)
{
    if (err == NULL)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->allowed, sizeof err->allowed, format, args);
    va_end(args);
    make_utf8(err->allowed);
}
