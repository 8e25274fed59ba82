/*
 * strategy.h - what a strategy is: its parameters as rows, and one function that turns a look-back
 * window into target weights. strategies.def lists them; strategy_plan.h fills the plan of a run.
 * Everything here is read-only after parsing; any number of threads may read it.
 *
 * A strategy sees one window: the prices of the assets that can be bought at the decision, from
 * `lookback` returns before the last price it may know up to that price. Nothing else reaches it, so
 * it cannot look ahead. The last price it may know is `lag` sessions before the decision (0: the close
 * at which the decision is made).
 */
#ifndef BACKTEST_STRATEGY_H
#define BACKTEST_STRATEGY_H

#include "backtest/covariance.h"
#include "backtest/limits.h"
#include "backtest/qp.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum strategy_id {
#define STRATEGY(id, name) STRATEGY_##id,
#include "backtest/strategies.def"
#undef STRATEGY
    STRATEGY_COUNT
};

enum {
    STRATEGY_PARAMS_MAX = 8,
    STRATEGY_LOOKBACK_MAX = 2520, /* sessions */
    STRATEGY_LAG_MAX = 252,
    STRATEGY_GROUPS_MAX = 64,
    STRATEGY_INDICES = 9, /* of scratch per asset */
    STRATEGY_VIEWS_MAX = 16,
    STRATEGY_PATHS = 3, /* of scratch per session of the window */
};

/* What a strategy needs, and so which members its object may have. */
enum strategy_needs {
    STRATEGY_WINDOW = 1u << 0,     /* prices: lookback, lag, fallback */
    STRATEGY_RETURNS = 1u << 1,    /* their returns; assets without variation are left out */
    STRATEGY_COVARIANCE = 1u << 2, /* mean and covariance of the returns: covariance */
    STRATEGY_SQUARE = 1u << 3,     /* room for another matrix */
    STRATEGY_BASE = 1u << 4,       /* the weights of another strategy: base; no limits of its own */
    STRATEGY_TABLE = 1u << 5,      /* dated weights: rows */
    STRATEGY_SEARCH = 1u << 6,     /* chooses among others, in walk_forward.c: candidates */
    STRATEGY_DATES = 1u << 7,      /* the date of the decision alone */
    STRATEGY_COUNTS =
        1u << 8,              /* how many decisions the run made before; no candidate of a search */
    STRATEGY_VIEWS = 1u << 9, /* what the client expects: views, market */
    STRATEGY_SIGNAL = 1u << 10,    /* an economic series as it was known: indicator */
    STRATEGY_BENCHMARK = 1u << 11, /* how the returns vary with the benchmark of the request */
};

/* Those whose object has a member that nothing stands for. */
#define STRATEGY_OBJECT_ONLY (STRATEGY_BASE | STRATEGY_TABLE | STRATEGY_SEARCH | STRATEGY_SIGNAL)

/* An asset is a uid of the request's assets, kept as its index; STRATEGY_NO_ASSET: none named. */
enum strategy_value { STRATEGY_INTEGER, STRATEGY_NUMBER, STRATEGY_CHOICE, STRATEGY_ASSET };
#define STRATEGY_NO_ASSET (-1.0)

/* One parameter: a row in the strategy's own file. */
struct strategy_param {
    const char *name;
    enum strategy_value type;
    double min, max;           /* of a number, inclusive */
    double standard;           /* when the request says nothing; of a choice, an index */
    const char *const *choice; /* the words of a choice */
    size_t n_choices;
};

/* What to do before enough history exists, and when a window has no answer. */
enum strategy_fallback { FALLBACK_EQUAL, FALLBACK_CASH, STRATEGY_FALLBACK_COUNT };
extern const char *const strategy_fallback_names[STRATEGY_FALLBACK_COUNT];

struct strategy_kind;
struct strategy;

/* Dated weights of the request; row r of n_assets weights is in force from date[r] on. */
struct strategy_table {
    size_t n;
    int32_t *date; /* rising */
    double *weight;
    size_t n_assets;
};

/* What a client expects of a portfolio: coefficient'r = annual, a year, in excess of the risk-free rate. */
struct strategy_view {
    double *coefficient; /* [n_assets] of the request */
    double annual, confidence;
};

struct strategy_views {
    size_t n, n_assets;
    struct strategy_view *view;
    double *market; /* [n_assets], of any sum above 0; NULL: equal parts */
};

/* The sum of the weights of the assets that name this group. */
struct strategy_group {
    struct str name;
    double min, max;
};

/* What the weights of every decision keep to; an asset may have narrower bounds of its own. */
struct strategy_limits {
    bool is_given; /* by the request, here or on an asset; false: long only, 0 to 1 each */
    bool long_only;
    double min_weight, max_weight;
    double max_gross; /* sum of the weights' sizes */
    struct strategy_group *groups;
    size_t n_groups;
};

/* A strategy of a request: what the client asked for, with every default filled in. */
struct strategy {
    const struct strategy_kind *kind;
    size_t lookback, lag; /* sessions; 0 without STRATEGY_WINDOW */
    enum strategy_fallback fallback;
    struct covariance_choice covariance;
    struct strategy_limits limits;
    double param[STRATEGY_PARAMS_MAX]; /* in the order of kind->params */
    const struct strategy *base;
    struct strategy_table table;
    struct strategy_views views;
    struct str indicator;     /* uid of an economic series; ptr NULL: none */
    const char *indicator_at; /* JSON pointer of it */
    const struct strategy **candidates;
    size_t n_candidates;
};

