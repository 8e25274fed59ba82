/* backtest_run.c - request text to stored answer: parse, identify, find, else load, run, render and keep. */
#include "handlers/backtest_run.h"

#include "backtest/backtest.h"
#include "backtest/panel_key.h"
#include "backtest/work.h"
#include "base/clock.h"
#include "handlers/backtest_market.h"
#include "handlers/backtest_render.h"
#include "handlers/json_text.h"
#include "store/backtest_store.h"

#include <math.h>
#include <string.h>

/*
 * The marts that a backtest reads; their generations are part of its identity. Without a calendar less is known about
 * the quality of the data; economic series are read when the request names one.
 */
enum { MART_CALENDAR = 3, MART_INDICATOR = 4 };
static const char *const marts_read[] = {"mart_instrument", "mart_price_daily",
                                         "mart_fx_daily", [MART_CALENDAR] = "mart_calendar",
                                         [MART_INDICATOR] = "mart_economic_indicator"};

/* What the steps of one call share. */
struct run {
    const struct backtest_service *service;
    struct arena *arena;
    const struct stop *stop;
    struct spec *spec;
    struct market_data market;
    struct market_hold *hold; /* the caller's */
    bool is_loaded;
    const struct backtest_result *result; /* once it was computed */
    struct backtest_passport passport;
    int64_t generation;
    int64_t version; /* the last publish that changed something that series are made of */
};

/* The file's name comes from its bytes, so that the id says which prices were used. */
static enum status use_file(struct run *run, struct err *err)
{
    struct backtest_mart *mart = ARENA_NEW(run->arena, struct backtest_mart);
    if (mart == NULL)
        return err_out_of_memory(err);
    *mart = (struct backtest_mart){.name = run->service->file->name};
    run->passport = (struct backtest_passport){
        .engine_version = BACKTEST_ENGINE_VERSION, .marts = mart, .n_marts = 1};
    run->market = run->service->file->market;
    run->is_loaded = true;
    return STATUS_OK;
}

static enum status read_generations(struct run *run, struct err *err)
{
    if (run->service->file != NULL)
        return use_file(run, err);
    struct backtest_mart *marts = arena_array(run->arena, ARRAY_LEN(marts_read), sizeof *marts);
    if (marts == NULL)
        return err_out_of_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(marts_read); i++) {
        const struct mart *mart = catalog_mart(run->service->catalog, str_of(marts_read[i]));
        bool is_there = mart != NULL && mart->generation > 0;
        if (i == MART_INDICATOR && run->spec->n_indicators == 0)
            continue;
        if (!is_there && i == MART_CALENDAR)
            continue;
        if (!is_there)
            return err_set(err, STATUS_NO_DATA,
                           "The store has no data yet in %s; `cmmc load` publishes some.",
                           marts_read[i]);
        marts[n++] = (struct backtest_mart){.name = marts_read[i], .generation = mart->generation};
        if (i != MART_INDICATOR && mart->generation > run->version)
            run->version = mart->generation;
    }
    run->passport = (struct backtest_passport){
        .engine_version = BACKTEST_ENGINE_VERSION, .marts = marts, .n_marts = n};
    run->generation = run->service->catalog->generation;
    return STATUS_OK;
}

static void write_data_identity(const struct run *run, struct buf *out)
{
    buf_printf(out, "engine %s\n", run->passport.engine_version);
    for (size_t i = 0; i < run->passport.n_marts; i++)
        buf_printf(out, "%s %lld\n", run->passport.marts[i].name,
                   (long long)run->passport.marts[i].generation);
}

/* SHA-256 over everything the answer depends on; *ret_spec is the normalised request. */
static enum status identify(struct run *run, char ret_id[DIGEST_HEX_BYTES], struct str *ret_spec,
                            struct err *err)
{
    struct buf spec, identity;
    struct json_out json;
    buf_init(&spec, run->arena, (size_t)1 << 20);
    jw_init(&json, &spec);
    spec_canonical(run->spec, &json);
    buf_init(&identity, run->arena, (size_t)2 << 20);
    write_data_identity(run, &identity);
    buf_add(&identity, buf_str(&spec));
    if (spec.failed || identity.failed)
        return err_out_of_memory(err);
    *ret_spec = buf_str(&spec);
    return digest_hex(buf_str(&identity), ret_id, err);
}

