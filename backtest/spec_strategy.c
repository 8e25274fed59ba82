/* spec_strategy.c - reads and writes a strategy and its parameters by the rows of its kind. */
#include "backtest/spec_strategy.h"

#include "backtest/spec_limits.h"
#include "backtest/spec_lists.h"
#include "backtest/spec_nested.h"

#include <assert.h>
#include <math.h>

static const char *const names[STRATEGY_COUNT] = {
#define STRATEGY(id, name) [STRATEGY_##id] = #name,
#include "backtest/strategies.def"
#undef STRATEGY
};

enum { KEYS_MAX = 16 };
static const double EWMA_DECAY = 0.94; /* RiskMetrics, for days */

/* The members that the object of a kind may have; returns how many. */
static size_t list_keys(const struct strategy_kind *kind, const char *keys[KEYS_MAX])
{
    static const char *const window[] = {"lookback", "lag", "fallback"};
    static const char *const estimate[] = {"covariance", "decay"};
    size_t n = 0;
    keys[n++] = "name";
    for (size_t i = 0; i < ARRAY_LEN(window) && kind->needs & STRATEGY_WINDOW; i++)
        keys[n++] = window[i];
    for (size_t i = 0; i < ARRAY_LEN(estimate) && kind->needs & STRATEGY_COVARIANCE; i++)
        keys[n++] = estimate[i];
    for (size_t i = 0; i < kind->n_params; i++)
        keys[n++] = kind->params[i].name;
    if (strategy_takes_limits(kind))
        keys[n++] = "constraints";
    if (kind->needs & STRATEGY_BASE)
        keys[n++] = "base";
    if (kind->needs & STRATEGY_TABLE)
        keys[n++] = "rows";
    if (kind->needs & STRATEGY_SIGNAL)
        keys[n++] = "indicator";
    if (kind->needs & STRATEGY_VIEWS) {
        keys[n++] = "views";
        keys[n++] = "market";
    }
    if (kind->needs & STRATEGY_SEARCH) {
        keys[n++] = "candidates";
        keys[n++] = "grid";
    }
    return n;
}

static void set_defaults(struct strategy *strategy, const struct strategy_kind *kind)
{
    *strategy = (struct strategy){.kind = kind};
    strategy->lookback = kind->standard_lookback;
    strategy->limits = spec_limits_default();
    strategy->covariance = (struct covariance_choice){COVARIANCE_SAMPLE, EWMA_DECAY};
    for (size_t i = 0; i < kind->n_params; i++)
        strategy->param[i] = kind->params[i].standard;
}

static enum status read_size(struct json_val object, const char *key, int64_t min, int64_t max,
                             size_t *ret, struct err *err)
{
    struct json_val val = jr_member(object, key);
    int64_t number = 0;
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_read_i64(val, min, max, &number, err);
    if (s == STATUS_OK)
        *ret = (size_t)number;
    return s;
}

static enum status read_word(struct json_val object, const char *key, const char *const *words,
                             size_t n_words, size_t *ret, struct err *err)
{
    struct json_val val = jr_member(object, key);
    return jr_is_present(val) ? jr_read_choice(val, words, n_words, ret, err) : STATUS_OK;
}

static enum status read_window(struct json_val object, struct strategy *strategy, struct err *err)
{
    size_t fallback = FALLBACK_EQUAL;
    enum status s =
        read_size(object, "lookback", 2, STRATEGY_LOOKBACK_MAX, &strategy->lookback, err);
    if (s == STATUS_OK)
        s = read_size(object, "lag", 0, STRATEGY_LAG_MAX, &strategy->lag, err);
    if (s == STATUS_OK)
        s = read_word(object, "fallback", strategy_fallback_names, STRATEGY_FALLBACK_COUNT,
                      &fallback, err);
    strategy->fallback = (enum strategy_fallback)fallback;
    return s;
}

static enum status read_covariance(struct json_val object, struct strategy *strategy,
                                   struct err *err)
{
    size_t estimator = COVARIANCE_SAMPLE;
    struct json_val decay = jr_member(object, "decay");
    enum status s = read_word(object, "covariance", covariance_names, COVARIANCE_ESTIMATOR_COUNT,
                              &estimator, err);
    if (s != STATUS_OK)
        return s;
    strategy->covariance.estimator = (enum covariance_estimator)estimator;
    if (!jr_is_present(decay))
        return STATUS_OK;
    if (estimator != COVARIANCE_EWMA)
        return spec_refuse(decay, STATUS_BAD_SPEC, "Only covariance \"ewma\" has a decay.",
                           "\"covariance\": \"ewma\", or no decay", err);
    return jr_read_f64(decay, 0.5, 0.9999, &strategy->covariance.decay, err);
}

