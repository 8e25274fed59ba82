/* batch_report.c - the result of a finished batch, written once. */
#include "handlers/batch_report.h"

enum { RESULT_BYTES_MAX = 1 << 20 };

static bool is_better_low(enum backtest_row_metric metric)
{
    return metric == ROW_volatility || metric == ROW_ulcer_index ||
           metric == ROW_max_drawdown_days || metric == ROW_turnover_annual ||
           metric == ROW_cost_ratio || metric == ROW_tracking_error;
}

static enum status write_best(struct db *db, const struct batch_summary *summary,
                              struct arena *arena, struct json_out *json, struct err *err)
{
    enum backtest_row_metric metric = summary->kept->metric;
    struct backtest_best best;
    bool found = false;
    enum status s = backtest_items_best(db, summary->job_id, metric, is_better_low(metric), arena,
                                        &best, &found, err);
    if (s != STATUS_OK)
        return s;
    jw_key(json, "best");
    if (!found) {
        jw_null(json);
        return STATUS_OK;
    }
    jw_object(json);
    jw_key_i64(json, "item", best.item);
    jw_key_text(json, "id", best.id);
    jw_key_c(json, "metric", backtest_row_names[metric]);
    jw_key_f64(json, "value", best.value);
    jw_key(json, "parameters");
    if (best.parameters.ptr == NULL)
        jw_null(json);
    else
        jw_raw(json, best.parameters);
    jw_end_object(json);
    return STATUS_OK;
}

static void write_splits(struct json_out *json, const struct overfit_splits *splits)
{
    static const char *const names[OVERFIT_QUANTILES] = {"p5", "p25", "p50", "p75", "p95"};
    jw_key(json, "splits");
    if (splits->n == 0) {
        jw_null(json);
        return;
    }
    jw_object(json);
    jw_key_i64(json, "n", (int64_t)splits->n);
    jw_key_f64(json, "pbo", splits->pbo);
    jw_key_f64(json, "probability_of_loss", splits->loss);
    jw_key(json, "logit");
    jw_object(json);
    for (size_t i = 0; i < OVERFIT_QUANTILES; i++)
        jw_key_f64(json, names[i], splits->logit[i]);
    jw_end_object(json);
    jw_key_f64(json, "degradation_slope", splits->slope);
    jw_key_f64(json, "degradation_intercept", splits->intercept);
    jw_key_f64(json, "degradation_r_squared", splits->r_squared);
    jw_end_object(json);
}

static void write_overfitting(struct json_out *json, const struct batch_study *study,
                              const struct overfit_report *report)
{
    bool has_best = report->best < report->n_columns;
    jw_object(json);
    jw_key_i64(json, "trials", (int64_t)report->n_trials);
    jw_key_i64(json, "columns", (int64_t)report->n_columns);
    jw_key_i64(json, "other_sessions", (int64_t)study->n_others);
    jw_key_i64(json, "sessions", (int64_t)study->study.n_rows);
    jw_key_f64(json, "mean_sharpe", report->mean_sharpe);
    jw_key_f64(json, "variance_sharpe", report->variance_sharpe);
    jw_key_f64(json, "expected_max_sharpe", report->expected_max);
    jw_key(json, "best_item");
    if (has_best)
        jw_i64(json, study->item[report->best]);
    else
        jw_null(json);
    jw_key_f64(json, "best_sharpe", report->best_trial.sharpe);
    jw_key_f64(json, "psr", report->psr);
    jw_key_f64(json, "deflated_sharpe", report->deflated);
    jw_key_f64(json, "min_track_record", report->min_track_record);
    jw_key_f64(json, "mean_correlation", report->mean_correlation);
    jw_key_f64(json, "effective_trials", report->effective_trials);
    jw_key_f64(json, "effective_expected_max_sharpe", report->effective_expected_max);
    jw_key_f64(json, "effective_deflated_sharpe", report->effective_deflated);
    write_splits(json, &report->splits);
    jw_end_object(json);
}

/* Trials are counted here, not told by the client: every item that was run, failed or not, was a try. */
static void write_study(const struct batch_summary *summary, struct json_out *json)
{
    struct overfit_report report;
    jw_key(json, "overfitting");
    if (summary->splits == NULL) {
        jw_null(json);
        return;
    }
    overfit_study_judge(&summary->study->study, (size_t)summary->n_items, &report);
    report.splits = *summary->splits;
    write_overfitting(json, summary->study, &report);
}

static void write_part(struct json_out *json, const char *key, struct str part)
{
    jw_key(json, key);
    if (part.ptr == NULL)
        jw_null(json);
    else
        jw_raw(json, part);
}

enum status batch_report(struct db *db, const struct batch_summary *summary, struct arena *arena,
                         struct str *ret, struct err *err)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, arena, RESULT_BYTES_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    jw_key_i64(&json, "items", summary->n_items);
    jw_key_i64(&json, "succeeded", summary->n_items - summary->n_failed);
    jw_key_i64(&json, "failed", summary->n_failed);
    jw_key_i64(&json, "generation", summary->generation);
    jw_key_c(&json, "engine_version", BACKTEST_ENGINE_VERSION);
    enum status s = write_best(db, summary, arena, &json, err);
    write_study(summary, &json);
    write_part(&json, "frontier", summary->frontier);
    jw_key_text(&json, "frontier_reason", summary->no_frontier);
    write_part(&json, "monte_carlo", summary->futures);
    jw_end_object(&json);
    *ret = buf_str(&out);
    return s == STATUS_OK && out.failed ? err_out_of_memory(err) : s;
}
