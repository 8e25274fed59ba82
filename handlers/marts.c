/* marts.c - the catalogue of marts and the rows of each. */
#include "handlers/handlers.h"

#include "base/json_out.h"
#include "handlers/document.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"

#include "base/date.h"

enum { BODY_MAX = 4 * 1024 * 1024 };

/* Parameters of rows that are not column names. */
static const char *const rows_parameters[] = {"select", "order", "limit",         "offset",
                                              "cursor", "count", "generation",    "from",
                                              "to",     "last",  TABLE_PARAMETERS};

static void put_instant(struct json_out *json, const char *key, int64_t seconds)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(seconds, text);
    jw_key_text(json, key, seconds == 0 ? STR_NONE : str_of(text));
}

static void put_count(struct json_out *json, const char *key, int64_t n)
{
    if (n < 0)
        jw_key_null(json, key);
    else
        jw_key_i64(json, key, n);
}

static void put_key(struct json_out *json, const struct mart *mart)
{
    jw_key(json, "key");
    jw_array(json);
    for (size_t i = 0; i < mart->n_key; i++)
        jw_str(json, mart->columns[mart->key[i]].name);
    jw_end_array(json);
}

/* How rows are sorted when nothing is asked for: what order= would say. */
static void put_default_order(struct json_out *json, const struct mart *mart)
{
    jw_key(json, "default_order");
    jw_array(json);
    for (size_t i = 0; i < mart->n_key; i++)
        jw_str(json, mart->columns[mart->key[i]].name);
    jw_end_array(json);
}

static void put_formats(struct json_out *json)
{
    jw_key(json, "formats");
    jw_array(json);
    for (unsigned format = 0; format < FORMAT_COUNT; format++)
        if ((ROWS_FORMATS >> format & 1) != 0)
            jw_str(json, str_of(format_media_type((enum format)format)));
    jw_end_array(json);
}

static void put_mart(struct json_out *json, const struct mart *mart)
{
    jw_key_text(json, "name", mart->name);
    jw_key_text(json, "title", mart->title);
    jw_key_text(json, "description", mart->description);
    jw_key_text(json, "grain", mart->grain);
    put_key(json, mart);
    jw_key_text(json, "time_column",
                mart->time_column < 0 ? STR_NONE : mart->columns[mart->time_column].name);
    jw_key_bool(json, "is_managed", mart->is_managed);
    if (mart->is_managed)
        jw_key_i64(json, "generation", mart->generation);
    else
        jw_key_null(json, "generation");
    jw_key_text(json, "as_of", mart->as_of.len == 0 ? STR_NONE : mart->as_of);
    put_instant(json, "published_at", mart->published_at);
    put_count(json, "rows", mart->n_rows);
    put_default_order(json, mart);
    put_formats(json);
}

static void put_address(struct json_out *json, const char *key, const struct mart *mart,
                        const char *end, struct arena *arena)
{
    struct buf url;
    buf_init(&url, arena, 512);
    buf_printf(&url, "/v1/marts/%.*s%s", STR_ARG(mart->name), end);
    if (key != NULL)
        jw_key(json, key);
    jw_str(json, buf_str(&url));
}

static void put_links(struct json_out *json, const struct mart *mart, struct arena *arena)
{
    jw_key(json, "links");
    jw_object(json);
    put_address(json, "self", mart, "", arena);
    put_address(json, "rows", mart, "/rows", arena);
    put_address(json, "schema", mart, "/schema", arena);
    put_address(json, "values", mart, "/values/{column}", arena);
    put_address(json, "facets", mart, "/facets", arena);
    put_address(json, "aggregate", mart, "/aggregate", arena);
    jw_end_object(json);
}

static bool is_number(enum column_kind kind)
{
    return kind == COLUMN_INT || kind == COLUMN_DECIMAL || kind == COLUMN_FLOAT;
}

static void put_operators(struct json_out *json, const struct mart_column *column)
{
    enum filter_op op = OP_EQ;
    struct str name;
    jw_key(json, "operators");
    jw_array(json);
    for (size_t i = 0; (name = filter_op_name(i, &op)).ptr != NULL; i++)
        if (filter_op_fits(op, column->kind))
            jw_str(json, name);
    jw_end_array(json);
}

