/*
 * rebalance.h - when a portfolio goes back to its targets, and how far: the rule of one run.
 * A plain value; read-only during a run. schedule.h turns its calendar into sessions; the bands are
 * tested by the simulator on closes (engine_watch.c).
 */
#ifndef BACKTEST_REBALANCE_H
#define BACKTEST_REBALANCE_H

#include <stdbool.h>

enum rebalance_every {
    REBALANCE_NEVER,
    REBALANCE_DAILY,
    REBALANCE_WEEKLY,
    REBALANCE_MONTHLY,
    REBALANCE_QUARTERLY,
    REBALANCE_YEARLY,
    REBALANCE_HALF_YEARLY,
    REBALANCE_SESSIONS, /* every n_sessions */
    REBALANCE_EVERY_COUNT
};

enum rebalance_when {
    WHEN_CALENDAR,           /* at every session that is due */
    WHEN_BANDS,              /* at any close outside a band; the calendar only renews the targets */
    WHEN_CALENDAR_AND_BANDS, /* at a due session whose close is outside a band */
    REBALANCE_WHEN_COUNT
};
enum rebalance_scope { SCOPE_ALL, SCOPE_BREACHED, REBALANCE_SCOPE_COUNT };
enum rebalance_destination {
    DESTINATION_TARGET,
    DESTINATION_EDGE,    /* the nearest weight inside the asset's band */
    DESTINATION_HALFWAY, /* half of the way from the weight held to the target */
    REBALANCE_DESTINATION_COUNT
};

/* A band of 0 is not asked for. At equality a band counts as left. */
struct rebalance_bands {
    double absolute;      /* abs(w - t), as weights */
    double relative;      /* abs(w - t) / t; t = 0: any weight above absolute */
    double portfolio;     /* half of the sum of abs(w - t), cash included */
    bool five_twentyfive; /* abs(w - t) against the smaller of 0.05 and t / 4 */
};

/* What a trade is rounded to. */
enum shares_rule {
    SHARES_FRACTIONAL,
    SHARES_WHOLE,      /* toward no trade */
    SHARES_WHOLE_DOWN, /* the position toward 0: a sale is rounded up, as bt does */
    SHARES_RULE_COUNT
};

enum { REBALANCE_LAST = 0 }; /* of rebalance_rule.nth: the last session of the period */

struct rebalance_rule {
    enum rebalance_every every;
    unsigned n_sessions; /* of REBALANCE_SESSIONS, >= 1 */
    unsigned nth;        /* session of the period, 1 the first; REBALANCE_LAST */
    unsigned offset;     /* sessions later */
    enum rebalance_when when;
    struct rebalance_bands bands;
    enum rebalance_scope scope;
    enum rebalance_destination destination;
    double min_trade; /* run's currency; a smaller trade is left out */
};

static inline struct rebalance_rule rebalance_plain(enum rebalance_every every)
{
    return (struct rebalance_rule){.every = every, .nth = 1};
}

/* Whether any band is given. */
static inline bool rebalance_has_bands(const struct rebalance_rule *rule)
{
    return rule->bands.absolute > 0 || rule->bands.relative > 0 || rule->bands.portfolio > 0 ||
           rule->bands.five_twentyfive;
}

/* The narrowest band around a target; INFINITY: none of its own. Pure functions, as the next ones. */
double rebalance_band_of(const struct rebalance_bands *bands, double target);

/* Weights are quotients of sums: a band that is met to the last digit counts as met. */
#define REBALANCE_EPSILON 1e-12

/* The same for a distance from the target that is known, and the width of its band. */
static inline bool rebalance_is_off(double off, double band)
{
    return off > REBALANCE_EPSILON && off >= band - REBALANCE_EPSILON;
}

/* At equality a band is left; a weight within 1e-12 of its target never is. */
bool rebalance_is_outside(const struct rebalance_bands *bands, double weight, double target);

/* sum_off: of abs(w - t) over all positions and cash. */
bool rebalance_portfolio_is_outside(const struct rebalance_bands *bands, double sum_off);

/* The weight that a position goes to when it is rebalanced. */
double rebalance_destination_of(const struct rebalance_rule *rule, double weight, double target);

#endif
