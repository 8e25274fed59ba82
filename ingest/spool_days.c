/* spool_days.c - the rows of a spool as the lines of objects, one day after the other. */
#include "ingest/spool_impl.h"

#include "base/date.h"

enum { DAY_BYTES_MAX = 512 << 20 };

struct gather {
    struct arena *arena;
    struct buf fields, lines;
    struct spool_day day;
    const struct spool_visitor *visitor;
};

static enum status end_day(struct gather *g, struct err *err)
{
    if (g->day.n_rows == 0)
        return STATUS_OK;
    if (g->fields.failed || g->lines.failed)
        return err_out_of_memory(err);
    g->day.fields = buf_str(&g->fields);
    g->day.lines = buf_str(&g->lines);
    return g->visitor->visit(g->visitor->cls, &g->day, err);
}

static void begin_day(struct gather *g, int32_t ymd)
{
    arena_reset(g->arena);
    buf_init(&g->fields, g->arena, DAY_BYTES_MAX);
    buf_init(&g->lines, g->arena, DAY_BYTES_MAX);
    g->day = (struct spool_day){.ymd = ymd};
}

/* source,fetched_at,raw_key with the time that the visitor wants. */
static void add_origin(struct gather *g, struct str origin)
{
    char text[INSTANT_TEXT_BYTES];
    struct str rest = origin, source = STR_NONE, fetched_at = STR_NONE;
    int64_t at = 0;
    (void)str_next_field(&rest, ',', &source);
    (void)str_next_field(&rest, ',', &fetched_at);
    (void)instant_parse(fetched_at, &at);
    instant_format(g->visitor->fetched_at(g->visitor->cls, g->day.ymd, at), text);
    buf_printf(&g->lines, "%.*s,%s,%.*s", STR_ARG(source), text, STR_ARG(rest));
}

static void add_row(struct gather *g, struct str fields, struct str origin)
{
    buf_add(&g->fields, fields);
    buf_add(&g->fields, STR("\r\n"));
    buf_add(&g->lines, fields);
    buf_add_char(&g->lines, ',');
    add_origin(g, origin);
    buf_add(&g->lines, STR("\r\n"));
    g->day.n_rows++;
}

enum status spool_each_day(struct spool *spool, enum feed_shape shape, struct arena *arena,
                           const struct spool_visitor *visitor, struct err *err)
{
    /* The newest of a key is the one that came last. */
    static const char sql[] =
        "SELECT ymd, key, fields, origin FROM row WHERE shape = $1 ORDER BY ymd, key, rowid DESC";
    CLEANUP(rows_clear) struct rows rows = {0};
    CLEANUP(arena_clear) struct arena keys;
    struct gather g = {.arena = arena, .visitor = visitor};
    struct str last = STR_NONE;
    bool has_row = false;
    arena_init(&keys, 1 << 20);
    begin_day(&g, DATE_NONE);
    enum status s = db_query(spool_database(spool), sql, PARAMS(db_i64(shape)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        int32_t ymd = (int32_t)rows_i64(&rows, 0);
        if (ymd != g.day.ymd) {
            s = end_day(&g, err);
            begin_day(&g, ymd);
            last = STR_NONE;
        }
        if (last.ptr != NULL && str_eq(last, rows_text(&rows, 1)))
            continue;
        arena_reset(&keys);
        const char *copy = arena_dup(&keys, rows_text(&rows, 1));
        if (copy == NULL)
            return err_out_of_memory(err);
        last = (struct str){copy, rows_text(&rows, 1).len};
        add_row(&g, rows_text(&rows, 2), rows_text(&rows, 3));
    }
    return s == STATUS_OK ? end_day(&g, err) : s;
}

enum status spool_rejects(struct spool *spool, int64_t max, struct buf *out, int64_t *ret_n,
                          struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    *ret_n = 0;
    enum status s =
        db_query(spool_database(spool), "SELECT line FROM reject ORDER BY rowid LIMIT $1",
                 PARAMS(db_i64(max)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        buf_add(out, rows_text(&rows, 0));
        buf_add(out, STR("\r\n"));
        ++*ret_n;
    }
    return s;
}

void spool_header(enum feed_shape shape, struct buf *out)
{
    if (shape == SHAPE_COUNT)
        buf_add(out, STR("reason,column,value,shape,key"));
    for (size_t i = 0; shape != SHAPE_COUNT && i < feed_layouts[shape].n; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        buf_add_c(out, feed_columns[feed_layouts[shape].first + i].name);
    }
    buf_add(out, STR(",source,fetched_at,raw_key\r\n"));
}
