/* spec_flows.c - reads and writes the money that comes and goes. */
#include "backtest/spec_money.h"

#include "backtest/spec_rebalance.h"

static const char *const timing_names[] = {[FLOW_END] = "end", [FLOW_START] = "start"};
static const char *const allocation_names[] = {
    [FLOW_PRO_RATA] = "pro_rata",
    [FLOW_MOST_UNDERWEIGHT] = "most_underweight",
    [FLOW_TO_CASH] = "cash",
};

static const double AMOUNT_MAX = 1e12;

/* An amount or a percentage, either sign, never both. */
static enum status read_size(struct json_val item, struct flow_rule *rule, struct err *err)
{
    struct json_val amount = jr_member(item, "amount"), percent = jr_member(item, "percent");
    enum status s;

    rule->is_share = jr_is_present(percent);
    if (jr_is_present(amount) == jr_is_present(percent))
        return spec_refuse(item, STATUS_BAD_SPEC, "A flow has one size.",
                           "either amount or percent", err);
    if (rule->is_share)
        s = jr_read_f64(percent, -100, 100, &rule->amount, err);
    else
        s = jr_read_f64(amount, -AMOUNT_MAX, AMOUNT_MAX, &rule->amount, err);
    if (s == STATUS_OK && !(rule->amount < 0 || rule->amount > 0))
        return spec_refuse(rule->is_share ? percent : amount, STATUS_BAD_SPEC,
                           "A flow of 0 moves nothing.",
                           "above 0 for a contribution, below 0 for a withdrawal", err);
    return s;
}

static enum status read_days(struct json_val item, struct flow_rule *rule, struct err *err)
{
    struct json_val start = jr_member(item, "start"), end = jr_member(item, "end");
    enum status s = STATUS_OK;

    rule->start = rule->end = DATE_NONE;
    if (jr_is_present(start))
        s = jr_read_date(start, &rule->start, err);
    if (s == STATUS_OK && jr_is_present(end))
        s = jr_read_date(end, &rule->end, err);
    if (s == STATUS_OK && rule->start != DATE_NONE && rule->end != DATE_NONE &&
        rule->end < rule->start)
        return spec_refuse(end, STATUS_BAD_SPEC, "The flow ends before it starts.",
                           "a day on or after its start", err);
    if (s == STATUS_OK && rule->calendar.every == REBALANCE_NEVER && rule->start == DATE_NONE)
        return spec_refuse(item, STATUS_BAD_SPEC, "A single flow needs its day.",
                           "a start, or an every", err);
    return s;
}

/* The uid of an instrument, or of an economic series such as a consumer price index. */
static enum status read_index(struct json_val index, struct arena *arena, struct spec *spec,
                              size_t i, struct err *err)
{
    struct flow_rule *rule = &spec->flows[i];
    struct str text;
    struct buf at;
    buf_init(&at, arena, 64);
    buf_printf(&at, "/flows/%zu/linked_to", i);
    rule->index_at = arena_dup(arena, buf_str(&at));
    if (at.failed || rule->index_at == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    enum status s = jr_read_str(index, 1, SPEC_UID_BYTES_MAX, &text, err);
    if (s != STATUS_OK)
        return s;
    return str_starts(text, STR("indicator:"))
               ? spec_read_indicator(index, rule->index_at, arena, spec, &rule->index, err)
               : spec_read_uid(index, arena, &rule->index, err);
}

static enum status read_flow(struct json_val item, struct arena *arena, struct spec *spec, size_t i,
                             struct err *err)
{
    struct flow_rule *rule = &spec->flows[i];
    static const char *const keys[] = {"amount", "percent", "every",  "on",       "offset",
                                       "start",  "end",     "growth", "linked_to"};
    struct json_val growth = jr_member(item, "growth"), index = jr_member(item, "linked_to");

    *rule = (struct flow_rule){.calendar = rebalance_plain(REBALANCE_NEVER)};
    enum status s = jr_expect_object(item, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = read_size(item, rule, err);
    if (s == STATUS_OK)
        s = spec_read_calendar(item, &rule->calendar, err);
    if (s == STATUS_OK)
        s = read_days(item, rule, err);
    if (s == STATUS_OK && jr_is_present(growth))
        s = jr_read_f64(growth, -50, 100, &rule->growth, err);
    if (s == STATUS_OK && jr_is_present(index))
        s = read_index(index, arena, spec, i, err);
    if (s == STATUS_OK && rule->index.ptr != NULL && (rule->is_share || jr_is_present(growth)))
        return spec_refuse(index, STATUS_BAD_SPEC, "A flow follows one thing.",
                           "an amount with either growth or linked_to", err);
    return s;
}

enum status spec_read_flows(struct json_val root, struct arena *arena, struct spec *spec,
                            struct err *err)
{
    struct json_val list = jr_member(root, "flows");
    struct json_val timing = jr_member(root, "flow_timing");
    struct json_val allocation = jr_member(root, "flow_allocation");
    size_t when = FLOW_END, where = FLOW_PRO_RATA;
    enum status s = STATUS_OK;

    if (jr_is_present(list)) {
        s = jr_expect_array(list, 1, FLOW_RULES_MAX, err);
        if (s != STATUS_OK)
            return s;
        spec->flows = arena_array(arena, jr_length(list), sizeof *spec->flows);
        if (spec->flows == NULL)
            return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
        spec->n_flows = jr_length(list);
        for (size_t i = 0; s == STATUS_OK && i < spec->n_flows; i++)
            s = read_flow(jr_item(list, i), arena, spec, i, err);
    }
    if (s == STATUS_OK && jr_is_present(timing))
        s = jr_read_choice(timing, timing_names, FLOW_TIMING_COUNT, &when, err);
    if (s == STATUS_OK && jr_is_present(allocation))
        s = jr_read_choice(allocation, allocation_names, FLOW_ALLOCATION_COUNT, &where, err);
    spec->flow_timing = (enum flow_timing)when;
    spec->flow_allocation = (enum flow_allocation)where;
    return s;
}

static void write_flow(const struct flow_rule *rule, struct json_out *json)
{
    jw_object(json);
    jw_key_f64(json, rule->is_share ? "percent" : "amount", rule->amount);
    if (rule->calendar.every != REBALANCE_NEVER)
        spec_write_calendar(&rule->calendar, json);
    if (rule->start != DATE_NONE)
        jw_key_date(json, "start", rule->start);
    if (rule->end != DATE_NONE)
        jw_key_date(json, "end", rule->end);
    if (rule->index.ptr != NULL)
        jw_key_text(json, "linked_to", rule->index);
    else if (rule->growth < 0 || rule->growth > 0)
        jw_key_f64(json, "growth", rule->growth);
    jw_end_object(json);
}

void spec_write_flows(const struct spec *spec, struct json_out *json)
{
    if (spec->n_flows == 0)
        return;
    jw_key(json, "flows");
    jw_array(json);
    for (size_t i = 0; i < spec->n_flows; i++)
        write_flow(&spec->flows[i], json);
    jw_end_array(json);
    jw_key_c(json, "flow_timing", timing_names[spec->flow_timing]);
    jw_key_c(json, "flow_allocation", allocation_names[spec->flow_allocation]);
}
