/* series_rows.c - what is measured on a series day by day, and the panel: every weekday, carried forward for a while. */
#include "base/number.h"
#include "ingest/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    YEAR_DAYS = 365,
    FILL_SESSIONS_MAX = 5,
    QUALITY_HALTED = 4,
    QUALITY_JUMP = 8,
    QUALITY_BIASED = 16
};

static const double JUMP = 0.5;
static const double SESSIONS_PER_YEAR = 252;

static const double nothing = (double)NAN;

/* The mean of the last n closes; they must lie within the look-back. */
static double mean_of(const struct series *s, size_t i, size_t n)
{
    if (i + 1 < n || s->date[i] - s->date[i + 1 - n] > SERIES_LOOKBACK_DAYS - 1)
        return nothing;
    double sum = 0;
    for (size_t k = i + 1 - n; k <= i; k++)
        sum += s->adj[k];
    return sum / (double)n;
}

static double return_over(const struct series *s, size_t i, size_t n, int32_t days)
{
    if (i < n || s->date[i] - s->date[i - n] > days || !(s->adj[i - n] > 0) || !(s->adj[i] > 0))
        return nothing;
    return s->adj[i] / s->adj[i - n] - 1;
}

/* Sample standard deviation of the last n returns, a year's. */
static double volatility(const struct series *s, size_t i, size_t n)
{
    bool is_coin = strcmp(s->touch->asset_class, "coin") == 0;
    if (i < n || s->date[i] - s->date[i - n] > SERIES_LOOKBACK_DAYS - 1)
        return nothing;
    double mean = 0, sum = 0;
    for (size_t k = i + 1 - n; k <= i; k++)
        mean += s->ret[k] / (double)n;
    for (size_t k = i + 1 - n; k <= i; k++)
        sum += (s->ret[k] - mean) * (s->ret[k] - mean);
    return sqrt(sum / (double)(n - 1)) * sqrt(is_coin ? YEAR_DAYS : SESSIONS_PER_YEAR);
}

/* Since the last close of the year before, which is at most a month before its end. */
static double return_of_year(const struct series *s, size_t i)
{
    int year = date_to_civil(s->date[i]).year;
    int32_t first = date_from_civil((struct civil){year, 1, 1});
    size_t k = i;
    while (k > 0 && s->date[k] >= first)
        k--;
    if (s->date[k] >= first || first - s->date[k] > SERIES_GAP_DAYS || !(s->adj[k] > 0))
        return nothing;
    return s->adj[i] / s->adj[k] - 1;
}

static void extremes(const struct series *s, size_t i, double *ret_high, double *ret_low)
{
    *ret_high = *ret_low = s->adj[i];
    for (size_t k = i; k > 0 && s->date[k - 1] > s->date[i] - YEAR_DAYS; k--) {
        *ret_high = s->adj[k - 1] > *ret_high ? s->adj[k - 1] : *ret_high;
        *ret_low = s->adj[k - 1] < *ret_low ? s->adj[k - 1] : *ret_low;
    }
}

static int quality_of(const struct series *s, size_t i)
{
    return (s->units[i] <= 0 ? QUALITY_HALTED : 0) | (fabs(s->ret[i]) > JUMP ? QUALITY_JUMP : 0) |
           (s->touch->is_biased ? QUALITY_BIASED : 0);
}

/* A bar is known when its day is over everywhere that it trades: at the latest by midnight UTC. */
static void known_at(const struct series *s, size_t i, char ret[INSTANT_TEXT_BYTES])
{
    static const struct {
        const char *market;
        int32_t second;
    } closes[] = {{"XKRX", 6 * 3600 + 1800}, {"XNYS", 21 * 3600}, {"XNYM", 22 * 3600}};
    int32_t second = 86399;
    for (size_t k = 0; k < ARRAY_LEN(closes); k++)
        if (strcmp(closes[k].market, s->touch->market) == 0)
            second = closes[k].second;
    instant_format((int64_t)s->date[i] * 86400 + second, ret);
}

/* From n rows before, over values that are not adjusted. */
static double change_over(const struct series *s, const double *values, size_t i, size_t n,
                          int32_t days)
{
    bool has = i >= n && s->date[i] - s->date[i - n] <= days && values[i - n] > 0 && values[i] > 0;
    return has ? values[i] / values[i - n] - 1 : nothing;
}

enum { KEYS = 15, NUMBERS = 17 };

