/* rows_render.c - reads the page behind rows_answer from the database and writes it as a table. */
#include "handlers/rows_render.h"

#include "base/date.h"
#include "handlers/cursor.h"
#include "handlers/database.h"
#include "handlers/rows_count.h"
#include "handlers/rows_warnings.h"
#include "handlers/urls.h"
#include "handlers/warnings.h"
#include "server/app.h"
#include "store/mart_read.h"

#include <string.h>

enum { SCRATCH_BYTES_MAX = 16 * 1024 * 1024 };

/* Columns from which a warning follows; read with every page, shown only when selected. */
enum { FROM_SOURCE, FROM_QUALITY, FROM_BIAS, WARNING_COLUMNS };
static const char *const warning_columns[WARNING_COLUMNS] = {"source", "quality",
                                                             "is_survivor_biased"};

/* A page while it is read. */
struct reading {
    struct request *request;
    struct rows_page *page;
    struct table *table;
    size_t n_shown; /* selected columns that the client sees; hidden ones for warnings follow */
    int at
        [WARNING_COLUMNS]; /* result column of each of warning_columns; -1 when the mart has none */
    struct arena scratch;  /* of one row */
    struct str *values;    /* of the row at hand, one for each column shown */
    enum column_kind *kinds;
};

static int selected_at(const struct mart_query *query, size_t column)
{
    for (size_t i = 0; i < query->n_select; i++)
        if (query->select[i] == column)
            return (int)i;
    return -1;
}

/* Adds the hidden columns to the query. */
static enum status add_warning_columns(struct reading *reading, struct err *err)
{
    struct mart_query *query = reading->page->rows->query;
    size_t *select =
        arena_array(&reading->request->arena, query->n_select + WARNING_COLUMNS, sizeof *select);
    if (select == NULL)
        return err_out_of_memory(err);
    memcpy(select, query->select, query->n_select * sizeof *select);
    reading->n_shown = query->n_select;
    query->select = select;
    for (size_t i = 0; i < WARNING_COLUMNS; i++) {
        int column = mart_column_index(query->mart, str_of(warning_columns[i]));
        reading->at[i] = column < 0 ? -1 : selected_at(query, (size_t)column);
        if (column < 0 || reading->at[i] >= 0)
            continue;
        reading->at[i] = (int)query->n_select;
        query->select[query->n_select] = (size_t)column;
        query->n_select++;
    }
    return STATUS_OK;
}

static enum status declare_columns(struct reading *reading, struct err *err)
{
    const struct mart_query *query = reading->page->rows->query;
    struct arena *arena = &reading->request->arena;
    struct table_column *columns = arena_array(arena, reading->n_shown, sizeof *columns);
    reading->values = arena_array(arena, reading->n_shown, sizeof *reading->values);
    reading->kinds = arena_array(arena, reading->n_shown, sizeof *reading->kinds);
    if (columns == NULL || reading->values == NULL || reading->kinds == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < reading->n_shown; i++) {
        const struct mart_column *column = &query->mart->columns[query->select[i]];
        columns[i] = (struct table_column){mart_query_name(query, i), column->kind};
        reading->kinds[i] = column->kind;
    }
    return table_columns(reading->table, columns, reading->n_shown, err);
}

/* The text of a column that warnings follow from; ptr NULL when the mart has none. */
static struct str text_of(const struct reading *reading, const struct rows *result, size_t which)
{
    int at = reading->at[which];
    if (at < 0)
        return STR_NONE;
    return (size_t)at < reading->n_shown ? reading->values[at] : rows_text(result, (size_t)at);
}

static void note_warnings(const struct reading *reading, const struct rows *result)
{
    int at_bias = reading->at[FROM_BIAS];
    int64_t quality = 0;
    bool is_biased = (str_to_i64(text_of(reading, result, FROM_QUALITY), &quality) &&
                      (quality & QUALITY_SURVIVOR_BIASED) != 0) ||
                     (at_bias >= 0 && rows_bool(result, (size_t)at_bias));
    if (str_eq(text_of(reading, result, FROM_SOURCE), STR("simulated")))
        table_warn(reading->table, 1u << WARNING_SIMULATED);
    if (is_biased)
        table_warn(reading->table, 1u << WARNING_SURVIVOR_BIAS);
}

