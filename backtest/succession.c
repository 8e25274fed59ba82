/* succession.c - joins the series of shares that became others; what basis.c and panel.c then see are bars, splits and cash. */
#include "backtest/succession.h"

#include <math.h>
#include <string.h>

const char *const change_kind_names[CHANGE_KIND_COUNT] = {
    [CHANGE_SPIN_OFF] = "spin_off", [CHANGE_MERGER] = "merger", [CHANGE_RENAME] = "rename"};

struct follower {
    const struct market_data *market; /* as it was given */
    struct arena *arena;
};

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the prices of this run.");
}

static enum status bad_change(const struct price_series *series, const struct series_change *change,
                              const char *why, struct err *err)
{
    char day[DATE_TEXT_BYTES];
    date_format(change->date, day);
    return err_set(err, STATUS_BAD_DATA, "%.*s has a %s into %.*s on %s that cannot be: %s.",
                   STR_ARG(series->uid), change_kind_names[change->kind], STR_ARG(change->into),
                   day, why);
}

static double ratio_of(const struct series_change *change)
{
    if (isnan(change->ratio))
        return change->kind == CHANGE_RENAME ? 1 : 0;
    return change->ratio;
}

static double cash_of(const struct series_change *change)
{
    return isnan(change->cash) ? 0 : change->cash;
}

bool change_needs_other(const struct series_change *change)
{
    return change->kind != CHANGE_MERGER || ratio_of(change) > 0;
}

/* The other's series, in the same currency; NULL: refused. */
static const struct price_series *other_of(const struct follower *f,
                                           const struct price_series *series,
                                           const struct series_change *change, struct err *err)
{
    const struct price_series *other = market_find(f->market, change->into);
    const char *why = NULL;
    if (other == NULL || other->n == 0 || other->close == NULL)
        why = "there are no raw prices of it";
    else if (strcmp(other->currency, series->currency) != 0)
        why = "it is quoted in another currency";
    else if (other->date[other->n - 1] < change->date)
        why = "it has no price from then on";
    if (why != NULL)
        (void)bad_change(series, change, why, err);
    return why == NULL ? other : NULL;
}

