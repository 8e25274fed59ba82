/*
 * bond.h - accrued interest and coupon dates of a bond quoted clean, in percent of par.
 * Pure functions; callable from any thread. A unit is 100 of par.
 *
 * Coupons fall every 12 / coupons_per_year months, counted back from the maturity, on whatever day that is.
 * Accrued, with p and n the coupon dates around the day (p <= day < n) and c the coupon:
 *   ACT/ACT ICMA  c (day - p) / (n - p)                  ICMA rule 251.1
 *   30/360        c days360(p, day) / (360 / per year)   ISDA 2006, 4.16(f): a 31st counts as the 30th
 * Settlement is on the day itself.
 */
#ifndef BACKTEST_BOND_H
#define BACKTEST_BOND_H

#include "backtest/market.h"

static const double BOND_PAR = 100;

/* The k-th coupon date before the maturity; 0 is the maturity. coupons_per_year > 0. */
int32_t bond_coupon_date(const struct bond_terms *bond, int k);

/* One coupon; 0 when there is none before maturity. */
double bond_coupon(const struct bond_terms *bond);

/* How many coupon dates lie after day, the maturity included; 0 from the maturity on. */
int bond_coupons_after(const struct bond_terms *bond, int32_t day);

/* Interest that has accrued by day since the last coupon; 0 on a coupon date and from the maturity on. */
double bond_accrued(const struct bond_terms *bond, int32_t day);

/* Terms that make no bond: STATUS_BAD_DATA naming the uid. */
enum status bond_check(const struct bond_terms *bond, struct str uid, struct err *err) NODISCARD;

#endif
