/*
 * yield_bond.h - prices of a bond of constant maturity out of a series of yields, where no bond's own prices exist.
 * Pure apart from the arena; callable from any thread.
 *
 * Its uid says all of it: yield:CODE:COUNTRY:FREQUENCY:MATURITY:COUPONS:CURRENCY, as in yield:DGS10:USA:D:10Y:2:USD. The
 * first three name an economic series (market_rates.h) in per cent a year; the maturity is 1Y to 50Y or 1M to 11M, with a
 * whole number of coupons; COUPONS is 1, 2, 4 or 12 a year.
 *
 * From one weekday to the next, y the yield known at the first and dy what a publication has changed since, as fractions:
 *   r = y days / 365 - D dy + C dy^2 / 2
 * with D the modified duration and C the convexity, in years, of a bond at par that pays y in COUPONS parts:
 *   D = sum of (k / f) w_k / (1 + y / f),  C = sum of k (k + 1) / f^2 w_k / (1 + y / f)^2,  w_k the worth of payment k
 * of 1 of par (Swinkels 2019, Data 4(3):91, eq. 1 to 3). What it holds is at every moment a new bond at par.
 */
#ifndef BACKTEST_YIELD_BOND_H
#define BACKTEST_YIELD_BOND_H

#include "backtest/market.h"

struct yield_bond {
    struct str code, country, frequency; /* point into the uid */
    unsigned coupons_per_year;
    unsigned n_coupons; /* up to the maturity */
    char currency[CURRENCY_TEXT_BYTES];
};

/* Whether a uid means to name one. */
bool yield_bond_is(struct str uid);

/* NULL, or what is wrong with such a uid as a sentence; YIELD_BOND_FORM is what is right. */
#define YIELD_BOND_FORM                                                                                                     \
    "yield:CODE:COUNTRY:FREQUENCY:MATURITY:COUPONS:CURRENCY, with an economic series in per cent a year, a maturity of 1Y " \
    "to 50Y or 1M to 11M and 1, 2, 4 or 12 coupons a year that fit it, as in yield:DGS10:USA:D:10Y:2:USD"
const char *yield_bond_parse(struct str uid, struct yield_bond *ret);

/* D and C above at a yield y > -coupons_per_year. */
void yield_bond_sensitivity(const struct yield_bond *bond, double y, double *ret_duration,
                            double *ret_convexity);

/*
 * A series without distributions on the weekdays from the first publication, where it is 100, to the last one; raw and
 * adjusted prices are the same. A row is known when its day begins, or with the publication of that day.
 * Errors: those of rates_check; STATUS_BAD_DATA for a yield below -20 or above 100 per cent, naming uid and date;
 * STATUS_OUT_OF_MEMORY.
 */
enum status yield_bond_prices(struct str uid, const struct yield_bond *bond,
                              const struct rate_series *rates, struct arena *arena,
                              struct price_series *ret, struct err *err) NODISCARD;

#endif
