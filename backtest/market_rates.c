/* market_rates.c - economic series by what was known at each session; see flows and the risk-free rate. */
#include "backtest/market_rates.h"

#include "base/date.h"

#include <math.h>

bool rates_uid_split(struct str uid, struct str *ret_code, struct str *ret_country,
                     struct str *ret_frequency)
{
    struct str rest = uid, parts[4], extra;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (!str_next_field(&rest, ':', &parts[i]) || parts[i].len == 0)
            return false;
    if (!str_eq_c(parts[0], "indicator") || str_next_field(&rest, ':', &extra))
        return false;
    *ret_code = parts[1];
    *ret_country = parts[2];
    *ret_frequency = parts[3];
    return true;
}

void rates_as_known(const struct rate_series *series, struct dated clock, double *ret)
{
    struct dated rows = {series->n, series->date, series->known_at};
    for (size_t t = 0; t < clock.n; t++) {
        uint32_t row = align_row_at(rows, clock.date[t], clock.known_at[t]);
        ret[t] = row == ALIGN_NO_ROW ? (double)NAN : series->value[row];
    }
}

enum status rates_check(const struct rate_series *series, struct err *err)
{
    char day[DATE_TEXT_BYTES];
    if (series->n == 0)
        return err_set(err, STATUS_NO_DATA, "%.*s has no rows.", STR_ARG(series->uid));
    for (size_t i = 0; i < series->n; i++) {
        bool is_ordered = i == 0 || series->date[i] > series->date[i - 1];
        if (is_ordered && isfinite(series->value[i]))
            continue;
        date_format(series->date[i], day);
        return err_set(err, STATUS_BAD_DATA, "%.*s %s on %s.", STR_ARG(series->uid),
                       is_ordered ? "has no finite value" : "is not sorted by date", day);
    }
    return STATUS_OK;
}
