/* basis.c - turns closes and corporate actions into the value of a holding unit; called by panel_build. */
#include "backtest/basis.h"

#include "backtest/align.h"
#include "backtest/bond.h"
#include "base/date.h"

#include <math.h>

const char *const action_kind_names[ACTION_KIND_COUNT] = {[ACTION_SPLIT] = "split",
                                                          [ACTION_DIVIDEND] = "dividend",
                                                          [ACTION_COUPON] = "coupon",
                                                          [ACTION_SPIN_OFF] = "spin_off"};

/* What no company has done; beyond, shares times closes could leave the range of a double. */
static const double SPLIT_MIN = 1e-6, SPLIT_MAX = 1e6, SHARES_MIN = 1e-30, SHARES_MAX = 1e30;

static enum status bad_action(const struct price_series *series, size_t row, const char *what,
                              struct err *err)
{
    char day[DATE_TEXT_BYTES];
    date_format(series->date[row], day);
    return err_set(err, STATUS_BAD_DATA, "%.*s has a %s on %s that cannot be.",
                   STR_ARG(series->uid), what, day);
}

/* 0 and 1 where the row has none. */
static double dividend_at(const struct price_series *series, size_t row)
{
    return series->dividend == NULL || isnan(series->dividend[row]) ? 0 : series->dividend[row];
}

static double split_at(const struct price_series *series, size_t row)
{
    return series->split == NULL || isnan(series->split[row]) ? 1 : series->split[row];
}

static double in_kind_at(const struct price_series *series, size_t row)
{
    double worth = 0;
    for (size_t i = 0; i < series->n_gifts; i++)
        worth += series->gifts[i].row == row ? series->gifts[i].worth : 0;
    return worth;
}

static int32_t pay_date_at(const struct price_series *series, size_t row)
{
    bool is_known = series->pay_date != NULL && series->pay_date[row] >= DATE_MIN &&
                    series->pay_date[row] <= DATE_MAX;
    return is_known ? (int32_t)series->pay_date[row] : DATE_NONE;
}

static size_t count_actions(const struct price_series *series, size_t n_bars)
{
    size_t n = 0;
    for (size_t i = 1; i < n_bars; i++) {
        n += fabs(split_at(series, i) - 1) > 0 ? 1 : 0;
        n += fabs(dividend_at(series, i)) > 0 ? 1 : 0;
    }
    return n + series->n_gifts;
}

/* What a dividend of amount on row multiplies the shares of a unit by; split is the row's own. */
static double reinvested(const struct price_series *series, size_t row, double amount, double split,
                         enum spec_dividends mode)
{
    if (mode == DIVIDENDS_REINVEST)
        return (series->close[row] + amount) / series->close[row];
    if (mode == DIVIDENDS_REINVEST_PREVIOUS_CLOSE)
        return series->close[row - 1] / (series->close[row - 1] - amount * split);
    return 1;
}

/* What shares of another asset become at the close; a dividend of the day that was reinvested in it is there already. */
static void sell_in_kind(struct basis *basis, size_t row, enum spec_dividends mode, double *shares)
{
    const struct price_series *series = basis->series;
    double worth = in_kind_at(series, row);
    double base = series->close[row];
    if (!(worth > 0))
        return;
    if (mode == DIVIDENDS_REINVEST)
        base += dividend_at(series, row);
    if (mode != DIVIDENDS_CASH)
        *shares *= (base + worth) / base;
    basis->actions[basis->n_actions++] = (struct basis_action){.row = (uint32_t)row,
                                                               .kind = ACTION_SPIN_OFF,
                                                               .is_paid = mode == DIVIDENDS_CASH,
                                                               .amount = worth,
                                                               .pay_date = DATE_NONE,
                                                               .ratio = 1,
                                                               .shares = *shares};
}

