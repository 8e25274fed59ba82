/* log.c - makes structured lines. The level is set once at start, before threads. */
#include "base/log.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/json_out.h"
#include "base/log_writer.h"

#include <stdatomic.h>

enum { LINE_BYTES = 16 * 1024, VALUE_BYTES = 2048 };

static atomic_int threshold = LOG_INFO;
static atomic_uint_least64_t dropped;

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

bool log_is_on(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

uint64_t log_dropped(void)
{
    return atomic_load(&dropped);
}

void log_count_dropped(unsigned n)
{
    atomic_fetch_add(&dropped, n);
}

static void put_field(struct json_out *json, const struct log_field *field)
{
    /* Keys are ours and need no escaping. */
    buf_add(json->out, STR(",\""));
    buf_add_c(json->out, field->key);
    buf_add(json->out, STR("\":"));
    json->after_key = true;
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
    case LOG_FIELD_MS:
        jw_raw(json, STR(""));
        buf_add_ms(json->out, field->i64);
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
    int ms = (int)(now_ms % 1000);
    char rest[6] = {
        '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z', '"'};
    buf_add(json->out, (struct str){rest, sizeof rest});
}

void log_line(enum log_level level, const char *event, const struct log_field *fields,
              size_t n_fields)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (!log_is_on(level))
        return;
    char room[LINE_BYTES];
    struct buf line;
    buf_init_fixed(&line, room, sizeof room);
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
    if (line.failed || !log_write(buf_str(&line)))
        log_count_dropped(1);
}
