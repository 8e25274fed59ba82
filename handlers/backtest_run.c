/* backtest_run.c - request text to stored answer: parse, identify, find, else load, run, render and keep. */
#include "handlers/backtest_run.h"

#include "backtest/backtest.h"
#include "base/clock.h"
#include "handlers/backtest_market.h"
#include "handlers/backtest_render.h"
#include "store/backtest_store.h"

/* The marts that a backtest reads, the last one when it names economic series; their generations are part of its identity. */
static const char *const marts_read[] = {"mart_instrument", "mart_price_daily", "mart_fx_daily",
                                         "mart_economic_indicator"};

/* What the steps of one call share. */
struct run {
    const struct backtest_service *service;
    struct arena *arena;
    const struct stop *stop;
    struct spec *spec;
    struct market_data market;
    bool is_loaded;
    struct backtest_passport passport;
    int64_t generation;
};

static enum status read_generations(struct run *run, struct err *err)
{
    struct backtest_mart *marts = arena_array(run->arena, ARRAY_LEN(marts_read), sizeof *marts);
    if (marts == NULL)
        return err_out_of_memory(err);
    size_t n_read = ARRAY_LEN(marts_read) - (run->spec->n_indicators > 0 ? 0 : 1);
    for (size_t i = 0; i < n_read; i++) {
        const struct mart *mart = catalog_mart(run->service->catalog, str_of(marts_read[i]));
        if (mart == NULL || mart->generation == 0)
            return err_set(err, STATUS_NO_DATA,
                           "The store has no data yet in %s; `cmmc load` publishes some.",
                           marts_read[i]);
        marts[i] = (struct backtest_mart){.name = marts_read[i], .generation = mart->generation};
    }
    run->passport = (struct backtest_passport){
        .engine_version = BACKTEST_ENGINE_VERSION, .marts = marts, .n_marts = n_read};
    run->generation = run->service->catalog->generation;
    return STATUS_OK;
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
    buf_printf(&identity, "engine %s\n", run->passport.engine_version);
    for (size_t i = 0; i < run->passport.n_marts; i++)
        buf_printf(&identity, "%s %lld\n", run->passport.marts[i].name,
                   (long long)run->passport.marts[i].generation);
    buf_add(&identity, buf_str(&spec));
    if (spec.failed || identity.failed)
        return err_out_of_memory(err);
    *ret_spec = buf_str(&spec);
    return digest_hex(buf_str(&identity), ret_id, err);
}

static enum status load(struct run *run, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(run->service->pool, DB_READ_MARTS, run->stop, &db, err);
    if (s == STATUS_OK)
        db_limit(db, run->service->statement_ms);
    if (s == STATUS_OK)
        s = backtest_market_load(db, run->spec, run->generation, run->arena, &run->market, err);
    run->market.kernels = run->service->kernels;
    run->is_loaded = s == STATUS_OK;
    return s;
}

static enum status find(struct run *run, struct backtest_answer *answer, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(run->service->pool, DB_READ, run->stop, &db, err);
    if (s == STATUS_OK)
        s = backtest_load(db, str_of(answer->id), run->arena, &answer->body, &answer->was_stored,
                          err);
    return s;
}

static enum status keep(struct run *run, struct str spec, struct backtest_answer *answer,
                        struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(run->service->pool, DB_WRITE, run->stop, &db, err);
    if (s == STATUS_OK)
        s = backtest_save(db, str_of(answer->id), spec, run->generation, answer->body, err);
    return s;
}

static double ms_since(int64_t from_ns)
{
    return (double)(clock_mono_ns() - from_ns) / 1e6;
}

static enum status compute(struct run *run, struct backtest_answer *answer, struct err *err)
{
    struct backtest_result *result = NULL;
    int64_t from_ns = clock_mono_ns();
    enum status s = backtest_run(run->spec, &run->market, run->arena, run->stop, &result, err);
    if (s != STATUS_OK)
        return s;
    answer->engine_ms = ms_since(from_ns);
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
    enum status s = load(run, err);
    answer->load_ms = ms_since(from_ns);
    return s != STATUS_OK ? s : spec_resolve_dates(run->spec, &run->market, err);
}

/* The strategy, its run without costs, and every monkey visit each of their names on each day. */
static enum status check_cost(const struct run *run, struct err *err)
{
    const struct spec *spec = run->spec;
    uint64_t days = (uint64_t)(spec->end - spec->start) + 1;
    uint64_t cells = spec->n_assets * days *
                     (spec->n_monkeys + 2u); /* at most 500 x 22,000 x 100,002: no overflow */
    cells += spec_trust_cells(&spec->trust, days, spec->n_assets * days);
    if (cells <= run->service->cells_max)
        return STATUS_OK;
    (void)err_set(err, STATUS_TOO_LARGE,
                  "This backtest would visit %llu cells (assets x days x portfolios).",
                  (unsigned long long)cells);
    err_at(err, ERR_POINTER, STR("/monkeys/count"), STR(""));
    err_allow(err, "at most %llu cells: fewer monkeys, assets or years",
              (unsigned long long)run->service->cells_max);
    return STATUS_TOO_LARGE;
}

enum status backtest_answer_for(const struct backtest_service *service, struct str request_body,
                                struct arena *arena, const struct stop *stop,
                                struct backtest_answer *ret, struct err *err)
{
    struct run run = {.service = service, .arena = arena, .stop = stop};
    struct backtest_answer answer = {.body = STR_NONE};
    struct str spec = STR_NONE;
    enum status s = spec_parse(request_body, arena, &run.spec, err);
    if (s == STATUS_OK)
        s = read_generations(&run, err);
    if (s == STATUS_OK)
        s = resolve(&run, &answer, err);
    if (s == STATUS_OK)
        s = check_cost(&run, err);
    if (s == STATUS_OK)
        s = identify(&run, answer.id, &spec, err);
    if (s == STATUS_OK)
        s = find(&run, &answer, err);
    if (s == STATUS_OK && !answer.was_stored) {
        int64_t from_ns = clock_mono_ns();
        if (!run.is_loaded) {
            s = load(&run, err);
            answer.load_ms = ms_since(from_ns);
        }
        if (s == STATUS_OK)
            s = compute(&run, &answer, err);
        if (s == STATUS_OK)
            s = keep(&run, spec, &answer, err);
    }
    if (s == STATUS_OK)
        *ret = answer;
    return s;
}
