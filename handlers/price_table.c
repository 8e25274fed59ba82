/* price_table.c - the rows of the long layout, instrument by instrument in bounded memory; and meta of both. */
#include "handlers/price_table.h"

#include "base/date.h"

#include <stdio.h>

enum {
    SCRATCH_BYTES = 256 * 1024 * 1024
}; /* one instrument's bars; far above 200,000 of them is refused */

struct place {
    size_t uid;   /* index of the instrument to go on with */
    int32_t date; /* the last one given; DATE_NONE: none yet */
};

static enum status read_place(const struct resource *resource, const struct price_query *query,
                              struct place *ret, struct err *err)
{
    const struct str *values = resource->after.values;
    *ret = (struct place){0, DATE_NONE};
    if (values == NULL)
        return STATUS_OK;
    while (ret->uid < query->n_uids && !str_eq(query->uids[ret->uid], values[0]))
        ret->uid++;
    if (ret->uid < query->n_uids && date_parse(values[1], &ret->date))
        return STATUS_OK;
    return err_set(err, STATUS_BAD_CURSOR, "The cursor is not one that this server gave out.");
}

static struct str date_text(int32_t date, char room[DATE_TEXT_BYTES])
{
    date_format(date, room);
    return str_of(room);
}

static enum status put_bar(const struct price_query *query, struct str uid, const struct bar *bar,
                           struct arena *arena, struct table *table, struct err *err)
{
    struct str values[PRICE_COLUMNS];
    char date[DATE_TEXT_BYTES], known_at[INSTANT_TEXT_BYTES], quality[24], sessions[24];
    instant_format(bar->known_at, known_at);
    (void)snprintf(quality, sizeof quality, "%lld", (long long)bar->quality);
    (void)snprintf(sessions, sizeof sessions, "%u", (unsigned)bar->sessions);
    for (size_t i = 0; i < query->n_columns; i++) {
        unsigned column = query->columns[i];
        values[i] = column == PRICE_COLUMN_UID        ? uid
                    : column == PRICE_COLUMN_DATE     ? date_text(bar->date, date)
                    : column == PRICE_COLUMN_CURRENCY ? bar->currency
                    : column == PRICE_COLUMN_SOURCE   ? bar->source
                    : column == PRICE_COLUMN_QUALITY  ? str_of(quality)
                    : column == PRICE_COLUMN_KNOWN_AT ? str_of(known_at)
                    : column == PRICE_COLUMN_SESSIONS ? str_of(sessions)
                                                      : cell_text(bar->field[column], arena);
    }
    return table_row(table, values, err);
}

/* A page on its way: where it is, and whether there is more than it holds. */
struct walk {
    struct price_table *self;
    struct table *table;
    struct arena *scratch; /* of one series */
    struct place last;     /* the last bar given */
    bool is_full;
};

/* The bars of the series of instrument number uid that come after the date after (DATE_NONE: all). */
static enum status put_series(struct walk *walk, size_t uid, const struct price_series *series,
                              int32_t after, struct err *err)
{
    const struct price_query *query = walk->self->query;
    enum status s = STATUS_OK;
    for (size_t i = 0; i < series->bars.n && s == STATUS_OK; i++) {
        size_t at = query->is_descending ? series->bars.n - 1 - i : i;
        const struct bar *bar = &series->bars.bar[at];
        bool is_seen =
            after != DATE_NONE && (query->is_descending ? bar->date >= after : bar->date <= after);
        if (is_seen)
            continue;
        if (table_rows(walk->table) == (size_t)walk->self->resource->limit) {
            walk->is_full = true;
            return STATUS_OK;
        }
        s = put_bar(query, query->uids[uid], bar, walk->scratch, walk->table, err);
        walk->last = (struct place){uid, bar->date};
    }
    return s;
}

static enum status put_all(struct walk *walk, struct place place, struct err *err)
{
    struct price_table *self = walk->self;
    enum status s = STATUS_OK;
    for (size_t i = place.uid; i < self->query->n_uids && s == STATUS_OK && !walk->is_full; i++) {
        struct price_series series;
        size_t n_before = table_rows(walk->table);
        arena_reset(walk->scratch);
        s = price_series_load(&self->loader, i, walk->scratch, &series, err);
        if (s == STATUS_OK)
            s = put_series(walk, i, &series, i == place.uid ? place.date : DATE_NONE, err);
        if (s != STATUS_OK)
            return s;
        bool has_added = table_rows(walk->table) > n_before;
        self->has_partial |= has_added && series.is_partial;
        table_warn(walk->table, has_added ? series.warnings : 0);
    }
    if (s != STATUS_OK || !walk->is_full)
        return s;
    char date[DATE_TEXT_BYTES];
    struct str values[] = {self->query->uids[walk->last.uid], date_text(walk->last.date, date)};
    return resource_next(self->resource, walk->table, values, ARRAY_LEN(values), err);
}

enum status price_table_start(struct price_table *self, struct db **ret_db, struct err *err)
{
    enum status s = resource_db(self->resource, ret_db, err);
    self->loader.db = *ret_db;
    self->loader.kept = &self->resource->request->arena;
    return s != STATUS_OK ? s : price_loader_start(&self->loader, err);
}

enum status price_table_long(struct request *request, void *cls, struct table *table,
                             struct err *err)
{
    struct price_table *self = cls;
    const struct price_query *query = self->query;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct place place;
    struct table_column *columns = arena_array(&request->arena, query->n_columns, sizeof *columns);
    if (columns == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < query->n_columns; i++)
        columns[i] = (struct table_column){str_of(price_column_name(query->columns[i])),
                                           price_column_kind(query, query->columns[i])};
    enum status s = read_place(self->resource, query, &place, err);
    if (s == STATUS_OK)
        s = price_table_start(self, &db, err);
    if (s == STATUS_OK)
        s = table_columns(table, columns, query->n_columns, err);
    if (s != STATUS_OK)
        return s;
    struct arena scratch;
    arena_init(&scratch, SCRATCH_BYTES);
    struct walk walk = {.self = self, .table = table, .scratch = &scratch};
    s = put_all(&walk, place, err);
    arena_clear(&scratch);
    return s;
}

void price_table_put_meta(struct json_out *json, void *cls)
{
    const struct price_table *self = cls;
    resource_put_meta(self->resource, json, true);
    price_query_put_meta(self->query, json);
    jw_key_bool(json, "partial_last", self->has_partial);
    jw_key(json, "fx");
    if (!self->loader.is_converted) {
        jw_null(json);
        return;
    }
    jw_object(json);
    jw_key_text(json, "to", self->query->currency);
    jw_key_c(json, "via", "EUR");
    jw_key_c(json, "rule", "last rate not after the date");
    jw_key_c(json, "mart", "mart_fx_daily");
    jw_end_object(json);
}
