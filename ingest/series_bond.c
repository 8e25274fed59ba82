/*
 * series_bond.c - what the price of a bond means, day by day: accrued interest by backtest/bond.h, the yield that makes its
 * payments worth the price, how much the price moves with it, and what holding it returned.
 */
#include "base/number.h"
#include "ingest/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double DAYS_PER_YEAR = 365.25, LEAST = 0.01, MOST = 2;
enum { HALVINGS = 80 };

/* Payments that are left on a day: the next one after w periods, then one each period, par with the last. */
struct payments {
    double w, coupon, per_year;
    int n;
};

static struct payments payments_after(const struct bond_terms *terms, int32_t day)
{
    struct payments p = {0, bond_coupon(terms), 1, 1};
    if (terms->coupons_per_year == 0) {
        p.w = (terms->maturity - day) / DAYS_PER_YEAR;
        return p;
    }
    p.n = bond_coupons_after(terms, day);
    int32_t next = bond_coupon_date(terms, p.n - 1), before = bond_coupon_date(terms, p.n);
    p.w = (double)(next - day) / (next - before);
    p.per_year = terms->coupons_per_year;
    return p;
}

/* What they are worth when one period's discount is v; rises with v. */
static double worth(const struct payments *p, double v)
{
    double sum = fabs(1 - v) < 1e-12 ? p->n : (1 - pow(v, p->n)) / (1 - v);
    return pow(v, p->w) * (p->coupon * sum + BOND_PAR * pow(v, p->n - 1));
}

/* NaN when no discount between the bounds gives the price. */
static double discount_for(const struct payments *p, double price)
{
    double low = LEAST, high = MOST;
    if (worth(p, low) > price || worth(p, high) < price)
        return (double)NAN;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        *(worth(p, middle) < price ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

/* Macaulay's in periods. */
static double duration(const struct payments *p, double v)
{
    double weighted = 0, sum = 0;
    for (int j = 0; j < p->n; j++) {
        double paid = (p->coupon + (j == p->n - 1 ? BOND_PAR : 0)) * pow(v, p->w + j);
        weighted += (p->w + j) * paid;
        sum += paid;
    }
    return weighted / sum;
}

/* Interest included; coupons that fell due since row i - 1 belong to the return. */
static double total_return(const struct series *s, const struct bond_terms *terms, size_t i)
{
    if (i == 0 || s->date[i] - s->date[i - 1] > SERIES_GAP_DAYS || s->date[i] > terms->maturity)
        return (double)NAN;
    double before = s->quoted[i - 1] + bond_accrued(terms, s->date[i - 1]);
    double now = s->quoted[i] + bond_accrued(terms, s->date[i]);
    int paid = bond_coupons_after(terms, s->date[i - 1]) - bond_coupons_after(terms, s->date[i]);
    return before > 0 ? (now + paid * bond_coupon(terms)) / before - 1 : (double)NAN;
}

enum { BOND_NUMBERS = 7, BOND_KEYS = 3 };

static enum status bond_row(const struct series *s, size_t i, struct outbox *box, struct db *db,
                            struct err *err)
{
    const struct bond_terms *terms = &s->touch->bond;
    bool is_matured = s->date[i] >= terms->maturity;
    double accrued = bond_accrued(terms, s->date[i]), dirty = s->quoted[i] + accrued;
    double yield = (double)NAN, modified = (double)NAN;
    if (!is_matured) {
        struct payments p = payments_after(terms, s->date[i]);
        double v = discount_for(&p, dirty);
        yield = p.per_year * (1 / v - 1);
        modified = isfinite(v) ? duration(&p, v) / p.per_year * v : (double)NAN;
    }
    const double numbers[BOND_NUMBERS] = {
        (terms->maturity - s->date[i]) / DAYS_PER_YEAR,
        accrued,
        dirty,
        yield,
        s->quoted[i] > 0 ? terms->coupon_rate * BOND_PAR / s->quoted[i] : (double)NAN,
        modified,
        total_return(s, terms, i)};
    union db_value values[OUTBOX_COLUMNS_MAX] = {
        {.text = str_of(s->touch->uid)}, {.i64 = s->date[i]}, {.i64 = is_matured}};
    for (size_t k = 0; k < BOND_NUMBERS; k++)
        values[BOND_KEYS + k].f64 = numbers[k];
    return outbox_add(box, db, values, err);
}

enum status series_bond(const struct series *s, struct outbox *box, struct db *db, struct err *err)
{
    enum status status = STATUS_OK;
    if (!s->touch->is_bond || bond_check(&s->touch->bond, str_of(s->touch->uid), NULL) != STATUS_OK)
        return STATUS_OK;
    for (size_t i = s->first; i < s->n && status == STATUS_OK; i++)
        status = bond_row(s, i, box, db, err);
    return status;
}
