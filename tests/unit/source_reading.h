/*
 * source_reading.h - what tests of sources ask of one: its target, its verdict, and its rows as lines of text.
 */
#ifndef TESTS_UNIT_SOURCE_READING_H
#define TESTS_UNIT_SOURCE_READING_H

#include "ingest/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define JSON "application/json"

enum { LATER = 2000000000 }; /* 2033: everything is over */

/* Rows as "shape ymd|a|b|-" and rejects as "! reason column", one a line. */
struct log {
    struct buf text;
};

UNUSED static void log_row(struct buf *out, const struct feed_row *row)
{
    const struct feed_layout *layout = &feed_layouts[row->shape];
    char day[DATE_TEXT_BYTES];
    date_format(row->ymd, day);
    buf_printf(out, "%s %s", layout->name, day);
    for (size_t i = 0; i < layout->n; i++)
        if (row->field[i].ptr != NULL)
            buf_printf(out, "|%s=%.*s", feed_columns[layout->first + i].name,
                       STR_ARG(row->field[i]));
    buf_add_char(out, '\n');
}

UNUSED static enum status on_row(void *cls, const struct feed_row *row, struct err *err)
{
    (void)err;
    log_row(&((struct log *)cls)->text, row);
    return STATUS_OK;
}

UNUSED static enum status on_reject(void *cls, const struct feed_row *row,
                                    const struct feed_reject *why, struct err *err)
{
    (void)row;
    (void)err;
    buf_printf(&((struct log *)cls)->text, "! %s %s %.*s\n", why->reason,
               why->column == NULL ? "row" : why->column, STR_ARG(why->value));
    return STATUS_OK;
}

struct reading {
    struct arena arena;
    struct log log;
    struct feed_sink sink;
    struct feed_writer writer;
    enum status status;
    bool has_more;
};

UNUSED static int32_t day(int year, int month, int d)
{
    return date_from_civil((struct civil){year, month, d});
}

UNUSED static const char *read_now(struct reading *r, const char *source, struct source_ask ask,
                                   const char *body)
{
    struct err err = {0};
    memset(r, 0, sizeof *r);
    arena_init(&r->arena, 64 << 20);
    buf_init(&r->log.text, &r->arena, 1 << 20);
    r->sink = (struct feed_sink){on_row, on_reject, &r->log};
    r->writer = (struct feed_writer){.sink = &r->sink, .arena = &r->arena};
    ask.now_s = ask.now_s == 0 ? LATER : ask.now_s;
    r->status =
        source_find(str_of(source))->parse(&ask, str_of(body), &r->writer, &r->has_more, &err);
    return r->status == STATUS_OK ? buf_c_str(&r->log.text) : status_name(r->status);
}

UNUSED static void assert_rows(const char *source, struct source_ask ask, const char *body,
                               bool has_more, const char *wanted)
{
    struct reading r;
    const char *found = read_now(&r, source, ask, body);
    assert_non_null(found);
    assert_string_equal(found, wanted);
    assert_true(r.status != STATUS_OK || r.has_more == has_more);
    arena_clear(&r.arena);
}

UNUSED static void assert_target(const char *source, struct source_ask ask, const char *wanted)
{
    struct arena arena;
    struct source_target target = {.path = STR_NONE};
    struct err err = {0};
    arena_init(&arena, 1 << 20);
    enum status s = source_find(str_of(source))->target(&ask, &arena, &target, &err);
    char found[1024];
    (void)snprintf(found, sizeof found, "%.*s",
                   STR_ARG(s == STATUS_OK ? target.path : str_of(status_name(s))));
    assert_string_equal(found, wanted);
    arena_clear(&arena);
}

UNUSED static void assert_verdict(const char *source, int status, const char *type,
                                  const char *body, enum feed_outcome wanted)
{
    struct feed_reply reply = {status, str_of(type), 0, str_of(body)};
    struct feed_verdict verdict = source_find(str_of(source))->judge(&reply);
    if (verdict.outcome != wanted)
        fail_msg("%s: %d %s is %s, not %s (%s)", source, status, body,
                 feed_outcome_names[verdict.outcome], feed_outcome_names[wanted], verdict.detail);
}

#endif