/* The index of one of the request's assets. */
static enum status read_asset(struct json_val val, const struct spec *spec, double *ret,
                              struct err *err)
{
    struct str uid;
    enum status s = jr_read_str(val, 1, SPEC_UID_BYTES_MAX, &uid, err);
    for (size_t i = 0; s == STATUS_OK && i < spec->n_assets; i++) {
        if (str_eq(spec->assets[i].uid, uid)) {
            *ret = (double)i;
            return STATUS_OK;
        }
    }
    return s != STATUS_OK ? s
                          : spec_refuse(val, STATUS_BAD_SPEC, "That is none of the assets.",
                                        "the uid of one of the assets of this request", err);
}

static enum status read_param(struct json_val object, const struct spec *spec,
                              const struct strategy_param *param, double *ret, struct err *err)
{
    struct json_val val = jr_member(object, param->name);
    size_t word = 0;
    int64_t integer = 0;
    enum status s = STATUS_OK;
    if (!jr_is_present(val))
        return STATUS_OK;
    switch (param->type) {
    case STRATEGY_INTEGER:
        s = jr_read_i64(val, (int64_t)param->min, (int64_t)param->max, &integer, err);
        *ret = (double)integer;
        break;
    case STRATEGY_NUMBER:
        s = jr_read_f64(val, param->min, param->max, ret, err);
        *ret += 0.0; /* -0 becomes 0 */
        break;
    case STRATEGY_CHOICE:
        s = jr_read_choice(val, param->choice, param->n_choices, &word, err);
        *ret = (double)word;
        break;
    case STRATEGY_ASSET:
        s = read_asset(val, spec, ret, err);
        break;
    }
    return s;
}

static enum status read_object(struct json_val object, const struct spec *spec, struct arena *arena,
                               struct strategy *strategy, struct err *err)
{
    const char *keys[KEYS_MAX];
    size_t n = list_keys(strategy->kind, keys);
    enum status s = jr_expect_object(object, keys, n, err);
    if (s == STATUS_OK && strategy->kind->needs & STRATEGY_WINDOW)
        s = read_window(object, strategy, err);
    if (s == STATUS_OK && strategy->kind->needs & STRATEGY_COVARIANCE)
        s = read_covariance(object, strategy, err);
    for (size_t i = 0; s == STATUS_OK && i < strategy->kind->n_params; i++)
        s = read_param(object, spec, &strategy->kind->params[i], &strategy->param[i], err);
    if (s == STATUS_OK)
        s = spec_read_limits(jr_member(object, "constraints"), arena, &strategy->limits, err);
    if (s == STATUS_OK)
        s = spec_read_nested(object, spec, arena, strategy, err);
    return s;
}

static enum status check_count(const struct spec *spec, const struct strategy_kind *kind,
                               struct json_val val, struct err *err)
{
    if (kind->most_assets == 0 || spec->n_assets <= kind->most_assets)
        return STATUS_OK;
    (void)err_set(err, STATUS_BAD_SPEC, "Strategy \"%s\" over %zu assets is too much work.",
                  kind->name, spec->n_assets);
    jr_err_at(err, val);
    err_allow(err, "at most %zu assets, or \"minimum_variance\"", kind->most_assets);
    return STATUS_BAD_SPEC;
}

/* A name, or an object with one; *ret_id is its row. */
static enum status read_value(struct json_val val, const struct spec *spec, struct arena *arena,
                              struct strategy **ret, size_t *ret_id, struct err *err)
{
    bool is_object = jr_type(val) == JR_OBJECT;
    struct strategy *strategy = ARENA_NEW(arena, struct strategy);
    enum status s = STATUS_OK;