/* Shares of others, each an action of its own; a position's business from then on. */
static void keep_in_kind(struct basis *basis, size_t row, double shares)
{
    const struct price_series *series = basis->series;
    for (size_t i = 0; i < series->n_gifts; i++) {
        if (series->gifts[i].row == row)
            basis->actions[basis->n_actions++] =
                (struct basis_action){.row = (uint32_t)row,
                                      .kind = ACTION_SPIN_OFF,
                                      .is_paid = true,
                                      .gift = (uint32_t)i + 1,
                                      .amount = series->gifts[i].worth,
                                      .pay_date = DATE_NONE,
                                      .ratio = 1,
                                      .shares = shares};
    }
}

static enum status add_actions(struct basis *basis, size_t row, struct basis_mode mode,
                               double *shares, struct err *err)
{
    const struct price_series *series = basis->series;
    double split = split_at(series, row), dividend = dividend_at(series, row);

    if (!(split >= SPLIT_MIN && split <= SPLIT_MAX))
        return bad_action(series, row, "split", err);
    if (!(in_kind_at(series, row) >= 0) || isinf(in_kind_at(series, row)))
        return bad_action(series, row, "spin-off", err);
    if (!(dividend >= 0) || !(dividend * split < series->close[row - 1]))
        return bad_action(series, row, "dividend", err);
    struct basis_action action = {.row = (uint32_t)row, .ratio = 1};
    if (fabs(split - 1) > 0) {
        *shares *= split;
        action.kind = ACTION_SPLIT;
        action.ratio = split;
        action.shares = *shares;
        basis->actions[basis->n_actions++] = action;
    }
    if (dividend > 0) {
        *shares *= reinvested(series, row, dividend, split, mode.dividends);
        action.kind = ACTION_DIVIDEND;
        action.is_paid = mode.dividends == DIVIDENDS_CASH;
        action.amount = dividend;
        action.pay_date = pay_date_at(series, row);
        action.ratio = 1;
        action.shares = *shares;
        basis->actions[basis->n_actions++] = action;
    }
    if (mode.spin_offs == SPIN_OFFS_KEEP)
        keep_in_kind(basis, row, *shares);
    else
        sell_in_kind(basis, row, mode.dividends, shares);
    return *shares >= SHARES_MIN && *shares <= SHARES_MAX ? STATUS_OK
                                                          : bad_action(series, row, "split", err);
}

/* Whether a raw series is one of a bond whose terms are known. */
static const struct bond_terms *bond_of(const struct basis *basis)
{
    return basis->is_raw ? basis->series->bond : NULL;
}

static double dirty_at(const struct basis *basis, size_t row)
{
    const struct price_series *series = basis->series;
    return series->close[row] + bond_accrued(series->bond, series->date[row]);
}

