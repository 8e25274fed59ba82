/* spec_trust.c - reads and writes bootstrap, verify and monte_carlo; called by spec.c and spec_canonical.c. */
#include "backtest/spec_trust.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"
#include "backtest/variations.h"

/* count and seed; a member that is there without a count has the default one. */
static enum status read_count(struct json_val val, const char *key, int64_t min, int64_t max,
                              int64_t usual, unsigned *ret_count, uint64_t *ret_seed,
                              struct err *err)
{
    int64_t count = usual, seed = 1;
    enum status s = spec_optional_i64(val, key, min, max, &count, err);
    if (s == STATUS_OK)
        s = spec_optional_i64(val, "seed", 0, SPEC_SEED_MAX, &seed, err);
    *ret_count = (unsigned)count;
    *ret_seed = (uint64_t)seed;
    return s;
}

enum status spec_bootstrap_read(struct json_val root, struct spec_bootstrap *b, struct err *err)
{
    static const char *const keys[] = {"count", "seed", "mean_block", "level"};
    static const char *const rules[] = {"cube_root", "politis_white"};
    struct json_val val = jr_member(root, "bootstrap");
    if (!jr_is_present(val))
        return STATUS_OK;
    b->level = 0.9;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = read_count(val, "count", 0, SPEC_REPLICATES_MAX, 1000, &b->count, &b->seed, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "level", 0.5, 0.999, &b->level, err);
    if (s != STATUS_OK)
        return s;
    if (jr_type(jr_member(val, "mean_block")) != JR_STRING)
        return spec_optional_f64(val, "mean_block", 1, SPEC_BLOCK_MAX, &b->mean_block, err);
    size_t rule = 0;
    s = spec_optional_choice(val, "mean_block", rules, ARRAY_LEN(rules), &rule, err);
    b->is_politis_white = rule == 1;
    return s;
}

/* "prefix", or an object with more to say about it. */
static enum status read_verify(struct json_val root, struct spec_verify *v, struct err *err)
{
    static const char *const keys[] = {"kind", "cuts", "seed"};
    static const char *const kinds[] = {"prefix"};
    struct json_val val = jr_member(root, "verify");
    size_t kind = 0;
    if (!jr_is_present(val))
        return STATUS_OK;
    *v = (struct spec_verify){.cuts = 10, .seed = 1};
    if (jr_type(val) == JR_STRING)
        return jr_read_choice(val, kinds, ARRAY_LEN(kinds), &kind, err);
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_optional_choice(val, "kind", kinds, ARRAY_LEN(kinds), &kind, err);
    return s == STATUS_OK ? read_count(val, "cuts", 1, SPEC_CUTS_MAX, 10, &v->cuts, &v->seed, err)
                          : s;
}

static enum status read_goals(struct json_val val, struct spec_monte_carlo *m, struct err *err)
{
    struct json_val goals = jr_member(val, "goals");
    if (!jr_is_present(goals))
        return STATUS_OK;
    enum status s = jr_expect_array(goals, 1, MONTECARLO_GOALS_MAX, err);
    m->n_goals = s == STATUS_OK ? jr_length(goals) : 0;
    for (size_t i = 0; i < m->n_goals && s == STATUS_OK; i++)
        s = jr_read_f64(jr_item(goals, i), 1e-2, 1e18, &m->goals[i], err);
    return s;
}

static enum status read_flow(struct json_val val, struct spec_monte_carlo *m, struct err *err)
{
    static const char *const keys[] = {"amount", "every_sessions"};
    struct json_val flow = jr_member(val, "flow");
    int64_t every = 21;
    if (!jr_is_present(flow))
        return STATUS_OK;
    enum status s = jr_expect_object(flow, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK && !jr_is_present(jr_member(flow, "amount")))
        return spec_refuse(flow, STATUS_BAD_SPEC, "A flow needs its amount.",
                           "an amount: above 0 is paid in, below 0 is taken out", err);
    if (s == STATUS_OK)
        s = spec_optional_f64(flow, "amount", -1e15, 1e15, &m->flow, err);
    if (s == STATUS_OK)
        s = spec_optional_i64(flow, "every_sessions", 1, 10000, &every, err);
    m->flow_every = (unsigned)every;
    return s;
}

static enum status read_monte_carlo(struct json_val root, struct spec_monte_carlo *m,
                                    struct err *err)
{
    static const char *const keys[] = {"model", "count", "seed", "mean_block",
                                       "years", "flow",  "goals"};
    struct json_val val = jr_member(root, "monte_carlo");
    size_t model = MONTECARLO_STATIONARY;
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_optional_choice(val, "model", montecarlo_model_names, MONTECARLO_MODEL_COUNT,
                                 &model, err);
    if (s == STATUS_OK)
        s = read_count(val, "count", 0, SPEC_PATHS_MAX, 1000, &m->count, &m->seed, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "mean_block", 1, SPEC_BLOCK_MAX, &m->mean_block, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "years", 1.0 / 12, 60, &m->years, err);
    if (s == STATUS_OK)
        s = read_flow(val, m, err);
    if (s == STATUS_OK)
        s = read_goals(val, m, err);
    m->model = (enum montecarlo_model)model;
    return s;
}