static enum status load(struct run *run, struct err *err)
{
    const struct market_source source = {.pool = run->service->pool,
                                         .stop = run->stop,
                                         .statement_ms = run->service->statement_ms,
                                         .generation = run->generation,
                                         .version = run->version,
                                         .book = run->service->book};
    enum status s =
        backtest_market_load(&source, run->spec, run->arena, &run->market, run->hold, err);
    run->market.kernels = run->service->kernels;
    run->is_loaded = s == STATUS_OK;
    return s;
}

/*
 * Among those that wait to be stored, then in the store. While the store cannot be reached nothing is found: a second
 * run has the same bytes, and needs no connection when its prices are in the book.
 */
static enum status find(struct run *run, struct backtest_answer *answer, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct backtest_keeper *keeper = run->service->keeper;
    enum status s = backtest_keeper_find(keeper, str_of(answer->id), run->arena, &answer->body,
                                         &answer->was_stored, err);
    if (s != STATUS_OK || answer->was_stored)
        return s;
    s = db_acquire(run->service->pool, DB_READ, run->stop, &db, err);
    if (s == STATUS_OK)
        s = backtest_load(db, str_of(answer->id), run->arena, &answer->body, &answer->was_stored,
                          err);
    if (s != STATUS_DB_UNAVAILABLE || keeper == NULL)
        return s;
    if (err != NULL)
        *err = (struct err){0};
    return STATUS_OK;
}

static double value_of(const struct backtest_result *result, enum measure_id id)
{
    const struct measure_value *value = &result->measures[id];
    return value->reason == REASON_NONE ? value->value : (double)NAN;
}

/* The strategy's name out of the normalised request, where it is a string or an object that has one. */
static struct str strategy_of(struct str spec)
{
    struct str key, value, inner;
    for (size_t at = 1; json_next_member(spec, &at, &key, &value);)
        if (str_eq_c(key, "strategy") && value.len > 2 && value.ptr[0] == '"')
            return str_sub(value, 1, value.len - 1);
        else if (str_eq_c(key, "strategy") && value.len > 2 && value.ptr[0] == '{')
            for (size_t k = 1; json_next_member(value, &k, &key, &inner);)
                if (str_eq_c(key, "name") && inner.len > 2 && inner.ptr[0] == '"')
                    return str_sub(inner, 1, inner.len - 1);
    return STR_NONE;
}

static enum status keep(struct run *run, struct str spec, struct backtest_answer *answer,
                        struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    const struct backtest_result *result = run->result;
    const struct backtest_kept kept = {.id = str_of(answer->id),
                                       .spec = spec,
                                       .body = answer->body,
                                       .generation = run->generation,
                                       .summary = {
                                           .strategy = strategy_of(spec),
                                           .currency = str_of(result->spec->currency),
                                           .start = result->spec->start,
                                           .end = result->spec->end,
                                           .n_assets = (int64_t)result->spec->n_assets,
                                           .total_return = value_of(result, MEASURE_total_return),
                                           .cagr = value_of(result, MEASURE_cagr),
                                           .sharpe = value_of(result, MEASURE_sharpe),
                                           .max_drawdown = value_of(result, MEASURE_max_drawdown),
                                       }};
    if (backtest_keeper_take(run->service->keeper, &kept))
        return STATUS_OK;
    enum status s = db_acquire(run->service->pool, DB_WRITE, run->stop, &db, err);
    if (s == STATUS_OK)
        s = backtest_save(db, kept.id, kept.spec, kept.generation, kept.body, &kept.summary, err);
    return s;
}

static double ms_since(int64_t from_ns)
{
    return (double)(clock_mono_ns() - from_ns) / 1e6;
}

/* What the monkeys of this request depend on: the data, the engine and all but the weights. */
static enum status identify_crowd(struct run *run, unsigned char ret_key[DIGEST_BYTES],
                                  struct err *err)
{
    struct buf text;
    struct json_out json;
    buf_init(&text, run->arena, (size_t)2 << 20);
    write_data_identity(run, &text);
    jw_init(&json, &text);
    monkey_crowd_key(run->spec, &json);
    return text.failed ? err_out_of_memory(err) : digest_raw(buf_str(&text), ret_key, err);
}

/* What the panel of this request depends on: the data, the engine and the rules of prices; false: on more. */
static enum status identify_panel(struct run *run, unsigned char ret_key[DIGEST_BYTES],
                                  bool *ret_is_shared, struct err *err)
{
    struct buf text;
    struct json_out json;
    buf_init(&text, run->arena, (size_t)2 << 20);
    write_data_identity(run, &text);
    jw_init(&json, &text);
    *ret_is_shared = panel_key(run->spec, &json);
    return text.failed ? err_out_of_memory(err) : digest_raw(buf_str(&text), ret_key, err);
}

