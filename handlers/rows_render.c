/* rows_render.c - the page writer behind rows_answer. */
#include "handlers/rows_render.h"

#include "base/date.h"
#include "handlers/cursor.h"
#include "handlers/urls.h"
#include "handlers/warnings.h"

#include <string.h>

enum { QUALITY_SURVIVOR_BIASED = 16 };

/* Columns from which a warning follows; read with every page, shown only when selected. */
static const char *const warning_columns[] = {"source", "quality", "is_survivor_biased"};

static bool is_selected(const struct mart_query *query, size_t column)
{
    for (size_t i = 0; i < query->n_select; i++)
        if (query->select[i] == column)
            return true;
    return false;
}

enum status rows_page_start(struct rows_page *page, struct err *err)
{
    struct mart_query *query = page->rows->query;
    size_t *select = arena_array(&page->request->arena,
                                 query->n_select + ARRAY_LEN(warning_columns), sizeof *select);
    if (select == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    memcpy(select, query->select, query->n_select * sizeof *select);
    page->n_shown = query->n_select;
    query->select = select;
    for (size_t i = 0; i < ARRAY_LEN(warning_columns); i++) {
        int column = mart_column_index(query->mart, str_of(warning_columns[i]));
        if (column >= 0 && !is_selected(query, (size_t)column)) {
            query->select[query->n_select] = (size_t)column;
            query->n_select++;
        }
    }
    buf_init(&page->out, &page->request->arena, SIZE_MAX / 4);
    return STATUS_OK;
}

static const struct mart_column *column_of(const struct rows_page *page, size_t i)
{
    const struct mart_query *query = page->rows->query;
    return &query->mart->columns[query->select[i]];
}

static void note_warnings(struct rows_page *page, const struct rows *result)
{
    for (size_t i = 0; i < page->rows->query->n_select; i++) {
        struct str name = column_of(page, i)->name;
        if (str_eq_c(name, "source"))
            page->has_simulated |= str_eq_c(rows_text(result, i), "simulated");
        else if (str_eq_c(name, "quality"))
            page->has_survivor_bias |= (rows_i64(result, i) & QUALITY_SURVIVOR_BIASED) != 0;
        else if (str_eq_c(name, "is_survivor_biased"))
            page->has_survivor_bias |= rows_bool(result, i);
    }
}

/* -?digits(.digits)?(e[+-]digits)?: what JSON takes as a number, and nothing a column could smuggle in. */
static bool is_json_number(struct str s)
{
    size_t at = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    bool is_digit = false;
    for (; at < s.len; at++) {
        char c = s.ptr[at];
        bool is_mark = is_digit && (c == '.' || c == 'e');
        bool is_sign = at > 0 && s.ptr[at - 1] == 'e' && (c == '+' || c == '-');
        is_digit = c >= '0' && c <= '9';
        if (!is_digit && !is_mark && !is_sign)
            return false;
    }
    return is_digit;
}

/* Decimals and doubles are JSON numbers in their own digits; NaN and infinities have no JSON form. */
static void put_json_value(struct json_out *json, enum column_kind kind, struct str text)
{
    bool is_number = kind == COLUMN_INT || kind == COLUMN_DECIMAL || kind == COLUMN_FLOAT;
    if (text.ptr == NULL || (is_number && !is_json_number(text)))
        jw_null(json);
    else if (is_number)
        jw_raw(json, text);
    else if (kind == COLUMN_BOOL)
        jw_bool(json, str_eq_c(text, "true"));
    else
        jw_str(json, text);
}

static void put_json_row(struct rows_page *page, struct json_out *json, const struct rows *result,
                         struct arena *scratch)
{
    jw_object(json);
    for (size_t i = 0; i < page->n_shown; i++) {
        const struct mart_column *column = column_of(page, i);
        jw_key_str(json, column->name);
        put_json_value(json, column->kind, mart_value_text(result, i, column->kind, scratch));
    }
    jw_end_object(json);
}

/* RFC 4180: a field with a comma, quote or line break is quoted; "" is the empty string, nothing is NULL. */
static void put_csv_field(struct buf *out, struct str text)
{
    if (text.ptr == NULL)
        return;
    bool is_plain = text.len > 0;
    for (size_t i = 0; i < text.len && is_plain; i++)
        is_plain = strchr(",\"\r\n", text.ptr[i]) == NULL;
    if (is_plain) {
        buf_add(out, text);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, text.ptr[i]);
    }
    buf_add_char(out, '"');
}

static void put_csv_header(struct rows_page *page)
{
    for (size_t i = 0; i < page->n_shown; i++) {
        if (i > 0)
            buf_add_char(&page->out, ',');
        put_csv_field(&page->out, column_of(page, i)->name);
    }
    buf_add(&page->out, STR("\r\n"));
}