static enum status read_capacity(struct json_val root, struct spec_trust *trust, struct err *err)
{
    struct json_val list = jr_member(root, "capacity");
    if (!jr_is_present(list))
        return STATUS_OK;
    enum status s = jr_expect_array(list, 1, SPEC_CAPACITY_MAX, err);
    trust->n_capacity = s == STATUS_OK ? jr_length(list) : 0;
    for (size_t i = 0; i < trust->n_capacity && s == STATUS_OK; i++)
        s = jr_read_f64(jr_item(list, i), 1e-2, 1e15, &trust->capacity[i], err);
    return s;
}

/* Yes or no: the request with one of its rules in all its forms. */
static enum status read_modes(struct json_val root, struct spec_trust *trust, struct err *err)
{
    const struct {
        const char *name;
        bool *to;
    } modes[] = {
        {"dividend_modes", &trust->dividend_modes},
        {"destination_modes", &trust->destination_modes},
    };
    enum status s = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LEN(modes) && s == STATUS_OK; i++) {
        struct json_val val = jr_member(root, modes[i].name);
        if (jr_is_present(val))
            s = jr_read_bool(val, modes[i].to, err);
    }
    return s;
}

enum status spec_trust_read(struct json_val root, struct spec_trust *ret, struct err *err)
{
    struct spec_trust trust = {0};
    enum status s = spec_bootstrap_read(root, &trust.bootstrap, err);
    if (s == STATUS_OK)
        s = read_verify(root, &trust.verify, err);
    if (s == STATUS_OK)
        s = read_monte_carlo(root, &trust.monte_carlo, err);
    struct json_val luck = jr_member(root, "offset_luck");
    if (s == STATUS_OK && jr_is_present(luck))
        s = jr_read_bool(luck, &trust.offset_luck, err);
    if (s == STATUS_OK)
        s = read_capacity(root, &trust, err);
    if (s == STATUS_OK)
        s = read_modes(root, &trust, err);
    if (s == STATUS_OK)
        *ret = trust;
    return s;
}

static void write_bootstrap(const struct spec_bootstrap *b, struct json_out *json)
{
    jw_key(json, "bootstrap");
    jw_object(json);
    jw_key_i64(json, "count", b->count);
    jw_key_i64(json, "seed", (int64_t)b->seed);
    if (b->mean_block > 0)
        jw_key_f64(json, "mean_block", b->mean_block);
    else
        jw_key_c(json, "mean_block", b->is_politis_white ? "politis_white" : "cube_root");
    jw_key_f64(json, "level", b->level);
    jw_end_object(json);
}

static void write_monte_carlo(const struct spec_monte_carlo *m, struct json_out *json)
{
    jw_key(json, "monte_carlo");
    jw_object(json);
    jw_key_c(json, "model", montecarlo_model_names[m->model]);
    jw_key_i64(json, "count", m->count);
    jw_key_i64(json, "seed", (int64_t)m->seed);
    if (m->mean_block > 0)
        jw_key_f64(json, "mean_block", m->mean_block);
    if (m->years > 0)
        jw_key_f64(json, "years", m->years);
    if (m->flow_every > 0) {
        jw_key(json, "flow");
        jw_object(json);
        jw_key_f64(json, "amount", m->flow);
        jw_key_i64(json, "every_sessions", m->flow_every);
        jw_end_object(json);
    }
    if (m->n_goals > 0) {
        jw_key(json, "goals");
        jw_array(json);
        for (size_t i = 0; i < m->n_goals; i++)
            jw_f64(json, m->goals[i]);
        jw_end_array(json);
    }
    jw_end_object(json);
}

void spec_trust_canonical(const struct spec_trust *trust, struct json_out *json)
{
    if (trust->bootstrap.count > 0)
        write_bootstrap(&trust->bootstrap, json);
    if (trust->verify.cuts > 0) {
        jw_key(json, "verify");
        jw_object(json);
        jw_key_c(json, "kind", "prefix");
        jw_key_i64(json, "cuts", trust->verify.cuts);
        jw_key_i64(json, "seed", (int64_t)trust->verify.seed);
        jw_end_object(json);
    }
    if (trust->offset_luck)
        jw_key_bool(json, "offset_luck", true);
    if (trust->n_capacity > 0) {
        jw_key(json, "capacity");
        jw_f64_array(json, trust->capacity, trust->n_capacity);
    }
    if (trust->dividend_modes)
        jw_key_bool(json, "dividend_modes", true);
    if (trust->destination_modes)
        jw_key_bool(json, "destination_modes", true);
    if (trust->currency_modes)
        spec_write_hedge(&trust->hedge, json);
    if (trust->monte_carlo.count > 0)
        write_monte_carlo(&trust->monte_carlo, json);
}

uint64_t spec_trust_cells(const struct spec_trust *trust, uint64_t days, uint64_t run_cells,
                          unsigned n_offsets)
{
    const struct spec_monte_carlo *m = &trust->monte_carlo;
    uint64_t horizon = m->years > 0 ? (uint64_t)(m->years * 366) : days;
    uint64_t n_runs =
        trust->verify.cuts + (trust->offset_luck ? n_offsets : 0) + variations_count(trust);
    return trust->bootstrap.count * days + m->count * horizon + n_runs * 2 * run_cells;
}
