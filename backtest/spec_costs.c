/* spec_costs.c - reads and writes what trading costs, in the units of the request: per cent and bps. */
#include "backtest/spec_costs.h"

#include "backtest/spec_optional.h"

static const char *const model_names[SLIPPAGE_MODEL_COUNT] = {
    [SLIPPAGE_BPS] = "bps",
    [SLIPPAGE_HALF_SPREAD] = "half_spread",
    [SLIPPAGE_VOLUME_SHARE] = "volume_share",
    [SLIPPAGE_SQUARE_ROOT] = "square_root",
    [SLIPPAGE_ALMGREN_CHRISS] = "almgren_chriss",
};
static const char *const unfilled_names[] = {"cancel", "carry"};

static const double PERCENT_MAX = 10; /* of the traded value */
static const double MONEY_MAX = 1e9;  /* of one trade */
static const double SLIPPAGE_BPS_MAX = 1000;

static enum status read_tiers(struct json_val list, struct cost_commission *c, struct err *err)
{
    static const char *const keys[] = {"from", "percent"};
    if (!jr_is_present(list))
        return STATUS_OK;
    enum status s = jr_expect_array(list, 1, COST_TIERS_MAX, err);
    for (size_t i = 0; s == STATUS_OK && i < jr_length(list); i++) {
        struct json_val item = jr_item(list, i);
        struct cost_tier *tier = &c->tiers[i];
        s = jr_expect_object(item, keys, ARRAY_LEN(keys), err);
        if (s == STATUS_OK)
            s = jr_read_f64(jr_member(item, "from"), 0, 1e15, &tier->from, err);
        if (s == STATUS_OK)
            s = jr_read_f64(jr_member(item, "percent"), 0, PERCENT_MAX, &tier->percent, err);
        if (s == STATUS_OK && i > 0 && !(tier->from > c->tiers[i - 1].from))
            s = spec_refuse(jr_member(item, "from"), STATUS_BAD_SPEC, "The tiers do not rise.",
                            "tiers by rising from", err);
    }
    c->n_tiers = jr_length(list);
    return s;
}

static enum status read_commission(struct json_val val, struct spec *spec, struct err *err)
{
    static const char *const keys[] = {"percent", "per_share", "fixed",
                                       "minimum", "maximum",   "tiers"};
    struct cost_commission *c = &spec->costs.commission;

    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK && spec->commission_bps > 0)
        s = spec_refuse(val, STATUS_BAD_SPEC, "The commission is given twice.",
                        "either commission_bps or commission", err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "percent", 0, PERCENT_MAX, &c->percent, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "per_share", 0, 1e6, &c->per_share, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "fixed", 0, MONEY_MAX, &c->fixed, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "minimum", 0, MONEY_MAX, &c->minimum, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "maximum", 0, MONEY_MAX, &c->maximum, err);
    if (s == STATUS_OK && c->maximum > 0 && c->maximum < c->minimum)
        s = spec_refuse(jr_member(val, "maximum"), STATUS_BAD_SPEC,
                        "The commission's maximum is below its minimum.",
                        "a maximum of at least the minimum, or 0 for none", err);
    if (s == STATUS_OK)
        s = read_tiers(jr_member(val, "tiers"), c, err);
    spec->has_commission = true;
    return s;
}

enum status spec_read_rates(struct json_val val, double max_percent, struct dated_rate *rates,
                            size_t max, size_t *ret_n, struct err *err)
{
    static const char *const keys[] = {"from", "percent"};
    enum status s = STATUS_OK;

    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) != JR_ARRAY) {
        rates[0].from = DATE_NONE;
        s = jr_read_f64(val, 0, max_percent, &rates[0].rate, err);
        *ret_n = rates[0].rate > 0 ? 1 : 0;
        return s;
    }
    s = jr_expect_array(val, 1, max, err);
    for (size_t i = 0; s == STATUS_OK && i < jr_length(val); i++) {
        struct json_val item = jr_item(val, i);
        s = jr_expect_object(item, keys, ARRAY_LEN(keys), err);
        if (s == STATUS_OK)
            s = jr_read_date(jr_member(item, "from"), &rates[i].from, err);
        if (s == STATUS_OK)
            s = jr_read_f64(jr_member(item, "percent"), 0, max_percent, &rates[i].rate, err);
        if (s == STATUS_OK && i > 0 && rates[i].from <= rates[i - 1].from)
            s = spec_refuse(jr_member(item, "from"), STATUS_BAD_SPEC, "The dates do not rise.",
                            "rates by rising from", err);
    }
    *ret_n = jr_length(val);
    return s;
}

