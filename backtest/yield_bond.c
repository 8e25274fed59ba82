/* yield_bond.c - reads what bond a uid means, and makes its prices of published yields. */
#include "backtest/yield_bond.h"

#include <string.h>

enum { DAYS_A_WEEK = 7, FRIDAY = 4, YEARS_MAX = 50, PARTS = 7 };

static const double FIRST_PRICE = 100, DAYS_A_YEAR = 365;
static const double LEAST_PERCENT = -20, MOST_PERCENT = 100;
static const int64_t SECONDS_A_DAY = 86400;

bool yield_bond_is(struct str uid)
{
    static const char prefix[] = "yield:";
    return uid.len >= sizeof prefix - 1 && memcmp(uid.ptr, prefix, sizeof prefix - 1) == 0;
}

/* One or two digits without a leading zero; 0 when it is anything else. */
static unsigned small_number(struct str text)
{
    unsigned value = 0;
    if (text.len == 0 || text.len > 2 || text.ptr[0] == '0')
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return 0;
        value = 10 * value + (unsigned)(text.ptr[i] - '0');
    }
    return value;
}

/* 10Y or 3M in months; 0 when it is neither. */
static unsigned months_of(struct str text)
{
    if (text.len < 2)
        return 0;
    unsigned n = small_number((struct str){text.ptr, text.len - 1});
    char unit = text.ptr[text.len - 1];
    if (unit == 'Y' && n <= YEARS_MAX)
        return 12 * n;
    return unit == 'M' && n < 12 ? n : 0;
}

static bool take_currency(struct str text, char ret[CURRENCY_TEXT_BYTES])
{
    bool is_code = text.len == CURRENCY_TEXT_BYTES - 1;
    for (size_t i = 0; i < text.len && is_code; i++)
        is_code = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
    if (is_code)
        memcpy(ret, text.ptr, text.len);
    return is_code;
}

const char *yield_bond_parse(struct str uid, struct yield_bond *ret)
{
    struct str rest = uid, part[PARTS + 1];
    size_t n = 0;
    while (n <= PARTS && str_next_field(&rest, ':', &part[n]) && part[n].len > 0)
        n++;
    if (n < 4)
        return "The bond of a yield names no economic series.";
    if (n < 5)
        return "The bond of a yield names no maturity.";
    if (n < 6)
        return "The bond of a yield names no coupons a year.";
    if (n < PARTS)
        return "The bond of a yield names no currency.";
    *ret = (struct yield_bond){.code = part[1], .country = part[2], .frequency = part[3]};
    unsigned months = months_of(part[4]), f = small_number(part[5]);
    if (months == 0)
        return "That is not the maturity of a yield's bond.";
    if ((f != 1 && f != 2 && f != 4 && f != 12) || months * f % 12 != 0)
        return "Those are not the coupons a year of a yield's bond, a whole number up to its maturity.";
    if (n > PARTS || !take_currency(part[6], ret->currency))
        return "That is not the currency of a yield's bond.";
    ret->coupons_per_year = f;
    ret->n_coupons = months * f / 12;
    return NULL;
}

void yield_bond_sensitivity(const struct yield_bond *bond, double y, double *ret_duration,
                            double *ret_convexity)
{
    double f = bond->coupons_per_year, coupon = y / f, discount = 1 / (1 + coupon);
    double present = 1, duration = 0, convexity = 0;
    for (unsigned k = 1; k <= bond->n_coupons; k++) {
        present *= discount;
        double worth = (k == bond->n_coupons ? 1 + coupon : coupon) * present;
        duration += k / f * worth;
        convexity += k * (k + 1.0) / (f * f) * worth;
    }
    *ret_duration = duration * discount;
    *ret_convexity = convexity * discount * discount;
}

static enum status check_yields(const struct rate_series *rates, struct err *err)
{
    enum status s = rates_check(rates, err);
    for (size_t i = 0; i < rates->n && s == STATUS_OK; i++) {
        char day[DATE_TEXT_BYTES];
        if (rates->value[i] >= LEAST_PERCENT && rates->value[i] <= MOST_PERCENT)
            continue;
        date_format(rates->date[i], day);
        s = err_set(err, STATUS_BAD_DATA, "%.*s is %g on %s, which is no yield in per cent a year.",
                    STR_ARG(rates->uid), rates->value[i], day);
    }
    return s;
}

/* Rows on the weekdays from the first publication to the last. */
static size_t fill_rows(const struct yield_bond *bond, const struct rate_series *rates,
                        int32_t *date, int64_t *known_at, double *price)
{
    size_t n = 0, row = 0;
    double duration = 0, convexity = 0, held = 0; /* the yield of the row before */
    for (int32_t d = rates->date[0]; d <= rates->date[rates->n - 1]; d++) {
        if (date_weekday(d) > FRIDAY)
            continue;
        while (row + 1 < rates->n && rates->date[row + 1] <= d)
            row++;
        double y = rates->value[row] / 100, change = y - held;
        int64_t begins = d * SECONDS_A_DAY;
        date[n] = d;
        known_at[n] = rates->known_at[row] > begins ? rates->known_at[row] : begins;
        price[n] = n == 0 ? FIRST_PRICE
                          : price[n - 1] * (1 + held * (d - date[n - 1]) / DAYS_A_YEAR -
                                            duration * change + convexity * change * change / 2);
        if (n == 0 || change > 0 || change < 0)
            yield_bond_sensitivity(bond, y, &duration, &convexity);
        held = y;
        n++;
    }
    return n;
}

enum status yield_bond_prices(struct str uid, const struct yield_bond *bond,
                              const struct rate_series *rates, struct arena *arena,
                              struct price_series *ret, struct err *err)
{
    enum status s = check_yields(rates, err);
    if (s != STATUS_OK)
        return s;
    size_t n_days = (size_t)(rates->date[rates->n - 1] - rates->date[0]) + 1;
    size_t room = (n_days / DAYS_A_WEEK + 1) * (FRIDAY + 1);
    int32_t *date = arena_array(arena, room, sizeof *date);
    int64_t *known_at = arena_array(arena, room, sizeof *known_at);
    double *price = arena_array(arena, room, sizeof *price);
    if (date == NULL || known_at == NULL || price == NULL)
        return err_out_of_memory(err);
    *ret = (struct price_series){.uid = uid,
                                 .n = fill_rows(bond, rates, date, known_at, price),
                                 .date = date,
                                 .price = price,
                                 .known_at = known_at,
                                 .close = price,
                                 .delisted_on = DATE_NONE,
                                 .flags = SERIES_SYNTHETIC};
    memcpy(ret->currency, bond->currency, sizeof ret->currency);
    market_mark_whole(ret);
    return STATUS_OK;
}
