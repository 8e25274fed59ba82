/*
 * market.h - the prices and exchange rates a backtest runs on, as plain borrowed arrays.
 * The caller fills them from its store; nothing here is copied or changed. Threads: read-only.
 *
 * Shape: parallel arrays of n rows, oldest first, dates strictly rising.
 * Units: date in days since 1970-01-01 (base/date.h); known_at in UTC seconds since 1970-01-01: the
 * first instant at which the row could have been read by anyone.
 */
#ifndef BACKTEST_MARKET_H
#define BACKTEST_MARKET_H

#include "backtest/kernels.h"
#include "backtest/market_rates.h"
#include "base/arena.h"
#include "base/date.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURRENCY_TEXT_BYTES = 4 }; /* ISO 4217 code and NUL */

/* What a reader of the result must be told about a series; each flag becomes a warning. */
enum series_flag {
    SERIES_SIMULATED = 1u << 0, /* made by a model, not observed */
    SERIES_ADJUSTED_ONLY =
        1u << 1, /* adjusted prices: levels and share counts are not historical */
    SERIES_SURVIVOR_BIASED = 1u << 2, /* comes from a list that leaves out the dead */
    SERIES_PRICE_INDEX = 1u << 3,     /* an index level without dividends */
    SERIES_SYNTHETIC = 1u << 4,       /* worked out of published yields; yield_bond.h */
};

/* Which column of a series a run is made of. */
enum price_mode { PRICES_ADJUSTED, PRICES_RAW };

/* How days become years when a coupon accrues. */
enum day_count { DAY_COUNT_ACT_ACT_ICMA, DAY_COUNT_30_360 };

/* What a bond promises for 100 of par. */
struct bond_terms {
    int32_t maturity;
    double coupon_rate;        /* a year, fraction of par */
    unsigned coupons_per_year; /* 1, 2, 4 or 12; 0: no coupon before maturity */
    enum day_count day_count;
};

/* A share that becomes another, or brings one; see succession.h. */
enum change_kind { CHANGE_SPIN_OFF, CHANGE_MERGER, CHANGE_RENAME, CHANGE_KIND_COUNT };
extern const char *const change_kind_names[CHANGE_KIND_COUNT];

struct series_change {
    int32_t date; /* the first day without it */
    enum change_kind kind;
    struct str into; /* the other's uid */
    double ratio;    /* its units for one unit held; NaN: none, of a rename 1 */
    double cash;     /* of a merger, for one unit held; NaN: none */
};

/* Shares of another that are received beside the old ones, for one unit after the row's split. */
struct series_gift {
    uint32_t row; /* the first at which both have a price */
    struct str into;
    double ratio; /* the other's shares */
    double worth; /* of them at that row's close, in the currency of both */
};

/*
 * price is the close with later distributions and splits worked in. The arrays from open to split are
 * as quoted on their day, never adjusted: NULL when no row has a value, NaN in the rows without one.
 */
struct series_quality;
struct price_series {
    struct str uid; /* "stock:US.AAPL" */
    char currency[CURRENCY_TEXT_BYTES];
    size_t n;
    const int32_t *date;
    const double *price; /* in currency, > 0 and finite; in a raw run NaN where unknown, or NULL */
    const int64_t *known_at;
    const double *open, *high, *low, *close; /* bonds: clean, in percent of par */
    const double *volume;                    /* units traded */
    const double *dividend; /* per unit held after this row's split, ex on this date */
    const double *split;    /* new units for one old one, effective on this date */
    const double
        *pay_date; /* day on which the row's dividend is paid, a whole number; NaN: not known */
    const struct series_quality *quality; /* quality.h; NULL: nobody looked the series over */
    const struct bond_terms *bond;        /* NULL: not a bond, or its terms are unknown */
    const struct series_change *changes;  /* by date; of raw prices */
    size_t n_changes;
    const struct series_gift *gifts; /* by row; market_follow finds them */
    size_t n_gifts;
    int32_t delisted_on;     /* DATE_NONE: still listed; later bars are ignored */
    double delisting_return; /* fraction of the last price lost (< 0) or gained, >= -1 */
    bool trades_24_7;
    unsigned flags;                /* of enum series_flag */
    bool is_whole[PRICES_RAW + 1]; /* by price_mode: every row has such a price; false: perhaps */
};

/* One EUR reference rate: quote units for one EUR. base is always "EUR". */
struct fx_series {
    char base[CURRENCY_TEXT_BYTES];
    char quote[CURRENCY_TEXT_BYTES];
    size_t n;
    const int32_t *date;
    const double *rate; /* > 0 and finite */
    const int64_t *known_at;
    unsigned flags; /* of enum series_flag */
};

/* Everything a run may need; more series than the spec names do no harm. Order does not matter. */
struct market_data {
    const struct price_series *series;
    size_t n_series;
    const struct fx_series *fx;
    size_t n_fx;
    const struct rate_series *rates;
    size_t n_rates;
    const struct kernels
        *kernels; /* kernels.h; NULL: those for any machine. No figure depends on it. */
};

/* NULL when there is none. */
const struct price_series *market_find(const struct market_data *market, struct str uid);
/* UNKNOWN_ASSET for a uid that is not there, with the nearest one of the market. */
enum status market_unknown(const struct market_data *market, struct str uid, struct err *err);
const struct fx_series *market_find_fx(const struct market_data *market, const char *quote);
const struct rate_series *market_find_rates(const struct market_data *market, struct str uid);

/* Sets is_whole, so that the runs which share a series need not look. */
void market_mark_whole(struct price_series *series);

/*
 * Leaves out the rows that have no price of that mode; the arrays of what remains are copies in the arena.
 * A split or dividend of a row left out is carried to the next row. A raw bond that was delisted on or after its
 * maturity ends at its maturity, where it is redeemed.
 * Errors: STATUS_BAD_SPEC when no row has one, naming /prices and the mode that would serve: modes are not
 * mixed within a run; STATUS_OUT_OF_MEMORY.
 */
enum status market_keep_priced(struct price_series *series, enum price_mode mode,
                               struct arena *arena, struct err *err) NODISCARD;

/*
 * The contract of the arrays: at least one row, dates strictly rising, prices of that mode finite and
 * > 0, a delisting return of at least -1.
 * Errors: STATUS_NO_DATA when empty; STATUS_BAD_DATA naming the uid (or pair) and the date.
 */
enum status market_check_series(const struct price_series *series, enum price_mode mode,
                                struct err *err) NODISCARD;
enum status market_check_fx(const struct fx_series *fx, struct err *err) NODISCARD;

#endif
