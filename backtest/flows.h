/*
 * flows.h - money put into and taken out of a portfolio: rules of a request, and their sessions.
 * Pure functions; callable from any thread.
 */
#ifndef BACKTEST_FLOWS_H
#define BACKTEST_FLOWS_H

#include "backtest/calendar.h"
#include "backtest/market.h"
#include "backtest/rebalance.h"
#include "base/arena.h"

enum flow_timing { FLOW_END, FLOW_START, FLOW_TIMING_COUNT };
enum flow_allocation {
    FLOW_PRO_RATA,         /* as the positions stand */
    FLOW_MOST_UNDERWEIGHT, /* the furthest below its target first; withdrawals: the furthest above */
    FLOW_TO_CASH,          /* waits in cash for the next rebalance */
    FLOW_ALLOCATION_COUNT
};

enum { FLOW_RULES_MAX = 32 };

struct flow_rule {
    bool is_share; /* amount is a fraction of the wealth just before it */
    double amount; /* of the first payment; > 0 comes in, < 0 goes out; a share: per cent */
    struct rebalance_rule calendar; /* every, nth, offset; REBALANCE_NEVER: once, on start */
    int32_t start, end;             /* first and last day; DATE_NONE: the run's own */
    double growth;                  /* per cent a year; compounded by date from the first payment */
    struct str
        index; /* uid of an instrument or economic series that the amount follows; ptr NULL: none */
    const char *index_at; /* JSON pointer of that uid */
};

/* One scheduled payment. */
struct flow {
    uint32_t session; /* >= 1: the capital is the flow of session 0 */
    bool at_start;
    bool is_share; /* amount is a fraction of the wealth just before it */
    double amount; /* > 0 comes in, < 0 goes out */
};

struct flow_clock {
    const struct calendar *sessions;
    const int64_t *known_at; /* when each session's prices were known */
};

struct flow_plan {
    const struct flow_rule *rules;
    size_t n;
    enum flow_timing timing;
};

/*
 * The payments of a plan's rules at the sessions of a clock, by rising session and then by rule. The
 * first session on or after a date stands for it; session 0 has none. An amount that follows an index
 * is multiplied by the last value known at its session over that known at its first payment.
 * Errors: STATUS_UNKNOWN_ASSET when the index is not in market; STATUS_OUTSIDE_COVERAGE when nothing of
 * it was known at the first payment; STATUS_OUT_OF_MEMORY.
 */
enum status flows_build(const struct flow_plan *plan, const struct flow_clock *clock,
                        const struct market_data *market, struct arena *arena,
                        struct flow **ret_flows, size_t *ret_n, struct err *err) NODISCARD;

#endif
