/* backtest_plan.c - a request without its answer: what it would come to, its figures alone, or its market alone. */
#include "handlers/backtest_run_parts.h"

#include "backtest/panel_key.h"

#include <string.h>

/* Prices, their states and the lines of the run; docs/batches.md says what is counted. */
static uint64_t bytes_of(const struct spec *spec)
{
    uint64_t sessions = ((uint64_t)(spec->end - spec->start) + 1) * 5 / 7 + 1;
    uint64_t columns = spec->n_assets + spec->n_universe + 1;
    return sessions * (columns * 24 + 10 * 8);
}

enum status backtest_plan_for(const struct backtest_service *service, struct str request_body,
                              bool with_data, struct arena *arena, const struct stop *stop,
                              struct backtest_plan *ret, struct market_hold *hold, struct err *err)
{
    struct run run = {
        .service = service, .arena = arena, .answer_arena = arena, .stop = stop, .hold = hold};
    struct backtest_answer answer = {.body = STR_NONE};
    struct backtest_plan plan = {.is_stored = false};
    struct backtest_result *preview = NULL;
    enum status s = run_begin(&run, request_body, &answer, &plan.spec, err);
    if (s == STATUS_OK && with_data)
        s = run_find(&run, &answer, err);
    if (s == STATUS_OK && with_data && !run.is_loaded)
        s = run_load(&run, err);
    if (s == STATUS_OK && with_data)
        s = backtest_preview(run.spec, &run.market, arena, stop, &preview, err);
    backtest_answer_clear(&answer); /* that it is there is enough */
    if (s != STATUS_OK)
        return s;
    memcpy(plan.id, answer.id, sizeof plan.id);
    plan.parsed = run.spec;
    plan.cells = run_cells(run.spec);
    plan.bytes = bytes_of(run.spec);
    plan.is_stored = answer.was_stored;
    plan.market = run.market;
    plan.preview = preview;
    plan.marts = run.passport.marts;
    plan.n_marts = run.passport.n_marts;
    *ret = plan;
    return STATUS_OK;
}

/*
 * Loads and builds what run needs in a place of its own: from the request again, because the run's spec goes with the
 * run. A failure leaves the place empty.
 */
static enum status build_shelved(const struct run *run, struct str request_body,
                                 struct shelved *place, struct err *err)
{
    struct run own = *run;
    struct panel *panel = NULL;
    own.arena = &place->arena;
    own.hold = &place->hold;
    enum status s = spec_parse(request_body, own.arena, &own.spec, err);
    if (s != STATUS_OK)
        return s;
    own.spec->start = run->spec->start;
    own.spec->end = run->spec->end;
    s = run_load(&own, err);
    place->market = own.market;
    if (s == STATUS_OK)
        s = panel_build(own.spec, &place->market, own.arena, own.stop, &panel, err);
    place->panel = panel;
    return s;
}

/* NULL when the run has to look for itself: no shelf, a panel that is its alone, no room, or no such panel. */
static const struct shelved *shelved_for(struct run *run, struct panel_shelf *shelf,
                                         struct str request_body)
{
    struct buf text;
    struct json_out json;
    buf_init(&text, run->arena, (size_t)1 << 20);
    jw_init(&json, &text);
    if (shelf == NULL || run->service->file != NULL || !panel_key(run->spec, &json) || text.failed)
        return NULL;
    const struct shelved *found = panel_shelf_find(shelf, buf_str(&text));
    if (found != NULL)
        return found;
    struct shelved *place = panel_shelf_take(shelf);
    if (build_shelved(run, request_body, place, NULL) != STATUS_OK) {
        panel_shelf_empty(place);
        return NULL;
    }
    return panel_shelf_fill(place, buf_str(&text)) ? place : NULL;
}

enum status backtest_figures_for(const struct backtest_service *service, struct panel_shelf *shelf,
                                 struct str request_body, struct arena *arena,
                                 const struct stop *stop, struct backtest_outcome *ret,
                                 struct market_hold *hold, struct err *err)
{
    struct run run = {.service = service, .arena = arena, .stop = stop, .hold = hold};
    struct backtest_answer answer = {.body = STR_NONE};
    struct backtest_result *result = NULL;
    struct str spec = STR_NONE;
    enum status s = run_begin(&run, request_body, &answer, &spec, err);
    if (s != STATUS_OK)
        return s;
    const struct shelved *shelved = shelved_for(&run, shelf, request_body);
    if (shelved == NULL && !run.is_loaded)
        s = run_load(&run, err);
    if (s == STATUS_OK)
        s = backtest_figures(run.spec, shelved != NULL ? &shelved->market : &run.market,
                             shelved != NULL ? shelved->panel : NULL, NULL, arena, stop, &result,
                             err);
    if (s != STATUS_OK)
        return s;
    memcpy(ret->id, answer.id, DIGEST_HEX_BYTES);
    ret->result = result;
    return STATUS_OK;
}

enum status backtest_market_for(const struct backtest_service *service, struct spec *spec,
                                uint64_t cells, struct arena *arena, const struct stop *stop,
                                struct market_data *ret, struct market_hold *hold, struct err *err)
{
    struct run run = {.service = service, .arena = arena, .stop = stop, .hold = hold, .spec = spec};
    enum status s = run_check_cost(&run, cells, err);
    if (s == STATUS_OK)
        s = run_read_generations(&run, err);
    if (s == STATUS_OK && !run.is_loaded)
        s = run_load(&run, err);
    if (s == STATUS_OK)
        *ret = run.market;
    return s;
}
