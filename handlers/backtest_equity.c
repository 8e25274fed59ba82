/* backtest_equity.c - the lines of a stored backtest as rows: JSON, CSV and the tables' formats. */
#include "handlers/handlers.h"

#include "base/json_in.h"
#include "base/json_out.h"
#include "base/number.h"
#include "handlers/backtest_read.h"
#include "handlers/backtest_select.h"
#include "handlers/document.h"
#include "handlers/negotiate.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"

#include <math.h>
#include <stdio.h>

/* data.equity of a stored answer, read back: doubles survive the trip because they are written in full. */
struct equity {
    struct json_val warnings; /* meta.warnings: what is said of the answer holds for its equity */
    struct str warnings_text; /* the same, as it stands in the answer */
    struct json_val date;
    double *columns[3]; /* NULL for a column that is null as a whole */
    size_t n;
};

static const char *const equity_names[] = {"equity", "drawdown", "benchmark"};

static enum status read_equity(struct json_doc *doc, struct arena *arena, struct equity *ret,
                               struct err *err)
{
    struct json_val equity = jr_member(jr_member(jr_root(doc), "data"), "equity");
    ret->warnings = jr_member(jr_member(jr_root(doc), "meta"), "warnings");
    ret->date = jr_member(equity, "date");
    ret->n = jr_length(ret->date);
    for (size_t i = 0; i < ARRAY_LEN(equity_names); i++) {
        struct json_val column = jr_member(equity, equity_names[i]);
        ret->columns[i] = NULL;
        if (!jr_is_present(column))
            continue;
        if (jr_length(column) != ret->n)
            return err_set(err, STATUS_INTERNAL, "The stored backtest is damaged.");
        ret->columns[i] = arena_array(arena, ret->n, sizeof(double));
        if (ret->columns[i] == NULL)
            return err_out_of_memory(err);
        enum status s = jr_read_f64_array(column, ret->columns[i], err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

static bool has_value(const struct equity *equity, size_t column, size_t row)
{
    return equity->columns[column] != NULL && isfinite(equity->columns[column][row]);
}

static struct str warning_text(const struct equity *equity, size_t i, const char *key)
{
    struct str text = STR_NONE;
    return jr_read_str(jr_member(jr_item(equity->warnings, i), key), 0, SIZE_MAX, &text, NULL) ==
                   STATUS_OK
               ? text
               : STR("");
}

/* CSV has no place for warnings: their codes go into a header. */
static void set_warnings_header(struct request *request, const struct equity *equity)
{
    struct buf codes;
    buf_init(&codes, &request->arena, 4096);
    for (size_t i = 0; i < jr_length(equity->warnings); i++) {
        buf_add_c(&codes, i == 0 ? "" : ", ");
        buf_add(&codes, warning_text(equity, i, "code"));
    }
    if (codes.len > 0)
        reply_header(request, "Data-Warnings", "%.*s", STR_ARG(buf_str(&codes)));
}

static void write_equity_json(const struct equity *equity, struct str id, struct buf *out)
{
    struct json_out json;
    jw_init(&json, out);
    jw_object(&json);
    jw_key(&json, "data");
    jw_array(&json);
    for (size_t row = 0; row < equity->n; row++) {
        jw_object(&json);
        jw_key_text(&json, "date", jr_text_at(equity->date, row));
        for (size_t i = 0; i < ARRAY_LEN(equity_names); i++) {
            jw_key(&json, equity_names[i]);
            if (has_value(equity, i, row))
                jw_f64(&json, equity->columns[i][row]);
            else
                jw_null(&json);
        }
        jw_end_object(&json);
    }
    jw_end_array(&json);
    jw_key(&json, "meta");
    jw_object(&json);
    jw_key_text(&json, "backtest", id);
    jw_key_i64(&json, "returned", (int64_t)equity->n);
    jw_key(&json, "warnings");
    jw_raw(&json, equity->warnings_text);
    jw_end_object(&json);
    jw_end_object(&json);
    buf_add_char(out, '\n');
}

static void write_equity_csv(const struct equity *equity, struct buf *out)
{
    buf_add(out, STR("date,equity,drawdown,benchmark\r\n"));
    for (size_t row = 0; row < equity->n; row++) {
        buf_add(out, jr_text_at(equity->date, row));
        for (size_t i = 0; i < ARRAY_LEN(equity_names); i++) {
            char text[NUMBER_TEXT_BYTES];
            buf_add_char(out, ',');
            if (has_value(equity, i, row))
                buf_add(out, (struct str){text, number_format(equity->columns[i][row], text)});
        }
        buf_add(out, STR("\r\n"));
    }
}

/* Values as text in the columns of a table. */
static enum status put_rows(const struct equity *equity, struct table *table, struct err *err)
{
    static const struct table_column columns[] = {{{"date", 4}, COLUMN_DATE},
                                                  {{"equity", 6}, COLUMN_FLOAT},
                                                  {{"drawdown", 8}, COLUMN_FLOAT},
                                                  {{"benchmark", 9}, COLUMN_FLOAT}};
    enum status s = table_columns(table, columns, ARRAY_LEN(columns), err);
    for (size_t row = 0; row < equity->n && s == STATUS_OK; row++) {
        char text[ARRAY_LEN(equity_names)][NUMBER_TEXT_BYTES];
        struct str values[ARRAY_LEN(columns)] = {jr_text_at(equity->date, row)};
        for (size_t i = 0; i < ARRAY_LEN(equity_names); i++)
            if (has_value(equity, i, row))
                values[i + 1] =
                    (struct str){text[i], number_format(equity->columns[i][row], text[i])};
        s = table_row(table, values, err);
    }
    return s;
}

static enum status fill_equity(struct request *request, void *cls, struct table *table,
                               struct err *err)
{
    CLEANUP(blob_unrefp) struct blob *blob = NULL;
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str body;
    struct equity equity;
    (void)cls;
    enum status s = backtest_body(request, &blob, &body, err);
    if (s == STATUS_OK)
        s = jr_parse(body, &request->arena, &doc, err);
    if (s == STATUS_OK)
        s = read_equity(doc, &request->arena, &equity, err);
    if (s == STATUS_OK)
        set_warnings_header(request, &equity);
    return s == STATUS_OK ? put_rows(&equity, table, err) : s;
}

/* Lines and columns; a backtest never changes, so it is pinned whatever the address says. */
static enum status equity_table(struct request *request, struct err *err)
{
    const struct table_request what = {.is_pinned = true,
                                       .identity = request->path_params[0],
                                       .formats = ROWS_FORMATS,
                                       .file_name = request->path_params[0],
                                       .fill = fill_equity};
    return table_answer(request, &what, err);
}

/* Loads, parses and writes in one go; the document is freed before the reply leaves. */
static enum status render_equity(struct request *request, enum format format, struct buf *out,
                                 struct err *err)
{
    CLEANUP(blob_unrefp) struct blob *blob = NULL;
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str body;
    struct equity equity;
    enum status s = backtest_body(request, &blob, &body, err);
    if (s == STATUS_OK)
        s = jr_parse(body, &request->arena, &doc, err);
    if (s == STATUS_OK)
        s = read_equity(doc, &request->arena, &equity, err);
    if (s == STATUS_OK)
        s = backtest_warnings(body, &request->arena, &equity.warnings_text, err);
    if (s != STATUS_OK)
        return s;
    if (format == FORMAT_CSV) {
        set_warnings_header(request, &equity);
        write_equity_csv(&equity, out);
    } else {
        write_equity_json(&equity, request->path_params[0], out);
    }
    return out->failed ? err_out_of_memory(err) : STATUS_OK;
}

enum status backtest_equity_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"format"};
    enum format format;
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = negotiate_format(request, ROWS_FORMATS, &format, err);
    bool is_ready = true;
    if (s == STATUS_OK)
        s = backtest_make_ready(request, &is_ready, err);
    if (s != STATUS_OK || !is_ready)
        return s;
    if (format != FORMAT_JSON && format != FORMAT_CSV)
        return equity_table(request, err);
    struct buf out;
    buf_init(&out, &request->arena, SIZE_MAX / 4);
    s = render_equity(request, format, &out, err);
    if (s != STATUS_OK)
        return s;
    char tag[TAG_BYTES];
    (void)snprintf(tag, sizeof tag, "%.40s-%s", request->path_params[0].ptr,
                   format == FORMAT_CSV ? "csv" : "json");
    return document_named(request, tag, backtest_forever, format_media_type(format), buf_str(&out),
                          err);
}
