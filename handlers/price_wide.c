/*
 * price_wide.c - the wide layout: a row for each date on which some instrument has a bar, a column for each
 * instrument. Bars longer than a day meet by their period, whose row has the latest of their dates.
 *
 * Of each series no more than one page of bars can be needed, because the first dates of all are among the first
 * dates of each.
 */
#include "handlers/price_table.h"

#include "base/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_BYTES = 256 * 1024 * 1024 };

struct point {
    int32_t period; /* number of period_index */
    int32_t date;
    struct str text;
};

struct strip {
    struct point *point; /* in the order of the answer */
    size_t n;
    size_t at; /* the next to be given */
};

struct wide {
    struct price_table *self;
    struct strip *strips;
    int32_t after; /* the last period of the page before */
    bool has_after;
};

static bool is_before(const struct wide *wide, int32_t a, int32_t b)
{
    return wide->self->query->is_descending ? a > b : a < b;
}

/* The first bars after the page before, one more than a page holds. */
static enum status take(struct wide *wide, const struct bars *bars, struct arena *kept,
                        struct strip *ret, struct err *err)
{
    const struct price_query *query = wide->self->query;
    size_t max = (size_t)wide->self->resource->limit + 1;
    size_t room = bars->n < max ? bars->n : max;
    struct strip strip = {.point = arena_array(kept, room, sizeof *strip.point)};
    if (strip.point == NULL)
        return err_request_memory(err);
    for (size_t i = 0; i < bars->n && strip.n < room; i++) {
        const struct bar *bar = &bars->bar[query->is_descending ? bars->n - 1 - i : i];
        struct point point = {.period = period_index(query->interval, bar->date),
                              .date = bar->date};
        if (wide->has_after && !is_before(wide, wide->after, point.period))
            continue;
        struct str text = cell_text(bar->field[query->field], kept);
        bool is_scratch = bar->field[query->field].text.ptr != NULL;
        point.text = is_scratch ? (struct str){arena_dup(kept, text), text.len} : text;
        if (point.text.ptr == NULL && !cell_is_none(bar->field[query->field]))
            return err_request_memory(err);
        strip.point[strip.n++] = point;
    }
    *ret = strip;
    return STATUS_OK;
}

static enum status take_all(struct wide *wide, struct table *table, struct err *err)
{
    struct price_table *self = wide->self;
    struct arena scratch;
    enum status s = STATUS_OK;
    arena_init(&scratch, SCRATCH_BYTES);
    for (size_t i = 0; i < self->query->n_uids && s == STATUS_OK; i++) {
        struct price_series series;
        arena_reset(&scratch);
        s = price_series_load(&self->loader, i, &scratch, &series, err);
        if (s != STATUS_OK)
            break;
        s = take(wide, &series.bars, self->loader.kept, &wide->strips[i], err);
        self->has_partial |= series.is_partial;
        table_warn(table, series.warnings);
    }
    arena_clear(&scratch);
    return s;
}

/* The next period that some strip has. False when all are at their end. */
static bool next_period(const struct wide *wide, int32_t *ret)
{
    bool has_any = false;
    for (size_t i = 0; i < wide->self->query->n_uids; i++) {
        const struct strip *strip = &wide->strips[i];
        if (strip->at == strip->n)
            continue;
        int32_t period = strip->point[strip->at].period;
        if (!has_any || is_before(wide, period, *ret))
            *ret = period;
        has_any = true;
    }
    return has_any;
}

static enum status put_period(struct wide *wide, int32_t period, struct str *values,
                              struct table *table, struct err *err)
{
    int32_t date = DATE_MIN;
    char text[DATE_TEXT_BYTES];
    for (size_t i = 0; i < wide->self->query->n_uids; i++) {
        struct strip *strip = &wide->strips[i];
        values[i + 1] = STR_NONE;
        if (strip->at == strip->n || strip->point[strip->at].period != period)
            continue;
        const struct point *point = &strip->point[strip->at++];
        values[i + 1] = point->text;
        date = point->date > date ? point->date : date;
    }
    date_format(date, text);
    values[0] = str_of(text);
    return table_row(table, values, err);
}

static enum status put_all(struct wide *wide, struct table *table, struct err *err)
{
    struct resource *resource = wide->self->resource;
    struct str *values =
        arena_array(&resource->request->arena, wide->self->query->n_uids + 1, sizeof *values);
    int32_t period = 0, last = 0;
    enum status s = STATUS_OK;
    if (values == NULL)
        return err_request_memory(err);
    while (s == STATUS_OK && next_period(wide, &period)) {
        if (table_rows(table) == (size_t)resource->limit) {
            char text[24];
            (void)snprintf(text, sizeof text, "%ld", (long)last);
            struct str place = str_of(text);
            return resource_next(resource, table, &place, 1, err);
        }
        s = put_period(wide, period, values, table, err);
        last = period;
    }
    return s;
}

static enum status read_place(struct wide *wide, struct err *err)
{
    const struct str *values = wide->self->resource->after.values;
    int64_t period = 0;
    if (values == NULL)
        return STATUS_OK;
    if (!str_to_i64(values[0], &period) || period < INT32_MIN || period > INT32_MAX)
        return err_set(err, STATUS_BAD_CURSOR, "The cursor is not one that this server gave out.");
    wide->after = (int32_t)period;
    wide->has_after = true;
    return STATUS_OK;
}

enum status price_table_wide(struct request *request, void *cls, struct table *table,
                             struct err *err)
{
    struct price_table *self = cls;
    const struct price_query *query = self->query;
    struct wide wide = {.self = self};
    CLEANUP(db_releasep) struct db *db = NULL;
    struct table_column *columns = arena_array(&request->arena, query->n_uids + 1, sizeof *columns);
    wide.strips = arena_array(&request->arena, query->n_uids, sizeof *wide.strips);
    if (columns == NULL || wide.strips == NULL)
        return err_request_memory(err);
    columns[0] = (struct table_column){STR("date"), COLUMN_DATE};
    for (size_t i = 0; i < query->n_uids; i++)
        columns[i + 1] =
            (struct table_column){query->uids[i], price_column_kind(query, query->field)};
    enum status s = read_place(&wide, err);
    if (s == STATUS_OK)
        s = price_table_start(self, &db, err);
    if (s == STATUS_OK)
        s = table_columns(table, columns, query->n_uids + 1, err);
    if (s == STATUS_OK)
        s = take_all(&wide, table, err);
    return s == STATUS_OK ? put_all(&wide, table, err) : s;
}
