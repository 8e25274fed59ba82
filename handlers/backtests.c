/* backtests.c - runs or finds a backtest, and serves finished ones. */
#include "handlers/handlers.h"

#include "base/json_in.h"
#include "base/json_out.h"
#include "base/number.h"
#include "handlers/backtest_rate.h"
#include "handlers/backtest_run.h"
#include "handlers/backtest_select.h"
#include "handlers/backtest_service.h"
#include "handlers/database.h"
#include "handlers/idempotency.h"
#include "handlers/negotiate.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "handlers/sweep.h"
#include "server/app.h"
#include "store/backtest_store.h"

#include <math.h>
#include <stdio.h>

static const char forever[] = "public, max-age=31536000, immutable";

/* "minimal" among the elements of Prefer (RFC 7240): a 303 in place of the body. */
static bool prefers_minimal(struct request *request)
{
    struct str prefer = request_header(request, "Prefer");
    struct str item;
    while (str_next_field(&prefer, ',', &item))
        if (str_eq_nocase(str_trim(item), STR("return=minimal")))
            return true;
    return false;
}

static void count_one(struct request *request, const char *outcome)
{
    metrics_add_labeled(request->app->metrics, METRIC_backtests_total, LABELS(outcome), 1.0);
}

static void count_outcome(struct request *request, const struct backtest_answer *answer)
{
    if (!answer->was_stored && request->app->backtest_rate != NULL)
        backtest_rate_note(request->app->backtest_rate, answer->cells, answer->engine_ms);
    count_one(request, answer->was_stored ? "found" : "computed");
    if (!answer->was_stored)
        metrics_observe(request->app->metrics, METRIC_backtest_duration_seconds,
                        answer->engine_ms / 1000.0);
}

enum status backtests_create(struct request *request, struct err *err)
{
    static const char *const names[] = {"select"};
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    enum format format;
    enum status s = params_json_body(request, err);
    if (s == STATUS_OK)
        s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = negotiate_format(request, 1 << FORMAT_JSON, &format, err);
    if (s == STATUS_OK)
        s = rows_catalog(request, &catalog, err);
    if (s == STATUS_OK)
        s = idempotency_note(request, err);
    struct backtest_answer answer = {.body = STR_NONE};
    struct backtest_service service = backtest_service_of(request->app, catalog);
    if (s == STATUS_OK)
        s = backtest_answer_for(&service, request->body, &request->arena, &request->stop, &answer,
                                err);
    if (s == STATUS_GENERATION_RETIRED)
        s = rows_moved_on(err);
    if (s == STATUS_OK)
        s = backtest_select(answer.body, request_param(request, "select"), &request->arena,
                            &answer.body, err);
    if (s != STATUS_OK) {
        count_one(request, "failed");
        return s;
    }
    count_outcome(request, &answer);
    bool is_minimal = prefers_minimal(request);
    if (is_minimal)
        reply_header(request, "Preference-Applied", "return=minimal");
    reply_header(request, "Location", "/v1/backtests/%s", answer.id);
    reply_header(request, "ETag", "\"%.40s\"", answer.id);
    reply_header(request, "Cache-Control", "no-store");
    if (!answer.was_stored)
        reply_header(request, "Server-Timing", "load;dur=%.3f, engine;dur=%.3f, render;dur=%.3f",
                     answer.load_ms, answer.engine_ms, answer.render_ms);
    reply_type(request,
               is_minimal          ? 303
               : answer.was_stored ? 200
                                   : 201,
               is_minimal ? NULL : format_media_type(FORMAT_JSON));
    reply_body(request, is_minimal ? STR("") : answer.body);
    return STATUS_OK;
}

static bool is_id(struct str id)
{
    bool is_hex = id.len == DIGEST_HEX_BYTES - 1;
    for (size_t i = 0; i < id.len && is_hex; i++)
        is_hex = (id.ptr[i] >= '0' && id.ptr[i] <= '9') || (id.ptr[i] >= 'a' && id.ptr[i] <= 'f');
    return is_hex;
}

static enum status unknown_backtest(struct str id, struct err *err)
{
    (void)err_set(err, STATUS_UNKNOWN_BACKTEST, "There is no backtest with this id.");
    err_at(err, ERR_PARAMETER, STR("id"), id);
    err_allow(err, "the id of an answer from POST /v1/backtests: 64 hexadecimal digits");
    return STATUS_UNKNOWN_BACKTEST;
}

