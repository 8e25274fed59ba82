/*
 * upload.c - a CSV file of the user. The symbol is the name of a shape (bar, rate, observation ...): the header names
 * columns of that shape in any order, with all that are needed; dates are YYYY-MM-DD. A column that is not of the shape is an
 * error that says which there are: a misspelt name is not to be lost.
 */
#include "ingest/source.h"

#include "base/csv_in.h"

#include <string.h>

enum { ROW_BYTES = 1 << 20, FIELD_BYTES = 1 << 18, COLUMNS_MAX = 64 };

static enum status target(const struct source_ask *ask, struct arena *arena,
                          struct source_target *ret, struct err *err)
{
    (void)ask;
    (void)arena;
    (void)ret;
    return err_set(err, STATUS_BAD_VALUE, "Files are uploaded, not asked for.");
}

static struct feed_verdict judge(const struct feed_reply *reply)
{
    return feed_judge(reply, FEED_FORM_CSV);
}

static enum status read_body(void *from, char *to, size_t size, size_t *ret_n, struct err *err)
{
    struct str *rest = from;
    (void)err;
    *ret_n = rest->len < size ? rest->len : size;
    if (*ret_n > 0)
        memcpy(to, rest->ptr, *ret_n);
    *rest = str_sub(*rest, *ret_n, rest->len);
    return STATUS_OK;
}

static bool find_shape(struct str name, enum feed_shape *ret)
{
    for (int i = 0; i < SHAPE_COUNT; i++)
        if (str_eq_c(name, feed_layouts[i].name)) {
            *ret = (enum feed_shape)i;
            return true;
        }
    return false;
}

/* The shape's column of each field of the header. */
static enum status read_header(const struct csv_in *csv, enum feed_shape shape,
                               enum feed_column_id ret[COLUMNS_MAX], struct err *err)
{
    const struct feed_layout *layout = &feed_layouts[shape];
    bool has[FEED_COLUMNS_MAX] = {false};
    for (size_t f = 0; f < csv_width(csv); f++) {
        struct str name = csv_field(csv, f);
        size_t i = 0;
        while (i < layout->n && !str_eq_c(name, feed_columns[layout->first + i].name))
            i++;
        if (i == layout->n || has[i]) {
            enum status s =
                err_set(err, STATUS_BAD_DATA, "%s column \"%.*s\" in a file of shape %s.",
                        i == layout->n ? "Unknown" : "Repeated", STR_ARG(str_utf8_cut(name, 64)),
                        layout->name);
            err_at(err, ERR_LINE, STR("1"), name);
            return s;
        }
        has[i] = true;
        ret[f] = (enum feed_column_id)(layout->first + i);
    }
    for (size_t i = 0; i < layout->n; i++)
        if (feed_columns[layout->first + i].is_needed && !has[i])
            return err_set(err, STATUS_BAD_DATA, "The file has no column \"%s\".",
                           feed_columns[layout->first + i].name);
    return STATUS_OK;
}

/* The first date of the shape is the row's own day, wherever it stands in the file. */
static bool is_own_day(enum feed_shape shape, enum feed_column_id column)
{
    size_t i = feed_layouts[shape].first;
    while (feed_columns[i].kind != FEED_DATE && feed_columns[i].kind != FEED_INSTANT)
        i++;
    return i == (size_t)column;
}

static void put(struct feed_writer *w, enum feed_column_id column, struct str value)
{
    int32_t date = 0;
    int64_t at = 0;
    value = str_trim(value);
    if (value.len == 0)
        return;
    switch (feed_columns[column].kind) {
    case FEED_DECIMAL:
    case FEED_INTEGER:
        feed_put_number(w, column, value);
        return;
    case FEED_DATE:
        if (!date_parse(value, &date)) {
            feed_refuse(w, "bad-date", column, value);
            return;
        }
        feed_put_date(w, column, date);
        if (is_own_day(w->row.shape, column))
            w->row.ymd = date;
        return;
    case FEED_INSTANT:
        if (feed_instant(value, &at))
            feed_put_instant(w, column, at);
        else
            feed_refuse(w, "bad-date", column, value);
        return;
    case FEED_BOOL:
        if (!str_eq(value, STR("true")) && !str_eq(value, STR("false"))) {
            feed_refuse(w, "bad-flag", column, value);
            return;
        }
        break;
    case FEED_TEXT:
    case FEED_JSON:
        break;
    }
    const char *copy = arena_dup(w->arena, value); /* the row of the file is overwritten */
    w->is_out_of_memory |= copy == NULL;
    feed_put_text(w, column, (struct str){copy, copy == NULL ? 0 : value.len});
}

static enum status parse_rows(struct csv_in *csv, enum feed_shape shape, struct feed_writer *w,
                              struct err *err)
{
    enum feed_column_id columns[COLUMNS_MAX] = {0};
    bool has_row = false;
    enum status s = csv_next(csv, &has_row, err);
    if (s == STATUS_OK && !has_row)
        return err_set(err, STATUS_BAD_DATA, "The file is empty.");
    if (s == STATUS_OK)
        s = read_header(csv, shape, columns, err);
    while (s == STATUS_OK && (s = csv_next(csv, &has_row, err)) == STATUS_OK && has_row) {
        feed_begin(w, shape);
        for (size_t f = 0; f < csv_width(csv); f++)
            put(w, columns[f], csv_field(csv, f));
        s = feed_end(w, err);
    }
    return s;
}

static enum status parse(const struct source_ask *ask, struct str body, struct feed_writer *w,
                         bool *ret_has_more, struct err *err)
{
    CLEANUP(csv_freep) struct csv_in *csv = NULL;
    struct csv_limits limits = {ROW_BYTES, FIELD_BYTES, COLUMNS_MAX};
    enum feed_shape shape = SHAPE_BAR;
    *ret_has_more = false;
    if (!find_shape(ask->symbol, &shape))
        return err_set(err, STATUS_BAD_DATA, "There is no shape \"%.*s\".",
                       STR_ARG(str_utf8_cut(ask->symbol, 32)));
    enum status s = csv_new(read_body, &body, limits, &csv, err);
    if (s == STATUS_OK)
        s = parse_rows(csv, shape, w, err);
    if (s == STATUS_BAD_CSV && err != NULL) {
        const struct err at =
            *err; /* of a refused answer the sentence alone is told: the line goes into it */
        s = err_set(err, STATUS_BAD_DATA, "Line %s: %.400s", at.name, at.detail);
        err_at(err, ERR_LINE, str_of(at.name), STR_NONE);
    }
    return s;
}

const struct source source_upload = {
    .name = "upload",
    .title = "Files of the user",
    .base = "",
    .manners = {.timeout_s = 60, .body_mib = 64},
    .target = target,
    .judge = judge,
    .parse = parse,
};
