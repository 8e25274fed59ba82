/* flows.c - turns the flow rules of a request into payments at the sessions of a run. */
#include "backtest/flows.h"

#include "backtest/align.h"
#include "backtest/elementary.h"
#include "backtest/schedule.h"
#include "base/date.h"

/* Where one rule pays. */
struct payments {
    const struct flow_rule *rule;
    const struct flow_clock *clock;
    struct dated index; /* rows of the series that the amount follows; n 0: none */
    const double *level;
    uint32_t *due;
    size_t n_due;
};

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the flows of this request.");
}

/* Keeps the calendar's sessions inside the rule's days; session 0 is the capital's own. */
static void find_sessions(struct payments *p)
{
    const struct flow_rule *rule = p->rule;
    const struct calendar *clock = p->clock->sessions;
    size_t n_all = 0, n = 0;

    if (rule->calendar.every == REBALANCE_NEVER) {
        size_t t = 1;
        while (t < clock->n && rule->start != DATE_NONE && clock->date[t] < rule->start)
            t++;
        if (t < clock->n)
            p->due[n++] = (uint32_t)t;
        p->n_due = n;
        return;
    }
    schedule_build(&rule->calendar, clock, p->due, &n_all);
    for (size_t i = 0; i < n_all; i++) {
        int32_t date = clock->date[p->due[i]];
        if (p->due[i] == 0 || (rule->start != DATE_NONE && date < rule->start) ||
            (rule->end != DATE_NONE && date > rule->end))
            continue;
        p->due[n++] = p->due[i];
    }
    p->n_due = n;
}

/* The last value of the index known at session t; 0: none was. */
static double index_at(const struct payments *p, size_t t)
{
    uint32_t row = align_row_at(p->index, p->clock->sessions->date[t], p->clock->known_at[t]);
    return row == ALIGN_NO_ROW ? 0 : p->level[row];
}

static double amount_at(const struct payments *p, size_t i)
{
    double amount = p->rule->is_share ? p->rule->amount / 100 : p->rule->amount;
    int32_t first = p->clock->sessions->date[p->due[0]], date = p->clock->sessions->date[p->due[i]];

    if (p->rule->growth < 0 || p->rule->growth > 0)
        amount *= elementary_pow(1 + p->rule->growth / 100, date_years_between(first, date));
    if (p->index.n > 0)
        amount *= index_at(p, p->due[i]) / index_at(p, p->due[0]);
    return amount;
}

static enum status find_index(struct payments *p, const struct market_data *market, struct err *err)
{
    if (p->rule->index.ptr == NULL || p->n_due == 0)
        return STATUS_OK;
    const struct price_series *prices = market_find(market, p->rule->index);
    const struct rate_series *rates = market_find_rates(market, p->rule->index);
    if (prices != NULL && prices->price != NULL) {
        p->index = (struct dated){prices->n, prices->date, prices->known_at};
        p->level = prices->price;
    } else if (rates != NULL) {
        p->index = (struct dated){rates->n, rates->date, rates->known_at};
        p->level = rates->value;
    }
    if (p->index.n == 0)
        return err_set(err, STATUS_UNKNOWN_ASSET, "There is no series %.*s for a flow.",
                       STR_ARG(p->rule->index));
    if (!(index_at(p, p->due[0]) > 0)) {
        char date[DATE_TEXT_BYTES];
        date_format(p->clock->sessions->date[p->due[0]], date);
        return err_set(err, STATUS_OUTSIDE_COVERAGE,
                       "Nothing of %.*s was known on %s, when the flow begins.",
                       STR_ARG(p->rule->index), date);
    }
    return STATUS_OK;
}

/* Payments of all rules in one list: counted per session, then placed rule by rule. */
static void place(const struct payments *p, size_t n, enum flow_timing timing, uint32_t *next,
                  struct flow *flows)
{
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0; i < p[r].n_due; i++)
            next[p[r].due[i] + 1]++;
    }
    for (size_t t = 1; t <= p[0].clock->sessions->n; t++)
        next[t] += next[t - 1];
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0; i < p[r].n_due; i++) {
            uint32_t t = p[r].due[i];
            flows[next[t]++] = (struct flow){.session = t,
                                             .at_start = timing == FLOW_START,
                                             .is_share = p[r].rule->is_share,
                                             .amount = amount_at(&p[r], i)};
        }
    }
}

enum status flows_build(const struct flow_plan *plan, const struct flow_clock *clock,
                        const struct market_data *market, struct arena *arena,
                        struct flow **ret_flows, size_t *ret_n, struct err *err)
{
    struct payments payments[FLOW_RULES_MAX];
    size_t total = 0, n = plan->n;

    *ret_flows = NULL;
    *ret_n = 0;
    if (n == 0)
        return STATUS_OK;
    for (size_t r = 0; r < n; r++) {
        payments[r] = (struct payments){.rule = &plan->rules[r], .clock = clock};
        payments[r].due = arena_array(arena, clock->sessions->n, sizeof *payments[r].due);
        if (payments[r].due == NULL)
            return out_of_memory(err);
        find_sessions(&payments[r]);
        enum status s = find_index(&payments[r], market, err);
        if (s != STATUS_OK)
            return s;
        total += payments[r].n_due;
    }
    struct flow *flows = arena_array(arena, total + 1, sizeof *flows);
    uint32_t *next = arena_array(arena, clock->sessions->n + 1, sizeof *next);
    if (flows == NULL || next == NULL)
        return out_of_memory(err);
    place(payments, n, plan->timing, next, flows);
    *ret_flows = flows;
    *ret_n = total;
    return STATUS_OK;
}