/* n values of one column, then the rows of another from first on; rows of a column that is not there are NaN. */
static bool join(const double **column, size_t n, const double *other, size_t first, size_t n_other,
                 struct arena *arena)
{
    if (*column == NULL && other == NULL)
        return true;
    double *joined = arena_array(arena, n + n_other - first, sizeof *joined);
    if (joined == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        joined[i] = *column != NULL ? (*column)[i] : (double)NAN;
    for (size_t i = first; i < n_other; i++)
        joined[n + i - first] = other != NULL ? other[i] : (double)NAN;
    *column = joined;
    return true;
}

static bool join_dates(struct price_series *series, size_t n, const struct price_series *other,
                       size_t first, struct arena *arena)
{
    size_t n_joined = n + other->n - first;
    int32_t *date = arena_array(arena, n_joined, sizeof *date);
    int64_t *known_at = arena_array(arena, n_joined, sizeof *known_at);
    if (date == NULL || known_at == NULL)
        return false;
    memcpy(date, series->date, n * sizeof *date);
    memcpy(date + n, other->date + first, (other->n - first) * sizeof *date);
    memcpy(known_at, series->known_at, n * sizeof *known_at);
    memcpy(known_at + n, other->known_at + first, (other->n - first) * sizeof *known_at);
    series->date = date;
    series->known_at = known_at;
    return true;
}

/* The gifts of the first n rows, then the other's from its row first on. */
static bool join_gifts(struct price_series *series, size_t n, const struct price_series *other,
                       size_t first, struct arena *arena)
{
    size_t n_gifts = 0;
    if (series->n_gifts + other->n_gifts == 0)
        return true;
    struct series_gift *gifts = arena_array(arena, series->n_gifts + other->n_gifts, sizeof *gifts);
    if (gifts == NULL)
        return false;
    for (size_t i = 0; i < series->n_gifts; i++)
        if (series->gifts[i].row < n)
            gifts[n_gifts++] = series->gifts[i];
    for (size_t i = 0; i < other->n_gifts; i++) {
        if (other->gifts[i].row < first)
            continue;
        gifts[n_gifts] = other->gifts[i];
        gifts[n_gifts++].row += (uint32_t)(n - first);
    }
    series->gifts = gifts;
    series->n_gifts = n_gifts;
    return true;
}

/* The other's bars from first on follow the first n of the series. */
static bool join_bars(struct price_series *series, size_t n, const struct price_series *other,
                      size_t first, struct arena *arena)
{
    const struct {
        const double **column;
        const double *other;
    } pairs[] = {
        {&series->price, other->price},       {&series->open, other->open},
        {&series->high, other->high},         {&series->low, other->low},
        {&series->close, other->close},       {&series->volume, other->volume},
        {&series->dividend, other->dividend}, {&series->split, other->split},
        {&series->pay_date, other->pay_date},
    };
    bool fits =
        join_dates(series, n, other, first, arena) && join_gifts(series, n, other, first, arena);
    for (size_t i = 0; i < ARRAY_LEN(pairs) && fits; i++)
        fits = join(pairs[i].column, n, pairs[i].other, first, other->n, arena);
    series->n = n + other->n - first;
    return fits;
}

/* A copy of a column in which value stands at row; where there was no column the rest is NaN. */
static bool put(const double **column, size_t n, size_t row, double value, struct arena *arena)
{
    double *copy = arena_array(arena, n, sizeof *copy);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        copy[i] = *column != NULL ? (*column)[i] : (double)NAN;
    copy[row] = value;
    *column = copy;
    return true;
}

/* Adjusted closes from row on go on at the return of what one old unit became. */
static bool link_prices(struct price_series *series, size_t row, double worth, struct arena *arena)
{
    const double *price = series->price;
    if (price == NULL || !(price[row] > 0) || !(price[row - 1] > 0)) {
        series->price = NULL;
        return true;
    }
    double *linked = arena_array(arena, series->n, sizeof *linked);
    if (linked == NULL)
        return false;
    double level = price[row - 1] * (worth / series->close[row - 1]) / price[row];
    for (size_t i = 0; i < series->n; i++)
        linked[i] = i < row ? price[i] : price[i] * level;
    series->price = linked;
    return true;
}

static enum status follow(const struct follower *f, const struct price_series *given,
                          unsigned depth, struct price_series *ret, struct err *err);

/* The series ends, and cash is what is left of its last price. */
static enum status end_in_cash(const struct series_change *change, size_t n,
                               struct price_series *series, struct err *err)
{
    if (!(cash_of(change) > 0))
        return bad_change(series, change, "it gives neither units nor cash", err);
    series->n = n;
    series->delisted_on = change->date;
    series->delisting_return = cash_of(change) / series->close[n - 1] - 1;
    return STATUS_OK;
}

/* A merger or a new name. */
static enum status go_on_as(const struct follower *f, const struct series_change *change,
                            unsigned depth, struct price_series *series, struct err *err)
{
    double ratio = ratio_of(change), cash = cash_of(change);
    size_t n = dates_until(series->date, series->n, change->date - 1);
    if (!(ratio >= 0) || !isfinite(ratio) || !(cash >= 0) || !isfinite(cash))
        return bad_change(series, change, "ratio and cash are at least 0", err);
    if (!change_needs_other(change))
        return end_in_cash(change, n, series, err);
    if (!(ratio > 0))
        return bad_change(series, change, "its ratio is above 0", err);
    const struct price_series *found = other_of(f, series, change, err);
    if (found == NULL)
        return STATUS_BAD_DATA;
    if (depth == SUCCESSION_DEPTH_MAX)
        return bad_change(series, change, "it is one of a circle, or of too many", err);
    struct price_series other;
    enum status s = follow(f, found, depth + 1, &other, err);
    if (s != STATUS_OK)
        return s;
    size_t first = dates_until(other.date, other.n, change->date - 1);
    if (first == other.n)
        return bad_change(series, change, "it has no price from then on", err);
    bool has_split = other.split != NULL && !isnan(other.split[first]);
    bool has_dividend = other.dividend != NULL && !isnan(other.dividend[first]);
    double split = has_split ? other.split[first] : 1;
    double dividend = (has_dividend ? other.dividend[first] : 0) + cash / (ratio * split);
    double worth =
        (other.close[first] + (has_dividend ? other.dividend[first] : 0)) * split * ratio + cash;
    bool fits = join_bars(series, n, &other, first, f->arena) &&
                link_prices(series, n, worth, f->arena) &&
                put(&series->split, series->n, n, split * ratio, f->arena) &&
                put(&series->dividend, series->n, n, dividend, f->arena);
    series->delisted_on = other.delisted_on;
    series->delisting_return = other.delisting_return;
    series->flags |= other.flags;
    return fits ? STATUS_OK : out_of_memory(err);
}

/* One more, behind those of the same row and of rows before. */
static bool add_gift(struct price_series *series, struct series_gift gift, struct arena *arena)
{
    struct series_gift *gifts = arena_array(arena, series->n_gifts + 1, sizeof *gifts);
    size_t at = series->n_gifts;
    if (gifts == NULL)
        return false;
    for (; at > 0 && series->gifts[at - 1].row > gift.row; at--)
        gifts[at] = series->gifts[at - 1];
    gifts[at] = gift;
    for (; at > 0; at--)
        gifts[at - 1] = series->gifts[at - 1];
    series->gifts = gifts;
    series->n_gifts++;
    return true;
}

/* A gift of the first bar that can know what the other is worth. */
static enum status give_in_kind(const struct follower *f, const struct series_change *change,
                                struct price_series *series, struct err *err)
{
    double ratio = ratio_of(change);
    if (!(ratio > 0) || !isfinite(ratio))
        return bad_change(series, change, "its ratio is above 0", err);
    const struct price_series *other = other_of(f, series, change, err);
    if (other == NULL)
        return STATUS_BAD_DATA;
    int32_t quoted = other->date[dates_until(other->date, other->n, change->date - 1)];
    size_t row = dates_until(series->date, series->n, quoted - 1);
    if (row == series->n)
        return STATUS_OK; /* it ended before */
    size_t at = dates_until(other->date, other->n, series->date[row]) - 1;
    int64_t *known_at = arena_array(f->arena, series->n, sizeof *known_at);
    struct series_gift gift = {(uint32_t)row, change->into, ratio, ratio * other->close[at]};
    if (known_at == NULL || !add_gift(series, gift, f->arena))
        return out_of_memory(err);
    memcpy(known_at, series->known_at, series->n * sizeof *known_at);
    if (other->known_at[at] > known_at[row])
        known_at[row] = other->known_at[at];
    series->known_at = known_at;
    return STATUS_OK;
}

static enum status follow(const struct follower *f, const struct price_series *given,
                          unsigned depth, struct price_series *ret, struct err *err)
{
    struct price_series series = *given;
    enum status s = STATUS_OK;
    bool goes_on = true;
    for (size_t i = 0; i < given->n_changes && goes_on && s == STATUS_OK; i++) {
        const struct series_change *change = &given->changes[i];
        if (series.n == 0 || change->date <= series.date[0])
            continue; /* whoever held it before has no price of it */
        goes_on = change->kind == CHANGE_SPIN_OFF;
        s = goes_on ? give_in_kind(f, change, &series, err)
                    : go_on_as(f, change, depth, &series, err);
    }
    if (s == STATUS_OK)
        *ret = series;
    return s;
}

enum status market_follow(struct market_data *market, struct arena *arena, struct err *err)
{
    struct follower f = {market, arena};
    size_t n_changes = 0;
    for (size_t i = 0; i < market->n_series; i++)
        n_changes += market->series[i].n_changes;
    if (n_changes == 0)
        return STATUS_OK;
    struct price_series *series = arena_array(arena, market->n_series, sizeof *series);
    if (series == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < market->n_series; i++) {
        enum status s = follow(&f, &market->series[i], 0, &series[i], err);
        if (s != STATUS_OK)
            return s;
    }
    market->series = series;
    return STATUS_OK;
}
