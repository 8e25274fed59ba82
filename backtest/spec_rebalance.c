/* spec_rebalance.c - reads and writes when and how far a portfolio is rebalanced. */
#include "backtest/spec_rebalance.h"

#include "backtest/schedule.h"
#include "backtest/spec_names.h"

const char *const spec_rebalance_names[] = {"never",   "daily",     "weekly",
                                            "monthly", "quarterly", "yearly"};
static const char *const every_names[] = {
    [REBALANCE_NEVER] = "never",           [REBALANCE_DAILY] = "day",
    [REBALANCE_WEEKLY] = "week",           [REBALANCE_MONTHLY] = "month",
    [REBALANCE_QUARTERLY] = "quarter",     [REBALANCE_YEARLY] = "year",
    [REBALANCE_HALF_YEARLY] = "half_year",
};
static const char *const when_names[] = {
    [WHEN_CALENDAR] = "calendar",
    [WHEN_BANDS] = "bands",
    [WHEN_CALENDAR_AND_BANDS] = "calendar_and_bands",
};
static const char *const scope_names[] = {[SCOPE_ALL] = "all", [SCOPE_BREACHED] = "breached"};
const char *const spec_destination_names[REBALANCE_DESTINATION_COUNT] = {
    [DESTINATION_TARGET] = "target",
    [DESTINATION_EDGE] = "edge",
    [DESTINATION_HALFWAY] = "halfway",
};
static const char *const on_names[] = {"first", "last"};

enum { SESSIONS_MAX = 10000, NTH_MAX = 250 };

static enum status read_every(struct json_val val, struct rebalance_rule *rule, struct err *err)
{
    size_t every = 0;
    int64_t n = 0;

    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) == JR_INT) {
        enum status s = jr_read_i64(val, 1, SESSIONS_MAX, &n, err);
        rule->every = REBALANCE_SESSIONS;
        rule->n_sessions = (unsigned)n;
        return s;
    }
    enum status s = jr_read_choice(val, every_names, ARRAY_LEN(every_names), &every, err);
    if (s == STATUS_OK)
        rule->every = (enum rebalance_every)every;
    return s;
}

static enum status read_on(struct json_val val, struct rebalance_rule *rule, struct err *err)
{
    size_t on = 0;
    int64_t nth = 1;

    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s;
    if (jr_type(val) == JR_INT) {
        s = jr_read_i64(val, 1, NTH_MAX, &nth, err);
    } else {
        s = jr_read_choice(val, on_names, ARRAY_LEN(on_names), &on, err);
        nth = on == 0 ? 1 : REBALANCE_LAST;
    }
    if (s != STATUS_OK)
        return s;
    if (nth != 1 && schedule_offsets(rule->every, 1) == 1)
        return spec_refuse(val, STATUS_BAD_SPEC,
                           "A day or a number of sessions has no such session.",
                           "\"first\", or an every of \"week\" to \"year\"", err);
    rule->nth = (unsigned)nth;
    return STATUS_OK;
}

enum status spec_read_calendar(struct json_val object, struct rebalance_rule *rule, struct err *err)
{
    struct json_val offset = jr_member(object, "offset");
    int64_t sessions = 0;

    enum status s = read_every(jr_member(object, "every"), rule, err);
    if (s == STATUS_OK)
        s = read_on(jr_member(object, "on"), rule, err);
    if (s == STATUS_OK && jr_is_present(offset))
        s = jr_read_i64(offset, 0, schedule_offsets(rule->every, rule->n_sessions) - 1, &sessions,
                        err);
    rule->offset = (unsigned)sessions;
    return s;
}

static enum status read_band(struct json_val bands, const char *key, double max, double *ret,
                             struct err *err)
{
    struct json_val val = jr_member(bands, key);
    return jr_is_present(val) ? jr_read_f64(val, 1e-6, max, ret, err) : STATUS_OK;
}

static enum status read_bands(struct json_val bands, struct rebalance_rule *rule, struct err *err)
{
    static const char *const keys[] = {"absolute", "relative", "portfolio", "five_twentyfive"};
    struct json_val five = jr_member(bands, "five_twentyfive");

    if (!jr_is_present(bands))
        return STATUS_OK;
    enum status s = jr_expect_object(bands, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = read_band(bands, "absolute", 1, &rule->bands.absolute, err);
    if (s == STATUS_OK)
        s = read_band(bands, "relative", 10, &rule->bands.relative, err);
    if (s == STATUS_OK)
        s = read_band(bands, "portfolio", 1, &rule->bands.portfolio, err);
    if (s == STATUS_OK && jr_is_present(five))
        s = jr_read_bool(five, &rule->bands.five_twentyfive, err);
    if (s == STATUS_OK && !rebalance_has_bands(rule))
        return spec_refuse(bands, STATUS_BAD_SPEC, "No band is given.",
                           "at least one of absolute, relative, portfolio, five_twentyfive", err);
    return s;
}

/* What the members mean together. */
static enum status check_rule(struct json_val object, const struct rebalance_rule *rule,
                              struct err *err)
{
    bool has_bands = rebalance_has_bands(rule);
    bool has_own_bands =
        rule->bands.absolute > 0 || rule->bands.relative > 0 || rule->bands.five_twentyfive;

