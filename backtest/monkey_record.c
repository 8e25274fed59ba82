/* monkey_record.c - reads what a track record's monkeys may hold, plays them over its dates and ranks it. */
#include "backtest/monkey_record.h"

#include "backtest/backtest.h"
#include "backtest/coverage.h"
#include "backtest/spec_costs.h"
#include "backtest/spec_lists.h"
#include "backtest/spec_money.h"
#include "backtest/spec_optional.h"
#include "backtest/spec_rebalance.h"
#include "base/date.h"

#include <string.h>

static const char universe_at[] = "/monkeys/universe";

/* Parts of the member that a backtest has too are read into a spec, whose text then makes a whole one. */
static enum status complete(const struct spec *parts, struct arena *arena, struct spec **ret,
                            struct err *err)
{
    struct buf text;
    struct json_out json;
    buf_init(&text, arena, (size_t)1 << 20);
    jw_init(&json, &text);
    jw_object(&json);
    jw_key(&json, "universe");
    jw_array(&json);
    for (size_t i = 0; i < parts->n_universe; i++)
        jw_str(&json, parts->universe[i]);
    jw_end_array(&json);
    jw_key_c(&json, "currency", parts->currency);
    jw_key_c(&json, "fill", "same_close");
    spec_write_rebalance(&parts->rebalance, &json);
    jw_end_object(&json);
    if (text.failed)
        return err_out_of_memory(err);
    enum status s = spec_parse(buf_str(&text), arena, ret, err);
    if (s == STATUS_OK)
        (*ret)->assets_at = (*ret)->universe_at = universe_at;
    return s;
}

enum status monkey_record_read(struct json_val root, struct arena *arena,
                               struct monkey_record_ask *ret, struct err *err)
{
    static const char *const keys[] = {"universe", "names",     "count",
                                       "seed",     "rebalance", "currency"};
    struct json_val val = jr_member(root, "monkeys");
    struct spec parts = {.rebalance = rebalance_plain(REBALANCE_MONTHLY)};
    int64_t count = 1000, seed = 1, names = 0;
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_read_universe(jr_member(val, "universe"), arena, &parts, err);
    if (s == STATUS_OK)
        s = jr_read_i64(jr_member(val, "names"), 1, (int64_t)parts.n_universe, &names, err);
    if (s == STATUS_OK)
        s = spec_optional_i64(val, "count", 1, MONKEY_RECORD_COUNT_MAX, &count, err);
    if (s == STATUS_OK)
        s = spec_optional_i64(val, "seed", 0, SPEC_SEED_MAX, &seed, err);
    if (s == STATUS_OK)
        s = spec_read_rebalance(jr_member(val, "rebalance"), &parts.rebalance, err);
    if (s == STATUS_OK)
        s = spec_read_currency(val, parts.currency, err);
    if (s == STATUS_OK)
        s = complete(&parts, arena, &ret->spec, err);
    if (s != STATUS_OK)
        return s;
    ret->spec->monkey_seed = ret->seed = (uint64_t)seed;
    ret->count = (unsigned)count;
    ret->n_names = (size_t)names;
    return STATUS_OK;
}

uint64_t monkey_record_cells(const struct monkey_record_ask *ask, const struct measure_path *path)
{
    uint64_t days =
        (uint64_t)(path->date[path->n - 1] - path->date[0]) + 1 + MONKEY_RECORD_LEAD_DAYS;
    return days * (ask->spec->n_universe + (uint64_t)ask->count * ask->n_names);
}

/*
 * From the lead, or the first day that all have if that is later but no later than V_0; to the last date, or the
 * last day that all have if a holiday lies between. Anything else is left for the panel to refuse.
 */
static enum status set_window(const struct monkey_record *record, const struct market_data *market,
                              struct spec *spec, struct err *err)
{
    int32_t first = record->path.date[0], last = record->path.date[record->path.n - 1];
    enum status s = spec_check_window(first - MONKEY_RECORD_LEAD_DAYS, last, err);
    if (s != STATUS_OK) {
        err_at(err, ERR_POINTER, STR("/dates"), STR_NONE);
        return s;
    }
    spec->start = spec->end = DATE_NONE;
    s = coverage_resolve(spec, market, err);
    if (s != STATUS_OK)
        return s;
    if (spec->start > first)
        spec->start = first;
    if (spec->start < first - MONKEY_RECORD_LEAD_DAYS)
        spec->start = first - MONKEY_RECORD_LEAD_DAYS;
    if (spec->end > last || spec->end < last - MONKEY_RECORD_LEAD_DAYS)
        spec->end = last;
    return STATUS_OK;
}

static struct sim_rules rules_of(const struct backtest_result *prepared)
{
    const struct spec *spec = prepared->spec;
    return (struct sim_rules){.due = prepared->due,
                              .n_due = prepared->n_due,
                              .fill = spec->fill,
                              .capital = spec->capital,
                              .costs = spec_cost_model(spec),
                              .rebalance = spec->rebalance,
                              .shares = spec->shares,
                              .financing = spec_financing(spec),
                              .leverage = spec_leverage(spec),
                              .allocation = spec->flow_allocation};
}

static enum status play(const struct monkey_record_ask *ask, const struct monkey_record *record,
                        const struct backtest_result *prepared, struct arena *arena,
                        const struct stop *stop, struct monkey_report *ret, struct err *err)
{
    struct sim_rules rules = rules_of(prepared);
    struct monkey_game game;
    struct monkey_crowd crowd;
    enum status s = monkey_game_init(&game, prepared->panel, prepared->spec, &rules,
                                     record->periods_per_year, NULL, arena, err);
    if (s == STATUS_OK)
        s = monkey_game_look_at(&game, &record->path, record->rate, arena, err);
    if (s != STATUS_OK)
        return s;
    game.risk_free = record->risk_free;
    if (ask->n_names < game.n_names)
        game.n_names = ask->n_names;
    struct monkey_score own =
        monkey_score_path(&game, record->path.value, record->path.value[record->path.n - 1]);
    s = monkey_crowd_play(&game, ask->count, arena, stop, &crowd, err);
    if (s == STATUS_OK)
        *ret = monkey_crowd_rank(&crowd, &own);
    return s;
}

enum status monkey_record_rank(const struct monkey_record_ask *ask,
                               const struct monkey_record *record, const struct market_data *market,
                               struct arena *arena, const struct stop *stop,
                               struct monkey_report *ret, struct err *err)
{
    struct spec spec = *ask->spec;
    struct backtest_result *prepared = NULL;
    enum status s = set_window(record, market, &spec, err);
    if (s == STATUS_OK)
        s = backtest_preview(&spec, market, arena, stop, &prepared, err);
    if (s == STATUS_OUTSIDE_COVERAGE)
        err_at(err, ERR_POINTER, str_of(universe_at), STR_NONE);
    return s == STATUS_OK ? play(ask, record, prepared, arena, stop, ret, err) : s;
}
