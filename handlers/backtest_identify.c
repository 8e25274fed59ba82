/* backtest_identify.c - what a request asks for, which data it reads, what it costs, and its id. */
#include "handlers/backtest_run_parts.h"

#include "backtest/work.h"
#include "base/clock.h"

/*
 * The marts that a backtest reads; their generations are part of its identity. Without a calendar less is known about
 * the quality of the data, and corporate actions may all be in the bars; economic series are read when the request names one.
 */
enum { MART_CALENDAR = 3, MART_ACTION = 4, MART_INDICATOR = 5 };
static const char *const marts_read[] = {"mart_instrument",
                                         "mart_price_daily",
                                         "mart_fx_daily",
                                         [MART_CALENDAR] = "mart_calendar",
                                         [MART_ACTION] = "mart_corporate_action",
                                         [MART_INDICATOR] = "mart_economic_indicator"};

/* The files' names come from their bytes, so that the id says which prices and series were used. */
static enum status use_file(struct run *run, struct err *err)
{
    const struct price_file *file = run->service->file;
    bool has_series = file->series_name[0] != '\0' && spec_reads_indicators(run->spec);
    struct backtest_mart *marts = arena_array(run->arena, 2, sizeof *marts);
    if (marts == NULL)
        return err_out_of_memory(err);
    marts[0] = (struct backtest_mart){.name = file->name};
    marts[1] = (struct backtest_mart){.name = file->series_name};
    run->passport = (struct backtest_passport){
        .engine_version = BACKTEST_ENGINE_VERSION, .marts = marts, .n_marts = has_series ? 2 : 1};
    return STATUS_OK;
}

enum status run_read_generations(struct run *run, struct err *err)
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
        if (i == MART_INDICATOR && !spec_reads_indicators(run->spec))
            continue;
        if (!is_there && (i == MART_CALENDAR || i == MART_ACTION))
            continue;
        if (!is_there)
            return err_set(
                err, STATUS_NO_DATA,
                "The store has no data yet in %s; `cmmc load` and `cmmc ingest` publish some.",
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

void run_write_data(const struct run *run, struct buf *out)
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
    run_write_data(run, &identity);
    buf_add(&identity, buf_str(&spec));
    if (spec.failed || identity.failed)
        return err_out_of_memory(err);
    *ret_spec = buf_str(&spec);
    return digest_hex(buf_str(&identity), ret_id, err);
}

/* Open dates become those of the data, so that asking for them by name gives the same id. */
static enum status resolve(struct run *run, struct backtest_answer *answer, struct err *err)
{
    if (run->spec->start != DATE_NONE && run->spec->end != DATE_NONE)
        return STATUS_OK;
    int64_t from_ns = clock_mono_ns();
    enum status s = run->is_loaded ? STATUS_OK : run_load(run, err);
    answer->load_ms = run_ms_since(from_ns);
    return s != STATUS_OK ? s : spec_resolve_dates(run->spec, &run->market, err);
}

/* The strategy with its decisions, its run without costs, and every monkey visit their names on each day; and trust. */
uint64_t run_cells(const struct spec *spec)
{
    uint64_t days = (uint64_t)(spec->end - spec->start) + 1;
    uint64_t decisions = work_of_decisions(spec, days);
    uint64_t cells = spec->n_assets * days *
                     (spec->n_monkeys + 2u); /* at most 500 x 22,000 x 100,002: no overflow */
    return cells + decisions +
           spec_trust_cells(&spec->trust, days, spec->n_assets * days + decisions / 2,
                            offset_luck_count(spec));
}

enum status run_check_cost(const struct run *run, uint64_t cells, struct err *err)
{
    if (cells <= run->service->cells_max)
        return STATUS_OK;
    (void)err_set(
        err, STATUS_TOO_LARGE,
        "This backtest would visit %llu cells (assets x days x portfolios, and decisions).",
        (unsigned long long)cells);
    err_at(err, ERR_POINTER, STR("/monkeys/count"), STR_NONE);
    err_allow(err, "at most %llu cells: fewer monkeys, candidates, decisions, assets or years",
              (unsigned long long)run->service->cells_max);
    return STATUS_TOO_LARGE;
}

/* Everything before prices are needed; open dates need them. */
enum status run_begin(struct run *run, struct str request_body, struct backtest_answer *answer,
                      struct str *ret_spec, struct err *err)
{
    enum status s = spec_parse(request_body, run->arena, &run->spec, err);
    if (s == STATUS_OK)
        s = run_read_generations(run, err);
    if (s == STATUS_OK)
        s = resolve(run, answer, err);
    if (s == STATUS_OK)
        s = run_check_cost(run, run_cells(run->spec), err);
    if (s == STATUS_OK)
        answer->cells = run_cells(run->spec);
    return s != STATUS_OK ? s : identify(run, answer->id, ret_spec, err);
}
