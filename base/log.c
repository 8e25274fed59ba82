/* log.c - structured lines on standard error. The level is set once at start, before threads. */
#include "base/log.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/json_out.h"

#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LINE_BYTES = 16 * 1024, VALUE_BYTES = 2048 };

static atomic_int threshold = LOG_INFO;
static atomic_uint_least64_t dropped;

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

uint64_t log_dropped(void)
{
    return atomic_load(&dropped);
}

static void put_field(struct json_out *json, const struct log_field *field)
{
    jw_key(json, field->key);
    switch (field->type) {
    case LOG_FIELD_STR:
        jw_str(json, str_utf8_cut(field->str, VALUE_BYTES));
        break;
    case LOG_FIELD_I64:
        jw_i64(json, field->i64);
        break;
    case LOG_FIELD_F64:
        jw_f64(json, field->f64);
        break;
    }
}

/* RFC 3339 with milliseconds. */
static void put_time(struct json_out *json)
{
    int64_t now_ms = clock_wall_ms();
    char text[INSTANT_TEXT_BYTES];
    instant_format(now_ms / 1000, text);
    jw_key(json, "ts");
    jw_raw(json, STR("\""));
    buf_add(json->out, (struct str){text, INSTANT_TEXT_BYTES - 2});
    buf_printf(json->out, ".%03dZ\"", (int)(now_ms % 1000));
}

/* One write, so that lines of several threads do not mix; a reader that is stuck costs the line, not us. */
static void emit(struct str line)
{
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    bool is_ready = poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0;
    if (!is_ready || write(STDERR_FILENO, line.ptr, line.len) < 0)
        atomic_fetch_add(&dropped, 1);
}

void log_line(enum log_level level, const char *event, const struct log_field *fields,
              size_t n_fields)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if ((int)level < atomic_load(&threshold))
        return;
    struct arena arena;
    arena_init(&arena, (size_t)8 * LINE_BYTES);
    struct buf line;
    buf_init(&line, &arena, LINE_BYTES);
    struct json_out json;
    jw_init(&json, &line);
    jw_object(&json);
    put_time(&json);
    jw_key_c(&json, "level", names[level]);
    jw_key_c(&json, "event", event);
    for (size_t i = 0; i < n_fields; i++)
        put_field(&json, &fields[i]);
    jw_end_object(&json);
    buf_add_char(&line, '\n');
    if (line.failed)
        atomic_fetch_add(&dropped, 1);
    else
        emit(buf_str(&line));
    arena_clear(&arena);
}
