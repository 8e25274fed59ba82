/*
 * log.h - one JSON object a line on standard error. Callable from any thread; nobody waits for the reader: when
 * it takes no bytes, lines are dropped and counted. Between log_start and log_stop a thread writes what the
 * others hand it, some LOG_DELAY_MS later and many lines at a time; otherwise each line is written at once.
 * Lines of one thread keep their order. Strings are escaped and cut to 2 KiB. Only server/, handlers/ and cli/ log: lower layers return statuses.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_I64, LOG_FIELD_F64, LOG_FIELD_MS } type;
    struct str str;
    int64_t i64;
    double f64;
};

#define LOG_STR(key, value) ((struct log_field){(key), LOG_FIELD_STR, (value), 0, 0.0})
#define LOG_TEXT(key, c_string) ((struct log_field){(key), LOG_FIELD_STR, str_of(c_string), 0, 0.0})
#define LOG_I64(key, value) ((struct log_field){(key), LOG_FIELD_I64, STR_NONE, (value), 0.0})
#define LOG_F64(key, value) ((struct log_field){(key), LOG_FIELD_F64, STR_NONE, 0, (value)})

/* Nanoseconds, shown as milliseconds with three decimals. */
#define LOG_MS(key, ns) ((struct log_field){(key), LOG_FIELD_MS, STR_NONE, (ns), 0.0})

/* log_event(LOG_INFO, "server_started", LOG_I64("port", port), ...): at least one field. */
#define log_event(level, event, ...)                                    \
    log_line((level), (event), (const struct log_field[]){__VA_ARGS__}, \
             sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

void log_line(enum log_level level, const char *event, const struct log_field *fields,
              size_t n_fields);
bool log_is_on(enum log_level level);     /* for those whose fields are work to make */
void log_set_level(enum log_level level); /* once, at start */
uint64_t log_dropped(void);

/* Once, before and after the threads that log; log_stop writes what is left, and need not follow a log_start. */
enum { LOG_DELAY_MS = 25 };
enum status log_start(struct err *err) NODISCARD;
void log_stop(void);

#endif
