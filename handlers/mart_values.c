/* mart_values.c - the distinct values of one column, to choose a filter from. */
#include "handlers/handlers.h"

#include "handlers/database.h"
#include "handlers/mart_table.h"
#include "handlers/params.h"
#include "handlers/warnings.h"
#include "store/mart_group.h"

enum { SCRATCH_BYTES_MAX = 1 << 20 };

struct values {
    struct mart_table what;
    size_t column;
    int64_t limit;
};

static void values_end(struct values *values)
{
    mart_table_end(&values->what);
}

/* prefix= as a pattern in which only the end is open. */
static enum status add_prefix(struct request *request, struct values *values, struct err *err)
{
    struct mart_query *query = values->what.rows.query;
    const struct mart_column *column = &query->mart->columns[values->column];
    struct str prefix = request_param(request, "prefix");
    if (prefix.ptr == NULL)
        return STATUS_OK;
    if (column->kind != COLUMN_TEXT)
        return params_refuse(err, "prefix", prefix, "nothing: only text has beginnings");
    struct buf pattern;
    buf_init(&pattern, &request->arena, (size_t)16 * 1024);
    buf_add_c(&pattern, "like.");
    for (size_t i = 0; i < prefix.len; i++) {
        char c = prefix.ptr[i];
        if (c == '%' || c == '_' || c == '*' || c == '\\')
            buf_add_char(&pattern, '\\');
        buf_add_char(&pattern, c);
    }
    buf_add_char(&pattern, '%');
    if (pattern.failed)
        return params_refuse(err, "prefix", STR(""), "text of at most 1024 bytes");
    struct filter filter;
    enum status s =
        filter_parse(query->mart, column->name, buf_str(&pattern), &request->arena, &filter, err);
    if (s == STATUS_BAD_VALUE)
        return params_refuse(err, "prefix", str_utf8_cut(prefix, 64), "text of at most 1023 bytes");
    if (s == STATUS_OK)
        s = rows_add_filter(&values->what.rows, filter, err);
    return s != STATUS_OK ? s : mart_query_finish(query, &request->arena, err);
}

static enum status read_values(struct request *request, struct values *values, struct table *table,
                               struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(rows_clear) struct rows rows = {0};
    CLEANUP(arena_clear) struct arena scratch;
    const struct mart_query *query = values->what.rows.query;
    enum column_kind kind = query->mart->columns[values->column].kind;
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    enum status s = database_acquire(request, DB_READ_MARTS, &db, err);
    if (s == STATUS_OK)
        s = mart_values_open(db, query, values->column, values->limit + 1, &request->arena, &rows,
                             err);
    bool has_row = false;
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        if (table_rows(table) == (size_t)values->limit) {
            table_cut(table);
            break;
        }
        struct str value = mart_value_text(&rows, 0, kind, &scratch);
        s = table_row(table, &value, err);
        arena_reset(&scratch);
    }
    return s == STATUS_GENERATION_RETIRED ? rows_moved_on(err) : s;
}

static enum status fill(struct request *request, void *cls, struct table *table, struct err *err)
{
    struct values *values = cls;
    const struct mart *mart = values->what.rows.query->mart;
    struct table_column *column = ARENA_NEW(&request->arena, struct table_column);
    if (column == NULL)
        return err_out_of_memory(err);
    column->name = mart->columns[values->column].name;
    column->kind = mart->columns[values->column].kind;
    if (!mart->is_managed)
        table_warn(table, 1u << WARNING_UNMANAGED);
    enum status s = table_columns(table, column, 1, err);
    return s != STATUS_OK ? s : read_values(request, values, table, err);
}

static void put_meta(struct json_out *json, void *cls)
{
    const struct values *values = cls;
    mart_table_put_meta(json, &values->what);
}

enum status mart_values_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"prefix", "limit", MART_TABLE_PARAMETERS};
    CLEANUP(values_end) struct values values = {.limit = MART_LIMIT_DEFAULT};
    enum status s = mart_table_begin(request, names, ARRAY_LEN(names), false, &values.what, err);
    if (s == STATUS_OK)
        s = params_i64(request, "limit", 1, MART_LIMIT_MAX, &values.limit, err);
    if (s != STATUS_OK)
        return s;
    const struct mart *mart = values.what.rows.query->mart;
    int column = mart_column_index(mart, request->path_params[1]);
    if (column < 0) {
        s = mart_unknown_column(mart, request->path_params[1], "column", err);
        return s;
    }
    values.column = (size_t)column;
    s = add_prefix(request, &values, err);
    struct buf detail;
    buf_init(&detail, &request->arena, 256);
    buf_printf(&detail, "%zu|%lld", values.column, (long long)values.limit);
    values.what.detail = buf_str(&detail);
    return s != STATUS_OK ? s
                          : mart_table_answer(request, &values.what, fill, put_meta, &values, err);
}