/* Keeps the order values of a row from which another page may begin. */
static enum status remember(const struct reading *reading, const struct rows *result,
                            struct cursor *last, struct err *err)
{
    const struct mart_query *query = reading->page->rows->query;
    struct arena *arena = &reading->request->arena;
    last->values = arena_array(arena, query->n_order, sizeof *last->values);
    if (last->values == NULL)
        return err_out_of_memory(err);
    last->n_values = query->n_order;
    for (size_t i = 0; i < query->n_order; i++) {
        enum column_kind kind = query->mart->columns[query->order[i].column].kind;
        struct str text =
            mart_value_text(result, mart_query_order_result_column(query, i), kind, arena);
        if (text.ptr == NULL)
            continue;
        char *copy = arena_dup(arena, text);
        if (copy == NULL)
            return err_out_of_memory(err);
        last->values[i] = (struct str){copy, text.len};
    }
    return STATUS_OK;
}

static enum status link_to(const struct reading *reading, struct cursor *from, bool is_backward,
                           struct err *err)
{
    struct request *request = reading->request;
    struct str text, url;
    from->is_backward = is_backward;
    from->generation = reading->page->rows->version.generation;
    from->query = reading->page->canonical;
    enum status s = cursor_encode(from, &request->arena, &text, err);
    if (s == STATUS_OK)
        s = url_with_cursor(request, text, &url, err);
    if (s != STATUS_OK)
        return s;
    return is_backward ? table_prev(reading->table, url, err)
                       : table_next(reading->table, url, err);
}

static enum status put_row(struct reading *reading, const struct rows *result, struct err *err)
{
    if (mart_row_texts(result, reading->kinds, reading->n_shown, &reading->scratch,
                       reading->values)) /* NaN, Infinity */
        table_warn(reading->table, 1u << WARNING_NOT_FINITE);
    note_warnings(reading, result);
    enum status s = table_sound_row(reading->table, reading->values, err);
    arena_reset(&reading->scratch);
    return s;
}

/* A backward page says how many rows it found, one more than shown when there are others before them. */
static int64_t page_rows(const struct mart_query *query, const struct rows *result, bool *ret_more)
{
    if (!query->is_backward)
        return query->limit == MART_LIMIT_ALL ? INT64_MAX : query->limit;
    int64_t n = rows_i64(result, mart_query_width(query));
    *ret_more = n > query->limit;
    return *ret_more ? query->limit : n;
}

static enum status link_pages(const struct reading *reading, struct cursor *first,
                              struct cursor *last, bool has_before, bool has_after, struct err *err)
{
    enum status s = STATUS_OK;
    if (reading->page->rows->is_single)
        return s;
    if (has_before)
        s = link_to(reading, first, true, err);
    return s == STATUS_OK && has_after ? link_to(reading, last, false, err) : s;
}

static enum status put_rows(struct reading *reading, struct rows *result, struct err *err)
{
    const struct mart_query *query = reading->page->rows->query;
    struct cursor first = {0}, last = {0};
    int64_t n = 0;
    bool has_row = true;
    enum status s = rows_next(result, &has_row, err);
    bool has_before = !query->is_backward && (query->after != NULL || query->offset > 0);
    int64_t n_max = s == STATUS_OK && has_row ? page_rows(query, result, &has_before) : 0;
    has_before = has_before && has_row;
    while (s == STATUS_OK && has_row && n < n_max) {
        s = put_row(reading, result, err);
        n++;
        if (s == STATUS_OK && n == 1 && has_before)
            s = remember(reading, result, &first, err);
        if (s == STATUS_OK && n == n_max)
            s = remember(reading, result, &last, err);
        if (s == STATUS_OK)
            s = rows_next(result, &has_row, err);
    }
    bool has_after = query->is_backward ? n > 0 : has_row;
    return s != STATUS_OK ? s : link_pages(reading, &first, &last, has_before, has_after, err);
}

static enum status add_line(void *cls, struct str lines, struct err *err)
{
    return table_lines(cls, lines, err);
}

/* Asked once for each version: it can mean looking at every row. */
static enum status find_warnings(const struct reading *reading, struct db *db, struct err *err)
{
    struct request *request = reading->request;
    const struct rows_request *rows = reading->page->rows;
    struct str key = counts_key(request, rows, STR("warnings"));
    int64_t known = 0;
    unsigned warnings = 0;
    enum status s = STATUS_OK;
    if (counts_find(request->app->counts, key, &known)) {
        warnings = (unsigned)known;
    } else {
        s = rows_find_warnings(db, rows->query, &request->arena, &warnings, err);
        if (s == STATUS_OK)
            counts_keep(request->app->counts, key, warnings);
    }
    table_warn(reading->table, warnings);
    return s;
}

