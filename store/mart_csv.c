/* mart_csv.c - CSV lines as the server writes them, with the few values rewritten that it spells differently. */
#include "store/mart_read.h"

#include "base/number.h"
#include "store/generation.h"
#include "store/mart_sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024, GROWTH_MAX = NUMBER_TEXT_BYTES, SQL_BYTES_MAX = 4 << 20 };

struct csv {
    mart_sink_fn *sink;
    void *cls;
    enum column_kind *kinds; /* of the fields */
    size_t n_rewritten;      /* only the first so many fields may need it */
    size_t n_fields;
    char *chunk;
    size_t len, size;
    int64_t n_rows;
    bool has_gap; /* a float that is not finite was written as NULL */
};

static bool is_rewritten(enum column_kind kind)
{
    return kind == COLUMN_INSTANT || kind == COLUMN_BOOL || kind == COLUMN_FLOAT;
}

static enum status flush(struct csv *csv, struct err *err)
{
    struct str bytes = {csv->chunk, csv->len};
    csv->len = 0;
    return bytes.len == 0 ? STATUS_OK : csv->sink(csv->cls, bytes, err);
}

static void put(struct csv *csv, struct str text)
{
    if (text.len > 0)
        memcpy(csv->chunk + csv->len, text.ptr, text.len);
    csv->len += text.len;
}

/* "2020-01-02 15:00:00.5+00" is 2020-01-02T15:00:00.5Z: the session's zone is UTC. */
static void put_instant(struct csv *csv, struct str text)
{
    bool is_common = text.len >= 22 && text.ptr[10] == ' ' &&
                     str_eq(str_sub(text, text.len - 3, text.len), STR("+00"));
    if (!is_common) { /* before Christ, or after the year 9999 */
        put(csv, text);
        return;
    }
    put(csv, str_sub(text, 0, 10));
    put(csv, STR("T"));
    put(csv, str_sub(text, 11, text.len - 3));
    put(csv, STR("Z"));
}

static void put_float(struct csv *csv, struct str text)
{
    char room[NUMBER_TEXT_BYTES];
    double value = 0;
    if (str_to_f64(text, &value) && isfinite(value))
        put(csv, (struct str){room, number_format(value, room)});
    else if (text.len > 0)
        csv->has_gap = true;
}

static void put_field(struct csv *csv, enum column_kind kind, struct str text)
{
    if (kind == COLUMN_BOOL && text.len == 1)
        put(csv, text.ptr[0] == 't' ? STR("true") : STR("false"));
    else if (kind == COLUMN_INSTANT && text.len > 0)
        put_instant(csv, text);
    else if (kind == COLUMN_FLOAT)
        put_float(csv, text);
    else
        put(csv, text);
}

/* Length of the field that begins at text, its quotes included. */
static size_t field_len(struct str text)
{
    if (text.len == 0 || text.ptr[0] != '"')
        return str_find(text, ',', 0);
    size_t at = 1;
    while (at < text.len && (text.ptr[at] != '"' || (at + 1 < text.len && text.ptr[at + 1] == '"')))
        at += text.ptr[at] == '"' ? 2 : 1;
    return at < text.len ? at + 1 : at;
}

/* Room for a line however much its values grow. */
static enum status make_room(struct csv *csv, size_t line_len, struct err *err)
{
    size_t need = line_len + csv->n_fields * GROWTH_MAX + 2;
    if (csv->len + need <= csv->size)
        return STATUS_OK;
    enum status s = flush(csv, err);
    if (s != STATUS_OK || need <= csv->size)
        return s;
    char *grown = realloc(csv->chunk, need);
    if (grown == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while writing rows.");
    csv->chunk = grown;
    csv->size = need;
    return STATUS_OK;
}

static enum status put_line(void *cls, struct str line, struct err *err)
{
    struct csv *csv = cls;
    enum status s = make_room(csv, line.len, err);
    if (s != STATUS_OK)
        return s;
    struct str rest = str_sub(line, 0, line.len - 1); /* without LF */
    if (csv->n_fields == 1 && str_eq(rest, STR("\"\\.\"")))
        rest = STR("\\."); /* quoted only because COPY could take it for its end */
    for (size_t i = 0; i < csv->n_rewritten; i++) {
        size_t len = field_len(rest);
        put_field(csv, csv->kinds[i], str_sub(rest, 0, len));
        rest = str_sub(rest, len, rest.len);
        if (rest.len > 0) {
            put(csv, STR(","));
            rest = str_sub(rest, 1, rest.len);
        }
    }
    put(csv, rest);
    put(csv, STR("\r\n"));
    csv->n_rows++;
    return STATUS_OK;
}

/* Only the selected columns of the query's result; the order of a subquery is kept. */
static enum status select_only(const struct mart_query *query, struct arena *arena,
                               struct mart_sql *sql, struct err *err)
{
    struct buf out;
    size_t n = mart_query_width(query);
    if (n == query->n_select)
        return STATUS_OK;
    buf_init(&out, arena, SQL_BYTES_MAX);
    buf_add_c(&out, "SELECT ");
    for (size_t i = 0; i < query->n_select; i++)
        buf_printf(&out, "%sc%zu", i > 0 ? ", " : "", i);
    buf_printf(&out, " FROM (%s) AS page (", sql->text);
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%sc%zu", i > 0 ? ", " : "", i);
    buf_add_char(&out, ')');
    sql->text = buf_c_str(&out);
    return sql->text == NULL
               ? err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while preparing the query.")
               : STATUS_OK;
}

bool mart_read_has_csv(const struct db *db, const struct mart_query *query)
{
    return db_kind(db) == DB_POSTGRESQL && query->mart->is_managed && !query->is_backward;
}

static enum status csv_start(const struct mart_query *query, struct arena *arena, struct csv *csv,
                             struct err *err)
{
    csv->n_fields = query->n_select;
    csv->size = CHUNK_BYTES;
    csv->kinds = arena_array(arena, query->n_select, sizeof *csv->kinds);
    csv->chunk = malloc(CHUNK_BYTES);
    if (csv->kinds == NULL || csv->chunk == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while preparing the query.");
    for (size_t i = 0; i < query->n_select; i++) {
        csv->kinds[i] = query->mart->columns[query->select[i]].kind;
        if (is_rewritten(csv->kinds[i]))
            csv->n_rewritten = i + 1;
    }
    return STATUS_OK;
}

enum status mart_read_csv(struct db *db, const struct mart_query *query, struct arena *arena,
                          mart_sink_fn *sink, void *cls, int64_t *ret_rows, bool *ret_has_gap,
                          struct err *err)
{
    struct csv csv = {.sink = sink, .cls = cls};
    struct mart_query exact = *query;
    struct mart_sql sql = {0};
    if (exact.limit != MART_LIMIT_ALL)
        exact.limit--; /* a query runs for one row more */
    enum status s = csv_start(query, arena, &csv, err);
    if (s == STATUS_OK)
        s = mart_query_compile(&exact, DB_POSTGRESQL, arena, &sql, err);
    if (s == STATUS_OK)
        s = select_only(&exact, arena, &sql, err);
    if (s == STATUS_OK)
        s = generation_pin(db, query->generation, err);
    if (s == STATUS_OK)
        s = db_copy_csv(db, sql.text, sql.params, sql.n_params, put_line, &csv, err);
    if (s == STATUS_OK)
        s = flush(&csv, err);
    free(csv.chunk);
    if (s == STATUS_OK) {
        *ret_rows = csv.n_rows;
        *ret_has_gap = csv.has_gap;
    }
    return mart_query_explain(query, s, err);
}