/* Builds a panel that others may share. On failure the run's hold frees what there is of it. */
static enum status build_panel(struct run *run, const unsigned char key[DIGEST_BYTES],
                               struct err *err)
{
    const struct panel_shared *panel = NULL;
    struct panel_lease *lease = panel_lease_new(run->arena->limit_bytes);
    run->hold->panel = lease;
    if (lease == NULL)
        return err_out_of_memory(err);
    enum status s = spec_resolve_dates(run->spec, &run->market, err);
    if (s == STATUS_OK)
        s = panel_shared_build(run->spec, &run->market, panel_lease_arena(lease), run->stop, &panel,
                               err);
    if (s == STATUS_OK)
        panels_keep(run->service->panels, run->version, key, lease, panel);
    return s;
}

/* The panel that an earlier request has left, or a new one that is left; NULL: the engine builds one for itself. */
static enum status share_panel(struct run *run, const struct panel_shared **ret, struct err *err)
{
    unsigned char key[DIGEST_BYTES];
    struct panels *panels = run->service->file == NULL ? run->service->panels : NULL;
    bool is_shared = panels != NULL;
    enum status s = is_shared ? identify_panel(run, key, &is_shared, err) : STATUS_OK;
    if (s != STATUS_OK || !is_shared)
        return s;
    run->hold->panels = panels;
    run->hold->panel = panels_find(panels, run->version, key);
    if (run->hold->panel == NULL)
        s = build_panel(run, key, err);
    if (s == STATUS_OK)
        *ret = panel_lease_panel(run->hold->panel);
    return s;
}

/* Runs the request among the monkeys that an earlier one has left, or leaves its own. */
static enum status simulate_among(struct run *run, struct backtest_result **ret, struct err *err)
{
    unsigned char key[DIGEST_BYTES];
    struct monkey_crowd crowd;
    struct blob *blob = NULL;
    struct crowds *crowds = run->spec->n_monkeys > 0 ? run->service->crowds : NULL;
    enum status s = crowds == NULL ? STATUS_OK : identify_crowd(run, key, err);
    if (s != STATUS_OK)
        return s;
    struct backtest_shared kept = {0};
    s = share_panel(run, &kept.panel, err);
    if (s != STATUS_OK)
        return s;
    bool is_kept = crowds_find(crowds, key, &crowd, &blob);
    kept.crowd = is_kept ? &crowd : NULL;
    s = backtest_run_among(run->spec, &run->market, &kept, run->arena, run->stop, ret, err);
    if (s == STATUS_OK && !is_kept)
        crowds_keep(crowds, key, &(*ret)->crowd);
    if (s == STATUS_OK)
        (*ret)->crowd = (struct monkey_crowd){0}; /* it has done its work, and may be freed now */
    blob_unref(blob);
    return s;
}

static enum status compute(struct run *run, struct backtest_answer *answer, struct err *err)
{
    struct backtest_result *result = NULL;
    int64_t from_ns = clock_mono_ns();
    enum status s = simulate_among(run, &result, err);
    if (s != STATUS_OK)
        return s;
    answer->engine_ms = ms_since(from_ns);
    run->result = result;
    struct buf out;
    buf_init(&out, run->arena, SIZE_MAX / 4);
    from_ns = clock_mono_ns();
    backtest_render(result, str_of(answer->id), &run->passport, &out);
    answer->render_ms = ms_since(from_ns);
    if (out.failed)
        return err_set(err, STATUS_TOO_LARGE,
                       "The answer does not fit in the memory one request may use.");
    answer->body = buf_str(&out);
    return STATUS_OK;
}

/* Open dates become those of the data, so that asking for them by name gives the same id. */
static enum status resolve(struct run *run, struct backtest_answer *answer, struct err *err)
{
    if (run->spec->start != DATE_NONE && run->spec->end != DATE_NONE)
        return STATUS_OK;
    int64_t from_ns = clock_mono_ns();
    enum status s = run->is_loaded ? STATUS_OK : load(run, err);
    answer->load_ms = ms_since(from_ns);
    return s != STATUS_OK ? s : spec_resolve_dates(run->spec, &run->market, err);
}

