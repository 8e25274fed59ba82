/* backtest_validate.c - POST /v1/backtests:validate: all that can be said of a request, or of a batch, without a run. */
#include "handlers/handlers.h"

#include "backtest/backtest.h"
#include "handlers/backtest_rate.h"
#include "handlers/backtest_render.h"
#include "handlers/backtest_service.h"
#include "handlers/batch_cost.h"
#include "handlers/batch_job.h"
#include "handlers/document.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "server/app.h"

enum { BODY_BYTES_MAX = 32 << 20 };

static const char *role_of(const struct spec *spec, struct str uid)
{
    for (size_t i = 0; i < spec->n_assets; i++)
        if (str_eq(spec->assets[i].uid, uid))
            return "asset";
    for (size_t i = 0; i < spec->n_universe; i++)
        if (str_eq(spec->universe[i], uid))
            return "universe";
    return "benchmark";
}

static void put_instruments(struct json_out *json, const struct backtest_plan *plan)
{
    jw_key(json, "instruments");
    jw_array(json);
    for (size_t i = 0; i < plan->market.n_series; i++) {
        const struct price_series *series = &plan->market.series[i];
        jw_object(json);
        jw_key_text(json, "uid", series->uid);
        jw_key_c(json, "role", role_of(plan->parsed, series->uid));
        jw_key_c(json, "currency", series->currency);
        if (series->n > 0) {
            jw_key_date(json, "first", series->date[0]);
            jw_key_date(json, "last", series->date[series->n - 1]);
        } else {
            jw_key_null(json, "first");
            jw_key_null(json, "last");
        }
        jw_key_i64(json, "bars", (int64_t)series->n);
        jw_end_object(json);
    }
    jw_end_array(json);
}

static void put_estimate(struct json_out *json, struct app *app, uint64_t items, uint64_t cells,
                         uint64_t bytes, unsigned n_threads)
{
    const struct config *config = app->config;
    jw_key(json, "estimate");
    jw_object(json);
    jw_key_i64(json, "items", (int64_t)items);
    jw_key_i64(json, "cells", (int64_t)cells);
    jw_key_i64(json, "cells_max",
               (int64_t)(items > 0 ? config->job_cells_per_key : config->backtest_cells_max));
    jw_key_f64(json, "predicted_ms",
               backtest_rate_predict_ms(app->backtest_rate, cells, n_threads));
    jw_key_i64(json, "bytes", (int64_t)bytes);
    jw_end_object(json);
}

static void put_marts(struct json_out *json, const struct backtest_plan *plan)
{
    jw_key(json, "marts");
    jw_array(json);
    for (size_t i = 0; i < plan->n_marts; i++) {
        jw_object(json);
        jw_key_c(json, "name", plan->marts[i].name);
        jw_key_i64(json, "generation", plan->marts[i].generation);
        jw_end_object(json);
    }
    jw_end_array(json);
}

static void put_plan(struct json_out *json, struct app *app, const struct backtest_plan *plan)
{
    const struct panel *panel = plan->preview->panel;
    jw_key_c(json, "kind", "backtest");
    jw_key_c(json, "id", plan->id);
    jw_key_bool(json, "is_stored", plan->is_stored);
    jw_key_date(json, "start", plan->parsed->start);
    jw_key_date(json, "end", plan->parsed->end);
    jw_key_i64(json, "sessions", (int64_t)panel->n_sessions);
    jw_key(json, "request");
    jw_raw(json, plan->spec);
    put_instruments(json, plan);
    put_estimate(json, app, 0, plan->cells, plan->bytes, 1);
    put_marts(json, plan);
}

/* {"data": {...}, "meta": {"warnings": [...]}} */
static enum status answer(struct request *request, struct buf *out, struct json_out *json,
                          const struct backtest_result *preview, struct err *err)
{
    jw_end_object(json);
    jw_key(json, "meta");
    jw_object(json);
    if (preview != NULL) {
        backtest_render_warnings(preview, json);
    } else {
        jw_key(json, "warnings");
        jw_array(json);
        jw_end_array(json);
    }
    jw_end_object(json);
    document_end(json);
    return document_no_store(request, 200, "application/json", out, err);
}

static enum status validate_one(struct request *request, const struct backtest_service *service,
                                struct err *err)
{
    CLEANUP(market_hold_release) struct market_hold hold = {0};
    struct backtest_plan plan;
    struct buf out;
    struct json_out json;
    enum status s = backtest_plan_for(service, request->body, true, &request->arena, &request->stop,
                                      &plan, &hold, err);
    if (s != STATUS_OK)
        return s == STATUS_GENERATION_RETIRED ? rows_moved_on(err) : s;
    document_begin(request, BODY_BYTES_MAX, &out, &json);
    jw_object(&json);
    put_plan(&json, request->app, &plan);
    return answer(request, &out, &json, plan.preview, err);
}

static enum status validate_batch(struct request *request, const struct backtest_service *service,
                                  bool is_sweep, struct err *err)
{
    const struct config *config = request->app->config;
    struct sweep sweep;
    struct batch_cost cost;
    struct buf out;
    struct json_out json;
    enum status s =
        is_sweep ? sweep_parse(request->body, config->job_items_max, &request->arena, &sweep, err)
                 : batch_parse(request->body, config->job_items_max, &request->arena, &sweep, err);
    if (s == STATUS_OK)
        s = batch_cost(service, &sweep, &request->stop, &cost, err);
    if (s != STATUS_OK)
        return s == STATUS_GENERATION_RETIRED ? rows_moved_on(err) : s;
    document_begin(request, BODY_BYTES_MAX, &out, &json);
    jw_object(&json);
    jw_key_c(&json, "kind", is_sweep ? "sweep" : "batch");
    jw_key_i64(&json, "grid", sweep.n_grid > INT64_MAX ? INT64_MAX : (int64_t)sweep.n_grid);
    jw_key_i64(&json, "refused", (int64_t)cost.n_refused);
    jw_key(&json, "first");
    if (sweep.items[0].parameters.ptr == NULL)
        jw_null(&json);
    else
        jw_raw(&json, sweep.items[0].parameters);
    put_estimate(&json, request->app, sweep.n_items, cost.cells, cost.bytes,
                 batch_job_threads(config));
    return answer(request, &out, &json, NULL, err);
}

enum status backtests_validate(struct request *request, struct err *err)
{
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    enum status s = params_expect(request, NULL, 0, err);
    if (s == STATUS_OK)
        s = params_json_body(request, err);
    if (s == STATUS_OK)
        s = rows_catalog(request, &catalog, err);
    if (s == STATUS_OK)
        s = jr_parse(request->body, &request->arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    const struct backtest_service service = backtest_service_of(request->app, catalog);
    bool is_sweep = jr_type(jr_member(jr_root(doc), "axes")) != JR_ABSENT;
    bool is_batch = jr_type(jr_member(jr_root(doc), "items")) != JR_ABSENT;
    return is_sweep || is_batch ? validate_batch(request, &service, is_sweep, err)
                                : validate_one(request, &service, err);
}