void spec_write_rate_list(const struct dated_rate *rates, size_t n, struct json_out *json)
{
    if (n == 0 || rates[0].from == DATE_NONE) {
        jw_f64(json, n == 0 ? 0 : rates[0].rate);
        return;
    }
    jw_array(json);
    for (size_t i = 0; i < n; i++) {
        jw_object(json);
        jw_key_date(json, "from", rates[i].from);
        jw_key_f64(json, "percent", rates[i].rate);
        jw_end_object(json);
    }
    jw_end_array(json);
}

void spec_write_rates(const char *key, const struct dated_rate *rates, size_t n,
                      struct json_out *json)
{
    if (n == 0)
        return;
    jw_key(json, key);
    spec_write_rate_list(rates, n, json);
}

static struct cost_slippage default_slippage(enum slippage_model model)
{
    struct cost_slippage s = {.model = model, .window = 20};
    s.volume_limit = model == SLIPPAGE_VOLUME_SHARE ? 0.025 : 0;
    s.price_impact = 0.1;
    s.y = 0.6;
    s.alpha = s.beta = 1;
    s.epsilon = 5;
    s.fallback_bps = 10;
    return s;
}

/* The parameters that one model alone has. */
static enum status read_parameters(struct json_val val, struct cost_slippage *s, struct err *err)
{
    enum status status = STATUS_OK;
    switch (s->model) {
    case SLIPPAGE_BPS:
        return spec_optional_f64(val, "bps", 0, SLIPPAGE_BPS_MAX, &s->bps, err);
    case SLIPPAGE_HALF_SPREAD:
        return spec_optional_f64(val, "spread_bps", 0, 2 * SLIPPAGE_BPS_MAX, &s->bps, err);
    case SLIPPAGE_VOLUME_SHARE:
        return spec_optional_f64(val, "price_impact", 0, 100, &s->price_impact, err);
    case SLIPPAGE_SQUARE_ROOT:
        return spec_optional_f64(val, "y", 0, 10, &s->y, err);
    case SLIPPAGE_ALMGREN_CHRISS:
        status = spec_optional_f64(val, "alpha", 0, 10, &s->alpha, err);
        if (status == STATUS_OK)
            status = spec_optional_f64(val, "beta", 0, 10, &s->beta, err);
        if (status == STATUS_OK)
            status = spec_optional_f64(val, "epsilon_bps", 0, SLIPPAGE_BPS_MAX, &s->epsilon, err);
        break;
    case SLIPPAGE_MODEL_COUNT:
        break;
    }
    return status;
}

static enum status read_slippage(struct json_val val, struct spec *spec, struct err *err)
{
    static const char *const own[SLIPPAGE_MODEL_COUNT][3] = {
        [SLIPPAGE_BPS] = {"bps"},
        [SLIPPAGE_HALF_SPREAD] = {"spread_bps"},
        [SLIPPAGE_VOLUME_SHARE] = {"price_impact"},
        [SLIPPAGE_SQUARE_ROOT] = {"y"},
        [SLIPPAGE_ALMGREN_CHRISS] = {"alpha", "beta", "epsilon_bps"},
    };
    const char *keys[8] = {"model", "volume_limit", "unfilled", "window", "fallback_bps"};
    size_t model = SLIPPAGE_BPS, unfilled = 0, n_keys = 5;
    int64_t window = 20;

    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_is_present(jr_member(val, "model"))) {
        enum status s =
            jr_read_choice(jr_member(val, "model"), model_names, SLIPPAGE_MODEL_COUNT, &model, err);
        if (s != STATUS_OK)
            return s;
    }
    for (size_t i = 0; i < 3 && own[model][i] != NULL; i++)
        keys[n_keys++] = own[model][i];
    enum status s = jr_expect_object(val, keys, n_keys, err);
    if (s == STATUS_OK && spec->slippage_bps > 0)
        s = spec_refuse(val, STATUS_BAD_SPEC, "The slippage is given twice.",
                        "either slippage_bps or slippage", err);
    if (s != STATUS_OK)
        return s;
    struct cost_slippage slippage = default_slippage((enum slippage_model)model);
    s = read_parameters(val, &slippage, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "volume_limit", 0, 1, &slippage.volume_limit, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "fallback_bps", 0, SLIPPAGE_BPS_MAX, &slippage.fallback_bps,
                              err);
    if (s == STATUS_OK && jr_is_present(jr_member(val, "window")))
        s = jr_read_i64(jr_member(val, "window"), 2, 252, &window, err);
    if (s == STATUS_OK && jr_is_present(jr_member(val, "unfilled")))
        s = jr_read_choice(jr_member(val, "unfilled"), unfilled_names, 2, &unfilled, err);
    slippage.window = (unsigned)window;
    slippage.carries_unfilled = unfilled == 1;
    spec->costs.slippage = slippage;
    spec->has_slippage = true;
    return s;
}

enum status spec_read_costs(struct json_val costs, struct spec *spec, struct err *err)
{
    static const char *const keys[] = {"commission_bps", "slippage_bps",  "commission", "slippage",
                                       "sell_tax",       "fx_spread_bps", "expense",    "expenses"};
    struct cost_model *model = &spec->costs;