/* The database writes the lines; what the rows warn of is asked in front of them. */
static enum status copy_lines(struct reading *reading, struct db *db, struct err *err)
{
    const struct mart_query *query = reading->page->rows->query;
    struct arena *arena = &reading->request->arena;
    int64_t n = 0;
    bool has_gap = false;
    reading->n_shown = query->n_select;
    enum status s = find_warnings(reading, db, err);
    if (s == STATUS_OK)
        s = declare_columns(reading, err);
    if (s == STATUS_OK)
        s = mart_read_csv(db, query, arena, add_line, reading->table, &n, &has_gap, err);
    if (has_gap)
        table_warn(reading->table, 1u << WARNING_NOT_FINITE);
    if (s == STATUS_OK)
        table_lines_end(reading->table, (size_t)n);
    return s;
}

static enum status write_rows(struct reading *reading, struct db *db, struct err *err)
{
    CLEANUP(rows_clear) struct rows result = {0};
    struct arena *arena = &reading->request->arena;
    struct mart_query *query = reading->page->rows->query;
    bool is_stream = query->limit == MART_LIMIT_ALL;
    if (is_stream && table_takes_lines(reading->table) && mart_read_has_csv(db, query))
        return copy_lines(reading, db, err);
    enum status s = add_warning_columns(reading, err);
    if (s == STATUS_OK)
        s = declare_columns(reading, err);
    if (s == STATUS_OK)
        s = is_stream ? mart_read_stream(db, query, arena, &result, err)
                      : mart_read_page(db, query, arena, &result, err);
    return s != STATUS_OK ? s : put_rows(reading, &result, err);
}

static enum status read_page(struct reading *reading, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct request *request = reading->request;
    const struct rows_request *rows = reading->page->rows;
    enum status s = database_acquire(request, DB_READ_MARTS, &db, err);
    if (s == STATUS_OK)
        s = write_rows(reading, db, err);
    if (s == STATUS_OK && table_rows(reading->table) == 0 && rows->when_empty != NULL)
        s = rows->when_empty(request, db, rows->read_at, err);
    if (s == STATUS_OK)
        s = rows_count(request, rows, db, &reading->page->count, &reading->page->count_quality,
                       err);
    if (s == STATUS_OK && reading->page->count >= 0)
        reply_header(request, "X-Total-Count", "%lld", (long long)reading->page->count);
    return s;
}

enum status rows_fill(struct request *request, void *cls, struct table *table, struct err *err)
{
    struct rows_page *page = cls;
    struct reading reading = {.request = request, .page = page, .table = table};
    if (!page->rows->query->mart->is_managed && !page->rows->query->mart->is_internal)
        table_warn(table, 1u << WARNING_UNMANAGED);
    arena_init(&reading.scratch, SCRATCH_BYTES_MAX);
    enum status s = read_page(&reading, err);
    arena_clear(&reading.scratch);
    return s == STATUS_GENERATION_RETIRED ? rows_moved_on(err) : s;
}

void rows_put_version(struct json_out *json, const struct rows_request *rows)
{
    const struct mart *mart = rows->query->mart;
    char published[INSTANT_TEXT_BYTES];
    jw_key_text(json, "mart", mart->name);
    if (mart->is_managed)
        jw_key_i64(json, "generation", rows->version.generation);
    else
        jw_key_null(json, "generation");
    jw_key_text(json, "as_of", rows->version.as_of.len == 0 ? STR_NONE : rows->version.as_of);
    instant_format(rows->version.published_at, published);
    jw_key_text(json, "published_at",
                rows->version.published_at == 0 ? STR_NONE : str_of(published));
}

void rows_put_meta(struct json_out *json, void *cls)
{
    const struct rows_page *page = cls;
    const struct rows_request *rows = page->rows;
    rows_put_version(json, rows);
    if (rows->is_single)
        return;
    if (page->count < 0)
        jw_key_null(json, "count");
    else
        jw_key_i64(json, "count", page->count);
    jw_key_c(json, "count_quality", page->count_quality);
    if (rows->query->limit == MART_LIMIT_ALL)
        jw_key_null(json, "page_size");
    else
        jw_key_i64(json, "page_size", rows->query->limit);
}
