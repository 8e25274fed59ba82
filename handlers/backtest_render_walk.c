/* backtest_render_walk.c - writes the fits of a walk-forward search beside what luck would have given. */
#include "handlers/backtest_render_walk.h"

#include <math.h>

static void write_fit(const struct backtest_result *r, const struct walk_fit *fit,
                      struct json_out *json)
{
    jw_object(json);
    jw_key_date(json, "fitted_at", r->panel->clock[fit->session]);
    jw_key_date(json, "train_from", fit->train_from);
    jw_key_i64(json, "chosen", (int64_t)fit->chosen);
    jw_key_f64(json, "in_sample", fit->in_sample);
    jw_key_f64(json, "out_of_sample", fit->out_of_sample);
    jw_key(json, "scores");
    jw_array(json);
    for (size_t c = 0; c < r->strategy.walk.n_candidates; c++)
        jw_f64(json, fit->scores[c]);
    jw_end_array(json);
    jw_end_object(json);
}

static void write_trials(const struct walk_report *walk, struct json_out *json)
{
    const struct overfit_report *t = &walk->trials;
    if (!walk->has_trials) {
        jw_key_null(json, "trials");
        return;
    }
    jw_key(json, "trials");
    jw_object(json);
    jw_key_i64(json, "count", (int64_t)t->n_trials);
    jw_key_f64(json, "expected_max_sharpe", t->expected_max);
    jw_key_i64(json, "best", (int64_t)t->best);
    jw_key_f64(json, "best_sharpe", t->best < t->n_columns ? t->best_trial.sharpe : (double)NAN);
    jw_key_f64(json, "deflated_sharpe", t->deflated);
    if (t->splits.n > 0)
        jw_key_f64(json, "probability_of_overfitting", t->splits.pbo);
    else
        jw_key_null(json, "probability_of_overfitting");
    jw_end_object(json);
}

void backtest_render_walk(const struct backtest_result *result, struct json_out *json)
{
    const struct walk_report *walk = &result->strategy.walk;
    if (walk->n == 0) {
        jw_key_null(json, "walk_forward");
        return;
    }
    jw_key(json, "walk_forward");
    jw_object(json);
    jw_key_i64(json, "count", (int64_t)walk->n);
    jw_key_bool(json, "truncated", walk->n > WALK_FITS_MAX);
    jw_key(json, "fits");
    jw_array(json);
    for (size_t k = 0; k < walk->n && k < WALK_FITS_MAX; k++)
        write_fit(result, &walk->fits[k], json);
    jw_end_array(json);
    write_trials(walk, json);
    jw_end_object(json);
}
