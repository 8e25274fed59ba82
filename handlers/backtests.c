/* backtests.c - runs or finds a backtest, serves its document, and forgets it. */
#include "handlers/handlers.h"

#include "handlers/backtest_rate.h"
#include "handlers/backtest_read.h"
#include "handlers/backtest_select.h"
#include "handlers/backtest_service.h"
#include "handlers/database.h"
#include "handlers/document.h"
#include "handlers/idempotency.h"
#include "handlers/negotiate.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "server/app.h"
#include "store/backtest_store.h"

#include <stdio.h>

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

void backtest_count(struct request *request, const struct backtest_answer *answer)
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
    CLEANUP(backtest_answer_clear) struct backtest_answer answer = {.body = STR_NONE};
    struct backtest_service service = backtest_service_of(request->app, catalog);
    if (s == STATUS_OK)
        s = backtest_answer_for(&service, request->body, request_param(request, "select"),
                                &request->arena, &request->stop, &answer, err);
    if (s == STATUS_GENERATION_RETIRED)
        s = rows_moved_on(err);
    if (s != STATUS_OK) {
        count_one(request, "failed");
        return s;
    }
    backtest_count(request, &answer);
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
    if (is_minimal)
        reply_body(request, STR(""));
    else
        backtest_reply(request, &answer.blob, answer.body);
    return STATUS_OK;
}

/* What is forgotten is run again when it is asked for again: its id comes from its content. */
enum status backtest_delete_one(struct request *request, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct str id = request->path_params[0];
    bool is_found = false, was_waiting = false;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK && backtest_is_id(id))
        was_waiting = backtest_keeper_forget(request->app->keeper, id);
    if (s == STATUS_OK && backtest_is_id(id))
        s = database_acquire(request, DB_WRITE, &db, err);
    if (s == STATUS_OK && db != NULL)
        s = backtest_delete(db, id, &is_found, err);
    if (s != STATUS_OK)
        return s;
    if (!is_found && !was_waiting)
        return backtest_unknown(id, err);
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, 204, NULL);
    return STATUS_OK;
}

/* Reads an answer's document; its tag is its id, and names what was selected from it. */
enum status backtest_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"select", "format"};
    CLEANUP(blob_unrefp) struct blob *blob = NULL;
    enum format format;
    struct str body;
    struct str select = request_param(request, "select");
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = negotiate_format(request, 1 << FORMAT_JSON, &format, err);
    bool is_ready = true;
    if (s == STATUS_OK)
        s = backtest_make_ready(request, &is_ready, err);
    if (s != STATUS_OK || !is_ready)
        return s;
    s = backtest_body(request, &blob, &body, err);
    if (s == STATUS_OK)
        s = backtest_select(body, select, &request->arena, &body, err);
    char selected[TAG_BYTES] = "";
    if (s == STATUS_OK && select.ptr != NULL)
        s = tag_make(0, select, selected, err);
    if (s != STATUS_OK)
        return s;
    char tag[TAG_BYTES];
    (void)snprintf(tag, sizeof tag, "%.*s%s%.20s", select.ptr == NULL ? 40 : 32,
                   request->path_params[0].ptr, select.ptr == NULL ? "" : "-", selected);
    s = document_named(request, tag, backtest_forever, format_media_type(format), body, err);
    if (s == STATUS_OK && request->reply.body.ptr == body.ptr) /* as it is: blob has to stay */
        backtest_reply(request, &blob, body);
    return s;
}