    if (strategy == NULL)
        return err_out_of_memory(err);
    if (is_object || jr_is_present(val))
        s = jr_read_choice(is_object ? jr_member(val, "name") : val, names, STRATEGY_COUNT, ret_id,
                           err);
    if (s != STATUS_OK)
        return s;
    set_defaults(strategy, strategy_kinds[*ret_id]);
    if (strategy->kind->needs & STRATEGY_BENCHMARK && spec->benchmark.ptr == NULL)
        return spec_refuse(
            val, STATUS_BAD_SPEC, "That strategy looks at a benchmark, and there is none.",
            "a \"benchmark\" in the request; in a portfolio inside, another strategy", err);
    if (is_object)
        s = read_object(val, spec, arena, strategy, err);
    else if (strategy->kind->needs & STRATEGY_OBJECT_ONLY)
        s = spec_refuse(val, STATUS_BAD_SPEC, "That strategy does not go by its name alone.",
                        "an object with its name and its base, rows, indicator, candidates or grid",
                        err);
    if (s == STATUS_OK)
        s = check_count(spec, strategy->kind, val, err);
    if (s == STATUS_OK)
        s = spec_check_limits(spec, strategy, val, arena, err);
    if (s == STATUS_OK)
        *ret = strategy;
    return s;
}

enum status spec_read_strategy_value(struct json_val val, const struct spec *spec,
                                     struct arena *arena, struct strategy **ret, struct err *err)
{
    size_t id = STRATEGY_EQUAL;
    if (!jr_is_present(val))
        return jr_read_choice(val, names, STRATEGY_COUNT, &id, err); /* says that it is required */
    return read_value(val, spec, arena, ret, &id, err);
}

/* The economic series of a strategy, its base and its candidates are loaded with the request's own. */
static enum status add_signals(const struct strategy *strategy, struct spec *spec, struct err *err)
{
    enum status s = STATUS_OK;
    if (strategy->indicator.ptr != NULL)
        s = spec_add_indicator(spec, strategy->indicator, strategy->indicator_at, err);
    if (s == STATUS_OK && strategy->base != NULL)
        s = add_signals(strategy->base, spec, err);
    for (size_t i = 0; i < strategy->n_candidates && s == STATUS_OK; i++)
        s = add_signals(strategy->candidates[i], spec, err);
    return s;
}

enum status spec_read_strategy(struct json_val root, struct arena *arena, struct spec *spec,
                               struct err *err)
{
    size_t id = spec->has_weights ? STRATEGY_FIXED : STRATEGY_EQUAL;
    struct strategy *strategy = NULL;
    enum status s = read_value(jr_member(root, "strategy"), spec, arena, &strategy, &id, err);
    spec->strategy = (enum strategy_id)id;
    spec->model = strategy;
    if (s != STATUS_OK)
        return s;
    assert(strategy != NULL);
    return add_signals(strategy, spec, err);
}

static void write_param(const struct spec *spec, const struct strategy_param *param, double value,
                        struct json_out *json)
{
    if (param->type == STRATEGY_ASSET && value >= 0)
        jw_key_text(json, param->name, spec->assets[(size_t)value].uid);
    else if (param->type == STRATEGY_ASSET)
        jw_key_null(json, param->name);
    else if (param->type == STRATEGY_CHOICE)
        jw_key_c(json, param->name, param->choice[(size_t)value]);
    else
        jw_key_f64(json, param->name, value);
}

void spec_write_strategy(const struct spec *spec, const struct strategy *strategy,
                         struct json_out *json)
{
    const struct strategy_kind *kind = strategy->kind;
    if (strategy_is_plain(strategy)) {
        jw_str(json, str_of(kind->name));
        return;
    }
    jw_object(json);
    jw_key_c(json, "name", kind->name);
    if (kind->needs & STRATEGY_WINDOW) {
        jw_key_i64(json, "lookback", (int64_t)strategy->lookback);
        jw_key_i64(json, "lag", (int64_t)strategy->lag);
        jw_key_c(json, "fallback", strategy_fallback_names[strategy->fallback]);
    }
    if (kind->needs & STRATEGY_COVARIANCE) {
        jw_key_c(json, "covariance", covariance_names[strategy->covariance.estimator]);
        if (strategy->covariance.estimator == COVARIANCE_EWMA)
            jw_key_f64(json, "decay", strategy->covariance.decay);
    }
    for (size_t i = 0; i < kind->n_params; i++)
        write_param(spec, &kind->params[i], strategy->param[i], json);
    spec_write_limits(&strategy->limits, json);
    spec_write_nested(spec, strategy, json);
    jw_end_object(json);
}