/* What strategy_kind.weigh may look at: m assets, all arrays in the same order of assets. */
struct strategy_input {
    const struct strategy *strategy;
    size_t m;            /* >= 1 */
    const size_t *asset; /* [m]: which asset of the request each is, rising */
    const double *const
        *price;            /* [m]: lookback + 1 prices each, oldest first; NULL without a window */
    const double *base;    /* [m]: weights of the base, with STRATEGY_BASE */
    int32_t today;         /* date of the decision */
    size_t decision;       /* decisions of the run before this one, with STRATEGY_COUNTS */
    const double *returns; /* m columns of lookback returns, centred by the estimator */
    double signal;         /* with STRATEGY_SIGNAL: the value published by then; NaN: none was */
    double *path;          /* STRATEGY_PATHS x lookback of scratch, with STRATEGY_RETURNS */
    size_t *when;          /* lookback indices of scratch, likewise */
    const double *mean;    /* [m], per session; mean[m]: the benchmark's, with STRATEGY_BENCHMARK */
    const double *covariance; /* m x m */
    const double *shared; /* [m + 1]: covariance with the benchmark, and its variance, likewise */
    const struct kernels *kernels;
    double periods_per_year;
    double risk_free_rate;       /* annual */
    double *scratch;             /* kind->scratch doubles per asset */
    double *square;              /* m x m, with STRATEGY_SQUARE */
    size_t *index;               /* STRATEGY_INDICES per asset */
    const struct limits *limits; /* of the m assets; they can be met */
    struct qp_workspace *qp;
};

/* Why a row is not what the strategy's formula alone would give. */
enum strategy_note {
    NOTE_NONE,
    NOTE_SHORT_HISTORY, /* fewer sessions than the window needs: the fallback */
    NOTE_NO_ANSWER,     /* the window has no solution (no variation, for one): the fallback */
    NOTE_NO_EXCESS, /* no allowed portfolio beat the rate, or the benchmark: the one of least risk */
    STRATEGY_NOTE_COUNT
};
extern const char *const strategy_note_names[STRATEGY_NOTE_COUNT]; /* NULL for NOTE_NONE */

struct strategy_kind {
    const char *name;
    unsigned needs;           /* of enum strategy_needs */
    size_t standard_lookback; /* sessions */
    const struct strategy_param *params;
    size_t n_params;
    size_t scratch;     /* doubles per asset */
    size_t most_assets; /* that it takes; 0: as many as a request may have */
    /*
     * Fills ret_weight[m], every one set. Their sum is the invested share; the rest stays in cash. What
     * breaks the limits is moved to the nearest weights that keep them, with the same sum.
     * NOTE_NO_ANSWER: the fallback takes its place. NULL: the weights of the request at every decision,
     * or a search.
     */
    enum strategy_note (*weigh)(const struct strategy_input *input, double *ret_weight);
};

extern const struct strategy_kind *const strategy_kinds[STRATEGY_COUNT];

/* Whether it takes part in the row-by-row plan; otherwise the weights of the request are the plan. */
static inline bool strategy_is_plain(const struct strategy *strategy)
{
    return strategy->kind->needs == 0;
}

/* Whether constraints, and the limits of assets, are for its own weights. */
static inline bool strategy_takes_limits(const struct strategy_kind *kind)
{
    return kind->needs & STRATEGY_WINDOW && !(kind->needs & STRATEGY_BASE);
}

/* Whether it is kind, or stands on or chooses among strategies that are. */
bool strategy_involves(const struct strategy *strategy, enum strategy_id kind);

/* Whether it, its base or a candidate has one of these needs. */
bool strategy_any_needs(const struct strategy *strategy, unsigned needs);

/* The row of a table in force on a date; table->n before the first. */
size_t strategy_table_row(const struct strategy_table *table, int32_t date);

/* Where among the m assets the one named by parameter `param` is; m when none is, or it cannot be bought. */
static inline size_t strategy_asset(const struct strategy_input *input, size_t param)
{
    double wanted = input->strategy->param[param];
    size_t i = 0;
    while (i < input->m && !(wanted >= 0 && input->asset[i] == (size_t)wanted))
        i++;
    return i;
}

/* Equal parts of the assets but the one named by parameter `safe`, or all in that one: in cash when there is none. */
void strategy_in_or_safe(const struct strategy_input *input, size_t safe, bool is_in,
                         double *ret_weight);

#define STRATEGY_PARAM_INTEGER(name, min, max, standard)            \
    {                                                               \
        (name), STRATEGY_INTEGER, (min), (max), (standard), NULL, 0 \
    }
#define STRATEGY_PARAM_NUMBER(name, min, max, standard)            \
    {                                                              \
        (name), STRATEGY_NUMBER, (min), (max), (standard), NULL, 0 \
    }
#define STRATEGY_PARAM_CHOICE(name, words, standard)                         \
    {                                                                        \
        (name), STRATEGY_CHOICE, 0, 0, (standard), (words), ARRAY_LEN(words) \
    }
#define STRATEGY_PARAM_ASSET(name)                               \
    {                                                            \
        (name), STRATEGY_ASSET, 0, 0, STRATEGY_NO_ASSET, NULL, 0 \
    }

#endif