/* The request of an item is run and stored. GENERATION_RETIRED when its data is another by now. */
static enum status run_item(struct request *request, struct str id,
                            const struct backtest_item *item, struct str kept, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    struct sweep_kept sweep;
    struct backtest_answer answer = {.body = STR_NONE};
    struct str body = STR_NONE;
    enum status s = rows_catalog(request, &catalog, err);
    if (s == STATUS_OK)
        s = sweep_recall(kept, &request->arena, &sweep, err);
    if (s == STATUS_OK)
        s = sweep_request(sweep.base, item, &request->arena, &body, err);
    const struct backtest_service service = backtest_service_of(request->app, catalog);
    if (s == STATUS_OK)
        s = backtest_answer_for(&service, body, &request->arena, &request->stop, &answer, err);
    if (s == STATUS_GENERATION_RETIRED)
        return rows_moved_on(err);
    if (s != STATUS_OK)
        return s;
    count_outcome(request, &answer);
    if (str_eq_c(id, answer.id))
        return STATUS_OK;
    s = err_set(
        err, STATUS_GENERATION_RETIRED,
        "Its data has been replaced since the batch ran; of today's, the same request is %s.",
        answer.id);
    err_at(err, ERR_PARAMETER, STR("id"), id);
    err_allow(err, "the row of the batch, or the backtest of today's data");
    return s;
}

/*
 * A backtest that was an item of a batch has its row, and is run now that somebody asks for all of it: on a worker for
 * backtests, to which this defers. When it has not (*ret_is_ready), the handler returns what this did.
 */
static enum status make_ready(struct request *request, bool *ret_is_ready, struct err *err)
{
    struct str id = request->path_params[0], kept = STR_NONE;
    struct backtest_item item;
    struct db *db = NULL;
    bool is_stored = false, is_item = false;
    *ret_is_ready = true;
    if (!is_id(id))
        return STATUS_OK;
    if (backtest_keeper_has(request->app->keeper, id))
        return STATUS_OK;
    enum status s = database_acquire(request, DB_READ, &db, err);
    if (s == STATUS_OK)
        s = backtest_exists(db, id, &is_stored, err);
    if (s == STATUS_OK && !is_stored)
        s = backtest_item_find(db, id, &request->arena, &item, &kept, &is_item, err);
    db_release(db);
    if (s != STATUS_OK || !is_item)
        return s;
    *ret_is_ready = request->lane == LANE_CPU;
    return *ret_is_ready ? run_item(request, id, &item, kept, err)
                         : request_defer(request, LANE_CPU);
}

static enum status load_body(struct request *request, struct str *ret, struct err *err)
{
    struct str id = request->path_params[0];
    bool is_found = false;
    if (is_id(id)) {
        CLEANUP(db_releasep) struct db *db = NULL;
        enum status s =
            backtest_keeper_find(request->app->keeper, id, &request->arena, ret, &is_found, err);
        if (s == STATUS_OK && !is_found)
            s = database_acquire(request, DB_READ, &db, err);
        if (s == STATUS_OK && !is_found)
            s = backtest_load(db, id, &request->arena, ret, &is_found, err);
        if (s != STATUS_OK)
            return s;
    }
    return is_found ? STATUS_OK : unknown_backtest(id, err);
}

/* What is forgotten is run again when it is asked for again: its id comes from its content. */
enum status backtest_delete_one(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct str id = request->path_params[0];
    bool is_found = false, was_waiting = false;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK && is_id(id))
        was_waiting = backtest_keeper_forget(request->app->keeper, id);
    if (s == STATUS_OK && is_id(id))
        s = database_acquire(request, DB_WRITE, &db, err);
    if (s == STATUS_OK && db != NULL)
        s = backtest_delete(db, id, &is_found, err);
    if (s != STATUS_OK)
        return s;
    if (!is_found && !was_waiting)
        return unknown_backtest(id, err);
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, 204, NULL);
    return STATUS_OK;
}

/* Reads an answer's document; its tag is its id, and names what was selected from it. */
enum status backtest_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"select", "format"};
    enum format format;
    struct str body;
    struct str select = request_param(request, "select");
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = negotiate_format(request, 1 << FORMAT_JSON, &format, err);
    bool is_ready = true;
    if (s == STATUS_OK)
        s = make_ready(request, &is_ready, err);
    if (s != STATUS_OK || !is_ready)
        return s;
    s = load_body(request, &body, err);
    if (s == STATUS_OK)
        s = backtest_select(body, select, &request->arena, &body, err);
    char selected[TAG_BYTES] = "";
    if (s == STATUS_OK && select.ptr != NULL)
        s = tag_make(0, select, selected, err);
    if (s != STATUS_OK)
        return s;
    char tag[TAG_BYTES];
    (void)snprintf(tag, sizeof tag, "%.40s%s%.20s", request->path_params[0].ptr,
                   select.ptr == NULL ? "" : "-", selected);
    if (reply_if_unchanged(request, tag, forever))
        return STATUS_OK;
    reply_type(request, 200, format_media_type(format));
    reply_body(request, body);
    return STATUS_OK;
}

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
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str body;
    struct equity equity;
    (void)cls;
    enum status s = load_body(request, &body, err);
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
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct str body;
    struct equity equity;
    enum status s = load_body(request, &body, err);
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
        s = make_ready(request, &is_ready, err);
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
    if (reply_if_unchanged(request, tag, forever))
        return STATUS_OK;
    reply_type(request, 200, format_media_type(format));
    reply_body(request, buf_str(&out));
    return STATUS_OK;
}
