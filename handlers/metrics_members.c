/* metrics_members.c - cash_flows, trades and summary of a track record's request. */
#include "handlers/metrics_members.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"

#include <math.h>

enum status metrics_read_flows(struct json_val root, struct arena *arena,
                               struct metrics_request *request, struct err *err)
{
    static const char *const keys[] = {"date", "amount"};
    struct json_val list = jr_member(root, "cash_flows");
    if (!jr_is_present(list))
        return STATUS_OK;
    enum status s = jr_expect_array(list, 1, METRICS_FLOWS_MAX, err);
    if (s != STATUS_OK)
        return s;
    request->n_flows = jr_length(list);
    struct xirr_flow *flow = arena_array(arena, request->n_flows, sizeof *flow);
    if (flow == NULL)
        return metrics_no_memory(err);
    for (size_t i = 0; i < request->n_flows && s == STATUS_OK; i++) {
        struct json_val item = jr_item(list, i);
        s = jr_expect_object(item, keys, ARRAY_LEN(keys), err);
        if (s == STATUS_OK)
            s = jr_read_date(jr_member(item, "date"), &flow[i].date, err);
        if (s == STATUS_OK)
            s = jr_read_f64(jr_member(item, "amount"), -1e18, 1e18, &flow[i].amount, err);
    }
    request->flow = flow;
    return s;
}

enum status metrics_read_trades(struct json_val root, struct arena *arena,
                                struct metrics_request *request, struct err *err)
{
    struct json_val list = jr_member(root, "trades");
    if (!jr_is_present(list))
        return STATUS_OK;
    enum status s = metrics_read_numbers(list, 0, arena, &request->trade, err);
    request->n_trades = s == STATUS_OK ? jr_length(list) : 0;
    for (size_t i = 0; i < request->n_trades && s == STATUS_OK; i++) {
        if (isnan(request->trade[i]))
            return spec_refuse(jr_item(list, i), STATUS_WRONG_TYPE, "A trade without a result.",
                               "a number", err);
    }
    return s;
}

enum status metrics_read_summary(struct json_val root, struct metrics_summary *summary,
                                 struct err *err)
{
    static const char *const keys[] = {
        "sharpe",        "n",          "skewness",        "kurtosis",
        "target_sharpe", "confidence", "autocorrelation", "periods_per_year"};
    struct json_val val = jr_member(root, "summary");
    *summary = (struct metrics_summary){.kurtosis = 3, .confidence = 0.95, .periods_per_year = 252};
    if (!jr_is_present(val))
        return STATUS_OK;
    summary->is_given = true;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "sharpe", -1000, 1000, &summary->sharpe, err);
    if (s == STATUS_OK)
        s = spec_optional_i64(val, "n", 2, 1000000000, &summary->n, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "skewness", -1000, 1000, &summary->skewness, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "kurtosis", 1, 1e6, &summary->kurtosis, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "target_sharpe", -1000, 1000, &summary->target_sharpe, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "confidence", 0.5, 0.99999, &summary->confidence, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "autocorrelation", -0.99, 0.99, &summary->autocorrelation, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "periods_per_year", 1, 1e6, &summary->periods_per_year, err);
    return s;
}
