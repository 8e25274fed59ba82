/* metrics_request.c - the JSON form of a track record. */
#include "handlers/metrics_request.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"
#include "base/date.h"
#include "base/json_in.h"
#include "base/suggest.h"
#include "handlers/metrics_members.h"

const char *const metrics_aggregate_names[AGGREGATE_COUNT] = {"none", "weekly", "monthly",
                                                              "quarterly", "yearly"};
const char *const metrics_period_names[METRICS_PERIODS_COUNT] = {"daily", "weekly", "monthly",
                                                                 "quarterly", "yearly"};
const double metrics_period_values[METRICS_PERIODS_COUNT] = {252, 52, 12, 4, 1};

enum status metrics_no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this track record.");
}

struct metrics_request metrics_request_default(void)
{
    return (struct metrics_request){
        .record = {.start = DATE_NONE, .periods_per_year = 252, .missing = MISSING_COUNT},
        .periods_assumed = true,
        .n_drawdowns = 10,
        .hac_lag = REGRESSION_LAG_AUTO,
        .currency = "USD",
    };
}

bool metrics_request_reads_prices(const struct metrics_request *request)
{
    return request->monkeys.count > 0 || request->instruments.n > 0;
}

static enum status read_periods(struct json_val root, struct metrics_request *request,
                                struct err *err)
{
    struct json_val number = jr_member(root, "periods_per_year"), name = jr_member(root, "period");
    size_t period = METRICS_PERIODS_COUNT;
    enum status s = spec_optional_f64(root, "periods_per_year", 0.01, 1e6,
                                      &request->record.periods_per_year, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "period", metrics_period_names, METRICS_PERIODS_COUNT,
                                 &period, err);
    if (s != STATUS_OK)
        return s;
    if (jr_is_present(number) && jr_is_present(name))
        return spec_refuse(name, STATUS_BAD_SPEC, "The periods of a year are given twice.",
                           "periods_per_year or period", err);
    if (period < METRICS_PERIODS_COUNT)
        request->record.periods_per_year = metrics_period_values[period];
    request->periods_assumed = !jr_is_present(number) && !jr_is_present(name);
    return STATUS_OK;
}