enum status series_measures(const struct series *s, struct outbox *box, struct db *db,
                            struct err *err)
{
    enum status status = STATUS_OK;
    for (size_t i = s->first; i < s->n && status == STATUS_OK; i++) {
        char known[INSTANT_TEXT_BYTES];
        int64_t quality = quality_of(s, i);
        double high = 0, low = 0;
        known_at(s, i, known);
        (void)str_to_i64(s->quality_told[i], &quality);
        extremes(s, i, &high, &low);
        const double numbers[NUMBERS] = {
            s->fx_krw[i],
            s->fx_usd[i],
            s->ret[i],
            return_over(s, i, 5, SERIES_GAP_DAYS),
            return_over(s, i, 20, 2 * SERIES_GAP_DAYS),
            return_of_year(s, i),
            mean_of(s, i, 5),
            mean_of(s, i, 20),
            mean_of(s, i, 60),
            mean_of(s, i, 120),
            volatility(s, i, 20),
            volatility(s, i, 30),
            high,
            low,
            change_over(s, s->nav, i, 1, SERIES_GAP_DAYS),
            return_over(s, i, 20, 2 * SERIES_GAP_DAYS) -
                change_over(s, s->index_close, i, 20, 2 * SERIES_GAP_DAYS),
            s->market_cap[i]};
        union db_value values[OUTBOX_COLUMNS_MAX] = {
            {.text = str_of(s->touch->uid)},
            {.i64 = s->date[i]},
            {.text = s->open[i]},
            {.text = s->high[i]},
            {.text = s->low[i]},
            {.text = s->close[i]},
            {.text = s->adj_text[i]},
            {.text = s->volume[i]},
            {.text = s->dividend[i]},
            {.text = s->split[i]},
            {.text = str_of(s->touch->currency)},
            {.text = s->source[i]},
            {.i64 = quality},
            {.text = s->known[i].ptr != NULL ? s->known[i] : str_of(known)},
            {.text = s->value_traded[i]}};
        for (size_t k = 0; k < NUMBERS; k++)
            values[KEYS + k].f64 = numbers[k];
        status = outbox_add(box, db, values, err);
    }
    return status;
}

/* A day of the panel. row: the price that holds; stale: sessions since it was made, 0 on its day. */
static enum status panel_row(const struct series *s, const struct fx_book *fx, size_t row,
                             int32_t day, int stale, struct outbox *box, struct db *db,
                             struct err *err)
{
    char text[2][DECIMAL_TEXT_BYTES];
    double rates[2] = {fx_book_rate(fx, s->touch->currency, "KRW", day),
                       fx_book_rate(fx, s->touch->currency, "USD", day)};
    struct str price[2] = {STR_NONE, STR_NONE};
    double ret = stale > 0 ? 0 : s->ret[row];
    for (size_t i = 0; i < 2; i++)
        if (isfinite(rates[i]))
            price[i] = (struct str){text[i], decimal_format(s->adj[row] * rates[i], text[i])};
    const union db_value values[OUTBOX_COLUMNS_MAX] = {{.text = str_of(s->touch->uid)},
                                                       {.i64 = day},
                                                       {.text = str_of(s->touch->asset_class)},
                                                       {.text = str_of(s->touch->symbol)},
                                                       {.text = str_of(s->touch->currency)},
                                                       {.text = s->adj_text[row]},
                                                       {.text = price[0]},
                                                       {.text = price[1]},
                                                       {.f64 = rates[0]},
                                                       {.f64 = rates[1]},
                                                       {.i64 = stale == 0},
                                                       {.i64 = stale > 0},
                                                       {.i64 = stale},
                                                       {.f64 = ret},
                                                       {.f64 = log1p(ret)}};
    return outbox_add(box, db, values, err);
}

enum status series_panel(const struct series *s, const struct fx_book *fx, struct outbox *box,
                         struct db *db, struct err *err)
{
    bool is_daily = strcmp(s->touch->market, "24_7") == 0;
    enum status status = STATUS_OK;
    for (size_t i = s->first; i < s->n && status == STATUS_OK; i++) {
        bool is_near = i > 0 && s->date[i] - s->date[i - 1] <= SERIES_GAP_DAYS;
        int stale = 0;
        for (int32_t day = is_near ? s->date[i - 1] + 1 : s->date[i];
             day < s->date[i] && stale < FILL_SESSIONS_MAX && status == STATUS_OK; day++)
            if (is_daily || date_weekday(day) < 5)
                status = panel_row(s, fx, i - 1, day, ++stale, box, db, err);
        if (status == STATUS_OK)
            status = panel_row(s, fx, i, s->date[i], 0, box, db, err);
    }
    return status;
}