static void put_csv_row(struct rows_page *page, const struct rows *result, struct arena *scratch)
{
    for (size_t i = 0; i < page->n_shown; i++) {
        if (i > 0)
            buf_add_char(&page->out, ',');
        put_csv_field(&page->out, mart_value_text(result, i, column_of(page, i)->kind, scratch));
    }
    buf_add(&page->out, STR("\r\n"));
}

/* Keeps the order values of the row that may turn out to be the page's last. */
static enum status remember(const struct rows_page *page, const struct rows *result,
                            struct cursor *last, struct err *err)
{
    const struct mart_query *query = page->rows->query;
    struct arena *arena = &page->request->arena;
    last->values = arena_array(arena, query->n_order, sizeof *last->values);
    if (last->values == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    last->n_values = query->n_order;
    for (size_t i = 0; i < query->n_order; i++) {
        enum column_kind kind = query->mart->columns[query->order[i].column].kind;
        struct str text =
            mart_value_text(result, mart_query_order_result_column(query, i), kind, arena);
        if (text.ptr == NULL)
            continue;
        char *copy = arena_dup(arena, text);
        if (copy == NULL)
            return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
        last->values[i] = (struct str){copy, text.len};
    }
    return STATUS_OK;
}

static enum status link_next(struct rows_page *page, struct cursor *last, struct err *err)
{
    last->generation = page->rows->version.generation;
    last->query = page->canonical;
    struct str text;
    enum status s = cursor_encode(last, &page->request->arena, &text, err);
    return s != STATUS_OK ? s : url_with_cursor(page->request, text, &page->next, err);
}

unsigned rows_page_warnings(const struct rows_page *page)
{
    return (page->has_simulated ? 1u << WARNING_SIMULATED : 0) |
           (page->has_survivor_bias ? 1u << WARNING_SURVIVOR_BIAS : 0) |
           (page->rows->query->mart->is_managed ? 0 : 1u << WARNING_UNMANAGED);
}

static void put_meta(struct rows_page *page, struct json_out *json)
{
    const struct mart_query *query = page->rows->query;
    const struct mart *mart = query->mart;
    jw_key(json, "meta");
    jw_object(json);
    jw_key_text(json, "mart", mart->name);
    if (mart->is_managed)
        jw_key_i64(json, "generation", page->rows->version.generation);
    else
        jw_key_null(json, "generation");
    jw_key_text(json, "as_of",
                page->rows->version.as_of.len == 0 ? STR_NONE : page->rows->version.as_of);
    if (!page->rows->is_single) {
        jw_key_i64(json, "page_size", query->limit);
        jw_key_i64(json, "returned", (int64_t)page->n_rows);
        jw_key_bool(json, "truncated", page->next.ptr != NULL);
    }
    warnings_put(json, rows_page_warnings(page));
    jw_end_object(json);
}

static void put_links(struct rows_page *page, struct json_out *json)
{
    jw_key(json, "links");
    jw_object(json);
    jw_key_text(json, "self", page->request->target);
    if (!page->rows->is_single)
        jw_key_text(json, "next", page->next);
    struct buf about;
    buf_init(&about, &page->request->arena, 256);
    buf_printf(&about, "/v1/marts/%.*s", STR_ARG(page->rows->query->mart->name));
    jw_key_text(json, "describedby", buf_str(&about));
    jw_end_object(json);
}

static enum status put_rows(struct rows_page *page, struct json_out *json, struct rows *result,
                            struct arena *scratch, struct err *err)
{
    const struct mart_query *query = page->rows->query;
    struct cursor last = {0};
    bool has_row = true;
    enum status s = rows_next(result, &has_row, err);
    while (s == STATUS_OK && has_row && page->n_rows < (size_t)query->limit) {
        note_warnings(page, result);
        if (page->format == FORMAT_CSV)
            put_csv_row(page, result, scratch);
        else
            put_json_row(page, json, result, scratch);
        arena_reset(scratch);
        page->n_rows++;
        if (page->n_rows == (size_t)query->limit)
            s = remember(page, result, &last, err);
        if (s == STATUS_OK)
            s = rows_next(result, &has_row, err);
    }
    return s == STATUS_OK && has_row ? link_next(page, &last, err) : s;
}

enum status rows_render(struct rows_page *page, struct rows *result, struct err *err)
{
    struct json_out json;
    jw_init(&json, &page->out);
    bool is_json = page->format == FORMAT_JSON;
    bool is_list = is_json && !page->rows->is_single;
    if (is_json) {
        jw_object(&json);
        jw_key(&json, "data");
        if (is_list)
            jw_array(&json);
    } else {
        put_csv_header(page);
    }
    struct arena scratch;
    arena_init(&scratch, (size_t)16 * 1024 * 1024);
    enum status s = put_rows(page, &json, result, &scratch, err);
    arena_clear(&scratch);
    if (s != STATUS_OK || !is_json || (page->rows->is_single && page->n_rows == 0))
        return s;
    if (is_list)
        jw_end_array(&json);
    put_meta(page, &json);
    put_links(page, &json);
    jw_end_object(&json);
    buf_add_char(&page->out, '\n');
    return STATUS_OK;
}