    model->slippage = default_slippage(SLIPPAGE_BPS);
    if (!jr_is_present(costs))
        return STATUS_OK;
    enum status s = jr_expect_object(costs, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_optional_f64(costs, "commission_bps", 0, 1000, &spec->commission_bps, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(costs, "slippage_bps", 0, 1000, &spec->slippage_bps, err);
    if (s == STATUS_OK)
        s = read_commission(jr_member(costs, "commission"), spec, err);
    if (s == STATUS_OK)
        s = read_slippage(jr_member(costs, "slippage"), spec, err);
    if (s == STATUS_OK)
        s = spec_read_rates(jr_member(costs, "sell_tax"), PERCENT_MAX, model->tax,
                            COST_TAX_RATES_MAX, &model->n_tax, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(costs, "fx_spread_bps", 0, 1000, &model->fx_spread, err);
    return s;
}

static void divide_rates(struct dated_rate *rates, size_t n, double by)
{
    for (size_t i = 0; i < n; i++)
        rates[i].rate /= by;
}

struct cost_model spec_cost_model(const struct spec *spec)
{
    struct cost_model m = spec->costs;

    m.commission.percent /= 100;
    for (size_t i = 0; i < m.commission.n_tiers; i++)
        m.commission.tiers[i].percent /= 100;
    m.slippage.bps /= m.slippage.model == SLIPPAGE_HALF_SPREAD ? 2e4 : 1e4;
    m.slippage.epsilon /= 1e4;
    m.slippage.fallback_bps /= 1e4;
    divide_rates(m.tax, m.n_tax, 100);
    m.fx_spread /= 1e4;
    if (!spec->has_commission)
        m.commission.percent = spec->commission_bps / 1e4;
    if (!spec->has_slippage)
        m.slippage.bps = spec->slippage_bps / 1e4;
    return m;
}

static void write_commission(const struct cost_commission *c, struct json_out *json)
{
    jw_key(json, "commission");
    jw_object(json);
    jw_key_f64(json, "percent", c->percent);
    jw_key_f64(json, "per_share", c->per_share);
    jw_key_f64(json, "fixed", c->fixed);
    jw_key_f64(json, "minimum", c->minimum);
    jw_key_f64(json, "maximum", c->maximum);
    if (c->n_tiers > 0) {
        jw_key(json, "tiers");
        jw_array(json);
        for (size_t i = 0; i < c->n_tiers; i++) {
            jw_object(json);
            jw_key_f64(json, "from", c->tiers[i].from);
            jw_key_f64(json, "percent", c->tiers[i].percent);
            jw_end_object(json);
        }
        jw_end_array(json);
    }
    jw_end_object(json);
}

static void write_slippage(const struct cost_slippage *s, struct json_out *json)
{
    jw_key(json, "slippage");
    jw_object(json);
    jw_key_c(json, "model", model_names[s->model]);
    if (s->model == SLIPPAGE_BPS)
        jw_key_f64(json, "bps", s->bps);
    if (s->model == SLIPPAGE_HALF_SPREAD)
        jw_key_f64(json, "spread_bps", s->bps);
    if (s->model == SLIPPAGE_VOLUME_SHARE)
        jw_key_f64(json, "price_impact", s->price_impact);
    if (s->model == SLIPPAGE_SQUARE_ROOT)
        jw_key_f64(json, "y", s->y);
    if (s->model == SLIPPAGE_ALMGREN_CHRISS) {
        jw_key_f64(json, "alpha", s->alpha);
        jw_key_f64(json, "beta", s->beta);
        jw_key_f64(json, "epsilon_bps", s->epsilon);
    }
    jw_key_f64(json, "volume_limit", s->volume_limit);
    jw_key_c(json, "unfilled", unfilled_names[s->carries_unfilled]);
    jw_key_i64(json, "window", s->window);
    jw_key_f64(json, "fallback_bps", s->fallback_bps);
    jw_end_object(json);
}

void spec_write_costs(const struct spec *spec, struct json_out *json)
{
    jw_key(json, "costs");
    jw_object(json);
    if (!spec->has_commission)
        jw_key_f64(json, "commission_bps", spec->commission_bps);
    if (!spec->has_slippage)
        jw_key_f64(json, "slippage_bps", spec->slippage_bps);
    if (spec->has_commission)
        write_commission(&spec->costs.commission, json);
    if (spec->has_slippage)
        write_slippage(&spec->costs.slippage, json);
    spec_write_rates("sell_tax", spec->costs.tax, spec->costs.n_tax, json);
    if (spec->costs.fx_spread > 0)
        jw_key_f64(json, "fx_spread_bps", spec->costs.fx_spread);
    spec_write_expenses(spec, json);
    jw_end_object(json);
}
