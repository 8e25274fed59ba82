/*
 * basis.h - one series as the price mode of a run sees it: what a holding unit is worth at each bar.
 * Built once per column in an arena, read-only afterwards; callable from any thread.
 *
 * Adjusted  the unit is worth price[row]; nothing happens to it.
 * Raw       the unit starts as one share at the first bar and is worth close[row] times the shares it
 *           stands for. A split multiplies the shares. A dividend multiplies them when it is reinvested,
 *           by (p + d) / p at the ex-date's close p, or by q / (q - d) at the close q before it, as
 *           published factors do; otherwise it is cash, or is dropped. Shares of another asset (gifts) are sold at
 *           that close: for cash where dividends are cash, else for more of the shares, whatever becomes of dividends. Kept, they
 *           leave the unit, one action for each series_gift.
 * Bond      with terms (market.h): the unit starts as 100 of par and is worth its share of close plus accrued
 *           interest (bond.h). Each coupon is an action at the first bar on or after its date; the quotes'
 *           own dividends are not looked at. See basis_redemption for the end.
 * The unit never looks ahead: bars after a row do not change what it is worth at that row.
 */
#ifndef BACKTEST_BASIS_H
#define BACKTEST_BASIS_H

#include "backtest/spec.h"

enum action_kind {
    ACTION_SPLIT,
    ACTION_DIVIDEND,
    ACTION_COUPON,
    ACTION_SPIN_OFF,
    ACTION_KIND_COUNT
};
extern const char *const action_kind_names[ACTION_KIND_COUNT];

/* What is made of prices and of what they bring. */
struct basis_mode {
    enum price_mode prices;
    enum spec_dividends dividends; /* of raw prices, as the next */
    enum spec_spin_offs spin_offs;
};

static inline struct basis_mode basis_mode(const struct spec *spec)
{
    return (struct basis_mode){spec->prices, spec->dividends, spec->spin_offs};
}

/* A line of prices has neither cash nor positions: what would be paid is reinvested. */
static inline struct basis_mode basis_line_mode(const struct spec *spec)
{
    bool is_cash = spec->dividends == DIVIDENDS_CASH;
    return (struct basis_mode){spec->prices, is_cash ? DIVIDENDS_REINVEST : spec->dividends,
                               SPIN_OFFS_SELL};
}

struct basis_action {
    uint32_t row;
    uint32_t session; /* of a run's clock, see basis_place */
    enum action_kind kind;
    bool is_paid;  /* in cash, or in shares of another */
    uint32_t gift; /* those shares: 1 + their place in series->gifts; 0: cash */
    double
        amount; /* cash or worth for one share held after the row's split, in the series' currency */
    int32_t pay_date; /* of what is paid; DATE_NONE: not known */
    double ratio;     /* of a split */
    double shares;    /* that a unit stands for from this action on */
};

struct basis {
    const struct price_series *series;
    size_t n_bars;
    bool is_raw;
    double redemption;            /* of a bond, for one share: par and what the last coupon adds */
    struct basis_action *actions; /* in the order of rows, a row's split first */
    size_t n_actions;
};

/*
 * The series has passed market_check_series for that mode; its first n_bars rows are used.
 * Errors: STATUS_BAD_DATA for a dividend or split that cannot be; STATUS_OUT_OF_MEMORY.
 */
enum status basis_init(struct basis *basis, const struct price_series *series, size_t n_bars,
                       struct basis_mode mode, struct arena *arena, struct err *err) NODISCARD;

/* Finds the session of each action: the first whose row is the action's or a later one; n: none. */
void basis_place(struct basis *basis, const uint32_t *row, size_t n);

/* At one bar: what a unit is worth in the series' currency, and the shares it stands for. */
double basis_value(const struct basis *basis, size_t row);
double basis_shares(const struct basis *basis, size_t row);

/* What a unit would be worth at that bar if quote, another price of it, were its close. */
double basis_quote(const struct basis *basis, size_t row, double quote);

/*
 * What a unit is paid back when its bond matures, in the series' currency: par, and the last coupon unless a bar
 * has brought it or coupons are dropped. NaN when it is no bond with terms, or prices are not raw.
 */
double basis_redemption(const struct basis *basis);

/* The value at row[t] for n sessions; NaN at ALIGN_NO_ROW (align.h). */
void basis_gather(const struct basis *basis, const uint32_t *row, size_t n, double *ret_value);

#endif