static enum status add_coupons(struct basis *basis, enum spec_dividends mode, struct arena *arena,
                               struct err *err)
{
    const struct price_series *series = basis->series;
    const struct bond_terms *bond = series->bond;
    double coupon = bond_coupon(bond), shares = 1;
    enum status s = bond_check(bond, series->uid, err);
    basis->redemption = BOND_PAR;
    if (s != STATUS_OK || !(coupon > 0) || basis->n_bars == 0)
        return s;
    int k = bond_coupons_after(bond, series->date[0]);
    basis->actions = arena_array(arena, (size_t)k + 1, sizeof *basis->actions);
    if (basis->actions == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this backtest.");
    for (size_t row = 1; k > 0; k--) {
        while (row < basis->n_bars && series->date[row] < bond_coupon_date(bond, k - 1))
            row++;
        if (row == basis->n_bars) { /* not yet, or with the redemption */
            basis->redemption += mode == DIVIDENDS_DROP ? 0 : coupon;
            break;
        }
        double dirty = dirty_at(basis, row);
        if (!(coupon < dirty && coupon < dirty_at(basis, row - 1)))
            return bad_action(series, row, "coupon", err);
        if (mode == DIVIDENDS_REINVEST)
            shares *= (dirty + coupon) / dirty;
        else if (mode == DIVIDENDS_REINVEST_PREVIOUS_CLOSE)
            shares *= dirty_at(basis, row - 1) / (dirty_at(basis, row - 1) - coupon);
        basis->actions[basis->n_actions++] =
            (struct basis_action){.row = (uint32_t)row,
                                  .kind = ACTION_COUPON,
                                  .is_paid = mode == DIVIDENDS_CASH,
                                  .amount = coupon,
                                  .pay_date = bond_coupon_date(bond, k - 1),
                                  .ratio = 1,
                                  .shares = shares};
    }
    return STATUS_OK;
}

double basis_redemption(const struct basis *basis)
{
    if (bond_of(basis) == NULL || basis->n_bars == 0)
        return (double)NAN;
    return basis->redemption * basis_shares(basis, basis->n_bars - 1);
}

enum status basis_init(struct basis *basis, const struct price_series *series, size_t n_bars,
                       struct basis_mode mode, struct arena *arena, struct err *err)
{
    *basis = (struct basis){.series = series, .n_bars = n_bars};
    basis->is_raw = mode.prices == PRICES_RAW;
    if (bond_of(basis) != NULL)
        return add_coupons(basis, mode.dividends, arena, err);
    size_t n = basis->is_raw ? count_actions(series, n_bars) : 0;
    if (n == 0)
        return STATUS_OK;
    basis->actions = arena_array(arena, n, sizeof *basis->actions);
    if (basis->actions == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this backtest.");
    double shares = 1;
    enum status s = STATUS_OK;
    for (size_t i = 1; i < n_bars && s == STATUS_OK; i++)
        s = add_actions(basis, i, mode, &shares, err);
    return s;
}

/* The number of actions at or before row, searched from a guess that is seldom far off. */
static size_t actions_until(const struct basis *basis, size_t row, size_t guess)
{
    while (guess < basis->n_actions && basis->actions[guess].row <= row)
        guess++;
    while (guess > 0 && basis->actions[guess - 1].row > row)
        guess--;
    return guess;
}

static double shares_after(const struct basis *basis, size_t n_actions)
{
    return n_actions == 0 ? 1 : basis->actions[n_actions - 1].shares;
}

double basis_shares(const struct basis *basis, size_t row)
{
    const struct price_series *series = basis->series;
    if (basis->is_raw)
        return shares_after(basis, actions_until(basis, row, 0));
    if (series->close == NULL || !(series->close[row] > 0))
        return 1;
    return series->price[row] / series->close[row];
}

double basis_value(const struct basis *basis, size_t row)
{
    const struct price_series *series = basis->series;
    if (bond_of(basis) != NULL)
        return dirty_at(basis, row) * basis_shares(basis, row);
    return basis->is_raw ? series->close[row] * basis_shares(basis, row) : series->price[row];
}

double basis_quote(const struct basis *basis, size_t row, double quote)
{
    const struct price_series *series = basis->series;
    double accrued = bond_of(basis) != NULL ? bond_accrued(series->bond, series->date[row]) : 0;
    return (quote + accrued) * basis_shares(basis, row);
}

void basis_place(struct basis *basis, const uint32_t *row, size_t n)
{
    size_t t = 0;
    for (size_t i = 0; i < basis->n_actions; i++) {
        while (t < n && (row[t] == ALIGN_NO_ROW || row[t] < basis->actions[i].row))
            t++;
        basis->actions[i].session = (uint32_t)t;
    }
}

void basis_gather(const struct basis *basis, const uint32_t *row, size_t n, double *ret_value)
{
    const double *price = basis->is_raw ? basis->series->close : basis->series->price;
    size_t n_actions = 0;
    bool is_plain = basis->n_actions == 0 && bond_of(basis) == NULL;
    for (size_t t = 0; is_plain && t < n; t++) /* a unit is a share all along */
        ret_value[t] = row[t] == ALIGN_NO_ROW ? (double)NAN : price[row[t]];
    for (size_t t = 0; !is_plain && t < n; t++) {
        ret_value[t] = (double)NAN;
        if (row[t] == ALIGN_NO_ROW)
            continue;
        n_actions = actions_until(basis, row[t], n_actions);
        double value = bond_of(basis) != NULL ? dirty_at(basis, row[t]) : price[row[t]];
        ret_value[t] = value * shares_after(basis, n_actions);
    }
}
