/* metrics_option.c - options of text to a request: numbers in their ranges, names, and counts. */
#include "handlers/metrics_csv.h"

#include "base/date.h"
#include "base/suggest.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

const char *const metrics_option_names[] = {
    "profile",    "missing",         "periods_per_year", "period",  "risk_free_rate", "mar",
    "confidence", "required_return", "target_sharpe",    "tail",    "ruin_loss",      "select",
    "drawdowns",  "aggregate",       "rolling_window",   "hac_lag", "start",          NULL};

static enum status bad_option(const struct metrics_option *option, const char *allowed,
                              struct err *err)
{
    (void)err_set(err, STATUS_BAD_VALUE, "%.*s cannot be \"%.*s\".", STR_ARG(option->name),
                  STR_ARG(option->value));
    err_at(err, ERR_PARAMETER, option->name, option->value);
    err_allow(err, "%s", allowed);
    return STATUS_BAD_VALUE;
}

static enum status option_choice(const struct metrics_option *option, const char *const *names,
                                 size_t n_names, size_t *ret, struct err *err)
{
    char allowed[256];
    struct buf text;
    buf_init_fixed(&text, allowed, sizeof allowed);
    for (size_t i = 0; i < n_names; i++) {
        if (str_eq(option->value, str_of(names[i]))) {
            *ret = i;
            return STATUS_OK;
        }
        buf_add_c(&text, i == 0 ? "" : ", ");
        buf_add_c(&text, names[i]);
    }
    const char *list = buf_c_str(&text);
    return bad_option(option, list != NULL ? list : "a name of the documentation", err);
}

static enum status option_number(const struct metrics_option *option, double least, double most,
                                 bool is_whole, double *ret, struct err *err)
{
    char allowed[96];
    double x = 0;
    if (str_to_f64(option->value, &x) && x >= least && x <= most &&
        !(is_whole && fabs(x - floor(x)) > 0)) {
        *ret = x;
        return STATUS_OK;
    }
    (void)snprintf(allowed, sizeof allowed, "%s from %g to %g",
                   is_whole ? "a whole number" : "a number", least, most);
    return bad_option(option, allowed, err);
}

/* Numbers that stand in the request as they are. */
static double *plain_number(struct metrics_request *request, struct str name, double *ret_least,
                            double *ret_most)
{
    struct measure_options *o = &request->record.options;
    const struct {
        const char *name;
        double *to, least, most;
    } numbers[] = {
        {"periods_per_year", &request->record.periods_per_year, 0.01, 1e6},
        {"risk_free_rate", &request->record.risk_free_rate, -0.5, 1},
        {"mar", &o->mar, -10, 10},
        {"confidence", &o->confidence, 0.5, 0.99999},
        {"required_return", &o->required_return, -100, 100},
        {"target_sharpe", &o->target_sharpe, -100, 100},
        {"tail", &o->tail, 0.0001, 0.5},
        {"ruin_loss", &o->ruin_loss, 0.001, 0.999},
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (!str_eq(name, str_of(numbers[i].name)))
            continue;
        *ret_least = numbers[i].least;
        *ret_most = numbers[i].most;
        return numbers[i].to;
    }
    return NULL;
}

static enum status set_choice(struct metrics_request *request, const struct metrics_option *option,
                              bool *ret_known, struct err *err)
{
    size_t at = 0;
    enum status s = STATUS_OK;
    assert(request != NULL);
    *ret_known = true;
    if (str_eq(option->name, STR("profile"))) {
        s = option_choice(option, profile_names, PROFILE_COUNT, &at, err);
        request->record.profile = (enum profile)at;
    } else if (str_eq(option->name, STR("missing"))) {
        s = option_choice(option, profile_missing_names, MISSING_COUNT, &at, err);
        request->record.missing = (enum profile_missing)at;
    } else if (str_eq(option->name, STR("aggregate"))) {
        s = option_choice(option, metrics_aggregate_names, AGGREGATE_COUNT, &at, err);
        request->aggregate = (enum metrics_aggregate)at;
    } else if (str_eq(option->name, STR("period"))) {
        s = option_choice(option, metrics_period_names, METRICS_PERIODS_COUNT, &at, err);
        request->record.periods_per_year = metrics_period_values[at];
        request->periods_assumed = false;
    } else if (str_eq(option->name, STR("start"))) {
        if (!date_parse(option->value, &request->record.start))
            s = bad_option(option, "a date YYYY-MM-DD", err);
    } else {
        *ret_known = false;
    }
    return s;
}

static enum status set_count(struct metrics_request *request, const struct metrics_option *option,
                             bool *ret_known, struct err *err)
{
    double x = 0;
    enum status s = STATUS_OK;
    assert(request != NULL);
    *ret_known = true;
    if (str_eq(option->name, STR("drawdowns"))) {
        s = option_number(option, 0, METRICS_DRAWDOWNS_MAX, true, &x, err);
        request->n_drawdowns = (size_t)x;
    } else if (str_eq(option->name, STR("rolling_window"))) {
        s = option_number(option, 2, METRICS_ROWS_MAX, true, &x, err);
        request->rolling.window = (size_t)x;
        for (size_t m = 0; m < ROLLING_METRIC_COUNT; m++)
            request->rolling.wanted[m] = true;
    } else if (str_eq(option->name, STR("hac_lag"))) {
        s = option_number(option, 0, 1000, true, &x, err);
        request->hac_lag = (int)x;
    } else {
        *ret_known = false;
    }
    return s;
}

static enum status unknown_option(struct str name, struct err *err)
{
    struct suggest search = suggest_start(name);
    for (size_t i = 0; metrics_option_names[i] != NULL; i++)
        suggest_offer(&search, str_of(metrics_option_names[i]));
    struct str near = suggest_take(&search);
    (void)err_set(err, STATUS_UNKNOWN_PARAMETER, "There is no option \"%.*s\".", STR_ARG(name));
    err_at(err, ERR_PARAMETER, name, STR_NONE);
    if (near.ptr != NULL)
        err_suggest(err, near);
    err_allow(err, "an option of docs/track-record.md");
    return STATUS_UNKNOWN_PARAMETER;
}

enum status metrics_option_set(struct metrics_request *request, const struct metrics_option *option,
                               struct err *err)
{
    double least, most;
    bool is_known;
    double *number = plain_number(request, option->name, &least, &most);
    if (number != NULL) {
        if (str_eq(option->name, STR("periods_per_year")))
            request->periods_assumed = false;
        if (str_eq(option->name, STR("mar")))
            request->record.options.has_mar = true;
        return option_number(option, least, most, false, number, err);
    }
    enum status s = set_choice(request, option, &is_known, err);
    if (!is_known)
        s = set_count(request, option, &is_known, err);
    return is_known ? s : unknown_option(option->name, err);
}
