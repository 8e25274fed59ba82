/* bond.c - coupon calendars and day counts; what basis.c adds to a clean price. */
#include "backtest/bond.h"

#include "base/date.h"

#include <math.h>

int32_t bond_coupon_date(const struct bond_terms *bond, int k)
{
    return date_add_months(bond->maturity, -k * (int)(12 / bond->coupons_per_year));
}

double bond_coupon(const struct bond_terms *bond)
{
    return bond->coupons_per_year == 0
               ? 0
               : BOND_PAR * bond->coupon_rate / (double)bond->coupons_per_year;
}

int bond_coupons_after(const struct bond_terms *bond, int32_t day)
{
    if (day >= bond->maturity || bond->coupons_per_year == 0)
        return 0;
    /* A period has at most 31 days a month: a guess that is not too high, and seldom off. */
    int k = (int)((bond->maturity - day) / (int32_t)(31 * (12 / bond->coupons_per_year)));
    while (bond_coupon_date(bond, k) > day)
        k++;
    return k;
}

/* ISDA 2006, 4.16(f), the bond basis. */
static int days_360(int32_t from, int32_t to)
{
    struct civil a = date_to_civil(from), b = date_to_civil(to);
    int first = a.day == 31 ? 30 : a.day;
    int last = b.day == 31 && first == 30 ? 30 : b.day;
    return 360 * (b.year - a.year) + 30 * (b.month - a.month) + last - first;
}

double bond_accrued(const struct bond_terms *bond, int32_t day)
{
    int k = bond_coupons_after(bond, day);
    if (k == 0)
        return 0;
    int32_t before = bond_coupon_date(bond, k), next = bond_coupon_date(bond, k - 1);
    double coupon = bond_coupon(bond);
    if (bond->day_count == DAY_COUNT_30_360)
        return coupon * (double)days_360(before, day) * (double)bond->coupons_per_year / 360;
    return coupon * (double)(day - before) / (double)(next - before);
}

enum status bond_check(const struct bond_terms *bond, struct str uid, struct err *err)
{
    unsigned n = bond->coupons_per_year;
    bool is_even = n == 0 || n == 1 || n == 2 || n == 4 || n == 12;
    if (is_even && isfinite(bond->coupon_rate) && bond->coupon_rate >= 0 &&
        bond->coupon_rate <= 1 && bond->maturity != DATE_NONE)
        return STATUS_OK;
    return err_set(
        err, STATUS_BAD_DATA,
        "%.*s has terms that make no bond: a coupon of 0 to 100 %% of par a year, 0, 1, 2, "
        "4 or 12 times, and a maturity.",
        STR_ARG(uid));
}