    if (rule->when != WHEN_CALENDAR && !has_bands)
        return spec_refuse(jr_member(object, "when"), STATUS_BAD_SPEC,
                           "There are no bands to test.", "\"calendar\", or a member bands", err);
    if (rule->when == WHEN_CALENDAR && has_bands)
        return spec_refuse(jr_member(object, "bands"), STATUS_BAD_SPEC,
                           "A calendar alone does not look at bands.",
                           "when \"bands\" or \"calendar_and_bands\"", err);
    if (rule->scope == SCOPE_BREACHED && !has_own_bands)
        return spec_refuse(jr_member(object, "scope"), STATUS_BAD_SPEC,
                           "No asset has a band of its own that it could leave.",
                           "\"all\", or a band absolute, relative or five_twentyfive", err);
    if (rule->destination == DESTINATION_EDGE && !has_own_bands)
        return spec_refuse(
            jr_member(object, "destination"), STATUS_BAD_SPEC,
            "Without a band of its own an asset has no edge to go to.",
            "\"target\", \"halfway\", or a band absolute, relative or five_twentyfive", err);
    if (rule->every == REBALANCE_NEVER && rule->when == WHEN_CALENDAR_AND_BANDS)
        return spec_refuse(jr_member(object, "every"), STATUS_BAD_SPEC,
                           "A calendar that never comes tests no band.",
                           "\"day\" to \"year\", a number of sessions, or when \"bands\"", err);
    return STATUS_OK;
}

static enum status read_word(struct json_val val, const char *const *names, size_t n, size_t *ret,
                             struct err *err)
{
    return jr_is_present(val) ? jr_read_choice(val, names, n, ret, err) : STATUS_OK;
}

static enum status read_object(struct json_val val, struct rebalance_rule *rule, struct err *err)
{
    static const char *const keys[] = {"every", "on",    "offset",      "when",
                                       "bands", "scope", "destination", "min_trade"};
    size_t when = WHEN_CALENDAR, scope = SCOPE_ALL, destination = DESTINATION_TARGET;
    struct json_val min_trade = jr_member(val, "min_trade");

    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_read_calendar(val, rule, err);
    if (s == STATUS_OK)
        s = read_bands(jr_member(val, "bands"), rule, err);
    if (s != STATUS_OK)
        return s;
    when = rebalance_has_bands(rule) ? WHEN_BANDS : WHEN_CALENDAR;
    s = read_word(jr_member(val, "when"), when_names, REBALANCE_WHEN_COUNT, &when, err);
    if (s == STATUS_OK)
        s = read_word(jr_member(val, "scope"), scope_names, REBALANCE_SCOPE_COUNT, &scope, err);
    if (s == STATUS_OK)
        s = read_word(jr_member(val, "destination"), spec_destination_names,
                      REBALANCE_DESTINATION_COUNT, &destination, err);
    if (s == STATUS_OK && jr_is_present(min_trade))
        s = jr_read_f64(min_trade, 0, 1e12, &rule->min_trade, err);
    rule->when = (enum rebalance_when)when;
    rule->scope = (enum rebalance_scope)scope;
    rule->destination = (enum rebalance_destination)destination;
    return s == STATUS_OK ? check_rule(val, rule, err) : s;
}

enum status spec_read_rebalance(struct json_val val, struct rebalance_rule *rule, struct err *err)
{
    size_t every = rule->every;
    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) == JR_OBJECT)
        return read_object(val, rule, err);
    if (jr_type(val) != JR_STRING)
        return spec_refuse(
            val, STATUS_WRONG_TYPE, "That does not say when to rebalance.",
            "never, daily, weekly, monthly, quarterly, yearly, or an object of every, on, "
            "offset, when, bands, scope, destination, min_trade",
            err);
    enum status s =
        jr_read_choice(val, spec_rebalance_names, ARRAY_LEN(spec_rebalance_names), &every, err);
    *rule = rebalance_plain((enum rebalance_every)every);
    return s;
}

void spec_write_calendar(const struct rebalance_rule *rule, struct json_out *json)
{
    if (rule->every == REBALANCE_SESSIONS)
        jw_key_i64(json, "every", rule->n_sessions);
    else
        jw_key_c(json, "every", every_names[rule->every]);
    if (rule->nth <= 1)
        jw_key_c(json, "on", on_names[rule->nth == REBALANCE_LAST]);
    else
        jw_key_i64(json, "on", rule->nth);
    jw_key_i64(json, "offset", rule->offset);
}

static void write_bands(const struct rebalance_bands *bands, struct json_out *json)
{
    jw_key(json, "bands");
    jw_object(json);
    if (bands->absolute > 0)
        jw_key_f64(json, "absolute", bands->absolute);
    if (bands->relative > 0)
        jw_key_f64(json, "relative", bands->relative);
    if (bands->portfolio > 0)
        jw_key_f64(json, "portfolio", bands->portfolio);
    if (bands->five_twentyfive)
        jw_key_bool(json, "five_twentyfive", true);
    jw_end_object(json);
}

void spec_write_rebalance(const struct rebalance_rule *rule, struct json_out *json)
{
    bool is_plain = rule->every < ARRAY_LEN(spec_rebalance_names) && rule->nth == 1 &&
                    rule->offset == 0 && rule->when == WHEN_CALENDAR && !(rule->min_trade > 0) &&
                    rule->destination == DESTINATION_TARGET;
    if (is_plain) {
        jw_key_c(json, "rebalance", spec_rebalance_names[rule->every]);
        return;
    }
    jw_key(json, "rebalance");
    jw_object(json);
    spec_write_calendar(rule, json);
    jw_key_c(json, "when", when_names[rule->when]);
    if (rebalance_has_bands(rule))
        write_bands(&rule->bands, json);
    jw_key_c(json, "scope", scope_names[rule->scope]);
    jw_key_c(json, "destination", spec_destination_names[rule->destination]);
    jw_key_f64(json, "min_trade", rule->min_trade);
    jw_end_object(json);
}