static void put_columns(struct json_out *json, const struct mart *mart)
{
    jw_key(json, "columns");
    jw_array(json);
    for (size_t i = 0; i < mart->n_columns; i++) {
        const struct mart_column *column = &mart->columns[i];
        bool is_measure = is_number(column->kind) && !column->is_key;
        jw_object(json);
        jw_key_text(json, "name", column->name);
        jw_key_text(json, "type", column->type);
        jw_key_c(json, "json_type", column_kind_json(column->kind));
        jw_key_c(json, "role", is_measure ? "measure" : "dimension");
        jw_key_bool(json, "is_nullable", column->is_nullable);
        jw_key_bool(json, "is_key", column->is_key);
        jw_key_bool(json, "is_indexed", column->is_indexed);
        /* Beyond what a double holds; floats are doubles themselves. */
        jw_key_bool(json, "is_big", column->kind == COLUMN_INT || column->kind == COLUMN_DECIMAL);
        jw_key_text(json, "unit", column->unit.len == 0 ? STR_NONE : column->unit);
        jw_key_text(json, "description",
                    column->description.len == 0 ? STR_NONE : column->description);
        put_operators(json, column);
        jw_end_object(json);
    }
    jw_end_array(json);
}

static void put_examples(struct json_out *json, const struct mart *mart, struct arena *arena)
{
    struct buf newest;
    buf_init(&newest, arena, 512);
    jw_key(json, "examples");
    jw_array(json);
    put_address(json, NULL, mart, "/rows?limit=5&count=exact", arena);
    if (mart->time_column >= 0) {
        buf_printf(&newest, "/rows?last=30d&order=%.*s.desc&format=csv",
                   STR_ARG(mart->columns[mart->time_column].name));
        put_address(json, NULL, mart, buf_c_str(&newest), arena);
    }
    put_address(json, NULL, mart, "/aggregate?metrics=count:*", arena);
    jw_end_array(json);
}

/* What the two catalogue resources share: no parameters but format, JSON only, a catalogue. */
static enum status start(struct request *request, struct catalog **ret, struct err *err)
{
    static const char *const names[] = {"format"};
    enum format format;
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = negotiate_format(request, 1 << FORMAT_JSON, &format, err);
    return s != STATUS_OK ? s : rows_catalog(request, ret, err);
}

enum status marts_list(struct request *request, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    enum status s = start(request, &catalog, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_MAX, &out, &json);
    jw_array(&json);
    for (size_t i = 0; i < catalog->n_marts; i++) {
        jw_object(&json);
        put_mart(&json, &catalog->marts[i]);
        put_links(&json, &catalog->marts[i], &request->arena);
        jw_end_object(&json);
    }
    jw_end_array(&json);
    jw_key(&json, "meta");
    jw_object(&json);
    jw_key_i64(&json, "generation", catalog->generation);
    jw_key_i64(&json, "oldest_generation", catalog->oldest_generation);
    jw_end_object(&json);
    document_end(&json);
    return document_tagged(request, catalog->generation, "public, max-age=60",
                           format_media_type(FORMAT_JSON), &out, err);
}

enum status mart_get(struct request *request, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    enum status s = start(request, &catalog, err);
    if (s != STATUS_OK)
        return s;
    const struct mart *mart = catalog_mart(catalog, request->path_params[0]);
    if (mart == NULL)
        return catalog_unknown_mart(catalog, request->path_params[0], err);
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_MAX, &out, &json);
    jw_object(&json);
    put_mart(&json, mart);
    put_columns(&json, mart);
    put_examples(&json, mart, &request->arena);
    put_links(&json, mart, &request->arena);
    jw_end_object(&json);
    document_end(&json);
    return document_tagged(request, catalog->generation, "public, max-age=60",
                           format_media_type(FORMAT_JSON), &out, err);
}

enum status mart_rows_get(struct request *request, struct err *err)
{
    CLEANUP(rows_end) struct rows_request rows = {.has_parent = true};
    enum status s = rows_begin(request, request->path_params[0], &rows, err);
    if (s == STATUS_OK)
        s = rows_read_filters(request, &rows, rows_parameters, ARRAY_LEN(rows_parameters), err);
    if (s == STATUS_OK)
        s = rows_add_window(request, &rows, err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}