/* The strategy with its decisions, its run without costs, and every monkey visit their names on each day; and trust. */
static uint64_t cells_of(const struct spec *spec)
{
    uint64_t days = (uint64_t)(spec->end - spec->start) + 1;
    uint64_t decisions = work_of_decisions(spec, days);
    uint64_t cells = spec->n_assets * days *
                     (spec->n_monkeys + 2u); /* at most 500 x 22,000 x 100,002: no overflow */
    return cells + decisions +
           spec_trust_cells(&spec->trust, days, spec->n_assets * days + decisions / 2,
                            offset_luck_count(spec));
}

static enum status check_cost(const struct run *run, uint64_t cells, struct err *err)
{
    if (cells <= run->service->cells_max)
        return STATUS_OK;
    (void)err_set(
        err, STATUS_TOO_LARGE,
        "This backtest would visit %llu cells (assets x days x portfolios, and decisions).",
        (unsigned long long)cells);
    err_at(err, ERR_POINTER, STR("/monkeys/count"), STR(""));
    err_allow(err, "at most %llu cells: fewer monkeys, candidates, decisions, assets or years",
              (unsigned long long)run->service->cells_max);
    return STATUS_TOO_LARGE;
}

/* Everything before prices are needed; open dates need them. */
static enum status begin(struct run *run, struct str request_body, struct backtest_answer *answer,
                         struct str *ret_spec, struct err *err)
{
    enum status s = spec_parse(request_body, run->arena, &run->spec, err);
    if (s == STATUS_OK)
        s = read_generations(run, err);
    if (s == STATUS_OK)
        s = resolve(run, answer, err);
    if (s == STATUS_OK)
        s = check_cost(run, cells_of(run->spec), err);
    if (s == STATUS_OK)
        answer->cells = cells_of(run->spec);
    return s != STATUS_OK ? s : identify(run, answer->id, ret_spec, err);
}

enum status backtest_answer_for(const struct backtest_service *service, struct str request_body,
                                struct arena *arena, const struct stop *stop,
                                struct backtest_answer *ret, struct err *err)
{
    CLEANUP(market_hold_release) struct market_hold hold = {0};
    struct run run = {.service = service, .arena = arena, .stop = stop, .hold = &hold};
    struct backtest_answer answer = {.body = STR_NONE};
    struct str spec = STR_NONE;
    enum status s = begin(&run, request_body, &answer, &spec, err);
    bool has_store = service->file == NULL;
    if (s == STATUS_OK && has_store)
        s = find(&run, &answer, err);
    if (s == STATUS_OK && !answer.was_stored) {
        int64_t from_ns = clock_mono_ns();
        if (!run.is_loaded) {
            s = load(&run, err);
            answer.load_ms = ms_since(from_ns);
        }
        if (s == STATUS_OK)
            s = compute(&run, &answer, err);
        if (s == STATUS_OK && has_store)
            s = keep(&run, spec, &answer, err);
    }
    if (s == STATUS_OK)
        *ret = answer;
    return s;
}

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
    struct run run = {.service = service, .arena = arena, .stop = stop, .hold = hold};
    struct backtest_answer answer = {.body = STR_NONE};
    struct backtest_plan plan = {.is_stored = false};
    struct backtest_result *preview = NULL;
    enum status s = begin(&run, request_body, &answer, &plan.spec, err);
    if (s == STATUS_OK && with_data)
        s = find(&run, &answer, err);
    if (s == STATUS_OK && with_data && !run.is_loaded)
        s = load(&run, err);
    if (s == STATUS_OK && with_data)
        s = backtest_preview(run.spec, &run.market, arena, stop, &preview, err);
    if (s != STATUS_OK)
        return s;
    memcpy(plan.id, answer.id, sizeof plan.id);
    plan.parsed = run.spec;
    plan.cells = cells_of(run.spec);
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
    s = load(&own, err);
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
    enum status s = begin(&run, request_body, &answer, &spec, err);
    if (s != STATUS_OK)
        return s;
    const struct shelved *shelved = shelved_for(&run, shelf, request_body);
    if (shelved == NULL && !run.is_loaded)
        s = load(&run, err);
    if (s == STATUS_OK)
        s = backtest_figures(run.spec, shelved != NULL ? &shelved->market : &run.market,
                             shelved != NULL ? shelved->panel : NULL, arena, stop, &result, err);
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
    enum status s = check_cost(&run, cells, err);
    if (s == STATUS_OK)
        s = read_generations(&run, err);
    if (s == STATUS_OK && !run.is_loaded)
        s = load(&run, err);
    if (s == STATUS_OK)
        *ret = run.market;
    return s;
}