static enum status read_options(struct json_val root, struct metrics_request *request,
                                struct err *err)
{
    struct measure_options *o = &request->record.options;
    size_t profile = PROFILE_native, missing = MISSING_COUNT, aggregate = AGGREGATE_NONE;
    int64_t drawdowns = 10;
    enum status s =
        spec_optional_choice(root, "profile", profile_names, PROFILE_COUNT, &profile, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "missing", profile_missing_names, MISSING_COUNT, &missing,
                                 err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "aggregate", metrics_aggregate_names, AGGREGATE_COUNT,
                                 &aggregate, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(root, "confidence", 0.5, 0.99999, &o->confidence, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(root, "required_return", -100, 100, &o->required_return, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(root, "target_sharpe", -100, 100, &o->target_sharpe, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(root, "tail", 0.0001, 0.5, &o->tail, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(root, "ruin_loss", 0.001, 0.999, &o->ruin_loss, err);
    if (s == STATUS_OK)
        s = spec_optional_i64(root, "drawdowns", 0, METRICS_DRAWDOWNS_MAX, &drawdowns, err);
    request->record.profile = (enum profile)profile;
    request->record.missing = (enum profile_missing)missing;
    request->aggregate = (enum metrics_aggregate)aggregate;
    request->n_drawdowns = (size_t)drawdowns;
    return s;
}

enum status metrics_copy_text(struct json_val val, struct arena *arena, struct str *ret,
                              struct err *err)
{
    struct str text;
    enum status s = jr_read_str(val, 1, METRICS_NAME_BYTES_MAX, &text, err);
    if (s != STATUS_OK)
        return s;
    const char *copy = arena_dup(arena, text);
    *ret = (struct str){copy, text.len};
    return copy == NULL ? metrics_no_memory(err) : STATUS_OK;
}

static enum status find_name(const struct metrics_request *request, struct str name, size_t i,
                             enum measure_id *ret, struct err *err)
{
    enum profile profile = request->record.profile;
    if (profile_find(profile, name, ret))
        return STATUS_OK;
    struct suggest search = suggest_start(name);
    for (size_t k = 0; profile_name_at(profile, k).ptr != NULL; k++)
        suggest_offer(&search, profile_name_at(profile, k));
    (void)err_set(err, STATUS_UNKNOWN_FIELD, "Profile %s has no metric \"%.*s\".",
                  profile_names[profile], STR_ARG(name));
    char pointer[32];
    struct buf text;
    buf_init_fixed(&text, pointer, sizeof pointer);
    buf_printf(&text, "/select/%zu", i);
    err_at(err, ERR_POINTER, buf_str(&text), name);
    struct str near = suggest_take(&search);
    if (near.ptr != NULL)
        err_suggest(err, near);
    err_allow(err, "a name of docs/formulas.md or docs/track-record.md");
    return STATUS_UNKNOWN_FIELD;
}

enum status metrics_request_settle(struct metrics_request *request, const struct str *select,
                                   size_t n_select, struct arena *arena, struct err *err)
{
    struct record *record = &request->record;
    if (record->missing == MISSING_COUNT)
        record->missing = profile_missing(record->profile);
    bool has_work = request->has_series || request->n_flows > 0 || request->n_trades > 0 ||
                    request->summary.is_given;
    if (!has_work) {
        (void)err_set(err, STATUS_BAD_SPEC, "There is nothing to measure.");
        err_allow(err, "returns or prices, or cash_flows, trades or summary");
        return STATUS_BAD_SPEC;
    }
    struct metrics_select *list = arena_array(arena, n_select + 1, sizeof *list);
    if (list == NULL)
        return metrics_no_memory(err);
    for (size_t i = 0; i < n_select; i++) {
        list[i].name = select[i];
        enum status s = find_name(request, select[i], i, &list[i].row, err);
        if (s != STATUS_OK)
            return s;
    }
    request->select = list;
    request->n_select = n_select;
    return STATUS_OK;
}

static enum status read_select(struct json_val root, struct arena *arena,
                               struct metrics_request *request, struct err *err)
{
    struct json_val list = jr_member(root, "select");
    if (!jr_is_present(list))
        return metrics_request_settle(request, NULL, 0, arena, err);
    enum status s = jr_expect_array(list, 1, METRICS_SELECT_MAX, err);
    if (s != STATUS_OK)
        return s;
    size_t n = jr_length(list);
    struct str *names = arena_array(arena, n, sizeof *names);
    if (names == NULL)
        return metrics_no_memory(err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = metrics_copy_text(jr_item(list, i), arena, &names[i], err);
    return s == STATUS_OK ? metrics_request_settle(request, names, n, arena, err) : s;
}

static enum status read_root(struct json_val root, struct arena *arena,
                             struct metrics_request *request, struct err *err)
{
    static const char *const keys[] = {
        "returns",
        "prices",
        "dates",
        "start",
        "benchmark",
        "profile",
        "missing",
        "periods_per_year",
        "period",
        "risk_free_rate",
        "risk_free_per_period",
        "mar",
        "confidence",
        "required_return",
        "target_sharpe",
        "tail",
        "ruin_loss",
        "select",
        "drawdowns",
        "aggregate",
        "rolling",
        "factors",
        "hac_lag",
        "currency",
        "cash_flows",
        "trades",
        "summary",
        "bootstrap",
        "monkeys",
    };
    struct record *record = &request->record;
    enum status s = jr_expect_object(root, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = metrics_read_series(root, arena, request, err);
    if (s == STATUS_OK)
        s = read_periods(root, request, err);
    if (s == STATUS_OK)
        s = read_options(root, request, err);
    if (s == STATUS_OK)
        s = spec_rolling_read(root, &request->rolling, err);
    if (s == STATUS_OK)
        s = spec_read_currency(root, request->currency, err);
    if (s == STATUS_OK)
        s = metrics_read_factors(root, arena, request, err);
    if (s == STATUS_OK)
        s = metrics_read_flows(root, arena, request, err);
    if (s == STATUS_OK)
        s = metrics_read_trades(root, arena, request, err);
    if (s == STATUS_OK)
        s = metrics_read_summary(root, &request->summary, err);
    if (s == STATUS_OK)
        s = spec_bootstrap_read(root, &request->bootstrap, err);
    if (s == STATUS_OK)
        s = monkey_record_read(root, arena, &request->monkeys, err);
    if (s == STATUS_OK && request->monkeys.count > 0 &&
        (record->date == NULL || !request->has_series))
        return spec_refuse(jr_member(root, "monkeys"), STATUS_BAD_SPEC,
                           "Monkeys live on the dates of a series, and there are none.",
                           "dates, one for each row of returns or prices", err);
    return s == STATUS_OK ? read_select(root, arena, request, err) : s;
}

enum status metrics_request_parse(struct str body, struct arena *arena,
                                  struct metrics_request **ret, struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct metrics_request *request = ARENA_NEW(arena, struct metrics_request);
    if (request == NULL)
        return metrics_no_memory(err);
    *request = metrics_request_default();
    enum status s = jr_parse(body, arena, &doc, err);
    if (s == STATUS_OK)
        s = read_root(jr_root(doc), arena, request, err);
    if (s == STATUS_OK)
        *ret = request;
    return s;
}
